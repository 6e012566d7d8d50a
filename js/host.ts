/* The model's side of the protocol, whichever thread it is on. */

import { loadSource } from "./cache.js";
import type { Engine } from "./engine.js";
import { LmError, toLmError } from "./errors.js";
import type { Asset } from "./load.js";
import { openDatabase, PersonalStore } from "./personal-store.js";
import type { Download, PersonalAction, Phrase, Request, Response, Word } from "./protocol.js";

/** How a host gets at WebAssembly. */
export interface EngineLoader {
  loadWasm(wasm: Asset): Promise<unknown>;
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
      if (request.type === "load") await this.#load(request);
      else if (request.type === "suggest") this.#respond({ type: "suggested", token, words: this.#suggest(request) });
      else this.#respond({ type: "done", token, value: await this.#answer(request) });
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
    this.#store?.close();
  }

  async #load({ token, source, wasm, profile }: Request & { type: "load" }): Promise<void> {
    const { signal } = this.#closed;
    const onDownload = (progress: Download) => this.#respond({ type: "progress", token, progress });
    const opening = profile === undefined ? undefined : openDatabase();
    // All at once.
    const loading = Promise.all([loadSource(source, { onDownload, signal }), this.#loader.loadWasm(wasm)]);
    // A connection that is left open would keep a newer version of the library, in another tab, from its database.
    loading.catch(async () => (await opening)?.close());
    const [bytes] = await loading;
    const database = await opening;
    if (signal.aborted) return database?.close();
    const engine = this.#loader.createEngine(bytes);
    this.#engine = engine;
    this.#learns = profile !== undefined;
    if (database) {
      this.#store = new PersonalStore(database, `${engine.info.metadata["language"] ?? ""}/${profile}`);
      await this.#store.restore(engine);
    }
    this.#respond({ type: "loaded", token, info: engine.info });
  }

  #suggest({ text, count, phrase }: Request & { type: "suggest" }): readonly Word[] {
    const engine = this.#engine;
    const words = engine?.suggest(text, count) ?? [];
    const [first, ...others] = words;
    if (!engine || !first || !phrase) return words;
    const continuation = continueWith(engine, text.slice(0, text.length - first.prefixLength), first, phrase);
    return continuation ? [{ ...first, continuation }, ...others] : words;
  }

  async #answer(request: Request & { type: "known" | "personal" }): Promise<string | number> {
    const engine = this.#engine;
    if (!engine) throw new LmError("disposed", "there is no model: load one");
    return request.type === "known" ? engine.known(request.text) : this.#personal(engine, request.action);
  }

  async #personal(engine: Engine, action: PersonalAction): Promise<string> {
    if (action.do === "export") return engine.exportPersonal();
    if (action.do === "learn") {
      const learned = this.#learns ? engine.learn(action.text) : "";
      if (learned) await this.#store?.append({ do: "learn", text: learned });
      return "";
    }
    engine.changePersonal(action);
    if (action.do === "clear") await this.#store?.clear();
    else if (action.do === "import") await this.#store?.save(engine.exportPersonal());
    else await this.#store?.append(action);
    return "";
  }
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
