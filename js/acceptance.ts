/* What the next input means right after a suggestion was accepted: as phones do it. */

import type { Transform } from "./predictor.js";

/** A suggestion that has just been put in. */
export interface Acceptance {
  /** The text before the caret since then. */
  readonly before: string;
  /** What takes it back. */
  readonly reversion: Transform;
}

/** What of a `beforeinput` event matters here. */
export type TextInput = Pick<InputEvent, "inputType" | "data">;

const NO_SPACE_BEFORE = /^[.,!?;:)\]}»”’…]$/u;
const QUOTES = /^["']$/;
/** In front of these a word needs no space of its own. */
const SEPARATED = /^[ \u00a0.,!?;:)\]}»”’…]/u;

/**
 * The transform of a suggestion where `after` follows: without its space where there is one, or a mark, already, or no
 * room for it.
 */
export function fitSpace({ deleteLeft, text }: Transform, after: string, room: number): Transform {
  return { deleteLeft, text: SEPARATED.test(after) || text.length - deleteLeft > room ? text.trimEnd() : text };
}

/**
 * What an input becomes when it directly follows an acceptance: a deletion takes the whole word back, a mark takes the
 * place of the space behind the word, a space is the one that is there already. `undefined`: what it always is.
 */
export function inputAfter({ before, reversion }: Acceptance, { inputType, data }: TextInput): Transform | undefined {
  if (inputType === "deleteContentBackward") return reversion;
  if (inputType !== "insertText" || data === null || !before.endsWith(" ")) return undefined;
  if (data === " ") return { deleteLeft: 0, text: "" };
  const closes = NO_SPACE_BEFORE.test(data) || (QUOTES.test(data) && isOpen(data, before));
  return closes ? { deleteLeft: 1, text: data } : undefined;
}

/** Whether a straight quotation mark has been opened in the line and not been closed. */
function isOpen(quote: string, before: string): boolean {
  const line = before.slice(before.lastIndexOf("\n") + 1);
  let open = false;
  for (let at = line.indexOf(quote); at >= 0; at = line.indexOf(quote, at + 1)) {
    // Between two letters it is an apostrophe.
    if (!/[\p{L}\p{N}]/u.test(line[at - 1] ?? "")) open = true;
    else if (!/[\p{L}\p{N}]/u.test(line[at + 1] ?? "")) open = false;
  }
  return open;
}
