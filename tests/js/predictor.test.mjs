import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { LmError, Predictor } from "../../dist/index.js";
import { AnsweringWorker, DummyWorker, INFO, settled } from "./dummies.mjs";

const MODEL = new Uint8Array([1, 2, 3, 4]);
const load = (words, options) => {
  const worker = new AnsweringWorker(words);
  return Predictor.load(MODEL, { worker, ...options }).then((predictor) => ({ predictor, worker }));
};

test("a suggestion is a word, its probability and the change that puts it in", async () => {
  const { predictor, worker } = await load(() => [
    { text: "great", probability: 0.5, prefixLength: 2 },
    { text: "green", probability: 0.25, prefixLength: 2 },
  ]);
  assert.deepEqual(await predictor.suggest("That is gr"), [
    { text: "great", probability: 0.5, insert: { deleteLeft: 2, text: "great " } },
    { text: "green", probability: 0.25, insert: { deleteLeft: 2, text: "green " } },
  ]);
  assert.equal(worker.last.count, 3);
  await predictor.suggest("That is gr", { count: 7 });
  assert.equal(worker.last.count, 7);
});

test("the model gets composed characters, the change counts those of the text", async () => {
  const { predictor, worker } = await load(() => [{ text: "cafés", probability: 1, prefixLength: 4 }]);
  const [suggestion] = await predictor.suggest("Two cafe\u0301");
  assert.equal(worker.last.text, "Two caf\u00e9");
  assert.equal(suggestion.insert.deleteLeft, 5);
});

test("of a long text only the end is sent", async () => {
  const { predictor, worker } = await load(() => [{ text: "great", probability: 1, prefixLength: 2 }]);
  const text = `${"so it is ".repeat(10_000)}gr`;
  const [suggestion] = await predictor.suggest(text);
  assert.ok(worker.last.text.length < 5000 && text.endsWith(worker.last.text));
  assert.equal(suggestion.insert.deleteLeft, 2);
});

test("what is no count is refused", async () => {
  const { predictor } = await load(() => []);
  for (const count of [0, -1, 1.5, NaN, "3"]) {
    await assert.rejects(predictor.suggest("a", { count }), { name: "LmError", code: "argument" });
  }
});

test("progress ends with ready, which says what was loaded", async () => {
  const seen = [];
  const { predictor } = await load(() => [], { onProgress: (progress) => seen.push(progress) });
  assert.deepEqual(seen, [{ status: "ready", info: INFO }]);
  assert.deepEqual(predictor.info, INFO);
});

test("a failed or aborted load ends the worker", async () => {
  const failing = new DummyWorker();
  const failed = Predictor.load(MODEL, { worker: failing });
  await settled();
  failing.answer({ type: "failed", token: failing.last.token, code: "not-a-model", message: "no model" });
  await assert.rejects(failed, (error) => error instanceof LmError && error.code === "not-a-model");
  assert.ok(failing.terminated);

  const slow = new DummyWorker();
  const controller = new AbortController();
  const aborted = Predictor.load(MODEL, { worker: slow, signal: controller.signal });
  await settled();
  controller.abort();
  await assert.rejects(aborted, { name: "AbortError" });
  assert.ok(slow.terminated);

  await assert.rejects(Predictor.load(MODEL, { signal: AbortSignal.abort() }), { name: "AbortError" });
});

test("a predictor that is disposed of ends its worker and answers no more", async () => {
  const { predictor, worker } = await load(() => []);
  predictor.dispose();
  predictor.dispose();
  assert.ok(worker.terminated);
  await assert.rejects(predictor.suggest("a"), { code: "disposed" });
});

test("a predictor that nobody holds any more ends its worker, but not while it is to answer", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc");
  const collected = async (done) => {
    for (let i = 0; i < 50 && !done(); i++) {
      collect();
      await settled();
    }
  };
  const worker = new AnsweringWorker(() => []);
  let predictor = await Predictor.load(MODEL, { worker });
  worker.postMessage = DummyWorker.prototype.postMessage;
  const answer = predictor.suggest("a");
  predictor = undefined;
  await collected(() => worker.terminated);
  assert.ok(!worker.terminated);

  worker.answer({ type: "done", token: worker.last.token, value: [] });
  assert.deepEqual(await answer, []);
  await collected(() => worker.terminated);
  assert.ok(worker.terminated);
});

test("it names the models that come with it", () => {
  assert.ok(Predictor.models.includes("en"));
  assert.ok(Predictor.models.every((name) => /^[a-z-]+$/.test(name)));
});

test("what is learned and blocked after the end is nobody's error", async (t) => {
  const written = t.mock.method(console, "error", () => {});
  const { predictor } = await load(() => []);
  predictor.dispose();
  predictor.learn("a word");
  predictor.block("word");
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(written.mock.callCount(), 0);
});
