/**
 * The element `<lm-suggest for="id-of-a-field">`. Importing this module defines it; that is its one effect.
 *
 * Attributes: `for` (the field's id, in the same document or shadow root), `model` (`en`; a name or an address),
 * `base-url`, `personal` (a name; `off` for none), `suggestions` (a number), `ghost-threshold`, `ghost="off"`,
 * `bar="off"`, `learn="off"`. Elements with the same model, base address and personal words share one predictor.
 *
 * Property: `texts`, for a page in another language than English.
 *
 * Events: `progress` (detail: {@link Progress}), `ready` (detail: the predictor), `accept` (detail: the
 * `Suggestion`), `error` (detail: the {@link LmError}; it is written to the console, too, unless the event is cancelled).
 *
 * @module
 */

import { attach, type AttachOptions } from "./attach.js";
import { LmError } from "./errors.js";
import { Predictor, type LoadOptions, type Progress, type Suggestion } from "./predictor.js";
import type { Texts } from "./texts.js";

/** A predictor that elements share, as long as there are any. */
interface Shared {
  readonly predictor: Promise<Predictor>;
  users: number;
}

const shared = new Map<string, Shared>();

const OBSERVED = ["for", "model", "base-url", "personal", "suggestions", "ghost-threshold", "ghost", "bar", "learn"];

// A server that renders pages knows no elements.
const Base = globalThis.HTMLElement ?? (class {} as typeof HTMLElement);

/** What listeners of an element are given. */
export interface LmSuggestEventMap extends Omit<HTMLElementEventMap, "progress" | "error"> {
  /** A file is being loaded. */
  progress: CustomEvent<Progress>;
  /** The predictor is loaded. */
  ready: CustomEvent<Predictor>;
  /** A suggestion was put into the field. */
  accept: CustomEvent<Suggestion>;
  /** Something failed. */
  error: CustomEvent<LmError>;
}

/** Its own events, for listeners of it. */
export interface LmSuggestElement {
  /** @internal */
  addEventListener<Type extends keyof LmSuggestEventMap>(
    type: Type,
    listener: (this: LmSuggestElement, event: LmSuggestEventMap[Type]) => unknown,
    options?: boolean | AddEventListenerOptions,
  ): void;
  /** @internal */
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | AddEventListenerOptions,
  ): void;
  /** @internal */
  removeEventListener<Type extends keyof LmSuggestEventMap>(
    type: Type,
    listener: (this: LmSuggestElement, event: LmSuggestEventMap[Type]) => unknown,
    options?: boolean | EventListenerOptions,
  ): void;
  /** @internal */
  removeEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | EventListenerOptions,
  ): void;
}

/** See the module's description. */
export class LmSuggestElement extends Base {
  /** @internal */
  static readonly observedAttributes: readonly string[] = OBSERVED;
  #stop: (() => void) | undefined;
  #due = false;
  #texts: Partial<Texts> = {};

  /** What is said and shown, in the page's language; what is left out is English. */
  get texts(): Partial<Texts> {
    return this.#texts;
  }

  /** Attaches the field anew, with these texts. */
  set texts(texts: Partial<Texts>) {
    this.#texts = texts;
    this.#restart();
  }

  /** @internal */
  connectedCallback(): void {
    this.hidden = true;
    this.#restart();
  }

  /** @internal */
  disconnectedCallback(): void {
    this.#restart();
  }

  /** @internal */
  attributeChangedCallback(): void {
    this.#restart();
  }

  /** Once for all changes of a task. */
  #restart(): void {
    if (this.#due) return;
    this.#due = true;
    queueMicrotask(() => {
      this.#due = false;
      const stop = this.#stop;
      // Before the old one is stopped: the predictor would be disposed of, and loaded again.
      this.#stop = this.isConnected ? this.#start() : undefined;
      stop?.();
    });
  }

  #start(): () => void {
    const [key, entry] = this.#entry();
    entry.users++;
    let detach: (() => void) | undefined;
    let stopped = false;
    entry.predictor
      .then((predictor) => {
        if (stopped) return;
        this.#tell("ready", predictor);
        detach = attach(this.#field(), predictor, this.#options());
      })
      .catch((error: unknown) => {
        if (!stopped) this.#fail(error);
      });
    return () => {
      stopped = true;
      detach?.();
      if (--entry.users > 0) return;
      if (shared.get(key) === entry) shared.delete(key);
      entry.predictor.then(
        (predictor) => predictor.dispose(),
        () => {},
      );
    };
  }

  /** The predictor that this element shares with those of the same model. */
  #entry(): [string, Shared] {
    const key = JSON.stringify(["model", "base-url", "personal"].map((name) => this.getAttribute(name)));
    const known = shared.get(key);
    if (known) return [key, known];
    const entry = { predictor: this.#load(), users: 0 };
    shared.set(key, entry);
    // The next element with this model tries again.
    entry.predictor.catch(() => shared.get(key) === entry && shared.delete(key));
    return [key, entry];
  }

  #load(): Promise<Predictor> {
    const baseUrl = this.getAttribute("base-url");
    const personal = this.getAttribute("personal");
    const options: LoadOptions = {
      ...(baseUrl === null ? {} : { baseUrl }),
      ...(personal === null ? {} : { personal: personal === "off" ? false : personal }),
      onProgress: (progress: Progress) => this.#tell("progress", progress),
    };
    return Predictor.load(this.getAttribute("model") ?? "en", options);
  }

  #field(): HTMLElement {
    const id = this.getAttribute("for") ?? "";
    const field = (this.getRootNode() as Document | ShadowRoot).getElementById(id);
    if (field) return field;
    throw new LmError("field", `<lm-suggest for="${id}"> finds no element of that id: give it the id of a text field`);
  }

  #options(): AttachOptions {
    const isOn = (name: string) => this.getAttribute(name) !== "off";
    const suggestions = this.#number("suggestions", "a whole number from 1", (x) => Number.isInteger(x) && x >= 1);
    const ghostThreshold = this.#number("ghost-threshold", "a number from 0 to 1", (x) => x >= 0 && x <= 1);
    return {
      ...(suggestions === undefined ? {} : { suggestions }),
      ...(ghostThreshold === undefined ? {} : { ghostThreshold }),
      ghost: isOn("ghost"),
      bar: isOn("bar"),
      learn: isOn("learn"),
      texts: this.#texts,
      onAccept: (suggestion) => this.#tell("accept", suggestion),
      onError: (error) => this.#fail(error),
    };
  }

  #number(name: string, wanted: string, isRight: (value: number) => boolean): number | undefined {
    const value = this.getAttribute(name);
    if (value === null) return undefined;
    if (value.trim() !== "" && isRight(Number(value))) return Number(value);
    throw new LmError("argument", `<lm-suggest ${name}="${value}">: pass ${wanted}`);
  }

  #fail(error: unknown): void {
    if (this.#tell("error", error)) console.error(error);
  }

  /** `false` if a listener cancelled the event. */
  #tell(type: string, detail: unknown): boolean {
    return this.dispatchEvent(new CustomEvent(type, { detail, cancelable: true }));
  }
}

if (globalThis.customElements && !customElements.get("lm-suggest")) {
  customElements.define("lm-suggest", LmSuggestElement);
}

declare global {
  interface HTMLElementTagNameMap {
    "lm-suggest": LmSuggestElement;
  }
}
