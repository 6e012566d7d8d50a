/* Puts a field, a controller and its views together. */

import { Controller, type SuggestionsView } from "./controller.js";
import { LmError } from "./errors.js";
import { BorrowedAttributes } from "./fields/attributes.js";
import { TextField, type TextFieldElement } from "./fields/text-field.js";
import type { Suggester, Suggestion } from "./predictor.js";
import { Announcer } from "./views/announcer.js";
import { Bar } from "./views/bar.js";
import { Ghost } from "./views/ghost.js";

/** What {@link attach} may be told. */
export interface AttachOptions {
  /** How many words to suggest at most (3). */
  readonly suggestions?: number;
  /** Whether the rest of the first suggestion is drawn behind the caret (`true`). */
  readonly ghost?: boolean;
  /** Whether there is a bar of suggestions (`true`), under the field or in an element that you pass. */
  readonly bar?: boolean | Element;
  /** How likely the first suggestion must be for the ghost, from 0 to 1 (0.3): a wrong guess in the text disturbs. */
  readonly ghostThreshold?: number;
  /** What screen readers call the suggestions (`"Suggestions"`). */
  readonly label?: string;
  /** Called after a suggestion was put into the field. */
  readonly onAccept?: (suggestion: Suggestion) => void;
  /** Called when the suggester fails (`console.error`). The field stays usable, without suggestions. */
  readonly onError?: (error: unknown) => void;
}

const attached = new WeakSet<Element>();

const COMPOSED_KEY = 229;

/**
 * Offers suggestions while somebody types into a field: as ghost text, taken with Tab or the right arrow key, and in a
 * bar, taken by pointer or with Alt and a digit. Esc hides both until the next word.
 *
 * A field that is read-only or disabled gets none as long as it is.
 *
 * @returns detaches: the field is again as it was
 * @throws {@link LmError} of code `field` for what is no text field or holds a secret (passwords, one-time codes, card
 *   numbers), for one that says not to (`writingsuggestions="false"` on it or around it), and if attached already
 */
export function attach(field: TextFieldElement, suggester: Suggester, options: AttachOptions = {}): () => void {
  const adapter = new TextField(field);
  checkConsent(field);
  const attributes = new BorrowedAttributes(field);
  // The browser's own ghost text would stand in the same place.
  attributes.set("writingsuggestions", "false");
  attached.add(field);

  const views = createViews(field, options, (suggestion) => controller.accept(suggestion));
  const controller = new Controller({
    field: adapter,
    suggester,
    bar: views.bar && together(views.bar, views.announcer),
    ghost: views.ghost,
    count: options.suggestions ?? 3,
    ghostThreshold: options.ghostThreshold ?? 0.3,
    onAccept: options.onAccept,
    onError: options.onError ?? ((error) => console.error(error)),
  });
  const stop = listen(field, controller, views.bar);
  controller.sync();

  return () => {
    if (!attached.delete(field)) return;
    stop();
    controller.close();
    for (const view of Object.values(views)) view?.destroy();
    attributes.restore();
  };
}

function checkConsent(field: Element): void {
  if (attached.has(field)) throw new LmError("field", "the field has suggestions already: detach them first");
  if (field.closest("[writingsuggestions]")?.getAttribute("writingsuggestions")?.toLowerCase() === "false") {
    throw new LmError(
      "field",
      'writingsuggestions="false" forbids suggestions here: remove it (attach sets it itself)',
    );
  }
}

interface Views {
  readonly ghost: Ghost | undefined;
  readonly announcer: Announcer | undefined;
  readonly bar: Bar | undefined;
}

function createViews(field: TextFieldElement, options: AttachOptions, onChoose: (chosen: Suggestion) => void): Views {
  const { bar = true, ghost = true, label = "Suggestions", suggestions: count = 3 } = options;
  const container = typeof bar === "object" ? bar : undefined;
  return {
    ghost: ghost ? new Ghost(field) : undefined,
    announcer: bar ? new Announcer(field, label) : undefined,
    bar: bar ? new Bar(field, { count, container, label, onChoose }) : undefined,
  };
}

function together(...views: readonly (SuggestionsView | undefined)[]): SuggestionsView {
  return {
    show: (suggestions) => views.forEach((view) => view?.show(suggestions)),
    hide: () => views.forEach((view) => view?.hide()),
  };
}

/** Tells the controller whatever happens to the field, until the function returned is called. */
function listen(field: TextFieldElement, controller: Controller, bar: Bar | undefined): () => void {
  const listeners = new AbortController();
  const on = <E extends Event>(target: EventTarget, types: string[], listener: (event: E) => void) => {
    for (const type of types) target.addEventListener(type, listener as (event: Event) => void, listeners);
  };
  on(field, ["input", "focus", "blur", "keyup"], () => controller.sync());
  on(field.ownerDocument, ["selectionchange"], () => controller.sync());
  on(field, ["compositionstart"], () => controller.compose(true));
  on(field, ["compositionend"], () => controller.compose(false));
  on(field, ["keydown"], (event: KeyboardEvent) => {
    // Safari ends a composition before the key that ended it; that key has the code of a composed one.
    if (event.defaultPrevented || event.keyCode === COMPOSED_KEY || !controller.key(event)) return;
    event.preventDefault();
    event.stopPropagation();
  });
  on(field, ["scroll"], () => controller.redraw());

  const resized = new ResizeObserver(() => {
    bar?.layout();
    controller.redraw();
  });
  resized.observe(field);
  // What grows above the field moves it.
  resized.observe(field.ownerDocument.documentElement);
  return () => {
    listeners.abort();
    resized.disconnect();
  };
}
