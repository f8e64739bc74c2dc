//! Planning areas: communities, districts, or H3 parents.

use geo::MultiPolygon;

/// Areas and their outlines. Areas may overlap (levels), and need not cover every cell.
#[derive(Debug, Clone, Default)]
pub struct Areas {
    /// Id of each area, unique.
    pub id: Vec<String>,
    /// Name of each area, where given.
    pub name: Vec<Option<String>>,
    /// Level of each area (小区, 社区, 片区, …), where given.
    pub level: Vec<Option<String>>,
    /// Id of the area above, where given.
    pub parent_id: Vec<Option<String>>,
    /// Outline of each area, degrees; `None` means everywhere.
    pub outline: Vec<Option<MultiPolygon>>,
}

impl Areas {
    /// The one area that holds every cell.
    pub fn everywhere() -> Self {
        Self {
            id: vec!["all".to_owned()],
            name: vec![None],
            level: vec![None],
            parent_id: vec![None],
            outline: vec![None],
        }
    }
}
