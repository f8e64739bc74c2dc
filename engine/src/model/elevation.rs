//! Terrain heights on the grid of a raster.

use super::place::Place;
use super::projection::Projection;
use rayon::prelude::*;
use serde::Serialize;

/// Voids are filled so many pixels inwards: about 500 m of a 30 m model, wider than a shadow of the radar or a river.
/// What is wider is sea, or was not surveyed. Own limit.
const FILL_PASSES: usize = 16;

/// One raster of heights; values belong to the centres of its pixels.
#[derive(Debug, Clone)]
pub struct ElevationGrid {
    /// The system of x and y.
    pub projection: Projection,
    /// x of the centre of the first column.
    pub left: f64,
    /// y of the centre of the first row.
    pub top: f64,
    /// From column to column.
    pub step_x: f64,
    /// From row to row, positive although y falls.
    pub step_y: f64,
    /// Number of columns.
    pub width: usize,
    /// Heights in metres row by row from the north; NaN where the source has none.
    pub heights_m: Vec<f32>,
    /// What of a larger raster it is, where it is only a part.
    pub window: Option<Window>,
}

/// A part of a raster. Heights are found by the numbers of the whole, so that they are the same to the bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// First column.
    pub column: usize,
    /// First row.
    pub row: usize,
    /// Columns of the whole.
    pub columns: usize,
    /// Rows of the whole.
    pub rows: usize,
}

impl ElevationGrid {
    /// Number of rows.
    pub fn height(&self) -> usize {
        self.heights_m.len() / self.width
    }

    /// What of the whole raster it is.
    pub fn whole(&self) -> Window {
        let (columns, rows) = (self.width, self.height());
        self.window.unwrap_or(Window { column: 0, row: 0, columns, rows })
    }

    /// The height of a pixel of the whole; NaN beyond what is here.
    fn height_m(&self, whole: Window, column: usize, row: usize) -> f32 {
        let inside = (whole.column..whole.column + self.width).contains(&column) && row >= whole.row;
        let at = inside.then(|| (row - whole.row) * self.width + column - whole.column);
        at.and_then(|at| self.heights_m.get(at)).copied().unwrap_or(f32::NAN)
    }

    /// The part that answers for a box of degrees and all that is within some pixels of it; none where the box lies outside.
    pub fn part(&self, [west, south, east, north]: [f64; 4]) -> Option<Self> {
        const STEPS: u32 = 32;
        const PIXELS_BESIDE: f64 = 4.0;
        let whole = self.whole();
        // A straight side of the box is bent in a plane: look along it.
        let share = |step: u32| f64::from(step) / f64::from(STEPS);
        let inside = (0..=STEPS).flat_map(|x| (0..=STEPS).map(move |y| (share(x), share(y))));
        let places =
            inside.filter_map(|(x, y)| Place::new(west + (east - west) * x, south + (north - south) * y));
        let pixels: Vec<(f64, f64)> = places
            .filter_map(|place| self.projection.xy(place))
            .map(|(x, y)| ((x - self.left) / self.step_x, (self.top - y) / self.step_y))
            .collect();
        let range = |of: fn(&(f64, f64)) -> f64, count: usize| {
            let least = pixels.iter().map(of).fold(f64::INFINITY, f64::min) - PIXELS_BESIDE;
            let most = pixels.iter().map(of).fold(f64::NEG_INFINITY, f64::max) + PIXELS_BESIDE;
            (least < count as f64 && most > 0.0)
                .then(|| least.max(0.0) as usize..(most as usize + 1).min(count))
        };
        let (columns, rows) = (range(|pixel| pixel.0, whole.columns)?, range(|pixel| pixel.1, whole.rows)?);
        let heights = rows.clone().flat_map(|row| columns.clone().map(move |column| (column, row)));
        Some(Self {
            projection: self.projection.clone(),
            heights_m: heights.map(|(column, row)| self.height_m(whole, column, row)).collect(),
            width: columns.len(),
            window: Some(Window { column: columns.start, row: rows.start, ..whole }),
            ..*self
        })
    }

    /// Height at a place in metres, bilinear between the four pixels around it.
    ///
    /// `None` outside the raster and where one of the pixels that count is void. Within half a pixel of the
    /// border the nearest pixels count, so that neighbouring tiles leave no gap between them.
    pub fn sample_m(&self, place: Place) -> Option<f32> {
        let (x, y) = self.projection.xy(place)?;
        let column = (x - self.left) / self.step_x;
        let row = (self.top - y) / self.step_y;
        let whole = self.whole();
        let (last_column, last_row) = ((whole.columns - 1) as f64, (whole.rows - 1) as f64);
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
                    sum += weight * f64::from(self.height_m(whole, dx, dy));
                }
            }
        }
        sum.is_finite().then_some(sum as f32)
    }

    /// Metres on the ground from column to column and from row to row, in the middle of the raster.
    pub fn pixel_m(&self) -> (f64, f64) {
        let (column, row) = ((self.width / 2) as f64, (self.height() / 2) as f64);
        let middle = self.centre(column, row);
        let to = |next: Option<Place>| match (middle, next) {
            (Some(middle), Some(next)) => middle.distance_m(next),
            _ => f64::INFINITY, // so coarse a raster that its next pixel is off the earth
        };
        (to(self.centre(column + 1.0, row)), to(self.centre(column, row + 1.0)))
    }

    /// The place of the centre of a pixel.
    pub fn centre(&self, column: f64, row: f64) -> Option<Place> {
        self.projection.place(self.left + column * self.step_x, self.top - row * self.step_y)
    }

    fn voids(&self) -> Vec<usize> {
        (0..self.heights_m.len()).filter(|&at| self.heights_m[at].is_nan()).collect()
    }

    /// Give void pixels the mean of their known neighbours, pass by pass inwards; how many got one.
    ///
    /// A pass reads only what was known before it, so the order of pixels does not matter.
    fn fill(&mut self, mut voids: Vec<usize>) -> u64 {
        let before = voids.len();
        for _ in 0..FILL_PASSES {
            let found: Vec<Option<f32>> = voids.par_iter().map(|&at| self.mean_around(at)).collect();
            let mut left = Vec::new();
            for (&at, mean) in voids.iter().zip(found) {
                match mean {
                    Some(mean) => self.heights_m[at] = mean,
                    None => left.push(at),
                }
            }
            let nothing_new = left.len() == voids.len();
            voids = left;
            if nothing_new {
                break;
            }
        }
        (before - voids.len()) as u64
    }

    /// Mean of the known among the eight neighbours of a pixel.
    fn mean_around(&self, at: usize) -> Option<f32> {
        let (row, column) = (at / self.width, at % self.width);
        let (mut sum, mut known) = (0.0, 0);
        for y in row.saturating_sub(1)..=(row + 1).min(self.height() - 1) {
            for x in column.saturating_sub(1)..=(column + 1).min(self.width - 1) {
                let height = f64::from(self.heights_m[y * self.width + x]);
                if !height.is_nan() {
                    sum += height;
                    known += 1;
                }
            }
        }
        (known > 0).then(|| (sum / f64::from(known)) as f32)
    }
}

/// The two grid lines around a position and their weights; the second may lie outside when its weight is 0.
fn weights(position: f64) -> [(usize, f64); 2] {
    let share = position.fract();
    let line = position as usize;
    [(line, 1.0 - share), (line + 1, share)]
}

/// Pixels without a height in the source that no other raster knows either.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Voids {
    /// How many there were.
    pub found: u64,
    /// How many got a height from their neighbours; the rest stays unknown.
    pub filled: u64,
}

/// Rasters side by side; the first that knows a place answers.
#[derive(Debug, Clone, Default)]
pub struct Elevation {
    /// The rasters, in the order given by the user.
    pub grids: Vec<ElevationGrid>,
    /// What was void in them.
    pub voids: Voids,
}

impl Elevation {
    /// The parts of the rasters that answer for a box of degrees: west, south, east, north.
    #[must_use]
    pub fn part(&self, degrees: [f64; 4]) -> Self {
        Self { grids: self.grids.iter().filter_map(|grid| grid.part(degrees)).collect(), voids: self.voids }
    }

    /// Height at a place in metres, or `None` where no raster knows it.
    pub fn sample_m(&self, place: Place) -> Option<f32> {
        self.grids.iter().find_map(|grid| grid.sample_m(place))
    }

    /// Fill voids from their neighbours. A guess never stands before what another raster knows.
    pub fn fill_voids(&mut self) {
        let voids: Vec<Vec<usize>> = self.grids.iter().map(|grid| self.unknown_everywhere(grid)).collect();
        for (grid, voids) in self.grids.iter_mut().zip(voids) {
            self.voids.found += voids.len() as u64;
            self.voids.filled += grid.fill(voids);
        }
    }

    fn unknown_everywhere(&self, grid: &ElevationGrid) -> Vec<usize> {
        let mut voids = grid.voids();
        if self.grids.len() > 1 {
            voids.retain(|&at| {
                let centre = grid.centre((at % grid.width) as f64, (at / grid.width) as f64);
                centre.and_then(|place| self.sample_m(place)).is_none()
            });
        }
        voids
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STEP: f64 = 1.0 / 3600.0;

    fn grid(width: usize, heights_m: Vec<f32>) -> ElevationGrid {
        let projection = Projection::Degrees;
        ElevationGrid {
            projection,
            left: 106.5,
            top: 29.6,
            step_x: STEP,
            step_y: STEP,
            width,
            heights_m,
            window: None,
        }
    }

    fn plane(width: usize, height: usize, of: impl Fn(f64, f64) -> f64) -> ElevationGrid {
        let pixels = (0..height).flat_map(|row| (0..width).map(move |column| (row, column)));
        let at =
            |(row, column): (usize, usize)| of(106.5 + column as f64 * STEP, 29.6 - row as f64 * STEP) as f32;
        grid(width, pixels.map(at).collect())
    }

    fn spot(x: f64, y: f64) -> Place {
        Place::new(106.5 + x * STEP, 29.6 - y * STEP).unwrap()
    }

    proptest! {
        /// Closed formula: bilinear sampling of a plane gives the plane back.
        #[test]
        fn a_plane_is_sampled_exactly(x in 0.0..19.0, y in 0.0..9.0) {
            let of = |lon: f64, lat: f64| 200.0 + (lon - 106.5) * 36_000.0 + (lat - 29.6) * 7_200.0;
            let grid = plane(20, 10, of);
            let place = spot(x, y);
            let found = f64::from(grid.sample_m(place).unwrap());
            prop_assert!((found - of(place.lon(), place.lat())).abs() < 1e-3);
        }

        /// What a part says of a place in its box is what the whole says, to the bit, in degrees and in a plane.
        #[test]
        fn a_part_answers_as_the_whole(
            (x, width) in (0.0..30.0, 0.5..15.0), (y, height) in (0.0..20.0, 0.5..10.0),
            (east, north) in (0.0..1.0_f64, 0.0..1.0_f64), is_plane in any::<bool>(), seed in any::<u32>(),
        ) {
            let (columns, rows) = (40_u32, 25_u32);
            let rough = |pixel: u32| pixel.wrapping_mul(2_654_435_761).wrapping_add(seed) as f32 / 1e6;
            let mut whole = grid(columns as usize, (0..columns * rows).map(rough).collect());
            if is_plane {
                whole.projection = Projection::from_epsg(32_648).unwrap();
                let (left, top) = whole.projection.xy(Place::new(106.5, 29.6).unwrap()).unwrap();
                (whole.left, whole.top, whole.step_x, whole.step_y) = (left, top, 28.0, 30.0);
            }
            let corner = whole.centre(x, y + height).unwrap();
            let other = whole.centre(x + width, y).unwrap();
            let [west, south] = [corner.lon().min(other.lon()), corner.lat().min(other.lat())];
            let [right, upper] = [corner.lon().max(other.lon()), corner.lat().max(other.lat())];
            let place = Place::new(west + (right - west) * east, south + (upper - south) * north).unwrap();
            let part = whole.part([west, south, right, upper]);
            let found = part.as_ref().and_then(|part| part.sample_m(place));
            prop_assert_eq!(found.map(f32::to_bits), whole.sample_m(place).map(f32::to_bits));
            if let Some(again) = part.and_then(|part| part.part([west, south, right, upper])) {
                prop_assert_eq!(again.sample_m(place).map(f32::to_bits), found.map(f32::to_bits));
            }
        }

        /// The slow twin looks at every pixel in every pass and copies the raster before each.
        #[test]
        fn filling_equals_its_slow_twin(
            width in 1..40_usize, height in 1..40_usize, share in 0.0..1.0_f64, seed in any::<u64>(),
        ) {
            let mut random = seed;
            let mut next = || {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (random >> 40) as f64 / f64::from(1 << 24)
            };
            let height_m = |_| if next() < share.sqrt() { f32::NAN } else { next() as f32 };
            let heights: Vec<f32> = (0..width * height).map(height_m).collect();
            let (twin, filled) = filled_slowly(width, heights.clone());
            let mut elevation = Elevation { grids: vec![grid(width, heights)], ..Elevation::default() };
            elevation.fill_voids();
            let fast = &elevation.grids[0].heights_m;
            prop_assert!(fast.iter().zip(&twin).all(|(a, b)| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan()));
            prop_assert_eq!(elevation.voids.filled, filled);
        }
    }

    fn filled_slowly(width: usize, mut heights: Vec<f32>) -> (Vec<f32>, u64) {
        let (mut filled, rows) = (0, (heights.len() / width) as i64);
        for _ in 0..16 {
            let before = heights.clone();
            for at in (0..heights.len()).filter(|&at| before[at].is_nan()) {
                let (y, x) = ((at / width) as i64, (at % width) as i64);
                let around = (-1..=1).flat_map(|dy| (-1..=1).map(move |dx| (y + dy, x + dx)));
                let known: Vec<f64> = around
                    .filter(|&(y, x)| (0..rows).contains(&y) && (0..width as i64).contains(&x))
                    .map(|(y, x)| f64::from(before[y as usize * width + x as usize]))
                    .filter(|height| !height.is_nan())
                    .collect();
                if !known.is_empty() {
                    heights[at] = (known.iter().sum::<f64>() / known.len() as f64) as f32;
                    filled += 1;
                }
            }
        }
        (heights, filled)
    }

    #[test]
    fn outside_and_void_are_unknown() {
        let mut grid = plane(4, 4, |_, _| 100.0);
        grid.heights_m[5] = f32::NAN;
        let at = |x: f64, y: f64| grid.sample_m(spot(x, y));
        assert_eq!(at(3.4, 3.4), Some(100.0));
        assert_eq!(at(1.2, 1.2), None);
        assert_eq!(at(4.0, 1.0), None);
    }

    const NO: f32 = f32::NAN;

    fn filled(width: usize, heights_m: &[f32]) -> (Vec<f32>, Voids) {
        let grids = vec![grid(width, heights_m.to_vec())];
        let mut elevation = Elevation { grids, ..Elevation::default() };
        elevation.fill_voids();
        (elevation.grids.remove(0).heights_m, elevation.voids)
    }

    #[test]
    fn a_void_gets_the_mean_of_what_is_known_around_it() {
        let (heights, voids) = filled(3, &[1.0, 2.0, 3.0, 4.0, NO, 6.0, 7.0, 8.0, 14.0]);
        assert_eq!(heights, [1.0, 2.0, 3.0, 4.0, 5.625, 6.0, 7.0, 8.0, 14.0]);
        assert_eq!(voids, Voids { found: 1, filled: 1 });
    }

    #[test]
    fn a_pass_reads_only_what_was_known_before_it() {
        // A corner is known, one ring after the other follows it: each with the corner's height, and never another.
        let mut heights = vec![NO; 25];
        heights[0] = 8.0;
        assert_eq!(filled(5, &heights), (vec![8.0; 25], Voids { found: 24, filled: 24 }));
        // A line: the first pass knows 0 and 8 at the ends, the second fills the middle from both at once.
        let (line, voids) = filled(5, &[0.0, NO, NO, NO, 8.0]);
        assert_eq!((line, voids.filled), (vec![0.0, 0.0, 4.0, 8.0, 8.0], 3));
        // By hand: first the ring around the middle, each from its outer neighbours; then the middle from the ring.
        let ring = [
            [0.0, 0.0, 0.0, 0.0, 8.0],
            [0.0, NO, NO, NO, 8.0],
            [0.0, NO, NO, NO, 8.0],
            [0.0, NO, NO, NO, 8.0],
            [0.0, 0.0, 0.0, 0.0, 8.0],
        ];
        let (heights, voids) = filled(5, &ring.concat());
        assert_eq!(heights[6..9], [0.0, 0.0, 24.0 / 5.0]);
        assert_eq!(heights[11..14], [0.0, 2.2, 8.0]);
        assert_eq!(voids, Voids { found: 9, filled: 9 });
    }

    #[test]
    fn what_is_far_from_land_stays_unknown() {
        assert_eq!(filled(3, &[NO; 9]).1, Voids { found: 9, filled: 0 });
        let mut coast = vec![NO; 40];
        coast[0] = 3.0;
        let (heights, voids) = filled(40, &coast);
        assert_eq!(voids, Voids { found: 39, filled: 16 });
        assert_eq!(heights[..17], [3.0; 17]);
        assert!(heights[17..].iter().all(|height| height.is_nan()));
    }

    #[test]
    fn a_filled_void_never_hides_what_another_raster_knows() {
        let (mut near, far) = (plane(5, 5, |_, _| 100.0), plane(5, 5, |_, _| 60.0));
        near.heights_m[12] = NO;
        let mut both = Elevation { grids: vec![near, far], ..Elevation::default() };
        both.fill_voids();
        assert_eq!(both.voids, Voids::default());
        assert_eq!(both.sample_m(spot(2.0, 2.0)), Some(60.0));
        assert_eq!(both.sample_m(spot(0.0, 2.0)), Some(100.0));
    }

    #[test]
    fn pixels_are_measured_on_the_ground() {
        // One arc-second at 29.6° N, from the ellipsoid's radii of curvature there (6,383,340 m and 6,351,000 m).
        let (east_m, south_m) = plane(3, 3, |_, _| 0.0).pixel_m();
        assert!((east_m - 26.909).abs() < 0.01 && (south_m - 30.791).abs() < 0.01, "{east_m} {south_m}");
        let projection = Projection::from_epsg(3763).unwrap();
        let (step_x, step_y, heights_m) = (10.0, 10.0, vec![0.0; 9]);
        let lisbon = ElevationGrid {
            projection,
            left: -88_000.0,
            top: -105_000.0,
            step_x,
            step_y,
            width: 3,
            heights_m,
            window: None,
        };
        let (east_m, south_m) = lisbon.pixel_m();
        assert!((east_m - 10.0).abs() < 0.01 && (south_m - 10.0).abs() < 0.01, "{east_m} {south_m}");
    }
}
