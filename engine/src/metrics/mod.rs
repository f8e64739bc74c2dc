//! Times → tables that people read.

pub mod apportion;
pub mod coverage;
pub mod duplicates;
pub mod inside;
pub mod neighbours;
pub mod overlap;
pub mod population;
