#!/usr/bin/env bash
# Runs the crate's wasm tests in a browser: scripts/test-wasm.sh firefox|chrome [arguments for cargo test]
set -euo pipefail

# shellcheck source=scripts/wasm-env.sh
source "$(dirname "${BASH_SOURCE[0]}")/wasm-env.sh"
cd "$LM_ROOT"

[ $# -ge 1 ] || die "which browser: firefox or chrome?"
browser=$1
shift
case "$browser" in
  firefox) driver=geckodriver ;;
  chrome) driver=chromedriver ;;
  *) die "unknown browser '$browser': use firefox or chrome" ;;
esac
for tool in wasm-pack "$driver"; do
  have "$tool" || die "$tool is missing: run 'bash scripts/setup.sh test'"
done
choose_wasm_toolchain || die "no Rust toolchain here makes wasm: run 'npm run setup'"

wasm-pack test --headless "--$browser" --mode no-install "--${driver}" "$(command -v "$driver")" . "$@"
