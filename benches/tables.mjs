// The figures of one engine as tables for people.

import { BEST, COLD } from "./core.mjs";
import { A_CYCLE, PRODUCTS } from "./instructions.mjs";

/** Prints what measureCore of core.mjs resolved to. */
export function printCore(engine, { gigahertz, bandwidth, kernels, instructions, steps, loads }) {
  console.log(`\n=== ${engine}, clock ${gigahertz} GHz`);
  for (const { megabytes, gigabytesPerSecond } of bandwidth) console.log(`${megabytes} MB are read at ${gigabytesPerSecond} GB/s`);
  table(
    ["kernel, 1600 x 800", "build", "GMAC/s", "fastest", "times int8", "MAC a cycle"],
    kernels.map(({ build, weights, activations, gmacs, fastest }) => {
      const int8 = kernels.find((other) => other.build === build && other.weights === "8-bit");
      const name = activations ? `${weights} x a${activations}` : weights;
      return [name, build, gmacs, fastest, ratio(gmacs / int8.gmacs), ratio(gmacs / gigahertz)];
    }),
  );
  for (const [build, count] of Object.entries(instructions ?? {})) {
    const shipped = kernels.find((kernel) => kernel.build === build && kernel.weights === "ternary" && !kernel.activations);
    if (!count || !shipped) continue;
    console.log(`inner loop, ${build}, for ${PRODUCTS} products:`);
    for (const [kind, ofKind] of Object.entries(count)) {
      const limit = (gigahertz * A_CYCLE[kind] * PRODUCTS) / ofKind;
      console.log(
        `  ${ofKind} instructions (${kind}), at ${A_CYCLE[kind]} a cycle ${ratio(limit)} GMAC/s, ` +
          `of which the kernel reaches ${Math.round((100 * shipped.gmacs) / limit)} %`,
      );
    }
  }
  for (const words of new Set(steps.map((step) => step.words))) {
    const ofSize = steps.filter((step) => step.words === words);
    const isCold = ({ what }) => what.endsWith(COLD);
    const speedups = (step) =>
      ["float32", "int8"].map((type) => {
        const reference = ofSize.find((other) => other.who === `onnxruntime-web, ${type}` && isCold(other) === isCold(step));
        return reference ? ratio(reference.microseconds / step.microseconds) : "";
      });
    table(
      [`${words} words, 400 units`, "", "us", "p10", "p90", "x ORT f32", "x ORT int8"],
      ofSize.map((step) => [
        step.who,
        step.what,
        step.microseconds,
        step.p10,
        step.p90,
        ...(step.what.startsWith("step") ? speedups(step) : ["", ""]),
      ]),
    );
  }
  for (const who of new Set(steps.map((step) => step.who))) {
    const at = (words) => steps.find((step) => step.words === words && step.who === who && step.what === BEST);
    if (at(10_000) && at(100_000)) {
      console.log(`growth of "${BEST}" from 10k to 100k words, ${who}: x ${ratio(at(100_000).microseconds / at(10_000).microseconds)}`);
    }
  }
  for (const { ready, heap, bytes, model } of loads) {
    console.log(
      `${model}, ${bytes} bytes: ready in ${ready.microseconds / 1000} ms (p10 ${ready.p10 / 1000}, p90 ${ready.p90 / 1000}); ` +
        `memory after a first answer ${heap} bytes, ${ratio(heap / bytes)} times the file`,
    );
  }
}

function table(head, rows) {
  const cells = [head, ...rows].map((row) => row.map(String));
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column].length)));
  const isText = (column) => rows.every((row) => typeof row[column] === "string");
  console.log();
  for (const row of cells) {
    const pad = (cell, column) => (isText(column) ? cell.padEnd(widths[column]) : cell.padStart(widths[column]));
    console.log(row.map(pad).join("  ").trimEnd());
  }
}

function ratio(value) {
  return Number(value.toPrecision(3));
}
