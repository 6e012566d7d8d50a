// What is fetched, and what is not.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";

import { MODELS } from "../../dist/shipped.js";
import * as t from "./browser.mjs";

const shared = t.setUp();
const PAGE = "tests/e2e/pages/fields.html";

async function open() {
  const opened = await shared.open(PAGE);
  await opened.page.waitForFunction(() => globalThis.lm);
  const requests = [];
  opened.context.on("request", (request) => requests.push(new URL(request.url()).pathname));
  return { ...opened, requests };
}

const load = (page, source = "en", options = {}) =>
  page.evaluate(
    ([source, options]) =>
      lm.Predictor.load(source, options).then(
        (predictor) => ((lm.predictor = predictor), "loaded"),
        ({ name, code, message }) => `${name} ${code} ${message}`,
      ),
    [source, options],
  );

test("the second visit asks for neither model nor WebAssembly", async () => {
  const { page, requests, close } = await open();
  assert.equal(await load(page), "loaded");
  const [model, module, ...others] = requests.filter((path) => /\.(lm|wasm)$/.test(path)).sort();
  assert.equal(model, "/models/en.lm");
  assert.equal(module, `/pkg/lm_wasm_${process.arch === "x64" ? "relaxed_" : ""}bg.wasm`);
  assert.deepEqual(others, []);
  await page.reload();
  await page.waitForFunction(() => globalThis.lm);
  requests.splice(0);
  assert.equal(await load(page), "loaded");
  assert.deepEqual(requests.filter((path) => /\.(lm|wasm)$/.test(path)), []);
  await close();
});

test("what is kept and is not the right file any more is fetched anew", async () => {
  const { page, requests, close } = await open();
  await load(page);
  await page.evaluate(async () => {
    const cache = await caches.open("lm-wasm");
    for (const request of await cache.keys()) await cache.put(request, new Response("damaged"));
  });
  requests.splice(0);
  assert.equal(await load(page), "loaded");
  assert.ok(requests.includes("/models/en.lm"));
  await close();
});

test("a new release at the old address is asked for, however long the server had the old one kept", async () => {
  const { page, close } = await shared.open("about:blank");
  let model = "en";
  const server = createServer(async ({ url }, response) => {
    const isModel = url === "/models/mine.lm";
    const answer = await fetch(new URL(isModel ? `/models/${model}.lm` : url, shared.server.url));
    const headers = Object.fromEntries(answer.headers);
    // A model of which the browser may believe for a day that it is the newest one.
    if (isModel) headers["cache-control"] = "max-age=86400";
    response.writeHead(answer.status, headers).end(Buffer.from(await answer.arrayBuffer()));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  await page.goto(`http://127.0.0.1:${server.address().port}/${PAGE}`);
  await page.waitForFunction(() => globalThis.lm);
  for (model of ["en", "en-small"]) {
    assert.equal(await load(page, "/models/mine.lm", { integrity: MODELS[model].integrity }), "loaded");
  }
  await close();
  server.close();
  server.closeAllConnections();
});

test("a model whose digest nobody knows is asked for each time, and kept for when there is no network", async () => {
  const { page, context, requests, close } = await open();
  const url = `/${t.MODEL}?mine`;
  assert.equal(await load(page, url), "loaded");
  requests.splice(0);
  assert.equal(await load(page, url), "loaded");
  assert.ok(requests.includes("/models/en.lm"));
  await context.route("**/models/*", (route) => route.abort());
  assert.equal(await load(page, url), "loaded");
  assert.match(await load(page, "/models/another.lm"), /^LmError network .*cannot be reached/);
  await close({ expected: /./s });
});

// Each with a cache of its own: model and module are loaded side by side, and either may be kept when the other fails.
for (const [what, pattern, answer, message] of [
  ["a model that is not the expected one is refused", "**/models/en.lm", { body: "something else" }, /^LmError integrity .*en\.lm is not the file/],
  ["a module that cannot be had is told", "**/*.wasm", { status: 503 }, /^LmError network .*503/],
]) {
  test(`${what}, and the load can be tried again`, async () => {
    const { page, context, close } = await open();
    await context.route(pattern, (route) => route.fulfill(answer));
    assert.match(await load(page), message);
    await context.unroute(pattern);
    assert.equal(await load(page), "loaded");
    await close({ expected: /./s });
  });
}

test("a copy of the package elsewhere is used whole", async () => {
  const { page, requests, close } = await open();
  assert.equal(await load(page, "en", { baseUrl: "/" }), "loaded");
  assert.ok(requests.includes("/dist/worker.js") && requests.includes("/models/en.lm"));
  assert.match(await load(page, "en", { baseUrl: "/nowhere/" }), /^LmError (worker|network) /);
  await close({ expected: /./s });
});

test("disposing ends the worker", t.chromiumOnly, async () => {
  const { page, close } = await open();
  await load(page);
  assert.equal(page.workers().length, 1);
  const ended = page.workers()[0].waitForEvent("close");
  await page.evaluate(() => lm.predictor.dispose());
  await ended;
  assert.equal(page.workers().length, 0);
  await close();
});

test("loading tells how far it is", async () => {
  const { page, close } = await open();
  const seen = await page.evaluate(async () => {
    const seen = [];
    await lm.Predictor.load("en", { onProgress: (progress) => seen.push(progress) });
    return seen;
  });
  assert.equal(seen[0].loaded, 0);
  assert.equal(seen.at(-1).status, "ready");
  const downloads = seen.slice(0, -1);
  assert.ok(downloads.every(({ status, total }) => status === "download" && total === seen.at(-1).info.bytes));
  assert.equal(downloads.at(-1).loaded, seen.at(-1).info.bytes);
  await close();
});
