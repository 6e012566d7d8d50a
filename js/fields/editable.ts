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

/** Reads and changes the text at the caret of an editable element. Blocks and line breaks separate lines. */
export class EditableField implements Field {
  readonly #element: HTMLElement;

  constructor(element: HTMLElement) {
    this.#element = element;
  }

  read(): Surroundings | undefined {
    const caret = isWritable(this.#element) ? caretOf(this.#element) : undefined;
    if (!caret) return undefined;
    return { before: textBefore(this.#element, caret), after: textAfter(this.#element, caret) };
  }

  apply(transform: Transform): void {
    const caret = caretOf(this.#element);
    if (!caret) return;
    const replaced = textBefore(this.#element, caret).slice(-transform.deleteLeft || Infinity);
    edit(this.#element.ownerDocument, replaced, transform, (units) => {
      const start = moveLeft(this.#element, caret, units);
      selectionOf(this.#element)?.setBaseAndExtent(start.node, start.offset, caret.node, caret.offset);
    });
  }
}

/** Where the caret is, if it is in the element and nothing is selected. */
export function caretOf(element: HTMLElement): Place | undefined {
  const selection = selectionOf(element);
  const root = element.getRootNode();
  // Only Chromium's shadow roots have a selection of their own.
  const range =
    root instanceof ShadowRoot && !("getSelection" in root) && selection && "getComposedRanges" in selection
      ? selection.getComposedRanges({ shadowRoots: [root] })[0]
      : selection?.rangeCount
        ? selection.getRangeAt(0)
        : undefined;
  if (!range?.collapsed || !element.contains(range.startContainer)) return undefined;
  return { node: range.startContainer, offset: range.startOffset };
}

function selectionOf(element: HTMLElement): Selection | null {
  const root = element.getRootNode() as Node & { getSelection?: () => Selection | null };
  return root.getSelection ? root.getSelection() : element.ownerDocument.getSelection();
}

function textBefore(root: HTMLElement, place: Place): string {
  let text = "";
  let block = blockOf(root, place.node);
  for (const [node, length] of leftOf(root, place)) {
    if (text.length >= READ_UNITS) break;
    if (isText(node)) {
      const own = blockOf(root, node);
      text = plain(node).slice(0, length) + (own === block ? "" : "\n") + text;
      block = own;
    } else if (isBreak(node)) {
      // At the end of a block it only keeps that open: the end of the block is this one line break.
      block = blockOf(root, node);
      text = `\n${text}`;
    } else if (isIsland(node)) text = OBJECT + text;
  }
  return text;
}

/** The rest of the line; what follows in other lines is a line break, and nothing if there is none. */
function textAfter(root: HTMLElement, place: Place): string {
  const block = blockOf(root, place.node);
  let text = "";
  let broken = false;
  for (const [node, offset] of rightOf(root, place)) {
    if (text.length >= READ_UNITS) break;
    if (!isText(node) && !isBreak(node) && !isIsland(node)) continue;
    // A break at the end of a block only keeps it open.
    if (broken || blockOf(root, node) !== block) return `${text}\n`;
    if (isBreak(node)) broken = true;
    else text += isText(node) ? plain(node).slice(offset) : OBJECT;
  }
  return text;
}

/** The place so many UTF-16 units further left, in whichever text that is. */
function moveLeft(root: HTMLElement, place: Place, units: number): Place {
  let left = units;
  for (const [node, length] of leftOf(root, place)) {
    if (!isText(node)) continue;
    if (length >= left) return { node, offset: length - left };
    left -= length;
  }
  return left === 0 ? place : { node: root, offset: 0 };
}

/** The nodes before a place, the nearest first, each with how much of it lies there if it is text. */
function* leftOf(root: HTMLElement, { node, offset }: Place): Generator<[Node, number]> {
  const walker = walkerAt(root, node);
  if (isText(node)) yield [node, offset];
  let next = node instanceof Text ? walker.previousNode() : nodeBefore(walker, node, offset);
  for (; next; next = walker.previousNode()) yield [next, isText(next) ? next.length : 0];
}

/** The nodes behind a place, the nearest first, each with where what lies there begins. */
function* rightOf(root: HTMLElement, { node, offset }: Place): Generator<[Node, number]> {
  const walker = walkerAt(root, node);
  if (isText(node)) yield [node, offset];
  let next = node instanceof Text ? walker.nextNode() : nodeBehind(walker, node, offset);
  for (; next; next = walker.nextNode()) yield [next, 0];
}

function walkerAt(root: HTMLElement, node: Node): TreeWalker {
  const inIsland = (candidate: Node) =>
    candidate.parentElement && candidate.parentElement !== root && isIsland(candidate.parentElement);
  const walker = root.ownerDocument.createTreeWalker(root, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT, (candidate) =>
    inIsland(candidate) ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT,
  );
  walker.currentNode = node;
  return walker;
}

/** The last node before a place in an element, in the order of the document. */
function nodeBefore(walker: TreeWalker, node: Node, offset: number): Node | null {
  const child = node.childNodes[offset - 1];
  if (!child) return walker.previousNode();
  walker.currentNode = child;
  while (walker.lastChild());
  return walker.currentNode;
}

/** The first node behind a place in an element, in the order of the document. */
function nodeBehind(walker: TreeWalker, node: Node, offset: number): Node | null {
  const child = node.childNodes[offset];
  if (child) return (walker.currentNode = child);
  while (walker.lastChild());
  return walker.nextNode();
}

function blockOf(root: HTMLElement, node: Node): Element {
  let element = node instanceof Element ? node : node.parentElement;
  while (element && element !== root && /^(inline|contents)/.test(getComputedStyle(element).display)) {
    element = element.parentElement;
  }
  return element ?? root;
}

/** The text as it reads: line breaks of the source are spaces, unless they are kept, and so are those that don't break. */
function plain(text: Text): string {
  const keeps = text.parentElement && getComputedStyle(text.parentElement).whiteSpace.startsWith("pre");
  return text.data.replace(keeps ? /\u00a0/g : /[\u00a0\t\n\r]/g, " ");
}

function isText(node: Node): node is Text {
  return node instanceof Text && node.data !== "";
}

function isBreak(node: Node): boolean {
  return node instanceof Element && node.localName === "br";
}

function isIsland(node: Node): boolean {
  if (!(node instanceof Element)) return false;
  return /^(img|svg|video|canvas|input|button|select)$/.test(node.localName) || node.matches("[contenteditable=false]");
}
