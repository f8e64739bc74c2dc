#!/usr/bin/env bash
# A RUSTC_WORKSPACE_WRAPPER: compiles the engine and its fuzz targets so that libFuzzer sees which branches an input takes,
# with debug assertions and overflow checks. The passes are those of cargo-fuzz; stable compilers take them too.
case " $* " in
*" --crate-name walkshed "* | *" --crate-name walkshed_fuzz "* | *" --crate-name fuzz_"*)
    set -- "$@" -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-pc-table \
        -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-trace-compares \
        -Cdebug-assertions=yes -Coverflow-checks=yes
    ;;
esac
exec "$@"
