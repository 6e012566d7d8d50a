// What a visitor of a page waits for and downloads, measured in Chromium with the built package.
//
//   node benches/page.mjs [--runs 15] [--json]
//
// Rows: the time from the start of a navigation to the first suggestion on the screen (second and later visits, so the
// files are in the browser's cache), the time from a key press to its suggestions in the bar, and the files' sizes.

import { readFile } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { brotliCompressSync } from "node:zlib";

import { serve } from "../scripts/serve.mjs";
import { launch } from "../tests/e2e/browser.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const TEXT =
  "I would like to thank you for the letter that you sent last week. We are going to be in the city on Friday, and it " +
  "would be good to meet in the evening if you have time. Please let me know what works best for you.";
/** A quick typist: about 100 words a minute. */
const KEY_INTERVAL_MS = 110;

const { values } = parseArgs({ options: { runs: { type: "string", default: "15" }, json: { type: "boolean" } } });
const results = { ...(await measureTimes(Number(values.runs))), sizes: await measureSizes() };
if (values.json) console.log(JSON.stringify(results, null, 2));
else print(results);

async function measureTimes(runs) {
  const server = await serve();
  const browser = await launch();
  try {
    return {
      browser: browser.version(),
      firstSuggestion: summarize(await firstSuggestions(browser, server.url, runs)),
      keyToSuggestion: summarize(await keysToSuggestions(browser, server.url)),
    };
  } finally {
    await browser.close();
    await server.close();
  }
}

/** Loads the demo again and again: it has the focus in the field, so that suggestions for the empty text come first. */
async function firstSuggestions(browser, url, runs) {
  const page = await (await browser.newContext()).newPage();
  await page.addInitScript(() => {
    const look = () => {
      const word = document.querySelector("lm-bar lm-word");
      // The frame that shows the word is done when the next one begins.
      if (word?.textContent) requestAnimationFrame(() => (globalThis.firstSuggestionAt = performance.now()));
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
  const times = [];
  for (let run = 0; run <= runs; run++) {
    await page.goto(`${url}www/`);
    const time = await page.waitForFunction(() => globalThis.firstSuggestionAt);
    if (run > 0) times.push(await time.jsonValue());
  }
  await page.context().close();
  return times;
}

/** Types a text and notes for each key how long after its event the words for it were in the bar. */
async function keysToSuggestions(browser, url) {
  const page = await browser.newPage();
  const body = "<!doctype html><textarea></textarea>";
  await page.route("**/bench.html", (route) => route.fulfill({ contentType: "text/html", body }));
  await page.goto(`${url}bench.html`);
  await page.evaluate(async () => {
    const { Predictor, attach } = await import("/dist/index.js");
    const field = document.querySelector("textarea");
    const predictor = await Predictor.load("en");
    let pressed = 0;
    globalThis.times = [];
    field.addEventListener("keydown", (event) => (pressed = event.timeStamp), { capture: true });
    const suggest = async (text, options) => {
      const answer = await predictor.suggest(text, options);
      // After the controller, which waits for this promise, has put the words into the bar.
      setTimeout(() => globalThis.times.push(performance.now() - pressed));
      return answer;
    };
    field.focus();
    attach(field, { suggest });
  });
  await page.waitForFunction(() => globalThis.times.length === 1);
  await page.keyboard.type(TEXT, { delay: KEY_INTERVAL_MS });
  await page.waitForFunction((count) => globalThis.times.length > count, TEXT.length - 1);
  return (await page.evaluate(() => globalThis.times)).slice(1);
}

function summarize(times) {
  const sorted = times.toSorted((a, b) => a - b);
  const quantile = (share) => round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]);
  return { count: sorted.length, p50: quantile(0.5), p95: quantile(0.95) };
}

async function measureSizes() {
  const page = await modulesOf("dist/index.js");
  const client = await modulesOf("dist/predictor.js");
  const worker = await modulesOf("dist/worker.js");
  return {
    "JavaScript of the page": await sizeOf(page),
    "… without field and views": await sizeOf(client),
    "JavaScript of the worker": await sizeOf(worker),
    "JavaScript in all": await sizeOf(new Set([...page, ...worker])),
    WebAssembly: await sizeOf(["pkg/lm_wasm_bg.wasm"]),
    "model en": await sizeOf(["models/en.lm"]),
  };
}

/** A module and all that it imports statically. */
async function modulesOf(path, found = new Set()) {
  if (found.has(path)) return found;
  found.add(path);
  const source = await readFile(join(ROOT, path), "utf8");
  for (const [, imported] of source.matchAll(/^(?:import|export)\b[^;]*?["'](\.[^"']+)["'];/gm)) {
    await modulesOf(normalize(join(dirname(path), imported)), found);
  }
  return found;
}

/** Files are served one by one, so each is compressed by itself. */
async function sizeOf(paths) {
  let [bytes, brotli] = [0, 0];
  for (const path of paths) {
    const content = await readFile(join(ROOT, path));
    bytes += content.length;
    brotli += brotliCompressSync(content).length;
  }
  return { bytes, brotli };
}

function print({ browser, firstSuggestion, keyToSuggestion, sizes }) {
  console.log(`Chromium ${browser}\n`);
  console.log("time                                 n    p50 ms    p95 ms");
  const time = (name, { count, p50, p95 }) =>
    console.log(`${name.padEnd(34)}${`${count}`.padStart(4)}${`${p50}`.padStart(10)}${`${p95}`.padStart(10)}`);
  time("navigation to first suggestion", firstSuggestion);
  time("key press to suggestions in the bar", keyToSuggestion);
  console.log("\nsize                                     bytes    brotli");
  for (const [name, { bytes, brotli }] of Object.entries(sizes)) {
    console.log(`${name.padEnd(36)}${`${bytes}`.padStart(10)}${`${brotli}`.padStart(10)}`);
  }
}

function round(value) {
  return Math.round(value * 10) / 10;
}
