//! Who walks, and how fast.

use serde::{Deserialize, Serialize};

/// How speed depends on slope; each function is scaled so that level ground gives the profile's own speed. The formulas
/// and their sources: `network/slope.rs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SlopeFunction {
    /// Tobler 1993.
    #[default]
    Tobler,
    /// Irmischer and Clarke 2018, on paths.
    IrmischerClarke,
    /// Campbell et al. 2019, tenth percentile.
    #[serde(rename = "campbell_p10")]
    CampbellP10,
    /// Márquez-Pérez et al. 2017.
    MarquezPerez,
    /// Slopes do not count.
    Level,
}

/// What somebody pushes or rolls in, which decides what ramps and tags speak to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wheels {
    /// A pushchair.
    Stroller,
    /// A wheelchair.
    Wheelchair,
}

/// A kind of walker. Speeds are metres per second along the horizontal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Name, as it stands in tables.
    pub name: String,
    /// Speed on level ground.
    pub flat_mps: f64,
    /// How speed depends on slope.
    #[serde(default)]
    pub slope: SlopeFunction,
    /// Steepest slope that can be used, rise over run either way; absent for no limit.
    pub max_slope: Option<f64>,
    /// Speed up long stairs; absent when stairs cannot be used.
    pub stairs_up_mps: Option<f64>,
    /// Speed down long stairs; absent when stairs cannot be used.
    pub stairs_down_mps: Option<f64>,
    /// Speed up a single short flight; absent: as long stairs.
    pub short_stairs_up_mps: Option<f64>,
    /// Speed down a single short flight; absent: as long stairs.
    pub short_stairs_down_mps: Option<f64>,
    /// Seconds of rest for each metre climbed on stairs.
    #[serde(default)]
    pub rest_s_per_m: f64,
    /// What is left of the speed on stairs that are tagged to have no handrail.
    #[serde(default = "one")]
    pub no_handrail_factor: f64,
    /// Speed on a ramp beside stairs; absent when ramps are of no use.
    pub ramp_mps: Option<f64>,
    /// What is pushed or rolled in.
    pub wheels: Option<Wheels>,
    /// Speed on a moving stair; absent when it cannot be used.
    pub escalator_mps: Option<f64>,
    /// Seconds to wait for a lift, doors included; absent when lifts cannot be used.
    pub lift_wait_s: Option<f64>,
    /// Seconds of a lift's ride for each floor.
    #[serde(default = "lift_s_per_floor")]
    pub lift_s_per_floor: f64,
    /// Seconds to wait for a cableway; absent when it is not used.
    pub cableway_wait_s: Option<f64>,
    /// Seconds to wait for a ferry; absent when it is not used.
    pub ferry_wait_s: Option<f64>,
    /// Speed between a place and its street; absent: as on level ground.
    pub off_street_mps: Option<f64>,
    /// Farthest that a place is joined to a street, metres; absent: as the network says.
    pub max_snap_m: Option<f64>,
}

/// A storey of 3.5 m at 1 m/s, with a little for starting and stopping (own default).
const LIFT_S_PER_FLOOR: f64 = 4.0;

fn one() -> f64 {
    1.0
}

fn lift_s_per_floor() -> f64 {
    LIFT_S_PER_FLOOR
}

impl Profile {
    /// The first fault of a profile: the name of the key and the range that it leaves.
    pub fn fault(&self) -> Option<(&'static str, f64, &'static str)> {
        const SPEED: &str = "0.05..10 metres per second";
        const WAIT: &str = "0..3600 seconds";
        let is_speed = |value: f64| (0.05..=10.0).contains(&value);
        let is_wait = |value: f64| (0.0..=3600.0).contains(&value);
        let speeds = [
            ("flat_mps", Some(self.flat_mps)),
            ("stairs_up_mps", self.stairs_up_mps),
            ("stairs_down_mps", self.stairs_down_mps),
            ("short_stairs_up_mps", self.short_stairs_up_mps),
            ("short_stairs_down_mps", self.short_stairs_down_mps),
            ("ramp_mps", self.ramp_mps),
            ("escalator_mps", self.escalator_mps),
            ("off_street_mps", self.off_street_mps),
        ];
        let waits = [
            ("lift_wait_s", self.lift_wait_s),
            ("lift_s_per_floor", Some(self.lift_s_per_floor)),
            ("cableway_wait_s", self.cableway_wait_s),
            ("ferry_wait_s", self.ferry_wait_s),
        ];
        let out = |(key, value): (&'static str, Option<f64>), fits: &dyn Fn(f64) -> bool, range| {
            value.filter(|&value| !fits(value)).map(|value| (key, value, range))
        };
        let others: [(&'static str, Option<f64>, std::ops::RangeInclusive<f64>, &'static str); 4] = [
            ("max_slope", self.max_slope, 0.01..=1.0, "0.01..1, rise over run"),
            ("rest_s_per_m", Some(self.rest_s_per_m), 0.0..=60.0, "0..60 seconds per metre"),
            ("no_handrail_factor", Some(self.no_handrail_factor), 0.1..=1.0, "0.1..1"),
            ("max_snap_m", self.max_snap_m, 0.1..=5000.0, "0.1..5000 metres"),
        ];
        let speed = speeds.into_iter().find_map(|entry| out(entry, &is_speed, SPEED));
        speed.or_else(|| waits.into_iter().find_map(|entry| out(entry, &is_wait, WAIT))).or_else(|| {
            others.into_iter().find_map(|(key, value, range, text)| {
                out((key, value), &|value| range.contains(&value), text)
            })
        })
    }
}
