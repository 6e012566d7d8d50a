/* The model in WebAssembly. The only file that knows the generated package. */

import { Engine as WasmEngine, initSync } from "../pkg/lm_wasm.js";
import { loadAsset } from "./cache.js";
import { LmError, type LmErrorCode } from "./errors.js";
import { requireSimd, runsRelaxedBuild } from "./features.js";
import type { Builds } from "./load.js";
import type { ModelInfo, PersonalAction, Word } from "./protocol.js";

/** A loaded model: the same text and the same personal words give the same suggestions. */
export interface Engine {
  readonly info: ModelInfo;
  suggest(text: string, count: number): Word[];
  /** How many of the last words of a text the model knows. */
  known(text: string): number;
  /** Does something with the personal words; what was learned, or is to be exported, is the answer. */
  personal(action: PersonalAction): string;
  free(): void;
}

let wasm: Promise<unknown> | undefined;

/** Compiles the build that is fastest here, once for all models of a thread; a failure is forgotten, so that a retry is one. */
export function loadWasm(builds: Builds): Promise<unknown> {
  wasm ??= compile(builds).catch((error: unknown) => {
    wasm = undefined;
    throw error;
  });
  return wasm;
}

async function compile([plain, relaxed = plain]: Builds): Promise<unknown> {
  requireSimd();
  // Asked in this thread: a worker's policy may allow what that of the page does not.
  const asset = runsRelaxedBuild() ? relaxed : plain;
  const bytes = await loadAsset(asset);
  try {
    // Not the generated loader: it would be shipped, and it fetches.
    return initSync({ module: await WebAssembly.compile(bytes as Uint8Array<ArrayBuffer>) });
  } catch (error) {
    const remedy = "serve it there, and the page with script-src 'wasm-unsafe-eval'";
    throw new LmError("wasm", `${asset.url} cannot be compiled (${Object(error).message}): ${remedy}`, {
      cause: error,
    });
  }
}

/** Makes an engine of a model file's bytes; the module must be compiled. */
export function createEngine(bytes: Uint8Array): Engine {
  const engine = checked(() => new WasmEngine(bytes));
  return {
    info: {
      metadata: parseMetadata(engine.metadata()),
      bytes: bytes.length,
      vocabularySize: engine.vocabulary_size(),
    },
    suggest: (text, count) => toWords(engine.suggest(text, count)),
    known: (text) => engine.known_words(text),
    personal: (action) => checked(() => engine.personal(action.do, action.text)),
    free: () => engine.free(),
  };
}

/** Calls what throws texts: an error's code, a line break and its message. */
function checked<Result>(call: () => Result): Result {
  try {
    return call();
  } catch (error) {
    if (typeof error !== "string") throw error;
    const [code, ...message] = error.split("\n");
    throw new LmError(code as LmErrorCode, message.join("\n"));
  }
}

/** `[prefixLength, text, probability, text, probability, …]` to objects. */
function toWords([prefixLength, ...rest]: readonly unknown[]): Word[] {
  const words: Word[] = [];
  for (let i = 0; i < rest.length; i += 2) {
    words.push({
      text: rest[i] as string,
      probability: rest[i + 1] as number,
      prefixLength: prefixLength as number,
    });
  }
  return words;
}

/** Lines of `key = value`; the values of a key that recurs become lines of one value. */
function parseMetadata(lines: string): Record<string, string> {
  const metadata = new Map<string, string>();
  for (const line of lines.split("\n").filter(Boolean)) {
    const [key = "", ...rest] = line.split(" = ");
    const value = rest.join(" = ");
    const former = metadata.get(key);
    metadata.set(key, former === undefined ? value : `${former}\n${value}`);
  }
  return Object.fromEntries(metadata);
}
