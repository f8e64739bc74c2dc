//! Times between every node of the network and the nearest facility of every class, and nothing else: what maps of a whole
//! city are drawn from.

use super::arcs::{Arcs, Side};
use super::doors::{Joins, Walk};
use super::lanes::{Label, Lanes, LongTimes, Times, Word};
use super::sweep;
use crate::model::error::Result;
use crate::model::facility::Facilities;
use crate::model::progress::Progress;
use crate::model::times::Deciseconds;
use crate::network::order::Order;

/// Classes that are searched for together.
const TOGETHER: usize = 32;

/// Times at all nodes, as the search left them: two or four bytes each.
#[derive(Debug)]
pub struct NodeTimes<'a> {
    /// The classes, sorted.
    pub class: Vec<String>,
    order: &'a Order,
    cutoff_ds: Deciseconds,
    labels: Labels,
}

/// One entry for every 32 classes.
#[derive(Debug)]
enum Labels {
    Short(Vec<Vec<Times>>),
    Long(Vec<Vec<LongTimes>>),
}

impl NodeTimes<'_> {
    /// Tenths of a second between a node and the nearest facility of a class, legs between doors and streets included;
    /// none beyond the cut-off.
    pub fn get(&self, node: usize, class: usize) -> Option<Deciseconds> {
        let (group, lane, position) =
            (class / TOGETHER, class % TOGETHER, self.order.position[node] as usize);
        let found = match &self.labels {
            Labels::Short(groups) => groups[group][position].get(lane, self.cutoff_ds),
            Labels::Long(groups) => groups[group][position].get(lane, self.cutoff_ds),
        };
        found.map(|(time_ds, _)| time_ds)
    }

    /// Number of nodes.
    pub fn node_count(&self) -> usize {
        self.order.position.len()
    }
}

/// Spread all classes over the network.
///
/// # Errors
/// [`crate::model::error::Error::Cancelled`] when the user stopped.
pub fn node_times<'a>(
    walk: &'a Walk<'_>,
    joins: &Joins,
    facilities: &Facilities,
    cutoff_ds: Deciseconds,
    progress: &Progress,
) -> Result<NodeTimes<'a>> {
    assert!(cutoff_ds <= LongTimes::LONGEST_DS, "a cut-off is at most a day");
    let class = facilities.classes();
    progress.begin("walking times", class.len())?;
    let of = |row: usize| class.binary_search(&facilities.class[row]).expect("classes are complete");
    let class_of: Vec<usize> = (0..facilities.len()).map(of).collect();
    let arcs = walk.arcs(Side::Doors);
    let search = Search { walk, arcs, joins, class_of: &class_of, cutoff_ds, progress };
    let labels = if cutoff_ds <= Times::LONGEST_DS {
        Labels::Short(search.groups(class.len())?)
    } else {
        Labels::Long(search.groups(class.len())?)
    };
    Ok(NodeTimes { class, order: walk.network.order(), cutoff_ds, labels })
}

struct Search<'a> {
    walk: &'a Walk<'a>,
    arcs: &'a Arcs,
    joins: &'a Joins,
    class_of: &'a [usize],
    cutoff_ds: Deciseconds,
    progress: &'a Progress,
}

impl Search<'_> {
    fn groups<W: Word>(&self, classes: usize) -> Result<Vec<Vec<Lanes<W, 0, TOGETHER>>>> {
        (0..classes.div_ceil(TOGETHER)).map(|group| self.group(group)).collect()
    }

    fn group<W: Word>(&self, group: usize) -> Result<Vec<Lanes<W, 0, TOGETHER>>> {
        let mut labels = vec![Lanes::NONE; self.arcs.node_count()];
        let mut seeds = Vec::new();
        for door in &self.joins.doors {
            let class = self.class_of[door.facility as usize];
            if class / TOGETHER != group {
                continue;
            }
            for (node, leg_ds) in self.walk.door_legs(&door.joined) {
                let position = self.walk.network.order().position[node as usize];
                if labels[position as usize].offer(class % TOGETHER, leg_ds, 0, self.cutoff_ds) {
                    seeds.push(position);
                }
            }
        }
        sweep::settle(self.arcs, &mut labels, seeds, self.progress)?;
        self.progress.step(TOGETHER)?;
        Ok(labels)
    }
}
