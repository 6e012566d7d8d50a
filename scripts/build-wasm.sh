#!/usr/bin/env bash
# Compiles the root crate to pkg/: lm_wasm.js, lm_wasm_bg.wasm and their types. wasm-opt's options stand in Cargo.toml.
set -euo pipefail

# shellcheck source=scripts/wasm-env.sh
source "$(dirname "${BASH_SOURCE[0]}")/wasm-env.sh"
cd "$LM_ROOT"

WASM=pkg/lm_wasm_bg.wasm

need_tools() {
  local tool
  for tool in wasm-pack wasm-opt wasm-dis; do
    have "$tool" || die "$tool is missing: run 'npm run setup'"
  done
  choose_wasm_toolchain || die "no Rust toolchain here makes wasm: run 'npm run setup'"
}

# Panic messages name source files; whoever builds a release should not publish the path of their home with them.
# cargo joins this list to the one in .cargo/config.toml.
path_flags() {
  local cargo_home=${CARGO_HOME:-$HOME/.cargo}
  echo "target.$WASM_TARGET.rustflags=['--remap-path-prefix=$cargo_home=/cargo', '--remap-path-prefix=$LM_ROOT=/lm-wasm']"
}

build() {
  # --mode no-install: what is missing is set-up's to install, not wasm-pack's to download.
  wasm-pack --quiet build . --release --mode no-install --target web --out-dir pkg --out-name lm_wasm -- \
    --config "$(path_flags)"
}

# wasm-pack writes both for a package of its own. npm would obey the .gitignore ("*") and leave pkg/ out of ours.
drop_package_files() {
  rm -f pkg/.gitignore pkg/package.json pkg/README.md pkg/LICENSE*
}

# Without the flag in .cargo/config.toml (RUSTFLAGS replaces it) the build succeeds and runs several times slower.
assert_simd() {
  local count
  count=$(wasm-dis "$WASM" | grep -cE '\((v128|i8x16|i16x8|i32x4)\.' || true)
  [ "$count" -gt 0 ] || die "$WASM holds no SIMD instruction: is RUSTFLAGS set? It overrides .cargo/config.toml"
  say "$WASM: $(wc -c <"$WASM") bytes, $(gzip -9 -c "$WASM" | wc -c) gzipped, $count SIMD instructions"
}

need_tools
build
drop_package_files
assert_simd
