//! What a scenario changes of a baseline: only the cells that its edits touch are looked at again, and only the areas of those
//! are summed again; every number is that of a whole run over the edited city.

use super::facilities::{self, FacilityEdits};
use super::{areas, people, streets};
use crate::io::changes::{ChangedCell, GainRow};
use crate::metrics::apportion::{self, Part};
use crate::metrics::coverage::{NearestOf, coverage};
use crate::metrics::gains::{Gain, Shift, gains};
use crate::model::area::Areas;
use crate::model::cell;
use crate::model::coverage::{Coverage, EVERYBODY};
use crate::model::edit::Change;
use crate::model::error::{Error, Result};
use crate::model::facility::Facilities;
use crate::model::ledger::{Day, Status};
use crate::model::place::Spot;
use crate::model::population::Cells;
use crate::model::problem::{Fault, Problem};
use crate::model::profile::Profile;
use crate::model::progress::Progress;
use crate::model::scenario::Scenario;
use crate::model::study::minutes_to_ds;
use crate::model::times::{Deciseconds, Direction, Nearest, Reason};
use crate::network::graph::Network;
use crate::network::overlay::Overlay;
use crate::travel::baseline::{self, Baseline};
use crate::travel::nearest;
use crate::travel::touched::{Amounts, touched};
use crate::travel::update::{Changed, Edits, Opened, update};
use h3o::{CellIndex, Resolution};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// What a city is before any edit.
#[derive(Debug, Clone)]
pub struct Inputs {
    /// Streets.
    pub network: Arc<Network>,
    /// Who lives where.
    pub cells: Cells,
    /// What people walk to, open or not.
    pub ledger: Facilities,
    /// The day on which facilities are open; without one every date has passed.
    pub day: Option<Day>,
    /// The areas.
    pub areas: Areas,
    /// The resolution of the areas where these are the H3 parents of cells, which hold whole cells.
    pub parents: Option<Resolution>,
}

/// What is asked of a city, before and after.
#[derive(Debug, Clone)]
pub struct Question {
    /// Who walks.
    pub profiles: Vec<Profile>,
    /// Which way.
    pub direction: Direction,
    /// The thresholds; the greatest is the cut-off of the searches.
    pub minutes: Vec<f64>,
}

/// A baseline, ready to be asked.
#[derive(Debug)]
pub struct City {
    /// What it is.
    pub inputs: Inputs,
    /// What is asked of it.
    pub question: Question,
    /// Its coverage by each profile.
    pub coverage: Vec<Coverage>,
    /// Its times, one for each profile.
    pub baselines: Vec<Baseline>,
    /// The rows of the ledger that are open.
    pub open: Vec<usize>,
    parts: Vec<Vec<Part>>,
    /// The areas that each cell is in, with its share in each.
    areas_of: Vec<Vec<(u32, f64)>>,
}

/// What a scenario changes.
#[derive(Debug)]
pub struct Answer {
    /// The rows of coverage that may differ from the baseline's, by profile: of some areas and some classes.
    pub coverage: Vec<Coverage>,
    /// The entries that differ, by profile.
    pub changed: Vec<Vec<Changed>>,
    /// The classes: those of the baseline, and new ones after them.
    pub class: Vec<String>,
    /// Facilities that open or move, numbered on from those that are open in the baseline: their ids.
    pub opened: Vec<String>,
    /// The cells after the edits.
    pub cells: Option<Cells>,
}

impl Inputs {
    /// The parts of cells in areas: shared by area, or whole in their parents.
    fn parts_of(&self, cells: &[CellIndex], areas: &Areas, progress: &Progress) -> Result<Vec<Vec<Part>>> {
        let Some(resolution) = self.parents else { return apportion::parts(cells, areas, progress) };
        let place: HashMap<&str, usize> = areas.id.iter().map(String::as_str).zip(0..).collect();
        let mut parts = vec![Vec::new(); areas.id.len()];
        for (row, cell) in (0..).zip(cells) {
            let parent = cell.parent(resolution).map(|parent| parent.to_string());
            if let Some(&area) = parent.and_then(|parent| place.get(parent.as_str())) {
                parts[area].push(Part { cell: row, share: 1.0 });
            }
        }
        Ok(parts)
    }

    /// The areas with the parents of cells that are new.
    fn with_parents_of(&self, cells: &[CellIndex], areas: Option<Areas>) -> Option<Areas> {
        let Some(resolution) = self.parents else { return areas };
        let mut known = areas;
        for parent in cells.iter().filter_map(|cell| cell.parent(resolution)) {
            let id = parent.to_string();
            if !known.as_ref().unwrap_or(&self.areas).id.contains(&id) {
                let areas = known.get_or_insert_with(|| self.areas.clone());
                areas.push_bare(id, Some(cell::outline(parent)));
            }
        }
        known
    }
}

impl City {
    /// About how many bytes a city takes that is ready, for each profile what every node knows.
    pub fn memory_bytes(inputs: &Inputs, question: &Question) -> u64 {
        let (cells, classes) = (inputs.cells.cell.len(), inputs.ledger.classes().len());
        let doors = inputs.ledger.doors.iter().map(Vec::len).sum();
        let kept = Baseline::memory_bytes(&inputs.network, cells, classes);
        nearest::memory_bytes(&inputs.network, cells, doors, classes) + kept * question.profiles.len() as u64
    }

    /// Run the whole line once, and keep what every node knows.
    ///
    /// # Errors
    /// No facility is open; [`Error::Cancelled`] when the user stopped.
    pub fn prepare(inputs: Inputs, question: Question, progress: &Progress) -> Result<Self> {
        let open = inputs.ledger.open_on(inputs.day)?;
        let facilities = Arc::new(inputs.ledger.pick(&open));
        let origins: Arc<Vec<Spot>> =
            Arc::new(inputs.cells.place.iter().map(|&place| place.into()).collect());
        let cutoff_ds = cutoff_ds(&question);
        let (network, direction) = (&inputs.network, question.direction);
        let ready = |profile| {
            baseline::prepare(network, profile, direction, &origins, &facilities, cutoff_ds, progress)
        };
        let baselines: Vec<Baseline> = question.profiles.iter().map(ready).collect::<Result<_>>()?;
        let parts = inputs.parts_of(&inputs.cells.cell, &inputs.areas, progress)?;
        let mut areas_of = vec![Vec::new(); inputs.cells.cell.len()];
        for (area, parts) in (0..).zip(&parts) {
            for part in parts {
                areas_of[part.cell as usize].push((area, part.share));
            }
        }
        progress.begin("coverage", inputs.areas.id.len() * baselines.len())?;
        let cover = |baseline: &Baseline| {
            let times =
                Patched { baseline, columns: columns(&baseline.class, |_| true), rows: HashMap::new() };
            coverage(&times, &inputs.cells, &inputs.areas.id, &parts, &question.minutes, progress)
        };
        let coverage = baselines.iter().map(cover).collect::<Result<_>>()?;
        Ok(Self { inputs, question, coverage, baselines, open, parts, areas_of })
    }

    /// The longest walk that is searched.
    pub fn cutoff_ds(&self) -> Deciseconds {
        cutoff_ds(&self.question)
    }

    /// The entries that a scenario changes for one profile, and the classes that they are of.
    ///
    /// # Errors
    /// Every fault of every edit; [`Error::Cancelled`] when the user stopped.
    pub fn changes(
        &self,
        scenario: &Scenario,
        profile: usize,
        progress: &Progress,
    ) -> Result<(Vec<String>, Vec<Changed>)> {
        let found = self.resolve(scenario)?;
        let changed = update(&self.baselines[profile], &found.edits(), progress)?;
        Ok((found.changes.class, changed))
    }

    /// Where people move in that nobody lived.
    fn new_origins(&self, cells: Option<&Cells>) -> Vec<Spot> {
        let known = self.inputs.cells.cell.len();
        cells.into_iter().flat_map(|cells| &cells.place[known..]).map(|&place| place.into()).collect()
    }

    /// Facilities that no street is near enough to for the first profile: nobody walks there.
    pub fn unjoined(&self) -> Vec<Problem> {
        let Some(baseline) = self.baselines.first() else { return vec![] };
        let limit_m = baseline.max_snap_m();
        let lonely = baseline.facility_snap.iter().enumerate().filter(|(_, snap)| snap.anchor.is_none());
        let fault = |nearest_m| Fault::NotSnapped { nearest_m, limit_m };
        lonely.map(|(row, snap)| baseline.facilities.problem(row, fault(snap.nearest_m))).collect()
    }

    /// What a scenario changes.
    ///
    /// # Errors
    /// Every fault of every edit; [`Error::Cancelled`] when the user stopped.
    pub fn answer(&self, scenario: &Scenario, progress: &Progress) -> Result<Answer> {
        let found = self.resolve(scenario)?;
        let changed: Vec<Vec<Changed>> = self
            .baselines
            .iter()
            .map(|baseline| update(baseline, &found.edits(), progress))
            .collect::<Result<_>>()?;
        let coverage = self.recovered(&found, &changed, progress)?;
        let Changes { class, opened, .. } = found.changes;
        let opened = opened.into_iter().map(|opened| opened.id).collect();
        Ok(Answer { coverage, changed, class, opened, cells: found.cells })
    }

    /// The pairs of the cells whose pairs a scenario can touch; with `catchments` those that floating catchments need, see
    /// [`touched`]. Sorted by cell, then in the order of the ledger.
    ///
    /// # Errors
    /// Every fault of every edit; [`Error::Cancelled`] when the user stopped.
    pub fn reach(
        &self,
        scenario: &Scenario,
        profile: usize,
        catchments: bool,
        progress: &Progress,
    ) -> Result<Reach> {
        let resolved = self.resolve(scenario)?;
        let before = &self.inputs.cells;
        let cells = resolved.cells.as_ref().unwrap_or(before);
        let resized = resolved.facilities.changed.iter().filter(|(_, changed)| !changed.capacity.is_empty());
        let resized: Vec<u32> =
            resized.filter_map(|(row, _)| self.open.binary_search(row).ok()).map(|row| row as u32).collect();
        let more = |row: &u32| before.people[*row as usize].total_cmp(&cells.people[*row as usize]).is_ne();
        let more: Vec<u32> = (0..before.cell.len() as u32).filter(more).collect();
        let amounts = Amounts { facilities: &resized, origins: &more };
        let found = touched(&self.baselines[profile], &resolved.edits(), &amounts, catchments, progress)?;
        let row_of = |facility: u32| match (facility as usize).checked_sub(self.open.len()) {
            Some(new) => resolved.changes.rows[new] as u32,
            None => self.open[facility as usize] as u32,
        };
        let mut pairs: Vec<(u32, u32, Deciseconds)> = found
            .pairs
            .into_iter()
            .map(|(origin, facility, time_ds)| (origin, row_of(facility), time_ds))
            .collect();
        pairs.sort_unstable();
        let ledger = resolved.facilities.apply(self.inputs.ledger.clone());
        Ok(Reach { origins: found.origins, pairs, cells: cells.clone(), ledger })
    }

    /// All edits found, or all their faults.
    fn resolve(&self, scenario: &Scenario) -> Result<Resolved> {
        let inputs = &self.inputs;
        let is = |which: fn(&Change) -> bool| scenario.edits.iter().any(|edit| which(&edit.change));
        let mut problems = Vec::new();
        let overlay = streets::overlay(&inputs.network, scenario).map_err(|error| keep(error, &mut problems));
        let edits = facilities::resolve(scenario, &inputs.ledger, inputs.day)
            .map_err(|error| keep(error, &mut problems));
        let moved_in = is(|change| matches!(change, Change::NewHomes(_)));
        let cells = moved_in.then(|| people::apply(scenario, inputs.cells.clone()));
        let cells = cells.transpose().map_err(|error| keep(error, &mut problems));
        let drawn = is(|change| matches!(change, Change::SetArea(_)));
        let areas = drawn.then(|| areas::apply(scenario, inputs.areas.clone()));
        let areas = areas.transpose().map_err(|error| keep(error, &mut problems));
        match (overlay, edits, cells, areas) {
            (Ok(overlay), Ok(edits), Ok(cells), Ok(areas)) => {
                let new = cells.iter().flat_map(|cells: &Cells| &cells.cell[inputs.cells.cell.len()..]);
                let areas = inputs.with_parents_of(&new.copied().collect::<Vec<_>>(), areas);
                let (changes, origins) = (self.facility_changes(&edits), self.new_origins(cells.as_ref()));
                Ok(Resolved { overlay, facilities: edits, changes, origins, cells, areas })
            }
            (overlay, edits, cells, areas) => {
                let others = [overlay.err(), edits.err(), cells.err(), areas.err()];
                Err(others.into_iter().flatten().flatten().next().unwrap_or(Error::Input(problems)))
            }
        }
    }

    /// The classes, the open facilities that close or move, and those that open or come from elsewhere.
    fn facility_changes(&self, edits: &FacilityEdits) -> Changes {
        let ledger = &self.inputs.ledger;
        let mut class: Vec<String> =
            self.baselines.first().map(|baseline| baseline.class.clone()).unwrap_or_default();
        let mut number = |name: &String| {
            let known = class.iter().position(|other| other == name);
            known.unwrap_or_else(|| {
                class.push(name.clone());
                class.len() - 1
            }) as u32
        };
        let (mut closed, mut opened, mut rows) = (Vec::new(), Vec::new(), Vec::new());
        for (&row, changed) in &edits.changed {
            let was = self.open.binary_search(&row);
            let is_open =
                changed.open.unwrap_or_else(|| ledger.entry[row].status_on(self.inputs.day) == Status::Open);
            if let Ok(at) = was
                && (!is_open || changed.place.is_some())
            {
                closed.push(at as u32);
            }
            if is_open && (was.is_err() || changed.place.is_some()) {
                let level = ledger.level[row].filter(|_| changed.place.is_none());
                let doors = changed.place.map_or_else(|| ledger.doors[row].clone(), |place| vec![place]);
                let doors = doors.into_iter().map(|place| Spot { place, level }).collect();
                opened.push(Opened { id: ledger.id.text(row), class: number(&ledger.class[row]), doors });
                rows.push(row);
            }
        }
        for (at, new) in edits.new.iter().enumerate().filter(|(_, new)| new.open) {
            opened.push(Opened {
                id: new.id.clone(),
                class: number(&new.class),
                doors: vec![new.place.into()],
            });
            rows.push(ledger.len() + at);
        }
        Changes { class, closed, opened, rows }
    }

    /// The areas whose sums may change: of changed cells, of cells where people move in, and those that are drawn anew.
    fn touched(&self, found: &Resolved, changed: &[Vec<Changed>]) -> BTreeSet<u32> {
        let before = &self.inputs;
        let mut rows: BTreeSet<u32> = changed.iter().flatten().map(|entry| entry.origin).collect();
        if let Some(cells) = &found.cells {
            let more = |row: &usize| before.cells.people.get(*row) != Some(&cells.people[*row]);
            rows.extend((0..cells.cell.len()).filter(more).map(|row| row as u32));
        }
        let known = rows.iter().filter_map(|&row| self.areas_of.get(row as usize)).flatten();
        let mut touched: BTreeSet<u32> = known.map(|&(area, _)| area).collect();
        if let Some(areas) = &found.areas {
            let drawn = |row: &usize| before.areas.outline.get(*row) != Some(&areas.outline[*row]);
            touched.extend((0..areas.id.len()).filter(drawn).map(|row| row as u32));
        }
        touched
    }

    /// The coverage of touched areas, of the classes that change; of all classes where people move in or borders do.
    fn recovered(
        &self,
        found: &Resolved,
        changed: &[Vec<Changed>],
        progress: &Progress,
    ) -> Result<Vec<Coverage>> {
        let before = &self.inputs;
        let all = found.cells.is_some() || found.areas.is_some();
        let of_class: BTreeSet<u32> = changed.iter().flatten().map(|entry| entry.class).collect();
        let columns = columns(&found.changes.class, |class| all || of_class.contains(&class));
        let cells = found.cells.as_ref().unwrap_or(&before.cells);
        let areas = found.areas.as_ref().unwrap_or(&before.areas);
        let (touched, parts) = self.parts_of(&self.touched(found, changed), cells, areas, progress)?;
        let ids: Vec<String> = touched.iter().map(|&area| areas.id[area as usize].clone()).collect();
        let cover = |(baseline, changed): (&Baseline, &Vec<Changed>)| {
            let mut rows: HashMap<(u32, u32), Nearest> = HashMap::with_capacity(changed.len());
            rows.extend(changed.iter().map(|entry| ((entry.origin, entry.class), entry.nearest)));
            let times = Patched { baseline, columns: columns.clone(), rows };
            coverage(&times, cells, &ids, &parts, &self.question.minutes, progress)
        };
        self.baselines.iter().zip(changed).map(cover).collect()
    }

    /// The parts of cells in touched areas, with those areas that new cells lie in.
    fn parts_of(
        &self,
        touched: &BTreeSet<u32>,
        cells: &Cells,
        areas: &Areas,
        progress: &Progress,
    ) -> Result<(Vec<u32>, Vec<Vec<Part>>)> {
        let known = self.inputs.cells.cell.len();
        let mut parts: BTreeMap<u32, Vec<Part>> = BTreeMap::new();
        for &area in touched {
            let row = area as usize;
            if self.inputs.areas.outline.get(row) == Some(&areas.outline[row]) {
                parts.insert(area, self.parts[row].clone());
            } else {
                let one = self.inputs.parts_of(&self.inputs.cells.cell, &areas.pick(&[row]), progress)?;
                parts.insert(area, one.into_iter().flatten().collect());
            }
        }
        if cells.cell.len() > known {
            for (area, new) in (0..).zip(self.inputs.parts_of(&cells.cell[known..], areas, progress)?) {
                if !new.is_empty() {
                    let own = parts.entry(area).or_insert_with(|| self.parts[area as usize].clone());
                    own.extend(new.into_iter().map(|part| Part { cell: part.cell + known as u32, ..part }));
                }
            }
        }
        Ok(parts.into_iter().unzip())
    }

    /// The entry of the baseline, classes in the order of an answer's.
    pub fn before(&self, profile: usize, origin: u32, class: u32) -> Option<Nearest> {
        let baseline = &self.baselines[profile];
        let origin = origin as usize;
        if origin >= baseline.origins.len() {
            return None;
        }
        Some(of_baseline(baseline, origin, class as usize))
    }

    /// The cells after the edits of an answer.
    pub fn cells<'a>(&'a self, answer: &'a Answer) -> &'a Cells {
        answer.cells.as_ref().unwrap_or(&self.inputs.cells)
    }

    /// The changed cells of an answer, profile by profile, cells and classes in order.
    pub fn changed_cells<'a>(&'a self, answer: &'a Answer) -> Vec<ChangedCell<'a>> {
        let mut rows = Vec::with_capacity(answer.changed.iter().map(Vec::len).sum());
        for (profile, changed) in answer.changed.iter().enumerate() {
            let ids = &self.baselines[profile].facilities.id;
            let id = |nearest: Option<Nearest>| {
                let row = nearest?.ok()?.facility() as usize;
                Some(
                    row.checked_sub(ids.len())
                        .map_or_else(|| ids.text(row), |new| answer.opened[new].clone()),
                )
            };
            for entry in changed {
                let before = self.before(profile, entry.origin, entry.class);
                rows.push(ChangedCell {
                    row: entry.origin as usize,
                    class: &answer.class[entry.class as usize],
                    profile: &self.baselines[profile].profile.name,
                    before,
                    after: entry.nearest,
                    facility: [id(before), id(Some(entry.nearest))],
                });
            }
        }
        rows
    }

    /// Who gains and who loses of those who live here before the edits, in the areas of the baseline and everywhere.
    pub fn gains<'a>(&'a self, answer: &'a Answer) -> Vec<GainRow<'a>> {
        let cells = &self.inputs.cells;
        let cutoff_ds = cutoff_ds(&self.question);
        let mut rows = Vec::new();
        for (profile, changed) in answer.changed.iter().enumerate() {
            let shifts = || {
                changed.iter().filter_map(|entry| {
                    let before = self.before(profile, entry.origin, entry.class)?;
                    Some(Shift { cell: entry.origin, class: entry.class, before, after: entry.nearest })
                })
            };
            let everywhere = gains(shifts(), cells, cutoff_ds, |_| &[(0, 1.0)]);
            let in_areas = gains(shifts(), cells, cutoff_ds, |cell| &self.areas_of[cell as usize]);
            let mut tell = |area: Option<u32>, class: u32, gains: &[Gain]| {
                let groups =
                    std::iter::once(EVERYBODY).chain(cells.groups.iter().map(|group| group.name.as_str()));
                rows.extend(groups.zip(gains).map(|(group, gain)| GainRow {
                    area_id: area.map(|area| self.inputs.areas.id[area as usize].as_str()),
                    class: &answer.class[class as usize],
                    group,
                    profile: &self.baselines[profile].profile.name,
                    people: [gain.people_gaining, gain.people_losing, gain.people_minutes_saved],
                }));
            };
            for (&(_, class), gains) in &everywhere {
                tell(None, class, gains);
            }
            for (&(area, class), gains) in &in_areas {
                tell(Some(area), class, gains);
            }
        }
        rows
    }
}

/// What becomes of facilities.
struct Changes {
    /// The classes: those of the baseline, and new ones after them.
    class: Vec<String>,
    /// Open facilities that close or move.
    closed: Vec<u32>,
    /// Facilities that open or come from elsewhere.
    opened: Vec<Opened>,
    /// Their rows in the ledger after the edits.
    rows: Vec<usize>,
}

/// Pairs under a scenario.
#[derive(Debug)]
pub struct Reach {
    /// The touched cells, in order.
    pub origins: Vec<u32>,
    /// Cell, row of the ledger and tenths of a second.
    pub pairs: Vec<(u32, u32, Deciseconds)>,
    /// The cells after the edits.
    pub cells: Cells,
    /// The ledger after the edits.
    pub ledger: Facilities,
}

/// The edits of a scenario, found in the city.
struct Resolved {
    overlay: Arc<Overlay>,
    facilities: FacilityEdits,
    changes: Changes,
    /// Where people move in that nobody lived.
    origins: Vec<Spot>,
    /// The cells after the edits, where there are others.
    cells: Option<Cells>,
    /// The areas after the edits, where there are others.
    areas: Option<Areas>,
}

impl Resolved {
    /// What the search of walks is told.
    fn edits(&self) -> Edits<'_> {
        let Changes { class, closed, opened, .. } = &self.changes;
        Edits { overlay: &self.overlay, class, closed, opened, origins: &self.origins }
    }
}

/// Faults are kept, to be told together; what else went wrong is told by itself.
fn keep(error: Error, problems: &mut Vec<Problem>) -> Option<Error> {
    match error {
        Error::Input(faults) => {
            problems.extend(faults);
            None
        }
        other => Some(other),
    }
}

fn cutoff_ds(question: &Question) -> Deciseconds {
    let longest = question.minutes.iter().copied().fold(0.0, f64::max);
    minutes_to_ds(longest).unwrap_or_default()
}

fn of_baseline(baseline: &Baseline, origin: usize, class: usize) -> Nearest {
    let classes = baseline.class.len();
    if class < classes {
        return baseline.nearest[origin * classes + class];
    }
    Err(if baseline.is_joined(origin) { Reason::NotConnected } else { Reason::NotSnapped })
}

/// Wanted classes by name in order, each with its place in the list of all.
fn columns(class: &[String], is_wanted: impl Fn(u32) -> bool) -> Vec<(String, u32)> {
    let mut columns: Vec<(String, u32)> =
        class.iter().cloned().zip(0..).filter(|(_, number)| is_wanted(*number)).collect();
    columns.sort();
    columns
}

/// A baseline's times with some entries others.
struct Patched<'a> {
    baseline: &'a Baseline,
    columns: Vec<(String, u32)>,
    rows: HashMap<(u32, u32), Nearest>,
}

impl NearestOf for Patched<'_> {
    fn profile(&self) -> &str {
        &self.baseline.profile.name
    }

    fn classes(&self) -> Vec<String> {
        self.columns.iter().map(|(class, _)| class.clone()).collect()
    }

    fn nearest(&self, origin: usize, class: usize) -> Nearest {
        let class = self.columns[class].1;
        if !self.rows.is_empty()
            && let Some(nearest) = self.rows.get(&(origin as u32, class))
        {
            return *nearest;
        }
        of_baseline(self.baseline, origin, class as usize)
    }
}
