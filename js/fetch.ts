/* Files from the network, or under Node from the disk. */

import { LmError } from "./errors.js";
import type { Download } from "./protocol.js";

/** What {@link fetchBytes} may be told. */
export interface FetchOptions {
  readonly onDownload?: ((progress: Download) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Fetches a file and reports how far it is; under Node it reads `file:` addresses, too. */
export async function fetchBytes(url: string, { onDownload, signal }: FetchOptions = {}): Promise<Uint8Array> {
  const report = (loaded: number, total?: number) => onDownload?.({ status: "download", url, loaded, total });
  if (url.startsWith("file:")) {
    const local = await readFileUrl(url);
    if (local) {
      report(local.length, local.length);
      return local;
    }
  }
  const response = await request(url, signal);
  const total = sizeOf(response);
  return readAll(response, url, total, (loaded) => report(loaded, total && Math.max(loaded, total)));
}

async function request(url: string, signal: AbortSignal | undefined): Promise<globalThis.Response> {
  let response;
  try {
    // The digest says whether a file is the right one, not the browser's guess how long it stays so.
    response = await fetch(url, { signal: signal ?? null, cache: "no-cache" });
  } catch (error) {
    if (signal?.aborted) throw error;
    const remedy = "check the address, the connection and what the server allows (CORS)";
    throw new LmError("network", `${url} cannot be reached: ${remedy}`, { cause: error });
  }
  // Many servers answer an address they don't know with their start page.
  const isPage = response.headers.get("content-type")?.startsWith("text/html");
  if (response.ok && !isPage) return response;
  const what = response.ok ? "a web page (text/html)" : `status ${response.status}`;
  throw new LmError("network", `${url} answered with ${what}: check that the file is served there`);
}

/** The size of what the body will yield; unknown where it is compressed on the way, as the header counts that form. */
function sizeOf(response: globalThis.Response): number | undefined {
  const length = response.headers.get("content-length");
  return length === null || response.headers.has("content-encoding") ? undefined : Number(length);
}

async function readAll(
  response: globalThis.Response,
  url: string,
  total: number | undefined,
  onChunk: (loaded: number) => void,
): Promise<Uint8Array> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  onChunk(0);
  try {
    const reader = response.body?.getReader();
    for (let part = await reader?.read(); part?.value; part = await reader?.read()) {
      chunks.push(part.value);
      onChunk((length += part.value.length));
    }
    // Of other origins a page is told the length, but not whether the body is compressed.
    const isTold = response.type !== "cors" && total !== undefined;
    if (isTold && length !== total) throw new Error(`the server told of ${total} bytes`);
  } catch (error) {
    if (Object(error).name === "AbortError") throw error;
    throw new LmError("network", `${url} broke off after ${length} bytes: load it again`, { cause: error });
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

interface FileSystem {
  readonly promises: { readFile(url: URL): Promise<Uint8Array> };
}

/** Node's fetch knows no `file:` addresses. No import names the module, so no bundler tries to ship it to a browser. */
async function readFileUrl(url: string): Promise<Uint8Array | undefined> {
  const { process } = globalThis as { process?: { getBuiltinModule?: (id: string) => unknown } };
  const fs = process?.getBuiltinModule?.("node:fs") as FileSystem | undefined;
  if (!fs) return undefined;
  try {
    return await fs.promises.readFile(new URL(url));
  } catch (error) {
    throw new LmError("network", `${url} cannot be read: check that the file is there`, { cause: error });
  }
}
