//! What if: where new facilities go (`siting`).

pub mod siting;
