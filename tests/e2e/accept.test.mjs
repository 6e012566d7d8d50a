// What follows on an accepted suggestion: undo, taking it back, spaces and marks, several words.

import assert from "node:assert/strict";
import { test } from "node:test";

import * as t from "./browser.mjs";

const shared = t.setUp();
const SCRIPT = [
  ["I am gr", "great"],
  ["I am gr", "Greek", 0.01],
  ["I am great ", "at"],
  ["th", "thank", 0.9, "you very much"],
  ["thank ", "you", 0.9, "very much"],
  ["Two caf", "cafés"],
  ["😀 gr", "great"],
];

const KINDS = {
  "a text area": { selector: "#area", value: (field) => field.inputValue() },
  "an input": { selector: "#input", value: (field) => field.inputValue() },
  "an editable element": {
    selector: "#editable",
    value: async (field) => (await field.evaluate((element) => element.textContent)).replaceAll("\u00a0", " "),
  },
};

for (const [kind, { selector, value }] of Object.entries(KINDS)) {
  const inField = (name, body) =>
    test(
      `in ${kind} ${name}`,
      t.withFields(shared, async (page) => {
        await t.attach(page, selector, { script: SCRIPT });
        await page.click(selector);
        const field = page.locator(selector);
        const text = () => value(field);
        const type = async (typed) => {
          await page.keyboard.type(typed);
          await t.waitForBar(page);
        };
        await body({ page, field, text, type });
      }),
    );

  inField("Tab takes what the ghost shows, as one step of undo", async ({ page, text, type }) => {
    await type("I am gr");
    assert.equal(await t.waitForGhost(page), "eat");
    await page.keyboard.press("Tab");
    assert.equal(await text(), "I am great ");
    await page.keyboard.press("Control+z");
    assert.equal(await text(), "I am gr");
    await page.keyboard.press("Control+Shift+z");
    assert.equal(await text(), "I am great ");
  });

  inField("Backspace right after takes the word back, later a character", async ({ page, text, type }) => {
    await type("I am gr");
    await page.keyboard.press("Alt+Digit2");
    assert.equal(await text(), "I am Greek ");
    await page.keyboard.press("Backspace");
    assert.equal(await text(), "I am gr");
    await page.keyboard.press("Backspace");
    assert.equal(await text(), "I am g");
    await page.keyboard.press("Control+z");
    await page.keyboard.press("Control+z");
    assert.notEqual(await text(), "I am g", "native undo knows of it");
  });

  inField("a mark takes the place of the space, and a space is not doubled", async ({ page, text, type }) => {
    await type("I am gr");
    await page.keyboard.press("Tab");
    await page.keyboard.type(", ");
    assert.equal(await text(), "I am great, ");
    await page.keyboard.type("I am gr");
    await page.keyboard.press("Escape");
    await field_clear(page);
    await type("I am gr");
    await page.keyboard.press("Tab");
    await page.keyboard.type(" at");
    assert.equal(await text(), "I am great at");
  });

  inField("Ctrl and the right arrow take a ghost word by word", async ({ page, text, type }) => {
    await type("th");
    assert.equal(await t.waitForGhost(page), "ank you very much");
    await page.keyboard.press("Control+ArrowRight");
    assert.equal(await text(), "thank ");
    await t.waitForBar(page);
    assert.equal(await t.waitForGhost(page), "you very much");
    await page.keyboard.press("ArrowRight");
    assert.equal(await text(), "thank you very much ");
  });

  inField("combining marks and emoji are whole characters", async ({ page, text, type }) => {
    await type("Two caf");
    await page.keyboard.press("Tab");
    assert.equal(await text(), "Two cafés ");
    await field_clear(page);
    await page.keyboard.insertText("😀 ");
    await type("gr");
    await page.keyboard.press("Tab");
    assert.equal(await text(), "😀 great ");
    await page.keyboard.press("Backspace");
    assert.equal(await text(), "😀 gr");
  });

  inField("a word in the bar is blocked after a question, by the second button", async ({ page, type }) => {
    await type("I am gr");
    await page.locator("lm-bar .option").first().click({ button: "right" });
    assert.equal(await page.locator("lm-word").first().textContent(), "Never suggest “great”");
    await page.locator("lm-bar .option").first().click();
    assert.deepEqual(await page.evaluate(() => lm.blocked), ["great"]);
    await page.locator("lm-bar .option").first().hover();
  });
}

/** Empties the field as a person does. */
async function field_clear(page) {
  await page.keyboard.press("Control+a");
  await page.keyboard.press("Delete");
}
