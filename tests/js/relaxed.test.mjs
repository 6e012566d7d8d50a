// The relaxed build as it ships, optimized: it answers as the plain one does, or refuses.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";

import { runsRelaxedBuild } from "../../dist/features.js";

if (parseInt(process.versions.node) < 21) setFlagsFromString("--experimental-wasm-relaxed-simd");

const read = (path) => readFile(new URL(`../../${path}`, import.meta.url));

/** A build with a model; every name is a fresh instance. */
async function engineOf(name, module, model) {
  const { Engine, initSync } = await import(`../../pkg/lm_wasm.js?${name}`);
  initSync({ module });
  return new Engine(await read(model));
}

test("it suggests what the plain build does, with the same probabilities", { skip: !runsRelaxedBuild() }, async () => {
  for (const [model, text] of [
    ["models/en-small.lm", "I would like to "],
    ["models/pl-small.lm", "Nie wiem, czy "],
  ]) {
    const engines = await Promise.all(
      ["", "_relaxed"].map(async (build) => engineOf(`${model}${build}`, await read(`pkg/lm_wasm${build}_bg.wasm`), model)),
    );
    for (let length = 0; length <= text.length; length++) {
      const [plain, relaxed] = engines.map((engine) => engine.suggest(text.slice(0, length), 10));
      assert.ok(plain.length > 1);
      assert.deepEqual(relaxed, plain);
    }
  }
});

test("it refuses to work where its look-ups have zeros for indices above 15", async () => {
  const module = await read("pkg/lm_wasm_relaxed_bg.wasm");
  // i8x16.swizzle, which has them, in as many bytes as i8x16.relaxed_swizzle.
  const [relaxed, plain] = [Buffer.of(0xfd, 0x80, 0x02), Buffer.of(0xfd, 0x8e, 0x00)];
  let replaced = 0;
  for (let at = module.indexOf(relaxed); at !== -1; at = module.indexOf(relaxed, at)) {
    plain.copy(module, at);
    replaced++;
  }
  assert.ok(replaced > 20, `${replaced}`);
  await assert.rejects(engineOf("zeros", module, "models/en-small.lm"), (error) => {
    assert.match(error, /^wasm\nthis processor needs lm_wasm_bg\.wasm/);
    return true;
  });
});
