import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { serve } from "./serve.mjs";

let root;
let server;

before(async () => {
  root = await mkdtemp(join(tmpdir(), "lm-wasm-serve-"));
  for (const name of ["www/sub", "models"]) await mkdir(join(root, name), { recursive: true });
  await writeFile(join(root, "www/index.html"), "<!doctype html>");
  await writeFile(join(root, "www/app.js"), "export {};");
  await writeFile(join(root, "models/en.lm"), "model");
  await writeFile(join(root, "secret.txt"), "secret");
  await symlink(join(root, "secret.txt"), join(root, "www/link.txt"));
  server = await serve({ root });
});

after(async () => {
  await server.close();
  await rm(root, { recursive: true });
});

/** Unlike fetch, sends the path as it is. */
function get(path, { method = "GET", headers = {} } = {}) {
  return new Promise((resolve, reject) => {
    request({ host: "127.0.0.1", port: server.port, path, method, headers }, (response) => {
      let body = "";
      response.on("data", (chunk) => (body += chunk));
      response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, body }));
    })
      .on("error", reject)
      .end();
  });
}

test("the root leads to the demo, under the strict policy", async () => {
  assert.equal((await get("/")).headers.location, "/www/");
  const page = await get("/www/");
  assert.equal(page.status, 200);
  assert.match(page.headers["content-type"], /^text\/html/);
  assert.match(page.headers["content-security-policy"], /script-src 'self' 'wasm-unsafe-eval'/);
  assert.equal(page.headers["cross-origin-opener-policy"], "same-origin");
  assert.equal(page.headers["cross-origin-embedder-policy"], "require-corp");
});

test("files have their types", async () => {
  assert.match((await get("/www/app.js?v=1")).headers["content-type"], /^text\/javascript/);
  assert.equal((await get("/models/en.lm")).headers["content-type"], "application/octet-stream");
});

test("an unchanged file is not sent again", async () => {
  const first = await get("/models/en.lm");
  assert.equal(first.body, "model");
  assert.equal(first.headers["cache-control"], "no-cache");
  const again = await get("/models/en.lm", { headers: { "If-None-Match": first.headers.etag } });
  assert.equal(again.status, 304);
  assert.equal(again.body, "");
});

test("HEAD sends no body, other methods are refused", async () => {
  const head = await get("/models/en.lm", { method: "HEAD" });
  assert.equal(head.headers["content-length"], "5");
  assert.equal(head.body, "");
  assert.equal((await get("/models/en.lm", { method: "POST" })).status, 405);
});

test("nothing outside of the served directories can be had", async () => {
  for (const path of [
    "/secret.txt",
    "/www/../secret.txt",
    "/www/%2e%2e/secret.txt",
    "/www/..%2fsecret.txt",
    "/www/%2e%2e%2f%2e%2e%2fetc/passwd",
    "/wwwx/../secret.txt",
    "/www/link.txt",
    "/www/none.js",
    "/www/sub/",
  ]) {
    const answer = await get(path);
    assert.equal(answer.status, 404, path);
    assert.doesNotMatch(answer.body, /secret/, path);
  }
  for (const path of ["/www/%", "/www/..%5csecret.txt", "/www/%00"]) {
    assert.equal((await get(path)).status, 400, path);
  }
});

test("a directory's redirect stays on this host", async () => {
  assert.equal((await get("/www/sub")).headers.location, "/www/sub/");
  assert.equal((await get("/%2Fwww")).headers.location, "/www/");
});
