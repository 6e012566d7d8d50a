import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Connection } from "../../dist/connection.js";
import { DummyWorker, INFO, settled } from "./dummies.mjs";

let worker;
let connection;

beforeEach(() => {
  worker = new DummyWorker();
  connection = new Connection(worker);
});

const suggested = (token, ...words) => ({ type: "suggested", token, words });

test("each request has a token of its own and gets the answer that repeats it", async () => {
  const first = connection.suggest("a", 3);
  worker.answer(suggested(worker.last.token, "first"));
  const second = connection.suggest("b", 3);
  assert.notEqual(worker.requests[0].token, worker.requests[1].token);
  worker.answer(suggested(worker.last.token, "second"));
  assert.deepEqual(await first, ["first"]);
  assert.deepEqual(await second, ["second"]);
});

test("an answer with another token is dropped", async () => {
  const answer = connection.suggest("a", 3);
  worker.answer(suggested(worker.last.token + 1, "wrong"));
  worker.answer(suggested(worker.last.token, "right"));
  worker.answer(suggested(worker.last.token, "twice"));
  assert.deepEqual(await answer, ["right"]);
});

test("the latest wins: of those that wait only the newest is sent", async () => {
  const running = connection.suggest("a", 3);
  const superseded = connection.suggest("ab", 3);
  const latest = connection.suggest("abc", 3);
  await assert.rejects(superseded, { name: "LmError", code: "superseded" });
  assert.deepEqual(
    worker.requests.map(({ text }) => text),
    ["a"],
  );

  worker.answer(suggested(worker.last.token, "A"));
  assert.deepEqual(
    worker.requests.map(({ text }) => text),
    ["a", "abc"],
  );
  worker.answer(suggested(worker.last.token, "ABC"));
  assert.deepEqual([await running, await latest], [["A"], ["ABC"]]);
});

test("an aborted request rejects with the signal's reason, whether it runs or waits", async () => {
  const running = new AbortController();
  const waiting = new AbortController();
  const first = connection.suggest("a", 3, running.signal);
  const second = connection.suggest("ab", 3, waiting.signal);
  running.abort();
  waiting.abort(new Error("enough"));
  await assert.rejects(first, { name: "AbortError" });
  await assert.rejects(second, { message: "enough" });

  // The worker is busy with the first all the same; its answer frees the way and reaches nobody.
  const third = connection.suggest("abc", 3);
  assert.equal(worker.requests.length, 1);
  worker.answer(suggested(worker.last.token, "late"));
  assert.equal(worker.last.text, "abc");
  worker.answer(suggested(worker.last.token, "third"));
  assert.deepEqual(await third, ["third"]);
});

test("a signal aborted before sends nothing", async () => {
  await assert.rejects(connection.suggest("a", 3, AbortSignal.abort()), { name: "AbortError" });
  assert.equal(worker.requests.length, 0);
});

test("loading reports progress, then what was loaded", async () => {
  const seen = [];
  const loading = connection.load({ url: "https://x/en.lm" }, "https://x/lm.wasm", (progress) => seen.push(progress));
  const { token, ...rest } = worker.last;
  assert.deepEqual(rest, { type: "load", source: { url: "https://x/en.lm" }, wasmUrl: "https://x/lm.wasm" });
  const progress = { status: "download", url: "https://x/en.lm", loaded: 1, total: 2 };
  worker.answer({ type: "progress", token, progress });
  worker.answer({ type: "loaded", token, info: INFO });
  assert.deepEqual(await loading, INFO);
  assert.deepEqual(seen, [progress]);
});

test("a failure keeps its code and message", async () => {
  const loading = connection.load({ bytes: new Uint8Array() });
  worker.answer({ type: "failed", token: worker.last.token, code: "truncated", message: "download it again" });
  await assert.rejects(loading, { name: "LmError", code: "truncated", message: "download it again" });
});

test("closing ends the worker and whoever waits, now and later", async () => {
  const running = connection.suggest("a", 3);
  const waiting = connection.suggest("b", 3);
  connection.close();
  connection.close();
  assert.ok(worker.terminated);
  for (const promise of [running, waiting, connection.suggest("c", 3)]) {
    await assert.rejects(promise, { name: "LmError", code: "disposed" });
  }
  assert.equal(worker.requests.length, 1);
});

test("a worker that breaks down says what to do", async () => {
  const loading = connection.load({ url: "https://x/en.lm" });
  worker.onerror({ message: "boom" });
  await assert.rejects(loading, { code: "worker", message: /boom.*worker-src 'self'.*worker: false/s });
  await assert.rejects(connection.suggest("a", 3), { code: "worker" });
  assert.ok(worker.terminated);
});

test("an owner is kept while its request is open", async () => {
  let owner = {};
  const kept = new WeakRef(owner);
  const answer = connection.suggest("a", 3, undefined, owner);
  owner = undefined;
  await settled();
  assert.ok(kept.deref());
  worker.answer(suggested(worker.last.token));
  await answer;
});
