// Fingers: on a screen as wide as a phone's, where the keyboard closes as soon as the field loses the focus.

import assert from "node:assert/strict";
import { test } from "node:test";

import * as t from "./browser.mjs";

const shared = t.setUp();
const SCRIPT = [
  ["I am gr", "great"],
  ["I am gr", "grateful"],
  ["I am gr", "green"],
  ["I am great ", "to"],
];
const PHONE = { viewport: { width: 360, height: 640 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };

/** Runs a test with a field that has been touched and typed into; at its end nothing may have taken the focus. */
function withPhone(body) {
  return t.withFields(
    shared,
    async (page, { context }) => {
      for (const field of ["#area", "#input", "#editable"]) {
        await t.attach(page, field, { script: SCRIPT });
        await page.tap(field);
        await page.evaluate(() => {
          const field = document.activeElement;
          globalThis.losses = 0;
          field.addEventListener("blur", () => globalThis.losses++);
        });
        await page.keyboard.type("I am gr");
        assert.deepEqual(await t.waitForBar(page), ["great", "grateful", "green"]);
        const text = () =>
          page.locator(field).evaluate((node) => (node.value ?? node.textContent).replaceAll("\u00a0", " "));
        await body({ page, context, text, option: (index) => page.locator("lm-bar:not([data-idle]) .option").nth(index) });
        assert.equal(await page.locator(field).evaluate((node) => node === document.activeElement), true, field);
        assert.equal(await page.evaluate(() => globalThis.losses), 0, field);
        await page.evaluate((field) => lm.detach[field](), field);
      }
    },
    PHONE,
  );
}

test(
  "a tap takes a word, the next one is offered, and the keyboard stays",
  t.chromiumOnly,
  withPhone(async ({ page, text, option }) => {
    await option(0).tap();
    assert.equal(await text(), "I am great ");
    await page.locator("lm-word", { hasText: /^to$/ }).first().waitFor();
    await option(0).tap();
    assert.equal(await text(), "I am great to ");
  }),
);

test(
  "all words lie within the width of the screen and are as high as a finger is wide",
  t.chromiumOnly,
  withPhone(async ({ page, option }) => {
    for (const index of [0, 1, 2]) {
      const { x, width, height } = await option(index).boundingBox();
      assert.ok(x >= 0 && x + width <= 360 && height > 43.9, JSON.stringify([x, width, height]));
    }
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= 360), true);
  }),
);

test(
  "a finger that stays asks whether to block the word, still asks when it is off, and a tap says yes",
  t.chromiumOnly,
  withPhone(async ({ page, context, text, option }) => {
    const { x, y, width, height } = await option(1).boundingBox();
    const session = await context.newCDPSession(page);
    await page.evaluate(() => lm.blocked.splice(0));
    // Without a screen Chromium takes no touch for a long one: what it then tells is told here.
    const touch = (type, touchPoints) => session.send("Input.dispatchTouchEvent", { type, touchPoints });
    await touch("touchStart", [{ x: x + width / 2, y: y + height / 2 }]);
    await option(1).dispatchEvent("contextmenu");
    await touch("touchCancel", []);
    await t.settle(page);
    assert.match(await page.locator("lm-word:not(:empty)").nth(1).textContent(), /Never suggest “grateful”/);
    await option(1).tap();
    assert.deepEqual(await page.evaluate(() => lm.blocked), ["grateful"]);
    assert.equal(await text(), "I am gr");
  }),
);

test(
  "a finger that slides away takes nothing",
  t.chromiumOnly,
  withPhone(async ({ page, context, text, option }) => {
    const { x, y } = await option(0).boundingBox();
    const session = await context.newCDPSession(page);
    const touch = (type, touchPoints) => session.send("Input.dispatchTouchEvent", { type, touchPoints });
    await touch("touchStart", [{ x: x + 10, y: y + 10 }]);
    await touch("touchMove", [{ x: x + 10, y: y + 90 }]);
    await touch("touchEnd", []);
    await t.settle(page);
    assert.equal(await text(), "I am gr");
  }),
);
