/* The element that a view lives in: beside the field, shielded from the page's styles. */

/** A view's own element with a shadow root; it is put into the page by {@link Companion.attach}. */
export abstract class Companion<Field extends HTMLElement = HTMLElement> {
  protected readonly field: Field;
  protected readonly host: HTMLElement;
  protected readonly root: ShadowRoot;

  constructor(name: string, field: Field, css: string) {
    const { ownerDocument } = field;
    this.field = field;
    this.host = ownerDocument.createElement(name);
    this.root = this.host.attachShadow({ mode: "open" });
    // A policy of `style-src 'self'` allows this form of styles.
    const sheet = new (ownerDocument.defaultView ?? globalThis).CSSStyleSheet();
    sheet.replaceSync(css);
    this.root.adoptedStyleSheets = [sheet];
  }

  /**
   * Puts the element where it belongs; to be called whenever that may be elsewhere. Within a label its text would be a
   * part of the field's name.
   */
  attach(): void {
    if (!this.host.isConnected) (this.field.closest("label") ?? this.field).after(this.host);
  }

  /** Takes it out of the page again. */
  detach(): void {
    this.host.remove();
  }
}

/** Makes an element of a class within a parent. */
export function appendElement<Name extends keyof HTMLElementTagNameMap>(
  parent: Node,
  name: Name,
  className = "",
): HTMLElementTagNameMap[Name] {
  const element = parent.ownerDocument!.createElement(name);
  element.className = className;
  parent.appendChild(element);
  return element;
}

/**
 * Moves a host so that its left top corner lies on a point of the field's box; without a `y` its left edge alone.
 *
 * It corrects by what is measured instead of adding up offsets: so it doesn't matter which ancestor is positioned,
 * scrolled or a table cell.
 */
export function moveOnto(host: HTMLElement, field: HTMLElement, x: number, y: number | undefined): void {
  const from = host.getBoundingClientRect();
  const to = field.getBoundingClientRect();
  const scale = scaleOf(field);
  nudge(host, "left", (to.left - from.left) / scale + x);
  if (y === undefined) host.style.top = "";
  else nudge(host, "top", (to.top - from.top) / scale + y);
}

/** How many pixels of the screen one of the field's own takes, where the page transforms it. */
export function scaleOf(field: HTMLElement): number {
  return field.getBoundingClientRect().width / field.offsetWidth || 1;
}

function nudge(host: HTMLElement, side: "left" | "top", by: number): void {
  if (Math.abs(by) < 0.05) return;
  host.style[side] = `${pixels(host.style[side]) + by}px`;
}

/** The number of a length in pixels; none where there is no length. */
export function pixels(length: string): number {
  return Number.parseFloat(length) || 0;
}
