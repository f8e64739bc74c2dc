//! What if: scenarios over a baseline, and where to build next.

pub mod areas;
pub mod facilities;
pub mod people;
pub mod rank;
#[cfg(test)]
mod scenario_tests;
pub mod siting;
pub mod streets;
pub mod what_if;
