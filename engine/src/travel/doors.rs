//! Homes and doors on the network: what each needs to reach the two ends of its edge.

use crate::model::error::Result;
use crate::model::place::Place;
use crate::model::profile::Profile;
use crate::model::progress::Progress;
use crate::model::times::{Deciseconds, Direction};
use crate::network::graph::{CLOSED, Network};
use crate::network::snap::{self, Anchor, Snap};
use crate::network::weight::{self, EdgeTimes, Split};

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

impl<'a> Walk<'a> {
    /// Weigh the network for a profile.
    pub fn new(network: &'a Network, profile: &'a Profile, direction: Direction) -> Self {
        Self { network, profile, times: weight::edge_times(network, profile), direction }
    }

    /// Join places; unjoined ones stay in the answer with their distance.
    pub fn join(&self, places: &[Place], progress: &Progress) -> Result<Vec<(Snap, Option<Joined>)>> {
        let snaps = snap::snap(self.network, &self.times, places, progress)?;
        Ok(snaps.into_iter().map(|snap| (snap, snap.anchor.map(|anchor| self.joined(anchor)))).collect())
    }

    fn joined(&self, anchor: Anchor) -> Joined {
        let split = weight::split(self.network, self.profile, &self.times, anchor.edge as usize, anchor.share);
        Joined { anchor, split, leg_ds: weight::leg_ds(self.profile, anchor.away_m) }
    }

    /// From a home to the two ends of its edge (first node, second node), or back, as the direction says.
    pub fn home_legs(&self, home: &Joined) -> [(u32, Deciseconds); 2] {
        self.legs(home, self.direction == Direction::ToFacility)
    }

    /// From the two ends of its edge to a door, or back, as the direction says.
    pub fn door_legs(&self, door: &Joined) -> [(u32, Deciseconds); 2] {
        self.legs(door, self.direction == Direction::FromFacility)
    }

    fn legs(&self, place: &Joined, outward: bool) -> [(u32, Deciseconds); 2] {
        let (edges, edge) = (&self.network.edges, place.anchor.edge as usize);
        let (start, end) = match outward {
            true => (place.split.to_start_ds, place.split.to_end_ds),
            false => (place.split.from_start_ds, place.split.from_end_ds),
        };
        [(edges.from[edge], plus(start, place.leg_ds)), (edges.to[edge], plus(end, place.leg_ds))]
    }

    /// Along one edge, without touching its ends: legs included; [`CLOSED`] where the edge may not be walked so.
    pub fn along_edge(&self, home: &Joined, door: &Joined) -> Deciseconds {
        let (here, there) = match self.direction {
            Direction::ToFacility => (home, door),
            Direction::FromFacility => (door, home),
        };
        // Both at the same point: nothing of the edge is walked, so its directions do not matter.
        if there.anchor.share == here.anchor.share {
            return home.leg_ds + door.leg_ds;
        }
        let (whole, from_here, to_there) = if there.anchor.share > here.anchor.share {
            (self.times.forward_ds[here.anchor.edge as usize], here.split.from_start_ds, there.split.from_start_ds)
        } else {
            (self.times.backward_ds[here.anchor.edge as usize], here.split.from_end_ds, there.split.from_end_ds)
        };
        if whole == CLOSED {
            return CLOSED;
        }
        to_there - from_here + home.leg_ds + door.leg_ds
    }
}

/// A sum in which a closed part closes the whole.
pub fn plus(a: Deciseconds, b: Deciseconds) -> Deciseconds {
    if a >= CLOSED || b >= CLOSED { CLOSED } else { (a + b).min(CLOSED) }
}
