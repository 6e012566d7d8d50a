/* What the WebAssembly engine of this browser can do, found out by asking it to validate the smallest module that needs it. */

import { LmError } from "./errors.js";

// i8x16.splat, i8x16.splat, and i8x16.relaxed_swizzle as the standard has it.
const SPLAT = [0x41, 0, 0xfd, 0x0f];
const RELAXED_SWIZZLE = [0xfd, 0x80, 0x02];

/** Whether the build with relaxed SIMD, the faster one, runs here. */
export function hasRelaxedSimd(): boolean {
  return validates([...SPLAT, ...SPLAT, ...RELAXED_SWIZZLE]);
}

/** Says what is missing where no module could be compiled. */
export function requireSimd(): void {
  if (validates(SPLAT)) return;
  throw new LmError(
    "wasm",
    "WebAssembly has no SIMD here: use Chrome or Edge 100, Firefox 114, Safari 16.4, Node 20 or newer",
  );
}

/** Whether a function that returns the vector which `body` leaves is valid. */
function validates(body: readonly number[]): boolean {
  const code = [0, ...body, 0x0b];
  return WebAssembly.validate(
    Uint8Array.of(
      ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      // Types: () -> v128. Functions: one of them. Code: its body, without locals.
      ...[1, 5, 1, 0x60, 0, 1, 0x7b],
      ...[3, 2, 1, 0],
      ...[10, code.length + 2, 1, code.length, ...code],
    ),
  );
}
