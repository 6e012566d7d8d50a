// What attaching does to a page, with scripted suggestions: a test knows each word beforehand.

import assert from "node:assert/strict";
import { test } from "node:test";

import * as t from "./browser.mjs";

const shared = t.setUp();
const SCRIPT = [
  ["I am gr", "great"],
  ["I am gr", "green", 0.05],
  ["I am gr", "Greek", 0.01],
  ["I am great ", "at"],
];

/** Opens the fields and attaches the script to one of them. */
function withScript(selector, body, options = {}) {
  return t.withFields(shared, async (page, opened) => {
    await t.attach(page, selector, { script: SCRIPT, ...options });
    await page.click(selector);
    await body(page, page.locator(selector), opened);
  });
}

test(
  "Tab is not stolen where no ghost is shown",
  withScript("#area", async (page) => {
    await page.keyboard.type("nothing for this");
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.id), "second");
  }),
);

test(
  "Tab is not stolen where the bar alone is shown",
  withScript(
    "#area",
    async (page) => {
      await page.keyboard.type("I am gr");
      assert.deepEqual(await t.waitForBar(page), ["great", "green", "Greek"]);
      assert.equal(await t.ghostText(page), "");
      await page.keyboard.press("Tab");
      assert.equal(await page.evaluate(() => document.activeElement.id), "second");
      assert.deepEqual(await t.barWords(page), [], "what has no focus shows nothing");
    },
    { ghostThreshold: 0.95 },
  ),
);

test(
  "Esc hides the suggestions until the next word",
  withScript("#area", async (page, area) => {
    await page.keyboard.type("I am gr");
    assert.equal(await t.waitForGhost(page), "eat");
    await page.keyboard.press("Escape");
    assert.deepEqual([await t.ghostText(page), await t.barWords(page)], ["", []]);
    await page.keyboard.press("ArrowRight");
    assert.equal(await area.inputValue(), "I am gr");
    await page.keyboard.type("eat ");
    assert.deepEqual(await t.waitForBar(page), ["at"]);
  }),
);

test(
  "text behind the caret stays as it is",
  withScript("#area", async (page, area) => {
    await area.fill("I am gr\nsecond line");
    await area.evaluate((element) => element.setSelectionRange(7, 7));
    assert.equal(await t.waitForGhost(page), "eat");
    await page.keyboard.press("Tab");
    assert.equal(await area.inputValue(), "I am great \nsecond line");
    assert.equal(await area.evaluate((element) => element.selectionStart), 11);
  }),
);

test(
  "a word in another case is replaced, and undo brings back what was typed",
  withScript("#area", async (page, area) => {
    await page.keyboard.type("I am gr");
    await t.waitForBar(page);
    await page.keyboard.press("Alt+Digit3");
    assert.equal(await area.inputValue(), "I am Greek ");
    await page.keyboard.press("Control+z");
    assert.equal(await area.inputValue(), "I am gr");
  }),
);

test(
  "there is no ghost within a line and nothing within a word or with a selection",
  withScript("#area", async (page, area) => {
    const at = (text, start, end = start) =>
      area.evaluate(
        (element, [text, start, end]) => {
          element.value = text;
          element.setSelectionRange(start, end);
        },
        [text, start, end],
      );
    await at("I am gr day", 7);
    assert.deepEqual(await t.waitForBar(page), ["great", "green", "Greek"]);
    assert.equal(await t.ghostText(page), "");
    await at("I am green", 7);
    await t.settle(page);
    assert.deepEqual(await t.barWords(page), []);
    await at("I am gr", 7);
    assert.equal(await t.waitForGhost(page), "eat");
    await at("I am gr", 5, 7);
    await t.settle(page);
    assert.deepEqual([await t.ghostText(page), await t.barWords(page)], ["", []]);
  }),
);

test(
  "a text that the page clears takes its suggestions with it",
  withScript("#area", async (page, area) => {
    await area.evaluate((element) => {
      element.placeholder = "Write here";
      element.addEventListener("keydown", (event) => {
        if (event.key !== "Enter") return;
        event.preventDefault();
        element.value = "";
      });
    });
    await page.keyboard.type("I am gr");
    await t.waitForGhost(page);
    await page.keyboard.press("Enter");
    await t.settle(page);
    assert.deepEqual([await t.ghostText(page), await t.barWords(page)], ["", []]);
  }),
);

test(
  "a key that is used up does not reach the page's own listeners, though they were there first",
  t.withFields(shared, async (page) => {
    await page.evaluate(() => {
      globalThis.heard = [];
      document.querySelector("#area").addEventListener("keydown", (event) => {
        globalThis.heard.push(event.key);
        // As a field of messages does it.
        if (event.key === "Enter") event.preventDefault();
      });
    });
    await t.attach(page, "#area", { script: SCRIPT });
    await page.click("#area");
    const press = async (...keys) => {
      await page.locator("#area").fill("I am gr");
      await t.waitForGhost(page);
      await page.evaluate(() => globalThis.heard.splice(0));
      for (const key of keys) await page.keyboard.press(key);
      return page.evaluate(() => globalThis.heard);
    };
    assert.deepEqual(await press("Alt+ArrowDown", "Enter"), ["Alt"]);
    assert.equal(await page.inputValue("#area"), "I am great ");
    assert.deepEqual(await press("Tab"), []);
    assert.equal(await page.inputValue("#area"), "I am great ");
    assert.deepEqual(await press("Enter"), ["Enter"], "there is nothing to take with it");
    assert.deepEqual(await press("Escape"), []);
  }),
);

test(
  "the page can keep a key to itself above the field, and refuse what is typed in it",
  t.withFields(shared, async (page) => {
    const area = page.locator("#area");
    await page.evaluate(() => {
      const keep = (event) => event.key === "Tab" && event.preventDefault();
      document.addEventListener("keydown", keep, { capture: true });
      const refuse = (event) => event.data === "." && event.preventDefault();
      document.querySelector("#area").addEventListener("beforeinput", refuse);
    });
    await t.attach(page, "#area", { script: SCRIPT });
    await area.click();
    await page.keyboard.type("I am gr");
    await t.waitForGhost(page);
    await page.keyboard.press("Tab");
    assert.equal(await area.inputValue(), "I am gr");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press(".");
    assert.equal(await area.inputValue(), "I am great ");
    await page.keyboard.press(",");
    assert.equal(await area.inputValue(), "I am great,");
  }),
);

test(
  "an input method composes in peace",
  t.chromiumOnly,
  withScript("#area", async (page, area, { context }) => {
    const cdp = await context.newCDPSession(page);
    const compose = (text) =>
      cdp.send("Input.imeSetComposition", { text, selectionStart: text.length, selectionEnd: text.length });
    await page.keyboard.type("I am ");
    await compose("gr");
    await t.settle(page);
    assert.equal(await area.inputValue(), "I am gr");
    assert.deepEqual([await t.ghostText(page), await t.barWords(page)], ["", []]);
    await page.keyboard.press("Alt+Digit1");
    assert.equal(await area.inputValue(), "I am gr");
    await cdp.send("Input.insertText", { text: "gr" });
    assert.equal(await t.waitForGhost(page), "eat");
  }),
);

test(
  "detaching restores the page",
  t.withFields(shared, async (page) => {
    const html = () => page.evaluate(() => document.body.outerHTML);
    const before = await html();
    for (const selector of ["#area", "#second", "#input"]) {
      await t.attach(page, selector, { script: SCRIPT });
      await page.click(selector);
      await page.keyboard.type("I am gr");
      await t.waitForGhost(page);
      assert.notEqual(await html(), before);
      await page.evaluate((selector) => {
        lm.detach[selector]();
        lm.detach[selector]();
      }, selector);
      assert.equal(await html(), before);
      await page.keyboard.type("x");
      await t.settle(page);
      assert.equal(await html(), before);
    }
    await t.attach(page, "#area", { script: SCRIPT });
  }),
);

test(
  "assistive technology finds the bar from the field as long as there are suggestions",
  withScript("#second", async (page, field) => {
    const attributes = () =>
      field.evaluate((element) => [element.getAttribute("aria-controls"), element.getAttribute("aria-autocomplete")]);
    assert.deepEqual(await attributes(), ["elsewhere", "list"]);
    await page.keyboard.type("I am gr");
    await t.waitForBar(page);
    const [controls] = await attributes();
    const bar = page.getByRole("listbox", { name: "Suggestions" });
    assert.equal(await bar.getAttribute("id"), controls);
    assert.equal(await bar.getByRole("option").count(), 3);
    assert.equal(await bar.getByRole("option", { name: "green" }).getAttribute("aria-keyshortcuts"), "Alt+2");
    const status = page.getByRole("status");
    assert.equal(await status.textContent(), "", "silent while somebody types");
    await page.waitForTimeout(1200);
    assert.equal(await status.textContent(), "3 suggestions. great: Tab.");
    assert.deepEqual(await field.getAttribute("aria-activedescendant"), null);
    await page.keyboard.press("Alt+ArrowDown");
    await page.keyboard.press("ArrowRight");
    assert.equal(await bar.getByRole("option", { selected: true }).textContent(), "green");
    assert.equal(
      await field.evaluate((element) => document.getElementById(element.getAttribute("aria-activedescendant")).textContent),
      "green",
    );
    assert.equal(await status.textContent(), "", "the field itself reads it out");
    await page.keyboard.press("Escape");
    await page.keyboard.press("Escape");
    assert.deepEqual(await attributes(), ["elsewhere", "list"]);
    assert.equal(await status.textContent(), "");
  }),
);

test(
  "the browser's own writing suggestions are off while attached",
  withScript("#area", async (page, area) => {
    const own = () => area.getAttribute("writingsuggestions");
    assert.match(await own(), /^false$/i);
    await page.evaluate(() => lm.detach["#area"]());
    assert.equal(await own(), null);
  }),
);

test(
  "a copy of an attached field can be attached, also one that a page kept as text",
  withScript("#area", async (page, area) => {
    await area.evaluate((element) => {
      for (const [id, copy] of Object.entries({
        cloned: element.cloneNode(true),
        restored: new DOMParser().parseFromString(element.outerHTML, "text/html").querySelector("textarea"),
      })) {
        element.before(Object.assign(copy, { id }));
      }
    });
    for (const selector of ["#cloned", "#restored"]) {
      await t.attach(page, selector, { script: SCRIPT });
      await page.locator(selector).fill("I am gr");
      assert.deepEqual(await t.waitForBar(page), ["great", "green", "Greek"]);
    }
  }),
);

test(
  "two copies of the library give their bars names of their own",
  t.withFields(shared, async (page) => {
    const ids = await page.evaluate(async () => {
      const copies = await Promise.all(["one", "another"].map((copy) => import(`/dist/views/bar.js?${copy}`)));
      return copies.map(({ Bar }) => new Bar(document.querySelector("#area"), { count: 1, texts: {} }).host.id);
    });
    assert.notEqual(ids[0], ids[1]);
  }),
);

test(
  "secrets, what is no text field, and who says no are refused",
  t.withFields(shared, async (page) => {
    const refused = (selector) =>
      page.evaluate((selector) => {
        try {
          lm.attach(document.querySelector(selector), lm.scripted([]));
        } catch (error) {
          return `${error instanceof lm.LmError} ${error.code} ${error.message}`;
        }
      }, selector);
    for (const [selector, reason] of [
      ["#password", /type password/],
      ["#code", /one-time-code/],
      ["#card", /cc-number/],
      ["#email", /type email/],
      ["#elsewhere", /<div> is not a text field/],
      ["#off", /autocomplete="off".*data-lm-suggest/],
      ["#form-off", /autocomplete="off"/],
      ["#silent", /writingsuggestions="false"/],
    ]) {
      const message = await refused(selector);
      assert.match(message, /^true field /, selector);
      assert.match(message, reason);
    }
    await page.locator("#off").evaluate((field) => field.setAttribute("data-lm-suggest", ""));
    assert.equal(await refused("#off"), undefined);
    await t.attach(page, "#search", { script: SCRIPT });
    assert.match(await refused("#search"), /already/);
  }),
);

test(
  "a field that becomes a password or read-only is not read any more",
  withScript("#input", async (page, input) => {
    const asked = () => page.evaluate(() => globalThis.asked);
    await page.evaluate(() => {
      lm.detach["#input"]();
      globalThis.asked = [];
      const suggester = { suggest: async (text) => (globalThis.asked.push(text), []) };
      lm.attach(document.querySelector("#input"), suggester);
    });
    await page.keyboard.type("a");
    assert.deepEqual(await asked(), ["", "a"]);
    await input.evaluate((element) => (element.type = "password"));
    await page.keyboard.type("secret");
    assert.deepEqual(await asked(), ["", "a"]);
    await input.evaluate((element) => ((element.type = "text"), (element.autocomplete = "cc-csc")));
    await page.keyboard.type("123");
    assert.deepEqual(await asked(), ["", "a"]);
    await input.evaluate((element) => ((element.autocomplete = ""), (element.readOnly = true)));
    await page.keyboard.press("ArrowLeft");
    await t.settle(page);
    assert.deepEqual(await asked(), ["", "a"]);
  }),
);

test(
  "in a row the bar lies over what follows and moves nothing",
  t.withFields(shared, async (page) => {
    const boxes = () =>
      page.evaluate(() =>
        ["input", "button", "search"].map((id) => {
          const { x, y, width, height } = document.getElementById(id).getBoundingClientRect();
          // On the page, wherever that is scrolled to.
          return [x, y + scrollY, width, height];
        }),
      );
    const before = await boxes();
    await t.attach(page, "#input", { script: SCRIPT });
    await page.click("#input");
    await page.keyboard.type("I am gr");
    await t.waitForBar(page);
    assert.deepEqual(await boxes(), before);
    const [bar, field] = await Promise.all([
      page.locator("lm-bar").boundingBox(),
      page.locator("#input").boundingBox(),
    ]);
    assert.ok(Math.abs(bar.x - field.x) < 1, "at the field's left edge");
    assert.ok(bar.y >= field.y + field.height && bar.y < field.y + field.height + 12, "right under the field");
    await page.locator("lm-bar .option").nth(1).click();
    assert.equal(await page.inputValue("#input"), "I am green ");
  }),
);

/** Puts other fields in place of the page's, and attaches to the input among them. */
async function replaceForm(page, html, { style = "", script = SCRIPT } = {}) {
  await page.locator("#form").evaluate((form, value) => (form.innerHTML = value), html);
  await page.locator("#form input").evaluate((input, value) => (input.style.cssText = value), style);
  await t.attach(page, "#form input", { script });
  await page.focus("#form input");
}

test(
  "in a line of text the bar lies over what follows, too; what stands in the next line it pushes down",
  t.withFields(shared, async (page) => {
    const datalist = "<datalist><option>a</datalist>";
    for (const [end, moves] of [["", false], [datalist, false], ["<span></span>", false], ["<br>", true], ["<span></span><p>", true]]) {
      const html = `<label>Search <input></label> ${end}<button type="button">Go</button> <a href="#">Help</a>`;
      await page.locator("#form").evaluate((form, value) => (form.innerHTML = value), html);
      const top = () => page.locator("#form a").evaluate((link) => link.getBoundingClientRect().top + scrollY);
      const before = await top();
      await t.attach(page, "#form input", { script: SCRIPT });
      assert.equal((await top()) > before + 9, moves, end);
      await page.click("#form input");
      await page.keyboard.type("I am gr");
      await t.waitForBar(page);
      assert.equal((await top()) > before + 9, moves, `${end}, with words`);
    }
  }),
);

test(
  "a button that has been wrapped into the next line is not covered",
  t.withFields(shared, async (page) => {
    await replaceForm(page, '<input> <button type="button">Go</button>', { style: "width: 100%" });
    await page.keyboard.type("I am gr");
    await t.waitForBar(page);
    const [bar, button] = await Promise.all(["lm-bar", "#form button"].map((name) => page.locator(name).boundingBox()));
    assert.ok(button.y >= bar.y + bar.height - 1, JSON.stringify([bar, button]));
  }),
);

for (const [display, grows] of [
  ["grid", true],
  ["flex", true],
  ["inline-block", false],
]) {
  test(
    `a form of display ${display} gets narrower with the window, and is no wider for the bar`,
    t.withFields(shared, async (page) => {
      await page.setViewportSize({ width: 900, height: 600 });
      await page.locator("#form").evaluate((form, value) => (form.style.display = value), display);
      const style = `width: ${grows ? "100%" : "180px"}; box-sizing: border-box`;
      await replaceForm(page, "<div><input></div>", { style });
      await page.locator("#form > div").evaluate((cell) => (cell.style.flex = "1"));
      await page.keyboard.type("I am gr");
      await t.waitForBar(page);
      const widths = () => page.locator("#form, #form input, lm-bar").evaluateAll((all) => all.map((one) => one.offsetWidth));
      const wide = grows ? 860 : 180;
      assert.deepEqual(await widths(), [wide, wide, wide]);
      await page.setViewportSize({ width: 400, height: 600 });
      const narrow = grows ? 360 : 180;
      await page.waitForFunction((width) => document.querySelector("lm-bar").offsetWidth === width, narrow);
      assert.deepEqual(await widths(), [narrow, narrow, narrow]);
    }),
  );
}

test(
  "a page that stands at its end stays there, and has nothing to be scrolled sideways",
  t.withFields(shared, async (page) => {
    await page.setViewportSize({ width: 360, height: 500 });
    await page.evaluate(() => {
      document.adoptedStyleSheets = [new CSSStyleSheet()];
      document.adoptedStyleSheets[0].replaceSync("body { margin: 0; padding-top: 2000px } form > * { width: 100%; box-sizing: border-box }");
    });
    await replaceForm(page, "<input><p>Behind</p>");
    await page.keyboard.type("I am gr");
    await t.waitForBar(page);
    await page.evaluate(() => scrollTo(0, 1e6));
    const fromEnd = () => page.evaluate(() => Math.round(document.documentElement.scrollHeight - innerHeight - scrollY));
    assert.equal(await fromEnd(), 0);
    await page.evaluate(() => (document.body.style.paddingTop = "2002px"));
    await t.settle(page);
    assert.ok((await fromEnd()) <= 2);
    const wider = () => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.equal(await wider(), 0);
  }),
);

test(
  "words can be told apart in the bar of a field as narrow as fields are by default",
  t.withFields(shared, async (page) => {
    await replaceForm(page, "<input>", { style: "width: 182px; box-sizing: border-box" });
    await page.keyboard.type("I am gr");
    assert.deepEqual(await t.waitForBar(page), ["great", "green", "Greek"]);
    const widths = (name) => page.locator(`lm-bar ${name}`).evaluateAll((all) => all.map((one) => one.offsetWidth));
    const cut = await page.locator("lm-bar slot").evaluateAll((all) => all.filter((one) => one.scrollWidth > one.clientWidth));
    assert.deepEqual(cut, []);
    assert.deepEqual(await widths(".key"), [0, 0, 0], "no key takes the words' room");
    await page.locator("#form input").evaluate((input) => (input.style.width = "500px"));
    await page.waitForFunction(() => document.querySelector("lm-bar").offsetWidth === 500);
    // Where there is no mouse there are no keys.
    const hasMouse = await page.evaluate(() => matchMedia("(hover: hover) and (pointer: fine)").matches);
    assert.equal((await widths(".key"))[0] > 5, hasMouse);
  }),
);

test(
  "rules of the page for whatever a form has in it do not reach the views",
  t.withFields(shared, async (page) => {
    for (const rule of ["display: block", "display: flex", "position: relative", "position: static"]) {
      await page.evaluate((rule) => {
        document.adoptedStyleSheets = [new CSSStyleSheet()];
        document.adoptedStyleSheets[0].replaceSync(`form > * { ${rule} }`);
      }, rule);
      await replaceForm(page, "<input><p>Behind</p>", { style: "position: absolute" });
      const top = () => page.locator("#form p").evaluate((p) => p.getBoundingClientRect().top);
      const before = await top();
      await page.keyboard.type("I am gr");
      assert.equal(await t.waitForGhost(page), "eat", rule);
      await page.waitForFunction(() => document.querySelector("lm-status").textContent !== "");
      assert.equal(await top(), before, `${rule}: nothing takes room`);
      await page.keyboard.type("e");
      await page.waitForFunction(() => document.querySelector("lm-ghost").hidden);
      assert.ok(!(await page.locator("lm-ghost").isVisible()), rule);
    }
  }),
);

test(
  "where the rest of a word has no room in a field, Tab moves the focus and nothing is accepted",
  t.withFields(shared, async (page) => {
    await page.locator("#input").evaluate((input) => (input.maxLength = 8));
    await page.evaluate(() => {
      globalThis.accepted = [];
      const script = [["I am gr", "great"], ["I am g", "go"], ["I am gr", "gr8"]];
      lm.attach(document.querySelector("#input"), lm.scripted(script), { onAccept: ({ text }) => accepted.push(text) });
    });
    await page.click("#input");
    await page.keyboard.type("I am g");
    assert.equal(await t.waitForGhost(page), "o");
    await page.keyboard.type("r");
    assert.deepEqual(await t.waitForBar(page), ["gr8"], "great is too long");
    await page.keyboard.press("Tab");
    assert.equal(await page.inputValue("#input"), "I am gr8", "a word fits without its space");
    await page.keyboard.press("Backspace");
    assert.equal(await page.inputValue("#input"), "I am gr");
    await page.locator("#input").evaluate((input) => (input.maxLength = 7));
    await page.keyboard.press("Backspace");
    await page.keyboard.type("r");
    await t.settle(page);
    assert.deepEqual(await t.barWords(page), []);
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.id), "button");
    assert.deepEqual(await page.evaluate(() => accepted), ["gr8"]);
  }),
);

test(
  "in a field of dir=auto the keys of the bar go the way that it is laid out",
  t.withFields(shared, async (page) => {
    await replaceForm(page, '<input dir="auto">', { script: [["שלום", "שלומות"], ["gr", "great"]] });
    const bar = page.locator("lm-bar");
    await page.keyboard.type("שלום");
    await t.waitForBar(page);
    assert.equal(await bar.evaluate(({ dir }) => dir), "rtl");
    await page.locator("#form input").fill("gr");
    await page.locator("lm-word", { hasText: "great" }).waitFor();
    assert.equal(await bar.evaluate(({ dir }) => dir), "ltr");
  }),
);

test(
  "the bar takes the field's width, keeps its room, and goes where the page wants it",
  withScript("#area", async (page, area) => {
    const top = async (selector) => (await page.locator(selector).boundingBox()).y;
    const idle = await top("#second");
    await page.keyboard.type("I am gr");
    await t.waitForBar(page);
    assert.equal(await top("#second"), idle, "nothing jumps");
    const [bar, field] = await Promise.all([page.locator("lm-bar").boundingBox(), area.boundingBox()]);
    assert.ok(Math.abs(bar.x - field.x) < 1 && Math.abs(bar.width - field.width) < 1);

    await page.evaluate(() => {
      lm.detach["#area"]();
      const bar = document.querySelector("#elsewhere");
      lm.attach(document.querySelector("#area"), lm.scripted([["I am gr", "great"]]), { bar, ghost: false });
    });
    assert.deepEqual(await page.locator("#elsewhere lm-bar lm-word").first().textContent(), "great");
    assert.equal(await page.locator("lm-ghost").count(), 0);
  }),
);

test(
  "the bar goes with a field that is hidden, and comes back with it",
  withScript("#area", async (page, area) => {
    const top = async () => (await page.locator("#second").boundingBox()).y;
    const attached = await top();
    await area.evaluate(({ style }) => (style.display = "none"));
    await page.evaluate(() => lm.detach["#area"]());
    const bare = await top();
    await t.attach(page, "#area", { script: SCRIPT });
    await t.settle(page);
    assert.equal(await top(), bare, "an attached field that is hidden takes no room");
    await area.evaluate(({ style }) => (style.display = ""));
    await t.settle(page);
    assert.equal(await top(), attached);
    await area.evaluate(({ style }) => (style.display = "none"));
    await t.settle(page);
    assert.equal(await top(), bare);
  }),
);

for (const position of ["absolute", "fixed", "sticky"]) {
  test(
    `the bar of a field of position ${position} lies under it and moves nothing`,
    t.withFields(shared, async (page) => {
      const area = page.locator("#area");
      await area.evaluate(({ style }, position) => Object.assign(style, { position, top: "60px", left: "90px" }), position);
      const second = await page.locator("#second").boundingBox();
      await t.attach(page, "#area", { script: SCRIPT });
      await area.focus();
      await page.keyboard.type("I am gr");
      await t.waitForBar(page);
      assert.deepEqual(await page.locator("#second").boundingBox(), second);
      const [bar, field] = await Promise.all([page.locator("lm-bar").boundingBox(), area.boundingBox()]);
      assert.ok(Math.abs(bar.x - field.x) < 1 && Math.abs(bar.width - field.width) < 1);
      assert.ok(bar.y >= field.y + field.height && bar.y < field.y + field.height + 12, "right under the field");
    }),
  );
}

test(
  "without a bar there is the ghost alone",
  withScript(
    "#area",
    async (page, area) => {
      await page.keyboard.type("I am gr");
      assert.equal(await t.waitForGhost(page), "eat");
      assert.equal(await page.locator("lm-bar").count(), 0);
      await page.waitForFunction(() => document.querySelector("lm-status").textContent === "1 suggestion. great: Tab.");
      await page.keyboard.press("Alt+Digit2");
      await page.keyboard.press("Tab");
      assert.equal(await area.inputValue(), "I am great ");
    },
    { bar: false },
  ),
);

test(
  "a suggester that fails is told of, and typing goes on",
  t.withFields(shared, async (page) => {
    await page.evaluate(() => {
      globalThis.errors = [];
      const suggester = { suggest: () => Promise.reject(new Error("broken")) };
      lm.attach(document.querySelector("#area"), suggester, {
        onError: (error) => globalThis.errors.push(error.message),
      });
    });
    await page.click("#area");
    await page.keyboard.type("ab");
    assert.equal(await page.inputValue("#area"), "ab");
    assert.deepEqual(await page.evaluate(() => globalThis.errors), ["broken", "broken", "broken"]);
  }),
);
