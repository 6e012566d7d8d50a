// The demo page, as a visitor has it.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { test } from "node:test";

import * as t from "./browser.mjs";

const shared = t.setUp();
const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

/** Opens the demo; where the shipped model isn't there, the stand-in is served in its place. */
async function openDemo(options = {}) {
  const opened = await shared.open("about:blank", options);
  if (t.MODEL !== "models/en.lm") {
    const body = await readFile(new URL(`../../${t.MODEL}`, import.meta.url));
    await opened.context.route("**/models/en.lm", (route) => route.fulfill({ body }));
  }
  await opened.page.goto(`${shared.server.url}www/`);
  await opened.page.locator("#status[data-state=ready]").waitFor();
  return opened;
}

test("the demo suggests, counts and measures", async () => {
  const { page, close } = await openDemo();
  await page.locator("#text").click();
  await page.keyboard.type("I would like to ");
  const words = await t.waitForBar(page);
  await page.keyboard.press("Alt+Digit1");
  const value = await page.inputValue("#text");
  assert.equal(value, `I would like to ${words[0]} `);
  const presses = 17;
  assert.match(await page.locator("#saved-note").textContent(), new RegExp(`^${presses} presses for ${value.length} `));
  assert.equal(await page.locator("#saved").textContent(), `${Math.round(100 * (1 - presses / value.length))} %`);
  assert.match(await page.locator("#median").textContent(), /^[\d.]+ ms$/);
  assert.match(await page.locator("#size").textContent(), /^[\d.]+ [kM]B$/);
  assert.ok((await page.locator("#metadata dt").count()) > 0);
  await close();
});

test("the playground shows the words of one's own, forgets them, and counts no request", async () => {
  const { page, close } = await openDemo();
  await page.locator("#text").click();
  await page.keyboard.type("We saw Quokkas there. ");
  const quokkas = page.getByRole("button", { name: "Quokkas" });
  await quokkas.waitFor();
  assert.match(await page.locator("#own-note").textContent(), /^[34] words and [34] pairs/);
  await quokkas.click();
  await quokkas.waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Forget all" }).click();
  await page.locator("#own-words").waitFor({ state: "hidden" });
  await page.locator("#learn").uncheck();
  await page.locator("#text").click();
  await page.keyboard.type("They were tame. ");
  await t.waitForBar(page);
  await page.locator("#learn").check();
  assert.match(await page.locator("#own-note").textContent(), /^Nothing learned/);
  assert.equal(await page.locator("#requests").textContent(), "0");
  await close();
});

test("the playground changes to another language, in which plain letters will do", async () => {
  const { page, close } = await openDemo();
  await page.locator("#models").selectOption("pl");
  await page.locator("#model", { hasText: "Polish, 100,000 words" }).waitFor();
  await page.locator("#text").click();
  await page.keyboard.type("zolw");
  const words = await t.waitForBar(page);
  assert.ok(words.length === 3 && words.every((word) => word.startsWith("żółw")), words.join());
  assert.equal(await page.locator("#requests").textContent(), "0");
  assert.match(await page.locator("#last-request").textContent(), /since the model is there/);
  await close();
});

test("the playground takes a model of one's own, and says what is wrong with another file", async () => {
  const { page, close } = await openDemo();
  await page.locator("#file").setInputFiles(new URL("../../package.json", import.meta.url).pathname);
  await page.locator("#status[data-state=failed]").waitFor();
  assert.match(await page.locator("#status").textContent(), /not an lm-wasm model/);
  await page.locator("#file").setInputFiles(new URL(`../../${t.MODEL}`, import.meta.url).pathname);
  await page.locator("#status[data-state=ready]").waitFor();
  await close({ expected: /./s });
});

test("the demo fits a phone", t.chromiumOnly, async () => {
  const { page, close } = await openDemo({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390);
  await page.locator("#text").tap();
  const words = await t.waitForBar(page);
  await page.locator("lm-bar .option").first().tap();
  assert.equal(await page.inputValue("#text"), `${words[0]} `);
  assert.ok(await page.evaluate(() => document.activeElement.id === "text"));
  await close();
});

for (const colorScheme of ["light", "dark"]) {
  test(`the demo has no accessibility fault that axe knows, in ${colorScheme} colours`, async () => {
    const { page, close } = await openDemo({ colorScheme });
    await page.locator("#text").click();
    await page.keyboard.type("I would like to ");
    await t.waitForBar(page);
    await page.evaluate(await readFile(AXE, "utf8"));
    const { violations } = await page.evaluate(() => axe.run());
    assert.deepEqual(
      violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)]),
      [],
    );
    await close();
  });
}
