/* Where things come from: a shipped model's name, an address, or the bytes themselves. */

import { LmError } from "./errors.js";
import { MODELS, MODULES } from "./shipped.js";

/** A shipped model's name (`"en"`), the address of a `.lm` file, or its bytes. */
export type ModelSource = string | URL | ArrayBuffer | Uint8Array;

/** A file and, where it is known, what it must be: `sha256-` and the digest in base64. */
export interface Asset {
  readonly url: string;
  readonly integrity?: string | undefined;
}

/** The builds of the WebAssembly module: the plain one, and the relaxed one for where it runs (features.ts). */
export type Builds = readonly [plain: Asset, relaxed?: Asset];

/** A source that means the same in every thread. */
export type ResolvedSource = Asset | { readonly bytes: Uint8Array; readonly integrity?: string | undefined };

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
  if (source instanceof ArrayBuffer) return { bytes: new Uint8Array(source), integrity };
  if (source instanceof Uint8Array) return { bytes: source, integrity };
  if (source instanceof URL || !LANGUAGE_TAG.test(source)) return { url: absolute(source).href, integrity };

  const shipped = MODELS[source];
  const url = baseUrl === undefined ? shipped?.url : packageFile(baseUrl, `models/${source}.lm`);
  if (url !== undefined) return { url, integrity: integrity ?? shipped?.integrity };
  throw new LmError(
    "argument",
    `no model "${source}" comes with lm-wasm (it has ${Object.keys(MODELS).join(", ")}): ` +
      "pass the address or the bytes of a .lm file",
  );
}

/** Where both builds are, or the plain one alone wherever it is: the JavaScript fits these alone. */
export function resolveWasm(wasmUrl?: string | URL, baseUrl?: string | URL): Builds {
  const { plain, relaxed } = MODULES;
  if (wasmUrl !== undefined) return [{ ...plain, url: absolute(wasmUrl).href }];
  if (baseUrl === undefined) return [plain, relaxed];
  return [
    { ...plain, url: packageFile(baseUrl, "pkg/lm_wasm_bg.wasm") },
    { ...relaxed, url: packageFile(baseUrl, "pkg/lm_wasm_relaxed_bg.wasm") },
  ];
}

/** The address of a file in a copy of the package. */
export function packageFile(baseUrl: string | URL, path: string): string {
  const base = absolute(baseUrl);
  const folder = new URL(base.pathname.replace(/\/?$/, "/"), base);
  return new URL(path, folder).href;
}

function absolute(url: string | URL): URL {
  const base = (globalThis as { document?: Document }).document?.baseURI;
  try {
    return new URL(url, base);
  } catch (error) {
    throw new LmError("argument", `"${url}" is neither a model's name nor an absolute address`, { cause: error });
  }
}
