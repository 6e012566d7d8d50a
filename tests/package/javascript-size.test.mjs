// How much JavaScript a page downloads, bundled and minified as sites do it, in brotli.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { brotliCompressSync } from "node:zlib";

import { build } from "esbuild";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const KB = 1000;

/** The size of what a page loads for some code: its bundle and the worker's, without what it loads on demand. */
async function sizeOf(code) {
  const sizes = await Promise.all([bundle(code), bundle('import "./dist/worker.js";')]);
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function bundle(contents) {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: ROOT, sourcefile: "entry.js" },
    bundle: true,
    minify: true,
    splitting: true,
    format: "esm",
    target: "es2022",
    outdir: ROOT,
    write: false,
    metafile: true,
  });
  const needed = new Set();
  const visit = (path) => {
    if (needed.has(path)) return;
    needed.add(path);
    for (const { path: next, kind } of metafile.outputs[path].imports) if (kind === "import-statement") visit(next);
  };
  visit(Object.keys(metafile.outputs).find((path) => metafile.outputs[path].entryPoint === "entry.js"));
  return outputFiles
    .filter(({ path }) => [...needed].some((name) => path.endsWith(name)))
    .reduce((sum, { contents: bytes }) => sum + brotliCompressSync(bytes).length, 0);
}

test("all that a page with suggestions loads is at most 15 kB, the worker's part included", async (t) => {
  const size = await sizeOf('export { Predictor, attach } from "./dist/index.js";');
  t.diagnostic(`${size} bytes`);
  assert.ok(size <= 15 * KB, `${size} bytes`);
});

test("without fields and views it is at most 8 kB", async (t) => {
  const size = await sizeOf('export { Predictor } from "./dist/index.js";');
  t.diagnostic(`${size} bytes`);
  assert.ok(size <= 8 * KB, `${size} bytes`);
});
