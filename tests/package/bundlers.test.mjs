// The packed package in the bundlers that people use: what they make runs in a browser, under the strict policy.

import assert from "node:assert/strict";
import { cp, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { nodeResolve } from "@rollup/plugin-node-resolve";
import { build as esbuild } from "esbuild";
import { rollup } from "rollup";
import { build as vite } from "vite";
import webpack from "webpack";

import { serve } from "../../scripts/serve.mjs";
import { launch, waitForBar } from "../e2e/browser.mjs";
import { createProject } from "./project.mjs";

let project;
let browser;

before(async () => {
  project = await createProject();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await project?.remove();
});

/** Writes a page and its script into a folder of its own. */
async function createSite(name, { options = "", script = "bundle.js" } = {}) {
  const source = join(project.folder, `${name}-source`);
  await mkdir(source, { recursive: true });
  await writeFile(
    join(source, "app.js"),
    `import { Predictor, attach } from "lm-wasm";
     Predictor.load("en"${options}).then(
       (predictor) => attach(document.querySelector("textarea"), predictor),
       (error) => (document.title = error.message),
     );`,
  );
  await writeFile(
    join(source, "index.html"),
    `<!doctype html><title>Site</title><link rel="icon" href="data:,">
     <textarea></textarea><script type="module" src="${script}"></script>`,
  );
  return { source, site: join(project.folder, name) };
}

/** The server's policy is the strict one. */
async function check(name) {
  const server = await serve({ root: project.folder, directories: [name] });
  const page = await browser.newPage();
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  const requests = [];
  try {
    await page.goto(`${server.url}${name}/`);
    await page.click("textarea");
    await page.keyboard.type("I would like to ");
    const [word] = await waitForBar(page).catch(async () => assert.fail(`${await page.title()} ${complaints.join()}`));
    page.on("request", (request) => requests.push(request.url()));
    await page.keyboard.press("Alt+Digit1");
    assert.equal(await page.inputValue("textarea"), `I would like to ${word} `);
    assert.equal(page.workers().length, 1, "the model works in a worker");
    assert.deepEqual([complaints, requests], [[], []]);
  } finally {
    await page.close();
    await server.close();
  }
}

test("Vite", async () => {
  const { source, site } = await createSite("vite", { script: "./app.js" });
  await vite({
    root: source,
    base: "./",
    logLevel: "error",
    build: { outDir: site, emptyOutDir: true, target: "es2022", assetsInlineLimit: 0 },
    worker: { format: "es" },
  });
  await check("vite");
});

test("webpack", async () => {
  const { source, site } = await createSite("webpack");
  const stats = await new Promise((resolve, reject) => {
    const config = {
      mode: "production",
      context: source,
      entry: "./app.js",
      output: { path: site, filename: "bundle.js", publicPath: "auto" },
      performance: { hints: false },
    };
    webpack(config, (error, result) => (error ? reject(error) : resolve(result)));
  });
  assert.ok(!stats.hasErrors(), stats.toString("errors-only"));
  assert.ok(!stats.hasWarnings(), stats.toString("errors-warnings"));
  await cp(join(source, "index.html"), join(site, "index.html"));
  await check("webpack");
});

// These two bundle scripts alone: a copy of the package lies beside what they make.
for (const [name, bundle] of [
  ["esbuild", (entry, outfile) => esbuild({ entryPoints: [entry], outfile, bundle: true, minify: true, format: "esm" })],
  [
    "rollup",
    async (entry, outfile) => {
      const bundle = await rollup({ input: entry, plugins: [nodeResolve()] });
      await bundle.write({ file: outfile, format: "es", inlineDynamicImports: true });
      await bundle.close();
    },
  ],
]) {
  test(`${name}, with a copy of the package`, async () => {
    const { source, site } = await createSite(name, { options: `, { baseUrl: "./lm-wasm/" }` });
    await bundle(join(source, "app.js"), join(site, "bundle.js"));
    await cp(join(source, "index.html"), join(site, "index.html"));
    await cp(join(project.folder, "node_modules/lm-wasm"), join(site, "lm-wasm"), { recursive: true });
    await check(name);
  });
}

test("no bundler: modules from a copy of the package", async () => {
  const { source, site } = await createSite("plain", { script: "app.js" });
  await cp(source, site, { recursive: true });
  await cp(join(project.folder, "node_modules/lm-wasm"), join(site, "lm-wasm"), { recursive: true });
  await writeFile(
    join(site, "app.js"),
    `import { Predictor, attach } from "./lm-wasm/dist/index.js";
     attach(document.querySelector("textarea"), await Predictor.load("en"));`,
  );
  await check("plain");
});
