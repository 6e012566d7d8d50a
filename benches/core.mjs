// Times the core inside one engine, Node or a browser: the kernels, a step of the network beside onnxruntime-web's, a key
// inside a word, loading. Runs are interleaved: whatever else the machine does meets all of them, and ratios hold.

/** What ratios are taken of. */
export const BEST = "step and the 5 best";
export const COLD = ", caches cold";

const ROUNDS = 11;
/** Of single steps, which the caches do not help. */
const COLD_ROUNDS = 41;
/** The environment's clock. */
let now;

/** A batch takes at least so long, since browsers have coarse clocks. */
const BATCH_MS = 6;

const KERNEL = { rows: 1600, columns: 800 };
/** Weights, and the bits of activations where they are not those of models. */
const KERNELS = [
  ["f32"],
  ["8-bit"],
  ["4-bit"],
  ["ternary"],
  ["ternary", 7],
  ["ternary", 6],
  ["ternary", 5],
];
/** What is read to find the bandwidth: more than a core's own cache holds, and more than all cores' do. */
const STREAM_MB = [4, 128];
/** Words; all with an embedding, a layer and output rows of UNITS. */
const SIZES = [10_000, 20_000, 100_000];
const UNITS = 400;
const ORT_WORDS = [20_000];
/** The layer and the rows of models/pl.lm: as many columns as `width` for `wide` of the words, and `narrow` for the others. */
const SHIPPED = { units: 800, width: 144, wide: 14_000, narrow: 32 };

/**
 * @typedef {object} Environment
 * @property {(path: string) => Promise<Uint8Array>} read a file of the repository
 * @property {(path: string) => Promise<any>} module a module of the repository; every call with another `?n` is a fresh one
 * @property {() => number} now microseconds: of processor time where it can be had, which other programs do not disturb
 * @property {(line: string) => void} log
 */

/** Runs everything and resolves with plain data. @param {Environment} environment */
export async function measureCore(environment) {
  now = environment.now;
  const builds = { plain: await openBuild(environment, "plain") };
  const { runsRelaxedBuild } = await environment.module("dist/features.js");
  if (runsRelaxedBuild()) {
    builds.relaxed = await openBuild(environment, "relaxed");
  }
  return {
    gigahertz: await measureClock(builds.plain),
    bandwidth: await measureBandwidth(builds.plain),
    kernels: await measureKernels(builds, environment.log),
    steps: await measureSteps(builds, environment),
    loads: await measureLoads(environment, builds.relaxed ? "relaxed_bg" : "bg"),
  };
}

async function openBuild({ read, module }, variant) {
  const build = await module(`target/bench/${variant}/bench.js`);
  await build.default({ module_or_path: await read(`target/bench/${variant}/bench_bg.wasm`) });
  return build;
}

/** Cycles per second, by a chain of operations that take one cycle each. */
async function measureClock({ spin }) {
  const operations = 20_000_000;
  const times = await interleave([{ run: (times) => spin(times * operations), times: 1 }]);
  return round(operations / median(times[0]) / 1e3);
}

async function measureBandwidth({ Stream }) {
  const streams = STREAM_MB.map((megabytes) => new Stream(megabytes * 1e6));
  const times = await interleave(streams.map((stream) => ({ run: (times) => stream.run(times) })));
  streams.forEach((stream) => stream.free());
  return STREAM_MB.map((megabytes, at) => ({ megabytes, gigabytesPerSecond: round((megabytes * 1e3) / median(times[at])) }));
}

async function measureKernels(builds, log) {
  const { rows, columns } = KERNEL;
  const items = Object.entries(builds).flatMap(([variant, { Kernel }]) =>
    KERNELS.map(([weights, bits]) => {
      const kernel = new Kernel(weights, bits, rows, columns);
      return { build: variant, weights, bits, run: (times) => kernel.run(times) };
    }),
  );
  const times = await interleave(items);
  const results = items.map(({ build, weights, bits }, at) => {
    const rate = (microseconds) => round((rows * columns) / microseconds / 1e3);
    return { build, weights, activations: bits, gmacs: rate(median(times[at])), fastest: rate(Math.min(...times[at])) };
  });
  log(`kernels of ${rows} x ${columns} done`);
  return results;
}

async function measureSteps(builds, environment) {
  const results = [];
  for (const words of SIZES) {
    const items = [];
    for (const [build, { Core }] of Object.entries(builds)) {
      for (const rows of ["ternary", "8-bit", "shipped"]) {
        const core = rows === "shipped" ? shippedShape(Core, words) : new Core(words, UNITS, rows);
        const add = (what, run) => items.push({ who: `ours, ${build}, ${rows} rows`, what, run });
        add("LSTM alone", (times) => core.read(times));
        add(BEST, (times) => core.step_best(times, 5));
        add("step, the 5 best and their probabilities", (times) => core.step(times, 5));
        if (rows !== "ternary") continue;
        add("key inside a word, one letter", (times) => core.key(times, "g", 5));
        add("key inside a word, two letters", (times) => core.key(times, "ga", 5));
      }
    }
    if (ORT_WORDS.includes(words)) items.push(...(await ortItems(words, environment)));
    const times = await interleave(items);
    items.forEach(({ who, what }, at) => results.push({ words, who, what, ...summarize(times[at]) }));
    if (ORT_WORDS.includes(words)) {
      const steps = items.filter(({ what }) => what === BEST);
      const coldTimes = await measureCold(builds.plain, steps);
      steps.forEach(({ who }, at) => {
        // A clock of 20 us, Firefox's, tells a step of 140 by the mean of many.
        results.push({ words, who, what: `${BEST}${COLD}`, ...summarize(coldTimes[at]), microseconds: meanOfHalf(coldTimes[at]) });
      });
    }
    for (const { session } of items) await session?.release();
    environment.log(`steps at ${words} words done`);
  }
  return results;
}

function shippedShape(Core, words) {
  const { units, width, wide, narrow } = SHIPPED;
  return Core.tied(words, units, width, wide, narrow);
}

async function ortItems(words, { read, module, ortPaths }) {
  const ort = await module("benches/node_modules/onnxruntime-web/dist/ort.wasm.min.mjs");
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = ortPaths;
  ort.env.logLevel = "error";
  const items = [];
  for (const type of ["float32", "int8"]) {
    const bytes = await read(`target/bench/onnx/${words}-${UNITS}-${type}.onnx`);
    const session = await ort.InferenceSession.create(bytes, { executionProviders: ["wasm"] });
    let state = { h: zeros(ort), c: zeros(ort) };
    let word = 7;
    const run = async (times) => {
      for (let i = 0; i < times; i++) {
        word = (word * 31 + 1) % words;
        const input = new ort.Tensor("int64", new BigInt64Array([BigInt(word)]), [1, 1]);
        const { h_new: h, c_new: c } = await session.run({ word: input, ...state });
        state = { h, c };
      }
    };
    items.push({ who: `onnxruntime-web, ${type}`, what: BEST, run, session });
  }
  return items;
}

function zeros({ Tensor }) {
  return new Tensor("float32", new Float32Array(UNITS), [1, 1, UNITS]);
}

async function measureLoads(environment, name) {
  const loads = [];
  for (const model of ["models/en.lm", "models/pl.lm"]) loads.push(await measureLoad(environment, model, name));
  return loads;
}

/** A fresh module for every load, since memory never shrinks. */
async function measureLoad({ read, module, log }, model, name) {
  const bytes = await read(model);
  const compiled = await WebAssembly.compile(await read(`pkg/lm_wasm_${name}.wasm`));
  const [times, heaps] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    const { default: init, Engine } = await module(`pkg/lm_wasm.js?${model}${round}`);
    const { memory } = await init({ module_or_path: compiled });
    const began = now();
    const engine = new Engine(bytes);
    times.push(now() - began);
    engine.suggest("I would like to ", 3);
    heaps.push(memory.buffer.byteLength);
    engine.free();
  }
  log("loading done");
  return { model, bytes: bytes.length, ready: summarize(times), heap: median(heaps) };
}

/** Times all items in turns; for each a list of microseconds per repetition. */
async function interleave(items) {
  for (const item of items) item.times ??= await batchSize(item.run);
  const times = items.map(() => []);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [at, { run, times: batch }] of items.entries()) {
      // Untimed: the item before may have put 40 MB into the caches.
      await time(run, 1);
      times[at].push((await time(run, batch)) / batch);
    }
  }
  return times;
}

/** Single steps in turns, each after other memory was read: keys come a tenth of a second apart, and others use the caches meanwhile. */
async function measureCold({ Stream }, items) {
  const evicting = new Stream(STREAM_MB.at(-1) * 1e6);
  const times = items.map(() => []);
  for (let round = 0; round < COLD_ROUNDS; round++) {
    for (const [at, { run }] of items.entries()) {
      evicting.run(1);
      times[at].push(await time(run, 1));
    }
  }
  evicting.free();
  return times;
}

/** How many repetitions fill a batch, after as many as an optimizing compiler wants to see. */
async function batchSize(run) {
  let times = 1;
  for (;;) {
    const microseconds = await time(run, times);
    if (microseconds > 1000 * BATCH_MS) return times;
    times = Math.ceil(times * Math.min(10, Math.max(1.5, (1200 * BATCH_MS) / Math.max(1, microseconds))));
  }
}

async function time(run, times) {
  const began = now();
  const result = run(times);
  if (result instanceof Promise) await result;
  return now() - began;
}

function summarize(times) {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share) => round(sorted[Math.floor(share * (sorted.length - 1))]);
  return { microseconds: at(0.5), p10: at(0.1), p90: at(0.9) };
}

/** The mean of the middle half. */
function meanOfHalf(values) {
  const half = values.toSorted((a, b) => a - b).slice(values.length >> 2, -(values.length >> 2));
  return round(half.reduce((sum, value) => sum + value, 0) / half.length);
}

function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

function round(value) {
  return Number(value.toPrecision(3));
}
