/* Attributes that are ours for a while. */

/** Sets attributes of an element and gives them their former values back. */
export class BorrowedAttributes {
  readonly #element: Element;
  readonly #former = new Map<string, string | null>();

  constructor(element: Element) {
    this.#element = element;
  }

  /** Sets an attribute; `undefined` gives it its former value back. */
  set(name: string, value: string | undefined): void {
    const present = this.#element.getAttribute(name);
    if (!this.#former.has(name)) this.#former.set(name, present);
    const wanted = value ?? this.#former.get(name) ?? null;
    if (value === undefined) this.#former.delete(name);
    if (wanted === null) this.#element.removeAttribute(name);
    else if (wanted !== present) this.#element.setAttribute(name, wanted);
  }

  /** Gives all of them their former values back. */
  restore(): void {
    for (const name of this.#former.keys()) this.set(name, undefined);
  }
}
