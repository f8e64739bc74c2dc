//! Isochrones: the ground around the streets from which a point is reached in time, or that is reached from it.
//!
//! A street part counts as far as the time lasts. The ground beside it counts as far as one walks straight off the street
//! in the time that is left there, at most [`BUFFER_M`]. So a shape of fewer minutes lies inside one of more, and none
//! reaches past the end of a walk.

use super::doors::{Joined, Walk};
use super::spread::{self, Run};
use super::tree::Tree;
use super::united::united;
use crate::io::facilities::{ids_column, with_geometry};
use crate::io::geometry;
use crate::io::osm::outlines::area_m2;
use crate::model::error::Result;
use crate::model::ids::Ids;
use crate::model::place::{Place, Spot};
use crate::model::plane::Plane;
use crate::model::progress::Progress;
use crate::model::times::{Deciseconds, Reason};
use crate::network::line::Line;
use crate::network::weight;
use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use geo::{
    Area, BooleanOps, BoundingRect, Coord, Densify, Euclidean, Geometry, LineString, MapCoords, MultiPolygon,
    Polygon, Rect, unary_union,
};
use rayon::prelude::*;
use std::collections::HashSet;
use std::f64::consts::TAU;
use std::sync::Arc;

/// Ground counted beside a street, metres, unless said otherwise: half of a narrow block (own default).
pub const BUFFER_M: f64 = 25.0;

/// Corners of a circle. The sides of a street then lie within 2 % of the buffer, 0.5 m, never outside.
const CORNERS: usize = 16;

/// Holes and parts smaller than this are rounding, square metres.
const SPECK_M2: f64 = 0.01;

/// Longest side of a shape, metres. A side straight on the plane is bent in degrees by its square over eight radii of the
/// earth: less than a tenth of a millimetre, so that no shape leaves a longer one by a side that is drawn otherwise.
const SIDE_M: f64 = 50.0;

/// Edges between two looks at the stop button: about a millisecond.
const EDGES_PER_LOOK: usize = 256;

/// The ground around a point within some time.
#[derive(Debug, Clone, PartialEq)]
pub struct Isochrone {
    /// Degrees.
    pub shape: MultiPolygon,
    /// Geodesic area, square metres.
    pub area_m2: f64,
}

/// Isochrones of every point, one for each limit, or why there is none: the point is not snapped, or its leg to the
/// street alone takes longer ([`Reason::BeyondCutoff`]).
///
/// # Errors
/// [`crate::model::error::Error::Cancelled`] when the user stopped.
pub fn isochrones(
    walk: &Walk<'_>,
    points: &[impl Into<Spot> + Copy + Sync],
    limits_ds: &[Deciseconds],
    buffer_m: f64,
    progress: &Progress,
) -> Result<Vec<Vec<std::result::Result<Isochrone, Reason>>>> {
    let joined = walk.join_as_doors(points, progress)?;
    progress.begin("isochrones", points.len())?;
    points
        .par_iter()
        .zip(joined)
        .map_init(Tree::default, |tree, (&point, (_, doors))| {
            let found = if doors.is_empty() {
                vec![Err(Reason::NotSnapped); limits_ds.len()]
            } else {
                of_point(walk, point.into().place, &doors, limits_ds, buffer_m, tree, progress)?
            };
            progress.step(1)?;
            Ok(found)
        })
        .collect()
}

/// Shapes from the shortest limit to the longest: each begins with the one before, so it holds it whatever is rounded.
fn of_point(
    walk: &Walk<'_>,
    point: Place,
    doors: &[Joined],
    limits_ds: &[Deciseconds],
    buffer_m: f64,
    tree: &mut Tree,
    progress: &Progress,
) -> Result<Vec<std::result::Result<Isochrone, Reason>>> {
    let longest_ds = limits_ds.iter().copied().max().unwrap_or_default();
    walk.grow(doors, longest_ds, |_, _| false, tree, progress)?;
    let edges: Vec<u32> =
        spread::edges(walk, doors, tree).into_iter().filter(|&edge| spread::opens_onto(walk, edge)).collect();
    let mut order: Vec<usize> = (0..limits_ds.len()).collect();
    order.sort_by_key(|&position| limits_ds[position]);
    let mut found = vec![Err(Reason::BeyondCutoff); limits_ds.len()];
    let mut ground = Ground {
        walk,
        plane: Plane::at(point),
        buffer_m,
        done: HashSet::new(),
        shape: MultiPolygon::new(vec![]),
    };
    for position in order {
        ground.grow(&edges, doors, tree, limits_ds[position], progress)?;
        if !ground.shape.0.is_empty() {
            found[position] = Ok(ground.isochrone());
        }
    }
    Ok(found)
}

/// A shape that grows with the time.
struct Ground<'a> {
    walk: &'a Walk<'a>,
    plane: Plane,
    buffer_m: f64,
    /// Edges that are in the shape from end to end, in the full width.
    done: HashSet<u32>,
    /// Metres on the plane.
    shape: MultiPolygon,
}

impl Ground<'_> {
    fn grow(
        &mut self,
        edges: &[u32],
        doors: &[Joined],
        tree: &Tree,
        limit_ds: Deciseconds,
        progress: &Progress,
    ) -> Result<()> {
        let mut pieces = Vec::new();
        for (number, &edge) in edges.iter().enumerate() {
            if number % EDGES_PER_LOOK == 0 {
                progress.check()?;
            }
            if !self.done.contains(&edge) {
                self.add_edge(edge, doors, tree, limit_ds, &mut pieces);
            }
        }
        progress.check()?;
        self.shape = without_specks(unary_union([&self.shape, &united(&pieces)]));
        Ok(())
    }

    fn add_edge(
        &mut self,
        edge: u32,
        doors: &[Joined],
        tree: &Tree,
        limit_ds: Deciseconds,
        pieces: &mut Vec<Polygon>,
    ) {
        let walk = self.walk;
        let runs: Vec<Run<'_>> = spread::runs(walk, doors, tree, edge).collect();
        // Where so much time is left, one walks off the street as far as the buffer goes.
        let full_ds = limit_ds.checked_sub(weight::leg_ds(walk.profile, self.buffer_m));
        let whole = |run: &Run<'_>| {
            let (start, end) = run.ends();
            (start - end).abs() >= 1.0 && full_ds.is_some_and(|full_ds| run.time_ds(walk, end) <= full_ds)
        };
        let line = Line::of(walk.network, edge as usize);
        if runs.iter().any(whole) {
            self.done.insert(edge);
            let flat: Vec<Coord> = line.place.iter().map(|&place| self.plane.flat(place)).collect();
            pieces.extend(
                flat.windows(2)
                    .filter_map(|ends| capsule((ends[0], self.buffer_m), (ends[1], self.buffer_m))),
            );
            return;
        }
        for run in runs {
            let Some(cut) = run.cut(walk, limit_ds) else { continue };
            let mut stops = line.stops(run.ends().0, cut);
            if let Some(full) = full_ds.and_then(|full_ds| run.cut(walk, full_ds)) {
                let after = stops.iter().position(|&stop| (stop - full) * (cut - run.ends().0) >= 0.0);
                stops.insert(after.unwrap_or(stops.len()), full);
            }
            let wide: Vec<(Coord, f64)> = stops
                .into_iter()
                .map(|share| {
                    let left_ds = limit_ds.saturating_sub(run.time_ds(walk, share));
                    let off_m = f64::from(left_ds) / 10.0 * walk.profile.flat_mps;
                    (self.plane.flat(line.at(share)), off_m.min(self.buffer_m))
                })
                .collect();
            pieces.extend(wide.windows(2).filter_map(|ends| capsule(ends[0], ends[1])));
        }
    }

    fn isochrone(&self) -> Isochrone {
        let dense = Euclidean.densify(&self.shape, SIDE_M);
        let shape = split_at_antimeridian(dense.map_coords(|at| self.plane.degrees(at)));
        Isochrone { area_m2: area_m2(&shape), shape }
    }
}

/// The hull of two circles, corners on the circles, anticlockwise; `None` when both have no size.
fn capsule(start: (Coord, f64), end: (Coord, f64)) -> Option<Polygon> {
    if start.1 <= 0.0 && end.1 <= 0.0 {
        return None;
    }
    let direction = |number: f64| {
        let (sin, cos) = (TAU * number / CORNERS as f64).sin_cos();
        Coord { x: cos, y: sin }
    };
    let along = end.0 - start.0;
    // A side of the hull is a side of the circle that reaches farther in the direction in which it faces.
    let circle_of_side = |number: f64| {
        let faces = direction(number + 0.5);
        let reach_m = along.x * faces.x + along.y * faces.y;
        if reach_m > (start.1 - end.1) * (TAU / CORNERS as f64 / 2.0).cos() { end } else { start }
    };
    let mut ring = Vec::with_capacity(CORNERS + 3);
    for number in 0..CORNERS {
        let number = number as f64;
        let towards = direction(number);
        for (centre, radius_m) in [circle_of_side(number - 1.0), circle_of_side(number)] {
            ring.push(centre + towards * radius_m);
        }
    }
    ring.dedup();
    Some(Polygon::new(LineString::new(ring), vec![]))
}

fn without_specks(shape: MultiPolygon) -> MultiPolygon {
    let large = |ring: &LineString| Polygon::new(ring.clone(), vec![]).unsigned_area() >= SPECK_M2;
    let polygons = shape.into_iter().filter_map(|polygon| {
        let (outer, inner) = polygon.into_inner();
        large(&outer).then(|| Polygon::new(outer, inner.into_iter().filter(large).collect()))
    });
    polygons.collect()
}

/// Degrees beyond ±180 back on the other side, as every reader of shapes expects.
fn split_at_antimeridian(shape: MultiPolygon) -> MultiPolygon {
    let Some(around) =
        shape.bounding_rect().filter(|around| around.min().x < -180.0 || around.max().x > 180.0)
    else {
        return shape;
    };
    let border = if around.max().x > 180.0 { 180.0 } else { -180.0 };
    let part = |west: f64, east: f64, turn: f64| {
        let half = Rect::new(Coord { x: west, y: around.min().y }, Coord { x: east, y: around.max().y });
        // The intersection rounds corners: those on the border may lie a little beyond it.
        let back = |at: Coord| Coord { x: (at.x + turn).clamp(-180.0, 180.0), y: at.y };
        shape.intersection(&half.to_polygon()).map_coords(back)
    };
    let turn = if border > 0.0 { -360.0 } else { 360.0 };
    let (west_turn, east_turn) = if border > 0.0 { (0.0, turn) } else { (turn, 0.0) };
    let mut parts = part(around.min().x, border, west_turn);
    parts.0.extend(part(border, around.max().x, east_turn));
    parts
}

/// Isochrones as a table, point by point, limits in their order: `id`, `minutes`, `area_m2` and `geometry` (null where
/// there is none), `reason` (`not_snapped`, `beyond_cutoff`, or null).
pub fn to_batch(
    ids: &Ids,
    minutes: &[f64],
    found: Vec<Vec<std::result::Result<Isochrone, Reason>>>,
) -> RecordBatch {
    let rows = ids.len() * minutes.len();
    let found: Vec<_> = found.into_iter().flatten().collect();
    let limit: Float64Array = (0..rows).map(|row| Some(minutes[row % minutes.len()])).collect();
    let area: Float64Array = found.iter().map(|one| one.as_ref().ok().map(|one| one.area_m2)).collect();
    let reason: StringArray =
        found.iter().map(|one| one.as_ref().err().map(|reason| reason.name())).collect();
    let shapes = found.into_iter().map(|one| one.ok().map(|one| Geometry::MultiPolygon(one.shape)));
    with_geometry(
        vec![
            ("id", ids_column(ids, (0..rows).map(|row| Some(row / minutes.len()))), false),
            ("minutes", Arc::new(limit) as ArrayRef, false),
            ("area_m2", Arc::new(area), true),
            ("reason", Arc::new(reason), true),
        ],
        geometry::encode_some(shapes),
    )
}
