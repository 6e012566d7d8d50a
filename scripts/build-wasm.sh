#!/usr/bin/env bash
# Compiles the root crate to pkg/: lm_wasm.js and its types, and two modules of the same interface, lm_wasm_bg.wasm for every
# browser that has SIMD128 and lm_wasm_relaxed_bg.wasm for those whose relaxed look-ups take the
# lower four bits of an index (js/features.ts).
set -euo pipefail

# shellcheck source=scripts/wasm-env.sh
source "$(dirname "${BASH_SOURCE[0]}")/wasm-env.sh"
cd "$LM_ROOT"

PLAIN=pkg/lm_wasm_bg.wasm
RELAXED=pkg/lm_wasm_relaxed_bg.wasm
# The relaxed build's own package, of which only the module is kept.
RELAXED_PACKAGE=$CARGO_TARGET_DIR/relaxed-package

# One JavaScript serves both modules.
take_relaxed_module() {
  cmp -s pkg/lm_wasm.js "$RELAXED_PACKAGE/lm_wasm.js" || die "the two builds differ in their JavaScript"
  cp "$RELAXED_PACKAGE/lm_wasm_bg.wasm" "$RELAXED"
}

# wasm-bindgen's JavaScript warns of a way to call it that nobody takes here, and every page would load the warning.
drop_warnings() {
  grep -v 'deprecated parameters' pkg/lm_wasm.js >pkg/lm_wasm.js.tmp
  mv pkg/lm_wasm.js.tmp pkg/lm_wasm.js
}

# assert_simd MODULE INSTRUCTIONS: without the flag in .cargo/config.toml (RUSTFLAGS replaces it) the build succeeds and runs
# several times slower.
assert_simd() {
  local count
  count=$(wasm-dis --all-features "$1" | grep -cE "\\(($2)" || true)
  [ "$count" -gt 0 ] || die "$1 holds no SIMD instruction: is RUSTFLAGS set? It overrides .cargo/config.toml"
  say "$1: $(wc -c <"$1") bytes, $(gzip -9 -c "$1" | wc -c) gzipped, $count SIMD instructions ($2)"
}

need_wasm_tools
build_wasm plain lm-wasm pkg lm_wasm
build_wasm relaxed lm-wasm "$RELAXED_PACKAGE" lm_wasm
take_relaxed_module
drop_warnings
assert_simd "$PLAIN" 'v128|i8x16|i16x8|i32x4'
assert_simd "$RELAXED" 'i8x16.relaxed_swizzle'
