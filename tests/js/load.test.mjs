import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";

import { loadAsset, loadSource } from "../../dist/cache.js";
import { fetchBytes } from "../../dist/fetch.js";
import { packageFile, resolveSource, resolveWasm } from "../../dist/load.js";

const BODY = Buffer.from("0123456789".repeat(1000));
let server;
let url;

const ROUTES = {
  "/whole": (response) => response.writeHead(200, { "content-length": BODY.length }).end(BODY),
  "/chunked": (response) => response.writeHead(200).end(BODY),
  "/page": (response) => response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end("<!doctype html>"),
  "/broken": (response) => {
    response.writeHead(200, { "content-length": BODY.length }).write(BODY.subarray(0, 100));
    setTimeout(() => response.destroy(), 20);
  },
  "/slow": (response) => response.writeHead(200, { "content-length": BODY.length }).write(BODY.subarray(0, 100)),
};

before(async () => {
  server = createServer((request, response) => {
    const route = ROUTES[request.url];
    if (route) route(response);
    else response.writeHead(404).end("not found");
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${server.address().port}`;
});

after(() => {
  server.close();
  server.closeAllConnections();
});

test("names, addresses and bytes are sources", () => {
  assert.match(resolveSource("en").url, /\/models\/en\.lm$/);
  assert.match(resolveSource("en").integrity, /^sha256-/);
  assert.equal(resolveSource("xx", { baseUrl: "https://x/lm" }).url, "https://x/lm/models/xx.lm");
  assert.equal(resolveSource("pt-BR", { baseUrl: new URL("https://x/lm/?v=1") }).url, "https://x/lm/models/pt-BR.lm");
  const urls = (builds) => builds.map(({ url }) => url);
  const folder = "https://x/lm/pkg";
  assert.deepEqual(urls(resolveWasm(undefined, "https://x/lm")), [`${folder}/lm_wasm_bg.wasm`, `${folder}/lm_wasm_relaxed_bg.wasm`]);
  assert.deepEqual(urls(resolveWasm("https://x/my.wasm", "https://x/lm")), ["https://x/my.wasm"]);
  resolveWasm().forEach(({ url, integrity }, at) => {
    assert.match(url, at === 0 ? /\/pkg\/lm_wasm_bg\.wasm$/ : /\/pkg\/lm_wasm_relaxed_bg\.wasm$/);
    assert.match(integrity, /^sha256-/);
  });
  assert.equal(packageFile("https://x/lm", "dist/worker.js"), "https://x/lm/dist/worker.js");
  assert.equal(resolveSource("https://x/my.lm").url, "https://x/my.lm");
  assert.equal(resolveSource(new URL("https://x/my.lm")).url, "https://x/my.lm");
  const bytes = new Uint8Array([1, 2]);
  assert.equal(resolveSource(bytes).bytes, bytes);
  assert.deepEqual(resolveSource(bytes.buffer).bytes, bytes);
});

test("what is no source is refused, with the remedy", () => {
  assert.throws(() => resolveSource("xx"), { code: "argument", message: /"xx".*it has en, .*the address or the bytes/s });
  assert.throws(() => resolveSource("constructor"), { code: "argument" });
  assert.throws(() => resolveSource("./models/en.lm"), { code: "argument", message: /absolute address/ });
});

test("bytes are passed on as they are", async () => {
  const bytes = new Uint8Array([1, 2]);
  assert.equal(await loadSource({ bytes }), bytes);
});

test("what is not the expected file is refused", async () => {
  const right = `sha256-${createHash("sha256").update(BODY).digest("base64")}`;
  const wrong = resolveSource("en").integrity;
  assert.deepEqual(Buffer.from(await loadAsset({ url: `${url}/whole`, integrity: right })), BODY);
  for (const source of [{ url: `${url}/whole`, integrity: wrong }, { bytes: new Uint8Array(BODY), integrity: wrong }]) {
    await assert.rejects(loadSource(source), { name: "LmError", code: "integrity", message: /sha256-.*sha256-/ });
  }
  assert.throws(() => resolveSource("en", { integrity: "md5-x" }), { code: "argument", message: /md5-x.*base64/ });
});

test("a download reports its progress from nothing to all of it", async () => {
  const seen = [];
  const bytes = await fetchBytes(`${url}/whole`, { onDownload: (progress) => seen.push(progress) });
  assert.deepEqual(Buffer.from(bytes), BODY);
  assert.deepEqual(seen[0], { status: "download", url: `${url}/whole`, loaded: 0, total: BODY.length });
  assert.deepEqual(seen.at(-1), { status: "download", url: `${url}/whole`, loaded: BODY.length, total: BODY.length });
  assert.deepEqual(
    seen.map(({ loaded }) => loaded),
    seen.map(({ loaded }) => loaded).sort((a, b) => a - b),
  );
});

test("without a length the total is unknown", async () => {
  const seen = [];
  const bytes = await fetchBytes(`${url}/chunked`, { onDownload: ({ total }) => seen.push(total) });
  assert.equal(bytes.length, BODY.length);
  assert.ok(seen.length > 0 && seen.every((total) => total === undefined));
});

test("failures name the address and what to do", async () => {
  const network = (message) => ({ name: "LmError", code: "network", message });
  await assert.rejects(fetchBytes(`${url}/none`), network(/\/none answered with status 404: check/));
  await assert.rejects(fetchBytes(`${url}/page`), network(/\/page answered with a web page/));
  await assert.rejects(fetchBytes(`${url}/broken`), network(/\/broken broke off after 100 .*again/));
  await assert.rejects(fetchBytes("http://127.0.0.1:1/en.lm"), network(/cannot be reached.*CORS/));
});

test("a body shorter than announced is noticed where the transport does not", async (t) => {
  const short = new Response("123", { headers: { "content-length": "5" } });
  t.mock.method(globalThis, "fetch", async () => short);
  await assert.rejects(fetchBytes("https://x/en.lm"), { code: "network", message: /broke off after 3 bytes/ });
});

test("the length of a compressed body is not the length of the model", async (t) => {
  const coded = new Response("12345", { headers: { "content-length": "3", "content-encoding": "br" } });
  t.mock.method(globalThis, "fetch", async () => coded);
  assert.equal((await fetchBytes("https://x/en.lm")).length, 5);
});

test("of another origin the length may be that of the compressed body, which the page cannot know", async (t) => {
  const foreign = new Response("12345", { headers: { "content-length": "3" } });
  Object.defineProperty(foreign, "type", { value: "cors" });
  t.mock.method(globalThis, "fetch", async () => foreign);
  const seen = [];
  assert.equal((await fetchBytes("https://x/en.lm", { onDownload: (progress) => seen.push(progress) })).length, 5);
  assert.ok(seen.every(({ loaded, total }) => total === undefined || loaded <= total), JSON.stringify(seen));
});

test("a download can be aborted", async () => {
  const controller = new AbortController();
  const onDownload = ({ loaded }) => loaded > 0 && controller.abort();
  await assert.rejects(fetchBytes(`${url}/slow`, { onDownload, signal: controller.signal }), { name: "AbortError" });
});

test("Node reads files", async () => {
  const folder = await mkdtemp(join(tmpdir(), "lm-wasm-load-"));
  try {
    const file = pathToFileURL(join(folder, "en.lm")).href;
    await writeFile(new URL(file), BODY);
    const seen = [];
    assert.deepEqual(Buffer.from(await fetchBytes(file, { onDownload: (p) => seen.push(p.loaded) })), BODY);
    assert.deepEqual(seen, [BODY.length]);
    await assert.rejects(fetchBytes(`${file}x`), { code: "network", message: /en\.lmx cannot be read/ });
  } finally {
    await rm(folder, { recursive: true });
  }
});
