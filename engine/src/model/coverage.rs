//! The coverage table: how many people of an area reach a class of facility within some minutes.

use serde::Serialize;
use std::ops::Range;

/// Name of the group that is everybody.
pub const EVERYBODY: &str = "all";

/// Coverage by one profile, as columns: every combination of area, class, group (everybody first) and minutes is one row,
/// the last changing fastest.
#[derive(Debug, Clone, PartialEq)]
pub struct Coverage {
    /// Profile that walks.
    pub profile: String,
    /// The areas.
    pub area_id: Vec<String>,
    /// The facility classes.
    pub class: Vec<String>,
    /// The population groups.
    pub group: Vec<String>,
    /// The thresholds in minutes; a time equal to one counts as covered.
    pub minutes: Vec<f64>,
    /// People of each area and group.
    pub people: Vec<f64>,
    /// People of each row by what is so of them; together they are the people of the area and group.
    pub of: [Vec<f64>; Fate::COUNT],
}

/// What is so of somebody for a class and a threshold. The order is that of the columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Reaches a facility of the class within the minutes.
    Covered,
    /// Reaches one, but later: past these minutes or past the cut-off of the search.
    Beyond,
    /// No way leads to any.
    NotConnected,
    /// Lives too far from any street.
    NotSnapped,
}

impl Fate {
    /// How many there are.
    pub const COUNT: usize = 4;
}

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

impl Coverage {
    /// The rows of these groups only.
    #[must_use]
    pub fn of_groups(self, wanted: impl Fn(&str) -> bool) -> Self {
        let kept: Vec<bool> = self.group.iter().map(|group| wanted(group)).collect();
        // The table of a metropolis is long, and mostly all of it is wanted.
        if kept.iter().all(|kept| *kept) {
            return self;
        }
        let rows: Vec<usize> = (0..self.len()).filter(|&row| kept[self.group(row)]).collect();
        let groups = self.group.len();
        let people =
            self.people.iter().enumerate().filter(|(at, _)| kept[at % groups]).map(|(_, people)| *people);
        Self {
            people: people.collect(),
            of: std::array::from_fn(|fate| rows.iter().map(|&row| self.of[fate][row]).collect()),
            group: self
                .group
                .iter()
                .zip(&kept)
                .filter(|(_, kept)| **kept)
                .map(|(group, _)| group.clone())
                .collect(),
            ..self
        }
    }

    /// The rows of some areas, by their places in the list.
    #[must_use]
    pub fn areas(&self, areas: Range<usize>) -> Self {
        let (rows, groups) = (self.rows_per_area(), self.group.len());
        let of_areas = |column: &Vec<f64>| column[areas.start * rows..areas.end * rows].to_vec();
        Self {
            profile: self.profile.clone(),
            area_id: self.area_id[areas.clone()].to_vec(),
            class: self.class.clone(),
            group: self.group.clone(),
            minutes: self.minutes.clone(),
            people: self.people[areas.start * groups..areas.end * groups].to_vec(),
            of: self.of.each_ref().map(of_areas),
        }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.area_id.len() * self.rows_per_area()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Rows of one area.
    pub fn rows_per_area(&self) -> usize {
        self.class.len() * self.group.len() * self.minutes.len()
    }

    /// Place of a row's area in the list.
    pub fn area(&self, row: usize) -> usize {
        row / self.rows_per_area()
    }

    /// Place of a row's class.
    pub fn class(&self, row: usize) -> usize {
        row / (self.group.len() * self.minutes.len()) % self.class.len()
    }

    /// Place of a row's group.
    pub fn group(&self, row: usize) -> usize {
        row / self.minutes.len() % self.group.len()
    }

    /// Place of a row's threshold.
    pub fn limit(&self, row: usize) -> usize {
        row % self.minutes.len()
    }

    /// People of the area and group of a row.
    pub fn people(&self, row: usize) -> f64 {
        self.people[self.area(row) * self.group.len() + self.group(row)]
    }

    /// Covered people of all people, 0..1; `None` where nobody lives.
    pub fn share(&self, row: usize) -> Option<f64> {
        let people = self.people(row);
        (people > 0.0).then(|| self.of[Fate::Covered as usize][row] / people)
    }

    /// Row by row, for few rows.
    pub fn rows(&self) -> impl Iterator<Item = CoverageRow> {
        (0..self.len()).map(|row| {
            let of = |fate: Fate| self.of[fate as usize][row];
            CoverageRow {
                area_id: self.area_id[self.area(row)].clone(),
                class: self.class[self.class(row)].clone(),
                group: self.group[self.group(row)].clone(),
                profile: self.profile.clone(),
                minutes: self.minutes[self.limit(row)],
                people: self.people(row),
                people_covered: of(Fate::Covered),
                people_beyond: of(Fate::Beyond),
                people_not_connected: of(Fate::NotConnected),
                people_not_snapped: of(Fate::NotSnapped),
            }
        })
    }
}
