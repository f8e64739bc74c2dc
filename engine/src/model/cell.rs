//! H3 cells: reading their ids, their places and outlines.

use super::limits::Amount;
use super::place::Place;
use super::problem::Fault;
use geo::{Coord, LineString, MultiPolygon, Polygon};
use h3o::{CellIndex, LatLng, Resolution};

/// The cell with this id, or `None` when the id is no H3 cell.
pub fn from_id(id: u64) -> Option<CellIndex> {
    CellIndex::try_from(id).ok()
}

/// The cell with this hexadecimal id, or `None` when the text is no H3 cell.
pub fn from_hex(text: &str) -> Option<CellIndex> {
    u64::from_str_radix(text.trim(), 16).ok().and_then(from_id)
}

/// The H3 resolution 0..15, or `None`.
pub fn resolution(number: u8) -> Option<Resolution> {
    Resolution::try_from(number).ok()
}

/// The cell that holds a place.
pub fn at(place: Place, resolution: Resolution) -> CellIndex {
    LatLng::new(place.lat(), place.lon()).expect("a place is finite").to_cell(resolution)
}

/// The centre of a cell.
pub fn centre(cell: CellIndex) -> Place {
    let centre = LatLng::from(cell);
    Place::new(centre.lng(), centre.lat()).expect("a cell centre is a place")
}

/// The outline of a cell in degrees; in two parts where it crosses the antimeridian.
pub fn outline(cell: CellIndex) -> MultiPolygon {
    h3o::geom::SolventBuilder::new()
        .build()
        .dissolve(Some(cell))
        .expect("one cell has no duplicates and one resolution")
}

/// The authalic radius of the earth, by which H3 measures its cells.
const EARTH_M: f64 = 6_371_007.181;

/// About how many cells share a point with an outline: those that its area holds, and one for every edge length of its
/// rings. Edges are straight in degrees, as H3 takes them: between corners far apart a geodesic would be another outline.
pub fn estimate(outline: &MultiPolygon, resolution: Resolution) -> u64 {
    let rings =
        || outline.iter().flat_map(|polygon| std::iter::once(polygon.exterior()).chain(polygon.interiors()));
    let of_polygon = |polygon: &Polygon| {
        let holes: f64 = polygon.interiors().iter().map(ring_area_m2).sum();
        (ring_area_m2(polygon.exterior()) - holes).max(0.0)
    };
    let area_m2: f64 = outline.iter().map(of_polygon).sum();
    let around_m: f64 = rings().flat_map(edges).map(|edge| edge.length_m()).sum();
    let cells = area_m2 / resolution.area_m2() + around_m / resolution.edge_length_m();
    // An outline with corners beyond the earth has no area: it must not pass for a small one.
    if cells.is_finite() { (cells as u64).saturating_add(1) } else { u64::MAX }
}

/// An edge straight in degrees, in radians.
struct Edge {
    east: f64,
    south: f64,
    north: f64,
}

fn edges(ring: &LineString) -> impl Iterator<Item = Edge> {
    ring.lines().map(|edge| {
        let (south, north) = (edge.start.y.min(edge.end.y), edge.start.y.max(edge.end.y));
        Edge { east: short_way(edge.dx()).to_radians(), south: south.to_radians(), north: north.to_radians() }
    })
}

impl Edge {
    /// The area between the edge and the equator on a unit sphere, more than 0 where the edge leads east in the north: its way
    /// east times the mean of sin over its latitudes.
    fn down_to_the_equator(&self) -> f64 {
        let rise = self.north - self.south;
        let middle = f64::midpoint(self.south, self.north);
        // (cos south - cos north) / rise, which is 0 / 0 where the edge is level.
        let half = rise / 2.0;
        self.east * middle.sin() * if half > 0.0 { half.sin() / half } else { 1.0 }
    }

    /// Its length, or more: as if all of it were where the meridians are the farthest apart.
    fn length_m(&self) -> f64 {
        let nearest_the_equator =
            if self.south * self.north < 0.0 { 0.0 } else { self.south.abs().min(self.north.abs()) };
        EARTH_M * (self.east * nearest_the_equator.cos()).hypot(self.north - self.south)
    }
}

fn ring_area_m2(ring: &LineString) -> f64 {
    EARTH_M * EARTH_M * edges(ring).map(|edge| edge.down_to_the_equator()).sum::<f64>().abs()
}

/// The same outline in edges of a degree at most. H3's tiler walks along an edge straight in degrees in as many steps as its
/// great circle has cells: over a long one near a pole they are too few, and the coverage runs out through the gaps over the
/// whole earth (found by a fuzzer).
pub fn with_short_edges(outline: &MultiPolygon) -> MultiPolygon {
    let polygon = |polygon: &Polygon| {
        Polygon::new(short_edges(polygon.exterior()), polygon.interiors().iter().map(short_edges).collect())
    };
    outline.iter().map(polygon).collect()
}

fn short_edges(ring: &LineString) -> LineString {
    const LONGEST_DEGREES: f64 = 1.0;
    let mut corners: Vec<Coord> = ring.0.first().copied().into_iter().collect();
    for edge in ring.lines() {
        let east = short_way(edge.dx());
        let pieces = (east.hypot(edge.dy()) / LONGEST_DEGREES).ceil().max(1.0);
        for piece in 1..pieces as u32 {
            let part = f64::from(piece) / pieces;
            let lon = edge.start.x + east * part;
            let around = if lon.abs() > 180.0 { 360.0 * lon.signum() } else { 0.0 };
            corners.push(Coord { x: lon - around, y: edge.start.y + edge.dy() * part });
        }
        corners.push(edge.end);
    }
    LineString::new(corners)
}

/// Degrees of longitude the short way round.
fn short_way(degrees: f64) -> f64 {
    if degrees.abs() > 180.0 { degrees - 360.0 * degrees.signum() } else { degrees }
}

/// Refuse work on more cells than the limit; `count` tells how many there are at a resolution.
///
/// # Errors
/// A fault that names the number, and the finest resolution at which there are few enough.
pub fn refuse_too_many(resolution: Resolution, count: impl Fn(Resolution) -> u64) -> Result<(), Fault> {
    let most = Amount::Cells.most();
    let cells = count(resolution);
    if cells <= most {
        return Ok(());
    }
    let coarser = std::iter::successors(resolution.pred(), |resolution| resolution.pred());
    let fits = coarser.into_iter().find(|&coarser| count(coarser) <= most);
    Err(Fault::TooManyCells { cells, most, resolution: resolution.into(), coarser: fits.map(u8::from) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo::polygon;
    use h3o::geom::{ContainmentMode, TilerBuilder};

    fn around(half: f64, lat: f64) -> MultiPolygon {
        let (west, east, south, north) = (106.5 - half, 106.5 + half, lat - half, lat + half);
        polygon![(x: west, y: south), (x: east, y: south), (x: east, y: north), (x: west, y: north)].into()
    }

    #[test]
    fn the_estimate_does_not_hang_on_the_way_round() {
        let corners = [(106.5, 29.5), (106.6, 29.5), (106.6, 29.6), (106.5, 29.6), (106.5, 29.5)];
        let of = |ring: Vec<(f64, f64)>| {
            estimate(&MultiPolygon::new(vec![Polygon::new(ring.into(), vec![])]), Resolution::Nine)
        };
        assert_eq!(of(corners.to_vec()), of(corners.into_iter().rev().collect()));
    }

    #[test]
    fn the_estimate_is_near_the_count() {
        for (half, lat, resolution) in
            [(0.5, 29.5, Resolution::Six), (0.5, 0.0, Resolution::Seven), (0.2, 60.0, Resolution::Eight)]
        {
            let outline = around(half, lat);
            let mut tiler = TilerBuilder::new(resolution).containment_mode(ContainmentMode::Covers).build();
            tiler.add_batch(outline.0.clone()).unwrap();
            let (count, estimate) =
                (tiler.into_coverage().count() as f64, estimate(&outline, resolution) as f64);
            // Cells differ in size by a third over the earth.
            assert!((0.7..1.5).contains(&(estimate / count)), "{estimate} for {count} at {resolution}");
        }
    }

    #[test]
    fn the_estimate_follows_edges_that_are_straight_in_degrees() {
        // An eighth of the earth, from 90 degrees of longitude and a pole: 4 pi R^2 / 8.
        let eighth = polygon![(x: 0.0, y: 0.0), (x: 90.0, y: 0.0), (x: 90.0, y: 90.0), (x: 0.0, y: 90.0)];
        let area_m2 = ring_area_m2(eighth.exterior());
        assert!(
            (area_m2 / (std::f64::consts::PI * EARTH_M * EARTH_M / 2.0) - 1.0).abs() < 1e-12,
            "{area_m2}"
        );
        // As a geodesic the first edge would lead over the pole and leave next to nothing inside (found by a fuzzer).
        let wide = polygon![(x: 0.0, y: -88.6), (x: -176.5, y: -65.7), (x: -176.5, y: 29.9)];
        assert!(estimate(&wide.into(), Resolution::Five) > 200_000);
        // Across the antimeridian it is the short way.
        let fiji = |west: f64, east: f64| polygon![(x: west, y: -17.0), (x: east, y: -17.0), (x: east, y: -16.0), (x: west, y: -16.0)];
        let here = estimate(&fiji(170.0, 171.0).into(), Resolution::Six);
        assert!(estimate(&fiji(179.5, -179.5).into(), Resolution::Six).abs_diff(here) <= 1);
    }

    #[test]
    fn long_edges_are_cut_where_they_lie() {
        let town = around(0.05, 29.5);
        assert_eq!(with_short_edges(&town), town);
        let wide =
            polygon![(x: 179.0, y: 10.0), (x: -178.0, y: 10.0), (x: -178.0, y: 10.5), (x: 179.0, y: 10.5)];
        let cut = with_short_edges(&wide.clone().into());
        let lons: Vec<f64> = cut.0[0].exterior().coords().map(|at| at.x).collect();
        assert_eq!(lons, [179.0, 180.0, -179.0, -178.0, -178.0, -179.0, -180.0, 179.0, 179.0]);
        assert_eq!(estimate(&cut, Resolution::Seven), estimate(&wide.into(), Resolution::Seven));
    }

    #[test]
    fn an_outline_beyond_the_earth_is_not_taken_for_a_small_one() {
        let ring = vec![(106.5, 29.5), (f64::NAN, 29.5), (106.6, 29.6), (106.5, 29.5)];
        let outline = MultiPolygon::new(vec![Polygon::new(ring.into(), vec![])]);
        assert_eq!(estimate(&outline, Resolution::Nine), u64::MAX);
        assert!(refuse_too_many(Resolution::Nine, |finer| estimate(&outline, finer)).is_err());
    }

    #[test]
    fn too_many_cells_are_refused_with_a_resolution_that_fits() {
        let outline = around(10.0, 30.0);
        let refused = refuse_too_many(Resolution::Twelve, |finer| estimate(&outline, finer)).unwrap_err();
        let Fault::TooManyCells { cells, resolution: 12, coarser: Some(coarser), .. } = refused else {
            panic!("{refused:?}")
        };
        let at = |number: u8| estimate(&outline, resolution(number).unwrap());
        assert!(cells > 50_000_000 && at(coarser) <= 50_000_000 && at(coarser + 1) > 50_000_000);
        assert_eq!(refuse_too_many(Resolution::Five, |finer| estimate(&outline, finer)), Ok(()));
    }

    #[test]
    fn ids_are_read_as_number_and_as_text() {
        let cell = at(Place::new(106.55, 29.56).unwrap(), Resolution::Ten);
        assert_eq!(from_id(u64::from(cell)), Some(cell));
        assert_eq!(from_hex(&format!(" {cell} ")), Some(cell));
        assert_eq!(from_hex("not a cell"), None);
        assert_eq!(from_id(7), None);
    }
}
