// The boundary to the real WebAssembly module; what a model answers is tested in the browser and in the package.

import assert from "node:assert/strict";
import { test } from "node:test";

import { createEngine, loadWasm } from "../../dist/engine.js";
import { LmError } from "../../dist/errors.js";

test("a module that could not be loaded can be tried again, and is compiled once", async () => {
  const nowhere = new URL("./none.wasm", import.meta.url).href;
  await assert.rejects(loadWasm(nowhere), { name: "LmError", code: "network", message: /none\.wasm cannot be read/ });
  const noModule = import.meta.url;
  await assert.rejects(loadWasm(noModule), {
    name: "LmError",
    code: "wasm",
    message: /engine\.test\.mjs cannot be compiled/,
  });

  const first = loadWasm();
  assert.equal(loadWasm(nowhere), first, "one module for all models");
  await first;
});

test("what is no model is refused by name", async () => {
  await loadWasm();
  for (const bytes of [new Uint8Array(), new Uint8Array(1000), new TextEncoder().encode("<!doctype html>")]) {
    assert.throws(
      () => createEngine(bytes),
      (error) => error instanceof LmError && error.code === "not-a-model",
    );
  }
});
