//! Terrain heights on a grid of longitude and latitude.

use super::place::Place;

/// One raster of heights; values belong to the centres of its pixels.
#[derive(Debug, Clone)]
pub struct ElevationGrid {
    /// Longitude of the centre of the first column, degrees.
    pub west: f64,
    /// Latitude of the centre of the first row, degrees.
    pub north: f64,
    /// Degrees between columns.
    pub step_lon: f64,
    /// Degrees between rows, positive although rows go south.
    pub step_lat: f64,
    /// Number of columns.
    pub width: usize,
    /// Heights in metres row by row from the north; NaN where the source has none.
    pub heights_m: Vec<f32>,
}

impl ElevationGrid {
    /// Number of rows.
    pub fn height(&self) -> usize {
        self.heights_m.len() / self.width
    }

    /// Height at a place in metres, bilinear between the four pixels around it.
    ///
    /// `None` outside the raster and where one of the pixels that count is void. Within half a pixel of the
    /// border the nearest pixels count, so that neighbouring tiles leave no gap between them.
    pub fn sample_m(&self, place: Place) -> Option<f32> {
        let column = (place.lon() - self.west) / self.step_lon;
        let row = (self.north - place.lat()) / self.step_lat;
        let (last_column, last_row) = ((self.width - 1) as f64, (self.height() - 1) as f64);
        let inside = (-0.5..=last_column + 0.5).contains(&column) && (-0.5..=last_row + 0.5).contains(&row);
        if !inside {
            return None;
        }
        let (column, row) = (column.clamp(0.0, last_column), row.clamp(0.0, last_row));
        let mut sum = 0.0;
        for (dy, weight_y) in weights(row) {
            for (dx, weight_x) in weights(column) {
                let weight = weight_x * weight_y;
                if weight > 0.0 {
                    sum += weight * f64::from(self.heights_m[dy * self.width + dx]);
                }
            }
        }
        sum.is_finite().then_some(sum as f32)
    }
}

/// The two grid lines around a position and their weights; the second may lie outside when its weight is 0.
fn weights(position: f64) -> [(usize, f64); 2] {
    let share = position.fract();
    let line = position as usize;
    [(line, 1.0 - share), (line + 1, share)]
}

/// Rasters side by side; the first that knows a place answers.
#[derive(Debug, Clone, Default)]
pub struct Elevation {
    /// The rasters, in the order given by the user.
    pub grids: Vec<ElevationGrid>,
}

impl Elevation {
    /// Height at a place in metres, or `None` where no raster knows it.
    pub fn sample_m(&self, place: Place) -> Option<f32> {
        self.grids.iter().find_map(|grid| grid.sample_m(place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plane(width: usize, height: usize, of: impl Fn(f64, f64) -> f64) -> ElevationGrid {
        let (west, north, step) = (106.5, 29.6, 1.0 / 3600.0);
        let heights_m = (0..height)
            .flat_map(|row| (0..width).map(move |column| (row, column)))
            .map(|(row, column)| of(west + column as f64 * step, north - row as f64 * step) as f32)
            .collect();
        ElevationGrid { west, north, step_lon: step, step_lat: step, width, heights_m }
    }

    proptest! {
        /// Closed formula: bilinear sampling of a plane gives the plane back.
        #[test]
        fn a_plane_is_sampled_exactly(x in 0.0..19.0, y in 0.0..9.0) {
            let of = |lon: f64, lat: f64| 200.0 + (lon - 106.5) * 36_000.0 + (lat - 29.6) * 7_200.0;
            let grid = plane(20, 10, of);
            let place = Place::new(106.5 + x / 3600.0, 29.6 - y / 3600.0).unwrap();
            let found = f64::from(grid.sample_m(place).unwrap());
            prop_assert!((found - of(place.lon(), place.lat())).abs() < 1e-3);
        }
    }

    #[test]
    fn outside_and_void_are_unknown() {
        let mut grid = plane(4, 4, |_, _| 100.0);
        grid.heights_m[5] = f32::NAN;
        let at = |x: f64, y: f64| grid.sample_m(Place::new(106.5 + x / 3600.0, 29.6 - y / 3600.0).unwrap());
        assert_eq!(at(3.4, 3.4), Some(100.0));
        assert_eq!(at(1.2, 1.2), None);
        assert_eq!(at(4.0, 1.0), None);
    }
}
