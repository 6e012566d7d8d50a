/* What every kind of ghost text has: an element beside the field that screen readers pass over. */

import type { GhostView } from "../controller.js";
import { createHost, GHOST_COLOURS } from "./shadow.js";

const CSS = `
:host {
  all: initial;
  position: absolute;
  left: 0;
  top: 0;
  pointer-events: none;
}
:host([hidden]) { display: none; }
${GHOST_COLOURS}
`;

/** The element, there or not, hidden or not; what it shows, and where, is each kind's own. */
export abstract class GhostHost<Field extends HTMLElement> implements GhostView {
  protected readonly field: Field;
  protected readonly host: HTMLElement;
  protected readonly root: ShadowRoot;

  constructor(field: Field, css: string) {
    const { host, root } = createHost("lm-ghost", field.ownerDocument, CSS + css);
    host.hidden = true;
    host.ariaHidden = "true";
    this.field = field;
    this.host = host;
    this.root = root;
    this.attach();
  }

  abstract show(before: string, rest: string): void;

  get visible(): boolean {
    return !this.host.hidden;
  }

  hide(): void {
    this.host.hidden = true;
  }

  attach(): void {
    if (!this.host.isConnected) this.field.after(this.host);
  }

  detach(): void {
    this.host.remove();
  }

  destroy(): void {
    this.detach();
  }
}

/** Text that grows at its end must grow to the right. */
export function growsRight({ direction, textAlign }: CSSStyleDeclaration): boolean {
  return direction === "ltr" && !/center|right|end/.test(textAlign);
}
