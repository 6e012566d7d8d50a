/* Changing a text so that the browser knows of it: one step of its undo history, and events as for typing. */

import type { Transform } from "../predictor.js";

/**
 * Changes the text at the caret.
 *
 * @param replaced the text that goes
 * @param select selects so many UTF-16 units before the caret
 */
export function edit(owner: Document, replaced: string, transform: Transform, select: (units: number) => void): void {
  const { deleteLeft, text } = withoutCommonStart(replaced, transform);
  if (deleteLeft === 0 && text === "") return;
  // Also where nothing goes: what was typed is a step of its own from then on.
  select(deleteLeft);
  // Deprecated, and yet the one way to change a text that native undo knows of; every browser keeps it for that.
  owner.execCommand(text === "" ? "delete" : "insertText", false, text);
}

/** The part of a change that differs from what is there: what is kept stays in its place in the undo history. */
function withoutCommonStart(replaced: string, { deleteLeft, text }: Transform): Transform {
  let common = 0;
  while (common < replaced.length && replaced[common] === text[common]) common++;
  // Not between the halves of a character.
  if (/[\uD800-\uDBFF]/.test(text[common - 1] ?? "")) common--;
  return { deleteLeft: deleteLeft - common, text: text.slice(common) };
}
