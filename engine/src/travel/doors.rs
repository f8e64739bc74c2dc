//! Homes and doors on the network: what each needs to reach the two ends of its edge.

use super::arcs::Arcs;
use crate::io::facilities::ids_column;
use crate::model::error::Result;
use crate::model::facility::Facilities;
use crate::model::ids::Ids;
use crate::model::place::Spot;
use crate::model::profile::Profile;
use crate::model::progress::Progress;
use crate::model::times::{Deciseconds, Direction, Reason};
use crate::network::graph::{CLOSED, Network};
use crate::network::overlay::Overlay;
use crate::network::snap::{self, Anchor, Joining, Snap};
use crate::network::weight::{self, EdgeTimes, Split};
use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray, UInt32Array};
use std::sync::{Arc, OnceLock};

/// One profile's view of a network in one direction of the walk.
pub struct Walk<'a> {
    /// The network.
    pub network: &'a Network,
    /// Who walks.
    pub profile: &'a Profile,
    /// Times of all edges.
    pub times: EdgeTimes,
    /// Towards the facility or away from it.
    pub direction: Direction,
    /// Steps of searches from doors and from homes, made at first use.
    pub(super) arcs: [OnceLock<Arcs>; 2],
}

/// Tenths of a second between two points of an edge, legs included; [`CLOSED`] where it may not be walked so. `whole` is the
/// time of the edge, forward and backward.
pub(super) fn along(
    whole: [Deciseconds; 2],
    direction: Direction,
    home: &Joined,
    door: &Joined,
) -> Deciseconds {
    let (here, there) = match direction {
        Direction::ToFacility => (home, door),
        Direction::FromFacility => (door, home),
    };
    // Both at the same point: nothing of the edge is walked, so its directions do not matter.
    if there.anchor.share.total_cmp(&here.anchor.share).is_eq() {
        return home.leg_ds + door.leg_ds;
    }
    let (whole, from_here, to_there) = if there.anchor.share > here.anchor.share {
        (whole[0], here.split.from_start_ds, there.split.from_start_ds)
    } else {
        (whole[1], here.split.from_end_ds, there.split.from_end_ds)
    };
    if whole == CLOSED { CLOSED } else { to_there - from_here + home.leg_ds + door.leg_ds }
}

/// A place joined to the network, with times including the leg between place and street.
#[derive(Debug, Clone, Copy)]
pub struct Joined {
    /// Where.
    pub anchor: Anchor,
    /// Times along the edge.
    pub split: Split,
    /// The leg between place and street.
    pub leg_ds: Deciseconds,
}

impl Joined {
    /// Between the place and the two ends of its edge: away from the place, or towards it.
    fn legs(&self, ends: [u32; 2], outward: bool) -> [(u32, Deciseconds); 2] {
        let split = &self.split;
        let [first_ds, second_ds] = if outward {
            [split.to_start_ds, split.to_end_ds]
        } else {
            [split.from_start_ds, split.from_end_ds]
        };
        [(ends[0], plus(first_ds, self.leg_ds)), (ends[1], plus(second_ds, self.leg_ds))]
    }

    /// From a home to the two ends of its edge (first node, second node), or back, as the direction says.
    pub(super) fn home_legs(&self, ends: [u32; 2], direction: Direction) -> [(u32, Deciseconds); 2] {
        self.legs(ends, direction == Direction::ToFacility)
    }

    /// From the two ends of its edge to a door, or back, as the direction says. The street end of a private way is no way
    /// in: only those who live behind it come to the door from inside.
    pub(super) fn door_legs(
        &self,
        ends: [u32; 2],
        direction: Direction,
        is_private_passage: impl Fn(u32) -> bool,
    ) -> [(u32, Deciseconds); 2] {
        let legs = self.legs(ends, direction == Direction::FromFacility);
        legs.map(|(node, time_ds)| (node, if is_private_passage(node) { CLOSED } else { time_ds }))
    }
}

impl<'a> Walk<'a> {
    /// Weigh the network for a profile.
    pub fn new(network: &'a Network, profile: &'a Profile, direction: Direction) -> Self {
        let times = weight::edge_times(network, profile);
        Self { network, profile, times, direction, arcs: Default::default() }
    }

    /// Farthest that a place is joined, metres.
    pub fn max_snap_m(&self) -> f64 {
        snap::limit_m(self.network, self.profile)
    }

    /// Join places; unjoined ones stay in the answer with their distance.
    pub fn join(
        &self,
        spots: &[impl Into<Spot> + Copy + Sync],
        progress: &Progress,
    ) -> Result<Vec<(Snap, Option<Joined>)>> {
        self.join_to(spots, false, progress)
    }

    /// Join places to ways that everybody may use.
    pub fn join_public(
        &self,
        spots: &[impl Into<Spot> + Copy + Sync],
        progress: &Progress,
    ) -> Result<Vec<(Snap, Option<Joined>)>> {
        self.join_to(spots, true, progress)
    }

    fn join_to(
        &self,
        spots: &[impl Into<Spot> + Copy + Sync],
        public: bool,
        progress: &Progress,
    ) -> Result<Vec<(Snap, Option<Joined>)>> {
        let (times, limit_m) = (&self.times, self.max_snap_m());
        let joining = Joining { times, closed: None, limit_m, public, islands: false };
        let snaps = snap::snap(self.network, joining, spots, progress)?;
        Ok(snaps.into_iter().map(|snap| (snap, snap.anchor.map(|anchor| self.joined_to(anchor)))).collect())
    }

    /// The times of a place that is joined to a street; in an edited network, to a street of its baseline.
    fn joined_to(&self, anchor: Anchor) -> Joined {
        let overlaid = self.network.overlay.as_ref().zip(self.times.baseline.as_ref());
        overlaid.map_or_else(
            || self.joined(anchor),
            |(overlay, baseline)| {
                overlaid_place(overlay, self.profile, baseline, anchor).unwrap_or_else(|| self.joined(anchor))
            },
        )
    }

    /// The times of a point of an edge.
    pub(super) fn joined(&self, anchor: Anchor) -> Joined {
        let split =
            weight::split(self.network, self.profile, &self.times, anchor.edge as usize, anchor.share);
        Joined { anchor, split, leg_ds: weight::leg_ds(self.profile, anchor.away_m) }
    }

    fn ends(&self, edge: u32) -> [u32; 2] {
        let edges = &self.network.edges;
        [edges.from[edge as usize], edges.to[edge as usize]]
    }

    /// From a home to the two ends of its edge (first node, second node), or back, as the direction says.
    pub fn home_legs(&self, home: &Joined) -> [(u32, Deciseconds); 2] {
        home.home_legs(self.ends(home.anchor.edge), self.direction)
    }

    /// From the two ends of its edge to a door, or back, as the direction says.
    pub fn door_legs(&self, door: &Joined) -> [(u32, Deciseconds); 2] {
        let edge = door.anchor.edge;
        let is_passage = |node: u32| self.network.is_private_passage(edge as usize, node as usize);
        door.door_legs(self.ends(edge), self.direction, is_passage)
    }

    /// Along one edge, without touching its ends: legs included; [`CLOSED`] where the edge may not be walked so.
    pub fn along_edge(&self, home: &Joined, door: &Joined) -> Deciseconds {
        let edge = home.anchor.edge as usize;
        along([self.times.forward_ds[edge], self.times.backward_ds[edge]], self.direction, home, door)
    }
}

/// The times of a place that is joined to a street of the baseline, where edits change them.
pub(super) fn overlaid_place(
    overlay: &Overlay,
    profile: &Profile,
    baseline: &EdgeTimes,
    anchor: Anchor,
) -> Option<Joined> {
    let located = overlay.locate(anchor);
    let split = overlay.split(profile, baseline, located.edge, anchor.share)?;
    Some(Joined { anchor: located, split, leg_ds: weight::leg_ds(profile, anchor.away_m) })
}

/// Homes and doors of a walk, joined to its streets.
#[derive(Debug, Clone)]
pub struct Joins {
    /// One entry per origin.
    pub homes: Vec<(Snap, Option<Joined>)>,
    /// The doors of all facilities, facility by facility.
    pub doors: Vec<Door>,
    /// One entry per facility: its nearest joined door, or the nearest street when none is.
    pub facility_snap: Vec<Snap>,
}

/// A joined door of a facility.
#[derive(Debug, Clone, Copy)]
pub struct Door {
    /// Row of the facility.
    pub facility: u32,
    /// Where it is joined.
    pub joined: Joined,
}

impl Walk<'_> {
    /// Join both sides of a search.
    ///
    /// # Errors
    /// [`crate::model::error::Error::Cancelled`] when the user stopped.
    pub fn join_both(
        &self,
        origins: &[impl Into<Spot> + Copy + Sync],
        facilities: &Facilities,
        progress: &Progress,
    ) -> Result<Joins> {
        progress.begin("joining places to streets", origins.len() + facilities.len())?;
        let homes = self.join(origins, progress)?;
        let (facility_snap, doors) = self.join_doors(facilities, progress)?;
        Ok(Joins { homes, doors, facility_snap })
    }

    /// Join the doors of facilities; also, for each facility, its nearest joined door, or the nearest street when none is.
    ///
    /// A door on a private way is one door for those who live there, and a second one on the nearest public way for
    /// everybody else.
    ///
    /// # Errors
    /// [`crate::model::error::Error::Cancelled`] when the user stopped.
    pub fn join_doors(&self, facilities: &Facilities, progress: &Progress) -> Result<(Vec<Snap>, Vec<Door>)> {
        let rows = (0..facilities.len())
            .flat_map(|row| facilities.doors[row].iter().map(move |&place| (row, place)));
        let (rows, spots): (Vec<usize>, Vec<Spot>) =
            rows.map(|(row, place)| (row, Spot { place, level: facilities.level[row] })).unzip();
        let joins = self.join_as_doors(&spots, progress)?;
        let mut doors: Vec<Door> = Vec::with_capacity(joins.len());
        let mut best = vec![Snap { anchor: None, nearest_m: None }; facilities.len()];
        for (&row, (snap, joined)) in rows.iter().zip(&joins) {
            if best[row]
                .nearest_m
                .is_none_or(|least_m| snap.nearest_m.is_some_and(|nearest_m| nearest_m < least_m))
            {
                best[row] = *snap;
            }
            doors.extend(joined.iter().map(|&joined| Door { facility: row as u32, joined }));
        }
        Ok((best, doors))
    }
}

impl Walk<'_> {
    /// Join places that stand for facilities: one door each, and a second one on the nearest public way for those on a
    /// private way; none where no street is near.
    ///
    /// # Errors
    /// [`crate::model::error::Error::Cancelled`] when the user stopped.
    pub fn join_as_doors(
        &self,
        spots: &[impl Into<Spot> + Copy + Sync],
        progress: &Progress,
    ) -> Result<Vec<(Snap, Vec<Joined>)>> {
        let is_private = |edge: u32| self.network.edges.residents[edge as usize];
        let joins = self.join(spots, progress)?;
        with_public_doors(joins, spots, is_private, |outside| self.join_public(outside, progress))
    }
}

/// One door for each place that is joined, and a second one on the nearest public way for those on a private way.
pub(super) fn with_public_doors(
    joins: Vec<(Snap, Option<Joined>)>,
    spots: &[impl Into<Spot> + Copy],
    is_private: impl Fn(u32) -> bool,
    join_public: impl FnOnce(&[Spot]) -> Result<Vec<(Snap, Option<Joined>)>>,
) -> Result<Vec<(Snap, Vec<Joined>)>> {
    let mut joins: Vec<(Snap, Vec<Joined>)> =
        joins.into_iter().map(|(snap, joined)| (snap, joined.into_iter().collect())).collect();
    let private =
        |join: &(Snap, Vec<Joined>)| join.1.first().is_some_and(|door| is_private(door.anchor.edge));
    let behind: Vec<usize> = (0..joins.len()).filter(|&at| private(&joins[at])).collect();
    let outside: Vec<Spot> = behind.iter().map(|&at| spots[at].into()).collect();
    for (&at, (_, joined)) in behind.iter().zip(join_public(&outside)?) {
        joins[at].1.extend(joined);
    }
    Ok(joins)
}

/// A sum in which a closed part closes the whole.
pub fn plus(a: Deciseconds, b: Deciseconds) -> Deciseconds {
    if a >= CLOSED || b >= CLOSED { CLOSED } else { (a + b).min(CLOSED) }
}

/// Joined places as a table: `id`, `edge`, `from`, `to` (positions in the network), `share` (0..1 along the edge), `away_m`,
/// `leg_s`, the seconds along the edge `to_start_s`, `to_end_s`, `from_start_s`, `from_end_s` (null where one may not walk),
/// `nearest_m` and `reason` (`not_snapped`, or null). Everything but the id and the last two is null when not joined.
pub fn to_batch(walk: &Walk<'_>, ids: &Ids, joined: &[(Snap, Option<Joined>)]) -> RecordBatch {
    let places = || joined.iter().map(|(_, joined)| joined.as_ref());
    let whole = |of: &dyn Fn(&Joined) -> u32| -> ArrayRef {
        Arc::new(places().map(|place| place.map(of)).collect::<UInt32Array>())
    };
    let number = |of: &dyn Fn(&Joined) -> f64| -> ArrayRef {
        Arc::new(places().map(|place| place.map(of)).collect::<Float64Array>())
    };
    let seconds = |of: &dyn Fn(&Split) -> Deciseconds| -> ArrayRef {
        let open = |place: &Joined| Some(of(&place.split)).filter(|time_ds| *time_ds < CLOSED);
        Arc::new(
            places()
                .map(|place| place.and_then(open).map(|time_ds| f64::from(time_ds) / 10.0))
                .collect::<Float64Array>(),
        )
    };
    let edges = &walk.network.edges;
    let reason = places().map(|place| if place.is_some() { None } else { Some(Reason::NotSnapped.name()) });
    let nearest_m: Float64Array = joined.iter().map(|(snap, _)| snap.nearest_m).collect();
    RecordBatch::try_from_iter_with_nullable([
        ("id", ids_column(ids, (0..ids.len()).map(Some)), false),
        ("edge", whole(&|place| place.anchor.edge), true),
        ("from", whole(&|place| edges.from[place.anchor.edge as usize]), true),
        ("to", whole(&|place| edges.to[place.anchor.edge as usize]), true),
        ("share", number(&|place| place.anchor.share), true),
        ("away_m", number(&|place| place.anchor.away_m), true),
        ("leg_s", number(&|place| f64::from(place.leg_ds) / 10.0), true),
        ("to_start_s", seconds(&|split| split.to_start_ds), true),
        ("to_end_s", seconds(&|split| split.to_end_ds), true),
        ("from_start_s", seconds(&|split| split.from_start_ds), true),
        ("from_end_s", seconds(&|split| split.from_end_ds), true),
        ("nearest_m", Arc::new(nearest_m) as ArrayRef, true),
        ("reason", Arc::new(reason.collect::<StringArray>()), true),
    ])
    .expect("all columns have one value per place")
}
