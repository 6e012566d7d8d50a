/* The element that a view lives in: beside the field, shielded from the page's styles. */

/** Makes an element with a shadow root of its own styles; a policy of `style-src 'self'` allows this form of them. */
export function createHost(name: string, owner: Document, css: string): { host: HTMLElement; root: ShadowRoot } {
  const host = owner.createElement(name);
  const root = host.attachShadow({ mode: "open" });
  const sheet = new (owner.defaultView ?? globalThis).CSSStyleSheet();
  sheet.replaceSync(css);
  root.adoptedStyleSheets = [sheet];
  return { host, root };
}

/** How ghost text looks, wherever it stands. */
export const GHOST_COLOURS = `
.rest {
  visibility: visible;
  color: var(--lm-ghost-color, currentColor);
  opacity: var(--lm-ghost-opacity, 0.65);
}
@media (forced-colors: active) { .rest { color: GrayText; opacity: 1; } }
`;

/** What ghost text takes over from the text that it continues. */
export const LETTER_STYLES = [
  "color",
  "font-family",
  "font-feature-settings",
  "font-kerning",
  "font-size",
  "font-stretch",
  "font-style",
  "font-variant",
  "font-variation-settings",
  "font-weight",
  "letter-spacing",
  "text-rendering",
  "text-transform",
  "word-spacing",
];

/** Makes an element of a class within a parent. */
export function appendElement<Name extends keyof HTMLElementTagNameMap>(
  parent: Node,
  name: Name,
  className: string,
): HTMLElementTagNameMap[Name] {
  const element = parent.ownerDocument!.createElement(name);
  element.className = className;
  parent.appendChild(element);
  return element;
}

/**
 * Moves a host so that its left top corner lies on a point of the field's box.
 *
 * It corrects by what is measured instead of adding up offsets: so it doesn't matter which ancestor is positioned,
 * scrolled or a table cell.
 */
export function moveOnto(host: HTMLElement, field: HTMLElement, x: number, y: number | undefined): void {
  const from = host.getBoundingClientRect();
  const to = field.getBoundingClientRect();
  const scale = to.width / field.offsetWidth || 1;
  nudge(host, "left", (to.left - from.left) / scale + x);
  if (y !== undefined) nudge(host, "top", (to.top - from.top) / scale + y);
}

function nudge(host: HTMLElement, side: "left" | "top", by: number): void {
  if (Math.abs(by) < 0.05) return;
  host.style[side] = `${(Number.parseFloat(host.style[side]) || 0) + by}px`;
}
