/*
 * The messages between the page and the thread that holds the model.
 *
 * Every request carries a token and every answer repeats it, so that an answer nobody waits for is recognized and
 * dropped. A thread serves one model: `load` comes first, once; then `suggest`, any number of times.
 */

import type { LmErrorCode } from "./errors.js";
import type { ResolvedSource } from "./load.js";

/** Names a request; no two requests of a connection have the same. */
export type Token = number;

/** From the page to the model's thread. */
export type Request =
  | { readonly type: "load"; readonly token: Token; readonly source: ResolvedSource; readonly wasmUrl?: string }
  | { readonly type: "suggest"; readonly token: Token; readonly text: string; readonly count: number };

/** From the model's thread to the page. */
export type Response =
  | { readonly type: "progress"; readonly token: Token; readonly progress: Download }
  | { readonly type: "loaded"; readonly token: Token; readonly info: ModelInfo }
  | { readonly type: "suggested"; readonly token: Token; readonly words: readonly Word[] }
  | { readonly type: "failed"; readonly token: Token; readonly code: LmErrorCode; readonly message: string };

/** How far the model's download is. */
export interface Download {
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
}

/** The part of the Worker interface that the protocol needs. */
export interface WorkerLike {
  postMessage(request: Request): void;
  onmessage: ((event: { readonly data: Response }) => void) | null;
  onerror: ((event: { readonly message?: string }) => void) | null;
  terminate(): void;
}
