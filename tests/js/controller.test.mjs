import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Controller } from "../../dist/controller.js";
import { LmError } from "../../dist/errors.js";
import { DummyBar, DummyField, DummyGhost, DummySuggester, settled, suggestion } from "./dummies.mjs";

let field, suggester, bar, ghost, controller, accepted, errors;

beforeEach(() => {
  field = new DummyField();
  suggester = new DummySuggester();
  bar = new DummyBar();
  ghost = new DummyGhost();
  accepted = [];
  errors = [];
  controller = new Controller({
    field,
    suggester,
    bar,
    ghost,
    count: 3,
    ghostThreshold: 0.3,
    onAccept: ({ text }) => accepted.push(text),
    onError: (error) => errors.push(error),
  });
});

function type(before, after = "") {
  Object.assign(field, { before, after });
  controller.sync();
}

function press(key, modifiers = {}) {
  const code = /^\d$/.test(key) ? `Digit${key}` : key;
  const none = { altKey: false, ctrlKey: false, metaKey: false, shiftKey: false, isComposing: false };
  return controller.key({ key, code, ...none, ...modifiers });
}

test("what is typed is asked about once, and the answer is shown", async () => {
  type("I am gr");
  controller.sync();
  assert.deepEqual(
    suggester.calls.map(({ text }) => text),
    ["I am gr"],
  );
  assert.equal(suggester.calls[0].options.count, 3);
  await suggester.answer(["great", 0.6, 2], ["green", 0.2, 2]);
  assert.deepEqual(bar.words, ["great", "green"]);
  assert.equal(ghost.rest, "eat");
});

test("an answer is kept while typing goes on, less what the text contradicts", async () => {
  type("I am gr");
  await suggester.answer(["great", 0.6, 2], ["Greek", 0.2, 2], ["grand", 0.1, 2]);
  type("I am gre");
  assert.deepEqual(bar.words, ["great", "Greek"]);
  assert.equal(ghost.rest, "at");
  type("I am gree");
  assert.deepEqual(bar.words, ["Greek"]);
  assert.equal(ghost.rest, "", "the capital letter is not what is typed");
  type("I am grown");
  assert.deepEqual(bar.words, []);
  type("I am great");
  assert.deepEqual(bar.words, [], "a word that is typed out is no suggestion any more");
  type("I was gr");
  assert.deepEqual(bar.words, [], "the words before are others");
});

test("a kept suggestion replaces what is typed by now", async () => {
  type("I am gr");
  await suggester.answer(["Greek", 0.9, 2]);
  type("I am gree");
  assert.ok(press("1", { altKey: true }));
  assert.deepEqual(field.applied, [{ deleteLeft: 4, text: "Greek " }]);
  assert.equal(field.before, "I am Greek ");
});

test("late answers never replace newer ones", async () => {
  type("a");
  type("ab");
  const [first, second] = suggester.calls;
  second.resolve([suggestion("about", 0.9, 2)]);
  await settled();
  first.resolve([suggestion("again", 0.9, 1)]);
  await settled();
  assert.deepEqual(bar.words, ["about"]);
});

test("an answer that is late but the newest there is shows what the text allows", async () => {
  type("a");
  type("ab");
  suggester.calls[0].resolve([suggestion("again", 0.5, 1), suggestion("about", 0.4, 1)]);
  await settled();
  assert.deepEqual(bar.words, ["about"]);
});

test("Tab and the right arrow take the ghost only while it is visible", async () => {
  type("gr");
  assert.ok(!press("Tab"));
  await suggester.answer(["great", 0.2, 2]);
  assert.deepEqual([ghost.rest, press("Tab"), press("ArrowRight")], ["", false, false], "not likely enough");

  type("gre");
  await suggester.answer(["great", 0.6, 3]);
  ghost.room = false;
  assert.ok(!press("Tab"), "no room for the ghost");
  ghost.room = true;
  assert.ok(!press("Tab", { shiftKey: true }));
  assert.ok(!press("Tab", { altKey: true }));
  assert.ok(!press("Tab", { ctrlKey: true }));
  assert.deepEqual(field.applied, []);
  assert.ok(press("Tab"));
  assert.equal(field.before, "great ");
  assert.deepEqual(accepted, ["great"]);
  assert.ok(!press("Tab"), "nothing is shown until the next answer");
});

test("the right arrow takes the ghost at the end of the text, with or without Ctrl", async () => {
  for (const modifiers of [{}, { ctrlKey: true }]) {
    type(`gr`);
    await suggester.answer(["great", 0.6, 2]);
    assert.ok(!press("ArrowRight", { shiftKey: true }));
    assert.ok(press("ArrowRight", modifiers));
    assert.equal(field.before, "great ");
  }
  type("gr", "\nnext line");
  await suggester.answer(["great", 0.6, 2]);
  assert.equal(ghost.rest, "eat");
  assert.ok(!press("ArrowRight"), "it moves the caret to the next line");
});

test("Alt and a digit pick from the bar, and nothing else does", async () => {
  type("gr");
  await suggester.answer(["great", 0.6, 2], ["green", 0.3, 2]);
  assert.ok(!press("3", { altKey: true }), "there are two only");
  assert.ok(!press("2"));
  assert.ok(!press("2", { altKey: true, ctrlKey: true }), "AltGr types characters");
  assert.ok(press("2", { altKey: true }));
  assert.equal(field.before, "green ");
});

test("the ghost stays away within a line, the bar within a word, too", async () => {
  type("gr", " day");
  await suggester.answer(["great", 0.9, 2]);
  assert.deepEqual([ghost.rest, bar.words], ["", ["great"]]);
  type("gr", "eat");
  assert.deepEqual([ghost.rest, bar.words], ["", []]);
  assert.equal(suggester.calls.length, 1, "nothing is asked within a word");
});

test("Esc hides everything until the next word", async () => {
  assert.ok(!press("Escape"), "there is nothing to hide");
  type("I am gr");
  await suggester.answer(["great", 0.6, 2]);
  assert.ok(press("Escape"));
  assert.deepEqual([bar.words, ghost.rest], [[], ""]);
  assert.ok(!press("Escape"), "the page may have a use for the second one");
  assert.ok(!press("Tab"));
  type("I am gre");
  await suggester.answer(["great", 0.6, 3]);
  assert.deepEqual(bar.words, []);
  type("I am great ");
  await suggester.answer(["at", 0.6, 0]);
  assert.deepEqual(bar.words, ["at"]);
  type("I am gr");
  await suggester.answer(["great", 0.6, 2]);
  assert.deepEqual(bar.words, ["great"], "hidden once is not hidden for ever");
});

test("input methods are left alone", async () => {
  type("gr");
  await suggester.answer(["great", 0.6, 2]);
  controller.compose(true);
  assert.deepEqual([bar.idle, ghost.rest], [true, ""]);
  assert.ok(!press("Tab"));
  assert.ok(!press("1", { altKey: true }));
  type("grか");
  assert.equal(suggester.calls.length, 1);
  controller.compose(false);
  assert.equal(suggester.calls.at(-1).text, "grか");
  await suggester.answer(["がく", 0.9, 1]);
  assert.ok(!press("Tab", { isComposing: true }));
});

test("nothing is shown or asked where suggestions have no place", async () => {
  type("gr");
  await suggester.answer(["great", 0.6, 2]);
  field.usable = false;
  controller.sync();
  assert.deepEqual([bar.idle, bar.words, ghost.rest], [true, [], ""]);
  field.usable = true;
  controller.sync();
  assert.deepEqual(bar.words, ["great"], "the same text still has its answer");
});

test("a key acts on the text as it is, whether or not an event told of the change", async () => {
  type("gr");
  await suggester.answer(["great", 0.6, 2]);
  field.before = "";
  assert.ok(!press("Tab"));
  assert.deepEqual(field.applied, []);
});

test("a chosen word that is no suggestion any more is not put in", async () => {
  type("gr");
  await suggester.answer(["great", 0.6, 2], ["green", 0.2, 2]);
  type("grea");
  controller.accept(suggestion("green", 0.2, 2));
  assert.deepEqual(field.applied, []);
  controller.accept(suggestion("great", 0.6, 2));
  assert.equal(field.before, "great ");
});

test("a failure is told and leaves the field without suggestions, a cancellation is not told", async () => {
  type("gr");
  await suggester.answer(["great", 0.6, 2]);
  type("gre");
  suggester.calls.at(-1).reject(new LmError("superseded", "newer"));
  await settled();
  assert.deepEqual([errors.length, bar.words], [0, ["great"]]);
  type("grea");
  suggester.calls.at(-1).reject(new LmError("wasm", "unreachable"));
  await settled();
  assert.deepEqual([errors.map(({ code }) => code), bar.words], [["wasm"], []]);
  type("great");
  suggester.calls.at(-1).reject(new LmError("disposed", "gone"));
  await settled();
  assert.equal(errors.length, 1);
});

test("closed, it shows nothing, aborts what is under way and stays so", async () => {
  type("gr");
  await suggester.answer(["great", 0.6, 2]);
  type("gre");
  controller.close();
  const { signal } = suggester.calls.at(-1).options;
  assert.ok(signal.aborted);
  assert.deepEqual([bar.idle, ghost.rest], [true, ""]);
  await suggester.answer(["great", 0.6, 3]);
  type("grea");
  assert.deepEqual([bar.idle, suggester.calls.length], [true, 2]);
});
