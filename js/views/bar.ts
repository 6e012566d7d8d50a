/* A bar of suggestions under the field. */

import type { Shown, SuggestionsView } from "../controller.js";
import { BorrowedAttributes } from "../fields/attributes.js";
import { isInput, isTextField } from "../fields/consent.js";
import { isBreak } from "../fields/editable.js";
import type { Texts } from "../texts.js";
import { BAR_CSS } from "./bar-css.js";
import { BarOption, type OptionActions } from "./bar-option.js";
import { appendElement, Companion, moveOnto, pixels } from "./shadow.js";

/** What a {@link Bar} may be told. */
export interface BarOptions extends OptionActions {
  /** How many words there is room for. */
  readonly count: number;
  /** Where the bar goes, if not under the field. */
  readonly container?: Element | undefined;
  readonly texts: Texts;
}

/** Shows the suggestions side by side; they are chosen by pointer here, by key in the controller. */
export class Bar extends Companion implements SuggestionsView {
  readonly #label: string;
  readonly #options: readonly BarOption[];
  readonly #attributes: BorrowedAttributes;
  readonly #within: Element | undefined;

  constructor(field: HTMLElement, options: BarOptions) {
    super("lm-bar", field, BAR_CSS);
    const { host } = this;
    // On the host, as the field's aria-controls cannot see into its shadow root.
    // No counter: a page may have two copies of this module.
    host.id = `lm-bar-${Math.random()}`;
    const words = appendElement(this.root, "div", "words");
    this.#options = Array.from({ length: options.count }, (_, index) => new BarOption(host, words, index, options));
    this.#label = options.texts.label;
    this.#within = options.container;
    this.#attributes = new BorrowedAttributes(field);
    // A press must not take the focus from the field.
    for (const type of ["pointerdown", "mousedown"]) host.addEventListener(type, (event) => event.preventDefault());
    this.show({ idle: true, suggestions: [], active: undefined, ghost: "", pending: false });
  }

  /** Leaves its room empty where it has no place, so that nothing on the page jumps. */
  show({ idle, suggestions, active, pending }: Shown): void {
    if (idle && this.host.hasAttribute("data-idle")) return;
    this.#options.forEach((option, index) => option.show(suggestions[index], index === active));
    this.host.toggleAttribute("data-idle", idle);
    // A field of dir="auto" has the direction of what is typed.
    this.host.dir = getComputedStyle(this.field).direction;
    if (this.host.hasAttribute("data-over")) this.#layout();
    // Between a word and the next one nothing is announced as gone that is back at once.
    if (suggestions.length > 0 || !pending) this.#describe(suggestions.length > 0, active);
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
    const parent = this.host.parentElement ?? (this.host.getRootNode() as Partial<ShadowRoot>).host;
    if (this.#within || !parent) return;
    const { position } = getComputedStyle(this.field);
    const over = !/static|relative/.test(position) || laysOutInRows(parent) || this.#isInLine();
    this.host.toggleAttribute("data-over", over);
    const { top, bottom } = this.field.getBoundingClientRect();
    this.host.style.display = this.field.getClientRects()[0] ? "" : "none";
    // A fixed width would hold a cell, and so the field, at the width that it has now.
    this.host.style.width = "0";
    this.host.style.minWidth = `min(${this.field.offsetWidth}px, 100%)`;
    const gap = pixels(getComputedStyle(this.host).marginTop);
    const height = this.host.offsetHeight + gap;
    // At the bottom of the window, as in a chat, it lies over what stands above.
    const above = bottom + height > this.field.ownerDocument.documentElement.clientHeight && top > height;
    moveOnto(this.host, this.field, 0, over ? (above ? -height : this.field.offsetHeight + gap) : undefined);
  }

  /** Whether an element behind it goes on with the field's line. */
  #isInLine(): boolean {
    let next = this.host.nextElementSibling;
    // What takes no room is passed over.
    while (next && !isBreak(next) && !next.getBoundingClientRect().width) next = next.nextElementSibling;
    if (!next || isBreak(next) || !/^inline/.test(getComputedStyle(next).display)) return false;
    // Out of the way, so that it stands where it would. Nowhere else: a page at its end would scroll.
    this.host.toggleAttribute("data-over", true);
    const { top, height } = next.getBoundingClientRect();
    return top + height / 2 < this.field.getBoundingClientRect().bottom;
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
  // A grid does if it has more than one column.
  return /^table-row|flex row|grid \S+ \S+ /.test(`${display} ${flexDirection} ${gridTemplateColumns}`);
}
