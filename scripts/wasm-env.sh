# shellcheck shell=bash
# Sourced by whatever compiles to wasm: picks the toolchain that can. The default one almost always does; where it lacks
# the target, set-up may have linked a second one under the name below.

# shellcheck source=scripts/env.sh
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

WASM_TARGET=wasm32-unknown-unknown
WASM_FALLBACK_TOOLCHAIN=wasm-debian

# makes_wasm [TOOLCHAIN]: compiles and links a probe, since a target folder may be there and yet belong to another
# compiler's version.
makes_wasm() {
  local toolchain=${1:-} out status=0
  have rustc || return 1
  out=$(mktemp -d)
  echo 'pub fn probe() {}' |
    env ${toolchain:+"RUSTUP_TOOLCHAIN=$toolchain"} \
      rustc --target "$WASM_TARGET" --crate-type cdylib --crate-name probe -o "$out/probe.wasm" - >/dev/null 2>&1 ||
    status=1
  rm -rf "$out"
  return "$status"
}

# Exports nothing where the default toolchain will do.
choose_wasm_toolchain() {
  if makes_wasm; then return 0; fi
  if have rustup && makes_wasm "$WASM_FALLBACK_TOOLCHAIN"; then
    export RUSTUP_TOOLCHAIN=$WASM_FALLBACK_TOOLCHAIN
    return 0
  fi
  return 1
}

# Two toolchains in one target folder would rebuild everything at each change between them.
export CARGO_TARGET_DIR=$LM_ROOT/target/wasm

# wasm_flags plain|relaxed: cargo's configuration of a build. It joins the flags in .cargo/config.toml. Panic messages name
# source files; whoever builds a release should not publish the path of their home with them.
# What is not marked to be inlined is inlined less than usual, which makes the module 1.3 kB smaller (brotli); the kernels are marked.
wasm_flags() {
  local cargo_home=${CARGO_HOME:-$HOME/.cargo} flags
  flags="'--remap-path-prefix=$cargo_home=/cargo', '--remap-path-prefix=$LM_ROOT=/lm-wasm', '-Cllvm-args=-inline-threshold=50'"
  [ "$1" = plain ] || flags+=", '-Ctarget-feature=+relaxed-simd'"
  echo "target.$WASM_TARGET.rustflags=[$flags]"
}

# optimize_wasm plain|relaxed MODULE
optimize_wasm() {
  local relaxed=
  # The first 1024 bytes are the far end of the stack, 64 kB of which 8 are used, so no address wraps around to them: constants
  # may join the offsets of loads, 84 instead of 96 instructions for 512 products of the kernel in V8. The plain build, whose
  # loop is longer, gets slower by it (docs/performance.md).
  [ "$1" = plain ] || relaxed="--enable-relaxed-simd --low-memory-unused"
  # What tools write of themselves and of the features nobody reads in a page: 0.4 kB of 90. Functions of one caller stay
  # functions, which compresses better, 2.6 kB; those that a step calls for every block of rows are marked for LLVM to inline.
  wasm-opt -O3 --one-caller-inline-max-function-size=0 --strip-producers --strip-target-features \
    --enable-simd --enable-bulk-memory --enable-nontrapping-float-to-int --enable-sign-ext \
    --enable-mutable-globals --enable-reference-types --enable-multivalue $relaxed -o "$2" "$2"
}

need_wasm_tools() {
  local tool
  for tool in wasm-bindgen wasm-opt wasm-dis; do
    have "$tool" || die "$tool is missing: run 'npm run setup'"
  done
  choose_wasm_toolchain || die "no Rust toolchain here makes wasm: run 'npm run setup'"
}

# build_wasm plain|relaxed CRATE FOLDER NAME: compiles a crate of the workspace to FOLDER/NAME_bg.wasm with NAME.js beside it.
build_wasm() {
  # The crate that finds words is a walk through tables: small code will do, 0.6 kB less.
  cargo build --quiet --release --target "$WASM_TARGET" -p "$2" --lib --config "$(wasm_flags "$1")" \
    --config 'profile.release.package.unicode-segmentation.opt-level="s"'
  # Every browser that has SIMD128 has TextEncoder.encodeInto; the way around it would be shipped.
  wasm-bindgen --target web --encode-into always --out-dir "$3" --out-name "$4" \
    "$CARGO_TARGET_DIR/$WASM_TARGET/release/${2//-/_}.wasm"
  optimize_wasm "$1" "$3/$4_bg.wasm"
}
