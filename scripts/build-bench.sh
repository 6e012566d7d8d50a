#!/usr/bin/env bash
# Compiles what the benchmarks run inside a browser to target/bench/, plain and relaxed.
set -euo pipefail

# shellcheck source=scripts/wasm-env.sh
source "$(dirname "${BASH_SOURCE[0]}")/wasm-env.sh"
cd "$LM_ROOT"

for tool in wasm-bindgen wasm-opt; do
  have "$tool" || die "$tool is missing: run 'npm run setup'"
done
choose_wasm_toolchain || die "no Rust toolchain here makes wasm: run 'npm run setup'"

for variant in plain relaxed; do
  cargo build --quiet --release --target "$WASM_TARGET" -p lm-wasm-bench --config "$(wasm_flags "$variant")"
  wasm-bindgen --target web --out-dir target/bench/$variant --out-name bench \
    "$CARGO_TARGET_DIR/$WASM_TARGET/release/lm_wasm_bench.wasm"
  optimize_wasm "$variant" target/bench/$variant/bench_bg.wasm
done
