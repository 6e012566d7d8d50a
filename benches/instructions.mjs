// Counts the instructions of the ternary kernel's inner loop in the code that V8 makes of it, by what Node prints of that code.

import { execFileSync } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { cpus } from "node:os";
import { argv } from "node:process";
import { fileURLToPath } from "node:url";

const SELF = fileURLToPath(import.meta.url);
/** What looks weights up in a table: one instruction for 16 rows and, two of them, four columns. */
const LOOK_UP = /^v?pshufb /;
const PRODUCTS_A_LOOK_UP = 32;
/** What takes indices out of the high halves of bytes. Where tables are made there are look-ups, too, but none of these. */
const HIGH_HALVES = /^v?psrlw .*,4$/;
/** Arithmetic of vectors, not their loads and stores. */
const VECTOR = /^v?p(?!ush|op)/;
/** Products that counts are told for. */
export const PRODUCTS = 512;
/** Instructions a cycle that limits are reckoned with: of any kind, of which processors of today decode four to eight, and of vectors. */
export const A_CYCLE = { all: 6, vector: cpus()[0]?.model.includes("AMD") ? 4 : 3 };

if (argv[1] === SELF) await runKernel(argv[2]);

/** Multiplies as the benchmark of kernels does, for V8 to compile it. */
async function runKernel(folder) {
  const { default: init, Kernel } = await import(`${folder}/bench.js`);
  await init({ module_or_path: await readFile(`${folder}/bench_bg.wasm`) });
  new Kernel("ternary", undefined, 1600, 800).run(1);
}

/**
 * Instructions, of all kinds and of vectors, for PRODUCTS products in the inner loop of the activations that ship, which is the
 * shortest: eight sums share a byte before they are widened. Nothing where processor or Node have no such code to print.
 */
export function countInstructions(node, folder, flags = []) {
  // A pipe would lose some of it: V8 does not wait for one that is full.
  const path = `${folder}/code.txt`;
  const file = openSync(path, "w");
  const options = ["--no-liftoff", "--single-threaded", "--print-wasm-code", ...flags, SELF, folder];
  execFileSync(node, options, { stdio: ["ignore", file, "inherit"] });
  closeSync(file);
  const counts = readFileSync(path, "utf8").split("--- WebAssembly code ---").slice(1).flatMap(ofLoops);
  return counts.reduce((least, count) => (least?.all <= count.all ? least : count), undefined);
}

/** The counts of all innermost loops of a function that look up. */
function ofLoops(code) {
  const lines = [...code.matchAll(/^0x[0-9a-f]+ +([0-9a-f]+)  [0-9a-f]+ +(.*)$/gm)];
  const instructions = lines.map(([, offset, text]) => ({ offset: parseInt(offset, 16), text }));
  const loops = instructions.flatMap(({ offset, text }) => {
    const target = /^j\w+ .*<\+0x([0-9a-f]+)>/.exec(text);
    const begin = target ? parseInt(target[1], 16) : Infinity;
    return begin < offset ? [{ begin, end: offset }] : [];
  });
  const holds = (outer, inner) => outer !== inner && outer.begin <= inner.begin && inner.end <= outer.end;
  return loops
    .filter((loop) => !loops.some((other) => holds(loop, other)))
    .map(({ begin, end }) => instructions.filter(({ offset }) => offset >= begin && offset <= end))
    .filter((body) => body.some(({ text }) => HIGH_HALVES.test(text)))
    .map((body) => ({ body, count: (kind) => body.filter(({ text }) => kind.test(text)).length }))
    .filter(({ count }) => count(LOOK_UP) >= 4)
    .map(({ body, count }) => {
      const times = PRODUCTS / (count(LOOK_UP) * PRODUCTS_A_LOOK_UP);
      return { all: times * body.length, vector: times * count(VECTOR) };
    });
}
