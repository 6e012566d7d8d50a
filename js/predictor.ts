/* The model as the page sees it. */

import { Connection } from "./connection.js";
import { LmError, report } from "./errors.js";
import { resolveSource, resolveWasm, type ModelSource } from "./load.js";
import { PersonalWords } from "./personal.js";
import type { Download, ModelInfo, Phrase, Word } from "./protocol.js";
import { MODELS } from "./shipped.js";
import { startWorker } from "./start-worker.js";
import { lengthBeforeNfc, toNfc } from "./text.js";

/** How loading goes on: a download's progress, then `ready`. */
export type Progress = Download | Ready;

/** That the model is loaded. */
export interface Ready {
  /** Tells it from a {@link Download}. */
  readonly status: "ready";
  /** What the model says of itself. */
  readonly info: ModelInfo;
}

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
  /** The words that are likely to follow, separated by spaces; only of the first suggestion, and only if asked for. */
  readonly continuation?: string;
}

/** What {@link Predictor.load} may be told. */
export interface LoadOptions {
  /** Called while the model is downloaded and once it is ready. */
  readonly onProgress?: (progress: Progress) => void;
  /**
   * Where the model works. Left out: in a worker of its own, or in the caller's thread where a page cannot have that
   * worker (in Node, or if the package comes from another origin). `true`: in a worker or not at all. `false`: in the
   * caller's thread. A worker: one that you made of `lm-wasm/worker`; it ends with the predictor.
   */
  readonly worker?: boolean | Worker;
  /**
   * Address of a copy of the package (the folder with `dist`, `pkg` and `models` in it), from which the worker, the
   * WebAssembly and the models called by name are taken: for bundlers that don't ship such files, and for servers of
   * your own.
   */
  readonly baseUrl?: string | URL;
  /** Address of `lm_wasm_bg.wasm`, in place of the package's own. */
  readonly wasmUrl?: string | URL;
  /** What the model must be, as in the attribute of that name: `sha256-` and the digest in base64. */
  readonly integrity?: string;
  /**
   * Which words are learned by: `true` (the default) keeps them in the browser's IndexedDB, one list a language; a
   * name keeps a list of its own, as for each account; `false` learns nothing and keeps nothing.
   */
  readonly personal?: boolean | string;
  /** Ends loading. */
  readonly signal?: AbortSignal;
}

/** What {@link Predictor.suggest} may be told. */
export interface SuggestOptions {
  /** How many suggestions at most (3). */
  readonly count?: number;
  /** How far the first suggestion may go on with further words (not at all). */
  readonly phrase?: Phrase | undefined;
  /** Ends waiting; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Whose request it is (the predictor's own): of each requester the latest call wins. */
  readonly requester?: object;
}

/** Whatever suggests words: a {@link Predictor}, or your own that wraps or replaces one. */
export interface Suggester {
  /** Suggests words for the end of a text, the likeliest first; see {@link Predictor.suggest}. */
  suggest(text: string, options?: SuggestOptions): Promise<readonly Suggestion[]>;
  /** Learns the last word of a text and which word stands before it. */
  learn?(text: string): void;
  /** Never suggests a word again. */
  block?(word: string): void;
}

/** The model reads the last 1024 bytes of a text: it answers this much as it answers all, whatever the length. */
const READ_UNITS = 2048;

// A net for predictors that nobody disposed of. A connection must not hold its predictor, or none is ever caught.
const abandoned = new FinalizationRegistry<Connection>((connection) => connection.close());

/** A language model that suggests words for a text. After loading it makes no network request. */
export class Predictor implements Suggester {
  /** Names of the models that come with the package, as {@link Predictor.load} takes them. */
  static readonly models: readonly string[] = Object.keys(MODELS);
  /** What the model says of itself. */
  readonly info: ModelInfo;
  /** The words that were learned. */
  readonly personal: PersonalWords;
  readonly #connection: Connection;

  private constructor(connection: Connection, info: ModelInfo) {
    this.#connection = connection;
    this.info = info;
    this.personal = new PersonalWords(connection, this);
    abandoned.register(this, connection, this);
  }

  /**
   * Loads a model. One that failed can be loaded again: nothing of the failed attempt is kept.
   *
   * @param source a shipped model's name (`"en"`), the address of a `.lm` file, or its bytes
   * @throws {@link LmError} that says what could not be loaded and what to do about it
   */
  static async load(source: ModelSource, options: LoadOptions = {}): Promise<Predictor> {
    const { baseUrl, integrity, personal = true, onProgress, signal } = options;
    signal?.throwIfAborted();
    const model = resolveSource(source, { baseUrl, integrity });
    const wasm = resolveWasm(options.wasmUrl, baseUrl);
    const connection = new Connection(await startWorker(options.worker, baseUrl));
    try {
      const profile = personal === false ? undefined : personal === true ? "" : personal;
      const question = { type: "load", source: model, wasm, profile } as const;
      const info = await connection.ask(question, { onDownload: onProgress, signal });
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
   * code `superseded` when a newer one of the same requester comes. To ask about several texts, await each before the
   * next.
   */
  async suggest(text: string, options: SuggestOptions = {}): Promise<Suggestion[]> {
    const { count = 3, phrase, signal, requester } = options;
    if (!Number.isInteger(count) || count < 1) {
      throw new LmError("argument", `${count} is no count of suggestions: pass a whole number from 1`);
    }
    const end = text.slice(-READ_UNITS);
    const nfc = toNfc(end);
    const question = { type: "suggest", text: nfc, count, phrase } as const;
    const words = await this.#connection.ask(question, { signal, requester, owner: this });
    return words.map((word) => toSuggestion(word, lengthBeforeNfc(end, nfc, word.prefixLength)));
  }

  /**
   * How many of the last words of a text the model knows, the last one counted as 1, each before it as 0.8 of that: at
   * most 5. Of models of several languages, the one that knows most is the one to ask.
   */
  known(text: string): Promise<number> {
    return this.#connection.ask({ type: "known", text: toNfc(text.slice(-READ_UNITS)) }, { owner: this });
  }

  /** Learns the last word of a text and which word stands before it. What was loaded with `personal: false` does not. */
  learn(text: string): void {
    this.personal.learn(text);
  }

  /** Never suggests a word again, until {@link PersonalWords.unblock}. */
  block(word: string): void {
    this.personal.block(word).catch(report);
  }

  /**
   * Ends the worker and frees the model, once it has kept what it was told to learn. Promises that are still open reject
   * with the code `disposed`.
   */
  dispose(): void {
    abandoned.unregister(this);
    this.#connection.close();
  }
}

function toSuggestion({ prefixLength: _, ...word }: Word, deleteLeft: number): Suggestion {
  return { ...word, insert: { deleteLeft, text: `${word.text} ` } };
}
