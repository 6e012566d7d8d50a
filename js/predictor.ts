/* The model as the page sees it. */

import { Connection } from "./connection.js";
import { LmError } from "./errors.js";
import { resolveSource, type ModelSource } from "./load.js";
import type { Download, ModelInfo, WorkerLike, Word } from "./protocol.js";
import { lengthBeforeNfc, toNfc } from "./text.js";

/** How loading goes on: a download's progress, then `ready`. */
export type Progress = Download | { readonly status: "ready"; readonly info: ModelInfo };

/** A change of the text at the caret. */
export interface Transform {
  /** How many UTF-16 units before the caret go. */
  readonly deleteLeft: number;
  /** What comes in their place. */
  readonly text: string;
}

/** A word that may come next, or that the current one may become. */
export interface Suggestion {
  /** The word. */
  readonly text: string;
  /** How likely it is, from 0 to 1, given the text and the part of it that is typed. */
  readonly probability: number;
  /** What puts the word and a space into the text. */
  readonly insert: Transform;
}

/** What {@link Predictor.load} may be told. */
export interface LoadOptions {
  /** Called while the model is downloaded and once it is ready. */
  readonly onProgress?: (progress: Progress) => void;
  /**
   * `true` (the default): the model works in a worker of its own; without workers, as in Node, in the caller's thread.
   * `false`: in the caller's thread. A worker: one that you made of `lm-wasm/worker`; it ends with the predictor.
   */
  readonly worker?: boolean | Worker;
  /** Folder with the models called by name, in place of the package's own. */
  readonly baseUrl?: string | URL;
  /** Address of `lm_wasm_bg.wasm`, in place of the package's own. */
  readonly wasmUrl?: string | URL;
  /** Ends loading. */
  readonly signal?: AbortSignal;
}

/** What {@link Predictor.suggest} may be told. */
export interface SuggestOptions {
  /** How many suggestions at most (3). */
  readonly count?: number;
  /** Ends waiting; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Whatever suggests words: a {@link Predictor}, or your own that wraps or replaces one. */
export interface Suggester {
  suggest(text: string, options?: SuggestOptions): Promise<readonly Suggestion[]>;
}

/** The model reads the last 1024 bytes of a text: it answers this much as it answers all, whatever the length. */
const READ_UNITS = 2048;

// A net for predictors that nobody disposed of. A connection must not hold its predictor, or none is ever caught.
const abandoned = new FinalizationRegistry<Connection>((connection) => connection.close());

/** A language model that suggests words for a text. After loading it makes no network request. */
export class Predictor implements Suggester {
  /** What the model says of itself. */
  readonly info: ModelInfo;
  readonly #connection: Connection;

  private constructor(connection: Connection, info: ModelInfo) {
    this.#connection = connection;
    this.info = info;
    abandoned.register(this, connection, this);
  }

  /**
   * Loads a model.
   *
   * @param source a shipped model's name (`"en"`), the address of a `.lm` file, or its bytes
   * @throws {@link LmError} that says what could not be loaded and what to do about it
   */
  static async load(source: ModelSource, options: LoadOptions = {}): Promise<Predictor> {
    const { onProgress, signal, wasmUrl } = options;
    signal?.throwIfAborted();
    const resolved = resolveSource(source, options.baseUrl);
    const wasm = wasmUrl === undefined ? undefined : new URL(wasmUrl, globalThis.document?.baseURI).href;
    const connection = new Connection(await startWorker(options.worker));
    try {
      const info = await connection.load(resolved, wasm, onProgress, signal);
      onProgress?.({ status: "ready", info });
      return new Predictor(connection, info);
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  /**
   * Suggests words for the end of a text, the likeliest first: the next word after a space, else what the unfinished
   * word may become.
   *
   * The latest call wins: one that still waits for an earlier one to be answered rejects with an {@link LmError} of
   * code `superseded` when a newer one comes. To ask about several texts, await each before the next.
   */
  async suggest(text: string, { count = 3, signal }: SuggestOptions = {}): Promise<Suggestion[]> {
    if (!Number.isInteger(count) || count < 1) {
      throw new LmError("argument", `${count} is no count of suggestions: pass a whole number from 1`);
    }
    const end = text.slice(-READ_UNITS);
    const nfc = toNfc(end);
    const words = await this.#connection.suggest(nfc, count, signal, this);
    return words.map((word) => toSuggestion(word, lengthBeforeNfc(end, nfc, word.prefixLength)));
  }

  /** Ends the worker and frees the model. Promises that are still open reject with the code `disposed`. */
  dispose(): void {
    abandoned.unregister(this);
    this.#connection.close();
  }
}

function toSuggestion({ text, probability }: Word, deleteLeft: number): Suggestion {
  return { text, probability, insert: { deleteLeft, text: `${text} ` } };
}

async function startWorker(worker: boolean | Worker = true): Promise<WorkerLike> {
  if (typeof worker === "object") return worker as WorkerLike;
  if (!worker || typeof Worker === "undefined") {
    const { LocalWorker } = await import("./local-worker.js");
    return new LocalWorker();
  }
  try {
    // Bundlers know this form and no other.
    return new Worker(new URL("./worker.js", import.meta.url), { type: "module", name: "lm-wasm" }) as WorkerLike;
  } catch (error) {
    const remedy = "serve the package from the page's origin, or pass { worker: false }";
    throw new LmError("worker", `the worker cannot be started: ${remedy}`, { cause: error });
  }
}
