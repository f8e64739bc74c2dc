//! Edits of a city: what a scenario changes, one after the other.

use super::ledger::Day;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Longitude and latitude, degrees of the system of the analysis.
pub type LonLat = [f64; 2];

/// One change, and what it costs and belongs to.
#[derive(Debug, Clone, PartialEq)]
pub struct Edit {
    /// What changes.
    pub change: Change,
    /// What it costs, yuan, where that is known.
    pub cost_yuan: Option<f64>,
    /// The project that builds it.
    pub project: Option<String>,
    /// The day from which it is so, where that is known.
    pub on: Option<Day>,
}

/// What an edit changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Change {
    /// A facility opens: a new one, or one of the ledger that is not open.
    OpenFacility(OpenFacility),
    /// A facility closes.
    CloseFacility(WhichFacility),
    /// A facility moves.
    MoveFacility(MoveFacility),
    /// A facility holds more or less than before.
    ResizeFacility(ResizeFacility),
    /// A link between two streets that is not there yet.
    AddLink(NewLink),
    /// Ways that nobody may walk any more.
    CloseLink(WhichLink),
    /// Ways that an earlier edit closed.
    OpenLink(WhichLink),
    /// Ways that take another time.
    RetimeLink(RetimeLink),
    /// People move in.
    NewHomes(NewHomes),
    /// A new area, or another border of one.
    SetArea(SetArea),
}

impl Change {
    /// The names of all, as users write them.
    pub const NAMES: [&'static str; 10] = [
        "open_facility",
        "close_facility",
        "move_facility",
        "resize_facility",
        "add_link",
        "close_link",
        "open_link",
        "retime_link",
        "new_homes",
        "set_area",
    ];

    /// Whether it changes the streets.
    pub const fn is_of_streets(&self) -> bool {
        matches!(self, Self::AddLink(_) | Self::CloseLink(_) | Self::OpenLink(_) | Self::RetimeLink(_))
    }
}

/// Amounts by the name of their column: `places`, `beds`, `floor_area_m2`, `land_area_m2`, `staff`, or the user's own.
pub type Amounts = BTreeMap<String, f64>;

/// A facility that opens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenFacility {
    /// Its id.
    #[serde(deserialize_with = "text_or_number")]
    pub id: String,
    /// Its class; a new facility needs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// Where it is; a new facility needs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<LonLat>,
    /// What it is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it holds.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub capacity: Amounts,
}

/// A facility of a class, or of all classes that it has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WhichFacility {
    /// Its id.
    #[serde(deserialize_with = "text_or_number")]
    pub id: String,
    /// The class, where it has several and only one is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
}

/// A facility that moves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MoveFacility {
    /// Its id.
    #[serde(deserialize_with = "text_or_number")]
    pub id: String,
    /// The class, where it has several and only one is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// Where it goes.
    pub place: LonLat,
}

/// A facility of another size.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResizeFacility {
    /// Its id.
    #[serde(deserialize_with = "text_or_number")]
    pub id: String,
    /// The class, where it has several and only one is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// What it holds from now on; amounts that are not named stay.
    pub capacity: Amounts,
}

/// What a new link is to somebody who walks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkKind {
    /// A path, or a gate that is opened.
    #[default]
    #[serde(alias = "footway", alias = "gate")]
    Path,
    /// A bridge for people on foot.
    #[serde(alias = "bridge")]
    Footbridge,
    /// A marked crossing of a road.
    Crossing,
    /// Stairs.
    #[serde(alias = "stair", alias = "stairs")]
    Steps,
    /// A moving stair.
    Escalator,
    /// A lift, vertical or inclined.
    #[serde(alias = "elevator")]
    Lift,
    /// A cableway.
    Cableway,
}

/// In which directions a link may be walked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ways {
    /// Both.
    Both,
    /// Only from its first end to its second.
    Forward,
    /// Only from its second end to its first.
    Backward,
}

/// A link between two streets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewLink {
    /// Its id, by which later edits know it.
    #[serde(deserialize_with = "text_or_number")]
    pub id: String,
    /// What it is.
    #[serde(default)]
    pub kind: LinkKind,
    /// Where it begins: it is joined to the nearest point of a street there.
    pub from: LonLat,
    /// Where it ends.
    pub to: LonLat,
    /// A name for its first end, which is then joined to the ends of other links of that name and to no street: the top of a
    /// lift from which a footbridge leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_joint: Option<String>,
    /// The same for its second end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_joint: Option<String>,
    /// Corners between, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub via: Vec<LonLat>,
    /// Its length, metres; as drawn where this is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length_m: Option<f64>,
    /// How much higher its second end is than its first, metres; by the streets at its ends where this is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rise_m: Option<f64>,
    /// Floors that a lift moves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floors: Option<f64>,
    /// In which directions it may be walked; both, an escalator only forward.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directions: Option<Ways>,
    /// Seconds from its first end to its second, for everybody who can use it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forward_s: Option<f64>,
    /// Seconds back; as there where only one is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backward_s: Option<f64>,
    /// Whether a wheelchair may pass, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wheelchair: Option<bool>,
    /// Stairs with a ramp for pushchairs.
    #[serde(default, skip_serializing_if = "is_false")]
    pub stroller_ramp: bool,
    /// Stairs with a ramp for wheelchairs.
    #[serde(default, skip_serializing_if = "is_false")]
    pub wheelchair_ramp: bool,
    /// Whether stairs have a handrail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handrail: Option<bool>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde asks for")]
const fn is_false(value: &bool) -> bool {
    !*value
}

/// Ways by their id in the source, the way nearest to a place, or that of an id which is nearest to a place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WhichLink {
    /// Id of a way of the source, which may be many edges, or of an added link.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "maybe_text_or_number")]
    pub id: Option<String>,
    /// A place on or beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<LonLat>,
}

/// Ways that take another time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetimeLink {
    /// As in [`WhichLink`].
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "maybe_text_or_number")]
    pub id: Option<String>,
    /// As in [`WhichLink`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<LonLat>,
    /// Seconds forward on each edge, for everybody who can use it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forward_s: Option<f64>,
    /// Seconds back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backward_s: Option<f64>,
}

impl RetimeLink {
    /// The ways that are meant.
    pub fn which(&self) -> WhichLink {
        WhichLink { id: self.id.clone(), at: self.at }
    }
}

/// People who move in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewHomes {
    /// Where they step out.
    pub place: LonLat,
    /// How many.
    pub people: f64,
    /// How many of each group.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub groups: Amounts,
}

/// An area and its border.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetArea {
    /// Its id.
    #[serde(deserialize_with = "text_or_number")]
    pub id: String,
    /// Its border: rings of corners, the outer one first, holes after it.
    pub outline: Vec<Vec<LonLat>>,
    /// What it is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    /// The area above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Id {
    Text(String),
    Number(i64),
}

impl From<Id> for String {
    fn from(id: Id) -> Self {
        match id {
            Id::Text(text) => text,
            Id::Number(number) => number.to_string(),
        }
    }
}

fn text_or_number<'de, D: serde::Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    Id::deserialize(from).map(String::from)
}

fn maybe_text_or_number<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Option::<Id>::deserialize(from).map(|id| id.map(String::from))
}
