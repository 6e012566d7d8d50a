/* What is offered for the text at hand, and what keys do with it. Knows no DOM: field and views are passed in. */

import { fitSpace, inputAfter, type Acceptance, type TextInput } from "./acceptance.js";
import { isCancellation } from "./errors.js";
import { actionOf, type Action, type KeyStroke } from "./keys.js";
import { Learner } from "./learner.js";
import type { Suggester, Suggestion, Transform } from "./predictor.js";
import { isBeginning } from "./text.js";

/** The text on both sides of the caret. */
export interface Surroundings {
  readonly before: string;
  readonly after: string;
  /** How many UTF-16 units more the field takes; `Infinity` where that is not limited. */
  readonly room: number;
}

/** The field that is typed into. */
export interface Field {
  /** The text around the caret; `undefined` where suggestions have no place, as while some of it is selected. */
  read(): Surroundings | undefined;
  /** Changes the text at the caret, as if it were typed. */
  apply(transform: Transform): void;
}

/** What there is to be seen. */
export interface Shown {
  /** Whether suggestions have no place now; then there are none. */
  readonly idle: boolean;
  readonly suggestions: readonly Suggestion[];
  /** The suggestion that keys have been led to. */
  readonly active: number | undefined;
  /** What stands as ghost text at the caret, with what is typed of it: the first suggestion, maybe words behind it. */
  readonly ghost: string;
  /** Whether an answer is under way, so that having no suggestions is a matter of a moment. */
  readonly pending: boolean;
}

/** A view of all suggestions. */
export interface SuggestionsView {
  /** Shows what there is; no words for the moment until the answer is there, and where the model knows none. */
  show(shown: Shown): void;
}

/** A view of the untyped rest of the first suggestion. */
export interface GhostView {
  /** Whether the rest can be seen; there may be no room for it. */
  readonly visible: boolean;
  show(before: string, rest: string): void;
  hide(): void;
}

/** What a controller works with. */
export interface ControllerParts {
  readonly field: Field;
  readonly suggester: Suggester;
  readonly views: readonly SuggestionsView[];
  /** Whether one of the views lists all suggestions, so that keys may choose among them. */
  readonly bar: boolean;
  readonly ghost?: GhostView | undefined;
  /** How many suggestions to ask for. */
  readonly count: number;
  /** How many words the ghost may have. */
  readonly ghostWords: number;
  /** How likely the ghost's words must be, all together. */
  readonly ghostThreshold: number;
  /** Whether the suggester is told which words are used. */
  readonly learn: boolean;
  /** The arrow key that moves on in the text. */
  readonly forward: () => string;
  /** Whether keys are those of an Apple system. */
  readonly apple: boolean;
  readonly onAccept?: ((suggestion: Suggestion) => void) | undefined;
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** Suggestions and the text they were made for. */
interface Answer {
  readonly request: number;
  readonly before: string;
  readonly suggestions: readonly Suggestion[];
}

const IN_A_WORD = /^[\p{L}\p{M}\p{N}]/u;

/**
 * Keeps what is shown true to the text: whatever happened, {@link Controller.sync} looks at the field and at the newest
 * answer and shows what follows from the two.
 */
export class Controller {
  readonly #parts: ControllerParts;
  readonly #closed = new AbortController();
  readonly #learner: Learner;
  #text: Surroundings | undefined;
  #answer: Answer = { request: 0, before: "", suggestions: [] };
  #request = 0;
  #shown: readonly Suggestion[] = [];
  /** All that was shown for the text as it is, by word: what is pressed may be gone by the time it is let go. */
  readonly #offered = new Map<string, Suggestion>();
  /** The ghost's words, as far as they can be seen: the first suggestion and what it goes on with. */
  #phrase = "";
  #active: number | undefined;
  #composing = false;
  #accepted: Acceptance | undefined;
  /** Where the word begins that nothing is to be shown for. */
  #dismissed: number | undefined;

  constructor(parts: ControllerParts) {
    this.#parts = parts;
    this.#learner = new Learner((text) => parts.learn && parts.suggester.learn?.(text));
  }

  /**
   * To be called when the text, the caret or the focus may have changed.
   *
   * @param typed whether somebody typed or accepted what is new: from nothing else anything is learned
   */
  sync(typed = false): void {
    if (this.#closed.signal.aborted) return;
    const previous = this.#text;
    this.#text = this.#composing ? undefined : this.#parts.field.read();
    if (sameAs(this.#text, previous)) return;
    this.#active = undefined;
    this.#offered.clear();
    if (this.#accepted?.before !== this.#text?.before) this.#accepted = undefined;
    if (this.#text) this.#learner.observe(this.#text, typed);
    const asks = this.#text && !IN_A_WORD.test(this.#text.after);
    if (asks) this.#request++;
    this.redraw();
    if (asks && this.#text) void this.#ask(this.#text.before);
  }

  /** An input method composes text, or is done with it: until then nothing is shown. */
  compose(active: boolean): void {
    this.#composing = active;
    this.sync(true);
  }

  /** Nobody is at the field any more: what was typed stays as it is. */
  leave(): void {
    this.sync();
    this.#learner.flush();
  }

  /** Acts on a key; `true` if it is used up. */
  key(stroke: KeyStroke): boolean {
    if (stroke.isComposing || this.#composing) return false;
    this.sync();
    const action = actionOf(stroke, {
      count: this.#parts.bar ? this.#shown.length : 0,
      active: this.#active,
      ghost: this.#parts.ghost?.visible ?? false,
      atEnd: this.#text?.after === "",
      forward: this.#parts.forward(),
      apple: this.#parts.apple,
    });
    if (action) this.#do(action);
    return !!action;
  }

  /** Acts on an input that is about to happen; `true` if something else happened in its place. */
  input(input: TextInput): boolean {
    if (this.#composing) return false;
    this.sync();
    const accepted = this.#accepted;
    const transform = accepted && inputAfter(accepted, input);
    // Also a space that adds nothing is used up, so that the next one is one.
    this.#accepted = undefined;
    if (!transform) return false;
    this.#parts.field.apply(transform);
    this.sync(true);
    return true;
  }

  /** Puts a suggestion in, if it was one for the text as it is. */
  accept(suggestion: Suggestion): void {
    this.sync();
    this.#accept(this.#offered.get(suggestion.text));
  }

  /** Has the suggester never suggest a word again. */
  block(suggestion: Suggestion): void {
    this.#parts.suggester.block?.(suggestion.text);
    const suggestions = this.#answer.suggestions.filter(({ text }) => text !== suggestion.text);
    this.#answer = { ...this.#answer, suggestions };
    this.#active = undefined;
    this.redraw();
    if (this.#text) void this.#ask(this.#text.before, ++this.#request);
  }

  /** Shows nothing any more and drops what is under way. */
  close(): void {
    this.#learner.flush();
    this.#text = undefined;
    this.redraw();
    this.#closed.abort();
  }

  #do(action: Action): void {
    const [first] = this.#shown;
    switch (action.type) {
      case "accept":
        return this.#accept(first && withText(first, this.#phrase));
      case "pick":
        return this.#accept(this.#shown[action.index]);
      case "block":
        return this.block(this.#shown[action.index]!);
      case "dismiss":
        this.#dismissed = this.#text && wordStart(this.#text.before, first);
        return this.redraw();
      case "move":
        this.#active = action.index;
        return this.redraw();
    }
  }

  #accept(suggestion: Suggestion | undefined): void {
    if (!suggestion || !this.#text) return;
    const { field, onAccept } = this.#parts;
    const { before, after, room } = this.#text;
    const transform = fitSpace(suggestion.insert, after, room);
    const kept = before.slice(0, before.length - transform.deleteLeft);
    field.apply(transform);
    this.sync(true);
    // Where it is refused it must not stay, or the focus could not leave the field by Tab.
    if (this.#text?.before === before) return this.#do({ type: "dismiss" });
    onAccept?.(suggestion);
    // What the field made of it, or the page, may be something else: then there is nothing to take back.
    const expected = kept + transform.text;
    if (this.#text?.before !== expected) return;
    this.#accepted = {
      before: expected,
      reversion: { deleteLeft: transform.text.length, text: before.slice(kept.length) },
    };
  }

  async #ask(before: string, request = this.#request): Promise<void> {
    const { suggester, count, ghost, ghostWords: words, ghostThreshold: probability, onError } = this.#parts;
    const phrase = ghost && words > 1 ? { words, probability } : undefined;
    let suggestions: readonly Suggestion[] = [];
    try {
      suggestions = await suggester.suggest(before, { count, phrase, requester: this, signal: this.#closed.signal });
    } catch (error) {
      if (!isCancellation(error)) onError?.(error);
      if (Object(error).code === "superseded") return;
    }
    // A late answer is welcome if it is newer than what is shown: what the text contradicts by now is left out.
    if (request > this.#answer.request) this.#answer = { request, before, suggestions };
    this.redraw();
  }

  /** Shows what there is; to be called, too, when the views' layout has changed. */
  redraw(): void {
    if (this.#closed.signal.aborted) return;
    const { views, bar } = this.#parts;
    this.#shown = this.#text ? this.#suggestionsFor(this.#text) : [];
    for (const suggestion of this.#shown) this.#offered.set(suggestion.text, suggestion);
    if ((this.#active ?? 0) >= this.#shown.length) this.#active = undefined;
    this.#renderGhost();
    const pending = this.#answer.request < this.#request;
    const ghost = this.#phrase;
    // Without a bar there is what the ghost shows.
    const suggestions = bar ? this.#shown : ghost ? this.#shown.slice(0, 1) : [];
    const shown = { idle: !this.#text, suggestions, active: this.#active, ghost, pending };
    for (const view of views) view.show(shown);
  }

  /** As many words of the ghost as are likely and find room. */
  #renderGhost(): void {
    const { ghost } = this.#parts;
    const [first] = this.#shown;
    const rest = this.#text && first ? this.#restFor(this.#text, first) : "";
    this.#phrase = "";
    ghost?.hide();
    if (!ghost || !first || !rest) return;
    const { before, room } = this.#text!;
    const further = first.continuation?.split(" ") ?? [];
    do {
      const words = [rest, ...further].join(" ");
      if (words.length <= room) ghost.show(before, words);
      if (ghost.visible) this.#phrase = [first.text, ...further].join(" ");
    } while (!ghost.visible && further.pop());
  }

  #suggestionsFor({ before, after, room }: Surroundings): readonly Suggestion[] {
    const suggestions = (IN_A_WORD.test(after) ? [] : narrow(this.#answer, before)).filter(
      // The space behind it may be left out.
      ({ text, insert }) => text.length - insert.deleteLeft <= room,
    );
    if (suggestions.length === 0) return suggestions;
    if (this.#dismissed === wordStart(before, suggestions[0])) return [];
    this.#dismissed = undefined;
    return suggestions;
  }

  /** The rest of the first suggestion if it is to be drawn behind the caret, else nothing. */
  #restFor({ before, after }: Surroundings, first: Suggestion): string {
    if (first.probability < this.#parts.ghostThreshold) return "";
    if (after !== "" && !after.startsWith("\n")) return "";
    const typed = before.slice(wordStart(before, first));
    return first.text.startsWith(typed) ? first.text.slice(typed.length) : "";
  }
}

function sameAs(one: Surroundings | undefined, other: Surroundings | undefined): boolean {
  return one?.before === other?.before && one?.after === other?.after && one?.room === other?.room;
}

/** A suggestion with what follows on it. */
function withText(suggestion: Suggestion, text: string): Suggestion {
  return { ...suggestion, text, insert: { ...suggestion.insert, text: `${text} ` } };
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
