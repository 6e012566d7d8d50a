/* The model's side of the protocol, whichever thread it is on. */

import { toLmError } from "./errors.js";
import { loadSource } from "./load.js";
import type { Engine } from "./engine.js";
import type { Download, Request, Response } from "./protocol.js";

/** How a host gets at WebAssembly. */
export interface EngineLoader {
  loadWasm(url?: string): Promise<unknown>;
  createEngine(bytes: Uint8Array): Engine;
}

/**
 * Answers requests with a model.
 *
 * States: empty --load--> loading --> ready; a load that fails leads back to empty, and `close` ends them all.
 */
export class Host {
  readonly #loader: EngineLoader;
  readonly #respond: (response: Response) => void;
  readonly #closed = new AbortController();
  #engine: Engine | undefined;

  constructor(loader: EngineLoader, respond: (response: Response) => void) {
    this.#loader = loader;
    this.#respond = (response) => {
      if (!this.#closed.signal.aborted) respond(response);
    };
  }

  /** Takes a request; the answer goes to the `respond` of the constructor, failures too. */
  async receive(request: Request): Promise<void> {
    const { token } = request;
    try {
      if (request.type === "load") await this.#load(request);
      else this.#suggest(request);
    } catch (error) {
      const { code, message } = toLmError(error, "wasm");
      this.#respond({ type: "failed", token, code, message });
    }
  }

  /** Frees the model and stays silent from now on. */
  close(): void {
    this.#closed.abort();
    this.#engine?.free();
    this.#engine = undefined;
  }

  async #load({ token, source, wasmUrl }: Request & { type: "load" }): Promise<void> {
    const { signal } = this.#closed;
    const onDownload = (progress: Download) => this.#respond({ type: "progress", token, progress });
    // Both downloads at once.
    const [bytes] = await Promise.all([loadSource(source, { onDownload, signal }), this.#loader.loadWasm(wasmUrl)]);
    if (signal.aborted) return;
    this.#engine = this.#loader.createEngine(bytes);
    this.#respond({ type: "loaded", token, info: this.#engine.info });
  }

  #suggest({ token, text, count }: Request & { type: "suggest" }): void {
    const words = this.#engine?.suggest(text, count) ?? [];
    this.#respond({ type: "suggested", token, words });
  }
}
