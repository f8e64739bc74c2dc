//! Sets of positions that are emptied in order.

/// A set of positions. Two levels of bits, so that a few positions of a large network are found without looking at all.
#[derive(Debug, Clone, Default)]
pub struct Positions {
    /// One bit for each position.
    bits: Vec<u64>,
    /// One bit for each word of `bits` that is not zero.
    words: Vec<u64>,
}

#[expect(
    clippy::inline_always,
    reason = "must be compiled into each search for the instructions that it may use"
)]
impl Positions {
    /// An empty set of positions below `nodes`.
    pub fn none(nodes: usize) -> Self {
        let bits = vec![0; nodes.div_ceil(64)];
        Self { words: vec![0; bits.len().div_ceil(64)], bits }
    }

    /// Put a position in; whether it was not there.
    #[inline(always)]
    pub fn insert(&mut self, position: usize) -> bool {
        let (word, bit) = (position / 64, 1 << (position % 64));
        let is_new = self.bits[word] & bit == 0;
        self.bits[word] |= bit;
        self.words[word / 64] |= 1 << (word % 64);
        is_new
    }

    /// Take every position out, about the lowest first or the highest first, those too that `visit` puts in ahead of the
    /// sweep; whether there was any.
    #[inline(always)]
    pub fn sweep(&mut self, upward: bool, mut visit: impl FnMut(&mut Self, usize)) -> bool {
        let take = |bits: u64| if upward { bits.trailing_zeros() } else { bits.ilog2() } as usize;
        let count = self.words.len();
        let mut any = false;
        for step in 0..count {
            let group = if upward { step } else { count - 1 - step };
            while self.words[group] != 0 {
                let bit = take(self.words[group]);
                let word = group * 64 + bit;
                while self.bits[word] != 0 {
                    let position = take(self.bits[word]);
                    self.bits[word] &= !(1 << position);
                    any = true;
                    visit(self, word * 64 + position);
                }
                self.words[group] &= !(1 << bit);
            }
        }
        any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        /// A sweep visits what is there, and what is put in meanwhile if it lies ahead; nothing is lost.
        #[test]
        fn a_sweep_empties_the_set(
            positions in prop::collection::vec(0_usize..9000, 0..60),
            put in prop::collection::vec((0_usize..9000, 0_usize..9000), 0..20),
        ) {
            let mut set = Positions::none(9000);
            let mut twin = BTreeSet::new();
            for &position in &positions {
                prop_assert_eq!(set.insert(position), twin.insert(position));
            }
            let mut upward = true;
            let mut left = put.clone();
            loop {
                let any = set.sweep(upward, |set, position| {
                    assert!(twin.remove(&position));
                    if let Some((_, other)) = left.pop() {
                        assert_eq!(set.insert(other), twin.insert(other));
                    }
                });
                upward = !upward;
                if !any {
                    break;
                }
            }
            prop_assert!(twin.is_empty());
        }
    }
}
