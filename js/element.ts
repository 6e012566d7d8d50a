/**
 * The element `<lm-suggest for="id-of-a-field">`. Importing this module defines it; that is its one effect.
 *
 * Attributes: `for` (the field's id, in the same document or shadow root), `model` (`en`; a name or an address),
 * `base-url`, `personal` (a name; `off` for none), `suggestions` (a number), `ghost-threshold`, `ghost="off"`,
 * `bar="off"`, `learn="off"`. Elements with the same model, base address and personal words share one predictor.
 *
 * Events: `progress` (detail: {@link Progress}), `ready` (detail: the predictor), `accept` (detail: the
 * `Suggestion`), `error` (detail: the {@link LmError}).
 *
 * @module
 */

import { attach, type AttachOptions } from "./attach.js";
import { LmError } from "./errors.js";
import { Predictor, type LoadOptions, type Progress } from "./predictor.js";

/** A predictor that elements share, as long as there are any. */
interface Shared {
  readonly predictor: Promise<Predictor>;
  users: number;
}

const shared = new Map<string, Shared>();

const OBSERVED = ["for", "model", "base-url", "personal", "suggestions", "ghost-threshold", "ghost", "bar", "learn"];

// A server that renders pages knows no elements.
const Base = globalThis.HTMLElement ?? (class {} as typeof HTMLElement);

/** See the module's description. */
export class LmSuggestElement extends Base {
  /** @internal */
  static readonly observedAttributes: readonly string[] = OBSERVED;
  #stop: (() => void) | undefined;
  #due = false;

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
      this.#stop?.();
      this.#stop = this.isConnected ? this.#start() : undefined;
    });
  }

  #start(): () => void {
    const key = JSON.stringify(["model", "base-url", "personal"].map((name) => this.getAttribute(name)));
    const entry = shared.get(key) ?? { predictor: this.#load(), users: 0 };
    shared.set(key, entry);
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
        // The next element with this model tries again.
        shared.delete(key);
        if (!stopped) this.#tell("error", error);
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
    const number = (name: string) => Number(this.getAttribute(name)) || undefined;
    const [suggestions, ghostThreshold] = [number("suggestions"), number("ghost-threshold")];
    return {
      ...(suggestions === undefined ? {} : { suggestions }),
      ...(ghostThreshold === undefined ? {} : { ghostThreshold }),
      ghost: isOn("ghost"),
      bar: isOn("bar"),
      learn: isOn("learn"),
      onAccept: (suggestion) => this.#tell("accept", suggestion),
      onError: (error) => this.#tell("error", error),
    };
  }

  #tell(type: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(type, { detail }));
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
