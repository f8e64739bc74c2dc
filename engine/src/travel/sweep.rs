//! Labels spread over the whole network until nothing gets better.
//!
//! Nodes whose label got better are swept in order, forth and back, and pass it on. Every label is a minimum over ways, so
//! the end does not hang on the order of the work: the same bytes on any number of threads. The network is cut into
//! parts that stay in a core's own cache; each settles by itself, then passes its border on to its neighbours.
//!
//! Why sweeps and not queues or hierarchies: docs/design/2026-11-searches.md.

use super::arcs::Arcs;
use super::lanes::Label;
use crate::model::error::Result;
use crate::model::progress::Progress;
use rayon::prelude::*;
use std::mem;

/// Nodes of a part: their labels are a megabyte or two.
const NODES_PER_PART: usize = 1 << 14;

/// A set of positions, swept in order.
#[derive(Debug, Clone, Default)]
pub(super) struct Positions(Vec<u64>);

impl Positions {
    pub(super) fn none(nodes: usize) -> Self {
        Self(vec![0; nodes.div_ceil(64)])
    }

    #[expect(clippy::inline_always, reason = "part of the innermost loop")]
    #[inline(always)]
    pub(super) fn insert(&mut self, position: usize) {
        self.0[position / 64] |= 1 << (position % 64);
    }

    /// Take every position out, the lowest first or the highest first, those too that `visit` puts in ahead of the sweep;
    /// whether there was any.
    #[expect(clippy::inline_always, reason = "must be compiled into each caller for the instructions that it may use")]
    #[inline(always)]
    pub(super) fn sweep(&mut self, upward: bool, mut visit: impl FnMut(&mut Self, usize)) -> bool {
        let words = self.0.len();
        let mut any = false;
        for step in 0..words {
            let word = if upward { step } else { words - 1 - step };
            while self.0[word] != 0 {
                let bits = self.0[word];
                let bit = if upward { bits.trailing_zeros() } else { bits.ilog2() };
                self.0[word] &= !(1 << bit);
                any = true;
                visit(self, word * 64 + bit as usize);
            }
        }
        any
    }
}

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
    arcs: &Arcs<'_>,
    labels: &mut [L],
    seeds: impl IntoIterator<Item = u32>,
    progress: &Progress,
) -> Result<()> {
    let mut parts: Vec<Part<L>> =
        (0..labels.len().div_ceil(NODES_PER_PART)).into_par_iter().map(|number| Part::new(arcs, number)).collect();
    let mut awake = vec![false; parts.len()];
    for position in seeds {
        let number = position as usize / NODES_PER_PART;
        parts[number].waiting.insert(position as usize % NODES_PER_PART);
        awake[number] = true;
    }
    let simd = pulp::Arch::new();
    while awake.contains(&true) {
        let woken = mem::replace(&mut awake, vec![false; parts.len()]);
        parts
            .par_iter_mut()
            .zip(labels.par_chunks_mut(NODES_PER_PART))
            .zip(woken)
            .filter(|(_, awake)| *awake)
            .try_for_each(|((part, labels), _)| {
                simd.dispatch(
                    #[expect(clippy::inline_always, reason = "compiled for the instructions of this machine")]
                    #[inline(always)]
                    || part.settle(arcs, labels, progress),
                )
            })?;
        for from in 0..parts.len() {
            for (position, label) in mem::take(&mut parts[from].outbox) {
                let number = position as usize / NODES_PER_PART;
                parts[number].inbox.push((position, label));
                awake[number] = true;
            }
        }
    }
    Ok(())
}

impl<L: Label> Part<L> {
    fn new(arcs: &Arcs<'_>, number: usize) -> Self {
        let first = number * NODES_PER_PART;
        let end = (first + NODES_PER_PART).min(arcs.node_count());
        let border = arcs.border(first..end);
        Self {
            first,
            waiting: Positions::none(end - first),
            sent: vec![L::NONE; border.len()],
            border,
            inbox: Vec::new(),
            outbox: Vec::new(),
        }
    }

    /// Take what has come in, settle, and write down what goes out.
    #[expect(clippy::inline_always, reason = "must be compiled into each caller for the instructions that it may use")]
    #[inline(always)]
    fn settle(&mut self, arcs: &Arcs<'_>, labels: &mut [L], progress: &Progress) -> Result<()> {
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
            #[expect(clippy::inline_always, reason = "part of the innermost loop")]
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

    #[expect(clippy::inline_always, reason = "must be compiled into each caller for the instructions that it may use")]
    #[inline(always)]
    fn pass_on(&mut self, arcs: &Arcs<'_>, labels: &[L]) {
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
