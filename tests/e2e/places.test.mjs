// Fields as pages have them: rich text, in components, taken away and put back, very long, from right to left.

import assert from "node:assert/strict";
import { test } from "node:test";

import * as t from "./browser.mjs";

const shared = t.setUp();
const SCRIPT = [
  ["I am gr", "great"],
  ["first\nI am gr", "great"],
  ["שלום I am gr", "great"],
  ["one\n", "The"],
  ["Hi \uFFFC", "The"],
];
const withFields = (body) => t.withFields(shared, body);

/** Fills the editable element and puts the caret behind the given text in it. */
async function edit(page, html, behind) {
  await page.locator("#editable").evaluate(
    (element, [html, behind]) => {
      element.innerHTML = html;
      element.focus();
      const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
      while (walker.nextNode()) {
        const at = walker.currentNode.data.indexOf(behind);
        if (at >= 0) return getSelection().collapse(walker.currentNode, at + behind.length);
      }
    },
    [html, behind],
  );
}

/** What the suggester is asked about. */
async function recordQuestions(page, selector) {
  await page.evaluate((selector) => {
    globalThis.asked = [];
    const suggester = { suggest: async (text) => (globalThis.asked.push(text), []) };
    lm.attach(document.querySelector(selector), suggester);
  }, selector);
  return () => page.evaluate(() => globalThis.asked.at(-1));
}

test(
  "rich text is read as lines: blocks, breaks, markup within a word, what is no text",
  withFields(async (page) => {
    const asked = await recordQuestions(page, "#editable");
    for (const [html, behind, expected] of [
      ["<p>first</p><p>I am gr</p><p>last</p>", "gr", "first\nI am gr"],
      ["first<br>I am gr", "gr", "first\nI am gr"],
      ["I <b>am</b> g<i>r</i>", "r", "I am gr"],
      ["I\u00a0am gr", "gr", "I am gr"],
      ['Hi <span contenteditable="false">@you</span> gr', " gr", "Hi \uFFFC gr"],
      ["<ul><li>one</li><li>gr</li></ul>", "gr", "one\ngr"],
      ["<div>one<br></div><div>gr</div>", "gr", "one\ngr"],
      // As people write it into a page: what the browser does not draw is not there.
      ["\n  <p>\n    one \n  </p>\n  <p>\n    I  am\n    gr\n  </p>\n", "gr", "one\nI am gr"],
      ["one <br>\n  <b>I</b>\n<i>am</i> gr", "gr", "one\nI am gr"],
      ["<pre>one \n  gr</pre>", "gr", "one \n  gr"],
    ]) {
      await edit(page, html, behind);
      await t.settle(page);
      assert.equal(await asked(), expected, html);
    }
    await edit(page, "<p>I am gr<b>eat</b></p>", "gr");
    await t.settle(page);
    assert.notEqual(await asked(), "I am gr", "nothing is asked within a word");
  }),
);

for (const [what, html] of [
  ["in a text", "\n  I am gr\n"],
  ["in a paragraph", "\n  <p>\n    I am gr\n  </p>\n"],
  ["in front of a break", "I am gr\n<br>\n"],
]) {
  test(
    `rich text that the page has on several lines ends where it is seen to end: ${what}`,
    withFields(async (page) => {
      await t.attach(page, "#editable", { script: SCRIPT });
      await edit(page, html, "gr");
      assert.equal(await t.waitForGhost(page), "eat");
      await page.keyboard.press("ArrowRight");
      await page.keyboard.type("x");
      assert.match(await page.locator("#editable").evaluate((element) => element.innerText), /^I am great\sx\s*$/);
    }),
  );
}

for (const [what, html, line, offset, expected] of [
  ["an empty line", "<div>one</div><div><br></div>", 1, 0, /^one\n+The\s*$/],
  ["a line after a break", "one<br><br>", undefined, 2, /^one\nThe\s*$/],
  ["a place behind a mention", 'Hi <span contenteditable="false">@you</span>', undefined, 2, /^Hi @youThe\s*$/],
  ["a place behind a picture", "Hi <img width=9 height=9>", undefined, 2, /^Hi The\s*$/],
]) {
  test(
    `in rich text a word that is put into ${what} takes nothing away`,
    withFields(async (page) => {
      const editable = page.locator("#editable");
      await t.attach(page, "#editable", { script: SCRIPT });
      await editable.evaluate(
        (element, [html, line, offset]) => {
          element.innerHTML = html;
          element.focus();
          getSelection().collapse(element.children[line] ?? element, offset);
        },
        [html, line, offset],
      );
      const islands = editable.locator("span, img");
      const before = await islands.count();
      await t.waitForBar(page);
      await page.keyboard.press("Alt+Digit1");
      assert.match(await editable.evaluate((element) => element.innerText), expected);
      assert.equal(await islands.count(), before);
    }),
  );
}

test(
  "in rich text the word is put in where it belongs, and the markup stays",
  withFields(async (page) => {
    await t.attach(page, "#editable", { script: SCRIPT });
    await edit(page, "<p>first</p><p>I <b>am</b> g<i>r</i></p><p>last</p>", "r");
    // The first r is that of "first": the caret goes to the end of the second line.
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("End");
    assert.equal(await t.waitForGhost(page), "eat");
    await page.keyboard.press("Tab");
    const lines = await page.locator("#editable p").allTextContents();
    assert.deepEqual(lines.map((line) => line.replaceAll("\u00a0", " ")), ["first", "I am great ", "last"]);
    assert.equal(await page.locator("#editable b").textContent(), "am");
  }),
);

test(
  "the ghost stands at the caret of rich text, as large as what it continues",
  withFields(async (page) => {
    await t.attach(page, "#editable", { script: SCRIPT });
    await edit(page, '<p class="mono">I am gr</p>', "gr");
    await t.waitForGhost(page);
    const [rest, caret] = await page.evaluate(() => {
      const box = ({ left, top, bottom }) => ({ left, top, bottom });
      const rest = document.querySelector("lm-ghost").shadowRoot.querySelector(".rest");
      const range = getSelection().getRangeAt(0).cloneRange();
      range.setStart(range.startContainer, 0);
      const text = range.getBoundingClientRect();
      return [box(rest.getBoundingClientRect()), { ...box(text), left: text.right }];
    });
    for (const side of ["left", "top", "bottom"]) {
      assert.ok(Math.abs(rest[side] - caret[side]) <= 1, `${side}: ${JSON.stringify([rest, caret])}`);
    }
  }),
);

for (const [selector, inner] of [
  ["#shadow >> #inner", "a text area"],
  ["#shadow >> #inner-editable", "an editable element"],
]) {
  test(
    `${inner} in a shadow root has its views there`,
    withFields(async (page) => {
      const field = page.locator(selector.split(" >> ")[1]);
      await t.attach(page, selector, { script: SCRIPT });
      await field.click();
      await page.keyboard.type("I am gr");
      assert.equal(await t.waitForGhost(page), "eat");
      assert.ok(await page.evaluate(() => document.querySelector("#shadow").shadowRoot.querySelector("lm-bar")));
      const [bar, box] = await Promise.all([page.locator("lm-bar").boundingBox(), field.boundingBox()]);
      assert.ok(Math.abs(bar.x - box.x) < 1 && Math.abs(bar.width - box.width) < 1, "as wide as the field");
      await page.keyboard.press("Tab");
      const text = await field.evaluate((element) => element.value ?? element.textContent);
      assert.equal(text.replaceAll("\u00a0", " "), "I am great ");
    }),
  );
}

test(
  "rich text in a frame is read and written by the page around it",
  withFields(async (page) => {
    await page.evaluate((script) => {
      const frame = document.createElement("iframe");
      document.body.prepend(frame);
      const { body } = frame.contentDocument;
      body.innerHTML = '<div contenteditable role="textbox" aria-multiline="true"><p>first</p><p>I <b>am</b> gr</p></div>';
      const field = body.firstChild;
      lm.attach(field, lm.scripted(script));
      field.focus();
      const { lastChild: text } = field.lastChild;
      frame.contentWindow.getSelection().collapse(text, text.length);
    }, SCRIPT);
    const frame = page.frames()[1];
    assert.equal(await t.waitForGhost(frame), "eat");
    await page.keyboard.press("Tab");
    const lines = await frame.locator("p").allTextContents();
    assert.deepEqual(lines.map((line) => line.replaceAll("\u00a0", " ")), ["first", "I am great "]);
  }),
);

test(
  "a field that leaves the page takes its views along, and brings them back",
  withFields(async (page) => {
    await t.attach(page, "#area", { script: SCRIPT });
    await page.click("#area");
    await page.keyboard.type("I am gr");
    await t.waitForGhost(page);
    await page.evaluate(() => {
      globalThis.area = document.querySelector("#area");
      area.remove();
    });
    await page.locator("lm-bar").waitFor({ state: "detached" });
    assert.equal(await page.locator("lm-ghost, lm-status").count(), 0);
    await page.evaluate(() => document.querySelector("#form").append(area));
    await page.locator("lm-bar").waitFor({ state: "attached" });
    await page.click("#area");
    await page.keyboard.press("End");
    assert.equal(await t.waitForGhost(page), "eat");
    assert.equal(await page.evaluate(() => area.nextElementSibling.localName.startsWith("lm-")), true);
  }),
);

test(
  "a field that has left the page for good is collected",
  t.chromiumOnly,
  withFields(async (page, { context }) => {
    await page.evaluate(() => {
      const field = document.createElement("textarea");
      document.body.append(field);
      lm.attach(field, lm.scripted([]));
      globalThis.left = new WeakRef(field);
    });
    await t.settle(page);
    await page.evaluate(() => globalThis.left.deref().remove());
    const session = await context.newCDPSession(page);
    const isThere = async () => {
      await session.send("HeapProfiler.collectGarbage");
      return page.evaluate(() => globalThis.left.deref() !== undefined);
    };
    for (let tries = 0; await isThere(); tries++) {
      assert.ok(tries < 20, "something keeps it");
      await page.waitForTimeout(100);
    }
  }),
);

test(
  "within a label the views stand beside that, so the field keeps its name",
  withFields(async (page) => {
    await page.locator("#form").evaluate((form) => {
      const inputs = '<label>Wrapped <input id="wrapped"></label><div class="row"><label>Line <input id="line"></label></div>';
      form.insertAdjacentHTML("afterbegin", inputs);
    });
    for (const [id, name] of [
      ["wrapped", "Wrapped"],
      ["line", "Line"],
    ]) {
      await t.attach(page, `#${id}`, { script: SCRIPT });
      await page.click(`#${id}`);
      await page.keyboard.type("I am gr");
      assert.equal(await t.waitForGhost(page), "eat");
      await page.waitForFunction(() => document.querySelector("lm-status").textContent !== "");
      assert.equal(await page.getByRole("combobox", { name, exact: true }).count(), 1);
      const [bar, field] = await Promise.all([page.locator("lm-bar").boundingBox(), page.locator(`#${id}`).boundingBox()]);
      assert.ok(Math.abs(bar.x - field.x) < 1 && Math.abs(bar.width - field.width) < 1, "as wide as the field");
      assert.ok(bar.y >= field.y + field.height && bar.y < field.y + field.height + 12, "right under the field");
      await page.evaluate((id) => lm.detach[`#${id}`](), id);
    }
  }),
);

test(
  "a cell of a table that is written in keeps the table as it is",
  withFields(async (page) => {
    await page.locator("#form").evaluate((form) => {
      const cell = (id) => `<td id="${id}" width="300" contenteditable role="textbox" aria-label="${id}">I am gr</td>`;
      form.insertAdjacentHTML("afterbegin", `<table><tr>${cell("one")}${cell("two")}</tr></table>`);
      // What lies over a row still has an empty cell of its own, as wide as the spacing.
      form.querySelector("table").style.borderSpacing = 0;
    });
    const boxes = () => Promise.all(["#one", "#two", "table"].map((selector) => page.locator(selector).boundingBox()));
    const before = await boxes();
    await t.attach(page, "#one", { script: SCRIPT });
    await page.click("#one");
    await page.keyboard.press("End");
    assert.deepEqual(await t.waitForBar(page), ["great"]);
    assert.deepEqual(await boxes(), before);
    const bar = await page.locator("lm-bar").boundingBox();
    const [cell] = before;
    assert.ok(Math.abs(bar.x - cell.x) < 1 && bar.y >= cell.y + cell.height - 1, "right under the cell");
  }),
);

test(
  "at the bottom of the window the bar lies over what stands above, and under the field again in a column",
  withFields(async (page) => {
    await page.locator("#form").evaluate((form) => {
      form.insertAdjacentHTML("afterbegin", '<div id="chat"><textarea id="message"></textarea></div>');
      form.querySelector("#chat").style.cssText = "position: fixed; inset: auto 0 0; display: flex";
    });
    await t.attach(page, "#message", { script: SCRIPT });
    await page.click("#message");
    await page.keyboard.type("I am gr");
    assert.deepEqual(await t.waitForBar(page), ["great"]);
    const boxes = () => Promise.all([page.locator("lm-bar").boundingBox(), page.locator("#message").boundingBox()]);
    const [above, low] = await boxes();
    const space = low.y - above.y - above.height;
    assert.ok(space >= 0 && space < 12 && Math.abs(above.x - low.x) < 1, `${space} pixels above the field`);
    await page.click("lm-word");
    assert.equal(await page.inputValue("#message"), "I am great ");

    await page.locator("#chat").evaluate((chat) => (chat.style.inset = "0 0 auto"));
    await page.fill("#message", "");
    await page.keyboard.type("I am gr");
    await t.waitForBar(page);
    const [below, high] = await boxes();
    assert.ok(below.y >= high.y + high.height && below.y < high.y + high.height + 12, "with room under it");

    await page.locator("#chat").evaluate((chat) => (chat.style.flexDirection = "column"));
    await page.locator("#message").evaluate((field) => (field.style.height = "99px"));
    await page.waitForFunction(() => !document.querySelector("lm-bar").hasAttribute("data-over"));
    const [bar, field] = await boxes();
    assert.ok(bar.y >= field.y + field.height && bar.y < field.y + field.height + 20, "as the next line of the column");
  }),
);

test(
  "a text of a megabyte is no hindrance",
  withFields(async (page) => {
    const asked = await recordQuestions(page, "#area");
    await page.locator("#area").evaluate((area) => {
      area.value = `${"some words ".repeat(95_000)}\nI am`;
      area.focus();
      area.setSelectionRange(area.value.length, area.value.length);
    });
    await page.keyboard.type(" gr");
    await page.waitForFunction(() => globalThis.asked.at(-1)?.endsWith("I am gr"));
    assert.ok((await asked()).length > 1_000_000);
  }),
);

test(
  "the ghost is also shown at the end of a very long text",
  withFields(async (page) => {
    const long = `${"some words ".repeat(10_000)}\nI am gr`;
    await t.attach(page, "#area", { script: [[long, "great"]] });
    await page.locator("#area").evaluate((area, long) => {
      area.value = long;
      area.focus();
      area.setSelectionRange(long.length, long.length);
      area.scrollTop = area.scrollHeight;
    }, long);
    assert.equal(await t.waitForGhost(page), "eat");
    const [rest, area] = await Promise.all([
      page.locator("lm-ghost .rest").boundingBox(),
      page.locator("#area").boundingBox(),
    ]);
    const bottom = area.y + area.height - rest.y - rest.height;
    assert.ok(bottom > 0 && bottom < 20, `in the last line, ${bottom} pixels above the edge`);
  }),
);

test(
  "text from right to left beside it is left alone, and a field of that direction shows the bar",
  withFields(async (page) => {
    await t.attach(page, "#area", { script: SCRIPT });
    await page.click("#area");
    await page.keyboard.insertText("שלום ");
    await page.keyboard.type("I am gr");
    assert.deepEqual(await t.waitForBar(page), ["great"]);
    await page.keyboard.press("Alt+Digit1");
    assert.equal(await page.inputValue("#area"), "שלום I am great ");

    await page.locator("#second").evaluate((field) => (field.dir = "rtl"));
    await t.attach(page, "#second", { script: SCRIPT });
    await page.click("#second");
    await page.keyboard.type("I am gr");
    assert.deepEqual(await t.waitForBar(page), ["great"]);
    assert.equal(await t.ghostText(page), "", "there it would lie on what is typed");
    assert.equal(await page.locator("#second ~ lm-bar").getAttribute("dir"), "rtl");
  }),
);

test(
  "what the browser corrects is followed, and the mistake is not learned",
  withFields(async (page) => {
    await t.attach(page, "#area", { script: [["the ", "end"]] });
    await page.click("#area");
    await page.keyboard.type("teh ");
    // As browsers do it: the word is replaced behind the space that ended it.
    await page.locator("#area").evaluate((area) => {
      area.setRangeText("the", 0, 3);
      area.dispatchEvent(new InputEvent("input", { inputType: "insertReplacementText", data: "the" }));
    });
    assert.deepEqual(await t.waitForBar(page), ["end"]);
    await page.keyboard.press("Alt+Digit1");
    assert.equal(await page.inputValue("#area"), "the end ");
    await page.locator("#area").blur();
    assert.deepEqual(await page.evaluate(() => lm.learned), ["end"]);
  }),
);

test(
  "what is pasted, and what the page puts in, is followed",
  withFields(async (page) => {
    await t.attach(page, "#area", { script: SCRIPT });
    await page.click("#area");
    await page.locator("#area").evaluate((area) => {
      area.value = "I am gr";
      area.dispatchEvent(new InputEvent("input", { inputType: "insertFromPaste" }));
    });
    assert.equal(await t.waitForGhost(page), "eat");
    await page.locator("#area").evaluate((area) => (area.value = "another"));
    await page.locator("lm-ghost:not([hidden])").waitFor({ state: "detached" });
    assert.deepEqual(await t.barWords(page), []);
    await page.locator("#area").blur();
    assert.deepEqual(await page.evaluate(() => lm.learned), []);
  }),
);
