//! Labels of many searches that spread side by side: one lane for each, all lanes of a node in one or two cache lines.
//!
//! A lane is a whole number, and less is better: the time in its upper bits, in its lower `RANK` bits who was reached, so
//! that of two equally near the smaller rank wins. Times are stored so that the cut-off lies just below the middle of the
//! range: whatever is later comes out above [`Word::NONE`], and a plain minimum forgets it. No lane needs a branch.

use crate::model::times::Deciseconds;
use pulp::NullaryFnOnce;
use std::ops::{BitOr, BitXor};

/// What a node carries while a search spreads.
pub trait Label: Copy + PartialEq + Send + Sync {
    /// Nothing has come here.
    const NONE: Self;

    /// Take over what comes from a neighbour so many tenths of a second away; whether anything is better than before.
    fn improve(&mut self, near: &Self, hop_ds: Deciseconds) -> bool;
}

/// An unsigned whole number of some width.
pub trait Word: Copy + Ord + Default + Send + Sync + BitOr<Output = Self> + BitXor<Output = Self> {
    /// Not reached: the greatest value of the lower half, so that the sum of two never wraps.
    const NONE: Self;
    /// Number of bits.
    const BITS: u32;

    /// From a number that fits.
    fn of(value: u64) -> Self;
    /// As a number.
    fn value(self) -> u64;
    /// The sum; never wraps, see [`Word::NONE`].
    #[must_use]
    fn plus(self, other: Self) -> Self;
    /// The smaller.
    #[must_use]
    fn least(self, other: Self) -> Self;
}

macro_rules! word {
    ($($word:ty),*) => {$(
        // Inlined always: calls would keep the loop over lanes from becoming one instruction.
        impl Word for $word {
            const NONE: Self = Self::MAX / 2;
            const BITS: u32 = Self::BITS;

            #[inline(always)]
            fn of(value: u64) -> Self {
                value as Self
            }

            #[inline(always)]
            fn value(self) -> u64 {
                u64::from(self)
            }

            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                self.wrapping_add(other)
            }

            #[inline(always)]
            fn least(self, other: Self) -> Self {
                self.min(other)
            }
        }
    )*};
}

word!(u16, u32, u64);

/// `N` lanes of words whose lower `RANK` bits hold a rank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C, align(64))]
pub struct Lanes<W, const RANK: u32, const N: usize>([W; N]);

/// Times of 32 searches, cut off within [`Lanes::LONGEST_DS`].
pub type Times = Lanes<u16, 0, 32>;
/// The same without that limit.
pub type LongTimes = Lanes<u32, 0, 32>;
/// Time and rank of the nearest of each class.
pub type Nearest<const N: usize> = Lanes<u32, 16, N>;

impl<W: Word, const RANK: u32, const N: usize> Lanes<W, RANK, N> {
    /// The word of the middle, without its rank.
    const TOP: u64 = (1 << (W::BITS - 1 - RANK)) - 1;

    /// Longest cut-off that these lanes can count to.
    pub const LONGEST_DS: Deciseconds = (Self::TOP - 2) as Deciseconds;

    /// Most different ranks, from 0.
    pub const RANKS: u64 = (1 << RANK) - 1;

    /// What is added to every time, so that one tenth of a second after the cut-off is not reached.
    const fn bias(cutoff_ds: Deciseconds) -> u64 {
        // Without a rank the word of the middle itself says "not reached".
        Self::TOP - cutoff_ds as u64 - (RANK == 0) as u64
    }

    /// The word of a time within the cut-off, and a rank.
    fn word(time_ds: Deciseconds, rank: u32, cutoff_ds: Deciseconds) -> W {
        W::of((Self::bias(cutoff_ds) + u64::from(time_ds)) << RANK | u64::from(rank))
    }

    #[expect(clippy::inline_always, reason = "part of the innermost loop")]
    #[inline(always)]
    fn hop(hop_ds: Deciseconds) -> W {
        W::of(u64::from(hop_ds).min(Self::TOP) << RANK)
    }

    /// Put a time and a rank into a lane, where they are better than what is there; whether they were.
    pub fn offer(&mut self, lane: usize, time_ds: Deciseconds, rank: u32, cutoff_ds: Deciseconds) -> bool {
        if time_ds > cutoff_ds {
            return false;
        }
        let word = Self::word(time_ds, rank, cutoff_ds);
        let better = word < self.0[lane];
        self.0[lane] = self.0[lane].least(word);
        better
    }

    /// Time and rank in a lane; `None` when nothing was reached.
    #[expect(clippy::inline_always, reason = "part of an innermost loop")]
    #[inline(always)]
    pub fn get(&self, lane: usize, cutoff_ds: Deciseconds) -> Option<(Deciseconds, u32)> {
        let word = self.0[lane];
        (word < W::NONE).then(|| {
            let time_ds = (word.value() >> RANK) - Self::bias(cutoff_ds);
            (time_ds as Deciseconds, (word.value() & Self::RANKS) as u32)
        })
    }

    /// The lanes in which something was reached, lane 0 in the lowest bit.
    #[expect(clippy::inline_always, reason = "part of an innermost loop")]
    #[inline(always)]
    pub fn reached(&self) -> u64 {
        (0..N).fold(0, |all, lane| all | u64::from(self.0[lane] < W::NONE) << lane)
    }

    /// Whether nothing was reached in any lane.
    #[expect(clippy::inline_always, reason = "part of an innermost loop")]
    #[inline(always)]
    pub fn is_none(&self) -> bool {
        self.0.iter().all(|&word| word >= W::NONE)
    }
}

impl<const N: usize> Lanes<u32, 0, N> {
    /// Sums of nothing.
    pub fn not_met() -> [[u32; N]; N] {
        [[u32::NONE; N]; N]
    }

    /// For every lane here and every lane there their sum, where it is less than in `met`. Both count to the longest cut-off.
    #[expect(clippy::inline_always, reason = "part of an innermost loop")]
    #[inline(always)]
    pub fn meet(&self, there: &Self, met: &mut [[u32; N]; N]) {
        for (&word, row) in self.0.iter().zip(met) {
            if word < u32::NONE {
                for (sum, &other) in row.iter_mut().zip(&there.0) {
                    *sum = (*sum).min(word.wrapping_add(other));
                }
            }
        }
    }

    /// The time of a sum; `None` when two lanes did not meet.
    pub fn met_ds(sum: u32) -> Option<Deciseconds> {
        (sum < u32::NONE).then(|| sum - 2 * Self::bias(Self::LONGEST_DS) as u32)
    }
}

#[expect(
    clippy::inline_always,
    reason = "must be compiled into each caller for the instructions that it may use"
)]
impl<W: Word, const RANK: u32, const N: usize> Label for Lanes<W, RANK, N> {
    const NONE: Self = Self([W::NONE; N]);

    #[inline(always)]
    fn improve(&mut self, near: &Self, hop_ds: Deciseconds) -> bool {
        let hop = Self::hop(hop_ds);
        let (mut better, mut changed) = (*self, W::default());
        for lane in 0..N {
            better.0[lane] = near.0[lane].plus(hop).least(self.0[lane]);
            changed = changed | (better.0[lane] ^ self.0[lane]);
        }
        if changed == W::default() {
            return false;
        }
        *self = better;
        true
    }
}

/// Which lanes were reached, label by label. A struct and no closure: only so is the work compiled for each set of instructions.
pub struct Reached<'a, L> {
    /// The labels.
    pub labels: &'a [L],
    /// Where the lanes are written.
    pub to: &'a mut [Connected],
}

impl<W: Word, const RANK: u32, const N: usize> NullaryFnOnce for Reached<'_, Lanes<W, RANK, N>> {
    type Output = ();

    #[expect(clippy::inline_always, reason = "compiled for the instructions of its caller")]
    #[inline(always)]
    fn call(self) {
        for (label, set) in self.labels.iter().zip(self.to) {
            set.0 |= label.reached();
        }
    }
}

/// Which of 64 classes a node is connected with, whatever the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connected(pub u64);

#[expect(clippy::inline_always, reason = "as for lanes of times")]
impl Label for Connected {
    const NONE: Self = Self(0);

    #[inline(always)]
    fn improve(&mut self, near: &Self, _hop_ds: Deciseconds) -> bool {
        let before = self.0;
        self.0 |= near.0;
        self.0 != before
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What lanes must do, said with options and pairs.
    fn plain(
        near: Option<(u32, u32)>,
        hop_ds: u32,
        here: Option<(u32, u32)>,
        cutoff_ds: u32,
    ) -> Option<(u32, u32)> {
        let come = near.map(|(time_ds, rank)| (time_ds.saturating_add(hop_ds), rank));
        [come.filter(|(time_ds, _)| *time_ds <= cutoff_ds), here].into_iter().flatten().min()
    }

    fn agrees<W: Word + std::fmt::Debug, const RANK: u32, const N: usize>(
        cutoff_ds: u32,
        hop_ds: u32,
        seeds: &[(u32, u32, bool)],
    ) -> Result<(), TestCaseError> {
        type Seen = Option<(u32, u32)>;
        let longest = Lanes::<W, RANK, N>::LONGEST_DS;
        let cutoff_ds = cutoff_ds.min(longest);
        let ranks = Lanes::<W, RANK, N>::RANKS.max(1) as u32;
        let (mut near, mut here) = (Lanes::<W, RANK, N>::NONE, Lanes::<W, RANK, N>::NONE);
        let mut twins: Vec<(Seen, Seen)> = vec![(None, None); N];
        for (at, &(time_ds, rank, is_near)) in seeds.iter().enumerate() {
            let (lane, rank) = (at % N, rank % ranks);
            let time_ds = time_ds % cutoff_ds.saturating_add(2);
            let (lanes, twin) =
                if is_near { (&mut near, &mut twins[lane].0) } else { (&mut here, &mut twins[lane].1) };
            lanes.offer(lane, time_ds, rank, cutoff_ds);
            *twin = [*twin, (time_ds <= cutoff_ds).then_some((time_ds, rank))].into_iter().flatten().min();
        }
        let before = here;
        let better = here.improve(&near, hop_ds);
        prop_assert_eq!(better, before != here);
        for (lane, (near, own)) in twins.into_iter().enumerate() {
            let expected = plain(near, hop_ds, own, cutoff_ds);
            prop_assert_eq!(here.get(lane, cutoff_ds), expected);
            prop_assert_eq!(here.reached() >> lane & 1 == 1, expected.is_some());
        }
        Ok(())
    }

    proptest! {
        /// Up to the longest cut-off, hops of any length, every width.
        #[test]
        fn lanes_are_minima_within_the_cutoff(
            cutoff_ds in prop_oneof![Just(0), Just(u32::MAX), 0_u32..40_000],
            hop_ds in prop_oneof![0_u32..40_000, 0_u32..(u32::MAX / 2)],
            seeds in prop::collection::vec((any::<u32>(), any::<u32>(), any::<bool>()), 0..80),
        ) {
            let cutoff_ds = cutoff_ds.min(u32::MAX / 2 - 1);
            agrees::<u16, 0, 32>(cutoff_ds, hop_ds, &seeds)?;
            agrees::<u32, 0, 32>(cutoff_ds, hop_ds, &seeds)?;
            agrees::<u32, 16, 4>(cutoff_ds, hop_ds, &seeds)?;
            agrees::<u32, 16, 32>(cutoff_ds, hop_ds, &seeds)?;
            agrees::<u64, 32, 16>(cutoff_ds, hop_ds, &seeds)?;
        }
    }
}
