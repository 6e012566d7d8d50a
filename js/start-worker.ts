/* The thread that the model works in. */

import { LmError } from "./errors.js";
import { packageFile } from "./load.js";
import type { WorkerLike } from "./protocol.js";

/** Starts a worker, or what stands in for one; see `worker` of the load options. */
export async function startWorker(worker?: boolean | Worker, baseUrl?: string | URL): Promise<WorkerLike> {
  if (typeof worker === "object") return worker as WorkerLike;
  if (worker === false || typeof Worker === "undefined") return local();
  // A page may have workers of its own origin alone, and the package may come from a content delivery network.
  if (worker === undefined && isForeign(baseUrl === undefined ? import.meta.url : packageFile(baseUrl, ""))) {
    return local();
  }
  try {
    return (baseUrl === undefined ? bundled() : named(baseUrl)) as WorkerLike;
  } catch (error) {
    throw workerError("cannot be started", error);
  }
}

export function workerError(what: string, cause?: unknown): LmError {
  const remedy = "serve dist/worker.js from the page's origin (see baseUrl), with worker-src 'self', or pass { worker: false }";
  return new LmError("worker", `the worker ${what}: ${remedy}`, { cause });
}

/** webpack makes a file: address of this module's. */
function isForeign(url: string): boolean {
  const { protocol, origin } = new URL(url);
  return protocol.startsWith("http") && origin !== globalThis.location?.origin;
}

function bundled(): Worker {
  // Bundlers know this form and no other.
  return new Worker(new URL("./worker.js", import.meta.url), { type: "module", name: "lm-wasm" });
}

function named(baseUrl: string | URL): Worker {
  return new Worker(packageFile(baseUrl, "dist/worker.js"), { type: "module", name: "lm-wasm" });
}

async function local(): Promise<WorkerLike> {
  const { LocalWorker } = await import("./local-worker.js");
  return new LocalWorker();
}
