//! Labels spread over the whole network until nothing gets better.
//!
//! Nodes whose label got better are swept in order, forth and back, and pass it on. Every label is a minimum over ways, so
//! the end does not hang on the order of the work: the same bytes on any number of threads. The network is cut into
//! parts that stay in a core's own cache; each settles by itself, then passes its border on to its neighbours.
//!
//! Why sweeps and not queues or hierarchies: docs/design/2026-11-searches.md.

use super::arcs::Arcs;
use super::lanes::Label;
use super::positions::Positions;
use crate::model::error::Result;
use crate::model::progress::Progress;
use pulp::NullaryFnOnce;
use rayon::prelude::*;
use std::mem;
use std::ops::Range;

/// Nodes of a part: their labels are a megabyte or two.
const NODES_PER_PART: usize = 1 << 14;

/// One part of the network.
struct Part<L> {
    /// Its first position.
    first: usize,
    /// Nodes that have not passed their label on within the part.
    waiting: Positions,
    /// Nodes from which a step leads to another part.
    border: Vec<u32>,
    /// What those have passed on to other parts.
    sent: Vec<L>,
    /// What comes from other parts: position and label there.
    inbox: Vec<(u32, L)>,
    /// What goes to other parts.
    outbox: Vec<(u32, L)>,
}

/// Spread labels from the `seeds` over all steps until nothing gets better.
///
/// # Errors
/// [`crate::model::error::Error::Cancelled`] when the user stopped.
pub fn settle<L: Label>(
    arcs: &Arcs,
    labels: &mut [L],
    seeds: impl IntoIterator<Item = u32>,
    progress: &Progress,
) -> Result<()> {
    settle_in_parts(arcs, labels, seeds, NODES_PER_PART, progress)
}

fn settle_in_parts<L: Label>(
    arcs: &Arcs,
    labels: &mut [L],
    seeds: impl IntoIterator<Item = u32>,
    size: usize,
    progress: &Progress,
) -> Result<()> {
    let mut parts: Vec<Part<L>> = (0..labels.len().div_ceil(size))
        .into_par_iter()
        .map(|number| Part::new(arcs, number * size..((number + 1) * size).min(labels.len())))
        .collect();
    let mut awake = vec![false; parts.len()];
    for position in seeds {
        let number = position as usize / size;
        parts[number].waiting.insert(position as usize % size);
        awake[number] = true;
    }
    let simd = pulp::Arch::new();
    while awake.contains(&true) {
        let woken = mem::replace(&mut awake, vec![false; parts.len()]);
        parts
            .par_iter_mut()
            .zip(labels.par_chunks_mut(size))
            .zip(woken)
            .filter(|(_, awake)| *awake)
            .try_for_each(|((part, labels), _)| simd.dispatch(Settling { part, arcs, labels, progress }))?;
        for from in 0..parts.len() {
            for (position, label) in mem::take(&mut parts[from].outbox) {
                let number = position as usize / size;
                parts[number].inbox.push((position, label));
                awake[number] = true;
            }
        }
    }
    Ok(())
}

/// A part and what it settles with. A struct and no closure: only so is the work compiled for each set of instructions.
struct Settling<'a, L> {
    part: &'a mut Part<L>,
    arcs: &'a Arcs,
    labels: &'a mut [L],
    progress: &'a Progress,
}

impl<L: Label> NullaryFnOnce for Settling<'_, L> {
    type Output = Result<()>;

    #[expect(clippy::inline_always, reason = "compiled for the instructions of its caller")]
    #[inline(always)]
    fn call(self) -> Result<()> {
        self.part.settle(self.arcs, self.labels, self.progress)
    }
}

impl<L: Label> Part<L> {
    fn new(arcs: &Arcs, range: Range<usize>) -> Self {
        let border = arcs.border(range.clone());
        Self {
            first: range.start,
            waiting: Positions::none(range.len()),
            sent: vec![L::NONE; border.len()],
            border,
            inbox: Vec::new(),
            outbox: Vec::new(),
        }
    }

    /// Take what has come in, settle, and write down what goes out.
    #[expect(
        clippy::inline_always,
        reason = "must be compiled into each caller for the instructions that it may use"
    )]
    #[inline(always)]
    fn settle(&mut self, arcs: &Arcs, labels: &mut [L], progress: &Progress) -> Result<()> {
        for (position, label) in self.inbox.drain(..) {
            let at = position as usize - self.first;
            if labels[at].improve(&label, 0) {
                self.waiting.insert(at);
            }
        }
        let first = self.first;
        let mut upward = true;
        while self.waiting.sweep(
            upward,
            #[inline(always)]
            |waiting, at| {
                let here = labels[at];
                for hop in arcs.from(first + at) {
                    let there = (hop.to as usize).wrapping_sub(first);
                    if let Some(label) = labels.get_mut(there)
                        && label.improve(&here, hop.time_ds)
                    {
                        waiting.insert(there);
                    }
                }
            },
        ) {
            progress.check()?;
            upward = !upward;
        }
        self.pass_on(arcs, labels);
        Ok(())
    }

    #[expect(
        clippy::inline_always,
        reason = "must be compiled into each caller for the instructions that it may use"
    )]
    #[inline(always)]
    fn pass_on(&mut self, arcs: &Arcs, labels: &[L]) {
        for (&position, sent) in self.border.iter().zip(&mut self.sent) {
            let here = labels[position as usize - self.first];
            if here == *sent {
                continue;
            }
            *sent = here;
            for hop in arcs.from(position as usize) {
                let mut label = L::NONE;
                let outside = (hop.to as usize).wrapping_sub(self.first) >= labels.len();
                if outside && label.improve(&here, hop.time_ds) {
                    self.outbox.push((hop.to, label));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::defaults;
    use crate::model::times::Direction;
    use crate::travel::arcs::Side;
    use crate::travel::doors::Walk;
    use crate::travel::lanes::Nearest;
    use crate::travel::nearest_tests::random_town;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        /// However the network is cut, the labels are those of plain relaxation until quiet.
        #[test]
        fn the_parts_do_not_show(
            town in random_town(), size in 1_usize..6, cutoff_ds in 0_u32..12_000,
            seeds in prop::collection::vec((any::<u32>(), 0_usize..4, 0_u32..900, 0_u32..5), 1..9),
        ) {
            let network = town.network(town.edges.len());
            let adult = &defaults::profiles()[0];
            let walk = Walk::new(&network, adult, Direction::ToFacility);
            let arcs = walk.arcs(Side::Doors);
            let nodes = arcs.node_count();
            let mut labels = vec![Nearest::<4>::NONE; nodes];
            for &(position, lane, time_ds, rank) in &seeds {
                labels[position as usize % nodes].offer(lane, time_ds, rank, cutoff_ds);
            }
            let mut slow = labels.clone();
            while (0..nodes).any(|from| {
                let here = slow[from];
                arcs.from(from).iter().filter(|hop| slow[hop.to as usize].improve(&here, hop.time_ds)).count() > 0
            }) {}
            let seeds = seeds.iter().map(|seed| seed.0 % nodes as u32);
            settle_in_parts(arcs, &mut labels, seeds, size, &Progress::default()).unwrap();
            prop_assert_eq!(labels, slow);
        }
    }
}
