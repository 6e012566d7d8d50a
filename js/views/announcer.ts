/* Tells screen readers which suggestions there are. */

import type { Shown, SuggestionsView } from "../controller.js";
import type { Texts } from "../texts.js";
import { appendElement, Companion } from "./shadow.js";

const CSS = `
:host {
  all: initial;
  position: absolute !important;
  left: 0;
  overflow: hidden;
  width: 1px;
  height: 1px;
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
export class Announcer extends Companion implements SuggestionsView {
  readonly #texts: Texts;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #due = "";

  constructor(field: HTMLElement, texts: Texts) {
    super("lm-status", field, CSS);
    this.host.role = "status";
    appendElement(this.root, "slot");
    this.#texts = texts;
  }

  show({ suggestions: [first, ...others], active, ghost }: Shown): void {
    if (!first || active !== undefined) return this.#say("");
    // What the key takes may go on behind the first word.
    const taken = { ...first, text: ghost || first.text };
    this.#say(this.#texts.announce([taken, ...others], ghost ? "Tab" : "Alt+1"));
  }

  #say(text: string): void {
    if (text === this.#due) return;
    this.#due = text;
    clearTimeout(this.#timer);
    if (text === "") this.host.textContent = "";
    else this.#timer = setTimeout(() => (this.host.textContent = text), PAUSE_MS);
  }
}
