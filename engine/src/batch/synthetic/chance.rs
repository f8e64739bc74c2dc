//! Chance that anybody may ask in any order: numbers by city, purpose and item.

/// What a number is for: each purpose has numbers of its own.
#[derive(Debug, Clone, Copy)]
pub enum Purpose {
    /// Where rivers bend and ridges stand.
    Relief,
    /// Hills and hollows.
    Hills,
    /// How far a junction lies from its place in the lattice.
    Jitter,
    /// Which streets there are.
    Street,
    /// What a street is.
    StreetKind,
    /// Bridges and tunnels.
    Crossing,
    /// Lifts and escalators.
    Machine,
    /// Estates with a wall.
    Estate,
    /// Buildings.
    Building,
    /// Names.
    Name,
    /// Facilities.
    Facility,
    /// Projects.
    Project,
    /// Residents' requests.
    Request,
}

/// The chances of one city.
#[derive(Debug, Clone, Copy)]
pub struct Chance {
    seed: u64,
}

impl Chance {
    /// The chances of the city with this seed.
    pub fn new(seed: u32) -> Self {
        Self { seed: mixed(u64::from(seed)) }
    }

    /// The numbers of one item.
    pub fn of(self, purpose: Purpose, item: u64) -> Draws {
        Draws { state: mixed(self.seed ^ mixed(purpose as u64 + 1)) ^ mixed(item.wrapping_add(0x5eed)) }
    }
}

/// Numbers one after the other.
#[derive(Debug, Clone)]
pub struct Draws {
    state: u64,
}

/// The step of the sequence: 2⁶⁴ over the golden ratio, odd (Steele, Lea and Flood 2014, "Fast splittable pseudorandom
/// number generators", figure 16).
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// The mixing function of that paper (`mix64` variant 13): every bit of the input moves every bit of the output.
fn mixed(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

impl Draws {
    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(STEP);
        mixed(self.state)
    }

    /// At least 0, below 1.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// At least `low`, below `high`.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// 0 to `count` − 1.
    pub fn below(&mut self, count: usize) -> usize {
        (self.unit() * count as f64) as usize
    }

    /// True in this share of cases.
    pub fn happens(&mut self, share: f64) -> bool {
        self.unit() < share
    }

    /// One of these.
    pub fn one_of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first three numbers of the published generator from seed 0 (Vigna, `splitmix64.c`).
    #[test]
    fn the_sequence_is_the_published_one() {
        let mut draws = Draws { state: 0 };
        assert_eq!(
            [draws.bits(), draws.bits(), draws.bits()],
            [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4, 0x06c4_5d18_8009_454f]
        );
    }

    #[test]
    fn units_are_spread_evenly() {
        let mean = (0..10_000).map(|item| Chance::new(7).of(Purpose::Jitter, item).unit()).sum::<f64>() / 1e4;
        assert!((mean - 0.5).abs() < 0.01, "{mean}");
        let other = Chance::new(8).of(Purpose::Jitter, 1).bits();
        assert_ne!(Chance::new(7).of(Purpose::Jitter, 1).bits(), other);
        assert_ne!(Chance::new(8).of(Purpose::Hills, 1).bits(), other);
    }
}
