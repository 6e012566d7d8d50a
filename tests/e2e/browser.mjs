// What the tests in a browser share: the browser, the server and a page that has the library.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { after, before } from "node:test";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

import { serve } from "../../scripts/serve.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
];
const MODELS = ["models/en.lm", "tests/fixtures/tiny.lm"];

/** Path of the model that the tests use: the shipped one, or a small one that stands in for it. */
export const MODEL = MODELS.find((path) => existsSync(join(ROOT, path)));
if (!MODEL) throw new Error(`no model to test with: one of ${MODELS.join(", ")} must be there`);
if (!existsSync(join(ROOT, "dist/index.js"))) throw new Error("nothing to test: run 'npm run build' first");

/** Starts Chromium, wherever it is. */
export function launch() {
  return chromium.launch({ executablePath: findChromium(), args: ARGUMENTS });
}

function findChromium() {
  const { CHROMIUM, PATH = "" } = process.env;
  const folders = PATH.split(delimiter);
  const found = CHROMIUM ?? NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(existsSync);
  if (found) return found;
  throw new Error("Chromium is missing: run 'bash scripts/setup.sh test', or name it in the variable CHROMIUM");
}

/** Serves what pages need and those of the tests; the policy is the strict one of the demo. */
export function serveTests(options = {}) {
  return serve({ root: ROOT, directories: ["www", "dist", "pkg", "models", "tests"], ...options });
}

/** Sets the browser and the server up for all tests of a file. */
export function setUp() {
  const shared = {};
  before(async () => {
    shared.server = await serveTests();
    shared.browser = await launch();
  });
  after(async () => {
    await shared.browser?.close();
    await shared.server?.close();
  });

  /** Opens a page in a context of its own; closing it fails if the page complained of anything. */
  shared.open = async (path, { base = shared.server.url, ...contextOptions } = {}) => {
    const context = await shared.browser.newContext(contextOptions);
    const page = await context.newPage();
    const complaints = [];
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(String(error)));
    await page.goto(new URL(path, base).href);
    const close = async () => {
      await context.close();
      assert.deepEqual(complaints, [], "the console is clean");
    };
    return { page, context, complaints, close };
  };
  return shared;
}

/** Opens the page of fields, runs the test with it, and closes it. */
export function withFields(shared, body, options) {
  return async () => {
    const opened = await shared.open("tests/e2e/pages/fields.html", options);
    await opened.page.waitForFunction(() => globalThis.lm);
    await body(opened.page, opened);
    await opened.close();
  };
}

/** Loads the model in the page of fields. */
export async function loadModel(page) {
  await page.evaluate(async (url) => (lm.predictor = await lm.Predictor.load(url)), `/${MODEL}`);
}

/** Attaches to a field what `script` says: a list of `[text, word, probability]`, or the model where there is none. */
export async function attach(page, selector, { script, ...options } = {}) {
  await page.evaluate(
    ([selector, script, options]) => {
      const suggester = script ? lm.scripted(script) : lm.predictor;
      lm.detach[selector] = lm.attach(document.querySelector(selector), suggester, options);
    },
    [selector, script, options],
  );
}

/** The words in the visible bar. */
export async function barWords(page) {
  return page.locator("lm-bar:not([data-idle]) button:not([hidden]) .word").allTextContents();
}

/** Waits for words in the bar and returns them. */
export async function waitForBar(page) {
  await page.locator("lm-bar:not([data-idle]) button:not([hidden])").first().waitFor();
  return barWords(page);
}

/** The ghost text that can be seen, or nothing. */
export async function ghostText(page) {
  const texts = await page.locator("lm-ghost:not([hidden]) .rest").allTextContents();
  return texts.join("|");
}

/** Waits for ghost text and returns it. */
export async function waitForGhost(page) {
  await page.locator("lm-ghost:not([hidden])").first().waitFor();
  return ghostText(page);
}

/** Lets the page answer and paint what it is going to. */
export async function settle(page) {
  await page.waitForTimeout(120);
}
