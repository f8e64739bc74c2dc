//! People: how many live where.

use super::analysis_crs::AnalysisCrs;
use super::cell;
use super::place::Place;
use super::problem::{Fault, Problem};
use geo::MultiPolygon;
use h3o::CellIndex;
use serde::{Deserialize, Serialize};

/// People per H3 cell of the study resolution.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cells {
    /// The cells, ascending and unique.
    pub cell: Vec<CellIndex>,
    /// Where the people of each cell step out: the mean place of its homes, or its centre.
    pub place: Vec<Place>,
    /// People per cell; not negative, not necessarily whole.
    pub people: Vec<f64>,
    /// Households per cell, where the source has them.
    pub households: Option<Vec<f64>>,
    /// Population groups, in the order of the source.
    pub groups: Vec<Group>,
}

/// One population group over all cells.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Its name, a column of the source.
    pub name: String,
    /// People of the group per cell.
    pub people: Vec<f64>,
}

/// Where the people of a row live: a cell, a point or an outline.
#[derive(Debug, Clone)]
pub enum Home {
    /// An H3 cell of any resolution.
    Cell(CellIndex),
    /// A point.
    Point(Place),
    /// An outline, degrees.
    Outline(MultiPolygon),
}

/// People as a source gives them, before they are brought to cells.
#[derive(Debug, Clone, Default)]
pub struct Residents {
    /// The file or table.
    pub file: String,
    /// Where each row's people live.
    pub home: Vec<Home>,
    /// The row of the table, from 1, and the id that the user knows it by, where there are.
    pub source: Vec<(Option<u64>, Option<String>)>,
    /// People of each row.
    pub people: Vec<f64>,
    /// Households of each row, where the source has them.
    pub households: Option<Vec<f64>>,
    /// Groups, one value per row.
    pub groups: Vec<Group>,
}

impl Residents {
    /// Add the people of another source as a group of these; they are nobody more.
    pub fn add_group(&mut self, name: &str, group: Self) {
        let (own, theirs) = (self.people.len(), group.people.len());
        self.home.extend(group.home);
        self.source.extend(group.source);
        self.people.extend(vec![0.0; theirs]);
        for other in self.households.iter_mut().chain(self.groups.iter_mut().map(|other| &mut other.people)) {
            other.extend(vec![0.0; theirs]);
        }
        let people = [vec![0.0; own], group.people].concat();
        self.groups.push(Group { name: name.to_owned(), people });
    }

    /// A problem of one row, with the row and id that the user knows it by.
    pub fn problem(&self, row: usize, fault: Fault) -> Problem {
        let mut problem = Problem::of_file(&self.file, fault);
        (problem.row, problem.id) = self.source[row].clone();
        problem
    }
}

/// What the people of an outline, or of a cell coarser than those of the study, are spread by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spread {
    /// Floor area of the residential buildings in it; its streets where it has none, else its area.
    #[default]
    Buildings,
    /// Length of the streets in it; its area where it has none.
    Streets,
    /// Its area.
    Area,
}

/// How many people came to their cells by which evidence. They add up to the people of the source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct ByEvidence {
    /// The source itself says the place: a point, or a cell as fine as those of the study.
    pub placed: f64,
    /// Floor area of residential buildings.
    pub buildings: f64,
    /// Length of streets, where there are no buildings.
    pub streets: f64,
    /// Area, where there is neither.
    pub area: f64,
}

impl Residents {
    /// Homes of WGS-84, moved into the system of the analysis; a cell becomes the ground that it covers.
    #[must_use]
    pub fn moved(mut self, system: AnalysisCrs) -> Self {
        if system.is_wgs84() {
            return self;
        }
        for home in &mut self.home {
            *home = match home {
                Home::Cell(cell) => Home::Outline(system.moved_outline(&cell::outline(*cell))),
                Home::Point(place) => Home::Point(system.moved(*place)),
                Home::Outline(outline) => Home::Outline(system.moved_outline(outline)),
            };
        }
        self
    }
}

/// The pixels of a raster of people: `all` = with people + `nobody` + `no_data` + `nan` + `rejected`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Pixels {
    /// All of them.
    pub all: u64,
    /// With the number 0.
    pub nobody: u64,
    /// With the number that means no data.
    pub no_data: u64,
    /// With NaN.
    pub nan: u64,
    /// With a number that is no count of people.
    pub rejected: u64,
}

/// Where people can be, with how much of it: floor area of residential buildings (m²) or length of street (m).
#[derive(Debug, Clone, Default)]
pub struct Dwellings {
    /// Places.
    pub place: Vec<Place>,
    /// Weight of each place.
    pub weight: Vec<f64>,
}

impl Dwellings {
    /// Those at some places, in their order.
    #[must_use]
    pub fn only(&self, mut is_wanted: impl FnMut(Place) -> bool) -> Self {
        let all = self.place.iter().copied().zip(self.weight.iter().copied());
        let (place, weight) = all.filter(|(place, _)| is_wanted(*place)).unzip();
        Self { place, weight }
    }

    /// Places of WGS-84, moved into the system of the analysis.
    #[must_use]
    pub fn moved(mut self, system: AnalysisCrs) -> Self {
        self.place.iter_mut().for_each(|place| *place = system.moved(*place));
        self
    }
}
