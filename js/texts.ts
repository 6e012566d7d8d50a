/* What is said in words, to be said in other languages. */

import type { Suggestion } from "./predictor.js";

/** The library's own texts; those of {@link AttachOptions.texts} take the place of the English ones. */
export interface Texts {
  /** What screen readers call the bar (`"Suggestions"`). */
  readonly label: string;
  /** What a screen reader says once typing pauses; `key` takes the first suggestion: `"Tab"`, `"Alt+1"`. */
  readonly announce: (suggestions: readonly Suggestion[], key: string) => string;
  /** What is asked before a word is blocked. */
  readonly never: (word: string) => string;
}

/** The English texts. */
export const ENGLISH: Texts = {
  label: "Suggestions",
  announce: ({ length, 0: first }, key) =>
    `${length} suggestion${length === 1 ? "" : "s"}. ${first?.text}: ${key}.`,
  never: (word) => `Never suggest “${word}”`,
};
