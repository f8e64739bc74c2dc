//! The synthetic mountain city: how large, which one, and where it is put.

use super::place::Place;
use super::problem::{Fault, Problem};

/// Said of every row and every way, so that nobody takes one for a real place.
pub const SOURCE: &str = "synthetic 合成";

/// The middle of every synthetic city, degrees: a round number at the latitude of Chongqing, in hills without a city.
pub const MIDDLE: [f64; 2] = [107.0, 29.0];

/// Fewest and most junctions of a city.
pub const NODES: std::ops::RangeInclusive<i64> = 1000..=5_000_000;

/// Numbers of cities.
pub const SEEDS: std::ops::RangeInclusive<i64> = 0..=4_294_967_295;

/// What is wanted of a synthetic city; exists only within the ranges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    nodes: u32,
    seed: u32,
}

impl Wanted {
    /// A city of about so many junctions; another seed is another city.
    ///
    /// # Errors
    /// A problem for each number outside its range, [`NODES`] or [`SEEDS`].
    pub fn new(nodes: i64, seed: i64) -> Result<Self, Vec<Problem>> {
        let fault = |key: &str, value: i64, expected: &str| {
            let fault = Fault::Setting { expected: expected.to_owned() };
            Problem::of_file("synth", fault).in_column(key).with_value(value.to_string())
        };
        let mut problems = Vec::new();
        if !NODES.contains(&nodes) {
            problems.push(fault("nodes", nodes, "1000..5000000"));
        }
        if !SEEDS.contains(&seed) {
            problems.push(fault("seed", seed, "0..4294967295"));
        }
        if problems.is_empty() { Ok(Self { nodes: nodes as u32, seed: seed as u32 }) } else { Err(problems) }
    }

    /// Junctions wanted.
    pub const fn nodes(self) -> usize {
        self.nodes as usize
    }

    /// The number of the city.
    pub const fn seed(self) -> u32 {
        self.seed
    }

    /// How many of something there are, of which a city of a million junctions has `per_million`; at least one.
    pub fn count_of(self, per_million: u64) -> usize {
        (u64::from(self.nodes) * per_million).div_ceil(1_000_000) as usize
    }
}

/// The middle as a place.
pub fn middle() -> Place {
    Place::new(MIDDLE[0], MIDDLE[1]).expect("the middle is on the globe")
}

#[cfg(test)]
mod tests {
    use super::Wanted;

    #[test]
    fn settings_outside_their_ranges_are_told_together() {
        let faults = Wanted::new(999, -1).unwrap_err();
        let columns: Vec<_> = faults.iter().filter_map(|fault| fault.column.as_deref()).collect();
        assert_eq!(columns, ["nodes", "seed"]);
        assert!(Wanted::new(5_000_001, 0).is_err() && Wanted::new(5_000_000, 4_294_967_295).is_ok());
    }

    #[test]
    fn a_million_junctions_have_the_whole_ledger() {
        let counts = |nodes| {
            let wanted = Wanted::new(nodes, 1).unwrap();
            [86_000, 395, 76_000].map(|per_million| wanted.count_of(per_million))
        };
        assert_eq!(counts(1_000_000), [86_000, 395, 76_000]);
        assert_eq!(counts(1000), [86, 1, 76]);
    }
}
