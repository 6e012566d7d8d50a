// Typing with the real model: real key events, the worker, WebAssembly.

import assert from "node:assert/strict";
import { test } from "node:test";

import * as t from "./browser.mjs";

const shared = t.setUp();
const START = "I would like to ";

/** Types into a text area that has suggestions, the ghost as soon as there is any word for it. */
function whileTyping(body) {
  return t.withFields(shared, async (page, opened) => {
    await t.loadModel(page);
    await t.attach(page, "#area", { ghostThreshold: 0 });
    await page.click("#area");
    await page.keyboard.type(START);
    await body(page, page.locator("#area"), opened);
  });
}

test(
  "typing shows suggestions in the bar and the first one as ghost text",
  whileTyping(async (page) => {
    const words = await t.waitForBar(page);
    assert.ok(words.length >= 1 && words.length <= 3, words.join());
    const ghost = await t.waitForGhost(page);
    assert.equal(ghost.split(" ")[0], words[0]);
    assert.ok(ghost.split(" ").length <= 4, ghost);
  }),
);

test(
  "Tab accepts the ghost: the word and a space, and the next word is offered",
  whileTyping(async (page, area) => {
    const word = await t.waitForGhost(page);
    await page.keyboard.press("Tab");
    assert.equal(await area.inputValue(), `${START}${word} `);
    assert.ok(await area.evaluate((element) => document.activeElement === element));
    assert.ok((await t.waitForBar(page)).length > 0);
  }),
);

test(
  "the right arrow accepts the ghost at the end",
  whileTyping(async (page, area) => {
    const word = await t.waitForGhost(page);
    await page.keyboard.press("ArrowRight");
    assert.equal(await area.inputValue(), `${START}${word} `);
  }),
);

test(
  "a word that is begun is completed",
  whileTyping(async (page, area) => {
    const [word] = await t.waitForBar(page);
    await page.keyboard.type(word.slice(0, 1));
    await page.locator("lm-bar lm-word:not(:empty)").first().waitFor();
    await t.settle(page);
    const words = await t.waitForBar(page);
    for (const each of words) assert.equal(each[0].toLowerCase(), word[0].toLowerCase());
    await page.keyboard.press("Alt+Digit1");
    assert.equal(await area.inputValue(), `${START}${words[0]} `);
  }),
);

test(
  "Alt and a digit pick from the bar",
  whileTyping(async (page, area) => {
    const words = await t.waitForBar(page);
    await page.keyboard.press(`Alt+Digit${words.length}`);
    assert.equal(await area.inputValue(), `${START}${words.at(-1)} `);
  }),
);

test(
  "a click in the bar picks and leaves the focus in the field",
  whileTyping(async (page, area) => {
    const words = await t.waitForBar(page);
    await page
      .locator("lm-bar .option")
      .nth(words.length - 1)
      .click();
    assert.equal(await area.inputValue(), `${START}${words.at(-1)} `);
    assert.ok(await area.evaluate((element) => document.activeElement === element));
    await page.keyboard.type("x");
    assert.equal(await area.inputValue(), `${START}${words.at(-1)} x`);
  }),
);

test(
  "undo takes an accepted word back, redo puts it in again",
  whileTyping(async (page, area) => {
    const word = await t.waitForGhost(page);
    await page.keyboard.press("Tab");
    await page.keyboard.press("Control+z");
    assert.equal(await area.inputValue(), START);
    await page.keyboard.press("Control+Shift+z");
    assert.equal(await area.inputValue(), `${START}${word} `);
  }),
);

test(
  "the page is told of an accepted word as of typed text",
  whileTyping(async (page, area) => {
    await area.evaluate((element) => {
      globalThis.seen = [];
      element.addEventListener("input", (event) => globalThis.seen.push([event.inputType, event.data, event.bubbles]));
    });
    const word = await t.waitForGhost(page);
    await page.keyboard.press("Tab");
    assert.deepEqual(await page.evaluate(() => globalThis.seen), [["insertText", `${word} `, true]]);
  }),
);

test(
  "the same text has the same suggestions, in a worker and without one",
  whileTyping(async (page) => {
    const [worker, local] = await page.evaluate(
      async ([url, text]) => {
        const local = await lm.Predictor.load(url, { worker: false });
        return Promise.all([lm.predictor.suggest(text, { count: 10 }), local.suggest(text, { count: 10 })]);
      },
      [`/${t.MODEL}`, START],
    );
    assert.ok(worker.length > 0);
    assert.deepEqual(local, worker);
  }),
);

test("two fields have suggestions of their own, and only the one with the focus shows them", async () => {
  const { page, close } = await shared.open("tests/e2e/pages/fields.html");
  await page.waitForFunction(() => globalThis.lm);
  await t.loadModel(page);
  await t.attach(page, "#area");
  await t.attach(page, "#second");
  await page.click("#area");
  await page.keyboard.type("I am ");
  await t.waitForBar(page);
  await page.click("#second");
  await page.keyboard.type("We were ");
  await t.settle(page);
  const shown = await page.locator("lm-bar").evaluateAll((bars) => bars.map((bar) => !bar.hasAttribute("data-idle")));
  assert.deepEqual(shown, [false, true]);
  const words = await t.waitForBar(page);
  await page.keyboard.press("Alt+Digit1");
  assert.equal(await page.inputValue("#area"), "I am ");
  assert.equal(await page.inputValue("#second"), `We were ${words[0]} `);
  await close();
});

test("after loading there is no request, and everything works without a server", async () => {
  const server = await t.serveTests();
  const { page, context, close } = await shared.open("tests/e2e/pages/fields.html", { base: server.url });
  await page.waitForFunction(() => globalThis.lm);
  await t.loadModel(page);
  await t.attach(page, "#area", { ghostThreshold: 0 });
  const requests = [];
  context.on("request", (request) => requests.push(request.url()));
  await context.setOffline(true);
  await server.close();
  await page.click("#area");
  for (const text of ["I am ", "going to th", "e house and "]) {
    await page.keyboard.type(text);
    assert.ok((await t.waitForBar(page)).length > 0);
  }
  await page.keyboard.press("Alt+Digit1");
  await page.evaluate(() => lm.detach["#area"]());
  assert.deepEqual(requests, []);
  await close();
});

test("a model that isn't one, or isn't there, is refused with the reason", async () => {
  const { page, close } = await shared.open("tests/e2e/pages/fields.html");
  await page.waitForFunction(() => globalThis.lm);
  const codeOf = (source, options) =>
    page.evaluate(
      ([source, options]) =>
        lm.Predictor.load(source, options).then(
          () => "loaded",
          ({ name, code }) => `${name} ${code}`,
        ),
      [source, options],
    );
  for (const options of [{}, { worker: false }]) {
    assert.equal(await codeOf("/dist/index.js", options), "LmError not-a-model");
    assert.equal(await codeOf("/models/none.lm", options), "LmError network");
    assert.equal(await codeOf("/www/index.html", options), "LmError network");
  }
  assert.equal(
    await page.evaluate(async (url) => {
      const whole = new Uint8Array(await (await fetch(url)).arrayBuffer());
      return lm.Predictor.load(whole.slice(0, whole.length >> 1)).then(
        () => "loaded",
        ({ code }) => code,
      );
    }, `/${t.MODEL}`),
    "truncated",
  );
  // The browser itself tells of the address that isn't there.
  await close({ expected: /status of 404/ });
});
