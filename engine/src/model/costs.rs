//! What it costs to get from origins to facilities: what all measures of access are computed from.

use rayon::prelude::*;

/// The pairs that reach each other, as columns of one length. A pair that is not there is out of reach.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Costs {
    /// Row of the origin.
    pub origin: Vec<u32>,
    /// Row of the facility.
    pub facility: Vec<u32>,
    /// Minutes of the walk.
    pub minutes: Vec<f64>,
}

impl Costs {
    /// Number of pairs.
    pub fn len(&self) -> usize {
        self.minutes.len()
    }

    /// Whether there is no pair.
    pub fn is_empty(&self) -> bool {
        self.minutes.is_empty()
    }

    /// The pairs by origin, then by facility, with the positions that they had. Sums over them then have the same bits in
    /// whatever order the pairs came.
    #[must_use]
    pub fn in_order(self) -> (Self, Vec<u32>) {
        let key = |at: usize| (self.origin[at], self.facility[at]);
        let mut order: Vec<u32> = (0..self.len() as u32).collect();
        if (1..self.len()).any(|at| key(at - 1) > key(at)) {
            order.par_sort_unstable_by_key(|&at| (key(at as usize), at));
        }
        let pick = |column: &[u32]| order.iter().map(|&at| column[at as usize]).collect();
        let minutes = order.iter().map(|&at| self.minutes[at as usize]).collect();
        (Self { origin: pick(&self.origin), facility: pick(&self.facility), minutes }, order)
    }

    /// The first pair that is there twice: the earlier and the later position.
    pub fn repeated(&self, origins: usize, facilities: usize) -> Option<(usize, usize)> {
        let by_origin = Groups::of(&self.origin, origins);
        let mut seen: Vec<Option<(u32, u32)>> = vec![None; facilities];
        let mut found: Option<(usize, usize)> = None;
        for origin in 0..origins {
            for &pair in by_origin.members(origin) {
                let before = seen[self.facility[pair as usize] as usize].replace((origin as u32, pair));
                let again = before.filter(|&(of, _)| of as usize == origin);
                let again = again.map(|(_, first)| (first as usize, pair as usize));
                found = found.into_iter().chain(again).min_by_key(|&(_, second)| second);
            }
        }
        found
    }
}

/// One of the nearest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Close {
    /// Row of the origin.
    pub origin: u32,
    /// Row of the facility.
    pub facility: u32,
    /// 1 for the nearest of its class.
    pub rank: u32,
    /// Minutes of the walk.
    pub minutes: f64,
}

/// Positions by key, each list in order.
pub struct Groups {
    first: Vec<u32>,
    members: Vec<u32>,
}

impl Groups {
    /// Of keys below `count`.
    pub fn of(keys: &[u32], count: usize) -> Self {
        let mut first = vec![0_u32; count + 1];
        for &key in keys {
            first[key as usize + 1] += 1;
        }
        for key in 0..count {
            first[key + 1] += first[key];
        }
        let mut next = first.clone();
        let mut members = vec![0; keys.len()];
        for (position, &key) in keys.iter().enumerate() {
            members[next[key as usize] as usize] = position as u32;
            next[key as usize] += 1;
        }
        Self { first, members }
    }

    /// Positions of a key.
    pub fn members(&self, key: usize) -> &[u32] {
        &self.members[self.first[key] as usize..self.first[key + 1] as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::Costs;

    #[test]
    fn a_pair_that_is_there_twice_is_found() {
        let costs = |facility: Vec<u32>| Costs { origin: vec![0, 1, 0, 1], facility, minutes: vec![1.0; 4] };
        assert_eq!(costs(vec![0, 0, 1, 1]).repeated(2, 2), None);
        assert_eq!(costs(vec![0, 0, 1, 0]).repeated(2, 2), Some((1, 3)));
    }
}
