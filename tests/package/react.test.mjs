// The hooks in a page of React, in strict mode, which mounts everything twice.

import assert from "node:assert/strict";
import { cp, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { build } from "esbuild";

import { serve } from "../../scripts/serve.mjs";
import { launch, waitForBar } from "../e2e/browser.mjs";
import { createProject, ROOT } from "./project.mjs";

const APP = `
  import { createElement as h, StrictMode, useState } from "react";
  import { createRoot } from "react-dom/client";
  import { usePredictor, useSuggestions } from "lm-wasm/react";

  function Field({ account }) {
    const [text, setText] = useState("");
    const [accepted, setAccepted] = useState(0);
    const { predictor, error } = usePredictor("en", { baseUrl: "./lm-wasm/", personal: account });
    globalThis.predictor = predictor;
    const ref = useSuggestions(predictor, { onAccept: () => setAccepted(accepted + 1) });
    const onChange = (event) => setText(event.target.value);
    const field = h("textarea", { ref, value: text, onChange });
    return h("label", null, text, error?.message, field, h("output", null, accepted));
  }
  function App() {
    const [shown, setShown] = useState(true);
    const [account, setAccount] = useState("one");
    const button = (label, onClick) => h("button", { id: label, onClick }, label);
    const buttons = [button("toggle", () => setShown(!shown)), button("leave", () => setAccount("two"))];
    return h("main", null, shown && h(Field, { account }), ...buttons);
  }
  createRoot(document.querySelector("#root")).render(h(StrictMode, null, h(App)));`;

let project;
let server;
let browser;

before(async () => {
  project = await createProject();
  server = await serve({ root: project.folder, directories: ["site"] });
  browser = await launch();
  const site = join(project.folder, "site");
  await mkdir(site);
  for (const name of ["react", "react-dom", "scheduler"]) {
    await symlink(join(ROOT, "node_modules", name), join(project.folder, "node_modules", name));
  }
  await writeFile(join(project.folder, "app.js"), APP);
  await build({
    entryPoints: [join(project.folder, "app.js")],
    outfile: join(site, "bundle.js"),
    bundle: true,
    format: "esm",
    define: { "process.env.NODE_ENV": '"development"' },
  });
  await cp(join(project.folder, "node_modules/lm-wasm"), join(site, "lm-wasm"), { recursive: true });
  await writeFile(
    join(site, "index.html"),
    `<!doctype html><title>Site</title><link rel="icon" href="data:,"><div id="root"></div>
     <script type="module" src="bundle.js"></script>`,
  );
});

after(async () => {
  await browser?.close();
  await server?.close();
  await project?.remove();
});

/** Opens the page and types; nothing may be thrown in it. */
async function withPage(body) {
  const page = await browser.newPage();
  const errors = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  await page.goto(`${server.url}site/`);
  await page.click("textarea");
  await page.keyboard.type("I would like to ");
  await body(page, await waitForBar(page));
  assert.deepEqual(errors, []);
  await page.close();
}

test("a controlled text area has suggestions as long as it is mounted", () =>
  withPage(async (page, [word]) => {
    await page.keyboard.press("Alt+Digit1");
    assert.equal(await page.inputValue("textarea"), `I would like to ${word} `);
    assert.ok((await page.textContent("label")).startsWith(`I would like to ${word} `), "React knows of it");
    assert.equal(page.workers().length, 1);

    const ended = page.workers()[0].waitForEvent("close");
    await page.click("#toggle");
    await ended;
    assert.equal(await page.locator("lm-bar, lm-ghost, lm-status").count(), 0);
    await page.click("#toggle");
    await page.click("textarea");
    await page.keyboard.type("I am ");
    assert.ok((await waitForBar(page)).length > 0);
  }));

test("the last word that was typed is learned when the field and the predictor go together", () =>
  withPage(async (page) => {
    const toggle = () => page.evaluate(() => document.querySelector("#toggle").click());
    await page.keyboard.type("see wombats ");
    await toggle();
    await page.locator("lm-bar").waitFor({ state: "detached" });
    await page.evaluate(() => (globalThis.predictor = undefined));
    await toggle();
    await page.waitForFunction(() => globalThis.predictor);
    assert.match(await page.evaluate(() => globalThis.predictor.personal.export()), /wombats/);
  }));

test("the callback of the latest render is called", () =>
  withPage(async (page) => {
    for (const count of ["1", "2"]) {
      await waitForBar(page);
      await page.keyboard.press("Alt+Digit1");
      await page.locator("output", { hasText: count }).waitFor();
    }
  }));

test("another account has its own words from then on", () =>
  withPage(async (page) => {
    const exported = () => page.evaluate(() => globalThis.predictor.personal.export());
    await page.keyboard.type("quokkas here ");
    assert.match(await exported(), /quokkas/);
    await page.evaluate(() => (globalThis.former = globalThis.predictor));
    await page.click("#leave");
    await page.waitForFunction(() => ![undefined, globalThis.former].includes(globalThis.predictor));
    assert.doesNotMatch(await exported(), /quokkas/);
    await page.click("textarea");
    await page.keyboard.press("Control+End");
    await page.keyboard.type("wombats here ");
    assert.match(await exported(), /wombats/);
    assert.equal(page.workers().length, 1);
  }));
