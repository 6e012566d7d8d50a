import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Controller } from "../../dist/controller.js";
import { LmError } from "../../dist/errors.js";
import { actionOf } from "../../dist/keys.js";
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
    views: [bar],
    bar: true,
    ghost,
    count: 3,
    ghostWords: 3,
    ghostThreshold: 0.3,
    learn: true,
    forward: () => "ArrowRight",
    apple: false,
    onAccept: ({ text }) => accepted.push(text),
    onError: (error) => errors.push(error),
  });
});

function type(before, after = "") {
  Object.assign(field, { before, after });
  controller.sync(true);
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
  assert.ok(!press("ArrowRight", { ctrlKey: true }));
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

test("a word is put in that was pressed before another answer came", async () => {
  type("g");
  await suggester.answer(["great", 0.6, 1], ["green", 0.2, 1]);
  type("gr");
  const pressed = suggestion("green", 0.2, 2);
  await suggester.answer(["great", 0.6, 2], ["grow", 0.2, 2]);
  assert.deepEqual(bar.words, ["great", "grow"]);
  controller.accept(pressed);
  assert.equal(field.before, "green ");
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

test("a late failure leaves a newer answer as it is", async () => {
  type("g");
  type("gr");
  const [first, second] = suggester.calls;
  second.resolve([suggestion("great", 0.6, 2)]);
  await settled();
  first.reject(new LmError("wasm", "unreachable"));
  await settled();
  assert.deepEqual([errors.length, bar.words, ghost.rest], [1, ["great"], "eat"]);
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

test("a ghost of several words is taken whole, or word by word with Ctrl and the right arrow", async () => {
  type("th");
  assert.deepEqual(suggester.calls.at(-1).options.phrase, { words: 3, probability: 0.3 });
  await suggester.answer(["thank", 0.9, 2, "you very much"], ["the", 0.05, 2]);
  assert.equal(ghost.rest, "ank you very much");
  assert.equal(bar.ghost, "thank you very much", "the views are told all that is taken");
  assert.ok(press("Tab"));
  assert.equal(field.before, "thank you very much ");
  assert.deepEqual(accepted, ["thank you very much"]);

  type("th");
  await suggester.answer(["thank", 0.9, 2, "you very much"]);
  assert.ok(press("ArrowRight", { ctrlKey: true }));
  assert.equal(field.before, "thank ");
  await suggester.answer(["you", 0.9, 0, "very much"]);
  assert.ok(press("ArrowRight", { ctrlKey: true }));
  assert.equal(field.before, "thank you ");
});

test("only the words of the ghost that can be seen are taken", async () => {
  type("th");
  ghost.longest = "ank you".length;
  await suggester.answer(["thank", 0.9, 2, "you very much"]);
  assert.equal(ghost.rest, "ank you");
  press("ArrowRight");
  assert.equal(field.before, "thank you ");
});

test("what has no room in the field is not offered, and the space behind a word is left out where it has none", async () => {
  field.room = 3;
  type("gr");
  await suggester.answer(["great", 0.9, 2, "day"], ["greatest", 0.05, 2], ["grow", 0.04, 2]);
  assert.deepEqual([bar.words, ghost.rest], [["great", "grow"], "eat"]);
  assert.ok(press("Tab"));
  assert.deepEqual([field.before, accepted], ["great", ["great"]]);

  field.room = 0;
  type("th");
  await suggester.answer(["thank", 0.9, 2]);
  assert.deepEqual([bar.words, ghost.rest], [[], ""]);
  assert.ok(!press("Tab"), "it moves the focus");
});

test("what a field refuses does not hold the Tab key, and is not told as accepted", async () => {
  type("gr");
  await suggester.answer(["great", 0.9, 2]);
  field.apply = () => {};
  assert.ok(press("Tab"));
  assert.deepEqual([bar.words, ghost.rest, accepted], [[], "", []]);
  assert.ok(!press("Tab"));
});

test("what a field makes something else of is told as accepted, but not taken back", async () => {
  const apply = field.apply.bind(field);
  field.apply = (transform) => {
    apply(transform);
    field.before = field.before.toUpperCase();
  };
  type("gr");
  await suggester.answer(["great", 0.9, 2]);
  press("Tab");
  assert.deepEqual([field.before, accepted], ["GREAT ", ["great"]]);
  assert.ok(!controller.input({ inputType: "deleteContentBackward", data: null }));
});

test("a limit that changes changes what is offered", async () => {
  type("gr");
  await suggester.answer(["great", 0.9, 2]);
  assert.deepEqual([bar.words, ghost.rest], [["great"], "eat"]);
  field.room = 1;
  controller.sync();
  assert.deepEqual([bar.words, ghost.rest], [[], ""]);
});

/** What a key means while two suggestions and the ghost of the first are shown. */
function meaning(key, { code = key, alt = false, ctrl = false, ...situation } = {}) {
  const stroke = { key, code, altKey: alt, ctrlKey: ctrl, metaKey: false, shiftKey: false };
  const usual = { count: 2, active: undefined, ghost: true, atEnd: true, forward: "ArrowRight", apple: false };
  return actionOf(stroke, { ...usual, ...situation });
}

test("Alt and the right arrow take a word where Apple's keys do, and nowhere else", () => {
  assert.deepEqual(meaning("ArrowRight", { alt: true, apple: true }), { type: "pick", index: 0 });
  assert.equal(meaning("ArrowRight", { alt: true }), undefined);
  assert.equal(meaning("ArrowRight", { alt: true, apple: true, atEnd: false }), undefined);
});

test("on Apple's keyboards Option and a digit type what cannot be typed in another way, and pick elsewhere", () => {
  const option = (key, apple = true) => meaning(key, { code: "Digit2", alt: true, apple });
  for (const character of ["@", "#", "€", "[", "|", "{", "~"]) {
    assert.equal(option(character), undefined, character);
    assert.deepEqual(option(character, false), { type: "pick", index: 1 }, "as nothing is typed there");
  }
  for (const character of ["™", "2", "£", "Dead"]) {
    assert.deepEqual(option(character), { type: "pick", index: 1 }, character);
  }
});

test("from right to left the left arrow takes the ghost, and moves on in the bar", () => {
  const rtl = { forward: "ArrowLeft" };
  assert.deepEqual(meaning("ArrowLeft", rtl), { type: "accept" });
  assert.deepEqual(meaning("ArrowLeft", { ...rtl, ctrl: true }), { type: "pick", index: 0 });
  assert.equal(meaning("ArrowRight", rtl), undefined);
  const moves = ["ArrowLeft", "ArrowDown", "ArrowRight", "ArrowUp"];
  const indices = (situation) => moves.map((key) => meaning(key, { ...situation, count: 3, active: 0 }).index);
  assert.deepEqual(indices(rtl), [1, 1, 2, 2]);
  assert.deepEqual(indices({}), [2, 1, 1, 2]);
});

test("Alt and the down arrow lead into the bar: arrows move, Enter takes, Esc leaves, typing goes on", async () => {
  type("gr");
  await suggester.answer(["great", 0.6, 2], ["green", 0.3, 2], ["grey", 0.1, 2]);
  assert.ok(!press("ArrowDown"));
  assert.ok(!press("Enter"));
  assert.ok(press("ArrowDown", { altKey: true }));
  assert.equal(bar.active, 0);
  press("ArrowRight");
  press("ArrowDown");
  assert.equal(bar.active, 2);
  press("ArrowRight");
  assert.equal(bar.active, 0);
  press("ArrowLeft");
  assert.equal(bar.active, 2);
  assert.ok(press("Escape"));
  assert.deepEqual([bar.active, bar.words.length], [undefined, 3], "the suggestions stay");
  press("ArrowDown", { altKey: true });
  press("ArrowRight");
  assert.ok(press("Enter"));
  assert.equal(field.before, "green ");

  type("gr");
  await suggester.answer(["great", 0.6, 2]);
  press("ArrowDown", { altKey: true });
  type("gre");
  assert.equal(bar.active, undefined);
  assert.ok(!press("Enter"));
});

test("Delete on a suggestion in the bar has it never suggested again", async () => {
  type("gr");
  await suggester.answer(["great", 0.6, 2], ["green", 0.3, 2]);
  assert.ok(!press("Delete"), "it deletes text");
  press("ArrowDown", { altKey: true });
  assert.ok(press("Delete"));
  assert.deepEqual([suggester.blocked, bar.words], [["great"], ["green"]]);
  await suggester.answer(["green", 0.8, 2], ["grey", 0.1, 2]);
  assert.deepEqual(bar.words, ["green", "grey"]);
});

test("Backspace right after a suggestion takes it back", async () => {
  const backspace = () => controller.input({ inputType: "deleteContentBackward", data: null });
  assert.ok(!backspace());
  type("I am gr");
  await suggester.answer(["Great", 0.6, 2]);
  press("1", { altKey: true });
  assert.equal(field.before, "I am Great ");
  assert.ok(backspace());
  assert.equal(field.before, "I am gr");
  assert.ok(!backspace(), "the next one deletes a character");

  press("1", { altKey: true });
  type("I am Great d");
  assert.ok(!backspace());
});

test("a mark takes the place of the space behind an accepted word", async () => {
  for (const [mark, expected] of [
    [".", "great."],
    [",", "great,"],
    [")", "great)"],
    ["”", "great”"],
    ["d", "great "],
    ["(", "great "],
    [" ", "great "],
  ]) {
    type("gr");
    await suggester.answer(["great", 0.6, 2]);
    press("Tab");
    assert.equal(controller.input({ inputType: "insertText", data: mark }), !/[d(]/.test(mark), mark);
    assert.equal(field.before, expected);
    assert.ok(!controller.input({ inputType: "insertText", data: mark }), "once");
  }
});

test("a straight quotation mark closes only what is open", async () => {
  for (const [before, mark, closes] of [
    ['He said "', '"', true],
    ["He said ", '"', false],
    ['"Yes," he said "', '"', true],
    ["the '", "'", true],
    ["I don't ", "'", false],
    ['"One" ', '"', false],
  ]) {
    type(`${before}gr`);
    await suggester.answer(["great", 0.6, 2]);
    press("Tab");
    assert.equal(controller.input({ inputType: "insertText", data: mark }), closes, before);
  }
});

test("a word gets no space where one follows, or a mark", async () => {
  for (const [after, expected] of [
    [" day", "great"],
    [".", "great"],
    ["\nnext", "great "],
    ["", "great "],
  ]) {
    type("gr", after);
    await suggester.answer(["great", 0.6, 2]);
    press("1", { altKey: true });
    assert.equal(field.before, expected, after);
    type("");
  }
});

test("a word is learned when the next one is finished, or the field is left; a corrected one is not", () => {
  const typed = (text) => [...text].forEach((_, at) => type(text.slice(0, at + 1)));
  type("");
  typed("we saw Quokkas ");
  assert.deepEqual(suggester.learned, ["we", "we saw"]);
  controller.leave();
  assert.deepEqual(suggester.learned.at(-1), "we saw Quokkas");
  controller.leave();
  assert.equal(suggester.learned.length, 3);

  type("we saw Quokkas teh ");
  type("we saw Quokkas te");
  type("we saw Quokkas ten ");
  type("");
  assert.deepEqual(suggester.learned.slice(3), ["we saw Quokkas ten"], "sent");
});

test("what was there, what is pasted, and what is not to be learned is not learned", async () => {
  type("a letter that is there already ");
  type(`${"many pasted words ".repeat(20)}`);
  controller.leave();
  assert.deepEqual(suggester.learned, []);

  controller = new Controller({ field, suggester, views: [], bar: false, count: 3, ghostWords: 1, ghostThreshold: 0, learn: false, forward: () => "", apple: false });
  type("");
  type("word");
  type("word ");
  controller.close();
  assert.deepEqual(suggester.learned, []);
});

test("what the page or the browser puts in is not learned", () => {
  type("");
  for (const put of ["Jane ", "Jane Kowalska, ", "Jane Kowalska, Baker Street "]) {
    field.before = put;
    controller.sync();
    press("a");
  }
  controller.leave();
  assert.deepEqual(suggester.learned, []);
});

test("without a bar keys act on the ghost alone", async () => {
  const parts = {
    ...{ field, suggester, views: [bar], bar: false, ghost, count: 3, ghostWords: 1, ghostThreshold: 0.3 },
    ...{ learn: true, forward: () => "ArrowRight", apple: false },
  };
  controller = new Controller(parts);
  type("gr");
  await suggester.answer(["great", 0.2, 2], ["green", 0.2, 2]);
  assert.deepEqual([bar.words, ghost.rest], [[], ""]);
  for (const [key, modifiers] of [["1", { altKey: true }], ["ArrowDown", { altKey: true }], ["Tab"], ["Escape"]]) {
    assert.ok(!press(key, modifiers), key);
  }
  type("gre");
  await suggester.answer(["great", 0.6, 3], ["green", 0.2, 3]);
  assert.deepEqual([bar.words, ghost.rest], [["great"], "at"]);
  assert.ok(!press("2", { altKey: true }) && !press("ArrowDown", { altKey: true }));
  assert.ok(press("Escape"));
  assert.deepEqual([bar.words, ghost.rest], [[], ""]);
});

/** What is learned of some steps in an empty field: what is done, then the text before the caret and after it. */
function learnedOf(...steps) {
  suggester.learned = [];
  for (const [done, before, after = ""] of [["put", ""], ...steps]) {
    Object.assign(field, { before, after, usable: done !== "select" });
    controller.sync(done === "type");
  }
  controller.leave();
  return suggester.learned;
}

test("a word that was pasted is not learned, whatever is typed behind it, in it or over it", () => {
  const text = "my passphrase is hunter";
  const pasted = ["put", text];
  const type = (before, after) => ["type", before, after];
  assert.deepEqual(learnedOf(pasted, type(`${text} `), type(`${text} o`), type(`${text} ok `)), [" ok"], "behind it");
  assert.deepEqual(learnedOf(pasted, type(`${text}s`), type(`${text}s `)), [], "typed on");
  const cut = ["put", "my passphrase is hunt"];
  assert.deepEqual(learnedOf(pasted, cut, type("my passphrase is hunts ")), [], "mended");
  const within = ["put", "my pass", "phrase is hunter"];
  assert.deepEqual(learnedOf(pasted, within, type("my pass ", "phrase is hunter")), [], "cut in two");
  const [start, selected] = [["put", "", text], ["select", ""]];
  const over = [type("my passphrase is x"), type("my passphrase is x ")];
  assert.deepEqual(learnedOf(pasted, start, selected, ...over), [], "a word selected and typed over");
});

test("what is typed before pasted text is learned, and in place of some of it", () => {
  const [pasted, start] = [["put", "pasted text"], ["put", "", "pasted text"]];
  const before = [["type", "q", "pasted text"], ["type", "quokka ", "pasted text"]];
  assert.deepEqual(learnedOf(pasted, start, ...before), ["quokka"]);
  const instead = [["put", "pasted "], ["type", "pasted w"], ["type", "pasted wombat "]];
  assert.deepEqual(learnedOf(pasted, ...instead), ["wombat"]);
});

test("all words of an accepted phrase are learned", async () => {
  type("");
  type("th");
  await suggester.answer(["thank", 0.9, 2, "you very much"]);
  press("Tab");
  controller.close();
  assert.deepEqual(suggester.learned, ["thank", "thank you", "thank you very", "thank you very much"]);
});
