// What a visitor of a page waits for and downloads, measured in Chromium with the built package.
//
// Rows: the time from the start of a navigation to the first suggestion on the screen (second and later visits, so the
// files are in the browser's cache), the time from a key press to the frame that shows its suggestions, also at a speed that
// nobody types at and on a page that Chromium slows down as a phone would, and the files' sizes.

import { readdir, readFile } from "node:fs/promises";
import { basename, dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync } from "node:zlib";

import { serve } from "../scripts/serve.mjs";
import { launch } from "../tests/e2e/browser.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const TEXT =
  "I would like to thank you for the letter that you sent last week. We are going to be in the city on Friday, and it " +
  "would be good to meet in the evening if you have time. Please let me know what works best for you.";
/** A quick typist: about 100 words a minute. */
const KEY_INTERVAL_MS = 110;

/** Faster than anybody types. */
const FAST_INTERVAL_MS = 33;
/** How much slower than this machine a phone is taken to be. */
const PHONE = 4;
const RUNS = 15;

/** Measures everything, with the package as it is built. */
export async function measurePage() {
  const server = await serve();
  const browser = await launch();
  try {
    const keys = (options) => keysToSuggestions(browser, server.url, options);
    return {
      browser: browser.version(),
      times: {
        "navigation to first suggestion": summarize(await firstSuggestions(browser, server.url, RUNS)),
        "key to painted words": await keys({ interval: KEY_INTERVAL_MS }),
        "key to painted words, 30 keys/s": await keys({ interval: FAST_INTERVAL_MS }),
        [`key to painted words, page ${PHONE} x slower`]: await keys({ interval: KEY_INTERVAL_MS, slowdown: PHONE }),
        [`… and the model in its thread`]: await keys({ interval: KEY_INTERVAL_MS, slowdown: PHONE, worker: false }),
        [`… at 30 keys/s`]: await keys({ interval: FAST_INTERVAL_MS, slowdown: PHONE, worker: false }),
      },
      sizes: await measureSizes(),
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

/**
 * Types a text and notes for each answer how long after the last key the frame with its words was done. An answer that a
 * later key overtakes is none; how many keys got one is told beside the times.
 */
async function keysToSuggestions(browser, url, { interval, slowdown = 1, worker = true }) {
  const page = await browser.newPage();
  const body = "<!doctype html><textarea></textarea>";
  await page.route("**/bench.html", (route) => route.fulfill({ contentType: "text/html", body }));
  await page.goto(`${url}bench.html`);
  await page.evaluate(async (worker) => {
    const { Predictor, attach } = await import("/dist/index.js");
    const field = document.querySelector("textarea");
    const predictor = await Predictor.load("en", { worker });
    let pressed = 0;
    globalThis.times = [];
    globalThis.keys = 0;
    const note = (event) => {
      pressed = event.timeStamp;
      globalThis.keys++;
    };
    field.addEventListener("keydown", note, { capture: true });
    const suggest = async (text, options) => {
      const answer = await predictor.suggest(text, options);
      const ofKey = pressed;
      // The controller, which waits for this promise, puts the words into the bar before the next frame.
      const painted = () => globalThis.times.push(performance.now() - ofKey);
      requestAnimationFrame(() => setTimeout(painted));
      return answer;
    };
    field.focus();
    attach(field, { suggest });
  }, worker);
  await page.waitForFunction(() => globalThis.times.length === 1);
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Emulation.setCPUThrottlingRate", { rate: slowdown });
  await page.keyboard.type(TEXT, { delay: interval });
  await page.waitForFunction((keys) => globalThis.keys === keys, TEXT.length);
  await settle(page);
  const times = (await page.evaluate(() => globalThis.times)).slice(1);
  await page.context().close();
  return { keys: TEXT.length, ...summarize(times) };
}

/** Waits until no more answer comes. */
async function settle(page) {
  for (let count = -1, next; count !== (next = await page.evaluate(() => globalThis.times.length)); count = next) {
    await page.waitForTimeout(500);
  }
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
    "WebAssembly, plain": await sizeOf(["pkg/lm_wasm_bg.wasm"]),
    "WebAssembly, relaxed": await sizeOf(["pkg/lm_wasm_relaxed_bg.wasm"]),
    ...(await sizesOfModels()),
  };
}

async function sizesOfModels() {
  const names = (await readdir(join(ROOT, "models"))).filter((name) => name.endsWith(".lm")).sort();
  const sizes = names.map(async (name) => [`model ${basename(name, ".lm")}`, await sizeOf([`models/${name}`])]);
  return Object.fromEntries(await Promise.all(sizes));
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

/** Prints what measurePage resolved to. */
export function printPage({ browser, times, sizes }) {
  console.log(`\n=== page, Chromium ${browser}\n`);
  console.log("time                                       n    p50 ms    p95 ms");
  for (const [name, { keys, count, p50, p95 }] of Object.entries(times)) {
    const answers = keys === undefined ? `${count}` : `${count}/${keys}`;
    console.log(`${name.padEnd(38)}${answers.padStart(8)}${`${p50}`.padStart(10)}${`${p95}`.padStart(10)}`);
  }
  console.log("\nsize                                     bytes    brotli");
  for (const [name, { bytes, brotli }] of Object.entries(sizes)) {
    console.log(`${name.padEnd(36)}${`${bytes}`.padStart(10)}${`${brotli}`.padStart(10)}`);
  }
}

function round(value) {
  return Math.round(value * 10) / 10;
}
