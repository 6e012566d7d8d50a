/* Tells screen readers which suggestions there are. */

import type { SuggestionsView } from "../controller.js";
import type { Suggestion } from "../predictor.js";
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

/** Says the suggestions once typing pauses, and nothing as long as it goes on. */
export class Announcer implements SuggestionsView {
  readonly #host: HTMLElement;
  readonly #label: string;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(field: Element, label: string) {
    const { host, root } = createHost("lm-status", field.ownerDocument, CSS);
    host.role = "status";
    root.append(field.ownerDocument.createElement("slot"));
    this.#host = host;
    this.#label = label;
    field.after(host);
  }

  show(suggestions: readonly Suggestion[]): void {
    clearTimeout(this.#timer);
    const text = suggestions.length > 0 ? `${this.#label}: ${suggestions.map((s) => s.text).join(", ")}` : "";
    if (text === "") this.#host.textContent = "";
    else this.#timer = setTimeout(() => (this.#host.textContent = text), PAUSE_MS);
  }

  hide(): void {
    this.show([]);
  }

  destroy(): void {
    clearTimeout(this.#timer);
    this.#host.remove();
  }
}
