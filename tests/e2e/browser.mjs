// What the tests in a browser share: the browser, the server and a page that has the library.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { after, before } from "node:test";
import { fileURLToPath } from "node:url";

import { chromium, firefox } from "playwright-core";

import { serve } from "../../scripts/serve.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const NAMES = {
  chromium: ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"],
  firefox: ["firefox", "firefox-esr"],
};
const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
];
/** Digest of the style that a screenshot puts into the page, which its policy refuses. */
const SCREENSHOT_STYLE = "sha256-YjaKGiklmzC6wjXA513HAMmzus8VE61XCOT+SmwNZWA=";
const MODELS = ["models/en.lm", "tests/fixtures/tiny.lm"];

/** Path of the model that the tests use: the shipped one, or a small one that stands in for it. */
export const MODEL = MODELS.find((path) => existsSync(join(ROOT, path)));
if (!MODEL) throw new Error(`no model to test with: one of ${MODELS.join(", ")} must be there`);
if (!existsSync(join(ROOT, "dist/index.js"))) throw new Error("nothing to test: run 'npm run build' first");

/** The browser that the tests run in: `chromium`, or `firefox` if the variable LM_BROWSER says so. */
export const BROWSER = process.env.LM_BROWSER ?? "chromium";
if (!Object.hasOwn(NAMES, BROWSER)) throw new Error(`LM_BROWSER is ${BROWSER}: use ${Object.keys(NAMES).join(" or ")}`);

/** For tests of what this protocol can do with Chromium alone. */
export const chromiumOnly = { skip: BROWSER === "chromium" ? false : "driven by Chromium's own protocol" };

/** Starts the browser, wherever it is. */
export function launch() {
  const executablePath = findBrowser();
  // The browser as it is installed, by WebDriver BiDi.
  if (BROWSER === "firefox") return firefox.launch({ executablePath, channel: "moz-firefox" });
  return chromium.launch({ executablePath, args: ARGUMENTS });
}

function findBrowser() {
  const variable = BROWSER.toUpperCase();
  const folders = (process.env.PATH ?? "").split(delimiter);
  const found =
    process.env[variable] ?? NAMES[BROWSER].flatMap((name) => folders.map((folder) => join(folder, name))).find(existsSync);
  if (found) return found;
  throw new Error(`${BROWSER} is missing: run 'bash scripts/setup.sh test', or name it in the variable ${variable}`);
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
    // Complaints that a test provokes are named at the end: some come later than what they are about.
    const close = async ({ expected } = {}) => {
      await context.close();
      const ours = complaints.filter((text) => !text.includes(SCREENSHOT_STYLE) && !expected?.test(text));
      assert.deepEqual(ours, [], "the console is clean");
    };
    return { page, context, close };
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
export async function loadModel(page, options = {}) {
  await page.evaluate(
    async ([url, options]) => void (lm.predictor = await lm.Predictor.load(url, options)),
    [`/${MODEL}`, options],
  );
}

/** Attaches to a field (`host >> field` in a shadow root) what `script` says: a list of `[text, word, probability]`, or the model where there is none. */
export async function attach(page, selector, { script, ...options } = {}) {
  await page.evaluate(
    ([selector, script, options]) => {
      const suggester = script ? lm.scripted(script) : lm.predictor;
      const [outer, inner] = selector.split(" >> ");
      const element = document.querySelector(outer);
      lm.detach[selector] = lm.attach(inner ? element.shadowRoot.querySelector(inner) : element, suggester, options);
    },
    [selector, script, options],
  );
}

/** The words in the visible bar. */
export async function barWords(page) {
  return page.locator("lm-bar:not([data-idle]) lm-word:not(:empty)").allTextContents();
}

/** Waits for words in the bar and returns them. */
export async function waitForBar(page) {
  await page.locator("lm-bar:not([data-idle]) lm-word:not(:empty)").first().waitFor();
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
