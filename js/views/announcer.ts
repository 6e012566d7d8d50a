/* Tells screen readers which suggestions there are. */

import type { Shown, SuggestionsView } from "../controller.js";
import type { Texts } from "../texts.js";
import { createHost } from "./shadow.js";

const CSS = `
:host {
  all: initial;
  position: absolute;
  width: 1px;
  height: 1px;
  overflow: hidden;
  clip-path: inset(50%);
  white-space: nowrap;
}
`;

/** Long enough to stay silent while somebody types. */
const PAUSE_MS = 1000;

/**
 * Says how many suggestions there are, the first one and how to take it: once typing pauses, once for the same ones, and
 * nothing as long as typing goes on. A suggestion that keys have been led to is read out by the field itself.
 */
export class Announcer implements SuggestionsView {
  readonly #field: Element;
  readonly #host: HTMLElement;
  readonly #texts: Texts;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #due = "";

  constructor(field: Element, texts: Texts) {
    const { host, root } = createHost("lm-status", field.ownerDocument, CSS);
    host.role = "status";
    root.append(field.ownerDocument.createElement("slot"));
    this.#field = field;
    this.#host = host;
    this.#texts = texts;
    this.attach();
  }

  show({ suggestions, active, ghost }: Shown): void {
    if (active !== undefined) return this.#say("");
    this.#say(suggestions.length > 0 ? this.#texts.announce(suggestions, ghost ? "Tab" : "Alt+1") : "");
  }

  hide(): void {
    this.#say("");
  }

  attach(): void {
    if (!this.#host.isConnected) this.#field.after(this.#host);
  }

  detach(): void {
    this.#host.remove();
  }

  destroy(): void {
    clearTimeout(this.#timer);
    this.detach();
  }

  #say(text: string): void {
    if (text === this.#due) return;
    this.#due = text;
    clearTimeout(this.#timer);
    if (text === "") this.#host.textContent = "";
    else this.#timer = setTimeout(() => (this.#host.textContent = text), PAUSE_MS);
  }
}
