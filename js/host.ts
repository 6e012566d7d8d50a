/* The model's side of the protocol, whichever thread it is on. */

import { loadSource } from "./cache.js";
import type { Engine } from "./engine.js";
import { LmError } from "./errors.js";
import type { Builds } from "./load.js";
import { openDatabase, PersonalStore } from "./personal-store.js";
import type { Answers, Download, ModelInfo, PersonalAction, Phrase, Request, Response, Word } from "./protocol.js";

/** How a host gets at WebAssembly. */
export interface EngineLoader {
  loadWasm(builds: Builds): Promise<unknown>;
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
  #store: PersonalStore | undefined;
  #learns = false;

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
      this.#respond({ type: "done", token, value: await this.#answer(request) });
    } catch (error) {
      const code = error instanceof LmError ? error.code : "wasm";
      this.#respond({ type: "failed", token, code, message: Object(error).message });
    }
  }

  /** Frees the model and stays silent from now on. */
  close(): void {
    this.#closed.abort();
    this.#engine?.free();
    this.#engine = undefined;
    this.#store?.close();
  }

  #answer(request: Request): Answers[keyof Answers] | Promise<Answers[keyof Answers]> {
    if (request.type === "load") return this.#load(request);
    const engine = this.#engine;
    if (!engine) throw new LmError("disposed", "there is no model: load one");
    switch (request.type) {
      case "suggest":
        return suggest(engine, request);
      case "known":
        return engine.known(request.text);
      case "personal":
        return this.#personal(engine, request.action);
    }
  }

  async #load({ token, source, wasm, profile }: Request & { type: "load" }): Promise<ModelInfo> {
    const { signal } = this.#closed;
    const onDownload = (progress: Download) => this.#respond({ type: "progress", token, progress });
    const opening = profile === undefined ? undefined : openDatabase();
    try {
      // All at once.
      const sources = [loadSource(source, { onDownload, signal }), opening, this.#loader.loadWasm(wasm)] as const;
      const [bytes, database] = await Promise.all(sources);
      signal.throwIfAborted();
      const engine = this.#loader.createEngine(bytes);
      this.#engine = engine;
      this.#learns = profile !== undefined;
      if (database) {
        this.#store = new PersonalStore(database, `${engine.info.metadata["language"] ?? ""}/${profile}`);
        await this.#store.restore(engine);
      }
      return engine.info;
    } catch (error) {
      // A connection that is left open would keep a newer version of the library, in another tab, from its database.
      void opening?.then((database) => database?.close());
      throw error;
    }
  }

  async #personal(engine: Engine, action: PersonalAction): Promise<string> {
    const learns = action.do === "learn";
    if (learns && !this.#learns) return "";
    const text = engine.personal(action);
    if (action.do === "export") return text;
    if (action.do === "clear") await this.#store?.clear();
    else if (!learns) await this.#store?.append(action);
    else if (text) await this.#store?.append({ ...action, text });
    return "";
  }
}

/** The words for a text; the first one goes on as far as it was asked for. */
function suggest(engine: Engine, { text, count, phrase }: Request & { type: "suggest" }): readonly Word[] {
  const words = engine.suggest(text, count);
  const [first, ...others] = words;
  if (!first || !phrase) return words;
  const continuation = continueWith(engine, text.slice(0, text.length - first.prefixLength), first, phrase);
  return continuation ? [{ ...first, continuation }, ...others] : words;
}

/** The words that most likely follow, as long as the whole phrase stays likely enough. */
function continueWith(engine: Engine, before: string, first: Word, { words, probability }: Phrase): string {
  const phrase = [first.text];
  for (let likely = first.probability; phrase.length < words; ) {
    const [next] = engine.suggest(`${before}${phrase.join(" ")} `, 1);
    likely *= next?.probability ?? 0;
    if (!next || likely < probability) break;
    phrase.push(next.text);
  }
  return phrase.slice(1).join(" ");
}
