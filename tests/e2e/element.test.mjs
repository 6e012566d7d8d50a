// The element <lm-suggest>.

import assert from "node:assert/strict";
import { test } from "node:test";

import * as t from "./browser.mjs";

const shared = t.setUp();

function withElement(body) {
  return t.withFields(shared, async (page, opened) => {
    await page.evaluate(async () => {
      await import("/dist/element.js");
      globalThis.told = [];
      globalThis.add = (attributes, parent = document.body) => {
        const element = document.createElement("lm-suggest");
        for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
        for (const type of ["ready", "accept", "error"]) {
          element.addEventListener(type, (event) => {
            // Or it would be written to the console.
            if (type === "error") event.preventDefault();
            globalThis.told.push([type, event.detail.text ?? event.detail.code]);
          });
        }
        parent.append(element);
        return element;
      };
    });
    await body(page, opened);
  });
}

const told = (page, type) => page.waitForFunction((type) => globalThis.told.some(([of]) => of === type), type);

test(
  "it attaches to the field it is for, tells what happens, and follows its attributes",
  withElement(async (page) => {
    await page.evaluate(() => (globalThis.element = add({ for: "area" })));
    await told(page, "ready");
    await page.click("#area");
    await page.keyboard.type("I would like to ");
    const [word] = await t.waitForBar(page);
    await page.keyboard.press("Alt+Digit1");
    assert.equal(await page.inputValue("#area"), `I would like to ${word} `);
    assert.deepEqual(await page.evaluate(() => told.at(-1)), ["accept", word]);

    const worker = t.BROWSER === "chromium" ? page.workers()[0] : undefined;
    await page.evaluate(() => (element.texts = { label: "Propozycje" }));
    await page.keyboard.type("see ");
    await page.locator("lm-bar[aria-label=Propozycje]").waitFor({ state: "attached" });
    await page.evaluate(() => element.setAttribute("bar", "off"));
    await page.locator("lm-bar").waitFor({ state: "detached" });
    if (worker) assert.deepEqual(page.workers(), [worker], "the same predictor");
    await page.evaluate(() => element.setAttribute("for", "second"));
    await page.locator("#second[writingsuggestions=false i]").waitFor();
    assert.equal(await page.locator("#area").getAttribute("writingsuggestions"), null);
    await page.evaluate(() => element.remove());
    await page.locator("#second:not([writingsuggestions])").waitFor();
  }),
);

test(
  "elements of one model share a predictor, which ends with the last of them",
  withElement(async (page) => {
    await page.evaluate(() => (globalThis.elements = [add({ for: "area" }), add({ for: "second" })]));
    await page.locator("#second[writingsuggestions=false i]").waitFor();
    if (t.BROWSER === "chromium") assert.equal(page.workers().length, 1);
    await page.evaluate(() => elements[0].remove());
    await page.click("#second");
    await page.keyboard.type("I am ");
    assert.ok((await t.waitForBar(page)).length > 0);
    if (t.BROWSER !== "chromium") return;
    const ended = page.workers()[0].waitForEvent("close");
    await page.evaluate(() => elements[1].remove());
    await ended;
  }),
);

test(
  "it tells what is wrong, and a later one can be right",
  withElement(async (page) => {
    await page.evaluate(() => add({ for: "nothing" }));
    await told(page, "error");
    assert.deepEqual(await page.evaluate(() => told.at(-1)), ["error", "field"]);
    await page.evaluate(() => add({ for: "password" }));
    await page.waitForFunction(() => globalThis.told.filter(([type]) => type === "error").length === 2);
    await page.evaluate(() => add({ for: "area", suggestions: "many" }));
    await page.waitForFunction(() => globalThis.told.at(-1)[1] === "argument");
    await page.evaluate(() => add({ for: "area", "ghost-threshold": "0" }));
    await page.locator("#area[writingsuggestions=false i]").waitFor();
    if (t.BROWSER === "chromium") assert.equal(page.workers().length, 1, "one predictor for all of them");
  }),
);

test(
  "in a shadow root it finds the field there",
  withElement(async (page) => {
    await page.evaluate(() => add({ for: "inner" }, document.querySelector("#shadow").shadowRoot));
    await page.locator("#inner[writingsuggestions=false i]").waitFor();
  }),
);
