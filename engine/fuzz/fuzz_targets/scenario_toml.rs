//! Fuzzes `readers::scenario_toml`.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    walkshed_fuzz::only_uncaught();
    walkshed_fuzz::readers::scenario_toml(bytes);
});
