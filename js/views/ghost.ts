/* The rest of the first suggestion, in grey behind the caret. */

import type { TextFieldElement } from "../fields/consent.js";
import { GhostHost, growsRight } from "./ghost-host.js";
import { appendElement, LETTER_STYLES, moveOnto } from "./shadow.js";

const CSS = `
:host { overflow: hidden; }
.mirror {
  position: absolute;
  left: 0;
  top: 0;
  box-sizing: border-box;
  width: 100%;
  visibility: hidden;
}
.mirror[data-kind="textarea"] { white-space: pre-wrap; overflow-wrap: break-word; }
.mirror[data-kind="input"] { white-space: pre; width: max-content; min-width: 100%; }
`;

/** What decides where a character stands, besides the letters' own looks. */
const PLACING = [
  "direction",
  "hyphens",
  "line-break",
  "line-height",
  "padding-bottom",
  "padding-left",
  "padding-right",
  "padding-top",
  "tab-size",
  "text-align",
  "text-indent",
  "word-break",
];

/**
 * The browser would spend more time on the layout of a longer text than a keystroke should take. Of one that is written
 * at its end the last lines are enough: they stand at the bottom.
 */
const LONGEST_MIRRORED = 20_000;

/** Keeps the line that the rest stands in, also where there is nothing else in it. */
const LINE_KEEPER = "\u200b";

/** The part of a field within its borders and scroll bars, in pixels from the field's left top corner. */
interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/**
 * A text field cannot show text that isn't its own. So a mirror with the same text, styles and width lies over it,
 * invisible up to the caret; what stands there is at the right place, whatever the font and the wrapping.
 */
export class Ghost extends GhostHost<TextFieldElement> {
  readonly #mirror: HTMLElement;
  readonly #before: HTMLElement;
  readonly #rest: HTMLElement;

  constructor(field: TextFieldElement) {
    super(field, CSS);
    this.#mirror = appendElement(this.root, "div", "mirror");
    this.#mirror.dataset.kind = field.localName;
    this.#before = appendElement(this.#mirror, "span", "before");
    this.#rest = appendElement(this.#mirror, "span", "rest");
    this.#mirror.append(LINE_KEEPER);
  }

  show(before: string, rest: string): void {
    const style = getComputedStyle(this.field);
    const mirrored = this.#mirrored(before);
    if (mirrored === undefined || !this.#canMirror(style)) return this.hide();

    const box = innerBox(this.field, style);
    this.host.hidden = false;
    this.#cover(box, style);
    this.#before.textContent = mirrored;
    if (mirrored.length < before.length) this.#moveToBottom();
    if (!this.#place(rest, box.width - pixels(style.paddingRight), box.height)) this.hide();
  }

  /** As much of the text as is laid out anew: all of it, or whole lines at its end. */
  #mirrored(before: string): string | undefined {
    if (before.length <= LONGEST_MIRRORED) return before;
    const line = before.indexOf("\n", before.length - LONGEST_MIRRORED) + 1;
    return line > 0 && before.length === this.field.value.length ? before.slice(line) : undefined;
  }

  #moveToBottom(): void {
    this.#rest.textContent = "";
    const missing = this.field.scrollHeight - this.#mirror.offsetHeight;
    this.#mirror.style.top = `${missing - this.field.scrollTop}px`;
  }

  /** Text that grows at its end must grow to the right, and the place must be free. */
  #canMirror(style: CSSStyleDeclaration): boolean {
    const { placeholder, value } = this.field;
    if (value === "" && placeholder !== "") return false;
    return growsRight(style);
  }

  #cover({ left, top, width, height }: Box, style: CSSStyleDeclaration): void {
    const mirror = this.#mirror.style;
    for (const name of [...LETTER_STYLES, ...PLACING]) mirror.setProperty(name, style.getPropertyValue(name));
    if (this.field.localName === "input") {
      // A single line stands in the middle of its box.
      mirror.lineHeight = `${height - pixels(style.paddingTop) - pixels(style.paddingBottom)}px`;
    }
    mirror.left = `${-this.field.scrollLeft}px`;
    mirror.top = `${-this.field.scrollTop}px`;
    this.host.style.width = `${width}px`;
    this.host.style.height = `${height}px`;
    this.host.style.zIndex = style.zIndex;
    moveOnto(this.host, this.field, left, top);
  }

  /** Puts the texts in; `false` if the rest moves what is typed to another line, or if it cannot be seen as a whole. */
  #place(rest: string, right: number, height: number): boolean {
    const { scrollLeft } = this.field;
    const element = this.#rest;
    element.textContent = "";
    const line = element.offsetTop;
    element.textContent = rest;
    if (element.offsetTop !== line || element.getClientRects().length !== 1) return false;
    const middle = line + element.offsetHeight / 2 + this.#mirror.offsetTop;
    return element.offsetLeft + element.offsetWidth - scrollLeft <= right && middle > 0 && middle < height;
  }
}

function innerBox(field: TextFieldElement, style: CSSStyleDeclaration): Box {
  const [left, top] = [pixels(style.borderLeftWidth), pixels(style.borderTopWidth)];
  if (field.localName === "textarea") return { left, top, width: field.clientWidth, height: field.clientHeight };
  // Firefox counts the padding of an input as outside of its client area.
  const width = field.offsetWidth - left - pixels(style.borderRightWidth);
  return { left, top, width, height: field.offsetHeight - top - pixels(style.borderBottomWidth) };
}

function pixels(length: string): number {
  return Number.parseFloat(length) || 0;
}
