// The library under a strict Content-Security-Policy.

import assert from "node:assert/strict";
import { test } from "node:test";

import * as t from "./browser.mjs";

const shared = t.setUp();
const PAGE = "tests/e2e/pages/fields.html";
const STRICT = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'";

/** Opens the page of fields with a policy for whichever of its files match. */
async function openWith(policies) {
  const opened = await shared.open("about:blank");
  for (const [pattern, policy] of Object.entries(policies)) {
    await opened.context.route(pattern, async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, headers: { ...response.headers(), "content-security-policy": policy } });
    });
  }
  await opened.page.goto(`${shared.server.url}${PAGE}`);
  await opened.page.waitForFunction(() => globalThis.lm);
  return opened;
}

function loadError(page, options) {
  return page.evaluate(
    ([url, options]) =>
      lm.Predictor.load(url, options).then(
        () => "none",
        ({ code, message }) => `${code}: ${message}`,
      ),
    [`/${t.MODEL}`, options],
  );
}

test("the strict policy holds for the page and its worker, and nothing breaks it", async () => {
  const { page, close } = await openWith({ "**/fields.html": STRICT, "**/dist/worker.js": STRICT });
  await t.loadModel(page);
  await t.attach(page, "#area", { ghostThreshold: 0 });
  await page.click("#area");
  await page.keyboard.type("I am ");
  await t.waitForGhost(page);
  assert.equal(await page.locator("lm-ghost").evaluate((host) => getComputedStyle(host).position), "absolute");
  assert.equal(await page.locator("lm-bar").evaluate((host) => getComputedStyle(host).display), "block");
  await close();
});

test("WebAssembly may be the worker's alone", async () => {
  const page = "default-src 'self'; script-src 'self'; worker-src 'self'; style-src 'self'";
  const { page: opened, close } = await openWith({ "**/fields.html": page, "**/dist/worker.js": STRICT });
  assert.equal(await loadError(opened), "none");
  await close();
});

test("a policy that forbids WebAssembly is named, with the remedy", async () => {
  const { page, close } = await openWith({ "**/fields.html": "script-src 'self'" });
  assert.match(await loadError(page, { worker: false }), /^wasm: .*lm_wasm_(relaxed_)?bg\.wasm.*'wasm-unsafe-eval'/s);
  // Firefox itself tells of it, too.
  await close({ expected: /./s });
});

test("a policy that forbids the worker is named, with the remedy", async () => {
  const { page, close } = await openWith({ "**/fields.html": "worker-src 'none'" });
  assert.match(await loadError(page), /^worker: .*worker: false/s);
  assert.equal(await loadError(page, { worker: false }), "none");
  await close({ expected: /./s });
});

test("where addresses of scripts must be trusted, a page makes the worker itself", async () => {
  const { page, close } = await openWith({ "**/fields.html": `${STRICT}; require-trusted-types-for 'script'` });
  assert.match(await loadError(page), /^worker: /);
  await page.evaluate(async (url) => {
    const policy = trustedTypes.createPolicy("worker", { createScriptURL: (address) => address });
    const worker = new Worker(policy.createScriptURL("/dist/worker.js"), { type: "module" });
    lm.predictor = await lm.Predictor.load(url, { worker });
  }, `/${t.MODEL}`);
  await t.attach(page, "#area", { ghostThreshold: 0 });
  await page.click("#area");
  await page.keyboard.type("I am ");
  await t.waitForGhost(page);
  await page.keyboard.press("Tab");
  assert.match(await page.inputValue("#area"), /^I am .+ $/);
  await close({ expected: /trusted ?types|TrustedScriptURL|require-trusted-types-for/i });
});
