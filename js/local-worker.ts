/* A stand-in for a worker where there is none or none is wanted. Loaded on demand: most pages never need it. */

import { createEngine, loadWasm } from "./engine.js";
import { Host } from "./host.js";
import type { Request, WorkerLike } from "./protocol.js";

/** Holds the model in the thread of its caller. */
export class LocalWorker implements WorkerLike {
  onmessage: WorkerLike["onmessage"] = null;
  onerror: WorkerLike["onerror"] = null;
  readonly #host = new Host({ createEngine, loadWasm }, (data) => this.onmessage?.({ data }));

  postMessage(request: Request): void {
    // In a task of its own: the keystroke that led here is painted first.
    setTimeout(() => void this.#host.receive(request));
  }

  terminate(): void {
    this.#host.close();
  }
}
