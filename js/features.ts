/* What the WebAssembly engine of this browser can do, found out by the smallest module that needs it. */

import { LmError } from "./errors.js";

// i32.const 7, i8x16.splat; i32.const 16, i8x16.splat, and i8x16.relaxed_swizzle as the standard has it.
const SEVENS = [0x41, 7, 0xfd, 0x0f];
const LOOK_UP = [0x41, 16, 0xfd, 0x0f, 0xfd, 0x80, 0x02];

/**
 * Whether the build with relaxed SIMD runs here, and faster: of indices from 16 to 127 its look-ups take the lower four bits, as
 * processors of the x86-64 kind do. Others have zeros there, and nothing to gain by it.
 */
export function runsRelaxedBuild(): boolean {
  try {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(moduleOf([...SEVENS, ...LOOK_UP])));
    return (exports["f"] as () => number)() === 7;
  } catch {
    return false;
  }
}

/** Says what is missing where no module could be compiled. */
export function requireSimd(): void {
  if (WebAssembly.validate(moduleOf(SEVENS))) return;
  throw new LmError(
    "wasm",
    "WebAssembly has no SIMD here: use Chrome or Edge 100, Firefox 114, Safari 16.4, Node 20 or newer",
  );
}

/** A module whose function `f` returns the first byte of the vector that `body` leaves. */
function moduleOf(body: readonly number[]): BufferSource {
  // Without locals, and i8x16.extract_lane_u 0.
  const code = [0, ...body, 0xfd, 0x16, 0, 0x0b];
  return Uint8Array.of(
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    // Types: () -> i32. Functions: one of them. Exports: it. Code: its body.
    ...[1, 5, 1, 0x60, 0, 1, 0x7f, 3, 2, 1, 0, 7, 5, 1, 1, 0x66, 0, 0],
    ...[10, code.length + 2, 1, code.length, ...code],
  );
}
