#!/usr/bin/env bash
# From a fresh clone to the demo in a browser: installs what is missing, builds, serves. Arguments go to the server.
set -euo pipefail

# shellcheck source=scripts/env.sh
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$LM_ROOT"

bash scripts/setup.sh build
npm run --silent build
exec node scripts/serve.mjs "$@"
