//! The noise of a terrain model, taken out by a Savitzky-Golay filter.
//!
//! Each height becomes the middle of the parabola fitted to the heights around it (Savitzky & Golay 1964, Analytical
//! Chemistry 36:1627), first along rows, then along columns. Planes, slopes and curvature come through as they are, so
//! hills keep their climb; noise from pixel to pixel does not.

use super::elevation::ElevationGrid;
use rayon::prelude::*;

/// Half a window reaches so far: one pixel of a 30 m model, whose noise has about that grain.
const REACH_M: f64 = 30.0;
/// With fewer than two pixels to each side a parabola goes through every height and smooths nothing.
const LEAST_PIXELS: f64 = 2.0;
/// Pixels finer than half a metre; a bound on the work of a damaged file.
const MOST_PIXELS: f64 = 60.0;
/// A projected 10 m pixel is 9.99 m or 10.01 m on the ground; both are three to 30 m.
const SLACK_PIXELS: f64 = 0.1;

/// What is done to the heights of a raster when it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Smoothing {
    /// Nothing.
    None,
    /// The quadratic Savitzky-Golay filter.
    SavitzkyGolay,
}

impl ElevationGrid {
    /// Take the noise out of all heights; unknown ones stay unknown.
    ///
    /// The window shrinks towards the border and towards unknown pixels, so that it stays symmetric and known.
    pub fn smooth(&mut self) {
        let (width, height) = (self.width, self.height());
        let (reach_x, reach_y) = self.reach();
        let source = &self.heights_m;
        let mut along_rows = vec![0.0; source.len()];
        along_rows.par_chunks_mut(width).enumerate().for_each(|(row, line)| {
            for (column, smooth) in line.iter_mut().enumerate() {
                *smooth =
                    filtered(column, width, reach_x, |column| f64::from(source[row * width + column])) as f32;
            }
        });
        let source = along_rows;
        self.heights_m.par_chunks_mut(width).enumerate().for_each(|(row, line)| {
            for (column, smooth) in line.iter_mut().enumerate() {
                *smooth =
                    filtered(row, height, reach_y, |row| f64::from(source[row * width + column])) as f32;
            }
        });
    }

    /// Half the window in pixels along rows and along columns.
    pub(super) fn reach(&self) -> (usize, usize) {
        let pixels = |pixel_m: f64| {
            (REACH_M / pixel_m - SLACK_PIXELS).ceil().clamp(LEAST_PIXELS, MOST_PIXELS) as usize
        };
        let (east_m, south_m) = self.pixel_m();
        (pixels(east_m), pixels(south_m))
    }
}

/// The middle of the parabola through the window around `at`, on a line of `length` heights.
fn filtered(at: usize, length: usize, reach: usize, height: impl Fn(usize) -> f64) -> f64 {
    let reach = reach.min(at).min(length - 1 - at);
    let known = |&offset: &usize| !(height(at - offset) + height(at + offset)).is_nan();
    let reach = (1..=reach).take_while(known).count();
    let mut sum = weight(reach, 0) * height(at);
    for offset in 1..=reach {
        sum += weight(reach, offset) * (height(at - offset) + height(at + offset));
    }
    sum / whole(reach)
}

/// Numerator of the weight at an offset in a window of half-width `r`: 3(3r² + 3r − 1) − 15j².
fn weight(reach: usize, offset: usize) -> f64 {
    let (r, j) = (reach as f64, offset as f64);
    3.0 * (3.0 * r * r + 3.0 * r - 1.0) - 15.0 * j * j
}

/// Denominator of all weights of a window: (2r − 1)(2r + 1)(2r + 3).
fn whole(reach: usize) -> f64 {
    let r = reach as f64;
    (2.0 * r - 1.0) * (2.0 * r + 1.0) * (2.0 * r + 3.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::place::Place;
    use crate::model::projection::Projection;
    use proptest::prelude::*;

    /// A raster in UTM 48N about Chongqing, where a metre of the plane is 0.9998 of the ground.
    fn grid(pixel_m: f64, width: usize, height: usize, of: impl Fn(usize, usize) -> f64) -> ElevationGrid {
        let pixels = (0..height).flat_map(|row| (0..width).map(move |column| (column, row)));
        let heights_m = pixels.map(|(column, row)| of(column, row) as f32).collect();
        let projection = Projection::from_epsg(32648).unwrap();
        let (left, top) = (650_000.0, 3_271_000.0);
        ElevationGrid {
            projection,
            left,
            top,
            step_x: pixel_m,
            step_y: pixel_m,
            width,
            heights_m,
            window: None,
        }
    }

    fn smoothed(mut grid: ElevationGrid) -> ElevationGrid {
        grid.smooth();
        grid
    }

    #[test]
    fn weights_are_the_published_ones() {
        // Savitzky & Golay 1964, table I (quadratic and cubic), 5, 7 and 9 points.
        let tables: [(&[f64], f64); 3] = [
            (&[17.0, 12.0, -3.0], 35.0),
            (&[7.0, 6.0, 3.0, -2.0], 21.0),
            (&[59.0, 54.0, 39.0, 14.0, -21.0], 231.0),
        ];
        for (table, norm) in tables {
            let reach = table.len() - 1;
            for (offset, published) in table.iter().enumerate() {
                assert!((weight(reach, offset) / whole(reach) - published / norm).abs() < 1e-15);
            }
        }
    }

    #[test]
    fn a_window_reaches_thirty_metres_and_two_pixels() {
        for (pixel_m, pixels) in [(90.0, 2), (30.0, 2), (15.0, 2), (10.0, 3), (5.0, 6), (1.0, 30), (0.1, 60)]
        {
            assert_eq!(grid(pixel_m, 5, 5, |_, _| 0.0).reach(), (pixels, pixels), "{pixel_m} m");
        }
        let (left, top, step_x, step_y) = (10.0, 60.0, 1.0 / 3600.0, 1.0 / 3600.0);
        let (projection, heights_m) = (Projection::Degrees, vec![0.0; 25]);
        let north =
            ElevationGrid { projection, left, top, step_x, step_y, width: 5, heights_m, window: None };
        assert_eq!(north.reach(), (2, 2)); // 15.5 m by 30.9 m
    }

    proptest! {
        /// Closed formula: any polynomial up to degree 2 comes back, at the border too.
        #[test]
        fn a_quadratic_surface_comes_back(
            a in -9.0..9.0_f64, b in -9.0..9.0_f64, c in -0.5..0.5_f64, d in -0.5..0.5_f64, e in -0.5..0.5_f64,
            width in 1..30_usize, height in 1..30_usize, pixel_m in 8.0..40.0_f64,
        ) {
            let of = |column: usize, row: usize| {
                let (x, y) = (column as f64, row as f64);
                100.0 + a * x + b * y + c * x * x + d * x * y + e * y * y
            };
            let surface = grid(pixel_m, width, height, of);
            let smooth = smoothed(surface.clone());
            for (found, truth) in smooth.heights_m.iter().zip(&surface.heights_m) {
                prop_assert!((found - truth).abs() < 2e-3, "{found} {truth}");
            }
        }

        /// The slow twin solves the normal equations of a surface x⁰..² y⁰..² for each pixel's window at once.
        #[test]
        fn smoothing_equals_its_slow_twin(
            width in 1..14_usize, height in 1..14_usize, fine in any::<bool>(),
            noise in prop::collection::vec(-50.0..50.0_f32, 13 * 13),
        ) {
            let rough = grid(if fine { 10.0 } else { 30.0 }, width, height, |x, y| f64::from(noise[y * 13 + x]));
            let smooth = smoothed(rough.clone());
            let (reach_x, reach_y) = rough.reach();
            for (at, &found) in smooth.heights_m.iter().enumerate() {
                let (x, y) = (at % width, at / width);
                let (rx, ry) = (reach_x.min(x).min(width - 1 - x), reach_y.min(y).min(height - 1 - y));
                let truth = fitted(&rough, (x, y), (rx, ry));
                prop_assert!((f64::from(found) - truth).abs() < 1e-3, "{found} {truth}");
            }
        }

        /// With unknown pixels: the parabola of each window by normal equations, along rows and then along columns.
        #[test]
        fn smoothing_around_unknown_pixels_equals_its_slow_twin(
            heights in prop::collection::vec(prop::option::weighted(0.9, -50.0..50.0_f32), 12 * 12),
        ) {
            let rough = grid(30.0, 12, 12, |x, y| heights[y * 12 + x].map_or(f64::NAN, f64::from));
            let smooth = smoothed(rough.clone());
            let twin = slow_lines(&slow_lines(&rough.heights_m, 12, 2, true), 12, 2, false);
            for (&found, &truth) in smooth.heights_m.iter().zip(&twin) {
                prop_assert!(found.is_nan() && truth.is_nan() || (found - truth).abs() < 1e-3);
            }
        }
    }

    /// The constant of the least-squares surface through a window; powers that its width cannot tell are left out.
    fn fitted(grid: &ElevationGrid, (x, y): (usize, usize), (rx, ry): (usize, usize)) -> f64 {
        let powers = |reach: usize| if reach == 0 { 0..=0 } else { 0..=2 };
        let (mut rows, mut heights) = (Vec::new(), Vec::new());
        for row in y - ry..=y + ry {
            for column in x - rx..=x + rx {
                let (dx, dy) = (column as f64 - x as f64, row as f64 - y as f64);
                let terms = powers(rx).flat_map(|p| powers(ry).map(move |q| dx.powi(p) * dy.powi(q)));
                rows.push(terms.collect::<Vec<f64>>());
                heights.push(f64::from(grid.heights_m[row * grid.width + column]));
            }
        }
        constant(&rows, &heights)
    }

    fn slow_lines(heights: &[f32], width: usize, reach: usize, rows: bool) -> Vec<f32> {
        let size = heights.len() / width;
        let value = |at: usize, offset: i64| -> Option<f64> {
            let (x, y) = ((at % width) as i64, (at / width) as i64);
            let (x, y) = if rows { (x + offset, y) } else { (x, y + offset) };
            let inside = (0..width as i64).contains(&x) && (0..size as i64).contains(&y);
            let height = inside.then(|| f64::from(heights[y as usize * width + x as usize]))?;
            (!height.is_nan()).then_some(height)
        };
        let smooth = |at: usize| {
            let window = |reach: i64| (-reach..=reach).map(|j| Some((j, value(at, j)?))).collect();
            let widest =
                (0..=reach as i64).rev().find_map(|reach| -> Option<Vec<(i64, f64)>> { window(reach) });
            let Some(window) = widest.filter(|window| window.len() > 1) else { return heights[at] };
            let terms: Vec<Vec<f64>> =
                window.iter().map(|&(j, _)| (0..=2).map(|p| (j as f64).powi(p)).collect()).collect();
            constant(&terms, &window.iter().map(|&(_, height)| height).collect::<Vec<f64>>()) as f32
        };
        (0..heights.len()).map(smooth).collect()
    }

    /// First coefficient of a least-squares fit: normal equations, Gauss elimination with pivots.
    fn constant(rows: &[Vec<f64>], heights: &[f64]) -> f64 {
        let terms = rows[0].len();
        let mut system: Vec<Vec<f64>> = (0..terms)
            .map(|i| {
                let product = |j: usize| rows.iter().map(|row| row[i] * row[j]).sum::<f64>();
                let right: f64 = rows.iter().zip(heights).map(|(row, height)| row[i] * height).sum();
                (0..terms).map(product).chain([right]).collect()
            })
            .collect();
        for at in 0..terms {
            let pivot =
                (at..terms).max_by(|&a, &b| system[a][at].abs().total_cmp(&system[b][at].abs())).unwrap();
            system.swap(at, pivot);
            for other in (0..terms).filter(|&other| other != at) {
                let factor = system[other][at] / system[at][at];
                let row = system[at].clone();
                system[other].iter_mut().zip(row).for_each(|(value, above)| *value -= factor * above);
            }
        }
        system[0][terms] / system[0][0]
    }

    // ---------------------------------------------------------------- what it does to slopes

    /// Heights every 10 m along a line given in metres of the raster.
    fn heights_along(grid: &ElevationGrid, from: (f64, f64), bearing: f64, length_m: f64) -> Vec<f64> {
        let at = |walked: f64| -> Place {
            let (x, y) = (from.0 + walked * bearing.cos(), from.1 + walked * bearing.sin());
            grid.projection.place(grid.left + x, grid.top - y).unwrap()
        };
        let steps = (length_m / 10.0) as usize;
        (0..=steps).map(|step| f64::from(grid.sample_m(at(step as f64 * 10.0)).unwrap())).collect()
    }

    fn climb(heights: &[f64]) -> f64 {
        heights.windows(2).map(|pair| (pair[1] - pair[0]).abs()).sum()
    }

    /// Standard normal numbers: the sum of twelve uniform ones less six, which is near enough and the same everywhere.
    fn white_noise() -> impl FnMut() -> f64 {
        let mut state = 1_u64;
        let mut uniform = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        move || (0..12).map(|_| uniform()).sum::<f64>() - 6.0
    }

    #[test]
    fn noise_loses_most_of_its_climb() {
        let mut noise = white_noise();
        let heights: Vec<f64> = (0..120 * 120).map(|_| noise()).collect();
        let raw = grid(30.0, 120, 120, |x, y| heights[y * 120 + x]);
        let smooth = smoothed(raw.clone());
        let (mut before, mut after) = (0.0, 0.0);
        for line in 0..60 {
            let (from, bearing) = ((1800.0, 1800.0), f64::from(line) * 0.1);
            before += climb(&heights_along(&raw, from, bearing, 1000.0));
            after += climb(&heights_along(&smooth, from, bearing, 1000.0));
        }
        eprintln!("noise of 1 m: climb of 1 km {:.1} m, smoothed {:.1} m", before / 60.0, after / 60.0);
        // Measured: 28.3 m and 10.7 m, a factor of 0.38.
        assert!(after / before < 0.42, "{}", after / before);
    }

    #[test]
    fn a_hill_keeps_its_climb() {
        for (pixel_m, bearing) in [(30.0, 0.0), (30.0, 0.7), (10.0, 0.0), (10.0, 0.7)] {
            let size = (3000.0 / pixel_m) as usize;
            // Waves of 400 m and 10 m to each side along the line, and for each line a raster of its own.
            let of = |x: usize, y: usize| {
                let along = x as f64 * pixel_m * f64::cos(bearing) + y as f64 * pixel_m * f64::sin(bearing);
                10.0 * (along * std::f64::consts::TAU / 400.0).sin()
            };
            let raw = grid(pixel_m, size, size, of);
            let walked = |grid: &ElevationGrid| climb(&heights_along(grid, (200.0, 200.0), bearing, 2000.0));
            let (before, after) = (walked(&raw), walked(&smoothed(raw.clone())));
            eprintln!("hill, {pixel_m} m, {bearing}: true 200, climb {before:.2} m, smoothed {after:.2} m");
            assert!((after / before - 1.0).abs() < 0.02);
        }
    }

    /// Steepest 30 m and climb of 3 km, raw and smoothed, of a slope whose heights are rounded to metres.
    fn staircase(slope: f64) -> [(f64, f64); 2] {
        let raw = grid(30.0, 120, 20, |x, _| (x as f64 * 30.0 * slope).round());
        let smooth = smoothed(raw.clone());
        [raw, smooth].map(|grid| {
            let heights = heights_along(&grid, (300.0, 300.0), 0.0, 3000.0);
            let stretches = heights.windows(4).map(|window| (window[3] - window[0]).abs() / 30.0);
            (stretches.fold(0.0, f64::max), climb(&heights))
        })
    }

    #[test]
    fn a_slope_in_whole_metres_becomes_gentler() {
        // Measured: its steepest 30 m, raw → smoothed, and the climb of 3 km smoothed as a share of the true one.
        // 0.5 %: 3.3 → 1.6 %, 1.34; 1 %: 3.3 → 1.6 %, 1.11; 2 %: 3.3 → 2.5 %, 1.00; 5 %: 6.7 → 5.6 %; 8 %: 10 → 9 %.
        for (slope, most) in [(0.01, 1.13), (0.02, 1.001), (0.05, 1.001), (0.08, 1.001)] {
            let [before, after] = staircase(slope);
            eprintln!("rounded slope {slope}: steepest and climb {before:?}, smoothed {after:?}");
            assert!((after.0 - slope).abs() < 0.85 * (before.0 - slope).abs(), "{slope} {after:?}");
            assert!((0.999..most).contains(&(after.1 / before.1)), "{slope} {after:?}");
        }
    }
}
