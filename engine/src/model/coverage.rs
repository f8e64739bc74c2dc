//! The coverage table: how many people of an area reach a class of facility within some minutes.

use serde::Serialize;

/// Name of the group that is everybody.
pub const EVERYBODY: &str = "all";

/// One row of the coverage table. `people` is the sum of the covered, the three uncovered parts and nothing else.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CoverageRow {
    /// Area.
    pub area_id: String,
    /// Facility class.
    pub class: String,
    /// Population group, or [`EVERYBODY`].
    pub group: String,
    /// Profile that walks.
    pub profile: String,
    /// The threshold in minutes; a time equal to it counts as covered.
    pub minutes: f64,
    /// People of the group in the area.
    pub people: f64,
    /// People who reach a facility of the class within the minutes.
    pub people_covered: f64,
    /// People who reach one, but later: past these minutes or past the cut-off of the search.
    pub people_beyond: f64,
    /// People from whose home no way leads to any.
    pub people_not_connected: f64,
    /// People whose home is too far from any street.
    pub people_not_snapped: f64,
}

impl CoverageRow {
    /// Covered people of all people, 0..1; `None` where nobody lives.
    pub fn share(&self) -> Option<f64> {
        (self.people > 0.0).then(|| self.people_covered / self.people)
    }
}
