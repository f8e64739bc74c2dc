//! Facilities: what people walk to.

use super::analysis_crs::AnalysisCrs;
use super::error::Result;
use super::facility_fault::FacilityFault;
use super::ids::Ids;
use super::ledger::{Day, Entry, Status};
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
    /// What the source says beside.
    pub entry: Vec<Entry>,
}

impl Facilities {
    /// Facilities of these classes at these places, with one door each and nothing else known; `file` names their source.
    pub fn new(file: &str, id: Ids, class: Vec<String>, place: Vec<Place>) -> Self {
        let rows = class.len();
        Self {
            id,
            class,
            name: vec![None; rows],
            level: vec![None; rows],
            file: vec![file.into(); rows],
            row: vec![None; rows],
            doors: place.iter().map(|&place| vec![place]).collect(),
            entry: vec![Entry::default(); rows],
            place,
        }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.class.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.class.is_empty()
    }

    /// How many rows came from the rows of a file.
    pub fn rows_of(&self, file: &str) -> usize {
        (0..self.len()).filter(|&row| &*self.file[row] == file && self.row[row].is_some()).count()
    }

    /// The classes that occur, sorted.
    pub fn classes(&self) -> Vec<String> {
        let mut classes = self.class.clone();
        classes.sort_unstable();
        classes.dedup();
        classes
    }

    /// The status of each row on a day; without a day, when every date has passed.
    pub fn status_on(&self, day: Option<Day>) -> Vec<Status> {
        self.entry.iter().map(|entry| entry.status_on(day)).collect()
    }

    /// The rows that people can walk to on a day: those open then.
    ///
    /// # Errors
    /// A problem when none is.
    pub fn open_on(&self, day: Option<Day>) -> Result<Vec<usize>> {
        let is_open = |&row: &usize| self.entry[row].status_on(day) == Status::Open;
        let open: Vec<usize> = (0..self.len()).filter(is_open).collect();
        if open.is_empty() {
            let file = self.file.first().map(ToString::to_string).unwrap_or_default();
            return Err(Problem::of_file(file, FacilityFault::NoneOpen.into()).into());
        }
        Ok(open)
    }

    /// The rows that are not open on a day, and those whose stated status is of an earlier stage than their days tell.
    pub fn status_problems(&self, day: Option<Day>) -> Vec<Problem> {
        let of_row = |row: usize| {
            let entry = &self.entry[row];
            let status = entry.status_on(day);
            let dated = day.and_then(|_| entry.dated_on(day)).filter(|&dated| entry.status < Some(dated));
            let contradicted = dated
                .filter(|_| entry.status.is_some())
                .map(|dated| FacilityFault::StatusContradicted { dated });
            let not_open = (status != Status::Open).then_some(FacilityFault::NotOpen { status });
            contradicted.into_iter().chain(not_open).map(move |fault| self.problem(row, fault.into()))
        };
        (0..self.len()).flat_map(of_row).collect()
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
            entry: rows.iter().map(|&row| self.entry[row].clone()).collect(),
        }
    }

    /// Places of WGS-84, moved into the system of the analysis.
    #[must_use]
    pub fn moved(mut self, system: AnalysisCrs) -> Self {
        let doors = self.doors.iter_mut().flatten();
        self.place.iter_mut().chain(doors).for_each(|place| *place = system.moved(*place));
        self
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
        self.entry.extend(other.entry);
        self
    }
}
