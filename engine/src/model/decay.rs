//! How the weight of a facility falls with the minutes that it is away.

use serde::Deserialize;
use std::f64::consts::PI;

/// A weight between 0 and 1 for every number of minutes; never rising.
///
/// # Source
/// The families of R. Pereira, D. Herszenhut, "accessibility: transport accessibility measures", 2022, and of the Python library `access`;
/// the Gaussian that ends at a limit: D. Dai, "Black residential segregation, disparities in spatial access to health care
/// facilities, and late-stage breast cancer diagnosis in metropolitan Detroit", Health & Place 16, 2010; the kernel: D. Dai,
/// F. Wang, "Geographic disparities in accessibility to food stores in southwest Mississippi", Environment and Planning B 38, 2011.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Decay {
    /// 1 up to the limit, the limit included.
    Step {
        /// The limit.
        limit_min: f64,
    },
    /// A weight for each ring; beyond the last one nothing.
    Steps {
        /// Outer edge of each ring in minutes, included, and its weight.
        steps: Vec<(f64, f64)>,
    },
    /// [`RING_WEIGHTS`] in thirds of the way to the limit.
    Rings {
        /// Outer edge of the last ring.
        limit_min: f64,
    },
    /// From 1 straight down to 0 at the limit.
    Linear {
        /// The limit.
        limit_min: f64,
    },
    /// e^(−βc).
    Exponential {
        /// β.
        per_min: f64,
    },
    /// e^(−c²/2σ²).
    Gaussian {
        /// σ.
        sigma_min: f64,
    },
    /// The Gaussian with σ = limit, moved and stretched from 1 down to 0 at the limit.
    GaussianBand {
        /// The limit.
        limit_min: f64,
    },
    /// ¾(1 − (c/limit)²): the kernel of Epanechnikov, ¾ at no distance.
    Epanechnikov {
        /// The limit.
        limit_min: f64,
    },
    /// The survival function of a logistic distribution, scaled to 1 at no distance.
    Logistic {
        /// Where it bends.
        limit_min: f64,
        /// Standard deviation of the distribution.
        spread_min: f64,
    },
    /// c^(−β), 1 up to one minute.
    Power {
        /// β.
        exponent: f64,
    },
}

/// Weights of the three rings of the enhanced two-step method.
///
/// # Source
/// W. Luo, Y. Qi, "An enhanced two-step floating catchment area (E2SFCA) method for measuring spatial accessibility to primary
/// care physicians", Health & Place 15, 2009: 0–10, 10–20 and 20–30 minutes.
pub const RING_WEIGHTS: [f64; 3] = [1.0, 0.68, 0.22];

impl Decay {
    /// The weight of a facility so far away.
    pub fn weight(&self, minutes: f64) -> f64 {
        let within = |limit_min: f64, weight: f64| if minutes <= limit_min { weight } else { 0.0 };
        match self {
            Self::Step { limit_min } => within(*limit_min, 1.0),
            Self::Steps { steps } => {
                steps.iter().find(|(edge_min, _)| minutes <= *edge_min).map_or(0.0, |(_, weight)| *weight)
            }
            Self::Rings { limit_min } => {
                let edge_min = |ring: usize| limit_min * (ring + 1) as f64 / RING_WEIGHTS.len() as f64;
                let within = (0..).zip(RING_WEIGHTS).find(|&(ring, _)| minutes <= edge_min(ring));
                within.map_or(0.0, |(_, weight)| weight)
            }
            Self::Linear { limit_min } => within(*limit_min, 1.0 - minutes / limit_min),
            Self::Exponential { per_min } => (-per_min * minutes).exp(),
            Self::Gaussian { sigma_min } => gaussian(minutes / sigma_min),
            Self::GaussianBand { limit_min } => {
                let least = gaussian(1.0);
                within(*limit_min, (gaussian(minutes / limit_min) - least) / (1.0 - least))
            }
            Self::Epanechnikov { limit_min } => {
                within(*limit_min, 0.75 * (1.0 - (minutes / limit_min).powi(2)))
            }
            Self::Logistic { limit_min, spread_min } => {
                let steepness = PI / (spread_min * 3_f64.sqrt());
                (1.0 + (-limit_min * steepness).exp()) / (1.0 + ((minutes - limit_min) * steepness).exp())
            }
            Self::Power { exponent } => {
                if minutes <= 1.0 {
                    1.0
                } else {
                    minutes.powf(-exponent)
                }
            }
        }
    }

    /// What is wrong with its numbers, if anything: the number's name and what it must be.
    pub fn fault(&self) -> Option<(&'static str, &'static str)> {
        const POSITIVE: &str = "a number above 0";
        let positive = |name, value: f64| (!(value > 0.0 && value.is_finite())).then_some((name, POSITIVE));
        match self {
            Self::Step { limit_min }
            | Self::Rings { limit_min }
            | Self::Linear { limit_min }
            | Self::GaussianBand { limit_min }
            | Self::Epanechnikov { limit_min } => positive("limit_min", *limit_min),
            Self::Exponential { per_min } => positive("per_min", *per_min),
            Self::Gaussian { sigma_min } => positive("sigma_min", *sigma_min),
            Self::Logistic { limit_min, spread_min } => {
                positive("limit_min", *limit_min).or_else(|| positive("spread_min", *spread_min))
            }
            Self::Power { exponent } => positive("exponent", *exponent),
            Self::Steps { steps } => steps_fault(steps),
        }
    }
}

fn steps_fault(steps: &[(f64, f64)]) -> Option<(&'static str, &'static str)> {
    let finite = steps.iter().all(|(edge_min, _)| *edge_min > 0.0 && edge_min.is_finite());
    let outward = steps.windows(2).all(|pair| pair[0].0 < pair[1].0);
    let falling = steps.windows(2).all(|pair| pair[0].1 >= pair[1].1);
    let weights = steps.iter().all(|(_, weight)| (0.0..=1.0).contains(weight));
    (steps.is_empty() || !finite || !outward || !falling || !weights).then_some((
        "steps",
        "rings from inside out, (minutes, weight), with weights of 0..1 that do not rise",
    ))
}

fn gaussian(deviations: f64) -> f64 {
    (-0.5 * deviations * deviations).exp()
}

#[cfg(test)]
mod tests {
    use super::Decay;
    use proptest::prelude::*;
    use std::f64::consts::LN_2;

    fn any_decay() -> impl Strategy<Value = Decay> {
        (0_usize..9, 0.1_f64..100.0, 0.1_f64..50.0).prop_map(|(kind, a, b)| match kind {
            0 => Decay::Step { limit_min: a },
            1 => Decay::Rings { limit_min: a },
            2 => Decay::Linear { limit_min: a },
            3 => Decay::Exponential { per_min: LN_2 / a },
            4 => Decay::Gaussian { sigma_min: a },
            5 => Decay::GaussianBand { limit_min: a },
            6 => Decay::Epanechnikov { limit_min: a },
            7 => Decay::Logistic { limit_min: a, spread_min: b },
            _ => Decay::Power { exponent: b },
        })
    }

    proptest! {
        /// For any minutes, a longer walk never weighs more, and no weight leaves 0..1.
        #[test]
        fn weights_never_rise(decay in any_decay(), near in 0.0_f64..200.0, more in 0.0_f64..200.0) {
            prop_assert_eq!(decay.fault(), None);
            let (close, far) = (decay.weight(near), decay.weight(near + more));
            prop_assert!((0.0..=1.0).contains(&close) && (0.0..=1.0).contains(&far));
            prop_assert!(far <= close);
        }
    }

    #[test]
    fn weights_are_those_of_their_formulas() {
        let near = |decay: Decay, minutes: f64, weight: f64| {
            assert!((decay.weight(minutes) - weight).abs() < 1e-12, "{decay:?} at {minutes}");
        };
        near(Decay::Step { limit_min: 15.0 }, 15.0, 1.0);
        near(Decay::Step { limit_min: 15.0 }, 15.1, 0.0);
        near(Decay::Rings { limit_min: 30.0 }, 10.0, 1.0);
        near(Decay::Rings { limit_min: 30.0 }, 10.1, 0.68);
        near(Decay::Rings { limit_min: 30.0 }, 30.0, 0.22);
        near(Decay::Rings { limit_min: 30.0 }, 30.1, 0.0);
        near(Decay::Linear { limit_min: 20.0 }, 5.0, 0.75);
        near(Decay::Exponential { per_min: LN_2 / 5.0 }, 10.0, 0.25);
        near(Decay::Gaussian { sigma_min: 10.0 }, 10.0, (-0.5_f64).exp());
        near(Decay::GaussianBand { limit_min: 10.0 }, 0.0, 1.0);
        near(Decay::GaussianBand { limit_min: 10.0 }, 10.0, 0.0);
        near(Decay::Epanechnikov { limit_min: 10.0 }, 5.0, 0.5625);
        near(Decay::Logistic { limit_min: 20.0, spread_min: 10.0 }, 0.0, 1.0);
        near(Decay::Power { exponent: 2.0 }, 3.0, 1.0 / 9.0);
        near(Decay::Power { exponent: 2.0 }, 0.0, 1.0);
    }

    #[test]
    fn numbers_that_cannot_be_are_told() {
        let fault = |decay: Decay| decay.fault().map(|(name, _)| name);
        assert_eq!(fault(Decay::Step { limit_min: 0.0 }), Some("limit_min"));
        assert_eq!(fault(Decay::Exponential { per_min: f64::NAN }), Some("per_min"));
        assert_eq!(fault(Decay::Logistic { limit_min: 1.0, spread_min: -1.0 }), Some("spread_min"));
        assert_eq!(fault(Decay::Steps { steps: vec![] }), Some("steps"));
        assert_eq!(fault(Decay::Steps { steps: vec![(10.0, 0.5), (5.0, 0.2)] }), Some("steps"));
        assert_eq!(fault(Decay::Steps { steps: vec![(10.0, 0.5), (15.0, 0.6)] }), Some("steps"));
    }
}
