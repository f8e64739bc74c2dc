//! Streets as a source gives them: places and the ways between them, before any graph.

use super::ids::Ids;
use super::level::Level;
use super::place::Place;
use super::times::Deciseconds;
use std::collections::BTreeMap;
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
    /// A straight walk across a square or a platform, from one corner to another that it sees.
    Square = 10,
}

impl WayKind {
    /// All kinds, in the order of their codes.
    pub const ALL: [Self; 11] = [
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
        Self::Square,
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
            Self::Square => "square",
        }
    }

    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether it leads from floor to floor.
    pub const fn changes_floor(self) -> bool {
        matches!(self, Self::Steps | Self::Escalator | Self::Lift)
    }

    /// Whether one is carried, whatever the terrain below.
    pub const fn is_ridden(self) -> bool {
        matches!(self, Self::Escalator | Self::Lift | Self::Cableway | Self::Ferry)
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

/// How steep a way is, as tagged.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Incline {
    /// Not tagged.
    #[default]
    Unknown,
    /// The way climbs in the order of its nodes.
    Up,
    /// The way descends in the order of its nodes.
    Down,
    /// Rise over run, positive when the way climbs in the order of its nodes.
    Grade(f32),
}

impl Incline {
    /// Whether the way climbs in the order of its nodes, where the tag says.
    pub fn climbs(self) -> Option<bool> {
        match self {
            Self::Up => Some(true),
            Self::Down => Some(false),
            Self::Grade(grade) if grade != 0.0 => Some(grade > 0.0),
            Self::Grade(_) | Self::Unknown => None,
        }
    }
}

/// Who may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Passage {
    /// Everybody.
    #[default]
    Open,
    /// Customers of a business.
    Customers,
    /// Those who live there.
    Residents,
}

/// How private ways and gates are read; what is closed to everybody stays closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gates {
    /// Every gate stands open to everybody, and private ways too.
    Open,
    /// As tagged: private ways and gates are for those who live behind them; other gates stand open.
    #[default]
    Tagged,
    /// Every gate, and every way for customers, is only for those who live behind it.
    Closed,
}

impl Gates {
    /// The names in settings.
    pub const NAMES: [&'static str; 3] = ["open", "tagged", "closed"];

    /// The rule of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMES
            .iter()
            .position(|known| *known == name)
            .map(|at| [Self::Open, Self::Tagged, Self::Closed][at])
    }

    /// Whether a way is for residents only under this rule.
    pub fn for_residents(self, passage: Passage) -> bool {
        match self {
            Self::Open => false,
            Self::Tagged => passage == Passage::Residents,
            Self::Closed => passage != Passage::Open,
        }
    }
}

/// What tags say of stairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StairTags {
    /// Number of steps.
    pub step_count: Option<u16>,
    /// A ramp beside the steps takes a wheelchair.
    pub wheelchair_ramp: bool,
    /// A ramp beside the steps takes a pushchair.
    pub stroller_ramp: bool,
    /// Whether there is a handrail.
    pub handrail: Option<bool>,
}

/// What tags say of a way, apart from where it runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Walkway {
    /// What it is to somebody who walks.
    pub kind: WayKind,
    /// In which directions it may be walked.
    pub directions: Directions,
    /// How steep it is.
    pub incline: Incline,
    /// Floors that it touches; none where the tags do not say.
    pub levels: Vec<Level>,
    /// It lies on the terrain: no bridge, tunnel, roofed or indoor way, no other layer or floor.
    pub on_ground: bool,
    /// Above (positive) or below the ground, as tagged: what a bridge, a tunnel and stairs between them lead over.
    pub layer: i8,
    /// A home or a door without a floor may open onto it.
    pub joinable: bool,
    /// Who may pass.
    pub passage: Passage,
    /// Steps, ramp and handrail.
    pub stairs: StairTags,
    /// Whether a wheelchair may or may not pass, where the tags say.
    pub wheelchair: Option<bool>,
    /// Seconds that the ride takes (lifts, cableways, ferries), where the tags say.
    pub duration_s: Option<f32>,
}

impl Default for Walkway {
    fn default() -> Self {
        Self {
            kind: WayKind::Footway,
            directions: Directions::Both,
            incline: Incline::Unknown,
            levels: vec![],
            on_ground: true,
            layer: 0,
            joinable: true,
            passage: Passage::Open,
            stairs: StairTags::default(),
            wheelchair: None,
            duration_s: None,
        }
    }
}

impl Walkway {
    /// The one floor that the whole way is on, if it is one.
    pub fn level(&self) -> Option<Level> {
        match self.levels.as_slice() {
            [level] => Some(*level),
            _ => None,
        }
    }
}

/// What stands in the way at a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Barrier {
    /// Nothing that stops people.
    #[default]
    None,
    /// A gate that does not say for whom it opens.
    Gate,
    /// A gate for those who live behind it.
    PrivateGate,
    /// Nobody gets through.
    Closed,
}

/// A node of the street source.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StreetNode {
    /// Id in the source.
    pub id: i64,
    /// Where it is.
    pub place: Place,
    /// Height that the source states, metres.
    pub ele_m: Option<f32>,
    /// What stands in the way.
    pub barrier: Barrier,
    /// Whether the node is a lift.
    pub lift: bool,
}

/// A way of the street source: a run of nodes.
#[derive(Debug, Clone, PartialEq)]
pub struct Street {
    /// Id in the source.
    pub id: i64,
    /// Its nodes, as a range of [`Streets::refs`].
    pub nodes: Range<usize>,
    /// What it is.
    pub way: Walkway,
}

/// An area that people cross in any direction: a square, a platform. Its outlines stand among the streets too.
#[derive(Debug, Clone, PartialEq)]
pub struct Square {
    /// Id in the source.
    pub id: i64,
    /// Outlines, outer ones first, as ranges of [`Streets::refs`]; the first node is not said again at the end.
    pub rings: Vec<Range<usize>>,
    /// What it is.
    pub way: Walkway,
}

/// Everything people may walk on, as the source gives it.
#[derive(Debug, Clone, Default)]
pub struct Streets {
    /// Nodes, sorted by id.
    pub nodes: Vec<StreetNode>,
    /// Ways, in the order of the source.
    pub ways: Vec<Street>,
    /// Squares, in the order of the source.
    pub squares: Vec<Square>,
    /// Node numbers (positions in [`Streets::nodes`]) of all ways and squares, one after the other.
    pub refs: Vec<u32>,
    /// Straight pieces of walls and fences.
    pub walls: Vec<[Place; 2]>,
    /// Floors that lift nodes serve, where their tags say, by node number.
    pub lift_levels: BTreeMap<u32, Vec<Level>>,
    /// Whether the source says that it is made up.
    pub synthetic: bool,
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
    /// Only for those who live there.
    pub residents: bool,
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
