/* The rest of the first suggestion in an editable element: in grey at the caret, whose place the browser tells. */

import { caretOf, elementOf, isBreak, isText, type Place } from "../fields/editable.js";
import { copyStyles, GhostHost } from "./ghost-host.js";
import { scaleOf } from "./shadow.js";

const CSS = `.rest { position: absolute; white-space: pre; }`;

/** As much of the text before the caret as may share its line. */
const LONGEST_LINE = 500;

/** Stands behind the caret as if it were typed there; the browser tells where that is. */
export class CaretGhost extends GhostHost<HTMLElement> {
  constructor(field: HTMLElement) {
    super(field, CSS);
  }

  protected draw(_: CSSStyleDeclaration, _before: string, rest: string): Iterable<DOMRect> | undefined {
    const place = caretOf(this.field);
    const caret = place && caretRect(place);
    if (!caret) return undefined;

    const style = getComputedStyle(elementOf(place.node));
    copyStyles(this.host, style);
    this.rest.textContent = rest;
    const scale = scaleOf(this.field);
    const { left, right, top } = this.host.getBoundingClientRect();
    // A line as high as the caret has the letters where the text has them.
    this.rest.style.lineHeight = `${caret.height / scale}px`;
    this.rest.style.top = `${(caret.top - top) / scale}px`;
    const start = style.direction === "ltr" ? caret.left - left : right - caret.left;
    this.rest.style.insetInlineStart = `${start / scale}px`;
    return rectsBefore(place, LONGEST_LINE);
  }
}

/** What can be seen of so much before a place, in the same node. */
function rectsBefore({ node, offset }: Place, length: number): DOMRectList {
  const range = node.ownerDocument!.createRange();
  range.setStart(node, Math.max(0, offset - length));
  range.setEnd(node, offset);
  return range.getClientRects();
}

/** Where the caret stands; browsers know it within text, and in an empty line by what keeps that open. */
function caretRect(place: Place): DOMRect | undefined {
  const [rect] = rectsBefore(place, 0);
  if (rect) return rect;
  const { node, offset } = place;
  const previous = node.childNodes[offset - 1];
  if (previous && isText(previous) && previous.length > 0) return caretRect({ node: previous, offset: previous.length });
  const next = node.childNodes[offset];
  return next && isBreak(next) ? next.getClientRects()[0] : undefined;
}
