// The package as somebody else gets it: packed, installed into an empty project, and used there.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { serve } from "../../scripts/serve.mjs";
import { launch, waitForBar } from "../e2e/browser.mjs";
import { createProject, ROOT, run } from "./project.mjs";

const BIN = join(ROOT, "node_modules/.bin");

let installed;
let project;
let packed;

before(async () => {
  assert.ok(existsSync(join(ROOT, "models/en.lm")), "models/en.lm is missing: it is a part of the package");
  installed = await createProject();
  project = installed.folder;
  packed = installed.packed;
});

after(() => installed?.remove());

test("the package holds what it needs and nothing else", async () => {
  const files = packed.files.map(({ path }) => path).sort();
  const scripts = files.filter((path) => /^dist\/.*\.js$/.test(path));
  const needed = [
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "dist/index.js",
    "dist/worker.js",
    "models/en.lm",
    "package.json",
    "pkg/lm_wasm.js",
    "pkg/lm_wasm_bg.wasm",
    "pkg/lm_wasm_relaxed_bg.wasm",
    ...scripts.map((path) => path.replace(/\.js$/, ".d.ts")),
  ];
  const missing = needed.filter((path) => !files.includes(path));
  assert.deepEqual(missing, [], "missing: does a .gitignore in a folder keep files out?");

  const allowed = [
    /^(LICENSE-APACHE|LICENSE-MIT|README\.md|CHANGELOG\.md|package\.json)$/,
    /^dist\/.*\.(js|d\.ts)$/,
    /^pkg\/lm_wasm(_bg|_relaxed_bg)?\.(js|wasm|d\.ts|wasm\.d\.ts)$/,
    /^models\/[a-z-]+\.(lm|md)$/,
  ];
  const surplus = files.filter((path) => !allowed.some((pattern) => pattern.test(path)));
  assert.deepEqual(surplus, []);
});

test("whatever the modules import is in the package", async () => {
  const folder = join(project, "node_modules/lm-wasm");
  const scripts = packed.files.map(({ path }) => path).filter((path) => path.endsWith(".js"));
  const imports = [];
  for (const script of scripts) {
    const source = await readFile(join(folder, script), "utf8");
    for (const [, path] of source.matchAll(/(?:\bfrom|\bimport\(?|new URL\()\s*["'](\.[^"']*)["']/g)) {
      imports.push(path);
      assert.ok(existsSync(join(folder, script, "..", path)), `${script}: ${path}`);
    }
    const foreign = script === "dist/react.js" ? /\bfrom\s*["'](?!\.|react")/ : /\bfrom\s*["'](?!\.)/;
    assert.doesNotMatch(source, foreign, `${script} imports another package`);
  }
  assert.ok(imports.length > 10);
});

test("Node imports it, loads the model and gets suggestions", async () => {
  const script = `
    import { Predictor } from "lm-wasm";
    const predictor = await Predictor.load("en");
    const suggestions = await predictor.suggest("I would like to g");
    console.log(JSON.stringify({ info: predictor.info, suggestions }));
    predictor.dispose();
  `;
  const { stdout } = await run(process.execPath, ["--input-type=module", "-e", script], { cwd: project });
  const { info, suggestions } = JSON.parse(stdout);
  assert.ok(info.bytes > 0 && info.vocabularySize > 0 && info.metadata.language === "en");
  assert.equal(suggestions.length, 3);
  for (const { text, probability, insert } of suggestions) {
    assert.match(text, /^g/i);
    assert.ok(probability > 0 && probability <= 1);
    assert.deepEqual(insert, { deleteLeft: 1, text: `${text} ` });
  }
});

test("Node imports it where there is no model and no window, as on a server that renders pages", async () => {
  const script = `
    import * as lm from "lm-wasm";
    import * as element from "lm-wasm/element";
    console.log(Object.keys(lm).sort().join(), Object.keys(element).join(), typeof window, typeof document);`;
  const { stdout } = await run(process.execPath, ["--input-type=module", "-e", script], { cwd: project });
  assert.equal(stdout.trim(), "LmError,Predictor,attach LmSuggestElement undefined undefined");
});

test("React renders the hooks on a server, where they do nothing", async () => {
  for (const name of ["react", "react-dom"]) {
    await symlink(join(ROOT, "node_modules", name), join(project, "node_modules", name));
  }
  const script = `
    import { createElement } from "react";
    import { renderToString } from "react-dom/server";
    import { usePredictor, useSuggestions } from "lm-wasm/react";
    function Field() {
      const { predictor } = usePredictor("en");
      return createElement("textarea", { ref: useSuggestions(predictor), "data-loaded": String(predictor !== undefined) });
    }
    console.log(renderToString(createElement(Field)));`;
  const { stdout } = await run(process.execPath, ["--input-type=module", "-e", script], { cwd: project });
  assert.equal(stdout.trim(), '<textarea data-loaded="false"></textarea>');
});

test("publint and Are The Types Wrong find nothing", async () => {
  const publint = await run(join(BIN, "publint"), ["--strict", installed.tarball], { cwd: project }).catch((error) => error);
  assert.match(publint.stdout, /All good!/);
  // The files of WebAssembly are no modules of JavaScript.
  const MODULES = ["lm_wasm_bg.wasm", "lm_wasm_relaxed_bg.wasm"];
  const options = ["--profile", "esm-only", "--exclude-entrypoints", ...MODULES, "--no-emoji", "--no-color"];
  await run(join(BIN, "attw"), [installed.tarball, ...options], { cwd: project }).catch(({ stdout }) => assert.fail(stdout));
});

test("a page attaches it to a text area, from the project's node_modules", async () => {
  const site = join(project, "site");
  await mkdir(site);
  await writeFile(
    join(site, "index.html"),
    `<!doctype html><title>Site</title><link rel="icon" href="data:,">
     <textarea></textarea><script type="module" src="page.js"></script>`,
  );
  await writeFile(
    join(site, "page.js"),
    `import { Predictor, attach } from "/node_modules/lm-wasm/dist/index.js";
     attach(document.querySelector("textarea"), await Predictor.load("en"));
     document.body.dataset.ready = "";`,
  );
  const server = await serve({ root: project, directories: ["site", "node_modules"] });
  const browser = await launch();
  try {
    const page = await browser.newPage();
    const errors = [];
    page.on("pageerror", (error) => errors.push(String(error)));
    await page.goto(`${server.url}site/`);
    await page.locator("body[data-ready]").waitFor();
    await page.click("textarea");
    await page.keyboard.type("I would like to ");
    const [word] = await waitForBar(page);
    await page.keyboard.press("Alt+Digit1");
    assert.equal(await page.inputValue("textarea"), `I would like to ${word} `);
    assert.deepEqual(errors, []);
  } finally {
    await browser.close();
    await server.close();
  }
});

test("TypeScript finds strict types", async () => {
  const source = `
    import { LmError, Predictor, attach, type Progress, type Suggestion } from "lm-wasm";
    const onProgress = (progress: Progress) => (progress.status === "download" ? progress.loaded : progress.info.bytes);
    const url = new URL("https://example.org/en.lm");
    const predictor: Predictor = await Predictor.load(url, { onProgress, worker: false });
    const [first]: Suggestion[] = await predictor.suggest("I", { count: 2 });
    const detach: () => void = attach(document.querySelector("textarea")!, predictor, { ghost: false, suggestions: 2 });
    try {
      detach();
    } catch (error) {
      if (error instanceof LmError && error.code === "field") console.log(first?.insert.text);
    }
    attach(document.createElement("div"), predictor);
    // @ts-expect-error: a text node is no element.
    attach(document.createTextNode(""), predictor);
    const words: string = await predictor.personal.export();
    import("lm-wasm/element").then(({ LmSuggestElement }) => document.querySelector("lm-suggest") instanceof LmSuggestElement);
    const element = document.querySelector("lm-suggest")!;
    element.addEventListener("accept", ({ detail }) => console.log(detail.insert.text satisfies string));
    element.addEventListener("error", ({ detail }) => console.log(detail.code satisfies string));
    element.addEventListener("click", ({ button }) => console.log(button satisfies number));
    // @ts-expect-error: a suggestion is no predictor.
    element.removeEventListener("accept", ({ detail }) => detail.dispose());
  `;
  await writeFile(join(project, "page.ts"), source);
  const options = [
    "--strict",
    "--noEmit",
    "--target",
    "ES2022",
    "--module",
    "NodeNext",
    "--lib",
    "ES2022,DOM",
    "--types",
    "",
  ];
  await run(join(BIN, "tsc"), [...options, "--exactOptionalPropertyTypes", "page.ts"], { cwd: project }).catch(({ stdout }) =>
    assert.fail(stdout),
  );
});
