//! The terrain as a raster.

use super::City;
use crate::io;
use crate::model::elevation::ElevationGrid;
use crate::model::error::Result;
use crate::model::place::Place;
use crate::model::progress::Progress;
use crate::model::projection::Projection;
use geo::Coord;
use rayon::prelude::*;
use std::path::Path;

/// Pixels of about 30 m, as terrain models have them: this many to a degree of latitude and of longitude.
const PIXELS_NORTH: f64 = 3600.0;
const PIXELS_EAST: f64 = 3240.0;
/// Metres around the lattice: more than its warp moves a junction.
const ROOM_M: f64 = 500.0;

/// Write the raster.
pub fn write(path: &Path, city: &City, progress: &Progress) -> Result<()> {
    let half_m = city.lattice.half_side_m() + ROOM_M;
    let corner = |x: f64, y: f64| city.lattice.place(Coord { x: x * half_m, y: y * half_m });
    let (north_west, south_east) = (corner(-1.0, 1.0), corner(1.0, -1.0));
    let west = north_west.lon().min(corner(-1.0, -1.0).lon());
    let east = south_east.lon().max(corner(1.0, 1.0).lon());
    let (step_x, step_y) = (1.0 / PIXELS_EAST, 1.0 / PIXELS_NORTH);
    let width = ((east - west) / step_x).ceil() as usize + 1;
    let height = ((north_west.lat() - south_east.lat()) / step_y).ceil() as usize + 1;
    progress.begin("writing terrain", height)?;
    let row = |row: usize| {
        progress.step(1)?;
        let lat = north_west.lat() - row as f64 * step_y;
        let pixel = |column: usize| {
            Place::new(west + column as f64 * step_x, lat).map_or(f32::NAN, |place| {
                let height_m = city.lattice.terrain.height_m(city.lattice.flat(place));
                // Tenths of a metre, as surveys give them.
                (height_m * 10.0).round() as f32 / 10.0
            })
        };
        Ok((0..width).map(pixel).collect())
    };
    let rows: Vec<Vec<f32>> = (0..height).into_par_iter().map(row).collect::<Result<_>>()?;
    let grid = ElevationGrid {
        projection: Projection::Degrees,
        left: west,
        top: north_west.lat(),
        step_x,
        step_y,
        width,
        heights_m: rows.concat(),
        window: None,
    };
    io::elevation::write(path, &grid)
}
