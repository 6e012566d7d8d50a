/*
 * Personal words between visits, in IndexedDB: a snapshot, and a journal of what changed since. What is learned is in
 * the journal at once, so nothing is lost with a tab that is closed, and tabs that are open side by side add to the
 * same one.
 */

import { attempt } from "./cache.js";
import type { Engine } from "./engine.js";
import type { PersonalAction } from "./protocol.js";

const DATABASE = "lm-wasm";
const SNAPSHOTS = "snapshots";
const JOURNAL = "journal";
/** So many entries are read one by one; more become a snapshot at the next visit. */
const LONGEST_JOURNAL = 500;

/** Opens the database; nothing where a browser keeps nothing, as in Node or in a private window. */
export function openDatabase(): Promise<IDBDatabase | undefined> {
  return attempt(async () => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(SNAPSHOTS);
      request.result.createObjectStore(JOURNAL, { autoIncrement: true }).createIndex("name", "name");
    };
    return result(request);
  });
}

/** The personal words of one name. A store that fails (it may be full) leaves the words in memory as they are. */
export class PersonalStore {
  readonly #database: IDBDatabase;
  readonly #name: string;

  constructor(database: IDBDatabase, name: string) {
    this.#database = database;
    this.#name = name;
    // Another tab has a newer version of the library.
    database.onversionchange = () => database.close();
  }

  /** Gives an engine all that was kept. */
  async restore(engine: Engine): Promise<void> {
    await this.#attempt(async (snapshots, journal) => {
      const kept = (await result(snapshots.get(this.#name))) as string | undefined;
      const keys = await result(journal.index("name").getAllKeys(this.#name));
      const entries = (await result(journal.index("name").getAll(this.#name))) as { action: PersonalAction }[];
      if (kept !== undefined) engine.personal({ do: "import", text: kept });
      for (const { action } of entries) engine.personal(action);
      // In the transaction that read the entries: another tab's are either among them or come later. What was forgotten is
      // still in those before.
      if (keys.length > LONGEST_JOURNAL || entries.some(({ action }) => action.do === "forget")) {
        snapshots.put(engine.personal({ do: "export", text: "" }), this.#name);
        for (const key of keys) journal.delete(key);
      }
    });
  }

  /** Keeps what a later visit does again. */
  async append(action: PersonalAction): Promise<void> {
    await this.#attempt(async (_, journal) => void journal.add({ name: this.#name, action }));
  }

  /** Keeps nothing of what was kept. */
  async clear(): Promise<void> {
    await this.#attempt(async (snapshots, journal) => {
      snapshots.delete(this.#name);
      for (const key of await result(journal.index("name").getAllKeys(this.#name))) journal.delete(key);
    });
  }

  /** To be called at the end. */
  close(): void {
    this.#database.close();
  }

  async #attempt(work: (snapshots: IDBObjectStore, journal: IDBObjectStore) => Promise<void>): Promise<void> {
    try {
      const transaction = this.#database.transaction([SNAPSHOTS, JOURNAL], "readwrite");
      const done = new Promise<void>((resolve, reject) => {
        transaction.oncomplete = () => resolve();
        transaction.onabort = () => reject(transaction.error);
      });
      await Promise.all([work(transaction.objectStore(SNAPSHOTS), transaction.objectStore(JOURNAL)), done]);
    } catch (error) {
      console.warn("lm-wasm: personal words are not kept:", error);
    }
  }
}

function result<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
