//! Times → tables that people read.

pub mod apportion;
pub mod coverage;
pub mod duplicates;
pub mod overlap;
pub mod population;
