// The examples for editors that keep their own document, bundled and used in a browser.

import assert from "node:assert/strict";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { build } from "esbuild";

import { serve } from "../../scripts/serve.mjs";
import { launch } from "../e2e/browser.mjs";
import { ROOT } from "./project.mjs";

let folder;
let browser;
let server;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "lm-wasm-editors-"));
  await symlink(ROOT, join(folder, "lm-wasm"));
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await server?.close();
  await rm(folder, { recursive: true });
});

/** Opens a page with a script that has `predictor`. */
async function open(name, code) {
  const contents = `
    import { Predictor } from "./dist/index.js";
    const predictor = await Predictor.load("en", { baseUrl: "/", personal: false });
    ${code}
    document.body.dataset.ready = "";`;
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: ROOT },
    bundle: true,
    format: "esm",
    write: false,
  });
  server ??= await serve({ root: ROOT, directories: ["dist", "pkg", "models"] });
  const page = await browser.newPage();
  // The editors style their page themselves, which the server's policy forbids.
  await page.route("**/editor/*", (route) =>
    route.request().url().endsWith(".js")
      ? route.fulfill({ contentType: "text/javascript", body: outputFiles[0].text })
      : route.fulfill({
          contentType: "text/html",
          body: `<!doctype html><title>${name}</title><div id="editor"></div><script type="module" src="app.js"></script>`,
        }),
  );
  const errors = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  await page.goto(`${server.url}editor/`);
  // Where the editor is closed, the page is empty and nothing of it can be seen.
  const ready = page.locator("body[data-ready]").waitFor({ state: "attached", timeout: 15_000 });
  await ready.catch(() => assert.fail(errors.join()));
  return { page, errors };
}

test("CodeMirror 6 completes with the predictor's words", async () => {
  const { page, errors } = await open(
    "CodeMirror",
    `import { autocompletion } from "@codemirror/autocomplete";
     import { EditorView } from "@codemirror/view";
     import { suggestionSource } from "./www/examples/codemirror.js";
     const extensions = [autocompletion({ override: [suggestionSource(predictor)], interactionDelay: 0 })];
     globalThis.view = new EditorView({ parent: document.querySelector("#editor"), extensions });`,
  );
  await page.click(".cm-content");
  await page.keyboard.type("I would like to g");
  // The words for an earlier text may still be there.
  const selected = page.locator(".cm-tooltip-autocomplete li[aria-selected] .cm-completionLabel");
  await selected.filter({ hasText: /^g/ }).waitFor();
  const word = await selected.textContent();
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => view.state.doc.toString()), `I would like to ${word} `);
  assert.deepEqual(errors, []);
});

test("ProseMirror shows ghost text and takes it with Tab", async () => {
  const { page, errors } = await open(
    "ProseMirror",
    `import { history, undo } from "prosemirror-history";
     import { keymap } from "prosemirror-keymap";
     import { schema } from "prosemirror-schema-basic";
     import { EditorState } from "prosemirror-state";
     import { EditorView } from "prosemirror-view";
     import { ghostText } from "./www/examples/prosemirror.js";
     const plugins = [ghostText(predictor, { threshold: 0 }), history(), keymap({ "Mod-z": undo })];
     globalThis.view = new EditorView(document.querySelector("#editor"), { state: EditorState.create({ schema, plugins }) });`,
  );
  await page.click(".ProseMirror");
  await page.keyboard.type("I would like to g");
  const ghost = page.locator(".lm-ghost");
  await ghost.waitFor();
  const rest = await ghost.textContent();
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => view.state.doc.textContent), `I would like to g${rest} `);
  assert.deepEqual(errors, []);
});

const COMPLETION = `
  import { EditorState } from "@codemirror/state";
  import { suggestionSource } from "./www/examples/codemirror.js";
  const state = EditorState.create({ doc: "I would like to g" });
  suggestionSource(predictor)({ state, pos: state.doc.length });`;
const GHOST = `
  import { schema } from "prosemirror-schema-basic";
  import { EditorState } from "prosemirror-state";
  import { EditorView } from "prosemirror-view";
  import { ghostText } from "./www/examples/prosemirror.js";
  const state = EditorState.create({ schema, plugins: [ghostText(predictor, { threshold: 0 })] });
  const view = new EditorView(document.querySelector("#editor"), { state });
  view.dispatch(view.state.tr.insertText("g"));`;

for (const [what, code] of [
  ["in CodeMirror 6 the predictor is disposed of", `${COMPLETION} predictor.dispose();`],
  ["in ProseMirror the predictor is disposed of", `${GHOST} predictor.dispose();`],
  ["ProseMirror is closed", `${GHOST} view.destroy(); await predictor.suggest("");`],
]) {
  test(`nothing is thrown when ${what} while an answer is under way`, async () => {
    const { page, errors } = await open("Closed", code);
    await page.waitForTimeout(120);
    assert.deepEqual(errors, []);
  });
}
