//! Fuzzes `readers::delta_log`.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    walkshed_fuzz::only_uncaught();
    walkshed_fuzz::readers::delta_log(bytes);
});
