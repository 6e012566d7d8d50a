// Which build is picked, by what the engine says it can do.

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { setFlagsFromString } from "node:v8";

import { loadWasm } from "../../dist/engine.js";
import { requireSimd, runsRelaxedBuild } from "../../dist/features.js";

// Node 20 has relaxed SIMD behind a flag.
if (parseInt(process.versions.node) < 21) setFlagsFromString("--experimental-wasm-relaxed-simd");

const BUILDS = ["plain", "relaxed"].map((name) => ({ url: new URL(`./${name}.wasm`, import.meta.url).href }));

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

test("the questions are valid modules, and the relaxed one is answered by the processor", () => {
  assert.doesNotThrow(requireSimd);
  assert.equal(runsRelaxedBuild(), process.arch === "x64");
});

test("an engine whose relaxed look-ups take the lower bits gets the relaxed build, others the plain one", async () => {
  engineHas({ simd: true, lookUp: 7 });
  await assert.rejects(loadWasm(BUILDS), /relaxed\.wasm cannot be read/);
  await assert.rejects(loadWasm([BUILDS[0]]), /plain\.wasm cannot be read/);
  for (const lookUp of [0, undefined]) {
    engineHas({ simd: true, lookUp });
    await assert.rejects(loadWasm(BUILDS), /plain\.wasm cannot be read/);
  }
});

test("an engine without SIMD is told what has it", async () => {
  engineHas({ simd: false });
  await assert.rejects(loadWasm(BUILDS), {
    name: "LmError",
    code: "wasm",
    message: /no SIMD.*Chrome or Edge 100, Firefox 114, Safari 16\.4, Node 20/,
  });
});
