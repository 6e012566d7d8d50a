/* The rest of the first suggestion, in grey behind the caret. */

import { isInput, type TextFieldElement } from "../fields/consent.js";
import { copyStyles, GhostHost } from "./ghost-host.js";
import { appendElement } from "./shadow.js";

const CSS = `
.mirror {
  position: absolute;
  box-sizing: border-box;
  width: 100%;
  visibility: hidden;
}
`;

/** What decides where a character stands, besides the letters' own looks. */
const PLACING =
  /^(hyphens|line-(break|height)|overflow-wrap|padding-(bottom|top)|tab-size|text-(align|indent|wrap)|unicode-bidi|white-space|word-break)/;

/**
 * The browser would spend more time on the layout of a longer text than a keystroke should take. Of one that is written
 * at its end the last lines are enough: they stand at the bottom.
 */
const LONGEST_MIRRORED = 20_000;

/** Keeps the line that the rest stands in, also where there is nothing else in it. */
const LINE_KEEPER = "\u200b";

/**
 * A text field cannot show text that isn't its own. So a mirror with the same text, styles and width lies over it,
 * invisible up to the caret; what stands there is at the right place, whatever the font and the wrapping.
 */
export class Ghost extends GhostHost<TextFieldElement> {
  readonly #mirror: HTMLElement;
  readonly #before: HTMLElement;

  constructor(field: TextFieldElement) {
    super(field, CSS);
    this.#mirror = appendElement(this.root, "div", "mirror");
    this.#before = appendElement(this.#mirror, "span");
    this.#mirror.append(this.rest, LINE_KEEPER);
  }

  protected draw(style: CSSStyleDeclaration, before: string, rest: string): Iterable<DOMRect> | undefined {
    const { placeholder, value } = this.field;
    const mirrored = this.#mirrored(before);
    if (mirrored === undefined || (value === "" && placeholder !== "")) return undefined;

    this.#dress(style);
    this.#before.textContent = mirrored;
    this.rest.textContent = "";
    if (mirrored.length < before.length) this.#moveToBottom();
    const typed = [...this.#before.getClientRects()];
    const line = this.rest.offsetTop;
    this.rest.textContent = rest;
    // In the middle it takes no room, or what is typed would move.
    const room = style.textAlign.endsWith("center") ? -this.rest.offsetWidth : 0;
    this.rest.style.marginInlineEnd = `${room}px`;
    return this.rest.offsetTop === line ? typed : undefined;
  }

  /** As much of the text as is laid out anew: all of it, or whole lines at its end. */
  #mirrored(before: string): string | undefined {
    if (before.length <= LONGEST_MIRRORED) return before;
    const line = before.indexOf("\n", before.length - LONGEST_MIRRORED) + 1;
    return line > 0 && before.length === this.field.value.length ? before.slice(line) : undefined;
  }

  #dress(style: CSSStyleDeclaration): void {
    const mirror = this.#mirror.style;
    copyStyles(this.#mirror, style, PLACING);
    if (isInput(this.field)) {
      // A single line stands in the middle of its box.
      mirror.lineHeight = this.host.style.height;
      mirror.padding = "0";
      mirror.whiteSpace = "pre";
    }
    mirror.left = `${-this.field.scrollLeft}px`;
    mirror.top = `${-this.field.scrollTop}px`;
  }

  #moveToBottom(): void {
    const missing = this.field.scrollHeight - this.#mirror.offsetHeight;
    this.#mirror.style.top = `${missing - this.field.scrollTop}px`;
  }
}
