#!/usr/bin/env bash
# Trains, exports and measures configs on a prepared benchmark, each with some seeds; `lm-tools report` reads the result.
#
#   scripts/lab.sh --data FOLDER [--out FOLDER] [--seeds "1 2"] [--tokens N] [--texts "valid test"] CONFIG.toml...
#
# FOLDER holds train.txt, valid.txt and test.txt, words parted by spaces (Penn Treebank and its like). What is there already
# is left alone and a run that was stopped goes on: run it again after an interruption. Models are measured on all of --texts.
set -euo pipefail

# shellcheck source=scripts/env.sh
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

data='' out=runs/en-1m seeds=1 tokens=() texts='valid test' configs=()
while [ $# -gt 0 ]; do
  case $1 in
    --data) data=$2; shift ;;
    --out) out=$2; shift ;;
    --seeds) seeds=$2; shift ;;
    --texts) texts=$2; shift ;;
    --tokens) tokens=(--tokens "$2"); shift ;;
    -*) die "unknown option $1" ;;
    *) configs+=("$1") ;;
  esac
  shift
done
[ -n "$data" ] || die "say where the text is: --data FOLDER"
[ "${#configs[@]}" -gt 0 ] || die "name at least one config"
lm_tools=${LM_TOOLS:-$LM_ROOT/target/release/lm-tools}
have "$lm_tools" || die "$lm_tools is missing: cargo build --release -p lm-tools"

# Without it a step gives hundreds of megabytes back to the system and clears them anew.
export MIMALLOC_PURGE_DELAY=${MIMALLOC_PURGE_DELAY:--1}

corpus=$out/corpus
if [ ! -e "$corpus/corpus.json" ]; then
  "$lm_tools" corpus "$data/train.txt" --valid "$data/valid.txt" --tokenization spaces --words 9999 --language en --out "$corpus"
fi

for config in "${configs[@]}"; do
  for seed in $seeds; do
    run=$out/$(basename "$config" .toml)-$seed
    if ! grep -qs '"event":"end"' "$run/log.jsonl"; then
      resume=()
      [ ! -e "$run/checkpoint.safetensors" ] || resume=(--resume)
      say "training $run"
      "$lm_tools" train --config "$config" --corpus "$corpus" --seed "$seed" --out "$run" "${tokens[@]}" "${resume[@]}"
    fi
    [ -e "$run/model.lm" ] || "$lm_tools" export "$run" --corpus "$corpus" --licence CC-BY-SA-4.0 --out "$run/model.lm"
    for text in $texts; do
      [ -e "$run/$text.json" ] && continue
      say "measuring $run on $text.txt"
      "$lm_tools" evaluate "$run/model.lm" "$data/$text.txt" --tokenization spaces --stream --json >"$run/$text.json.tmp"
      mv "$run/$text.json.tmp" "$run/$text.json"
    done
  done
done
