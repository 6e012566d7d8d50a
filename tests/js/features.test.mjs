// Which module is picked, by what the engine says it can do.

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import { requireSimd } from "../../dist/features.js";
import { resolveWasm } from "../../dist/load.js";

const validate = WebAssembly.validate;
afterEach(() => (WebAssembly.validate = validate));

/** Has the engine know these sets of instructions. */
function engineKnows({ simd, relaxed }) {
  // The second byte of i8x16.relaxed_swizzle, which nothing else in the questions has.
  WebAssembly.validate = (module) => (module.includes(0x80) ? relaxed : simd);
}

test("the questions are valid modules, the plain one for every engine of today", () => {
  assert.doesNotThrow(requireSimd);
  assert.match(resolveWasm().url, /\/pkg\/lm_wasm_(relaxed_)?bg\.wasm$/);
});

test("an engine with relaxed SIMD gets the relaxed module, another the plain one", () => {
  engineKnows({ simd: true, relaxed: true });
  assert.match(resolveWasm().url, /\/pkg\/lm_wasm_relaxed_bg\.wasm$/);
  engineKnows({ simd: true, relaxed: false });
  assert.match(resolveWasm().url, /\/pkg\/lm_wasm_bg\.wasm$/);
});

test("an engine without SIMD is told what has it", () => {
  engineKnows({ simd: false, relaxed: false });
  assert.throws(resolveWasm, {
    name: "LmError",
    code: "wasm",
    message: /no SIMD.*Chrome or Edge 100, Firefox 114, Safari 16\.4, Node 20/,
  });
});
