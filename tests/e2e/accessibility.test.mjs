// What assistive technology gets: axe finds nothing in any state, and the states are told in the right words.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { test } from "node:test";

import * as t from "./browser.mjs";

const shared = t.setUp();
const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const SCRIPT = [
  ["", "The"],
  ["I am gr", "great"],
  ["I am gr", "green", 0.05],
  ["I am great ", "at"],
];

async function audit(page, state) {
  if (!(await page.evaluate(() => globalThis.axe))) await page.evaluate(AXE);
  const { violations, incomplete } = await page.evaluate(() => axe.run());
  const found = [...violations, ...incomplete.filter(({ id }) => /aria|listbox|role/.test(id))];
  assert.deepEqual(found.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)]), [], state);
}

/** Leads a field through all its states. */
async function audited(page, selector) {
  await t.attach(page, selector, { script: SCRIPT });
  await audit(page, "without focus");
  await page.click(selector);
  await t.waitForBar(page);
  await audit(page, "empty");
  await page.keyboard.type("I am gr");
  await t.waitForGhost(page);
  await audit(page, "with ghost and bar");
  await page.keyboard.press("Alt+ArrowDown");
  await audit(page, "with an active suggestion");
  await page.keyboard.press("Escape");
  await page.locator("lm-bar:not([data-idle]) .option").first().click({ button: "right" });
  await audit(page, "asking whether to block");
  await page.keyboard.press("Escape");
  await audit(page, "dismissed");
  await page.evaluate((selector) => lm.detach[selector](), selector);
  await audit(page, "detached");
}

for (const selector of ["#area", "#input", "#editable", "#plain"]) {
  test(
    `axe finds nothing in any state of ${selector}`,
    t.withFields(shared, (page) => audited(page, selector)),
  );
}

test(
  "axe finds nothing in dark colours",
  t.chromiumOnly,
  t.withFields(shared, (page) => audited(page, "#area"), { colorScheme: "dark" }),
);

test(
  "an input is a combo box as long as it is attached, a text of several lines stays a text box",
  t.withFields(shared, async (page) => {
    for (const [selector, role] of [
      ["#input", "combobox"],
      ["#area", "textbox"],
      ["#editable", "textbox"],
    ]) {
      const field = page.locator(selector);
      const roleOf = () =>
        field.evaluate((element) => element.getAttribute("role") ?? (element.localName === "textarea" ? "textbox" : ""));
      const before = await roleOf();
      await t.attach(page, selector, { script: SCRIPT });
      /** What stays as it is, and what says whether there are suggestions. */
      const state = () =>
        field.evaluate((element) => {
          const names = ["role", "aria-haspopup", "aria-autocomplete", "aria-expanded", "aria-controls"];
          return names.map((name) => element.getAttribute(name));
        });
      const own = await field.getAttribute("role");
      const idle = role === "combobox" ? [role, "listbox", "list", "false", null] : [own, null, "list", null, null];
      assert.deepEqual(await state(), idle);
      await field.click();
      await page.keyboard.type("I am gr");
      await t.waitForBar(page);
      assert.equal(await roleOf(), role);
      const bar = await page.locator("lm-bar").getAttribute("id");
      assert.deepEqual(await state(), [...idle.slice(0, 3), role === "combobox" ? "true" : null, bar]);
      await page.keyboard.press("Escape");
      assert.deepEqual(await state(), idle);
      await page.evaluate((selector) => lm.detach[selector](), selector);
      assert.equal(await roleOf(), before);
      assert.deepEqual((await state()).slice(1), [null, null, null, null]);
    }
  }),
);

test(
  "an editable element without a role is a text box as long as it is attached",
  t.withFields(shared, async (page) => {
    const attributes = () =>
      page.locator("#plain").evaluate((element) => ["role", "aria-multiline"].map((name) => element.getAttribute(name)));
    await t.attach(page, "#plain", { script: SCRIPT });
    assert.deepEqual(await attributes(), ["textbox", "true"]);
    await page.evaluate(() => lm.detach["#plain"]());
    assert.deepEqual(await attributes(), [null, null]);
  }),
);

test(
  "the live region is silent while typing goes on, and says a thing once",
  t.withFields(shared, async (page) => {
    await t.attach(page, "#area", { script: SCRIPT });
    await page.evaluate(() => {
      globalThis.said = [];
      new MutationObserver(() => {
        const { textContent } = document.querySelector("lm-status");
        if (textContent) globalThis.said.push(textContent);
      }).observe(document.querySelector("lm-status"), { childList: true, subtree: true });
    });
    const said = () => page.evaluate(() => globalThis.said);
    await page.click("#area");
    await page.keyboard.type("I am gr", { delay: 30 });
    assert.deepEqual(await said(), []);
    await page.waitForFunction(() => globalThis.said.length > 0);
    await page.keyboard.press("Shift");
    await page.keyboard.press("Shift");
    assert.deepEqual(await said(), ["2 suggestions. great: Tab."]);
    assert.equal(await page.locator("lm-status").getAttribute("role"), "status");
  }),
);

test(
  "all words are said that Tab takes",
  t.withFields(shared, async (page) => {
    const script = [
      ["th", "thank", 0.9, "you very much"],
      ["th", "the", 0.05],
    ];
    await t.attach(page, "#area", { script });
    await page.click("#area");
    await page.keyboard.type("th");
    const said = "2 suggestions. thank you very much: Tab.";
    await page.waitForFunction((said) => document.querySelector("lm-status").textContent === said, said);
  }),
);

test(
  "texts can be in another language",
  t.withFields(shared, async (page) => {
    await page.evaluate(() => {
      const texts = { label: "Propozycje", announce: (all, key) => `${all.length}: ${all[0].text}, ${key}` };
      lm.attach(document.querySelector("#area"), lm.scripted([["", "The"]]), { texts });
    });
    await page.click("#area");
    await t.waitForBar(page);
    assert.equal(await page.getByRole("listbox", { name: "Propozycje" }).count(), 1);
    await page.waitForFunction(() => document.querySelector("lm-status").textContent === "1: The, Tab");
  }),
);

test(
  "at 400 % the bar has room, and nothing has to be scrolled sideways for it",
  t.withFields(
    shared,
    async (page) => {
      await page.locator("#area").evaluate((area) => (area.style.width = "100%"));
      await t.attach(page, "#area", { script: SCRIPT });
      await page.click("#area");
      await page.keyboard.type("I am gr");
      await t.waitForBar(page);
      const { right, height } = await page.locator("lm-bar").evaluate((bar) => bar.getBoundingClientRect());
      assert.ok(right <= 320, `${right}`);
      assert.ok(height >= 40, `${height}`);
    },
    { viewport: { width: 320, height: 256 } },
  ),
);

test(
  "with less motion nothing moves, and forced colours show what is active",
  t.chromiumOnly,
  t.withFields(
    shared,
    async (page) => {
      await t.attach(page, "#area", { script: SCRIPT });
      await page.click("#area");
      await page.keyboard.type("I am gr");
      await t.waitForBar(page);
      await page.keyboard.press("Alt+ArrowDown");
      const [active, other] = await page.locator("lm-bar .option").evaluateAll((options) =>
        options.map((option) => {
          const { transitionDuration, backgroundColor } = getComputedStyle(option);
          return { transitionDuration, backgroundColor };
        }),
      );
      assert.equal(parseFloat(active.transitionDuration), 0);
      assert.notEqual(active.backgroundColor, other.backgroundColor);
    },
    { reducedMotion: "reduce", forcedColors: "active" },
  ),
);
