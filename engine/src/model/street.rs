//! Streets as a source gives them: places and the ways between them, before any graph.

use super::ids::Ids;
use super::place::Place;
use super::times::Deciseconds;
use std::ops::Range;

/// What a way is to somebody who walks. The order is the code on disk: append only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum WayKind {
    /// A path for people on foot, the default.
    Footway = 0,
    /// A road shared with vehicles.
    Street = 1,
    /// A marked crossing of a road.
    Crossing = 2,
    /// Stairs.
    Steps = 3,
    /// A moving stair or walkway.
    Escalator = 4,
    /// A lift, vertical or inclined.
    Lift = 5,
    /// A way inside a building.
    Corridor = 6,
    /// A platform of public transport.
    Platform = 7,
    /// A cableway.
    Cableway = 8,
    /// A ferry.
    Ferry = 9,
}

impl WayKind {
    /// All kinds, in the order of their codes.
    pub const ALL: [Self; 10] = [
        Self::Footway,
        Self::Street,
        Self::Crossing,
        Self::Steps,
        Self::Escalator,
        Self::Lift,
        Self::Corridor,
        Self::Platform,
        Self::Cableway,
        Self::Ferry,
    ];

    /// The name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Footway => "footway",
            Self::Street => "street",
            Self::Crossing => "crossing",
            Self::Steps => "steps",
            Self::Escalator => "escalator",
            Self::Lift => "lift",
            Self::Corridor => "corridor",
            Self::Platform => "platform",
            Self::Cableway => "cableway",
            Self::Ferry => "ferry",
        }
    }

    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether a home or a door may open onto it: one does not step out into a lift shaft or off a moving stair.
    pub const fn has_doors(self) -> bool {
        !matches!(self, Self::Escalator | Self::Lift | Self::Cableway | Self::Ferry)
    }
}

/// In which directions a way may be walked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Directions {
    /// Both.
    #[default]
    Both,
    /// Only in the order of its nodes.
    Forward,
    /// Only against the order of its nodes.
    Backward,
}

/// Which end of a way is higher, as tagged (`incline=up`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Incline {
    /// Not tagged.
    #[default]
    Unknown,
    /// The way climbs in the order of its nodes.
    Up,
    /// The way descends in the order of its nodes.
    Down,
}

/// A node of the street source.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StreetNode {
    /// Id in the source.
    pub id: i64,
    /// Where it is.
    pub place: Place,
    /// Whether people on foot are stopped here (a locked gate).
    pub blocked: bool,
    /// Whether the node is a lift.
    pub lift: bool,
}

/// A way of the street source: a run of nodes with one kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Street {
    /// Id in the source.
    pub id: i64,
    /// Its nodes, as a range of [`Streets::refs`].
    pub nodes: Range<usize>,
    /// What it is to somebody who walks.
    pub kind: WayKind,
    /// In which directions it may be walked.
    pub directions: Directions,
    /// Which end is higher.
    pub incline: Incline,
    /// On a bridge or in a tunnel: the terrain below or above says nothing about its slope, and no home or door
    /// opens onto it.
    pub off_ground: bool,
}

/// Everything people may walk on, as the source gives it.
#[derive(Debug, Clone, Default)]
pub struct Streets {
    /// Nodes, sorted by id.
    pub nodes: Vec<StreetNode>,
    /// Ways, in the order of the source.
    pub ways: Vec<Street>,
    /// Node numbers (positions in [`Streets::nodes`]) of all ways, one after the other.
    pub refs: Vec<u32>,
}

/// A network that somebody surveyed: nodes and straight edges, with times where they were measured.
#[derive(Debug, Clone)]
pub struct Survey {
    /// Id of each node.
    pub node_id: Ids,
    /// Where each node is.
    pub place: Vec<Place>,
    /// Height of each node in metres, where known.
    pub ele_m: Vec<Option<f32>>,
    /// Id of each edge.
    pub edge_id: Ids,
    /// The edges.
    pub edges: Vec<SurveyedEdge>,
    /// Whether the seconds of the edges are given; if so they hold for every profile.
    pub timed: bool,
}

/// An edge of a [`Survey`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SurveyedEdge {
    /// Position of its first node.
    pub from: u32,
    /// Position of its second node.
    pub to: u32,
    /// Length along the way.
    pub length_m: f64,
    /// What it is to somebody who walks.
    pub kind: WayKind,
    /// Tenths of a second from the first node to the second; `None` where one may not walk. Read only when timed.
    pub forward_ds: Option<Deciseconds>,
    /// Tenths of a second from the second node to the first; `None` where one may not walk. Read only when timed.
    pub backward_ds: Option<Deciseconds>,
}

#[cfg(test)]
mod tests {
    use super::WayKind;

    #[test]
    fn codes_and_names_lead_back_to_the_kind() {
        for (code, kind) in WayKind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, code);
            assert_eq!(WayKind::from_name(kind.name()), Some(kind));
        }
    }
}
