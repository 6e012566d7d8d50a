/* A bar of suggestions under the field. */

import type { Shown, SuggestionsView } from "../controller.js";
import { BorrowedAttributes } from "../fields/attributes.js";
import { isInput, isTextField } from "../fields/consent.js";
import type { Suggestion } from "../predictor.js";
import type { Texts } from "../texts.js";
import { BAR_CSS } from "./bar-css.js";
import { BarOption } from "./bar-option.js";
import { appendElement, Companion, moveOnto, pixels } from "./shadow.js";

/** What a {@link Bar} may be told. */
export interface BarOptions {
  /** How many words there is room for. */
  readonly count: number;
  /** Where the bar goes, if not under the field. */
  readonly container?: Element | undefined;
  readonly texts: Texts;
  readonly onChoose: (suggestion: Suggestion) => void;
  readonly onBlock?: ((suggestion: Suggestion) => void) | undefined;
}

/** Shows the suggestions side by side; they are chosen by pointer here, by key in the controller. */
export class Bar extends Companion implements SuggestionsView {
  readonly #label: string;
  readonly #options: readonly BarOption[];
  readonly #attributes: BorrowedAttributes;
  readonly #within: Element | undefined;

  constructor(field: HTMLElement, { count, container, texts, onChoose, onBlock }: BarOptions) {
    super("lm-bar", field, BAR_CSS);
    const { host } = this;
    // On the host, as the field's aria-controls cannot see into its shadow root.
    // No counter: a page may have two copies of this module.
    host.id = `lm-bar-${Math.random()}`;
    host.dir = getComputedStyle(field).direction;
    const words = appendElement(this.root, "div", "words");
    this.#options = Array.from(
      { length: count },
      (_, index) => new BarOption(host, words, index, { never: texts.never, onChoose, onBlock }),
    );
    this.#label = texts.label;
    this.#within = container;
    this.#attributes = new BorrowedAttributes(field);
    // A press must not take the focus from the field.
    for (const type of ["pointerdown", "mousedown"]) host.addEventListener(type, (event) => event.preventDefault());
    this.hide();
  }

  show({ suggestions, active, pending }: Shown): void {
    this.#options.forEach((option, index) => option.show(suggestions[index], index === active));
    this.host.toggleAttribute("data-idle", false);
    if (this.host.hasAttribute("data-over")) this.#layout();
    // Between a word and the next one nothing is announced as gone that is back at once.
    if (suggestions.length > 0 || !pending) this.#describe(suggestions.length > 0, active);
  }

  /** Leaves its room empty, so that nothing on the page jumps. */
  hide(): void {
    if (this.host.hasAttribute("data-idle")) return;
    this.show({ suggestions: [], active: undefined, ghost: "", pending: false });
    this.host.toggleAttribute("data-idle", true);
  }

  override attach(): void {
    if (!this.#within) super.attach();
    else if (!this.host.isConnected) this.#within.append(this.host);
    // For as long as it is there: a field that changes its role while somebody types is a new one to screen readers.
    this.#attributes.set("aria-autocomplete", "list");
    if (isInput(this.field)) {
      this.#attributes.set("role", "combobox");
      this.#attributes.set("aria-haspopup", "listbox");
    } else if (!isTextField(this.field) && !this.field.getAttribute("role")) {
      // Without a role it may not have the attributes of a list.
      this.#attributes.set("role", "textbox");
      this.#attributes.set("aria-multiline", "true");
    }
    this.#layout();
  }

  /**
   * Takes the field's width and left edge; lies over what follows where one more element would tear a row apart, or where
   * the field itself does not stand in the flow.
   */
  #layout(): void {
    const { parentElement, parentNode } = this.host;
    const parent = parentElement ?? (parentNode as ShadowRoot | null)?.host;
    if (this.#within || !parent) return;
    const over = !/static|relative/.test(getComputedStyle(this.field).position) || laysOutInRows(parent);
    this.host.toggleAttribute("data-over", over);
    this.host.style.display = this.field.getClientRects()[0] ? "" : "none";
    this.host.style.width = `${this.field.offsetWidth}px`;
    const gap = pixels(getComputedStyle(this.host).marginTop);
    const height = this.host.offsetHeight + gap;
    const { top, bottom } = this.field.getBoundingClientRect();
    // At the bottom of the window, as in a chat, it lies over what stands above.
    const above = bottom + height > this.field.ownerDocument.documentElement.clientHeight && top > height;
    moveOnto(this.host, this.field, 0, over ? (above ? -height : this.field.offsetHeight + gap) : undefined);
  }

  override detach(): void {
    this.#attributes.restore();
    super.detach();
  }

  /**
   * Tells assistive technology of the bar as long as it has suggestions. An input is a combo box; a text of several
   * lines must stay a text box, which may have all but the two attributes of a list that opens.
   */
  #describe(has: boolean, active: number | undefined): void {
    // An empty list box is a fault.
    this.host.role = has ? "listbox" : null;
    this.host.ariaLabel = has ? this.#label : null;
    if (isInput(this.field)) this.#attributes.set("aria-expanded", `${has}`);
    this.#attributes.set("aria-controls", has ? this.host.id : undefined);
    this.#attributes.set("aria-activedescendant", this.#options[active ?? -1]?.id);
  }
}

function laysOutInRows(parent: Element): boolean {
  const { display, flexDirection, gridTemplateColumns } = getComputedStyle(parent);
  if (display.endsWith("flex")) return flexDirection.startsWith("row");
  if (display.endsWith("grid")) return gridTemplateColumns.includes(" ");
  return display.startsWith("table-row");
}
