// All benchmarks: prints tables, and writes the figures to target/bench/results.json.
//
//   node benches/run.mjs [--only node,chromium,firefox,page]
//
// The first run fetches what it compares with (onnxruntime-web from npm; onnx and onnxruntime from PyPI, which need python3)
// and builds the benchmarks' own module.

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

import { serve } from "../scripts/serve.mjs";
import { measureCore } from "./core.mjs";
import { measurePage, printPage } from "./page.mjs";
import { printCore } from "./tables.mjs";
import { runInBrowser } from "./webdriver.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const OUT = join(ROOT, "target/bench");
const ENGINES = ["node", "chromium", "firefox"];
const ONNX = [[20_000, 400]];
/** Node 20 has relaxed SIMD behind a flag. */
const NODE_FLAG = "--experimental-wasm-relaxed-simd";

const { values } = parseArgs({ options: { only: { type: "string" }, node: { type: "boolean" } } });
if (values.node) {
  // The run in Node is a process of its own, for the flag.
  process.stdout.write(JSON.stringify(await measureNode()));
  process.exit(0);
}

const wanted = values.only?.split(",") ?? [...ENGINES, "page"];
prepare();
const results = { machine: `${cpus().length} x ${cpus()[0].model}`, date: new Date().toISOString().slice(0, 10), core: {} };
console.log(`${results.machine}, ${results.date}`);
for (const engine of ENGINES.filter((engine) => wanted.includes(engine))) {
  const { version, result } = engine === "node" ? runNode() : await runPage(engine);
  results.core[engine] = { version, ...result };
  printCore(`${engine} ${version}`, result);
}
if (wanted.includes("page")) printPage((results.page = await measurePage()));
await mkdir(OUT, { recursive: true });
await writeFile(join(OUT, "results.json"), `${JSON.stringify(results, null, 2)}\n`);
console.log("\ntarget/bench/results.json has all figures");
process.exit(0);

function prepare() {
  const run = (command, ...args) => execFileSync(command, args, { cwd: ROOT, stdio: ["ignore", "inherit", "inherit"] });
  if (!existsSync(join(ROOT, "benches/node_modules"))) run("npm", "install", "--no-audit", "--no-fund", "--prefix", "benches");
  run("bash", "scripts/build-bench.sh");
  const python = join(OUT, "venv/bin/python");
  for (const [words, units] of ONNX) {
    if (existsSync(join(OUT, `onnx/${words}-${units}-int8.onnx`))) continue;
    if (!existsSync(python)) {
      run("python3", "-m", "venv", join(OUT, "venv"));
      run(python, "-m", "pip", "install", "--quiet", "-r", "benches/requirements.txt");
    }
    run(python, "benches/make_onnx.py", join(OUT, "onnx"), `${words}`, `${units}`);
  }
}

function runNode() {
  const args = [NODE_FLAG, fileURLToPath(import.meta.url), "--node"];
  const output = execFileSync(process.execPath, args, { cwd: ROOT, stdio: ["ignore", "pipe", "inherit"], maxBuffer: 1 << 26 });
  return { version: process.version, result: JSON.parse(output) };
}

function measureNode() {
  return measureCore({
    read: async (path) => new Uint8Array(await readFile(join(ROOT, path))),
    module: (path) => import(new URL(path, pathToFileURL(ROOT)).href),
    ortPaths: new URL("node_modules/onnxruntime-web/dist/", import.meta.url).href,
    log: () => {},
  });
}

async function runPage(browser) {
  const server = await serve({ directories: ["benches", "target/bench", "pkg", "models"] });
  try {
    return await runInBrowser(browser, `${server.url}benches/core.html`);
  } finally {
    await server.close();
  }
}
