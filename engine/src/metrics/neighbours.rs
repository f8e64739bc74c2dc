//! What lies between areas: overlaps of neighbours, gaps that they leave, parts outside the area above.
//!
//! Areas are counted as they are drawn, each for itself; here it is only told where the drawing cannot be meant.

use super::apportion;
use crate::io::osm::outlines::area_m2;
use crate::model::area::{self, Areas, CommunityLevel};
use crate::model::area_fault::AreaFault;
use crate::model::error::Result;
use crate::model::place::Place;
use crate::model::population::Cells;
use crate::model::problem::Problem;
use crate::model::progress::Progress;
use geo::algorithm::buffer::Buffer;
use geo::algorithm::orient::{Direction, Orient};
use geo::algorithm::unary_union;
use geo::{
    Area, BooleanOps, BoundingRect, Coord, Distance, Euclidean, Length, MapCoords, MultiPolygon, Polygon,
    Rect,
};
use rayon::prelude::*;
use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RTree};
use std::collections::BTreeMap;

/// What is narrower on average is how exactly borders are digitised, and is only counted (own choice: about what a
/// border drawn twice from one aerial photograph differs by).
pub const SLIVER_M: f64 = 1.0;

/// A strip between two areas that is open to the outside is a gap up to this width: a street that was left out. A notch
/// in the outer border of the city is none, so the strip must also be twice as long.
pub const GAP_WIDTH_M: f64 = 50.0;

/// An area this near to a gap is beside it: the library's grid, over a city, is finer than a millimetre.
const BESIDE_M: f64 = 0.1;

/// Overlaps, gaps and parts outside the area above, each with its area and, where `cells` are given, its people.
///
/// Overlaps and gaps are looked for within a level. Estates are not asked for gaps: between them lie streets, schools
/// and everything else that nobody manages.
///
/// # Errors
/// [`crate::model::error::Error::Cancelled`] when the user stopped.
pub fn findings(areas: &Areas, cells: Option<&Cells>, progress: &Progress) -> Result<Vec<Problem>> {
    let parents = areas.parents();
    let drawn = Drawn::new(areas);
    let mut found = Found::default();
    progress.begin("borders of areas", areas.id.len())?;
    found.keep(outside_parents(&drawn, &parents, progress)?);
    let mut levels: BTreeMap<Option<String>, Vec<usize>> = BTreeMap::new();
    for area in (0..areas.id.len()).filter(|&area| drawn.shapes[area].is_some()) {
        levels.entry(areas.level_name(area)).or_default().push(area);
    }
    for (level, members) in &levels {
        let level_index = drawn.index(members);
        found.keep(overlaps(&drawn, members, &level_index, &parents, progress)?);
        if level.as_deref() != Some(CommunityLevel::Estate.name()) {
            found.keep(gaps(&drawn, members, &level_index, progress)?);
        }
    }
    found.problems(areas, cells, progress)
}

/// The areas in metres from the middle of all of them: degrees stretched, so that what is straight in degrees, as outlines
/// are everywhere in walkshed, stays straight, and a corner on a neighbour's side stays on it.
struct Drawn {
    middle: Coord,
    /// Metres of a degree of longitude and latitude in the middle.
    degree_m: [f64; 2],
    shapes: Vec<Option<MultiPolygon>>,
}

/// Rows of areas by their frames.
type Index = RTree<GeomWithData<Rectangle<[f64; 2]>, usize>>;

impl Drawn {
    fn new(areas: &Areas) -> Self {
        let frames = areas.outline.iter().flatten().filter_map(BoundingRect::bounding_rect);
        let whole = frames.reduce(|a, b| {
            let (low, high) = ((a.min(), b.min()), (a.max(), b.max()));
            Rect::new(
                (low.0.x.min(low.1.x), low.0.y.min(low.1.y)),
                (high.0.x.max(high.1.x), high.0.y.max(high.1.y)),
            )
        });
        let middle = whole.map(Rect::center).unwrap_or_default();
        let degree_m = Place::new(middle.x, middle.y).map_or([1.0, 1.0], Place::degree_m);
        let mut drawn = Self { middle, degree_m, shapes: Vec::new() };
        let flat = |outline: &Option<MultiPolygon>| {
            let [east_m, north_m] = degree_m;
            let metres = |at: Coord| Coord { x: (at.x - middle.x) * east_m, y: (at.y - middle.y) * north_m };
            // Shapefiles draw their rings clockwise, and the union takes a ring drawn so for a hole.
            outline.as_ref().map(|outline| outline.map_coords(metres).orient(Direction::Default))
        };
        drawn.shapes = areas.outline.iter().map(flat).collect();
        drawn
    }

    fn degrees(&self, shape: &MultiPolygon) -> MultiPolygon {
        let [east_m, north_m] = self.degree_m;
        shape.map_coords(|at| Coord { x: self.middle.x + at.x / east_m, y: self.middle.y + at.y / north_m })
    }

    fn index(&self, members: &[usize]) -> Index {
        let framed = |&area: &usize| {
            let frame = self.shapes[area].as_ref()?.bounding_rect()?;
            Some(GeomWithData::new(Rectangle::from_corners(corner(frame.min()), corner(frame.max())), area))
        };
        RTree::bulk_load(members.iter().filter_map(framed).collect())
    }
}

/// The areas whose frames come so near to a shape, ascending.
fn near(shape: &impl BoundingRect<f64, Output = Option<Rect>>, away_m: f64, index: &Index) -> Vec<usize> {
    let Some(frame) = shape.bounding_rect() else { return Vec::new() };
    let away = Coord { x: away_m, y: away_m };
    let frame = AABB::from_corners(corner(frame.min() - away), corner(frame.max() + away));
    let mut areas: Vec<usize> =
        index.locate_in_envelope_intersecting(&frame).map(|found| found.data).collect();
    areas.sort_unstable();
    areas
}

fn corner(at: Coord) -> [f64; 2] {
    [at.x, at.y]
}

/// Where the drawing cannot be meant.
struct Spot {
    area: usize,
    other: Other,
    /// In degrees.
    shape: MultiPolygon,
}

/// What a spot is, and which other areas it concerns.
enum Other {
    Outside { parent: usize, share: f64 },
    Overlap(usize),
    Gap(Vec<usize>),
}

/// Pieces of a shape that are wide enough to be meant, and how many are not, with their area.
struct Pieces {
    meant: MultiPolygon,
    slivers: usize,
    slivers_m2: f64,
}

/// What one search found: spots, and slivers with their area.
type Findings = (Vec<Spot>, usize, f64);

fn pieces(shape: MultiPolygon) -> Pieces {
    let (meant, narrow): (Vec<Polygon>, Vec<Polygon>) =
        shape.into_iter().partition(|piece| width_m(piece) >= SLIVER_M);
    let narrow: Vec<f64> = narrow.iter().map(Area::unsigned_area).filter(|area| *area > 0.0).collect();
    Pieces { meant: MultiPolygon::new(meant), slivers: narrow.len(), slivers_m2: narrow.iter().sum() }
}

/// Half of the way around: the length of a strip.
fn half_way_round_m(piece: &Polygon) -> f64 {
    let rings = std::iter::once(piece.exterior()).chain(piece.interiors());
    rings.map(|ring| Euclidean.length(ring)).sum::<f64>() / 2.0
}

/// The width of a strip of this area and this way around.
fn width_m(piece: &Polygon) -> f64 {
    let half = half_way_round_m(piece);
    if half > 0.0 { piece.unsigned_area() / half } else { 0.0 }
}

fn outside_parents(drawn: &Drawn, parents: &[Option<usize>], progress: &Progress) -> Result<Findings> {
    let found: Vec<Option<(Spot, Pieces)>> = (0..parents.len())
        .into_par_iter()
        .map(|area| {
            progress.step(1)?;
            let drawing = |area: usize| drawn.shapes[area].as_ref();
            let Some((parent, (own, above))) =
                parents[area].and_then(|parent| Some((parent, drawing(area).zip(drawing(parent))?)))
            else {
                return Ok(None);
            };
            let outside = pieces(own.difference(above));
            let share = outside.meant.unsigned_area() / own.unsigned_area();
            let spot =
                Spot { area, other: Other::Outside { parent, share }, shape: drawn.degrees(&outside.meant) };
            Ok(Some((spot, outside)))
        })
        .collect::<Result<_>>()?;
    Ok(sum_up(found.into_iter().flatten()))
}

fn overlaps(
    drawn: &Drawn,
    members: &[usize],
    index: &Index,
    parents: &[Option<usize>],
    progress: &Progress,
) -> Result<Findings> {
    let found: Vec<Vec<(Spot, Pieces)>> = members
        .par_iter()
        .map(|&area| {
            progress.check()?;
            let Some(own) = drawn.shapes[area].as_ref() else { return Ok(Vec::new()) };
            let above = area::above(parents, area);
            let kin = |other: usize| above.contains(&other) || area::above(parents, other).contains(&area);
            let mut found = Vec::new();
            for other in near(own, 0.0, index).into_iter().filter(|&other| other > area && !kin(other)) {
                progress.check()?;
                let Some(theirs) = drawn.shapes[other].as_ref() else { continue };
                let shared = pieces(own.intersection(theirs));
                let shape = drawn.degrees(&shared.meant);
                found.push((Spot { area, other: Other::Overlap(other), shape }, shared));
            }
            Ok(found)
        })
        .collect::<Result<_>>()?;
    Ok(sum_up(found.into_iter().flatten()))
}

/// Holes of the union of a level, and strips between areas that are open to the outside.
fn gaps(drawn: &Drawn, members: &[usize], index: &Index, progress: &Progress) -> Result<Findings> {
    let shapes: Vec<&MultiPolygon> = members.iter().filter_map(|&area| drawn.shapes[area].as_ref()).collect();
    let union = unary_union(shapes);
    progress.check()?;
    let holes = union.iter().flat_map(Polygon::interiors).map(|ring| Polygon::new(ring.clone(), vec![]));
    let holes: Vec<Polygon> = holes.collect();
    // An area may stand in a hole of the others: what is left of the hole is the gap.
    let holes = MultiPolygon::new(holes).difference(&union);
    let filled = unary_union(
        union.iter().map(|part| Polygon::new(part.exterior().clone(), vec![])).collect::<Vec<_>>().iter(),
    );
    progress.check()?;
    let closed = filled.buffer(GAP_WIDTH_M / 2.0).buffer(-GAP_WIDTH_M / 2.0);
    progress.check()?;
    // Closing rounds corners with chords: what is narrower than a sliver here may be the rounding.
    let is_strip =
        |strip: &Polygon| half_way_round_m(strip) > 2.0 * GAP_WIDTH_M && width_m(strip) >= SLIVER_M;
    let strips = closed.difference(&filled).into_iter().filter(is_strip);
    let beside = |gap: &Polygon| -> Vec<usize> {
        let near = near(gap, BESIDE_M, index).into_iter();
        let touches = |area: &usize| {
            drawn.shapes[*area].as_ref().is_some_and(|shape| Euclidean.distance(gap, shape) < BESIDE_M)
        };
        near.filter(touches).collect()
    };
    let mut found = Vec::new();
    let both = holes.into_iter().map(|hole| (hole, 1)).chain(strips.map(|strip| (strip, 2)));
    for (gap, fewest) in both {
        progress.check()?;
        let around = beside(&gap);
        if around.len() < fewest {
            continue;
        }
        let gap = pieces(MultiPolygon::new(vec![gap]));
        let shape = drawn.degrees(&gap.meant);
        found.push((Spot { area: around[0], other: Other::Gap(around[1..].to_vec()), shape }, gap));
    }
    found.sort_by_key(|(spot, _)| spot.area);
    Ok(sum_up(found.into_iter()))
}

fn sum_up(found: impl Iterator<Item = (Spot, Pieces)>) -> Findings {
    let mut all = (Vec::new(), 0, 0.0);
    for (spot, pieces) in found {
        all.1 += pieces.slivers;
        all.2 += pieces.slivers_m2;
        if !pieces.meant.0.is_empty() {
            all.0.push(spot);
        }
    }
    all
}

/// All spots, and what is too narrow to be one.
#[derive(Default)]
struct Found {
    spots: Vec<Spot>,
    slivers: usize,
    slivers_m2: f64,
}

impl Found {
    fn keep(&mut self, (spots, slivers, slivers_m2): Findings) {
        self.spots.extend(spots);
        self.slivers += slivers;
        self.slivers_m2 += slivers_m2;
    }

    fn problems(self, areas: &Areas, cells: Option<&Cells>, progress: &Progress) -> Result<Vec<Problem>> {
        let people = match cells {
            None => vec![None; self.spots.len()],
            Some(cells) => self.people(cells, progress)?.into_iter().map(Some).collect(),
        };
        let mut problems = Vec::with_capacity(self.spots.len() + 1);
        for (spot, people) in self.spots.iter().zip(people) {
            let area_m2 = area_m2(&spot.shape);
            let fault = match &spot.other {
                Other::Outside { parent, share } => {
                    AreaFault::OutsideParent { parent: areas.label(*parent), share: *share, area_m2, people }
                }
                Other::Overlap(other) => {
                    AreaFault::Overlap { neighbour: areas.label(*other), area_m2, people }
                }
                Other::Gap(others) => {
                    let neighbours: Vec<String> = others.iter().map(|&other| areas.label(other)).collect();
                    AreaFault::Gap { neighbours: neighbours.join(", "), area_m2, people }
                }
            };
            problems.push(areas.problem(spot.area, fault.into()));
        }
        if self.slivers > 0 {
            let fault =
                AreaFault::Slivers { count: self.slivers, area_m2: self.slivers_m2, narrower_m: SLIVER_M };
            problems.push(Problem::of_file(&areas.file, fault.into()));
        }
        Ok(problems)
    }

    /// The people in each spot, by the rule that brings cells to areas.
    fn people(&self, cells: &Cells, progress: &Progress) -> Result<Vec<f64>> {
        let mut spots = Areas::default();
        for (number, spot) in self.spots.iter().enumerate() {
            spots.push_bare(number.to_string(), Some(spot.shape.clone()));
        }
        let parts = apportion::parts(&cells.cell, &spots, progress)?;
        Ok(apportion::people(&parts, &cells.people))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo::polygon;

    const MIDDLE: (f64, f64) = (106.55, 29.56);

    /// A rectangle in metres from the middle of the town: west, south, east, north.
    fn rectangle([west, south, east, north]: [f64; 4]) -> MultiPolygon {
        let [east_m, north_m] = Place::new(MIDDLE.0, MIDDLE.1).unwrap().degree_m();
        let at = |x: f64, y: f64| Coord { x: MIDDLE.0 + x / east_m, y: MIDDLE.1 + y / north_m };
        let ring = [at(west, south), at(east, south), at(east, north), at(west, north)];
        MultiPolygon::new(vec![polygon![ring[0], ring[1], ring[2], ring[3]]])
    }

    fn town(level: Option<&str>, rectangles: &[(&str, [f64; 4])]) -> Areas {
        let mut areas = Areas::default();
        for (id, corners) in rectangles {
            areas.push_bare((*id).to_owned(), Some(rectangle(*corners)));
        }
        areas.level = vec![level.map(str::to_owned); areas.id.len()];
        areas
    }

    /// Code, id, others, whole square metres.
    fn told(areas: &Areas) -> Vec<(String, String, String, f64)> {
        let problems = findings(areas, None, &Progress::default()).unwrap();
        let tell = |problem: Problem| {
            let crate::model::problem::Fault::Area(fault) = &problem.fault else { panic!("{problem}") };
            let (others, area_m2) = match fault {
                AreaFault::Overlap { neighbour, area_m2, .. } => (neighbour.clone(), *area_m2),
                AreaFault::Gap { neighbours, area_m2, .. } => (neighbours.clone(), *area_m2),
                AreaFault::OutsideParent { parent, area_m2, .. } => (parent.clone(), *area_m2),
                AreaFault::Slivers { count, area_m2, .. } => (count.to_string(), *area_m2),
                other => panic!("{other:?}"),
            };
            (problem.fault.code().to_owned(), problem.id.unwrap_or_default(), others, area_m2)
        };
        problems.into_iter().map(tell).collect()
    }

    #[track_caller]
    fn assert_told(areas: &Areas, expected: &[(&str, &str, &str, f64)]) {
        let told = told(areas);
        assert_eq!(told.len(), expected.len(), "{told:?}");
        for (found, wanted) in told.iter().zip(expected) {
            assert_eq!(
                (found.0.as_str(), found.1.as_str(), found.2.as_str()),
                (wanted.0, wanted.1, wanted.2)
            );
            assert!((found.3 - wanted.3).abs() < 1.0 + wanted.3 * 0.002, "{found:?} instead of {wanted:?}");
        }
    }

    #[test]
    fn it_does_not_matter_which_way_round_an_area_is_drawn() {
        let ring = [
            ("south", [0.0, 0.0, 500.0, 100.0]),
            ("east", [300.0, 100.0, 500.0, 180.0]),
            ("north", [0.0, 180.0, 500.0, 400.0]),
            ("west", [0.0, 100.0, 200.0, 180.0]),
            ("yard", [210.0, 110.0, 290.0, 170.0]),
        ];
        let mut areas = town(None, &ring);
        for turned in [0, 4] {
            let outline = areas.outline[turned].as_mut().unwrap();
            outline.0[0].exterior_mut(|corners| corners.0.reverse());
        }
        let gap = 100.0 * 80.0 - 80.0 * 60.0;
        assert_told(&areas, &[("gap_between_areas", "south", "east, north, west, yard", gap)]);
    }

    #[test]
    fn neighbours_that_meet_are_in_order() {
        let areas = town(None, &[("a", [0.0, 0.0, 500.0, 300.0]), ("b", [500.0, 0.0, 900.0, 500.0])]);
        assert_told(&areas, &[]);
    }

    #[test]
    fn an_overlap_is_told_with_its_area_and_a_sliver_is_counted() {
        let areas = town(
            None,
            &[
                ("a", [0.0, 0.0, 500.0, 300.0]),
                ("b", [480.0, 0.0, 900.0, 300.0]),
                ("c", [0.0, 299.5, 500.0, 600.0]),
            ],
        );
        // c overlaps a over 500 m and b over 20 m, half a metre wide.
        assert_told(
            &areas,
            &[("areas_overlap", "a", "b", 20.0 * 300.0), ("slivers", "", "2", 0.5 * (500.0 + 20.0))],
        );
    }

    /// Four areas around a yard of 100 m by 80 m; the outside of the town is no gap.
    #[test]
    fn a_hole_between_areas_is_a_gap_and_the_outside_is_none() {
        let ring = [
            ("south", [0.0, 0.0, 500.0, 100.0]),
            ("east", [300.0, 100.0, 500.0, 180.0]),
            ("north", [0.0, 180.0, 500.0, 400.0]),
            ("west", [0.0, 100.0, 200.0, 180.0]),
        ];
        assert_told(&town(None, &ring), &[("gap_between_areas", "south", "east, north, west", 100.0 * 80.0)]);
        assert_told(&town(Some("小区"), &ring), &[]);
        let mut filled = ring.to_vec();
        filled.push(("yard", [200.0, 100.0, 300.0, 180.0]));
        assert_told(&town(Some("社区"), &filled), &[]);
    }

    /// A street of 20 m is left out between two areas; the strip is open at both ends, where 12 m (the part that a circle
    /// of 50 m cannot leave) may or may not count. A notch of the outer border is none.
    #[test]
    fn a_street_left_out_between_two_areas_is_a_gap() {
        let apart = town(None, &[("a", [0.0, 0.0, 500.0, 600.0]), ("b", [520.0, 0.0, 900.0, 600.0])]);
        let found = told(&apart);
        assert_eq!((found.len(), found[0].0.as_str(), found[0].2.as_str()), (1, "gap_between_areas", "b"));
        assert!((found[0].3 - 20.0 * 600.0).abs() < 20.0 * 12.0, "{found:?}");
        let stairs = [("a", [0.0, 0.0, 500.0, 600.0]), ("b", [500.0, 0.0, 900.0, 200.0])];
        assert_told(&town(None, &stairs), &[]);
        let far = [("a", [0.0, 0.0, 500.0, 600.0]), ("b", [580.0, 0.0, 900.0, 600.0])];
        assert_told(&town(None, &far), &[]);
    }

    #[test]
    fn a_child_is_in_its_parent_and_does_not_overlap_it() {
        let mut areas = town(
            None,
            &[
                ("district", [0.0, 0.0, 900.0, 600.0]),
                ("in", [0.0, 0.0, 400.0, 600.0]),
                ("out", [400.0, 0.0, 1000.0, 600.0]),
            ],
        );
        areas.parent_id = vec![None, Some("district".to_owned()), Some("district".to_owned())];
        assert_told(&areas, &[("outside_parent", "out", "district", 100.0 * 600.0)]);
        let problems = findings(&areas, None, &Progress::default()).unwrap();
        assert!(problems[0].message().en.contains("(16.7 %)"), "{}", problems[0]);
    }
}
