//! People from tables of cells, points or outlines, or of the communities that they live in.

use super::geometry;
use super::table::{Table, out_of_range};
use crate::model::age_group::{self, AgeGroup, GroupColumns, Sum};
use crate::model::analysis_crs::Passage;
use crate::model::area::{self, Areas};
use crate::model::cell;
use crate::model::error::Result;
use crate::model::place::Place;
use crate::model::population::{Dwellings, Group, Home, Residents};
use crate::model::population_fault::PopulationFault;
use crate::model::problem::{Fault, Problem};
use crate::model::schema::{COUNT, POPULATION};
use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{ArrayRef, Float64Array, RecordBatch};
use bytes::Bytes;
use geo::{Coord, Geometry, MapCoords};
use h3o::CellIndex;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// Names of the columns of people, and what they are read against.
#[derive(Debug, Clone, Copy)]
pub struct Columns<'a> {
    /// Column of everybody.
    pub people: &'a str,
    /// Column of H3 cells.
    pub cell: &'a str,
    /// Column of households, read where it is there.
    pub households: &'a str,
    /// Columns of groups; none for those of the age groups that the headings say.
    pub groups: Option<&'a [String]>,
    /// Column of the community; none for `area_id`, `community_id` or `code` in a table without places.
    pub area: Option<&'a str>,
    /// Age groups of the catalogue.
    pub age_groups: &'a [AgeGroup],
}

impl<'a> Columns<'a> {
    /// The names that columns have where the user says nothing.
    pub const fn usual(age_groups: &'a [AgeGroup]) -> Self {
        Self {
            people: "people",
            cell: "cell",
            households: "households",
            groups: None,
            area: None,
            age_groups,
        }
    }
}

/// Columns that name the community of a row, best first.
const AREA_COLUMNS: [&str; 3] = ["area_id", "community_id", "code"];

/// Read people: a number of people, and a cell (first choice), a point, an outline, or the community of `areas`.
///
/// Rows without usable place or with a missing or negative number are left out and added to `findings`, together with
/// warnings about rows that are kept: groups larger than the people, columns that do not add up.
///
/// # Errors
/// Problems when a column is missing or no row is left.
pub fn read(
    table: &Table,
    columns: Columns<'_>,
    areas: Option<&Areas>,
    findings: &mut Vec<Problem>,
) -> Result<Residents> {
    let (mut problems, mut notes) = (Vec::new(), Vec::new());
    table.require(&POPULATION, &|name| if name == "people" { columns.people } else { name }.to_owned())?;
    let counts = Counts::read(table, columns, &mut problems, &mut notes)?;
    let communities = match (area_column(table, columns), areas) {
        (Some(column), Some(areas)) => Some((areas, communities(table, column, areas, &mut problems)?)),
        _ => None,
    };
    let homes = match &communities {
        Some((areas, found)) => found.iter().map(|area| home_in(areas, *area)).collect(),
        None => homes(table, columns.cell, &mut problems)?,
    };
    let mut residents = counts.nobody();
    let mut joined = Vec::new();
    for (row, home) in homes.into_iter().enumerate() {
        let fault = counts.fault(row);
        let (Some(home), None) = (home, &fault) else {
            problems.extend(fault);
            continue;
        };
        counts.add(row, &mut residents);
        counts.warn(row, &mut notes);
        let area = communities.as_ref().and_then(|(_, found)| found[row]);
        let id = communities.as_ref().zip(area).map(|((areas, _), area)| areas.id[area].clone());
        residents.home.push(home);
        residents.source.push((Some(row as u64 + 1), id));
        joined.extend(area);
    }
    problems.sort_by_key(|problem| problem.row);
    problems.dedup_by_key(|problem| problem.row);
    table.refuse_if_none(residents.home.len(), &mut problems)?;
    if let Some((areas, _)) = communities {
        warn_of_communities(&residents, &joined, areas, &mut notes);
    }
    findings.append(&mut problems);
    findings.append(&mut notes);
    Ok(residents)
}

/// What is wrong with a number of people, if anything.
pub fn count_fault(table: &Table, row: usize, column: &str, count: Option<f64>) -> Option<Problem> {
    let Some(count) = count else { return Some(table.problem(row, column, None, Fault::MissingValue)) };
    out_of_range(COUNT, count).map(|fault| table.problem(row, column, Some(count.to_string()), fault))
}

/// The numbers of a table of people, and which columns make which group.
struct Counts<'a> {
    table: &'a Table,
    columns: Columns<'a>,
    /// Every column that is needed, by name.
    values: BTreeMap<String, Vec<Option<f64>>>,
    has_households: bool,
    groups: Vec<GroupColumns>,
    sums: Vec<Sum>,
}

impl<'a> Counts<'a> {
    fn read(
        table: &'a Table,
        columns: Columns<'a>,
        problems: &mut Vec<Problem>,
        notes: &mut Vec<Problem>,
    ) -> Result<Self> {
        let (groups, sums) = groups(table, columns, notes);
        let has_households = columns.households != columns.people && table.has(columns.households);
        let mut counts = Self { table, columns, values: BTreeMap::new(), has_households, groups, sums };
        let of_sums = counts.sums.iter().flat_map(|sum| sum.parts.iter().chain([&sum.whole]));
        let wanted: BTreeSet<String> = counts.counted().map(str::to_owned).chain(of_sums.cloned()).collect();
        for name in wanted {
            let values = table.numbers(&name, problems)?;
            counts.values.insert(name, values);
        }
        Ok(counts)
    }

    /// The columns whose numbers are used.
    fn counted(&self) -> impl Iterator<Item = &str> {
        let of_groups = self.groups.iter().flat_map(|group| &group.columns).map(String::as_str);
        let households = self.has_households.then_some(self.columns.households);
        std::iter::once(self.columns.people).chain(households).chain(of_groups)
    }

    fn at(&self, column: &str, row: usize) -> Option<f64> {
        self.values.get(column).and_then(|values| values[row])
    }

    /// The sum of columns in a row; `None` where one is missing.
    fn sum(&self, columns: &[String], row: usize) -> Option<f64> {
        columns.iter().map(|column| self.at(column, row)).sum()
    }

    /// The first number of a row that is no count.
    fn fault(&self, row: usize) -> Option<Problem> {
        self.counted().find_map(|name| count_fault(self.table, row, name, self.at(name, row)))
    }

    fn nobody(&self) -> Residents {
        let group = |group: &GroupColumns| Group { name: group.id.clone(), people: vec![] };
        Residents {
            file: self.table.name.clone(),
            groups: self.groups.iter().map(group).collect(),
            households: self.has_households.then(Vec::new),
            ..Residents::default()
        }
    }

    /// Add the people of a row without [`Self::fault`].
    fn add(&self, row: usize, residents: &mut Residents) {
        residents.people.push(self.at(self.columns.people, row).unwrap_or_default());
        if let Some(households) = &mut residents.households {
            households.push(self.at(self.columns.households, row).unwrap_or_default());
        }
        for (group, columns) in residents.groups.iter_mut().zip(&self.groups) {
            group.people.push(self.sum(&columns.columns, row).unwrap_or_default());
        }
    }

    /// What cannot be so in a row that is kept all the same: nobody knows which of the numbers is the wrong one.
    fn warn(&self, row: usize, notes: &mut Vec<Problem>) {
        let people = self.at(self.columns.people, row).unwrap_or_default();
        let households = self.has_households.then(|| self.at(self.columns.households, row));
        let households = households.flatten().map(|count| (self.columns.households, count));
        let groups =
            self.groups.iter().filter_map(|group| Some((group.id.as_str(), self.sum(&group.columns, row)?)));
        for (name, count) in
            households.into_iter().chain(groups).filter(|(_, count)| exceeds(*count, people, 1))
        {
            let fault = PopulationFault::MoreThanPeople { people };
            notes.push(self.table.problem(row, name, Some(count.to_string()), fault.into()));
        }
        for Sum { whole, parts } in &self.sums {
            let (Some(stated), Some(sum)) = (self.at(whole, row), self.sum(parts, row)) else { continue };
            if exceeds(stated, sum, parts.len()) || exceeds(sum, stated, parts.len()) {
                let fault = PopulationFault::SumDiffers { parts: parts.join(" + "), sum };
                notes.push(self.table.problem(row, whole, Some(stated.to_string()), fault.into()));
            }
        }
    }
}

/// Whether a count is larger than another by more than the rounding of so many numbers.
fn exceeds(count: f64, other: f64, rounded: usize) -> bool {
    count - other > 0.5 * rounded as f64 + 1e-6 * other
}

/// The groups of a table, with the columns of each, and what should add up.
fn groups(table: &Table, columns: Columns<'_>, notes: &mut Vec<Problem>) -> (Vec<GroupColumns>, Vec<Sum>) {
    let found = age_group::find(&table.column_names(), columns.people, columns.age_groups);
    let by_name = |name: &String| {
        let derived = found.groups.iter().find(|group| group.id == *name && !table.has(name)).cloned();
        derived.unwrap_or_else(|| GroupColumns { id: name.clone(), columns: vec![name.clone()] })
    };
    let (groups, unfilled, sums) = match columns.groups {
        Some(names) => (names.iter().map(by_name).collect(), Vec::new(), Vec::new()),
        None => (found.groups, found.unfilled, found.sums),
    };
    let mut note = |id: &str, fault: PopulationFault| {
        notes.push(Problem::of_file(&table.name, fault.into()).in_column(id));
    };
    for GroupColumns { id, columns } in &groups {
        if columns.as_slice() != std::slice::from_ref(id) {
            note(id, PopulationFault::GroupFrom { columns: columns.join(" + ") });
        }
    }
    for id in &unfilled {
        note(id, PopulationFault::AgesUnfilled);
    }
    (groups, sums)
}

/// The column that says in which community the people of a row live, in a table that has no places of its own or where the
/// user names one.
fn area_column<'a>(table: &Table, columns: Columns<'a>) -> Option<&'a str> {
    let axes = [["lon", "lat"], ["x", "y"]];
    let has_places = table.has(columns.cell)
        || table.geometry_column().is_some()
        || axes.into_iter().any(|axes| axes.into_iter().all(|axis| table.has(axis)));
    let known = || AREA_COLUMNS.into_iter().find(|column| !has_places && table.has(column));
    columns.area.or_else(known)
}

fn home_in(areas: &Areas, area: Option<usize>) -> Option<Home> {
    areas.outline[area?].clone().map(Home::Outline)
}

/// The area of each row: the one with this id, else with this code, else the only one with this name. Rows without are
/// `None` and have a problem; so has a second row for one area.
fn communities(
    table: &Table,
    column: &str,
    areas: &Areas,
    problems: &mut Vec<Problem>,
) -> Result<Vec<Option<usize>>> {
    let known = KnownAreas::new(areas);
    let mut first_rows: HashMap<usize, u64> = HashMap::new();
    let mut found = Vec::with_capacity(table.rows());
    for (row, word) in table.codes(column)?.into_iter().enumerate() {
        let area = match word.as_deref().map(|word| known.find(word)) {
            None => Err(Fault::MissingValue),
            Some(Err(fault)) => Err(fault.into()),
            Some(Ok(area)) => match *first_rows.entry(area).or_insert(row as u64 + 1) {
                first_row if first_row == row as u64 + 1 => Ok(area),
                first_row => Err(Fault::DuplicateId { first_row }),
            },
        };
        found.push(area.map_err(|fault| problems.push(table.problem(row, column, word, fault))).ok());
    }
    Ok(found)
}

/// Areas by the words that tables have for them.
struct KnownAreas<'a> {
    areas: &'a Areas,
    by_id: HashMap<&'a str, usize>,
    by_code: HashMap<&'a str, Vec<usize>>,
    by_name: HashMap<&'a str, Vec<usize>>,
}

impl<'a> KnownAreas<'a> {
    fn new(areas: &'a Areas) -> Self {
        let by = |column: &'a [Option<String>]| {
            let mut rows: HashMap<&str, Vec<usize>> = HashMap::new();
            for (row, word) in column.iter().enumerate() {
                if let Some(word) = word {
                    rows.entry(word.as_str()).or_default().push(row);
                }
            }
            rows
        };
        let by_id = areas.id.iter().map(String::as_str).zip(0..).collect();
        Self { areas, by_id, by_code: by(&areas.code), by_name: by(&areas.name) }
    }

    fn find(&self, word: &str) -> std::result::Result<usize, PopulationFault> {
        let word = word.trim();
        if let Some(&area) = self.by_id.get(word) {
            return Ok(area);
        }
        match self.by_code.get(word).or_else(|| self.by_name.get(word)).map(Vec::as_slice) {
            None => Err(PopulationFault::UnknownArea),
            Some(&[area]) => Ok(area),
            Some(several) => {
                let ids: Vec<&str> = several.iter().map(|&area| self.areas.id[area].as_str()).collect();
                Err(PopulationFault::AmbiguousArea { areas: ids.join(", ") })
            }
        }
    }
}

/// Communities whose people are in the table twice, and communities that it forgets; `joined` is the area of each row.
fn warn_of_communities(residents: &Residents, joined: &[usize], areas: &Areas, notes: &mut Vec<Problem>) {
    let counted: HashSet<usize> = joined.iter().copied().collect();
    let parents = areas.parents();
    for (row, &area) in joined.iter().enumerate() {
        if let Some(above) = area::above(&parents, area).into_iter().find(|above| counted.contains(above)) {
            let fault = PopulationFault::CountedTwice { above: areas.label(above) };
            notes.push(residents.problem(row, fault.into()));
        }
    }
    let levels: HashSet<&Option<String>> = joined.iter().map(|&area| &areas.level[area]).collect();
    for area in
        (0..areas.id.len()).filter(|area| !counted.contains(area) && levels.contains(&areas.level[*area]))
    {
        notes.push(areas.problem(area, PopulationFault::NoCount.into()));
    }
}

/// A cell of the analysis is one; a cell of another system is the ground that it covers there.
fn home_of(cell: CellIndex, passage: &Passage) -> Home {
    if passage.keeps_numbers() {
        return Home::Cell(cell);
    }
    let corner = |at: Coord| match passage.place(at.x, at.y) {
        Some(place) => Coord { x: place.lon(), y: place.lat() },
        None => at,
    };
    Home::Outline(cell::outline(cell).map_coords(corner))
}

/// Cells come first: a table of cells often has the centres beside them.
fn homes(table: &Table, cell: &str, problems: &mut Vec<Problem>) -> Result<Vec<Option<Home>>> {
    if table.has(cell) {
        let cells: Vec<Option<CellIndex>> = table.cells(cell, problems)?;
        let passage = table.passage(cell)?;
        return Ok(cells.into_iter().map(|cell| cell.map(|cell| home_of(cell, &passage))).collect());
    }
    let located = table.located(cell, problems)?;
    let mut homes = Vec::with_capacity(located.place.len());
    for (row, geometry) in located.place.into_iter().enumerate() {
        homes.push(match geometry {
            None => None,
            Some(Geometry::Point(point)) => Place::new(point.x(), point.y()).map(Home::Point),
            Some(outline) => match geometry::polygons_of(outline) {
                Ok(polygons) => Some(Home::Outline(polygons)),
                Err(fault) => {
                    problems.push(table.problem(row, "geometry", None, fault));
                    None
                }
            },
        });
    }
    Ok(homes)
}
/// Residential buildings as a table: `lon`, `lat`, `weight` (floor area, m²).
pub fn dwellings_to_batch(homes: &Dwellings) -> RecordBatch {
    let column = |values: Vec<f64>| -> ArrayRef { Arc::new(Float64Array::from(values)) };
    RecordBatch::try_from_iter([
        ("lon", column(homes.place.iter().map(|place| place.lon()).collect())),
        ("lat", column(homes.place.iter().map(|place| place.lat()).collect())),
        ("weight", column(homes.weight.clone())),
    ])
    .expect("all columns have one value per building")
}

/// Residential buildings from the bytes of a file that holds [`dwellings_to_batch`]; it may hold none.
///
/// # Errors
/// A problem when the file is not what was written.
pub fn decode_dwellings(contents: Vec<u8>) -> Result<Dwellings> {
    let read = || -> Option<Dwellings> {
        let mut homes = Dwellings::default();
        let batches = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(contents)).ok()?.build().ok()?;
        for batch in batches {
            let batch = batch.ok()?;
            let column = |name| Some(batch.column_by_name(name)?.as_primitive_opt::<Float64Type>()?.values());
            let (lon, lat) = (column("lon")?, column("lat")?);
            homes.place.extend(
                lon.iter().zip(lat).map(|(&lon, &lat)| Place::new(lon, lat)).collect::<Option<Vec<_>>>()?,
            );
            homes.weight.extend(column("weight")?);
        }
        Some(homes)
    };
    read().ok_or_else(|| Problem::of_file("homes", Fault::Corrupt).into())
}
