// Which module is picked, by what the engine says it can do.

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import { hasRelaxedSimd, requireSimd } from "../../dist/features.js";
import { resolveWasm } from "../../dist/load.js";

const { validate, Module, Instance } = WebAssembly;
afterEach(() => Object.assign(WebAssembly, { validate, Module, Instance }));

/** Has the engine know SIMD or not, and have relaxed look-ups answer so; with undefined it does not know them. */
function engineHas({ simd, lookUp }) {
  WebAssembly.validate = () => simd;
  WebAssembly.Module = class {
    constructor() {
      if (lookUp === undefined) throw new WebAssembly.CompileError("unknown instruction");
    }
  };
  WebAssembly.Instance = class {
    exports = { f: () => lookUp };
  };
}

test("the questions are valid modules, the plain one for every engine of today", () => {
  assert.doesNotThrow(requireSimd);
  assert.match(resolveWasm().url, /\/pkg\/lm_wasm_(relaxed_)?bg\.wasm$/);
});

test("the answer about relaxed SIMD is the processor's, where the engine knows it at all", () => {
  // i8x16.splat twice, and i8x16.relaxed_swizzle.
  const body = [0x41, 0, 0xfd, 0x0f, 0x41, 0, 0xfd, 0x0f, 0xfd, 0x80, 0x02, 0x0b];
  const header = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7b, 3, 2, 1, 0];
  const known = WebAssembly.validate(Uint8Array.of(...header, 10, body.length + 3, 1, body.length + 1, 0, ...body));
  assert.equal(hasRelaxedSimd(), known && ["x64", "ia32"].includes(process.arch));
});

test("an engine whose relaxed look-ups take the lower bits gets the relaxed module, others the plain one", () => {
  engineHas({ simd: true, lookUp: 7 });
  assert.match(resolveWasm().url, /\/pkg\/lm_wasm_relaxed_bg\.wasm$/);
  for (const lookUp of [0, undefined]) {
    engineHas({ simd: true, lookUp });
    assert.match(resolveWasm().url, /\/pkg\/lm_wasm_bg\.wasm$/);
  }
});

test("an engine without SIMD is told what has it", () => {
  engineHas({ simd: false });
  assert.throws(resolveWasm, {
    name: "LmError",
    code: "wasm",
    message: /no SIMD.*Chrome or Edge 100, Firefox 114, Safari 16\.4, Node 20/,
  });
});
