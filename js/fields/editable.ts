/* Elements with contenteditable as fields for suggestions. */

import type { Field, Surroundings } from "../controller.js";
import type { Transform } from "../predictor.js";
import { isWritable } from "./consent.js";
import { edit } from "./edit.js";

/** A place in the document. */
export interface Place {
  readonly node: Node;
  readonly offset: number;
}

/** As much text before the caret as the model reads, and more: the rest of it is not walked through. */
const READ_UNITS = 4096;
/** Stands for what is no text, such as a picture or a mention. */
const OBJECT = "\uFFFC";
const KEPT_SPACE = "\u00a0";
/** Stands between the text before the caret and that behind it, as no text does. */
const CARET = "\0";

/** Reads and changes the text at the caret of an editable element. Blocks and line breaks separate lines. */
export class EditableField implements Field {
  readonly #element: HTMLElement;

  constructor(element: HTMLElement) {
    this.#element = element;
  }

  read(): Surroundings | undefined {
    const caret = isWritable(this.#element) ? caretOf(this.#element) : undefined;
    if (!caret) return undefined;
    const text = textFrom(this.#element, caret, true) + CARET + textFrom(this.#element, caret, false);
    // At the ends of a line there are no spaces but those that are kept; a break at the end of all only keeps a line open.
    const seen = text.replace(/ *(?:\n? *$|(^|\n)) */g, "$1").replaceAll(KEPT_SPACE, " ");
    const [before, after] = seen.split(CARET) as [string, string];
    return { before, after, room: Infinity };
  }

  apply(transform: Transform): void {
    const caret = caretOf(this.#element);
    const text = this.read();
    if (!caret || !text) return;
    const replaced = text.before.slice(-transform.deleteLeft || Infinity);
    edit(this.#element.ownerDocument, replaced, transform, (units) => {
      // Beside a break or a picture no text says where the caret is.
      const start = units > 0 ? moveLeft(this.#element, caret, units) : caret;
      selectionOf(this.#element)?.setBaseAndExtent(start.node, start.offset, caret.node, caret.offset);
    });
  }
}

/** Where the caret is, if it is in the element and nothing is selected. */
export function caretOf(element: HTMLElement): Place | undefined {
  const selection = selectionOf(element);
  const root = element.getRootNode();
  // In a shadow root nobody but this tells where.
  const composed = "host" in root && selection?.getComposedRanges?.({ shadowRoots: [root as ShadowRoot] })[0];
  const range = composed || (selection?.rangeCount ? selection.getRangeAt(0) : undefined);
  if (!range?.collapsed || !element.contains(range.startContainer)) return undefined;
  return { node: range.startContainer, offset: range.startOffset };
}

/** Only Chromium's shadow roots have a selection of their own. */
function selectionOf(element: HTMLElement): Selection | null {
  const root = element.getRootNode() as Node & { getSelection?: () => Selection | null };
  return root.getSelection ? root.getSelection() : element.ownerDocument.getSelection();
}

/** The text before a place, or behind it, as far as it counts, as {@link plain} parts. */
function textFrom(root: HTMLElement, place: Place, back: boolean): string {
  let text = "";
  let block = blockOf(root, place.node);
  for (const [node, start, end] of nodesFrom(root, place, back)) {
    if (text.length >= READ_UNITS || (!back && /\n\S/.test(text))) break;
    const part = isText(node) ? plain(node, start, end) : isBreak(node) ? "\n" : isIsland(node) ? OBJECT : "";
    if (part === "") continue;
    const own = blockOf(root, node);
    // White space between blocks only keeps them apart in the source.
    if (part === " " && own !== block) continue;
    if (back) text = part + (own === block || part === "\n" ? "" : "\n") + text;
    else text += (own === block ? "" : "\n") + part;
    block = own;
  }
  return text;
}

/** The place so many UTF-16 units further left, in whichever text that is. */
function moveLeft(root: HTMLElement, place: Place, units: number): Place {
  let left = units;
  for (const [node, , end] of nodesFrom(root, place, true)) {
    if (!isText(node)) continue;
    const length = end ?? node.length;
    if (length >= left) return { node, offset: length - left };
    left -= length;
  }
  return { node: root, offset: 0 };
}

/** The nodes before a place, or behind it, the nearest first; of the text that it is in, from where to where. */
function* nodesFrom(root: HTMLElement, { node, offset }: Place, back: boolean): Generator<[Node, number?, number?]> {
  const walker = root.ownerDocument.createTreeWalker(root, NodeFilter.SHOW_ALL, (candidate) =>
    isIsland(candidate.parentElement ?? root) ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT,
  );
  if (isText(node)) yield back ? [node, 0, offset] : [node, offset];
  const previous = node.childNodes[offset - 1];
  walker.currentNode = previous ?? node;
  if (previous) {
    while (walker.lastChild());
    if (back) yield [walker.currentNode];
  }
  while (back ? walker.previousNode() : walker.nextNode()) yield [walker.currentNode];
}

function blockOf(root: HTMLElement, node: Node): Element {
  let element = elementOf(node);
  while (element !== root && /^(inline|contents)/.test(getComputedStyle(element).display)) {
    element = element.parentElement!;
  }
  return element;
}

/**
 * Part of a text, as the parts of a line are put together: white space that the browser draws as one space, or as none at
 * the ends of a line, is one space; whatever it draws as it stands does not break.
 */
function plain(text: Text, start?: number, end?: number): string {
  const keeps = getComputedStyle(elementOf(text)).whiteSpace.startsWith("pre");
  const part = text.data.slice(start, end);
  return keeps ? part.replaceAll(" ", KEPT_SPACE) : part.replace(/[\t\n\r ]+/g, " ");
}

// None of these asks for a class: a node of another window is of that one's classes.

/** The element that a node is or is in. */
export function elementOf(node: Node): Element {
  return isText(node) ? node.parentElement! : (node as Element);
}

export function isText(node: Node): node is Text {
  return node.nodeType === Node.TEXT_NODE;
}

export function isBreak(node: Node): node is HTMLBRElement {
  return (node as Element).localName === "br";
}

function isIsland(node: Node): boolean | undefined {
  const islands = "img, svg, video, canvas, input, button, select, [contenteditable=false]";
  return (node as Partial<Element>).matches?.(islands);
}
