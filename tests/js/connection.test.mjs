import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Connection } from "../../dist/connection.js";
import { DummyWorker, INFO, settled } from "./dummies.mjs";

const QUESTION = { type: "load", source: { url: "https://x/en.lm" }, wasm: [{ url: "https://x/lm.wasm" }] };
let worker;
let connection;

beforeEach(() => {
  worker = new DummyWorker();
  connection = new Connection(worker);
});

const suggest = (text, context) => connection.ask({ type: "suggest", text, count: 3 }, context);
const suggested = (token, ...words) => ({ type: "done", token, value: words });

test("each request has a token of its own and gets the answer that repeats it", async () => {
  const first = suggest("a");
  worker.answer(suggested(worker.last.token, "first"));
  const second = suggest("b");
  assert.notEqual(worker.requests[0].token, worker.requests[1].token);
  worker.answer(suggested(worker.last.token, "second"));
  assert.deepEqual(await first, ["first"]);
  assert.deepEqual(await second, ["second"]);
});

test("an answer with another token is dropped", async () => {
  const answer = suggest("a");
  worker.answer(suggested(worker.last.token + 1, "wrong"));
  worker.answer(suggested(worker.last.token, "right"));
  worker.answer(suggested(worker.last.token, "twice"));
  assert.deepEqual(await answer, ["right"]);
});

test("the latest wins: of those that wait only the newest is sent", async () => {
  const running = suggest("a");
  const superseded = suggest("ab");
  const latest = suggest("abc");
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

test("several requesters do not take each other's place, and their turn comes in order", async () => {
  const [one, two] = [{}, {}];
  const running = suggest("a", { requester: one });
  const answers = [suggest("b", { requester: two }), suggest("c", { requester: one })];
  const superseded = suggest("d", { requester: two });
  await assert.rejects(answers[0], { code: "superseded" });
  for (const text of ["a", "d", "c"]) {
    assert.equal(worker.last.text, text);
    worker.answer(suggested(worker.last.token, text));
  }
  assert.deepEqual([await running, await superseded, await answers[1]], [["a"], ["d"], ["c"]]);
});

test("what concerns personal words is sent at once, in order, and answered by itself", async () => {
  const words = suggest("a");
  const learned = connection.ask({ type: "personal", action: { do: "learn", text: "a" } });
  const exported = connection.ask({ type: "personal", action: { do: "export", text: "" } });
  assert.deepEqual(
    worker.requests.map(({ type, action }) => action?.do ?? type),
    ["suggest", "learn", "export"],
  );
  const [first, second, third] = worker.requests.map(({ token }) => token);
  worker.answer({ type: "done", token: third, value: "words" });
  worker.answer({ type: "failed", token: second, code: "personal-words", message: "line 1" });
  worker.answer(suggested(first, "A"));
  assert.deepEqual([await words, await exported], [["A"], "words"]);
  await assert.rejects(learned, { code: "personal-words" });
});

test("an aborted request rejects with the signal's reason, whether it runs or waits", async () => {
  const running = new AbortController();
  const waiting = new AbortController();
  const first = suggest("a", { signal: running.signal });
  const second = suggest("ab", { signal: waiting.signal });
  running.abort();
  waiting.abort(new Error("enough"));
  await assert.rejects(first, { name: "AbortError" });
  await assert.rejects(second, { message: "enough" });

  // The worker is busy with the first all the same; its answer frees the way and reaches nobody.
  const third = suggest("abc");
  assert.equal(worker.requests.length, 1);
  worker.answer(suggested(worker.last.token, "late"));
  assert.equal(worker.last.text, "abc");
  worker.answer(suggested(worker.last.token, "third"));
  assert.deepEqual(await third, ["third"]);
});

test("a signal aborted before sends nothing", async () => {
  await assert.rejects(suggest("a", { signal: AbortSignal.abort() }), { name: "AbortError" });
  assert.equal(worker.requests.length, 0);
});

test("loading reports progress, then what was loaded", async () => {
  const seen = [];
  const loading = connection.ask(QUESTION, { onDownload: (progress) => seen.push(progress) });
  const { token, ...rest } = worker.last;
  assert.deepEqual(rest, QUESTION);
  const progress = { status: "download", url: "https://x/en.lm", loaded: 1, total: 2 };
  worker.answer({ type: "progress", token, progress });
  worker.answer({ type: "done", token, value: INFO });
  assert.deepEqual(await loading, INFO);
  assert.deepEqual(seen, [progress]);
});

test("a failure keeps its code and message", async () => {
  const loading = connection.ask(QUESTION);
  worker.answer({ type: "failed", token: worker.last.token, code: "truncated", message: "download it again" });
  await assert.rejects(loading, { name: "LmError", code: "truncated", message: "download it again" });
});

test("closing ends the worker and whoever waits, now and later", async () => {
  const running = suggest("a");
  const waiting = suggest("b");
  connection.close();
  connection.close();
  assert.ok(worker.terminated);
  for (const promise of [running, waiting, suggest("c")]) {
    await assert.rejects(promise, { name: "LmError", code: "disposed" });
  }
  assert.equal(worker.requests.length, 1);
});

test("closing lets the worker keep first what it was told to", async () => {
  const running = suggest("a");
  const learning = connection.ask({ type: "personal", action: { do: "learn", text: "a" } });
  const { token } = worker.last;
  connection.close();
  for (const promise of [running, learning, suggest("b")]) await assert.rejects(promise, { code: "disposed" });
  worker.answer(suggested(1, "late"));
  assert.ok(!worker.terminated);
  worker.answer({ type: "done", token, value: "" });
  assert.ok(worker.terminated);
});

test("a worker that breaks down after that is ended all the same", async () => {
  const learning = connection.ask({ type: "personal", action: { do: "learn", text: "a" } });
  connection.close();
  worker.onerror({ message: "boom" });
  await assert.rejects(learning, { code: "disposed" });
  assert.ok(worker.terminated);
});

test("a worker that breaks down says what to do", async () => {
  const loading = connection.ask(QUESTION);
  worker.onerror({ message: "boom" });
  await assert.rejects(loading, { code: "worker", message: /boom.*worker-src 'self'.*worker: false/s });
  await assert.rejects(suggest("a"), { code: "worker" });
  assert.ok(worker.terminated);
});

test("an owner is kept while its request is open", async () => {
  let owner = {};
  const kept = new WeakRef(owner);
  const answer = suggest("a", { owner });
  owner = undefined;
  await settled();
  assert.ok(kept.deref());
  worker.answer(suggested(worker.last.token));
  await answer;
});
