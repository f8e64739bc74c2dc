//! Floating catchments: what there is for each person, when all who reach a facility share it.
//!
//! Both steps use the same walk, from home to the facility as the pairs were asked for: the first adds up the people who come
//! to a facility, the second what those facilities leave for each home. A facility that nobody reaches counts for nobody.
//! Sums run in the order of the pairs.

use crate::model::costs::Costs;
use crate::model::decay::Decay;
use std::str::FromStr;

/// The methods. P people, S capacity, f the weight of a walk; i homes, j facilities.
///
/// # Source
/// As named at each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    /// `R_j = S_j / Σ P f, A_i = Σ R_j f`: W. Luo, F. Wang, Environment and Planning B 30, 2003. With the weights of rings it is
    /// the enhanced method (W. Luo, Y. Qi 2009), with a Gaussian that of D. Dai 2010.
    TwoStep,
    /// The same with selection weights `G_ij = f_ij / Σ_j f_ij`: N. Wan, B. Zou, T. Sternberg, International Journal of
    /// Geographical Information Science 26, 2012.
    ThreeStep,
    /// The second step weighs twice, so that far supply is not fully used: P. L. Delamater, Health & Place 24, 2013.
    Modified,
    /// People and supply are both divided up: A. Páez, C. D. Higgins, S. F. Vivona, PLOS One 14, 2019.
    Balanced,
    /// Places, not places for each person: what of every facility falls to a home, by people and weight. A. Soukhov, A. Páez,
    /// C. D. Higgins, M. Mohamed, PLOS One 18, 2023.
    SpatialAvailability,
}

/// One question: pairs, the weight of each, and what is at both ends.
#[derive(Debug, Clone, Copy)]
pub struct Catchments<'a> {
    /// Who reaches what.
    pub costs: &'a Costs,
    /// People of each origin.
    pub people: &'a [f64],
    /// Capacity of each facility.
    pub capacity: &'a [f64],
}

impl Catchments<'_> {
    /// Access of each origin: capacity per person, or capacity for [`Variant::SpatialAvailability`].
    pub fn access(&self, variant: Variant, decay: &Decay) -> Vec<f64> {
        let weight: Vec<f64> = self.costs.minutes.iter().map(|&minutes| decay.weight(minutes)).collect();
        match variant {
            Variant::TwoStep => self.shared(&weight, &weight),
            Variant::Modified => {
                let twice: Vec<f64> = weight.iter().map(|weight| weight * weight).collect();
                self.shared(&weight, &twice)
            }
            Variant::ThreeStep => {
                let chosen = shares(&weight, &self.costs.origin, self.people.len());
                let weight: Vec<f64> =
                    weight.iter().zip(&chosen).map(|(weight, share)| weight * share).collect();
                self.shared(&weight, &weight)
            }
            Variant::Balanced => {
                let of_home = shares(&weight, &self.costs.origin, self.people.len());
                let of_facility = shares(&weight, &self.costs.facility, self.capacity.len());
                self.shared(&of_home, &of_facility)
            }
            Variant::SpatialAvailability => {
                let access = self.shared(&weight, &weight);
                access.iter().zip(self.people).map(|(each, people)| each * people).collect()
            }
        }
    }

    /// Capacity over all people who come, weighted by `coming`; then for each home the sum of that, weighted by `offered`.
    fn shared(&self, coming: &[f64], offered: &[f64]) -> Vec<f64> {
        let mut demand = vec![0.0; self.capacity.len()];
        for ((&origin, &facility), weight) in self.costs.origin.iter().zip(&self.costs.facility).zip(coming) {
            demand[facility as usize] += self.people[origin as usize] * weight;
        }
        let ratio: Vec<f64> =
            self.capacity.iter().zip(&demand).map(|(capacity, &people)| part(*capacity, people)).collect();
        let mut access = vec![0.0; self.people.len()];
        for ((&origin, &facility), weight) in self.costs.origin.iter().zip(&self.costs.facility).zip(offered)
        {
            access[origin as usize] += ratio[facility as usize] * weight;
        }
        access
    }
}

/// Each weight over the sum of those with the same key.
fn shares(weight: &[f64], key: &[u32], keys: usize) -> Vec<f64> {
    let mut sums = vec![0.0; keys];
    for (&key, weight) in key.iter().zip(weight) {
        sums[key as usize] += weight;
    }
    key.iter().zip(weight).map(|(&key, &weight)| part(weight, sums[key as usize])).collect()
}

/// Nothing of nothing is nothing.
fn part(of: f64, whole: f64) -> f64 {
    if whole > 0.0 { of / whole } else { 0.0 }
}

impl FromStr for Variant {
    type Err = ();

    /// By the names that users know; the enhanced and the Gaussian method are two steps with other weights.
    fn from_str(name: &str) -> Result<Self, ()> {
        Ok(match name {
            "2sfca" | "e2sfca" | "gaussian" => Self::TwoStep,
            "3sfca" => Self::ThreeStep,
            "m2sfca" => Self::Modified,
            "bfca" => Self::Balanced,
            "spatial_availability" => Self::SpatialAvailability,
            _ => return Err(()),
        })
    }
}
