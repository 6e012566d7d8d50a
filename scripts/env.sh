# shellcheck shell=bash
# Sourced by every script: the checkout's root, a PATH that holds the tools set-up installs, and two ways to speak.

LM_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CARGO_BIN=${CARGO_INSTALL_ROOT:-${CARGO_HOME:-$HOME/.cargo}}/bin

# A login shell has these on PATH only where rustup's installer put them there; npm adds the second one, plain bash does not.
for dir in "$CARGO_BIN" "$LM_ROOT/node_modules/.bin"; do
  case ":$PATH:" in
    *":$dir:"*) ;;
    *) PATH="$dir:$PATH" ;;
  esac
done
unset dir
export PATH

have() { command -v "$1" >/dev/null 2>&1; }

# Each line begins with the name of the script that speaks.
say() { echo "$(basename "$0" .sh): $*"; }

die() {
  say "$*" >&2
  exit 1
}
