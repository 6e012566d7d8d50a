// Two languages in one field, each with a model and a worker of its own: English as it ships, Polish of thirty sentences.

import assert from "node:assert/strict";
import { test } from "node:test";

import * as t from "./browser.mjs";

const shared = t.setUp();

test(
  "the words before decide which language is suggested, and which learns",
  t.withFields(shared, async (page) => {
    await page.evaluate(async () => {
      const { combine } = await import("/dist/languages.js");
      const options = { personal: "two-languages" };
      const models = ["/models/en.lm", "/tests/fixtures/pl.lm"].map((url) => lm.Predictor.load(url, options));
      lm.both = await Promise.all(models);
      lm.predictor = combine(...lm.both);
    });
    await t.attach(page, "#area");
    const type = async (text) => {
      await page.locator("#area").fill("");
      await page.keyboard.type(text);
      await page.waitForFunction(async (text) => {
        const words = [...document.querySelectorAll("lm-bar:not([data-idle]) lm-word:not(:empty)")];
        const [first] = await lm.predictor.suggest(text);
        return first !== undefined && words[0]?.textContent === first.text;
      }, text);
      return t.barWords(page);
    };
    await page.click("#area");
    const languages = async (text) => {
      const known = await page.evaluate((text) => Promise.all(lm.both.map((model) => model.known(text))), text);
      return known[0] > known[1] ? "English" : "Polish";
    };
    assert.equal(await languages("I would like to "), "English");
    assert.equal(await languages("Myślę, że "), "Polish");
    const english = await type("I would like to ");
    const polish = await type("Myślę, że ");
    const alone = (index, text) =>
      page.evaluate(
        async ([index, text]) => (await lm.both[index].suggest(text)).map((suggestion) => suggestion.text),
        [index, text],
      );
    assert.deepEqual(english, await alone(0, "I would like to "));
    assert.deepEqual(polish, await alone(1, "Myślę, że "));
    // Plain letters find what only one of the models knows.
    assert.equal((await type("Mam nadzieję, że zolw"))[0], "żółw");

    await type("I would like to see Quokkas. I ");
    await page.locator("#area").blur();
    await page.waitForFunction(async () => /quokkas/i.test(await lm.both[0].personal.export()));
    assert.doesNotMatch(await page.evaluate(() => lm.both[1].personal.export()), /quokkas/i);
    await page.evaluate(() => lm.both.forEach((model) => model.dispose()));
  }),
);
