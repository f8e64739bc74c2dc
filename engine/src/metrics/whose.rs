//! Which places lie in which areas.

use super::inside::Inside;
use crate::model::area::Areas;
use crate::model::place::Place;
use geo::{BoundingRect, Coord};
use rayon::prelude::*;
use rstar::primitives::GeomWithData;
use rstar::{AABB, RTree};

/// Rows of the places in each area, in their order. An area without outline holds all; areas that overlap share places.
pub fn inside_areas(areas: &Areas, places: &[Place]) -> Vec<Vec<u32>> {
    let points =
        (0..).zip(places).map(|(row, place): (u32, _)| GeomWithData::new([place.lon(), place.lat()], row));
    let index: RTree<GeomWithData<[f64; 2], u32>> = RTree::bulk_load(points.collect());
    areas
        .outline
        .par_iter()
        .map(|outline| {
            let Some(outline) = outline else { return (0..places.len() as u32).collect() };
            let Some(around) = outline.bounding_rect() else { return vec![] };
            let corners =
                AABB::from_corners([around.min().x, around.min().y], [around.max().x, around.max().y]);
            let exact = Inside::new(outline);
            let near = index.locate_in_envelope(&corners);
            let mut rows: Vec<u32> = near
                .filter(|point| exact.holds(Coord { x: point.geom()[0], y: point.geom()[1] }))
                .map(|point| point.data)
                .collect();
            rows.sort_unstable();
            rows
        })
        .collect()
}
