/* The worker's entry: a host that talks to the page. Importing it from a page has no use. */

import { createEngine, loadWasm } from "./engine.js";
import { Host } from "./host.js";
import type { Request, Response } from "./protocol.js";

interface WorkerScope {
  postMessage(response: Response): void;
  onmessage: ((event: { readonly data: Request }) => void) | null;
}

const scope = globalThis as unknown as WorkerScope;
const host = new Host({ createEngine, loadWasm }, (response) => scope.postMessage(response));
scope.onmessage = ({ data }) => void host.receive(data);
