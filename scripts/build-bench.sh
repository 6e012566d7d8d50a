#!/usr/bin/env bash
# Compiles what the benchmarks run inside a browser to target/bench/, plain and relaxed.
set -euo pipefail

# shellcheck source=scripts/wasm-env.sh
source "$(dirname "${BASH_SOURCE[0]}")/wasm-env.sh"
cd "$LM_ROOT"

need_wasm_tools
for variant in plain relaxed; do
  build_wasm $variant lm-wasm-bench target/bench/$variant bench
done
