/* The model in WebAssembly. The only file that knows the generated package. */

import initWasm, { Engine as WasmEngine } from "../pkg/lm_wasm.js";
import { LmError, toLmError } from "./errors.js";
import { fastestModule, requireSimd } from "./features.js";
import { fetchBytes } from "./load.js";
import type { ModelInfo, Word } from "./protocol.js";

/** A loaded model: the same text gives the same words. */
export interface Engine {
  readonly info: ModelInfo;
  suggest(text: string, count: number): Word[];
  free(): void;
}

let wasm: Promise<unknown> | undefined;

/** Compiles the WebAssembly module, once for all models of a thread; a failure is forgotten, so that a retry is one. */
export function loadWasm(url: string = fastestModule().href): Promise<unknown> {
  wasm ??= compile(url).catch((error: unknown) => {
    wasm = undefined;
    throw error;
  });
  return wasm;
}

async function compile(url: string): Promise<unknown> {
  requireSimd();
  // A browser compiles while it downloads; elsewhere a file: address has to be read first.
  const source = url.startsWith("file:") ? await fetchBytes(url) : url;
  try {
    return await initWasm({ module_or_path: source });
  } catch (error) {
    const remedy = "check that it is served there and that the page's policy has script-src 'wasm-unsafe-eval'";
    throw new LmError("wasm", `${url} cannot be compiled (${toLmError(error, "wasm").message}): ${remedy}`, {
      cause: error,
    });
  }
}

/** Makes an engine of a model file's bytes; the module must be compiled. */
export function createEngine(bytes: Uint8Array): Engine {
  const engine = attempt(() => new WasmEngine(bytes));
  return {
    info: attempt(() => ({
      metadata: parseMetadata(engine.metadata()),
      bytes: bytes.length,
      vocabularySize: engine.vocabulary_size(),
    })),
    suggest: (text, count) => attempt(() => toWords(engine.suggest(text, count))),
    free: () => engine.free(),
  };
}

function attempt<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw toLmError(error, "wasm");
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
