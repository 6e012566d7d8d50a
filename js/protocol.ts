/*
 * The messages between the page and the thread that holds the model.
 *
 * Every request carries a token and every answer repeats it, so that an answer nobody waits for is recognized and
 * dropped. A thread serves one model: `load` comes first, once; then the others, any number of times.
 */

import type { LmErrorCode } from "./errors.js";
import type { Builds, ResolvedSource } from "./load.js";

/** Names a request; no two requests of a connection have the same. */
export type Token = number;

/** From the page to the model's thread. */
export type Request = Question & { readonly token: Token };

/** A request without its token. */
export type Question =
  | {
      readonly type: "load";
      readonly source: ResolvedSource;
      readonly wasm: Builds;
      /** Name that the personal words are kept under between visits; without one they are not kept. */
      readonly profile?: string | undefined;
    }
  | { readonly type: "suggest"; readonly text: string; readonly count: number; readonly phrase?: Phrase | undefined }
  | { readonly type: "known"; readonly text: string }
  | { readonly type: "personal"; readonly action: PersonalAction };

/** What can be done with the personal words; `export` is answered with their text, all others with nothing. */
export interface PersonalAction {
  readonly do: "learn" | "export" | "forget" | "block" | "unblock" | "import" | "clear";
  /** The word, what ends with it, or what is imported; nothing where all words are meant. */
  readonly text: string;
}

/** How far the first suggestion may go on with the words behind it. */
export interface Phrase {
  /** How many words it may have at most, the first one included. */
  readonly words: number;
  /** How likely all of them together must be, from 0 to 1. */
  readonly probability: number;
}

/** From the model's thread to the page. */
export type Response =
  | { readonly type: "progress"; readonly token: Token; readonly progress: Download }
  | { readonly type: "done"; readonly token: Token; readonly value: Answers[keyof Answers] }
  | { readonly type: "failed"; readonly token: Token; readonly code: LmErrorCode; readonly message: string };

/** What is answered to which question. */
export interface Answers {
  readonly load: ModelInfo;
  readonly suggest: readonly Word[];
  readonly known: number;
  readonly personal: string;
}

/** How far the model's download is. */
export interface Download {
  /** Tells it from {@link Ready}. */
  readonly status: "download";
  /** What is downloaded. */
  readonly url: string;
  /** Bytes received. */
  readonly loaded: number;
  /** Bytes there are; `undefined` where the server does not tell. */
  readonly total: number | undefined;
}

/** What a loaded model says of itself. */
export interface ModelInfo {
  /** The fields of the file's header, such as `language` and `licence`; a value may have several lines. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Size of the model file in bytes. */
  readonly bytes: number;
  /** How many words the model knows; some of them it may never suggest. */
  readonly vocabularySize: number;
}

/** One word that the model offers for a text. */
export interface Word {
  readonly text: string;
  readonly probability: number;
  /** How many UTF-16 units at the text's end are the beginning of this word. */
  readonly prefixLength: number;
  /** The words that are likely to follow this one. */
  readonly continuation?: string;
}

/** The part of the Worker interface that the protocol needs. */
export interface WorkerLike {
  postMessage(request: Request): void;
  onmessage: ((event: { readonly data: Response }) => void) | null;
  onerror: ((event: { readonly message?: string }) => void) | null;
  terminate(): void;
}
