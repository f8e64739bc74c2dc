#!/usr/bin/env bash
# run.sh TARGET SECONDS (FUZZ_SEED for another way through): one fuzz target over its corpus, for a million inputs or so many seconds. An input that breaks the
# reader is kept in fuzz-found/ of the target folder and ends the run with an error; new inputs are not kept.
set -euo pipefail
cd "$(dirname "$0")"
programs="${CARGO_TARGET_DIR:-../../target}/release"
found="${CARGO_TARGET_DIR:-../../target}/fuzz-found/$1/"
mkdir -p "$found"
log="$found/log"
grown=$(mktemp -d)
trap 'rm -rf "$grown"' EXIT
"$programs/fuzz_$1" -seed="${FUZZ_SEED:-1}" -runs=1000000 -max_total_time="$2" -rss_limit_mb=2048 -timeout=20 -max_len=32768 -print_final_stats=1 \
    -artifact_prefix="$found" "$grown" "corpus/$1" >"$log" 2>&1 || {
    tail -40 "$log"
    exit 1
}
summary='/number_of_executed_units/ { inputs = $2 } /peak_rss_mb/ { mb = $2 }
    / cov: / { for (i = 1; i < NF; i++) if ($i == "cov:") coverage = $(i + 1) }
    END { print inputs, "inputs,", mb, "MB at most, coverage", coverage }'
echo "$1: $(awk "$summary" "$log")"
