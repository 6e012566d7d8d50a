/* Files that are kept between visits, and the check that they are what they should be. */

import { LmError } from "./errors.js";
import { fetchBytes, type FetchOptions } from "./fetch.js";
import type { Asset, ResolvedSource } from "./load.js";

/** Name of the library's part of the Cache API's storage. */
const CACHE = "lm-wasm";

/** The bytes of a source: those that are there already, those that are kept, or those of the network. */
export async function loadSource(source: ResolvedSource, options: FetchOptions = {}): Promise<Uint8Array> {
  if ("url" in source) return loadAsset(source, options);
  await check("the model", source.bytes, source.integrity);
  return source.bytes;
}

/**
 * Loads a file.
 *
 * One whose digest is known is taken from the cache, without a request, as long as it is the right one. Of any other
 * the network tells what is new, and the cache stands in when there is no network.
 */
export async function loadAsset({ url, integrity }: Asset, options: FetchOptions = {}): Promise<Uint8Array> {
  const cache = await openCache(url);
  if (!cache) return fetchChecked(url, integrity, options);
  if (integrity !== undefined) {
    const kept = await match(cache, url);
    if (kept && (await digest(kept)) === integrity) {
      options.onDownload?.({ status: "download", url, loaded: kept.length, total: kept.length });
      return kept;
    }
  }
  try {
    const bytes = await fetchChecked(url, integrity, options);
    await attempt(() => cache.put(url, new Response(bytes as Uint8Array<ArrayBuffer>)));
    return bytes;
  } catch (error) {
    const kept = integrity === undefined && Object(error).code === "network" && (await match(cache, url));
    if (kept) return kept;
    throw error;
  }
}

async function fetchChecked(url: string, integrity: string | undefined, options: FetchOptions): Promise<Uint8Array> {
  const bytes = await fetchBytes(url, options);
  await check(url, bytes, integrity);
  return bytes;
}

async function check(name: string, bytes: Uint8Array, integrity: string | undefined): Promise<void> {
  if (integrity === undefined) return;
  const found = await digest(bytes);
  // Pages without https have no digests; the model's own checksums still tell damage.
  if (found === undefined || found === integrity) return;
  throw new LmError(
    "integrity",
    `${name} is not the file expected (${found} instead of ${integrity}): ` +
      "serve that of this version of lm-wasm, or pass the integrity of yours",
  );
}

async function digest(bytes: Uint8Array): Promise<string | undefined> {
  const { subtle } = globalThis.crypto ?? {};
  if (!subtle) return undefined;
  const hash = new Uint8Array(await subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>));
  return `sha256-${btoa(String.fromCharCode(...hash))}`;
}

/** The cache, where there is one: not in Node, not without https, not where the reader forbids storage. */
function openCache(url: string): Promise<Cache | undefined> {
  return attempt(async () => (url.startsWith("http") ? globalThis.caches?.open(CACHE) : undefined));
}

function match(cache: Cache, url: string): Promise<Uint8Array | undefined> {
  return attempt(async () => {
    const response = await cache.match(url);
    return response && new Uint8Array(await response.arrayBuffer());
  });
}

/** What storage gives; one that is full, forbidden or broken is no reason to do without suggestions. */
export async function attempt<T>(action: () => Promise<T>): Promise<T | undefined> {
  try {
    return await action();
  } catch {
    return undefined;
  }
}
