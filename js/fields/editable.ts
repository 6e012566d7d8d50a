/* Elements with contenteditable as fields for suggestions. */

import type { Field, Surroundings } from "../controller.js";
import type { Transform } from "../predictor.js";
import { isWritable } from "./consent.js";
import { replaceSelection, withoutCommonStart } from "./edit.js";

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
    const { deleteLeft, text } = withoutCommonStart(replaced, transform);
    if (deleteLeft === 0 && text === "") return;
    const start = moveLeft(this.#element, caret, deleteLeft);
    selectionOf(this.#element)?.setBaseAndExtent(start.node, start.offset, caret.node, caret.offset);
    replaceSelection(this.#element.ownerDocument, text);
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

function textBefore(root: HTMLElement, { node, offset }: Place): string {
  const pieces: string[] = [];
  let block = blockOf(root, node);
  let length = 0;
  const add = (text: string) => {
    pieces.unshift(text);
    length += text.length;
  };
  if (node instanceof Text) add(plain(node).slice(0, offset));
  const walker = walkerAt(root, node);
  // Of an element the caret stands behind some children: they come first.
  let next = node instanceof Text ? walker.previousNode() : nodeBefore(walker, node, offset);
  for (; next && length < READ_UNITS; next = walker.previousNode()) {
    if (next instanceof Text) {
      const own = blockOf(root, next);
      if (own !== block && next.data !== "") add("\n");
      if (next.data !== "") block = own;
      add(plain(next));
    } else if (isBreak(next)) {
      // At the end of a block it only keeps that open: the end of the block is this one line break.
      block = blockOf(root, next);
      add("\n");
    } else if (isIsland(next)) add(OBJECT);
  }
  return pieces.join("");
}

/** The rest of the line; what follows in other lines is a line break, and nothing if there is none. */
function textAfter(root: HTMLElement, { node, offset }: Place): string {
  const block = blockOf(root, node);
  const walker = walkerAt(root, node);
  let text = node instanceof Text ? plain(node).slice(offset) : "";
  let broken = false;
  let next = node instanceof Text ? walker.nextNode() : nodeBehind(walker, node, offset);
  for (; next && text.length < READ_UNITS; next = walker.nextNode()) {
    const isText = next instanceof Text && next.data !== "";
    if (!isText && !isBreak(next) && !isIsland(next)) continue;
    if (blockOf(root, next) !== block) return `${text}\n`;
    // A break at the end of a block only keeps it open.
    if (broken) return `${text}\n`;
    if (isBreak(next)) broken = true;
    else text += isText ? plain(next as Text) : OBJECT;
  }
  return text;
}

/** The place so many UTF-16 units further left, in whichever text that is. */
function moveLeft(root: HTMLElement, place: Place, units: number): Place {
  let { node, offset } = place;
  const walker = walkerAt(root, node);
  let left = units;
  if (!(node instanceof Text)) {
    const previous = nodeBefore(walker, node, offset);
    if (!previous) return place;
    node = previous;
    offset = previous instanceof Text ? previous.length : 0;
  }
  while (left > 0) {
    if (node instanceof Text && offset >= left) return { node, offset: offset - left };
    if (node instanceof Text) left -= offset;
    const previous = walker.previousNode();
    if (!previous) return { node: root, offset: 0 };
    node = previous;
    offset = previous instanceof Text ? previous.length : 0;
  }
  return place;
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

function isBreak(node: Node): boolean {
  return node instanceof Element && node.localName === "br";
}

function isIsland(node: Node): boolean {
  if (!(node instanceof Element)) return false;
  return /^(img|svg|video|canvas|input|button|select)$/.test(node.localName) || node.matches("[contenteditable=false]");
}
