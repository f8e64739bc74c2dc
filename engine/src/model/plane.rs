//! Metres east and north of a place: the plane on which shapes of a few kilometres are drawn.

use super::place::{ECCENTRICITY_2, EQUATOR_M, Place};
use geo::Coord;

/// Semi-minor axis over semi-major, squared.
const FLATNESS_2: f64 = 1.0 - ECCENTRICITY_2;

/// The plane that touches the ellipsoid at a place; points are dropped onto it straight down.
///
/// Lengths are short by d²/2R²: 1e-6 at 10 km, 1e-4 at 90 km. There is no antimeridian and no pole on it.
#[derive(Debug, Clone, Copy)]
pub struct Plane {
    origin: [f64; 3],
    east: [f64; 3],
    north: [f64; 3],
    up: [f64; 3],
    lon: f64,
}

impl Plane {
    /// The plane at a place.
    pub fn at(place: Place) -> Self {
        let (sin_lat, cos_lat) = place.lat().to_radians().sin_cos();
        let (sin_lon, cos_lon) = place.lon().to_radians().sin_cos();
        Self {
            origin: place.ecef_m(),
            east: [-sin_lon, cos_lon, 0.0],
            north: [-sin_lat * cos_lon, -sin_lat * sin_lon, cos_lat],
            up: [cos_lat * cos_lon, cos_lat * sin_lon, sin_lat],
            lon: place.lon(),
        }
    }

    /// Metres east and north.
    pub fn flat(&self, place: Place) -> Coord {
        let point = place.ecef_m();
        let from: [f64; 3] = std::array::from_fn(|axis| point[axis] - self.origin[axis]);
        Coord { x: dot(&from, &self.east), y: dot(&from, &self.north) }
    }

    /// Degrees east and north. Longitudes run on past ±180 beside the antimeridian, so that a shape stays whole.
    ///
    pub fn degrees(&self, at: Coord) -> Coord {
        let on_plane: [f64; 3] =
            std::array::from_fn(|axis| self.origin[axis] + self.east[axis] * at.x + self.north[axis] * at.y);
        let rise_m = rise_to_ellipsoid_m(&unit_sphere(&on_plane), &unit_sphere(&self.up));
        let [x, y, z]: [f64; 3] = std::array::from_fn(|axis| on_plane[axis] + self.up[axis] * rise_m);
        let lon = y.atan2(x).to_degrees();
        let turn = 360.0 * ((self.lon - lon) / 360.0).round();
        Coord { x: lon + turn, y: z.atan2(FLATNESS_2 * x.hypot(y)).to_degrees() }
    }
}

/// How far up a line meets the unit sphere: the nearer root of a quadratic equation. 0 would be on it already.
fn rise_to_ellipsoid_m(start: &[f64; 3], up: &[f64; 3]) -> f64 {
    let (a, b, c) = (dot(up, up), dot(start, up), dot(start, start) - 1.0);
    -c / (b + (b * b - a * c).max(0.0).sqrt())
}

fn dot(a: &[f64; 3], b: &[f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// Scaled so that the ellipsoid is the sphere of radius 1.
fn unit_sphere(point: &[f64; 3]) -> [f64; 3] {
    let polar_m = EQUATOR_M * FLATNESS_2.sqrt();
    [point[0] / EQUATOR_M, point[1] / EQUATOR_M, point[2] / polar_m]
}

#[cfg(test)]
mod tests {
    use super::{Place, Plane};
    use proptest::prelude::*;

    proptest! {
        /// Truths: the way back gives the same degrees, and metres on the plane are those of the chord.
        #[test]
        fn a_place_comes_back_and_lies_as_far_as_it_is(
            lon in -180.0..180.0, lat in -80.0..80.0, east in -0.1..0.1, north in -0.1..0.1,
        ) {
            let origin = Place::new(lon, lat).unwrap();
            let (there, high): (f64, f64) = (lon + east, lat + north);
            let wrapped = if there.abs() > 180.0 { there - 360.0_f64.copysign(there) } else { there };
            let place = Place::new(wrapped, high).unwrap();
            let plane = Plane::at(origin);
            let flat = plane.flat(place);
            let distance_m = origin.distance_m(place);
            prop_assert!((flat.x.hypot(flat.y) - distance_m).abs() <= 1e-6 + distance_m * 4e-6);
            let back = plane.degrees(flat);
            prop_assert!((back.x - there).abs() < 1e-12 / lat.to_radians().cos() + 1e-12);
            prop_assert!((back.y - high).abs() < 1e-12);
        }
    }
}
