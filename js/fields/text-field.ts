/* Text areas and text inputs as fields for suggestions. */

import type { Field, Surroundings } from "../controller.js";
import { LmError } from "../errors.js";
import type { Transform } from "../predictor.js";

/** What suggestions can be attached to: a text area, or an input of type `text` or `search`. */
export type TextFieldElement = HTMLTextAreaElement | HTMLInputElement;

const INPUT_TYPES = ["text", "search"];

/** Why a field must not be read, or nothing. */
export function refusal(element: TextFieldElement): string | undefined {
  if (element.localName !== "textarea" && element.localName !== "input") {
    return `a <${element.localName}> is not a text field: pass a <textarea>, or an <input> of type text or search`;
  }
  if (element.localName === "input" && !INPUT_TYPES.includes(element.type)) {
    return `an <input> of type ${element.type} gets no suggestions: only text and search do`;
  }
  const secret = element.autocomplete.split(/\s+/).find((token) => /^(cc-|one-time-code$|.*-password$)/i.test(token));
  return secret && `a field with autocomplete="${secret}" gets no suggestions`;
}

/** Reads and changes the text of an element. */
export class TextField implements Field {
  readonly #element: TextFieldElement;

  constructor(element: TextFieldElement) {
    const reason = refusal(element);
    if (reason) throw new LmError("field", reason);
    this.#element = element;
  }

  /** Looks anew each time whether the field may be read: a page can make a password of it, or lock it, later on. */
  read(): Surroundings | undefined {
    const { value, selectionStart: caret, selectionEnd } = this.#element;
    if (caret === null || caret !== selectionEnd || !this.#usable()) return undefined;
    return { before: value.slice(0, caret), after: value.slice(caret) };
  }

  #usable(): boolean {
    const element = this.#element;
    const { activeElement } = element.getRootNode() as Document | ShadowRoot;
    return activeElement === element && !element.readOnly && !element.disabled && !refusal(element);
  }

  apply({ deleteLeft, text }: Transform): void {
    const element = this.#element;
    const caret = element.selectionStart ?? element.value.length;
    const replaced = element.value.slice(caret - deleteLeft, caret);
    // Where the word only goes on, what is typed stays, and so does its place in the undo history.
    const keep = text.startsWith(replaced) ? deleteLeft : 0;
    element.setSelectionRange(caret - deleteLeft + keep, caret);
    insert(element, text.slice(keep));
  }
}

/** Replaces the selection. */
function insert(element: TextFieldElement, text: string): void {
  // Deprecated, and yet the one way to change a text that native undo knows of; every browser keeps it for that.
  if (element.ownerDocument.execCommand("insertText", false, text)) return;
  element.setRangeText(text, element.selectionStart ?? 0, element.selectionEnd ?? 0, "end");
  element.dispatchEvent(new InputEvent("input", { bubbles: true, inputType: "insertText", data: text }));
}
