#!/usr/bin/env bash
# Installs what the project needs and leaves alone what is already there; a second run takes seconds.
#
#   scripts/setup.sh build   Rust for wasm, wasm-bindgen, npm packages: what `npm start` needs (default)
#   scripts/setup.sh test    the same, and the browsers and drivers that `npm test` needs
set -euo pipefail

# shellcheck source=scripts/wasm-env.sh
source "$(dirname "${BASH_SOURCE[0]}")/wasm-env.sh"
# Tools are installed for the machine, not into this project's target folder.
unset CARGO_TARGET_DIR
cd "$LM_ROOT"

WASM_PACK_VERSION=0.15.1
GECKODRIVER_VERSION=0.37.1
# Debian's own backport of a recent compiler; it has no package for the wasm target but ships the matching std sources.
DEBIAN_RUST_PACKAGES=(rustc-web cargo-web rust-web-src lld-22)
DEBIAN_RUST_LIB=/usr/lib/rustlib
DEBIAN_LLD=/usr/lib/llvm-22/bin/lld

# --- Debian ---

on_debian_as_root() {
  [ "$(id -u)" = 0 ] && have apt-get && grep -q '^ID=debian$' /etc/os-release 2>/dev/null
}

apt_updated=
apt_install() {
  local package missing=()
  for package in "$@"; do
    dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
  done
  [ "${#missing[@]}" -gt 0 ] || return 0
  say "installing ${missing[*]} with apt-get"
  export DEBIAN_FRONTEND=noninteractive DEBCONF_NOWARNINGS=yes
  if [ -z "$apt_updated" ]; then
    apt-get update -qq -o DPkg::Lock::Timeout=300
    apt_updated=yes
  fi
  apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300 "${missing[@]}" >/dev/null
}

# --- Rust ---

need_cargo() {
  have cargo && return 0
  on_debian_as_root || die "cargo is missing: install Rust from https://rustup.rs, then run this again"
  apt_install "${DEBIAN_RUST_PACKAGES[@]}"
}

need_linker() {
  have cc && return 0
  on_debian_as_root || die "a C compiler is missing (Rust links with it): install gcc or clang, then run this again"
  apt_install gcc libc6-dev
}

need_wasm_target() {
  choose_wasm_toolchain && return 0
  add_target_with_rustup && return 0
  if on_debian_as_root; then
    add_target_from_debian
    choose_wasm_toolchain && return 0
  fi
  die "Rust's $WASM_TARGET target is missing: run 'rustup target add $WASM_TARGET', then run this again"
}

add_target_with_rustup() {
  have rustup || return 1
  say "adding the $WASM_TARGET target with rustup"
  timeout 120 rustup target add "$WASM_TARGET" >/dev/null 2>&1 && makes_wasm
}

add_target_from_debian() {
  say "rustup cannot supply the $WASM_TARGET target; taking Debian's toolchain"
  apt_install "${DEBIAN_RUST_PACKAGES[@]}"
  link_debian_lld
  if ! debian_makes_wasm; then build_debian_std; fi
  # Without rustup /usr/bin/cargo is the default toolchain already.
  if have rustup; then rustup toolchain link "$WASM_FALLBACK_TOOLCHAIN" /usr; fi
}

debian_makes_wasm() {
  PATH=/usr/bin:/bin makes_wasm
}

# rustc looks for its wasm linker under this name, beside its own libraries.
link_debian_lld() {
  local bin
  bin=$DEBIAN_RUST_LIB/$(PATH=/usr/bin:/bin rustc -vV | sed -n 's/^host: //p')/bin
  mkdir -p "$bin"
  [ -e "$bin/rust-lld" ] || ln -sf "$DEBIAN_LLD" "$bin/rust-lld"
}

# std for wasm is the by-product of an empty crate that is built together with its std. Only here does the compiler get
# to use unstable options: with the result in place everything else is built as plain stable Rust.
build_debian_std() (
  local crates=core,alloc,std,panic_abort,panic_unwind,proc_macro,test
  local work lib=$DEBIAN_RUST_LIB/$WASM_TARGET/lib
  say "building Rust's standard library for $WASM_TARGET, once (some minutes)"
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  mkdir "$work/src"
  touch "$work/src/lib.rs"
  printf '[package]\nname = "empty"\nversion = "0.0.0"\nedition = "2021"\n' >"$work/Cargo.toml"
  cd "$work"
  env -u RUSTUP_TOOLCHAIN PATH=/usr/bin:/bin RUSTC_BOOTSTRAP=1 \
    cargo "-Zbuild-std=$crates" build --quiet --release --target "$WASM_TARGET"
  rm "target/$WASM_TARGET/release/deps/"libempty-*.rlib
  # A std from an older compiler must not lie beside the new one.
  rm -rf "$lib"
  mkdir -p "$lib"
  cp "target/$WASM_TARGET/release/deps/"*.rlib "$lib/"
)

# cargo_tool COMMAND PACKAGE@VERSION: there already, whichever version, is good enough.
cargo_tool() {
  have "$1" && return 0
  say "installing $2 with cargo (some minutes)"
  cargo install --quiet "$2"
}

# The command line tool and the crate speak a private format to each other: their versions must be equal.
wasm_bindgen_version() {
  local version=
  if [ -f Cargo.lock ]; then
    version=$(awk -F '"' '$1 == "name = " { name = $2 } $1 == "version = " && name == "wasm-bindgen" { print $2; exit }' Cargo.lock)
  fi
  if [ -z "$version" ]; then
    version=$(sed -n 's/^wasm-bindgen = .*"=\([0-9.]*\)".*/\1/p' Cargo.toml 2>/dev/null | head -n 1)
  fi
  echo "${version:-0.2.130}"
}

need_wasm_bindgen() {
  local version
  version=$(wasm_bindgen_version)
  if [ "$(wasm-bindgen --version 2>/dev/null)" = "wasm-bindgen $version" ]; then return 0; fi
  say "installing wasm-bindgen-cli@$version with cargo (some minutes)"
  # Not --locked: its lock file may name versions that a registry mirror no longer serves.
  cargo install --quiet --force "wasm-bindgen-cli@$version"
}

need_rust_components() {
  need_component rustfmt fmt rustfmt-web
  need_component clippy clippy rust-web-clippy
}

# need_component COMPONENT SUBCOMMAND DEBIAN_PACKAGE
need_component() {
  cargo "$2" --version >/dev/null 2>&1 && return 0
  if have rustup; then
    timeout 120 rustup component add "$1" >/dev/null 2>&1 && return 0
  elif on_debian_as_root; then
    apt_install "$3"
    return 0
  fi
  die "$1 is missing: run 'rustup component add $1', or install your distribution's package of it"
}

# --- npm ---

need_node() {
  have npm || die "npm is missing: install Node.js 20.16 or later from https://nodejs.org, then run this again"
  node -e 'const [major, minor] = process.versions.node.split("."); process.exit(major > 20 || (major == 20 && minor >= 16) ? 0 : 1)' ||
    die "Node.js $(node --version) is too old: version 20.16 or later is needed"
}

# The copy of the lock file is written last, so an interrupted install is done again.
need_npm_packages() {
  local stamp=node_modules/.lm-wasm-lock
  cmp -s package-lock.json "$stamp" && return 0
  say "installing npm packages"
  npm ci --no-audit --no-fund --loglevel=error
  cp package-lock.json "$stamp"
}

# --- browsers ---

find_first() {
  local name
  for name in "$@"; do
    if have "$name"; then
      command -v "$name"
      return 0
    fi
  done
  return 1
}

need_browsers() {
  local firefox=1 chrome=1
  find_first firefox firefox-esr >/dev/null || firefox=
  if ! find_first chromium chromium-browser google-chrome google-chrome-stable >/dev/null || ! have chromedriver; then
    chrome=
  fi
  if on_debian_as_root; then
    [ -n "$firefox" ] || apt_install firefox-esr
    [ -n "$chrome" ] || apt_install chromium chromium-driver
  else
    [ -n "$firefox" ] || die "Firefox is missing: install it from your distribution or https://www.mozilla.org/firefox"
    [ -n "$chrome" ] ||
      die "Chromium or its chromedriver is missing: install both from your distribution or https://googlechromelabs.github.io/chrome-for-testing"
  fi
  check_chromedriver
}

# chromedriver refuses a browser of another major version, with a message that is easily lost in a test's output.
check_chromedriver() {
  local browser driver
  browser=$("$(find_first chromium chromium-browser google-chrome google-chrome-stable)" --version 2>/dev/null | grep -o '[0-9]\+\.' | head -n 1)
  driver=$(chromedriver --version | grep -o '[0-9]\+\.' | head -n 1)
  [ "$browser" = "$driver" ] ||
    die "chromedriver is of version ${driver%.} but the browser of ${browser%.}: install the driver of the browser's version"
}

setup_build() {
  need_node
  need_cargo
  need_linker
  need_wasm_target
  need_npm_packages
  need_wasm_bindgen
}

setup_test() {
  setup_build
  need_rust_components
  need_browsers
  cargo_tool wasm-pack "wasm-pack@$WASM_PACK_VERSION"
  cargo_tool geckodriver "geckodriver@$GECKODRIVER_VERSION"
}

case "${1:-build}" in
  build) setup_build ;;
  test) setup_test ;;
  *) die "unknown argument '$1': use 'build' or 'test'" ;;
esac
say "ready"
