/* The rest of the first suggestion in an editable element: in grey at the caret, whose place the browser tells. */

import { caretOf } from "../fields/editable.js";
import { GhostHost, growsRight } from "./ghost-host.js";
import { appendElement, LETTER_STYLES, moveOnto } from "./shadow.js";

const CSS = ":host { white-space: pre; }";

/** Stands behind the caret as if it were typed there; the browser tells where that is. */
export class CaretGhost extends GhostHost<HTMLElement> {
  readonly #rest: HTMLElement;

  constructor(field: HTMLElement) {
    super(field, CSS);
    this.#rest = appendElement(this.root, "span", "rest");
  }

  show(_before: string, rest: string): void {
    const caret = caretOf(this.field);
    const element = caret && (caret.node instanceof Element ? caret.node : caret.node.parentElement);
    const rect = caret && caretRect(this.field, caret.node, caret.offset);
    if (!element || !rect) return this.hide();
    const style = getComputedStyle(element);
    if (!growsRight(style)) return this.hide();
    for (const name of LETTER_STYLES) this.#rest.style.setProperty(name, style.getPropertyValue(name));
    this.host.hidden = false;
    this.#rest.textContent = rest;
    if (!this.#place(rect)) this.hide();
  }

  /** `false` if the rest cannot be seen as a whole. */
  #place({ right, top, height }: DOMRect): boolean {
    const field = this.field.getBoundingClientRect();
    const scale = field.width / this.field.offsetWidth || 1;
    // A line as high as the caret has the letters where the text has them.
    this.#rest.style.lineHeight = `${height / scale}px`;
    moveOnto(this.host, this.field, (right - field.left) / scale, (top - field.top) / scale);
    const { paddingRight, borderRightWidth } = getComputedStyle(this.field);
    const edge = field.right - (Number.parseFloat(paddingRight) + Number.parseFloat(borderRightWidth)) * scale;
    const middle = top + height / 2;
    return this.host.getBoundingClientRect().right <= edge + 0.5 && middle > field.top && middle < field.bottom;
  }
}

/** Where the caret stands; browsers know it within text, and in an empty line by what keeps that open. */
function caretRect(field: HTMLElement, node: Node, offset: number): DOMRect | undefined {
  const range = field.ownerDocument.createRange();
  range.setStart(node, offset);
  const [rect] = range.getClientRects();
  if (rect) return rect;
  const previous = node.childNodes[offset - 1];
  if (previous instanceof Text && previous.length > 0) return caretRect(field, previous, previous.length);
  const next = node.childNodes[offset];
  if (next instanceof Element && next.localName === "br") return next.getClientRects()[0];
  return undefined;
}
