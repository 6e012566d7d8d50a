/* Which of the words that are typed are worth remembering. */

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
 * already, or came in one piece with many others.
 */
export class Learner {
  readonly #tell: (text: string) => void;
  #before: string | undefined;
  /** The text up to the end of the word that is finished and not yet told. */
  #finished: string | undefined;

  /** @param tell is given a text that ends with the word, without what follows it */
  constructor(tell: (text: string) => void) {
    this.#tell = tell;
  }

  /** Takes the text before the caret after each change, and whether somebody typed it. */
  observe(before: string, typed: boolean): void {
    const previous = this.#before;
    this.#before = before;
    if (this.#finished !== undefined && !before.startsWith(this.#finished)) {
      // A text that is gone as a whole was sent; one that is shorter is being corrected.
      if (before === "") this.flush();
      else this.#finished = undefined;
    }
    if (previous === undefined || !typed) return;
    const start = lastWordStart(previous);
    // Typed or accepted: a little more at the end, where a suggestion may have replaced the word that was begun.
    const isStep = before.length > previous.length && before.length - previous.length <= LONGEST_STEP;
    if (isStep && before.startsWith(previous.slice(0, start))) this.#finish(before, start);
  }

  /** Tells the last word, which nobody goes on with. */
  flush(): void {
    if (this.#finished !== undefined) this.#tell(this.#finished.slice(-TOLD_UNITS));
    this.#finished = undefined;
  }

  #finish(before: string, start: number): void {
    for (const { 0: word, index } of before.slice(start).matchAll(FINISHED_WORD)) {
      const finished = before.slice(0, start + index + word.length);
      if (finished === this.#finished) continue;
      this.flush();
      this.#finished = finished;
    }
  }
}

function lastWordStart(text: string): number {
  const tail = text.slice(-LONGEST_WORD);
  return text.length - tail.length + tail.search(/\S*$/);
}
