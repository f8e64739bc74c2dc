//! Times → tables that people read.

pub mod apportion;
pub mod capacity;
pub mod closest;
pub mod coverage;
pub mod cumulative;
pub mod duplicates;
pub mod equity;
pub mod floating_catchment;
pub mod gains;
pub mod gravity;
pub mod inside;
pub mod neighbours;
pub mod overlap;
pub mod population;
pub mod roll_up;
pub mod rules;
pub mod scorecard;
pub mod straight;
pub mod together;
pub mod uncovered;
pub mod whose;

#[cfg(test)]
mod access_tests;
#[cfg(test)]
mod equity_tests;
#[cfg(test)]
mod scorecard_tests;
