//! Who walks, and how fast.

use serde::{Deserialize, Serialize};

/// A kind of walker. Speeds are metres per second along the horizontal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Name, as it stands in tables.
    pub name: String,
    /// Speed on level ground.
    pub flat_mps: f64,
    /// Speed up stairs; absent when stairs cannot be used.
    pub stairs_up_mps: Option<f64>,
    /// Speed down stairs; absent when stairs cannot be used.
    pub stairs_down_mps: Option<f64>,
    /// Speed on a moving stair; absent when it cannot be used.
    pub escalator_mps: Option<f64>,
    /// Seconds to wait for a lift and ride it.
    pub lift_s: f64,
}

impl Profile {
    /// The first fault of a profile: the name of the key and the range that it leaves.
    pub fn fault(&self) -> Option<(&'static str, f64, &'static str)> {
        let speeds = [
            ("flat_mps", Some(self.flat_mps)),
            ("stairs_up_mps", self.stairs_up_mps),
            ("stairs_down_mps", self.stairs_down_mps),
            ("escalator_mps", self.escalator_mps),
        ];
        let slow = |value: f64| !(0.05..=10.0).contains(&value);
        for (key, value) in speeds {
            if let Some(value) = value.filter(|&value| slow(value)) {
                return Some((key, value, "0.05..10 metres per second"));
            }
        }
        (!(0.0..=3600.0).contains(&self.lift_s)).then_some(("lift_s", self.lift_s, "0..3600 seconds"))
    }
}
