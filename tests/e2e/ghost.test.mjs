// Ghost text stands where the same text would stand if it were typed: pixel by pixel.

import assert from "node:assert/strict";
import { test } from "node:test";

import * as t from "./browser.mjs";

const shared = t.setUp();
const LINES = Array.from({ length: 12 }, (_, i) => `line ${i}`).join("\n");

const CASES = [
  { name: "in the first line", text: "That is h" },
  { name: "after a line that wraps", text: "Many words that do not fit into one single line of it so it h" },
  { name: "in a new line", text: "first\n", rest: "hum" },
  { name: "in a text that is scrolled", text: `${LINES}\nThat h` },
  { name: "in letter-spaced monospace", text: "That is h", className: "mono" },
  { name: "across letters that are kerned", text: "To A", rest: "VA" },
  { name: "in a positioned field", text: "That is h", className: "framed" },
  { name: "in a transformed form", text: "That is h", formClass: "turned" },
  { name: "in an input", text: "That is h", field: "#input" },
  { name: "from right to left", text: "זה של", rest: "ום", dir: "rtl" },
  { name: "from right to left in an input", text: "זה של", rest: "ום", dir: "rtl", field: "#input", className: "large" },
  { name: "from right to left, as the text itself is", text: "זה של", rest: "ום", dir: "auto" },
];

for (const { name, text, rest = "um", className = "", formClass = "", field = "#area", dir = "" } of CASES) {
  const word = text.slice(text.search(/\S*$/)) + rest;
  test(
    `ghost text stands where it would be typed: ${name}`,
    t.withFields(shared, async (page) => {
      const element = page.locator(field);
      await page.locator("#form").evaluate((form, value) => (form.className = value), formClass);
      await element.evaluate(
        (node, value) => node.classList.add("compare", ...value.split(" ").filter(Boolean)),
        className,
      );
      await element.evaluate((node, value) => (node.dir = value), dir);
      await t.attach(page, field, { script: [[text, word]], bar: false });
      await element.fill(text);
      assert.equal(await t.waitForGhost(page), rest);
      const screenshot = () => element.screenshot({ caret: "initial" });
      const ghost = await screenshot();

      await page.evaluate((field) => lm.detach[field](), field);
      const seen = await difference(page, await screenshot(), ghost);
      assert.ok(seen > 10, "the ghost can be seen");
      await page.keyboard.type(rest);
      // Firefox places letters at parts of pixels, by the line that they are in: their edges are of other greys, and in
      // an input they may stand a pixel higher.
      const moved = await difference(page, await screenshot(), ghost);
      assert.ok(moved <= (t.BROWSER === "firefox" ? 0.6 * seen : 0), `${moved} of ${seen} pixels`);
    }),
  );
}

test(
  "there is no ghost where the word would wrap",
  t.withFields(shared, async (page) => {
    // As wide as the line and no wider: the rest has no room.
    const width = await page.locator("#area").evaluate((area) => {
      const context = document.createElement("canvas").getContext("2d");
      const style = getComputedStyle(area);
      context.font = style.font;
      const room = area.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
      let text = "That is h";
      while (context.measureText(`i ${text}`).width < room) text = `i ${text}`;
      return text;
    });
    await t.attach(page, "#area", { script: [[width, "hum"]] });
    await page.locator("#area").fill(width);
    assert.deepEqual(await t.waitForBar(page), ["hum"]);
    assert.equal(await t.ghostText(page), "");
    await page.keyboard.press("Tab");
    assert.equal(await page.inputValue("#area"), width);
  }),
);

test(
  "scrolling takes the ghost along, and out of sight it is none",
  t.withFields(shared, async (page) => {
    const text = `${LINES}\nThat h`;
    await t.attach(page, "#area", { script: [[text, "hum"]] });
    await page.locator("#area").fill(text);
    await t.waitForGhost(page);
    const top = async () => (await page.locator("lm-ghost .rest").boundingBox()).y;
    const before = await top();
    await page.locator("#area").evaluate((area) => area.scrollBy(0, 5));
    await t.settle(page);
    assert.ok(Math.abs((await top()) - (before - 5)) < 0.5, "but for what a browser rounds");
    await page.locator("#area").evaluate((area) => area.scrollTo(0, 0));
    await t.settle(page);
    assert.equal(await t.ghostText(page), "");
    await page.keyboard.press("Tab");
    assert.equal(await page.inputValue("#area"), text);
  }),
);

for (const [what, scrolled, field] of [
  ["the part of the page that it is in", "main", "#input"],
  ["what is around it in a shadow root", "#shadow >> div", "#shadow >> #inner"],
  ["the page under a field that stays where it is", "html", "#search"],
]) {
  test(
    `ghost and bar stay with the field when somebody scrolls ${what}`,
    t.withFields(shared, async (page) => {
      const [outer, inner] = scrolled.split(" >> ");
      await page.evaluate(() => {
        // Neither is positioned: what lies over a field is not scrolled along with it.
        const { shadowRoot } = document.querySelector("#shadow");
        const around = document.createElement("div");
        shadowRoot.prepend(around);
        around.append(shadowRoot.querySelector("#inner"));
        // In a row the bar lies over what follows.
        around.style.display = "flex";
        Object.assign(document.querySelector("#search").style, { position: "fixed", top: "20px" });
      });
      const scroller = inner ? page.locator(outer).locator(inner).first() : page.locator(outer);
      await scroller.evaluate((element) => {
        if (element !== document.documentElement) Object.assign(element.style, { overflow: "auto", height: "150px" });
        element.append(Object.assign(document.createElement("p"), { textContent: "more" }));
        element.lastChild.style.height = "2000px";
      });
      await t.attach(page, field, { script: [["h", "hum"]] });
      await page.locator(field.split(" >> ").at(-1)).focus();
      await page.keyboard.type("h");
      await t.waitForGhost(page);
      const tops = async () => {
        const views = ["lm-ghost .rest", "lm-bar:not([data-idle])", field.split(" >> ").at(-1)];
        const boxes = await Promise.all(views.map((view) => page.locator(view).boundingBox()));
        return boxes.map(({ y }) => y - boxes[2].y);
      };
      const before = await tops();
      await scroller.evaluate((element) => element.scrollBy(0, 15));
      await t.settle(page);
      const moved = (await tops()).map((top, index) => top - before[index]);
      assert.ok(moved.every((by) => Math.abs(by) < 1), `but for what a browser rounds: ${moved}`);
    }),
  );
}

for (const [property, expected, options] of [
  ["the page's colour", "rgb(1, 2, 3)", {}],
  ["the grey of forced colours", "GrayText", { forcedColors: "active" }],
]) {
  test(
    `ghost text has ${property}, in rich text as well`,
    options.forcedColors ? t.chromiumOnly : {},
    t.withFields(
      shared,
      async (page) => {
        await page.evaluate(() => document.body.style.setProperty("--lm-ghost-color", "rgb(1, 2, 3)"));
        for (const field of ["#area", "#input", "#editable"]) {
          await t.attach(page, field, { script: [["so h", "hum"]] });
          await page.click(field);
          await page.keyboard.type("so h");
          await t.waitForGhost(page);
          const colours = await page.locator("lm-ghost:not([hidden]) .rest").evaluate((rest, expected) => {
            const probe = document.body.appendChild(document.createElement("span"));
            probe.style.color = expected;
            return [rest, probe].map((element) => getComputedStyle(element).color);
          }, expected);
          assert.equal(colours[0], colours[1], field);
        }
      },
      options,
    ),
  );
}

for (const [name, field, classes, dir, text, rest] of [
  ["centred text", "#area", "centred", "ltr", "so h", "um"],
  ["a centred input", "#input", "centred", "ltr", "so h", "um"],
  ["centred rich text", "#editable", "centred", "ltr", "so h", "um"],
  ["centred text from right to left", "#area", "centred", "rtl", "זה של", "ום"],
  ["rich text from right to left", "#editable", "", "rtl", "זה של", "ום"],
]) {
  test(
    `in ${name} the ghost follows what is typed, and does not move it`,
    t.withFields(shared, async (page) => {
      await typeInto(page, field, classes, dir, text, text.split(" ").at(-1) + rest);
      assert.equal(await t.waitForGhost(page), rest);
      const ghost = await page.locator("lm-ghost .rest").boundingBox();
      const alone = await extent(page, field, text);
      const gap = dir === "ltr" ? ghost.x - alone.right : alone.left - (ghost.x + ghost.width);
      assert.ok(Math.abs(gap) < 1.5, `${gap} pixels between them`);
      await page.keyboard.press("Tab");
      assert.match(await page.locator(field).evaluate((node) => node.value ?? node.textContent), new RegExp(text + rest));
    }),
  );
}

for (const [name, field, classes, dir, text, word] of [
  ["where there is no room behind the caret", "#area", "right", "ltr", "so h", "hum"],
  ["where there is none in rich text", "#editable", "right", "ltr", "so h", "hum"],
  ["in text against the field's direction", "#area", "", "rtl", "so h", "hum"],
  ["in centred text against the field's direction", "#area", "centred", "rtl", "so h", "hum"],
  ["in an input against its direction", "#input", "", "rtl", "so h", "hum"],
  ["behind a word against the field's direction", "#area", "", "ltr", "so של", "שלום"],
  ["in rich text against the field's direction", "#editable", "", "rtl", "so h", "hum"],
  ["in rich text behind a word against its direction", "#editable", "", "ltr", "so של", "שלום"],
]) {
  test(
    `there is no ghost ${name}`,
    t.withFields(shared, async (page) => {
      await typeInto(page, field, classes, dir, text, word);
      assert.deepEqual(await t.waitForBar(page), [word]);
      assert.equal(await t.ghostText(page), "");
    }),
  );
}

test(
  "from right to left the left arrow takes the ghost, and the right one moves back",
  t.withFields(shared, async (page) => {
    await typeInto(page, "#area", "", "rtl", "זה של", "שלום");
    await t.waitForGhost(page);
    await page.keyboard.press("ArrowRight");
    assert.equal(await page.inputValue("#area"), "זה של");
    await page.keyboard.press("ArrowLeft");
    await t.waitForGhost(page);
    await page.keyboard.press("ArrowLeft");
    assert.equal(await page.inputValue("#area"), "זה שלום ");
  }),
);

test(
  "the ghost does not lie over a placeholder",
  t.withFields(shared, async (page) => {
    await t.attach(page, "#area", { script: [["", "The"]] });
    await page.click("#area");
    assert.equal(await t.waitForGhost(page), "The");
    await page.locator("#area").evaluate((area) => {
      area.blur();
      area.placeholder = "Write here";
      area.focus();
    });
    assert.deepEqual(await t.waitForBar(page), ["The"]);
    assert.equal(await t.ghostText(page), "");
  }),
);

async function typeInto(page, field, classes, dir, text, word) {
  const dress = (node, [classes, dir]) => {
    node.className = classes;
    node.dir = dir;
  };
  await page.locator(field).evaluate(dress, [classes, dir]);
  await t.attach(page, field, { script: [[text, word]] });
  await page.click(field);
  await page.keyboard.type(text);
}

/** Where the text of a field begins and ends: as the browser tells of rich text, as reckoned of what is centred. */
function extent(page, field, text) {
  return page.locator(field).evaluate((node, text) => {
    const range = document.createRange();
    if (node.isContentEditable) {
      range.selectNodeContents(node);
      const { left, right } = range.getBoundingClientRect();
      return { left, right };
    }
    const { left } = node.getBoundingClientRect();
    const context = document.createElement("canvas").getContext("2d");
    context.font = getComputedStyle(node).font;
    const middle = left + node.clientLeft + node.clientWidth / 2;
    const half = context.measureText(text).width / 2;
    return { left: middle - half, right: middle + half };
  }, text);
}

/** How many pixels of two pictures are clearly different. */
function difference(page, ...pictures) {
  return page.evaluate(
    async (pictures) => {
      const pixels = async (base64) => {
        const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
        const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
        const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
        context.drawImage(bitmap, 0, 0);
        return context.getImageData(0, 0, bitmap.width, bitmap.height).data;
      };
      const [one, other] = await Promise.all(pictures.map(pixels));
      return one.reduce((count, value, at) => count + (at % 4 === 0 && Math.abs(value - other[at]) > 100), 0);
    },
    pictures.map((picture) => picture.toString("base64")),
  );
}
