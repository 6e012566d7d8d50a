// The boundary to the real WebAssembly module; what a model answers is tested in the browser and in the package.

import assert from "node:assert/strict";
import { test } from "node:test";

import { readFile } from "node:fs/promises";

import { createEngine, loadWasm } from "../../dist/engine.js";
import { resolveWasm } from "../../dist/load.js";

const WASM = resolveWasm();

test("a module that could not be loaded can be tried again, and is compiled once", async () => {
  const nowhere = { url: new URL("./none.wasm", import.meta.url).href };
  await assert.rejects(loadWasm([nowhere]), { name: "LmError", code: "network", message: /none\.wasm cannot be read/ });
  const noModule = { url: import.meta.url };
  await assert.rejects(loadWasm([noModule]), {
    name: "LmError",
    code: "wasm",
    message: /engine\.test\.mjs cannot be compiled/,
  });

  const other = { ...WASM[0], url: import.meta.url };
  await assert.rejects(loadWasm([other]), { code: "integrity", message: /engine\.test\.mjs is not the file/ });

  const first = loadWasm(WASM);
  assert.equal(loadWasm([nowhere]), first, "one module for all models");
  await first;
});

test("what is no model is refused by name", async () => {
  await loadWasm(WASM);
  for (const bytes of [new Uint8Array(), new Uint8Array(1000), new TextEncoder().encode("<!doctype html>")]) {
    assert.throws(() => createEngine(bytes), { name: "LmError", code: "not-a-model" });
  }
});

test("memory that a model had is used again by the next one", async () => {
  const { memory } = await loadWasm(WASM);
  const bytes = await readFile(new URL("../../models/en.lm", import.meta.url));
  const use = () => {
    const engine = createEngine(bytes);
    for (let i = 0; i < 20; i++) engine.personal({ do: "learn", text: "a few words" });
    assert.ok(engine.suggest("I would like to ", 3).length > 0);
    engine.free();
    return memory.buffer.byteLength;
  };
  const sizes = Array.from({ length: 8 }, use);
  assert.ok(sizes[0] > bytes.length);
  // The allocator may cut its first blocks badly once; what is not given back would add a model a round.
  assert.ok(sizes.at(-1) - sizes[0] < bytes.length, sizes.join());
});
