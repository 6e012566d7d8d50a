/* Changing a text so that the browser knows of it: one step of its undo history, and events as for typing. */

import type { Transform } from "../predictor.js";

/** The part of a change that differs from what is there: what is kept stays in its place in the undo history. */
export function withoutCommonStart(replaced: string, { deleteLeft, text }: Transform): Transform {
  let common = 0;
  while (common < replaced.length && replaced[common] === text[common]) common++;
  // Not between the halves of a character.
  if (/[\uD800-\uDBFF]/.test(text[common - 1] ?? "")) common--;
  return { deleteLeft: deleteLeft - common, text: text.slice(common) };
}

/** Puts a text in place of the selection; `false` if the browser does not let it. */
export function replaceSelection(owner: Document, text: string): boolean {
  // Deprecated, and yet the one way to change a text that native undo knows of; every browser keeps it for that.
  return text === "" ? owner.execCommand("delete") : owner.execCommand("insertText", false, text);
}
