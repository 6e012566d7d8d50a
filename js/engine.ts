/* The model in WebAssembly. The only file that knows the generated package. */

import { Engine as WasmEngine, initSync } from "../pkg/lm_wasm.js";
import { loadAsset } from "./cache.js";
import { LmError } from "./errors.js";
import type { Asset } from "./load.js";
import type { ModelInfo, PersonalAction, Word } from "./protocol.js";

/** A loaded model: the same text and the same personal words give the same suggestions. */
export interface Engine {
  readonly info: ModelInfo;
  suggest(text: string, count: number): Word[];
  /** How many of the last words of a text the model knows. */
  known(text: string): number;
  /** Learns the last word of a text; gives back what of the text another engine learns the same from, if anything. */
  learn(text: string): string;
  /** Does what is not learning, nor {@link Engine.exportPersonal}. */
  changePersonal(action: PersonalAction): void;
  exportPersonal(): string;
  free(): void;
}

let wasm: Promise<unknown> | undefined;

/** Compiles the WebAssembly module, once for all models of a thread; a failure is forgotten, so that a retry is one. */
export function loadWasm(asset: Asset): Promise<unknown> {
  wasm ??= compile(asset).catch((error: unknown) => {
    wasm = undefined;
    throw error;
  });
  return wasm;
}

async function compile(asset: Asset): Promise<unknown> {
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

/** Makes an engine of a model file's bytes; the module must be compiled. What fails has a code, but not our class. */
export function createEngine(bytes: Uint8Array): Engine {
  const engine = new WasmEngine(bytes);
  return {
    info: {
      metadata: parseMetadata(engine.metadata()),
      bytes: bytes.length,
      vocabularySize: engine.vocabulary_size(),
    },
    suggest: (text, count) => toWords(engine.suggest(text, count)),
    known: (text) => engine.known_words(text),
    learn: (text) => engine.learn(text),
    changePersonal: (action) => engine.change_personal(action.do, action.text),
    exportPersonal: () => engine.export_personal(),
    free: () => engine.free(),
  };
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
