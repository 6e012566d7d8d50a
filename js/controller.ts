/* What is offered for the text at hand, and what keys do with it. Knows no DOM: field and views are passed in. */

import { isCancellation } from "./errors.js";
import type { Suggester, Suggestion, Transform } from "./predictor.js";
import { isBeginning } from "./text.js";

/** The text on both sides of the caret. */
export interface Surroundings {
  readonly before: string;
  readonly after: string;
}

/** The field that is typed into. */
export interface Field {
  /** The text around the caret; `undefined` where suggestions have no place, as while some of it is selected. */
  read(): Surroundings | undefined;
  /** Changes the text at the caret, as if it were typed. */
  apply(transform: Transform): void;
}

/** A view of all suggestions. */
export interface SuggestionsView {
  /** Shows what there is; nothing for the moment until the answer is there, and where the model knows no word. */
  show(suggestions: readonly Suggestion[]): void;
  /** Suggestions have no place now. */
  hide(): void;
}

/** A view of the untyped rest of the first suggestion. */
export interface GhostView {
  /** Whether the rest can be seen; there may be no room for it. */
  readonly visible: boolean;
  show(before: string, rest: string): void;
  hide(): void;
}

/** The parts of a keyboard event that matter here. */
export type KeyStroke = Pick<
  KeyboardEvent,
  "key" | "code" | "altKey" | "ctrlKey" | "metaKey" | "shiftKey" | "isComposing"
>;

/** What a controller works with. */
export interface ControllerParts {
  readonly field: Field;
  readonly suggester: Suggester;
  readonly bar?: SuggestionsView | undefined;
  readonly ghost?: GhostView | undefined;
  /** How many suggestions to ask for. */
  readonly count: number;
  /** How likely the first suggestion must be for the ghost. */
  readonly ghostThreshold: number;
  readonly onAccept?: ((suggestion: Suggestion) => void) | undefined;
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** Suggestions and the text they were made for. */
interface Answer {
  readonly request: number;
  readonly before: string;
  readonly suggestions: readonly Suggestion[];
}

const NO_ANSWER: Answer = { request: 0, before: "", suggestions: [] };
const IN_A_WORD = /^[\p{L}\p{M}\p{N}]/u;

/**
 * Keeps what is shown true to the text: whatever happened, {@link Controller.sync} looks at the field and at the newest
 * answer and shows what follows from the two.
 */
export class Controller {
  readonly #parts: ControllerParts;
  readonly #closed = new AbortController();
  #text: Surroundings | undefined;
  #answer = NO_ANSWER;
  #request = 0;
  #shown: readonly Suggestion[] = [];
  #composing = false;
  /** Where the word begins that nothing is to be shown for. */
  #dismissed: number | undefined;

  constructor(parts: ControllerParts) {
    this.#parts = parts;
  }

  /** To be called when the text, the caret or the focus may have changed. */
  sync(): void {
    if (this.#closed.signal.aborted) return;
    const previous = this.#text;
    this.#text = this.#composing ? undefined : this.#parts.field.read();
    if (this.#text?.before === previous?.before && this.#text?.after === previous?.after) return;
    this.#render();
    if (this.#text && !IN_A_WORD.test(this.#text.after)) void this.#ask(this.#text.before);
  }

  /** An input method composes text, or is done with it: until then nothing is shown. */
  compose(active: boolean): void {
    this.#composing = active;
    this.sync();
  }

  /** Acts on a key; `true` if it is used up. */
  key(stroke: KeyStroke): boolean {
    if (stroke.isComposing || this.#composing) return false;
    this.sync();
    switch (this.#actionOf(stroke)) {
      case "dismiss":
        this.#dismiss();
        return true;
      case "accept":
        return this.#apply(this.#shown[0]);
      case "pick":
        return this.#apply(this.#shown[digitOf(stroke) - 1]);
      default:
        return false;
    }
  }

  /** Puts a suggestion in, if it is still one. */
  accept(suggestion: Suggestion): void {
    this.sync();
    this.#apply(this.#shown.find(({ text }) => text === suggestion.text));
  }

  /** The views' layout changed: draw again. */
  redraw(): void {
    if (!this.#closed.signal.aborted) this.#render();
  }

  /** Shows nothing any more and drops what is under way. */
  close(): void {
    this.#text = undefined;
    this.#render();
    this.#closed.abort();
  }

  #actionOf({ key, altKey, ctrlKey, metaKey, shiftKey, code }: KeyStroke): "accept" | "dismiss" | "pick" | undefined {
    if (metaKey || shiftKey) return undefined;
    if (altKey) return !ctrlKey && digitOf({ code }) > 0 ? "pick" : undefined;
    const ghost = this.#parts.ghost?.visible ?? false;
    if (key === "ArrowRight") return ghost && this.#text?.after === "" ? "accept" : undefined;
    if (ctrlKey) return undefined;
    if (key === "Tab") return ghost ? "accept" : undefined;
    return key === "Escape" && this.#shown.length > 0 ? "dismiss" : undefined;
  }

  #dismiss(): void {
    this.#dismissed = this.#text && wordStart(this.#text.before, this.#shown[0]);
    this.#render();
  }

  #apply(suggestion: Suggestion | undefined): boolean {
    if (!suggestion) return false;
    this.#parts.field.apply(suggestion.insert);
    this.#parts.onAccept?.(suggestion);
    this.sync();
    return true;
  }

  async #ask(before: string): Promise<void> {
    const { suggester, count, onError } = this.#parts;
    const request = ++this.#request;
    try {
      const suggestions = await suggester.suggest(before, { count, signal: this.#closed.signal });
      // A late answer is welcome if it is newer than what is shown: what the text contradicts by now is left out.
      if (request > this.#answer.request) this.#answer = { request, before, suggestions };
    } catch (error) {
      if (!isCancellation(error)) onError?.(error);
      if (Object(error).code === "superseded") return;
      this.#answer = NO_ANSWER;
    }
    this.redraw();
  }

  #render(): void {
    const { bar, ghost } = this.#parts;
    this.#shown = this.#text ? this.#suggestionsFor(this.#text) : [];
    if (this.#text) bar?.show(this.#shown);
    else bar?.hide();
    const rest = this.#text ? this.#restFor(this.#text) : "";
    if (this.#text && rest) ghost?.show(this.#text.before, rest);
    else ghost?.hide();
  }

  #suggestionsFor({ before, after }: Surroundings): readonly Suggestion[] {
    const suggestions = IN_A_WORD.test(after) ? [] : narrow(this.#answer, before);
    if (suggestions.length === 0) return suggestions;
    if (this.#dismissed === wordStart(before, suggestions[0])) return [];
    this.#dismissed = undefined;
    return suggestions;
  }

  /** The rest of the first suggestion if it is to be drawn behind the caret, else nothing. */
  #restFor({ before, after }: Surroundings): string {
    const [first] = this.#shown;
    if (!first || first.probability < this.#parts.ghostThreshold) return "";
    if (after !== "" && !after.startsWith("\n")) return "";
    const typed = before.slice(wordStart(before, first));
    return first.text.startsWith(typed) ? first.text.slice(typed.length) : "";
  }
}

function digitOf({ code }: Pick<KeyStroke, "code">): number {
  return Number(/^Digit([1-9])$/.exec(code)?.[1] ?? 0);
}

function wordStart(text: string, suggestion: Suggestion | undefined): number {
  return text.length - (suggestion?.insert.deleteLeft ?? 0);
}

/** What of an answer holds for a text: all of it for its own; once more is typed, what that still may lead to. */
function narrow({ before: asked, suggestions }: Answer, before: string): readonly Suggestion[] {
  if (before === asked) return suggestions;
  if (!before.startsWith(asked)) return [];
  return suggestions.flatMap((suggestion) => {
    const typed = before.slice(wordStart(asked, suggestion));
    if (!isBeginning(typed, suggestion.text)) return [];
    return [{ ...suggestion, insert: { ...suggestion.insert, deleteLeft: typed.length } }];
  });
}
