//! The nearest facility of every class from every origin: one search per class from all its doors at once.

use super::doors::{Door, Joined, Walk, plus};
use super::search::{self, Label, NOT_REACHED, Scratch, label};
use crate::model::error::Result;
use crate::model::facility::Facilities;
use crate::model::ids::Ids;
use crate::model::place::Spot;
use crate::model::progress::Progress;
use crate::model::times::{Deciseconds, Found, Nearest, Reason, Times};
use crate::network::graph::CLOSED;
use crate::network::snap::Snap;
use rayon::prelude::*;
use std::collections::HashMap;

/// Nearest times, and how places were joined.
#[derive(Debug, Clone)]
pub struct NearestTimes {
    /// The table.
    pub times: Times,
    /// One entry per origin.
    pub origin_snap: Vec<Snap>,
    /// One entry per facility: its nearest joined door, or the nearest street when none is.
    pub facility_snap: Vec<Snap>,
}

/// Nearest times from `origins` to the facilities of each class, not longer than the cut-off.
///
/// Equally near facilities: the one whose id comes first.
///
/// # Errors
/// [`crate::model::error::Error::Cancelled`] when the user stopped.
pub fn nearest(
    walk: &Walk<'_>,
    origin_id: &Ids,
    origins: &[impl Into<Spot> + Copy + Sync],
    facilities: &Facilities,
    cutoff_ds: Deciseconds,
    progress: &Progress,
) -> Result<NearestTimes> {
    progress.begin("joining places to streets", origins.len() + facilities.len())?;
    let homes = walk.join(origins, progress)?;
    let (facility_snap, doors) = walk.join_doors(facilities, progress)?;
    let class = facilities.classes();
    progress.begin("walking times", class.len())?;
    let mut doors_of: Vec<Vec<&Door>> = vec![Vec::new(); class.len()];
    for door in &doors {
        let position =
            class.binary_search(&facilities.class[door.facility as usize]).expect("classes are complete");
        doors_of[position].push(door);
    }
    let ranks = facilities.id.ranks();
    let columns: Vec<Vec<Nearest>> = doors_of
        .par_iter()
        .map_init(Scratch::default, |scratch, doors| {
            let column = one_class(walk, &homes, doors, &ranks, cutoff_ds, scratch, progress)?;
            progress.step(1)?;
            Ok(column)
        })
        .collect::<Result<_>>()?;
    let nearest =
        (0..origins.len()).flat_map(|origin| columns.iter().map(move |column| column[origin])).collect();
    let times = Times {
        profile: walk.profile.name.clone(),
        origin: origin_id.clone(),
        class,
        facility: facilities.id.clone(),
        nearest,
    };
    let origin_snap = homes.into_iter().map(|(snap, _)| snap).collect();
    Ok(NearestTimes { times, origin_snap, facility_snap })
}

/// How each facility would be joined: its nearest joined door, or the nearest street when none is.
///
/// # Errors
/// [`crate::model::error::Error::Cancelled`] when the user stopped.
pub fn join_facilities(walk: &Walk<'_>, facilities: &Facilities, progress: &Progress) -> Result<Vec<Snap>> {
    Ok(walk.join_doors(facilities, progress)?.0)
}

fn one_class(
    walk: &Walk<'_>,
    homes: &[(Snap, Option<Joined>)],
    doors: &[&Door],
    ranks: &[u32],
    cutoff_ds: Deciseconds,
    scratch: &mut Scratch,
    progress: &Progress,
) -> Result<Vec<Nearest>> {
    let rank = |door: &Door| ranks[door.facility as usize];
    let facility_of: HashMap<u32, u32> = doors.iter().map(|door| (rank(door), door.facility)).collect();
    let mut on_edge: HashMap<u32, Vec<&Door>> = HashMap::new();
    for door in doors {
        on_edge.entry(door.joined.anchor.edge).or_default().push(door);
    }
    let at_nodes = doors.iter().flat_map(|door| {
        walk.door_legs(&door.joined).map(|(node, leg_ds)| (node, label(leg_ds, rank(door))))
    });
    let labels = walk.nearest_door(at_nodes, cutoff_ds, scratch, progress)?;
    let best = |home: &Joined| {
        let through_nodes =
            walk.home_legs(home).into_iter().map(|(node, leg_ds)| add(labels[node as usize], leg_ds));
        let neighbours = on_edge.get(&home.anchor.edge).into_iter().flatten();
        let along_edge = neighbours.map(|door| match walk.along_edge(home, &door.joined) {
            CLOSED => NOT_REACHED,
            time_ds => label(time_ds, rank(door)),
        });
        through_nodes.chain(along_edge).min().unwrap_or(NOT_REACHED)
    };
    let mut column: Vec<Nearest> = homes
        .iter()
        .map(|(_, home)| {
            let home = home.as_ref().ok_or(Reason::NotSnapped)?;
            let best = best(home);
            if best == NOT_REACHED || search::time_ds(best) > cutoff_ds {
                return Err(Reason::BeyondCutoff);
            }
            Ok(Found { time_ds: search::time_ds(best), facility: facility_of[&search::rank(best)] })
        })
        .collect();
    tell_unconnected(walk, homes, doors, &mut column, progress)?;
    Ok(column)
}

/// Where nothing was reached: is it far, or is there no way at all?
fn tell_unconnected(
    walk: &Walk<'_>,
    homes: &[(Snap, Option<Joined>)],
    doors: &[&Door],
    column: &mut [Nearest],
    progress: &Progress,
) -> Result<()> {
    if !column.contains(&Err(Reason::BeyondCutoff)) {
        return Ok(());
    }
    let open_ends = doors.iter().flat_map(|door| walk.door_legs(&door.joined));
    let nodes = open_ends.filter(|(_, leg_ds)| *leg_ds < CLOSED).map(|(node, _)| node);
    let connected = walk.connected(nodes, progress)?;
    for (entry, (_, home)) in column.iter_mut().zip(homes) {
        let (Err(Reason::BeyondCutoff), Some(home)) = (*entry, home) else { continue };
        let through_nodes =
            walk.home_legs(home).iter().any(|&(node, leg_ds)| leg_ds < CLOSED && connected[node as usize]);
        let on_edge = doors.iter().filter(|door| door.joined.anchor.edge == home.anchor.edge);
        let along_edge = |door: &&&Door| walk.along_edge(home, &door.joined) < CLOSED;
        if !through_nodes && !on_edge.into_iter().any(|door| along_edge(&door)) {
            *entry = Err(Reason::NotConnected);
        }
    }
    Ok(())
}

/// A node's label and the way to the node.
fn add(at_node: Label, leg_ds: Deciseconds) -> Label {
    if at_node == NOT_REACHED || plus(search::time_ds(at_node), leg_ds) >= CLOSED {
        return NOT_REACHED;
    }
    at_node + label(leg_ds, 0)
}
