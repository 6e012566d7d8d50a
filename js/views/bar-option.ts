/* One place of the bar. */

import type { Suggestion } from "../predictor.js";
import type { Texts } from "../texts.js";
import { appendElement } from "./shadow.js";

/** What a {@link BarOption} does. */
export interface OptionActions {
  readonly texts: Pick<Texts, "never">;
  readonly onChoose: (suggestion: Suggestion) => void;
  readonly onBlock?: ((suggestion: Suggestion) => void) | undefined;
}

/**
 * It stays when its word changes, so that a press begins and ends on the same element. What can be pressed lies in the
 * bar's shadow root; the word is a child of the bar, where the field's aria-activedescendant can name it.
 */
export class BarOption {
  readonly id: string;
  readonly #place: HTMLElement;
  readonly #word: HTMLElement;
  readonly #actions: OptionActions;
  #suggestion: Suggestion | undefined;
  #pressed: Suggestion | undefined;

  constructor(bar: HTMLElement, parent: Node, index: number, actions: OptionActions) {
    this.#actions = actions;
    const place = appendElement(parent, "div", "option");
    place.part = "option";
    const key = appendElement(place, "span", "key");
    key.ariaHidden = "true";
    appendElement(place, "slot").name = `${index}`;

    const word = bar.ownerDocument.createElement("lm-word");
    this.id = word.id = `${bar.id}-${index + 1}`;
    word.slot = `${index}`;
    word.role = "option";
    if (index < 9) {
      key.textContent = `${index + 1}`;
      word.ariaKeyShortcuts = `Alt+${index + 1}`;
    }
    bar.append(word);

    this.#place = place;
    this.#word = word;
    // What was pressed counts, though an answer may put another word there before the finger is off.
    place.addEventListener("pointerdown", () => (this.#pressed = this.#suggestion));
    place.addEventListener("click", () => this.#press());
    place.addEventListener("contextmenu", (event) => this.#askToBlock(event));
    // A finger leaves as soon as it is off the screen.
    place.addEventListener("pointerleave", ({ pointerType }) => pointerType === "touch" || this.#ask(false));
  }

  show(suggestion: Suggestion | undefined, active: boolean): void {
    if (suggestion?.text !== this.#suggestion?.text) this.#ask(false);
    this.#suggestion = suggestion;
    this.#place.toggleAttribute("data-empty", !suggestion);
    this.#place.toggleAttribute("data-active", active);
    this.#word.ariaSelected = `${active}`;
    if (!this.#asks) this.#write(suggestion?.text ?? "");
  }

  get #asks(): boolean {
    return this.#place.hasAttribute("data-asking");
  }

  #press(): void {
    const chosen = this.#pressed ?? this.#suggestion;
    const asks = this.#asks;
    this.#pressed = undefined;
    this.#ask(false);
    if (!chosen) return;
    if (asks) this.#actions.onBlock?.(chosen);
    else this.#actions.onChoose(chosen);
  }

  /** The second button of a mouse, or a finger that stays: asks first. */
  #askToBlock(event: Event): void {
    if (!this.#suggestion || !this.#actions.onBlock) return;
    event.preventDefault();
    this.#ask(true);
  }

  #ask(asks: boolean): void {
    this.#place.toggleAttribute("data-asking", asks);
    const word = this.#suggestion?.text ?? "";
    this.#write(asks ? this.#actions.texts.never(word) : word);
  }

  #write(text: string): void {
    if (this.#word.textContent !== text) this.#word.textContent = text;
  }
}
