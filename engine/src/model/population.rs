//! People: how many live where.

use super::place::Place;
use geo::MultiPolygon;
use h3o::CellIndex;
use serde::Serialize;

/// People per H3 cell of the study resolution.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cells {
    /// The cells, ascending and unique.
    pub cell: Vec<CellIndex>,
    /// Where the people of each cell step out: the mean place of its homes, or its centre.
    pub place: Vec<Place>,
    /// People per cell; not negative, not necessarily whole.
    pub people: Vec<f64>,
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

/// The source of a row of people: a cell, a point or an outline.
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
pub struct Households {
    /// Where each row's people live.
    pub home: Vec<Home>,
    /// People of each row.
    pub people: Vec<f64>,
    /// Groups, one value per row.
    pub groups: Vec<Group>,
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
