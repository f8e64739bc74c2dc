//! Edits of facilities: what becomes of the rows of a ledger, and which rows come after them.

use crate::model::edit::{
    Amounts, Change, LonLat, MoveFacility, OpenFacility, ResizeFacility, WhichFacility,
};
use crate::model::edit_fault::EditFault;
use crate::model::error::{Error, Result};
use crate::model::facility::Facilities;
use crate::model::ids::Ids;
use crate::model::ledger::{Capacity, Day, Entry, Status};
use crate::model::place::Place;
use crate::model::problem::Problem;
use crate::model::scenario::Scenario;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Ids that a fault proposes.
const NEAR: usize = 3;

/// What the edits of a scenario do to a ledger.
#[derive(Debug, Clone, Default)]
pub struct FacilityEdits {
    /// What is changed of rows of the ledger.
    pub changed: BTreeMap<usize, ChangedFacility>,
    /// The rows that come after them.
    pub new: Vec<NewFacility>,
    /// The file or argument of the scenario.
    file: String,
}

/// What is changed of a facility.
#[derive(Debug, Clone, Default)]
pub struct ChangedFacility {
    /// Whether it is open now, where that changes.
    pub open: Option<bool>,
    /// Where it moves.
    pub place: Option<Place>,
    /// What it holds.
    pub capacity: Amounts,
}

/// A new facility.
#[derive(Debug, Clone)]
pub struct NewFacility {
    /// Its id.
    pub id: String,
    /// Its class.
    pub class: String,
    /// What it is called.
    pub name: Option<String>,
    /// Where it is.
    pub place: Place,
    /// What it holds.
    pub capacity: Amounts,
    /// Whether a later edit left it open.
    pub open: bool,
}

/// Find the facilities that the edits of a scenario mean.
///
/// # Errors
/// Every fault of every edit.
pub fn resolve(scenario: &Scenario, ledger: &Facilities, day: Option<Day>) -> Result<FacilityEdits> {
    let edits = FacilityEdits { file: scenario.file.clone(), ..FacilityEdits::default() };
    let mut resolving = Resolving { scenario, ledger, day, edits, problems: vec![], row: 0 };
    for (number, edit) in (1..).zip(&scenario.edits) {
        resolving.row = number;
        match &edit.change {
            Change::OpenFacility(open) => resolving.open(open),
            Change::CloseFacility(which) => resolving.close(which),
            Change::MoveFacility(moved) => resolving.relocate(moved),
            Change::ResizeFacility(resized) => resolving.resize(resized),
            _ => {}
        }
    }
    if resolving.problems.is_empty() { Ok(resolving.edits) } else { Err(Error::Input(resolving.problems)) }
}

impl FacilityEdits {
    /// Whether nothing is changed.
    pub fn is_empty(&self) -> bool {
        self.changed.is_empty() && self.new.is_empty()
    }

    /// The ledger after the edits: rows keep their order, new ones come after them, those that are closed stay in it, closed.
    pub fn apply(&self, mut ledger: Facilities) -> Facilities {
        for (&row, changed) in &self.changed {
            if let Some(open) = changed.open {
                let status = if open { Status::Open } else { Status::Closed };
                (ledger.entry[row].status, ledger.entry[row].since) = (Some(status), [None; 4]);
            }
            if let Some(place) = changed.place {
                ledger.place[row] = place;
                ledger.doors[row] = vec![place];
                ledger.level[row] = None;
            }
            hold(&mut ledger.entry[row], &changed.capacity);
        }
        let file: Arc<str> = self.file.as_str().into();
        for new in &self.new {
            let mut entry = Entry { class_rule: Some("scenario".to_owned()), ..Entry::default() };
            entry.status = (!new.open).then_some(Status::Closed);
            hold(&mut entry, &new.capacity);
            ledger.id.push_text(&new.id);
            ledger.class.push(new.class.clone());
            ledger.name.push(new.name.clone());
            ledger.place.push(new.place);
            ledger.level.push(None);
            ledger.file.push(Arc::clone(&file));
            ledger.row.push(None);
            ledger.doors.push(vec![new.place]);
            ledger.entry.push(entry);
        }
        ledger
    }
}

struct Resolving<'a> {
    scenario: &'a Scenario,
    ledger: &'a Facilities,
    day: Option<Day>,
    edits: FacilityEdits,
    problems: Vec<Problem>,
    row: u64,
}

impl Resolving<'_> {
    fn tell(&mut self, key: &str, value: &str, fault: EditFault) {
        let problem = Problem::of_file(&self.scenario.file, fault.into()).at_row(self.row);
        self.problems.push(problem.in_column(key).with_value(value));
    }

    /// The rows of an id, of one class where one is named; new ones are numbered on from those of the ledger.
    fn rows(&self, id: &str, class: Option<&String>) -> Vec<usize> {
        let of_class = |own: &String| class.is_none_or(|class| own == class);
        let old = self.ledger.id.find(id).into_iter().filter(|&row| of_class(&self.ledger.class[row]));
        let new = self.edits.new.iter().enumerate().filter(|(_, new)| new.id == id && of_class(&new.class));
        old.chain(new.map(|(number, _)| self.ledger.len() + number)).collect()
    }

    /// The rows of a facility that there is, and told where there is none.
    fn known(&mut self, id: &str, class: Option<&String>) -> Vec<usize> {
        let rows = self.rows(id, class);
        if rows.is_empty() {
            let near = self.near(id);
            self.tell("id", id, EditFault::NoSuchFacility { near });
        }
        rows
    }

    /// Ids that begin as this one does.
    fn near(&self, id: &str) -> Vec<String> {
        let start: String = id.chars().take(id.chars().count().saturating_sub(1).max(1)).collect();
        let ids = (0..self.ledger.len()).map(|row| self.ledger.id.text(row));
        ids.filter(|other| other.starts_with(&start)).take(NEAR).collect()
    }

    fn is_open(&self, row: usize) -> bool {
        if let Some(new) = row.checked_sub(self.ledger.len()) {
            return self.edits.new[new].open;
        }
        let changed = self.edits.changed.get(&row).and_then(|changed| changed.open);
        changed.unwrap_or_else(|| self.was_open(row))
    }

    fn set_open(&mut self, row: usize, open: bool) {
        if let Some(new) = row.checked_sub(self.ledger.len()) {
            self.edits.new[new].open = open;
            return;
        }
        // What is as it was before all edits is no change: closing and opening again restores.
        let is_changed = open != self.was_open(row);
        self.changed(row).open = is_changed.then_some(open);
    }

    fn was_open(&self, row: usize) -> bool {
        self.ledger.entry[row].status_on(self.day) == Status::Open
    }

    fn changed(&mut self, row: usize) -> &mut ChangedFacility {
        self.edits.changed.entry(row).or_default()
    }

    fn put(&mut self, row: usize, place: Place) {
        match row.checked_sub(self.ledger.len()) {
            Some(new) => self.edits.new[new].place = place,
            None => self.changed(row).place = Some(place),
        }
    }

    fn hold(&mut self, row: usize, amounts: &Amounts) {
        let capacity = match row.checked_sub(self.ledger.len()) {
            Some(new) => &mut self.edits.new[new].capacity,
            None => &mut self.changed(row).capacity,
        };
        capacity.extend(amounts.iter().map(|(key, amount)| (key.clone(), *amount)));
    }

    fn open(&mut self, open: &OpenFacility) {
        let rows = self.rows(&open.id, open.class.as_ref());
        if rows.is_empty() {
            self.add(open);
            return;
        }
        let shut: Vec<usize> = rows.iter().copied().filter(|&row| !self.is_open(row)).collect();
        if shut.is_empty() {
            self.tell("id", &open.id, EditFault::FacilityOpen);
        }
        for row in shut {
            self.set_open(row, true);
            if let Some(place) = open.place.and_then(place) {
                self.put(row, place);
            }
            if !open.capacity.is_empty() {
                self.hold(row, &open.capacity);
            }
        }
    }

    fn add(&mut self, open: &OpenFacility) {
        let (Some(class), Some(at)) = (&open.class, open.place) else {
            if open.class.is_none() && open.place.is_none() {
                let near = self.near(&open.id);
                self.tell("id", &open.id, EditFault::NoSuchFacility { near });
            } else {
                let key = if open.class.is_none() { "class" } else { "place" };
                self.tell(key, &open.id, EditFault::NewFacilityLacks { key });
            }
            return;
        };
        if !takes(&self.ledger.id, &open.id) {
            self.tell("id", &open.id, EditFault::IdNotANumber);
            return;
        }
        // The reader has told of places that are none.
        let Some(place) = place(at) else { return };
        let (id, class, name) = (open.id.clone(), class.clone(), open.name.clone());
        let capacity = open.capacity.clone();
        self.edits.new.push(NewFacility { id, class, name, place, capacity, open: true });
    }

    fn close(&mut self, which: &WhichFacility) {
        let rows = self.known(&which.id, which.class.as_ref());
        let open: Vec<usize> = rows.iter().copied().filter(|&row| self.is_open(row)).collect();
        if open.is_empty() && !rows.is_empty() {
            self.tell("id", &which.id, EditFault::FacilityClosed);
        }
        for row in open {
            self.set_open(row, false);
        }
    }

    fn relocate(&mut self, moved: &MoveFacility) {
        let rows = self.known(&moved.id, moved.class.as_ref());
        let Some(place) = place(moved.place) else { return };
        for row in rows {
            self.put(row, place);
        }
    }

    fn resize(&mut self, resized: &ResizeFacility) {
        for row in self.known(&resized.id, resized.class.as_ref()) {
            self.hold(row, &resized.capacity);
        }
    }
}

fn place(at: LonLat) -> Option<Place> {
    Place::new(at[0], at[1])
}

/// Whether an id is of the type of the others.
fn takes(ids: &Ids, id: &str) -> bool {
    match ids {
        Ids::Text(_) => true,
        Ids::Int(_) => id.parse::<i64>().is_ok(),
        Ids::UInt(_) => id.parse::<u64>().is_ok(),
    }
}

/// Amounts that a ledger has a column for; others are for the user's own tables.
fn hold(entry: &mut Entry, amounts: &Amounts) {
    for (held, capacity) in entry.capacity.iter_mut().zip(Capacity::ALL) {
        if let Some(&amount) = amounts.get(capacity.column()) {
            *held = Some(amount);
        }
    }
}
