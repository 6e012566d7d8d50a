// All benchmarks: prints tables, and writes the figures to target/bench/results.json.
//
//   node benches/run.mjs [--only node,chromium,firefox,page]
//
// In Node times are processor time of the process, in browsers, which do not tell it, time on the clock.
//
// The first run fetches what it compares with (onnxruntime-web from npm; onnx and onnxruntime from PyPI, which need python3)
// and a Node that has the browsers' engine of today, and builds the benchmarks' own module.

import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, readFileSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { arch, platform } from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

import { serve } from "../scripts/serve.mjs";
import { measureCore } from "./core.mjs";
import { countInstructions } from "./instructions.mjs";
import { measurePage, printPage } from "./page.mjs";
import { printCore } from "./tables.mjs";
import { runInBrowser } from "./webdriver.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const OUT = join(ROOT, "target/bench");
const ENGINES = ["node", "chromium", "firefox"];
const ONNX = [[20_000, 400]];
/** What npm has for Linux; elsewhere it is the Node that runs this, which before its version 21 has relaxed SIMD behind a flag. */
const NODE = join(ROOT, `benches/node_modules/node-${platform}-${arch}/bin/node`);

const { values } = parseArgs({ options: { only: { type: "string" }, node: { type: "boolean" } } });
if (values.node) {
  // The run in Node is a process of its own.
  process.stdout.write(JSON.stringify({ version: process.version, result: await measureNode() }));
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
  const [lock, installed] = ["package-lock.json", "node_modules/.lm-wasm-lock"].map((path) => join(ROOT, "benches", path));
  if (!existsSync(installed) || !readFileSync(lock).equals(readFileSync(installed))) {
    run("npm", "ci", "--no-audit", "--no-fund", "--loglevel=error", "--prefix", "benches");
    copyFileSync(lock, installed);
  }
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
  const node = existsSync(NODE) ? NODE : process.execPath;
  const flags = node !== NODE && parseInt(process.versions.node) < 21 ? ["--experimental-wasm-relaxed-simd"] : [];
  const output = execFileSync(node, [...flags, fileURLToPath(import.meta.url), "--node"], {
    cwd: ROOT,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    maxBuffer: 1 << 26,
  });
  const { version, result } = JSON.parse(output);
  const count = (build) => [build, countInstructions(node, join(OUT, build), flags)];
  return { version, result: { ...result, instructions: Object.fromEntries(["plain", "relaxed"].map(count)) } };
}

function measureNode() {
  return measureCore({
    read: async (path) => new Uint8Array(await readFile(join(ROOT, path))),
    module: (path) => import(new URL(path, pathToFileURL(ROOT)).href),
    ortPaths: new URL("node_modules/onnxruntime-web/dist/", import.meta.url).href,
    now: processorTime,
    log: () => {},
  });
}

function processorTime() {
  const { user, system } = process.cpuUsage();
  return user + system;
}

async function runPage(browser) {
  const server = await serve({ directories: ["benches", "target/bench", "dist", "pkg", "models"] });
  try {
    return await runInBrowser(browser, `${server.url}benches/core.html`);
  } finally {
    await server.close();
  }
}
