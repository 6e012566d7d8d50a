/* Where a model's bytes come from: a shipped model's name, an address, or the bytes themselves. */

import { LmError } from "./errors.js";
import type { Download } from "./protocol.js";

/** A shipped model's name (`"en"`), the address of a `.lm` file, or its bytes. */
export type ModelSource = string | URL | ArrayBuffer | Uint8Array;

/** A source that means the same in every thread. */
export type ResolvedSource = { readonly url: string } | { readonly bytes: Uint8Array };

/** What {@link fetchBytes} may be told. */
export interface FetchOptions {
  readonly onDownload?: ((progress: Download) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

// Written out, so that a bundler sees each file and ships it.
const SHIPPED: Readonly<Record<string, URL>> = {
  en: new URL("../models/en.lm", import.meta.url),
};

const LANGUAGE_TAG = /^[a-z]{2,3}(-[a-z0-9]+)*$/i;

/**
 * Turns a source into an absolute address or into bytes.
 *
 * @param baseUrl folder that holds the models called by name, in place of the package's own
 */
export function resolveSource(source: ModelSource, baseUrl?: string | URL): ResolvedSource {
  if (source instanceof ArrayBuffer) return { bytes: new Uint8Array(source) };
  if (source instanceof Uint8Array) return { bytes: source };
  if (source instanceof URL) return { url: source.href };
  if (!LANGUAGE_TAG.test(source)) return { url: absolute(source).href };
  if (baseUrl !== undefined) return { url: new URL(`${source}.lm`, asFolder(absolute(baseUrl))).href };

  const shipped = SHIPPED[source];
  if (shipped) return { url: shipped.href };
  throw new LmError(
    "argument",
    `no model "${source}" comes with lm-wasm (it has ${Object.keys(SHIPPED).join(", ")}): ` +
      `pass the address or the bytes of a .lm file, or a baseUrl to find ${source}.lm under`,
  );
}

/** Fetches the model's bytes, or passes on those that are there already. */
export async function loadSource(source: ResolvedSource, options: FetchOptions = {}): Promise<Uint8Array> {
  if ("bytes" in source) return source.bytes;
  return fetchBytes(source.url, options);
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
  const bytes = await readAll(response, url, (loaded) => report(loaded, total));
  if (total !== undefined && bytes.length !== total) {
    throw new LmError("network", `${url} ended after ${bytes.length} of ${total} bytes: load it again`);
  }
  return bytes;
}

async function request(url: string, signal: AbortSignal | undefined): Promise<globalThis.Response> {
  let response;
  try {
    response = await fetch(url, signal ? { signal } : {});
  } catch (error) {
    if (signal?.aborted) throw error;
    const remedy = "check the address, the connection, and that the server allows this page to read it (CORS)";
    throw new LmError("network", `${url} cannot be reached: ${remedy}`, { cause: error });
  }
  if (!response.ok) {
    throw new LmError("network", `${url} answered with status ${response.status}: check that the file is served there`);
  }
  // Many servers answer an address they don't know with their start page.
  if (response.headers.get("content-type")?.startsWith("text/html")) {
    throw new LmError("network", `${url} answered with a web page (text/html): check that the file is served there`);
  }
  return response;
}

/** The size of what the body will yield; unknown where it is compressed on the way, as the header counts that form. */
function sizeOf(response: globalThis.Response): number | undefined {
  const length = response.headers.get("content-length");
  return length === null || response.headers.has("content-encoding") ? undefined : Number(length);
}

async function readAll(
  response: globalThis.Response,
  url: string,
  onChunk: (loaded: number) => void,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  onChunk(0);
  try {
    const reader = response.body?.getReader();
    for (let part = await reader?.read(); part?.value; part = await reader?.read()) {
      chunks.push(part.value);
      onChunk((length += part.value.length));
    }
  } catch (error) {
    if (Object(error).name === "AbortError") throw error;
    throw new LmError("network", `${url} broke off after ${length} bytes: load it again`, { cause: error });
  }
  return concatenate(chunks, length);
}

function concatenate(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
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

function absolute(url: string | URL): URL {
  const base = (globalThis as { document?: Document }).document?.baseURI;
  try {
    return new URL(url, base);
  } catch (error) {
    throw new LmError("argument", `"${url}" is neither a model's name nor an absolute address`, { cause: error });
  }
}

function asFolder(url: URL): URL {
  return url.pathname.endsWith("/") ? url : new URL(`${url.pathname}/`, url);
}
