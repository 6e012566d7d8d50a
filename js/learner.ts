/* Which of the words that are typed are worth remembering. */

import type { Surroundings } from "./controller.js";

/** As much of a text as it takes to tell a word and the one before it. */
const TOLD_UNITS = 200;
/** More than this at once was pasted, or put in by the page. */
const LONGEST_STEP = 80;

/** Longer words are none, and a long text need not be searched for where its last one begins. */
const LONGEST_WORD = 100;

const FINISHED_WORD = /[\p{L}\p{M}\p{N}]+(?:['’][\p{L}\p{M}\p{N}]+)*(?=[^\p{L}\p{M}\p{N}'’]|['’](?!$|[\p{L}\p{M}\p{N}]))/gu;

/**
 * Watches a text grow and tells each word that is finished, once nobody can be about to correct it: when the next one
 * is finished, or when the field is left. A word that is deleted before that is never told, nor is one that was there
 * already, or was pasted, not even if somebody types on behind it or has it as neighbour.
 */
export class Learner {
  readonly #tell: (text: string) => void;
  #before = "";
  #after = "";
  /** Where the part ends that may come from elsewhere: nothing before that is told. */
  #foreign = Infinity;
  /** The text up to the end of the word that is finished and not yet told. */
  #finished = "";
  /** As much of it as may be told. */
  #due = "";

  /** @param tell is given a text that ends with the word, without what follows it */
  constructor(tell: (text: string) => void) {
    this.#tell = tell;
  }

  /** Takes the text around the caret after each change, and whether somebody typed it. */
  observe({ before, after }: Surroundings, typed: boolean): void {
    const previous = this.#before;
    const grown = before.length - previous.length;
    // Typed or accepted: a little more at the caret, and all else the same. Or less: the caret went back, or some text.
    const isOwn = typed ? grown <= LONGEST_STEP && after === this.#after : previous.startsWith(before);
    this.#foreign = isOwn ? Math.min(this.#foreign, before.length) : before.length;
    this.#before = before;
    this.#after = after;
    if (!before.startsWith(this.#finished)) {
      // A text that is gone as a whole was sent; one that is shorter is being corrected.
      if (before === "") this.flush();
      this.#finished = "";
    }
    // A suggestion may have replaced the word that was begun.
    const start = lastWordStart(previous);
    const isStep = grown > 0 && start >= this.#foreign;
    if (isStep && before.startsWith(previous.slice(0, start))) this.#finish(before, start);
  }

  /** Tells the last word, which nobody goes on with. */
  flush(): void {
    if (this.#finished) this.#tell(this.#due);
    this.#finished = "";
  }

  #finish(before: string, start: number): void {
    for (const { 0: word, index } of before.slice(start).matchAll(FINISHED_WORD)) {
      const finished = before.slice(0, start + index + word.length);
      if (finished === this.#finished) continue;
      this.flush();
      this.#finished = finished;
      this.#due = finished.slice(Math.max(this.#foreign, finished.length - TOLD_UNITS));
    }
  }
}

function lastWordStart(text: string): number {
  const tail = text.slice(-LONGEST_WORD);
  return text.length - tail.length + tail.search(/\S*$/);
}
