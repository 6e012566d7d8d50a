/* The personal words as the page sees them; the model's thread holds them. */

import type { Connection } from "./connection.js";
import { report } from "./errors.js";
import type { PersonalAction } from "./protocol.js";
import { toNfc } from "./text.js";

/**
 * The words and pairs of words that somebody uses, learned while they type: at most 10,000 and 20,000. What is used
 * again counts more, what is not used fades. They stay on the reader's machine.
 */
export class PersonalWords {
  readonly #connection: Connection;
  readonly #owner: object;

  /** @internal */
  constructor(connection: Connection, owner: object) {
    this.#connection = connection;
    this.#owner = owner;
  }

  #do(what: PersonalAction["do"], text = ""): Promise<string> {
    const action = { do: what, text: toNfc(text) };
    return this.#connection.ask({ type: "personal", action }, { owner: this.#owner });
  }

  /** Learns the last word of a text and which word stands before it. */
  learn(text: string): void {
    this.#do("learn", text).catch(report);
  }

  /** Forgets a word and the pairs that it is part of. */
  async forget(word: string): Promise<void> {
    await this.#do("forget", word);
  }

  /** Never suggests a word again, whether it was learned or the model knows it. */
  async block(word: string): Promise<void> {
    await this.#do("block", word);
  }

  /** Takes {@link PersonalWords.block} back. */
  async unblock(word: string): Promise<void> {
    await this.#do("unblock", word);
  }

  /**
   * All that was learned and blocked, as text: a line `lm-wasm personal words 1`, then lines of columns separated by
   * tabs (`word`, weight, spelling; `pair`, weight, first, second; `block`, word).
   */
  async export(): Promise<string> {
    return this.#do("export");
  }

  /**
   * Adds what {@link PersonalWords.export} gave to what is there.
   *
   * @throws {@link LmError} of code `personal-words` that names the line at fault; nothing is added then
   */
  async import(data: string): Promise<void> {
    await this.#do("import", data);
  }

  /** Forgets everything, blocked words too. */
  async clear(): Promise<void> {
    await this.#do("clear");
  }
}
