//! Facilities: what people walk to.

use super::ids::Ids;
use super::level::Level;
use super::place::Place;
use super::problem::{Fault, Problem};
use std::sync::Arc;

/// Facilities and their doors. A facility that serves two classes is two rows.
#[derive(Debug, Clone)]
pub struct Facilities {
    /// Id of each row as the source gives it (`node/1`, `way/2` for OSM); unique within a class.
    pub id: Ids,
    /// Class of each row.
    pub class: Vec<String>,
    /// Name of each row, where given.
    pub name: Vec<Option<String>>,
    /// Where each row is.
    pub place: Vec<Place>,
    /// The floor of each row, where given.
    pub level: Vec<Option<Level>>,
    /// The file or table that each row came from.
    pub file: Vec<Arc<str>>,
    /// The row there, from 1; none for map features.
    pub row: Vec<Option<u64>>,
    /// The doors of each row, at least one: its place, or the gates and path crossings of an outline.
    pub doors: Vec<Vec<Place>>,
}

impl Facilities {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.class.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.class.is_empty()
    }

    /// The classes that occur, sorted.
    pub fn classes(&self) -> Vec<String> {
        let mut classes = self.class.clone();
        classes.sort_unstable();
        classes.dedup();
        classes
    }

    /// A problem of one row, with the file, row, id and place that the user knows it by.
    pub fn problem(&self, row: usize, fault: Fault) -> Problem {
        let place = self.place[row];
        let mut problem = Problem::of_file(&*self.file[row], fault)
            .with_id(self.id.text(row))
            .with_value(format!("lon {} lat {}", place.lon(), place.lat()));
        problem.row = self.row[row];
        problem
    }

    /// These rows, in this order.
    #[must_use]
    pub fn pick(&self, rows: &[usize]) -> Self {
        Self {
            id: self.id.pick(rows),
            class: rows.iter().map(|&row| self.class[row].clone()).collect(),
            name: rows.iter().map(|&row| self.name[row].clone()).collect(),
            place: rows.iter().map(|&row| self.place[row]).collect(),
            level: rows.iter().map(|&row| self.level[row]).collect(),
            file: rows.iter().map(|&row| self.file[row].clone()).collect(),
            row: rows.iter().map(|&row| self.row[row]).collect(),
            doors: rows.iter().map(|&row| self.doors[row].clone()).collect(),
        }
    }

    /// Both, one after the other; ids become text, because the sources may disagree on their type.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        let text = |ids: &Ids| (0..ids.len()).map(|row| ids.text(row)).collect::<Vec<_>>();
        let mut ids = text(&self.id);
        ids.extend(text(&other.id));
        self.id = Ids::Text(ids);
        self.class.extend(other.class);
        self.name.extend(other.name);
        self.place.extend(other.place);
        self.level.extend(other.level);
        self.file.extend(other.file);
        self.row.extend(other.row);
        self.doors.extend(other.doors);
        self
    }
}
