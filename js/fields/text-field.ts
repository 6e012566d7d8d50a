/* Text areas and text inputs as fields for suggestions. */

import type { Field, Surroundings } from "../controller.js";
import type { Transform } from "../predictor.js";
import { isWritable, type TextFieldElement } from "./consent.js";
import { edit } from "./edit.js";

/** Reads and changes the text of an element. */
export class TextField implements Field {
  readonly #element: TextFieldElement;

  constructor(element: TextFieldElement) {
    this.#element = element;
  }

  /** Looks anew each time whether the field may be read: a page can make a password of it, or lock it, later on. */
  read(): Surroundings | undefined {
    if (!isWritable(this.#element)) return undefined;
    const { value, selectionStart: caret, selectionEnd, maxLength } = this.#element;
    // Neither is null for any type that may be read.
    if (caret !== selectionEnd) return undefined;
    const room = maxLength < 0 ? Infinity : maxLength - value.length;
    return { before: value.slice(0, caret!), after: value.slice(caret!), room };
  }

  apply(transform: Transform): void {
    const element = this.#element;
    const caret = element.selectionStart!;
    const replaced = element.value.slice(caret - transform.deleteLeft, caret);
    edit(element.ownerDocument, replaced, transform, (units) => element.setSelectionRange(caret - units, caret));
  }
}
