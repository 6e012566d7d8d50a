#!/usr/bin/env bash
# Every check there is, in order; a failed one does not keep the others from running, except where they stand on it.
set -euo pipefail

# shellcheck source=scripts/env.sh
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$LM_ROOT"
shopt -s globstar nullglob

passed=()
failed=()

# section NAME COMMAND...: the command is a program of its own, so that its first error ends it.
section() {
  local name=$1 began=$SECONDS
  shift
  printf '\n=== %s\n' "$name"
  if "$@" </dev/null; then
    passed+=("$name")
    printf '=== %s: passed in %d s\n' "$name" $((SECONDS - began))
  else
    failed+=("$name")
    printf '=== %s: FAILED after %d s\n' "$name" $((SECONDS - began))
    return 1
  fi
}

summarize() {
  local name
  printf '\n'
  for name in "${failed[@]}"; do echo "FAILED: $name"; done
  echo "test: ${#passed[@]} sections passed, ${#failed[@]} failed, in $SECONDS s"
  [ "${#failed[@]}" -eq 0 ]
}

rust_sections() {
  section "format" cargo fmt --all --check || true
  section "clippy" cargo clippy --quiet --workspace --all-targets --locked -- -D warnings || true
  section "native tests" cargo test --quiet --workspace --locked || true
}

wasm_sections() {
  local variant
  for variant in plain relaxed; do
    section "wasm tests in Firefox, $variant" bash scripts/test-wasm.sh firefox "$variant" || true
    section "wasm tests in Chromium, $variant" bash scripts/test-wasm.sh chrome "$variant" || true
    section "wasm tests in Node, $variant" bash scripts/test-wasm.sh node "$variant" || true
  done
}

# `node --test` of Node 20 knows no globs, and without a file it would search the whole checkout for some.
node_section() {
  local name=$1
  shift
  [ $# -gt 0 ] || return 0
  section "$name" node --test "$@" || true
}

package_sections() {
  section "wasm build" bash scripts/build-wasm.sh || return 0
  section "TypeScript build" npm run --silent build:js || return 0
  # Fails if a public name is not described.
  section "API documents" npm run --silent docs || true
  node_section "unit tests in Node" tests/js/**/*.test.mjs
  node_section "server tests" scripts/**/*.test.mjs
  LM_BROWSER=chromium node_section "tests in Chromium" tests/e2e/**/*.test.mjs
  LM_BROWSER=firefox node_section "tests in Firefox" tests/e2e/**/*.test.mjs
  node_section "tests of the packed package" tests/package/**/*.test.mjs
}

if section "set-up" bash scripts/setup.sh test; then
  rust_sections
  wasm_sections
  package_sections
fi
summarize
