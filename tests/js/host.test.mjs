import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Host } from "../../dist/host.js";
import { LmError } from "../../dist/errors.js";
import { INFO } from "./dummies.mjs";

let responses;
let freed;
let loader;
let host;

beforeEach(() => {
  responses = [];
  freed = 0;
  loader = {
    loadWasm: async () => {},
    createEngine: () => ({
      info: INFO,
      suggest: (text, count) => [{ text: `${text}!`, probability: 1 / count, prefixLength: text.length }],
      free: () => freed++,
    }),
  };
  host = new Host(loader, (response) => responses.push(response));
});

const load = (token = 1) => host.receive({ type: "load", token, source: { bytes: new Uint8Array(4) } });

test("it loads, then suggests", async () => {
  await load();
  await host.receive({ type: "suggest", token: 2, text: "a", count: 4 });
  assert.deepEqual(responses, [
    { type: "loaded", token: 1, info: INFO },
    { type: "suggested", token: 2, words: [{ text: "a!", probability: 0.25, prefixLength: 1 }] },
  ]);
});

test("errors of WebAssembly arrive with their code, whatever their class", async () => {
  loader.createEngine = () => {
    throw Object.assign(new Error("cut short"), { name: "LmError", code: "truncated" });
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
