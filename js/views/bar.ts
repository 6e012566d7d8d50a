/* A bar of suggestions under the field. */

import type { SuggestionsView } from "../controller.js";
import { BorrowedAttributes } from "../fields/attributes.js";
import type { TextFieldElement } from "../fields/text-field.js";
import type { Suggestion } from "../predictor.js";
import { appendElement, createHost, moveOnto } from "./shadow.js";

/** What a {@link Bar} may be told. */
export interface BarOptions {
  /** How many words there is room for. */
  readonly count: number;
  /** Where the bar goes, if not under the field. */
  readonly container?: Element | undefined;
  readonly label: string;
  readonly onChoose: (suggestion: Suggestion) => void;
}

const CSS = `
:host {
  all: initial;
  color-scheme: inherit;
  font: inherit;
  position: relative;
  display: block;
  box-sizing: border-box;
  max-width: 100%;
  margin-top: var(--lm-bar-gap, 0.375rem);
  color: var(--lm-bar-color, CanvasText);
  background: var(--lm-bar-background, color-mix(in srgb, CanvasText 4%, Canvas));
  border: 1px solid var(--lm-bar-border-color, color-mix(in srgb, CanvasText 16%, Canvas));
  border-radius: var(--lm-bar-radius, 0.5rem);
  overflow: hidden;
}
:host([data-over]) {
  position: absolute;
  z-index: var(--lm-bar-z-index, 10);
  box-shadow: 0 0.25rem 1rem rgb(0 0 0 / 0.18);
}
:host([data-idle]) { visibility: hidden; }
.words { display: flex; }
button {
  all: unset;
  box-sizing: border-box;
  flex: 1 1 0;
  min-width: 0;
  min-height: var(--lm-bar-height, 2.5rem);
  padding: 0 0.625rem;
  display: flex;
  align-items: center;
  justify-content: center;
  gap: 0.5em;
  font-size: var(--lm-bar-font-size, 0.9375rem);
  line-height: 1.2;
  cursor: pointer;
  user-select: none;
  -webkit-user-select: none;
  -webkit-tap-highlight-color: transparent;
  touch-action: manipulation;
  transition: background-color 0.12s;
}
button[hidden] { display: flex; visibility: hidden; }
button + button {
  border-inline-start: 1px solid var(--lm-bar-border-color, color-mix(in srgb, CanvasText 12%, Canvas));
}
button:hover { background: var(--lm-bar-hover, color-mix(in srgb, CanvasText 8%, Canvas)); }
button:active { background: var(--lm-bar-active, color-mix(in srgb, CanvasText 16%, Canvas)); }
.word { overflow: hidden; text-overflow: ellipsis; white-space: pre; }
.key { display: none; font-size: 0.75em; opacity: 0.65; font-variant-numeric: tabular-nums; }
@media (hover: hover) and (pointer: fine) { .key { display: inline; } }
@media (pointer: coarse) { button { min-height: var(--lm-bar-height, 2.75rem); } }
@media (prefers-reduced-motion: reduce) { button { transition: none; } }
@media (forced-colors: active) { button:hover { color: HighlightText; background: Highlight; } }
`;

let bars = 0;

/** Shows the suggestions side by side; they are chosen by pointer here, by key in the controller. */
export class Bar implements SuggestionsView {
  readonly #field: TextFieldElement;
  readonly #host: HTMLElement;
  readonly #options: readonly BarOption[];
  readonly #attributes: BorrowedAttributes;
  readonly #within: Element | undefined;

  constructor(field: TextFieldElement, { count, container, label, onChoose }: BarOptions) {
    const { host, root } = createHost("lm-bar", field.ownerDocument, CSS);
    // On the host, as the field's aria-controls cannot see into its shadow root.
    host.id = `lm-bar-${++bars}`;
    host.role = "listbox";
    host.ariaLabel = label;
    host.dir = getComputedStyle(field).direction;
    const words = appendElement(root, "div", "words");
    words.role = "presentation";
    this.#options = Array.from({ length: count }, (_, index) => new BarOption(words, index, onChoose));
    this.#field = field;
    this.#host = host;
    this.#within = container;
    this.#attributes = new BorrowedAttributes(field);
    // A press must not take the focus from the field.
    for (const type of ["pointerdown", "mousedown"]) host.addEventListener(type, (event) => event.preventDefault());
    this.hide();
    if (container) container.append(host);
    else field.after(host);
    this.layout();
  }

  show(suggestions: readonly Suggestion[]): void {
    this.#options.forEach((option, index) => option.show(suggestions[index]));
    this.#host.toggleAttribute("data-idle", false);
    if (this.#host.hasAttribute("data-over")) this.layout();
    if (suggestions.length === 0) return this.#attributes.restore();
    this.#attributes.set("aria-controls", this.#host.id);
    this.#attributes.set("aria-autocomplete", "list");
  }

  /** Leaves its room empty, so that nothing on the page jumps. */
  hide(): void {
    this.show([]);
    this.#host.toggleAttribute("data-idle", true);
  }

  /** Takes the field's width and left edge; lies over what follows where one more element would tear a row apart. */
  layout(): void {
    const { parentElement } = this.#host;
    if (this.#within || !parentElement) return;
    const over = laysOutInRows(parentElement);
    this.#host.toggleAttribute("data-over", over);
    this.#host.style.width = `${this.#field.offsetWidth}px`;
    moveOnto(this.#host, this.#field, 0, over ? this.#field.offsetHeight + gapAbove(this.#host) : undefined);
  }

  destroy(): void {
    this.#attributes.restore();
    this.#host.remove();
  }
}

/** One place of the bar. It stays when its word changes, so that a press begins and ends on the same element. */
class BarOption {
  readonly #button: HTMLButtonElement;
  readonly #word: HTMLElement;
  #suggestion: Suggestion | undefined;
  #pressed: Suggestion | undefined;

  constructor(parent: Node, index: number, onChoose: (suggestion: Suggestion) => void) {
    const button = appendElement(parent, "button", "option");
    button.type = "button";
    button.tabIndex = -1;
    button.role = "option";
    button.part.add("option");
    button.ariaSelected = "false";
    if (index < 9) button.setAttribute("aria-keyshortcuts", `Alt+${index + 1}`);
    const key = appendElement(button, "span", "key");
    key.ariaHidden = "true";
    key.textContent = index < 9 ? `${index + 1}` : "";
    this.#button = button;
    this.#word = appendElement(button, "span", "word");
    // What was pressed counts, though an answer may put another word there before the finger is off.
    button.addEventListener("pointerdown", () => (this.#pressed = this.#suggestion));
    button.addEventListener("click", () => {
      const chosen = this.#pressed ?? this.#suggestion;
      this.#pressed = undefined;
      if (chosen) onChoose(chosen);
    });
  }

  show(suggestion: Suggestion | undefined): void {
    this.#suggestion = suggestion;
    this.#button.hidden = suggestion === undefined;
    if (this.#word.textContent !== (suggestion?.text ?? "")) this.#word.textContent = suggestion?.text ?? "";
  }
}

function laysOutInRows(parent: Element): boolean {
  const { display, flexDirection, gridTemplateColumns } = getComputedStyle(parent);
  if (display.endsWith("flex")) return flexDirection.startsWith("row");
  return display.endsWith("grid") && gridTemplateColumns.split(" ").length > 1;
}

function gapAbove(host: Element): number {
  return Number.parseFloat(getComputedStyle(host).marginTop) || 0;
}
