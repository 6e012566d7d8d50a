/* Attributes that are ours for a while. */

/** Sets attributes of an element and gives them their former values back. */
export class BorrowedAttributes {
  readonly #element: Element;
  readonly #former = new Map<string, string | null>();

  constructor(element: Element) {
    this.#element = element;
  }

  set(name: string, value: string): void {
    const present = this.#element.getAttribute(name);
    if (!this.#former.has(name)) this.#former.set(name, present);
    if (present !== value) this.#element.setAttribute(name, value);
  }

  /** Gives the former values back, of one attribute or of all. */
  restore(only?: string): void {
    for (const [name, value] of this.#former) {
      if (only !== undefined && only !== name) continue;
      if (value === null) this.#element.removeAttribute(name);
      else this.#element.setAttribute(name, value);
      this.#former.delete(name);
    }
  }
}
