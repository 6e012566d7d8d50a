/* Puts a field, a controller and its views together. */

import { Controller } from "./controller.js";
import { LmError } from "./errors.js";
import { BorrowedAttributes } from "./fields/attributes.js";
import { checkConsent, isTextField, OWN_FALSE } from "./fields/consent.js";
import { EditableField } from "./fields/editable.js";
import { TextField } from "./fields/text-field.js";
import { listen } from "./listen.js";
import type { Suggester, Suggestion } from "./predictor.js";
import { ENGLISH, type Texts } from "./texts.js";
import { Announcer } from "./views/announcer.js";
import { Bar } from "./views/bar.js";
import { CaretGhost } from "./views/caret-ghost.js";
import { Ghost } from "./views/ghost.js";

/** What {@link attach} may be told. */
export interface AttachOptions {
  /** How many words to suggest at most (3). */
  readonly suggestions?: number;
  /** Whether the rest of the first suggestion is drawn behind the caret (`true`). */
  readonly ghost?: boolean;
  /** How many words the ghost may have (4), as long as all of them together are likely enough. */
  readonly ghostWords?: number;
  /** How likely the ghost must be, from 0 to 1 (0.3): a wrong guess in the text disturbs. */
  readonly ghostThreshold?: number;
  /** Whether there is a bar of suggestions (`true`), under the field or in an element that you pass. */
  readonly bar?: boolean | Element;
  /** Whether the suggester learns the words that are written here (`true`). */
  readonly learn?: boolean;
  /** Texts in another language than English. */
  readonly texts?: Partial<Texts>;
  /** Called after a suggestion was put into the field. */
  readonly onAccept?: (suggestion: Suggestion) => void;
  /** Called when the suggester fails (`console.error`). The field stays usable, without suggestions. */
  readonly onError?: (error: unknown) => void;
}

const attached = new WeakSet<Element>();

/**
 * Offers suggestions while somebody types into a field: as ghost text, taken with Tab or the right arrow key (with Ctrl
 * a word of it), and in a bar, taken by pointer, with Alt and a digit, or after Alt and the down arrow. Esc hides both
 * until the next word. Backspace right after a suggestion takes it back.
 *
 * A field that is read-only or disabled gets none as long as it is; one that leaves the page takes its views along.
 *
 * @param field a text area, an input of type `text` or `search`, or an element with `contenteditable`
 * @returns detaches: the field is again as it was
 * @throws {@link LmError} of code `field` for what is no such field or holds a secret (passwords, one-time codes, card
 *   numbers), for one that says not to (`autocomplete="off"` without `data-lm-suggest`, `writingsuggestions="false"` on
 *   it or around it), and if attached already
 */
export function attach(field: HTMLElement, suggester: Suggester, options: AttachOptions = {}): () => void {
  if (attached.has(field)) throw new LmError("field", "the field has suggestions already: detach them first");
  checkConsent(field);
  const attributes = new BorrowedAttributes(field);
  // The browser's own ghost text would stand in the same place.
  attributes.set("writingsuggestions", OWN_FALSE);
  attached.add(field);

  const ghost = options.ghost === false ? undefined : isTextField(field) ? new Ghost(field) : new CaretGhost(field);
  const count = options.suggestions ?? 3;
  const views = createViews(field, options, count, suggester, () => controller);
  const controller: Controller = new Controller({
    field: isTextField(field) ? new TextField(field) : new EditableField(field),
    suggester,
    views,
    bar: options.bar !== false,
    ghost,
    count,
    ghostWords: options.ghostWords ?? 4,
    ghostThreshold: options.ghostThreshold ?? 0.3,
    learn: options.learn ?? true,
    forward: () => (getComputedStyle(field).direction === "ltr" ? "ArrowRight" : "ArrowLeft"),
    apple: /^(Mac|iP)/.test(navigator.platform),
    onAccept: options.onAccept,
    onError: options.onError ?? console.error,
  });
  // Each goes right behind the field: so the bar, which looks at what follows, is the last of them there.
  const companions = ghost ? [...views, ghost] : views;
  for (const companion of companions) companion.attach();
  const stop = listen(field, controller, companions);

  return () => {
    if (!attached.delete(field)) return;
    stop();
    controller.close();
    for (const companion of companions) companion.detach();
    attributes.restore();
  };
}

/** The views of all suggestions: one that is read out, and one that is seen. */
function createViews(
  field: HTMLElement,
  { bar, texts: own }: AttachOptions,
  count: number,
  suggester: Suggester,
  controller: () => Controller,
): readonly (Announcer | Bar)[] {
  const texts = { ...ENGLISH, ...own };
  const container = typeof bar === "object" ? bar : undefined;
  const onChoose = (chosen: Suggestion) => controller().accept(chosen);
  const onBlock = suggester.block && ((unwanted: Suggestion) => controller().block(unwanted));
  const announcer = new Announcer(field, texts);
  return bar === false ? [announcer] : [new Bar(field, { count, container, texts, onChoose, onBlock }), announcer];
}
