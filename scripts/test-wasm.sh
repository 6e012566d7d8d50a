#!/usr/bin/env bash
# Runs the crate's wasm tests: scripts/test-wasm.sh firefox|chrome|node [plain|relaxed] [arguments for cargo test]
set -euo pipefail

# shellcheck source=scripts/wasm-env.sh
source "$(dirname "${BASH_SOURCE[0]}")/wasm-env.sh"
cd "$LM_ROOT"

[ $# -ge 1 ] || die "where: firefox, chrome or node?"
engine=$1
shift
variant=plain
case "${1:-}" in
  plain | relaxed)
    variant=$1
    shift
    ;;
esac
case "$engine" in
  firefox) driver=geckodriver ;;
  chrome) driver=chromedriver ;;
  node) driver=node ;;
  *) die "unknown engine '$engine': use firefox, chrome or node" ;;
esac
for tool in wasm-pack "$driver"; do
  have "$tool" || die "$tool is missing: run 'bash scripts/setup.sh test'"
done
choose_wasm_toolchain || die "no Rust toolchain here makes wasm: run 'npm run setup'"

# Elsewhere pages take the plain build, see js/features.ts.
case "$variant $(uname -m)" in
  "plain "* | *x86_64 | *amd64) ;;
  *) echo "the relaxed build is for x86-64 alone, this is $(uname -m): nothing to test" && exit ;;
esac

# Each engine runs the test files that are meant for it; the runner says so of the others.
if [ "$engine" = node ]; then
  set -- --node --mode no-install . "$@"
else
  set -- --headless "--$engine" --mode no-install "--$driver" "$(command -v "$driver")" . "$@"
fi
# Node 20 has relaxed SIMD behind a flag.
[ "$variant" = plain ] || export NODE_ARGS=--experimental-wasm-relaxed-simd
wasm-pack test "$@" --config "$(wasm_flags "$variant")"
