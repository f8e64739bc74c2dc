//! Walking speed on slopes: published functions of slope, as factors of the speed on level ground.

use crate::model::profile::SlopeFunction;

/// The functions end at 30 degrees, the limit that Campbell et al. give for theirs; what is steeper counts as 30
/// degrees: it is a fault of the terrain model, or stairs that nobody has mapped (the steepest street known has 0.35).
pub const STEEPEST: f64 = 0.577;

impl SlopeFunction {
    /// Speed on a slope as a share of the speed on level ground. `slope` is rise over run in the direction of travel.
    pub fn factor(self, slope: f64) -> f64 {
        let slope = slope.clamp(-STEEPEST, STEEPEST);
        match self {
            Self::Level => 1.0,
            Self::Tobler => tobler_mps(slope) / tobler_mps(0.0),
            Self::IrmischerClarke => irmischer_clarke_mps(slope) / irmischer_clarke_mps(0.0),
            Self::CampbellP10 => campbell_p10_mps(slope) / campbell_p10_mps(0.0),
            Self::MarquezPerez => marquez_perez_mps(slope) / marquez_perez_mps(0.0),
        }
    }
}

/// W. Tobler, "Three presentations on geographical analysis and modeling", NCGIA report 93-1, 1993:
/// 6 km/h · exp(−3.5 · |slope + 0.05|).
fn tobler_mps(slope: f64) -> f64 {
    6.0 / 3.6 * (-3.5 * (slope + 0.05).abs()).exp()
}

/// I. Irmischer and K. Clarke, "Measuring and modeling the speed of human navigation", Cartography and Geographic
/// Information Science 45 (2018), men on paths: 0.11 + exp(−(100 slope + 5)² / 1800). The slope keeps its sign, as in the
/// paper; two packages that take its size instead make downhill as slow as uphill.
fn irmischer_clarke_mps(slope: f64) -> f64 {
    0.11 + (-(100.0 * slope + 5.0).powi(2) / 1800.0).exp()
}

/// M. Campbell et al., "Using crowdsourced fitness tracker data to model the relationship between slope and travel rates",
/// Applied Geography 106 (2019): c / (π b (1 + ((θ − a) / b)²)) + d + e θ, θ in degrees. Tenth percentile: the data hold
/// hikers, joggers and runners, and the median (2.55 m/s on level ground) is one who runs.
fn campbell_p10_mps(slope: f64) -> f64 {
    const A: f64 = -1.568;
    const B: f64 = 13.328;
    const C: f64 = 38.892;
    const D: f64 = 0.404;
    const E: f64 = -0.003_23;
    let degrees = slope.atan().to_degrees();
    C / (std::f64::consts::PI * B * (1.0 + ((degrees - A) / B).powi(2))) + D + E * degrees
}

/// J. Márquez-Pérez, I. Vallejo-Villalta and J. Álvarez-Francoso, "Estimated travel time for walking trails in natural
/// areas", Geografisk Tidsskrift 117 (2017): 4.8 km/h · exp(−5.3 · |0.7 slope + 0.03|).
fn marquez_perez_mps(slope: f64) -> f64 {
    4.8 / 3.6 * (-5.3 * (0.7 * slope + 0.03).abs()).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values worked out from the published formulas with pencil and paper, metres per second.
    #[test]
    fn each_function_gives_its_published_speeds() {
        let close = |found: f64, mps: f64| (found - mps).abs() < 0.0006;
        for (percent, tobler, irmischer_clarke, campbell, marquez_perez) in [
            (-20.0, 0.986, 0.992, 1.046, 0.744),
            (-10.0, 1.399, 1.096, 1.269, 1.079),
            (-5.0, 1.667, 1.110, 1.333, 1.298),
            (0.0, 1.399, 1.096, 1.320, 1.137),
            (5.0, 1.174, 1.056, 1.231, 0.945),
            (10.0, 0.986, 0.992, 1.101, 0.785),
            (20.0, 0.695, 0.817, 0.848, 0.542),
        ] {
            let slope = percent / 100.0;
            assert!(close(tobler_mps(slope), tobler), "Tobler {percent}");
            assert!(close(irmischer_clarke_mps(slope), irmischer_clarke), "Irmischer-Clarke {percent}");
            assert!(close(campbell_p10_mps(slope), campbell), "Campbell {percent}");
            assert!(close(marquez_perez_mps(slope), marquez_perez), "Marquez-Perez {percent}");
        }
    }

    #[test]
    fn level_ground_is_walked_at_ones_own_speed_and_steep_ground_no_slower_than_thirty_degrees() {
        for function in [
            SlopeFunction::Tobler,
            SlopeFunction::IrmischerClarke,
            SlopeFunction::CampbellP10,
            SlopeFunction::MarquezPerez,
            SlopeFunction::Level,
        ] {
            assert!((function.factor(0.0) - 1.0).abs() < 1e-12);
            assert!(
                function.factor(9.0) > 0.0
                    && function.factor(9.0).to_bits() == function.factor(STEEPEST).to_bits()
            );
        }
    }
}
