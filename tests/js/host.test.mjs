import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Host } from "../../dist/host.js";
import { LmError } from "../../dist/errors.js";
import { INFO } from "./dummies.mjs";

let responses;
let freed;
let changes;
let loader;
let host;

beforeEach(() => {
  responses = [];
  freed = 0;
  changes = [];
  loader = {
    loadWasm: async () => {},
    createEngine: () => ({
      info: INFO,
      suggest: (text, count) => [{ text: `${text}!`, probability: 1 / count, prefixLength: text.length }],
      personal: (action) => {
        changes.push(action.do);
        return action.do === "export" ? "words" : action.text;
      },
      free: () => freed++,
    }),
  };
  host = new Host(loader, (response) => responses.push(response));
});

const load = (token = 1, options = {}) =>
  host.receive({ type: "load", token, source: { bytes: new Uint8Array(4) }, wasm: [{ url: "x:" }], ...options });
const suggest = (text, phrase) => host.receive({ type: "suggest", token: 2, text, count: 3, phrase });

test("it loads, then suggests", async () => {
  await load();
  await host.receive({ type: "suggest", token: 2, text: "a", count: 4 });
  assert.deepEqual(responses, [
    { type: "done", token: 1, value: INFO },
    { type: "done", token: 2, value: [{ text: "a!", probability: 0.25, prefixLength: 1 }] },
  ]);
});

test("the first word goes on with others as long as the whole is likely enough", async () => {
  const followers = { "I w": ["want", 0.8], "I want ": ["to", 0.5], "I want to ": ["go", 0.5], "I want to go ": ["on", 1] };
  loader.createEngine = () => ({
    info: INFO,
    suggest: (text) => {
      const [word, probability] = followers[text] ?? [];
      return word ? [{ text: word, probability, prefixLength: text.endsWith(" ") ? 0 : 1 }] : [];
    },
  });
  await load();
  for (const [phrase, expected] of [
    [{ words: 9, probability: 0.3 }, "to"],
    [{ words: 9, probability: 0 }, "to go on"],
    [{ words: 3, probability: 0 }, "to go"],
    [{ words: 1, probability: 0 }, undefined],
    [undefined, undefined],
  ]) {
    await suggest("I w", phrase);
    assert.equal(responses.at(-1).value[0].continuation, expected);
  }
  await suggest("nothing", { words: 9, probability: 0 });
  assert.deepEqual(responses.at(-1).value, []);
});

test("it learns if it is told to when it loads, and changes its words in either case", async () => {
  const personal = (action) => host.receive({ type: "personal", token: 3, action });
  await load(1);
  await personal({ do: "learn", text: "a" });
  assert.deepEqual(changes, []);
  await load(2, { profile: "" });
  for (const action of ["learn", "block", "import", "clear"]) {
    await personal({ do: action, text: "a" });
    assert.deepEqual(responses.at(-1), { type: "done", token: 3, value: "" });
  }
  assert.deepEqual(changes, ["learn", "block", "import", "clear"]);
  await personal({ do: "export", text: "" });
  assert.deepEqual(responses.at(-1), { type: "done", token: 3, value: "words" });
});

test("errors arrive with their code, those of WebAssembly itself with one for all", async () => {
  loader.createEngine = () => {
    throw new LmError("truncated", "cut short");
  };
  await load();
  loader.createEngine = () => {
    throw new WebAssembly.RuntimeError("unreachable");
  };
  await load(2);
  loader.loadWasm = async () => {
    throw new LmError("wasm", "not there");
  };
  await load(3);
  assert.deepEqual(responses, [
    { type: "failed", token: 1, code: "truncated", message: "cut short" },
    { type: "failed", token: 2, code: "wasm", message: "unreachable" },
    { type: "failed", token: 3, code: "wasm", message: "not there" },
  ]);
});

test("once closed it frees the model and is silent", async () => {
  await load();
  host.close();
  assert.equal(freed, 1);
  await host.receive({ type: "suggest", token: 2, text: "a", count: 3 });
  assert.equal(responses.length, 1);
});

test("closed while it loads, it makes no model", async () => {
  loader.createEngine = () => assert.fail("made a model after it was closed");
  const loading = load();
  host.close();
  await loading;
  assert.deepEqual(responses, []);
});
