/* What every kind of ghost text has: an element over the field that screen readers pass over. */

import type { GhostView } from "../controller.js";
import { isInput } from "../fields/consent.js";
import { appendElement, Companion, moveOnto, pixels } from "./shadow.js";

// The page's rules for whatever a form has in it come before those for the host, unless these are important.
const CSS = `
:host {
  all: initial;
  position: absolute !important;
  overflow: hidden;
  left: 0;
  top: 0;
  pointer-events: none;
}
:host([hidden]) { display: none !important; }
.rest {
  visibility: visible;
  color: var(--lm-ghost-color, currentColor);
  opacity: var(--lm-ghost-opacity, 0.65);
}
@media (forced-colors: active) { .rest { color: GrayText; opacity: 1; } }
`;

/** What ghost text takes over from the text that it continues. */
const LETTERS = /^(color$|direction|font-|letter-spacing|text-(rendering|transform)|word-spacing)/;

/** Covers what of the field shows text; what it shows, and where, is each kind's own. */
export abstract class GhostHost<Field extends HTMLElement> extends Companion<Field> implements GhostView {
  protected readonly rest: HTMLElement;

  constructor(field: Field, css: string) {
    super("lm-ghost", field, CSS + css);
    this.host.ariaHidden = "true";
    this.rest = appendElement(this.root, "span", "rest");
    this.hide();
  }

  get visible(): boolean {
    return !this.host.hidden;
  }

  show(before: string, rest: string): void {
    const style = getComputedStyle(this.field);
    this.host.hidden = false;
    this.#cover(style);
    const typed = this.draw(style, before, rest);
    this.host.hidden = !typed || !this.#isClear(typed);
  }

  hide(): void {
    this.host.hidden = true;
  }

  /**
   * Puts the rest where it would be typed.
   *
   * @returns where the text can be seen that may lie beside it; nothing if there is no place for the rest
   */
  protected abstract draw(style: CSSStyleDeclaration, before: string, rest: string): Iterable<DOMRect> | undefined;

  #cover(style: CSSStyleDeclaration): void {
    const { field, host } = this;
    let { clientLeft: left, clientTop: top, clientWidth: width, clientHeight: height } = field;
    if (isInput(field)) {
      // Firefox counts the padding of an input as outside of its client area.
      [left, top] = [pixels(style.borderLeftWidth), pixels(style.borderTopWidth)];
      width = field.offsetWidth - left - pixels(style.borderRightWidth);
      height = field.offsetHeight - top - pixels(style.borderBottomWidth);
    }
    host.style.width = `${width - pixels(style.paddingLeft) - pixels(style.paddingRight)}px`;
    host.style.height = `${height}px`;
    host.style.zIndex = style.zIndex;
    moveOnto(host, field, left + pixels(style.paddingLeft), top);
  }

  /** Whether the rest stands in one line, can be seen as a whole, and does not lie on what is typed. */
  #isClear(typed: Iterable<DOMRect>): boolean {
    const [rect, more] = this.rest.getClientRects();
    const place = this.host.getBoundingClientRect();
    if (!rect || more || rect.left < place.left - 0.5 || rect.right > place.right + 0.5) return false;
    const [x, y] = [(rect.left + rect.right) / 2, (rect.top + rect.bottom) / 2];
    const isIn = ({ left, right, top, bottom }: DOMRect) => left < x && x < right && top < y && y < bottom;
    return isIn(place) && ![...typed].some(isIn);
  }
}

/** Gives an element the looks of letters, and the properties whose names match. */
export function copyStyles(to: HTMLElement, from: CSSStyleDeclaration, names?: RegExp): void {
  for (const name of from) {
    if (LETTERS.test(name) || names?.test(name)) to.style.setProperty(name, from.getPropertyValue(name));
  }
}
