/* Where things come from: a shipped model's name, an address, or the bytes themselves. */

import { MODEL_INTEGRITY, WASM_INTEGRITY } from "./digests.js";
import { LmError } from "./errors.js";
import { hasRelaxedSimd, requireSimd } from "./features.js";

/** A shipped model's name (`"en"`), the address of a `.lm` file, or its bytes. */
export type ModelSource = string | URL | ArrayBuffer | Uint8Array;

/** A file and, where it is known, what it must be: `sha256-` and the digest in base64. */
export interface Asset {
  readonly url: string;
  readonly integrity?: string;
}

/** A source that means the same in every thread. */
export type ResolvedSource = Asset | { readonly bytes: Uint8Array; readonly integrity?: string };

// Written out, so that a bundler sees each file and ships it.
const SHIPPED: Readonly<Record<string, URL>> = {
  en: new URL("../models/en.lm", import.meta.url),
};
const MODULES = {
  plain: new URL("../pkg/lm_wasm_bg.wasm", import.meta.url),
  relaxed: new URL("../pkg/lm_wasm_relaxed_bg.wasm", import.meta.url),
} as const;

const LANGUAGE_TAG = /^[a-z]{2,3}(-[a-z0-9]+)*$/i;
const INTEGRITY = /^sha256-[A-Za-z0-9+/]{43}=$/;

/** What {@link resolveSource} may be told; see the load options of the same names. */
export interface SourceOptions {
  readonly baseUrl?: string | URL | undefined;
  readonly integrity?: string | undefined;
}

/** Turns a source into an absolute address or into bytes. */
export function resolveSource(source: ModelSource, { baseUrl, integrity }: SourceOptions = {}): ResolvedSource {
  if (integrity !== undefined && !INTEGRITY.test(integrity)) {
    throw new LmError("argument", `"${integrity}" is no integrity: pass sha256- and the digest in base64`);
  }
  const expected = integrity === undefined ? {} : { integrity };
  if (source instanceof ArrayBuffer) return { bytes: new Uint8Array(source), ...expected };
  if (source instanceof Uint8Array) return { bytes: source, ...expected };
  if (source instanceof URL) return { url: source.href, ...expected };
  if (!LANGUAGE_TAG.test(source)) return { url: absolute(source).href, ...expected };

  const known = Object.hasOwn(MODEL_INTEGRITY, source) ? MODEL_INTEGRITY[source] : undefined;
  const shipped = { ...(known === undefined ? {} : { integrity: known }), ...expected };
  if (baseUrl !== undefined) return { url: packageFile(baseUrl, `models/${source}.lm`), ...shipped };
  const url = SHIPPED[source]?.href;
  if (url !== undefined) return { url, ...shipped };
  throw new LmError(
    "argument",
    `no model "${source}" comes with lm-wasm (it has ${Object.keys(SHIPPED).join(", ")}): ` +
      `pass the address or the bytes of a .lm file, or a baseUrl with models/${source}.lm`,
  );
}

/** The WebAssembly module that runs fastest here, or the plain one wherever it is: the JavaScript fits these alone. */
export function resolveWasm(wasmUrl?: string | URL, baseUrl?: string | URL): Asset {
  requireSimd();
  if (wasmUrl !== undefined) return { url: absolute(wasmUrl).href, integrity: WASM_INTEGRITY.plain };
  const build = hasRelaxedSimd() ? "relaxed" : "plain";
  const integrity = WASM_INTEGRITY[build];
  if (baseUrl === undefined) return { url: MODULES[build].href, integrity };
  return { url: packageFile(baseUrl, `pkg/lm_wasm_${build === "plain" ? "" : "relaxed_"}bg.wasm`), integrity };
}

/** The address of a file in a copy of the package. */
export function packageFile(baseUrl: string | URL, path: string): string {
  return new URL(path, asFolder(absolute(baseUrl))).href;
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
