//! Overture Maps from local `GeoParquet`: segments and connectors of its transportation theme as [`Streets`], its places
//! as facilities.
//!
//! Source: the published schema, docs.overturemaps.org/schema, v1.18.0 (facts only).

pub mod places;
mod rules;
pub mod split;

use super::geometry;
use super::nested::Nested;
use super::osm::walking::{Judgement, WalkingRules};
use super::table::Table;
use crate::io::osm::LeftOut;
use crate::model::error::Result;
use crate::model::place::Place;
use crate::model::problem::{Fault, Problem};
use crate::model::progress::Progress;
use crate::model::street::{Barrier, Street, StreetNode, Streets, Walkway};
use geo::Geometry;
use rules::Segment;
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};

/// A position along a segment is at one of its corners when it is as near as this: positions are printed with nine
/// digits, and corners with seven decimals of a degree.
const SAME_M: f64 = 1.0;

/// What a file of segments holds.
#[derive(Debug)]
pub struct Overture {
    /// Streets to walk on; the id of a way is the row of its segment, from 1.
    pub streets: Streets,
    /// What was left out, and why.
    pub left_out: LeftOut,
    /// Segments that could not be used.
    pub rejected: Vec<Problem>,
}

/// Read segments. Each is cut where a rule of it begins or ends, and hangs together with others where they share a
/// connector, nowhere else. Places of connectors come from their own table where it is given, else from the first segment
/// that names them.
///
/// Overture knows no gates, lifts, squares, walls or pavements of roads.
///
/// # Errors
/// Problems when a column is missing, or nothing may be walked on.
pub fn read(
    segments: &Table,
    connectors: Option<&Table>,
    rules: &WalkingRules,
    progress: &Progress,
) -> Result<Overture> {
    progress.begin("reading streets", segments.rows())?;
    let mut rejected = Vec::new();
    let rows = Rows::of(segments, &mut rejected)?;
    let mut laying = Laying { places: places_of(connectors, &mut rejected)?, ..Laying::default() };
    for row in 0..segments.rows() {
        progress.step(1)?;
        match rows.row(row) {
            None => {}
            Some(Ok((segment, joints, corners))) => {
                laying.add(rows.source[row], &segment, joints, &corners, rules);
            }
            Some(Err(problem)) => rejected.push(*problem),
        }
    }
    rows.name(&mut rejected);
    rejected.sort_by_key(|problem| problem.row);
    if laying.streets.ways.is_empty() {
        let left_out = laying.left_out.ways.values().flat_map(BTreeMap::values).sum::<u64>();
        segments.refuse_if_none(left_out as usize, &mut rejected)?;
        return Err(Problem::of_file(&segments.name, Fault::NoWalkableWay).into());
    }
    Ok(Overture { streets: laying.streets, left_out: laying.left_out, rejected })
}

/// Read segments that were cut out of one file into several ([`split`]), some into more than one of them, as if they lay in one.
///
/// # Errors
/// As [`read`].
pub fn read_pieces(
    segments: &[Table],
    connectors: &[Table],
    rules: &WalkingRules,
    progress: &Progress,
) -> Result<Overture> {
    let segments = Table::together(segments, SOURCE_ROW)?;
    let connectors =
        if connectors.is_empty() { None } else { Some(Table::together(connectors, SOURCE_ROW)?) };
    read(&segments, connectors.as_ref(), rules, progress)
}

/// The column of a file that was cut out of another: rows of its segments there, from 1.
const SOURCE_ROW: &str = "walkshed:source_row";

/// Segments, row by row.
struct Rows<'a> {
    table: &'a Table,
    ids: Vec<Option<String>>,
    lines: Vec<Option<Geometry>>,
    columns: rules::Columns<'a>,
    joints: Nested<'a>,
    /// The row that stands for each, from 1.
    source: Vec<u64>,
}

/// What a row says: its rules, its connectors and its corners.
type Row = (Segment, Vec<Joint>, Vec<Place>);

impl<'a> Rows<'a> {
    fn of(table: &'a Table, rejected: &mut Vec<Problem>) -> Result<Self> {
        let ids = table.text("id")?;
        let lines = table.located("cell", rejected)?.place;
        table.array("connectors")?;
        let columns = rules::Columns::of(table)?;
        let joints = Nested::of(table, "connectors")?;
        let mut source: Vec<u64> = (1..=table.rows() as u64).collect();
        if table.has(SOURCE_ROW) {
            let stated = table.numbers(SOURCE_ROW, rejected)?;
            source
                .iter_mut()
                .zip(stated)
                .for_each(|(row, stated)| *row = stated.map_or(*row, |row| row as u64));
        }
        Ok(Self { table, ids, lines, columns, joints, source })
    }

    /// What a row says; none where its line was rejected already.
    fn row(&self, row: usize) -> Option<std::result::Result<Row, Box<Problem>>> {
        let line = self.lines[row].as_ref()?;
        Some(self.columns.segment(row).and_then(|segment| {
            let joints: Vec<Joint> = self.joints.get(row)?;
            let corners = corners(line).ok_or_else(|| {
                let fault = Fault::BadGeometry { reason: "a segment must be a line".to_owned() };
                Box::new(self.table.problem(row, "geometry", None, fault))
            })?;
            if let Some(joint) = joints.iter().find(|joint| !(0.0..=1.0).contains(&joint.at)) {
                let fault = Fault::OutOfRange { range: "0..1" };
                return Err(Box::new(self.table.problem(
                    row,
                    "connectors",
                    Some(joint.at.to_string()),
                    fault,
                )));
            }
            Ok((segment, joints, corners))
        }))
    }

    /// Give problems of rows the ids of these.
    fn name(&self, problems: &mut [Problem]) {
        for problem in problems.iter_mut().filter(|problem| problem.file == self.table.name) {
            let id = problem.row.and_then(|row| self.ids.get(row as usize - 1)?.clone());
            problem.id = problem.id.take().or(id);
        }
    }
}

/// Where a connector sits along a segment.
#[derive(Debug, Clone, Deserialize)]
struct Joint {
    connector_id: String,
    at: f64,
}

fn places_of(connectors: Option<&Table>, rejected: &mut Vec<Problem>) -> Result<HashMap<String, Place>> {
    let Some(table) = connectors else { return Ok(HashMap::new()) };
    let ids = table.text("id")?;
    let places = table.located("cell", rejected)?.place;
    let one = |(id, place): (Option<String>, Option<Geometry>)| {
        Some((id?, place.as_ref().and_then(geometry::place_of)?))
    };
    Ok(ids.into_iter().zip(places).filter_map(one).collect())
}

fn corners(line: &Geometry) -> Option<Vec<Place>> {
    let Geometry::LineString(line) = line else { return None };
    let places: Vec<Place> = line.coords().filter_map(|at| Place::new(at.x, at.y)).collect();
    (places.len() >= 2).then_some(places)
}

/// A corner of a segment.
#[derive(Debug, Clone)]
struct Corner {
    /// Share of the length.
    at: f64,
    place: Place,
    connector: Option<String>,
    /// A rule begins or ends here.
    cut: bool,
}

/// Streets while they are laid.
#[derive(Debug, Default)]
struct Laying {
    places: HashMap<String, Place>,
    number: HashMap<String, u32>,
    streets: Streets,
    left_out: LeftOut,
}

impl Laying {
    fn add(
        &mut self,
        row: u64,
        segment: &Segment,
        joints: Vec<Joint>,
        places: &[Place],
        rules: &WalkingRules,
    ) {
        let corners = lay_out(places, joints, &segment.cuts());
        let mut numbers: Vec<Option<u32>> = vec![None; corners.len()];
        let mut first = 0;
        for last in 1..corners.len() {
            if !corners[last].cut && last + 1 < corners.len() {
                continue;
            }
            let middle = f64::midpoint(corners[first].at, corners[last].at);
            match segment.judge(middle, rules) {
                Judgement::Walk(way) => self.add_way(row, way, first..=last, &corners, &mut numbers),
                Judgement::LeftOut(kind, reason) => self.leave_out(kind.name(), reason),
                Judgement::NotAWay => self.leave_out(segment.kind(), segment.reason()),
            }
            first = last;
        }
    }

    fn leave_out(&mut self, kind: &str, reason: String) {
        *self.left_out.ways.entry(kind.to_owned()).or_default().entry(reason).or_default() += 1;
    }

    fn add_way(
        &mut self,
        row: u64,
        way: Walkway,
        part: std::ops::RangeInclusive<usize>,
        corners: &[Corner],
        numbers: &mut [Option<u32>],
    ) {
        let start = self.streets.refs.len();
        for at in part {
            let number = match numbers[at] {
                Some(number) => number,
                None => self.node(&corners[at]),
            };
            numbers[at] = Some(number);
            self.streets.refs.push(number);
        }
        let nodes = start..self.streets.refs.len();
        self.streets.ways.push(Street { id: row as i64, nodes, way });
    }

    /// The number of a corner's node: a connector has one for all segments.
    fn node(&mut self, corner: &Corner) -> u32 {
        let known = corner.connector.as_ref().and_then(|id| self.number.get(id));
        if let Some(&number) = known {
            return number;
        }
        let number = self.streets.nodes.len() as u32;
        let mut place = corner.place;
        if let Some(id) = &corner.connector {
            place = self.places.get(id).copied().unwrap_or(place);
            self.number.insert(id.clone(), number);
        }
        let id = i64::from(number) + 1;
        self.streets.nodes.push(StreetNode { id, place, ele_m: None, barrier: Barrier::None, lift: false });
        number
    }
}

/// The corners of a line, with those that connectors and cuts add.
fn lay_out(places: &[Place], mut joints: Vec<Joint>, cuts: &[f64]) -> Vec<Corner> {
    let mut along = vec![0.0];
    for ends in places.windows(2) {
        along.push(along[along.len() - 1] + ends[0].distance_m(ends[1]));
    }
    let length_m = along[along.len() - 1];
    let share = |metres: f64| if length_m > 0.0 { metres / length_m } else { 0.0 };
    let mut corners: Vec<Corner> = places
        .iter()
        .zip(&along)
        .map(|(&place, &metres)| Corner { at: share(metres), place, connector: None, cut: false })
        .collect();
    joints.sort_by(|a, b| a.at.total_cmp(&b.at).then_with(|| a.connector_id.cmp(&b.connector_id)));
    for joint in joints {
        let at = corner_at(&mut corners, joint.at, length_m, |corner| corner.connector.is_none());
        corners[at].connector = Some(joint.connector_id);
    }
    for &cut in cuts {
        let at = corner_at(&mut corners, cut, length_m, |_| true);
        corners[at].cut = true;
    }
    corners
}

/// The free corner at a position, added where there is none.
fn corner_at(corners: &mut Vec<Corner>, at: f64, length_m: f64, free: impl Fn(&Corner) -> bool) -> usize {
    let away_m = |corner: &Corner| (corner.at - at).abs() * length_m;
    let near = corners.iter().enumerate().filter(|(_, corner)| free(corner) && away_m(corner) <= SAME_M);
    if let Some((found, _)) = near.min_by(|(_, a), (_, b)| away_m(a).total_cmp(&away_m(b))) {
        return found;
    }
    let after = corners.partition_point(|corner| corner.at <= at).clamp(1, corners.len() - 1);
    let (before, next) = (&corners[after - 1], &corners[after]);
    let gap = next.at - before.at;
    let share = if gap > 0.0 { ((at - before.at) / gap).clamp(0.0, 1.0) } else { 0.0 };
    let place = before.place.towards(next.place, share);
    corners.insert(after, Corner { at, place, connector: None, cut: false });
    after
}
