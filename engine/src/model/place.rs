//! A place on the earth and the distance between two places.

use super::level::Level;

/// WGS-84 semi-major axis, metres (NIMA TR8350.2, table 3.1).
pub(super) const EQUATOR_M: f64 = 6_378_137.0;
/// WGS-84 first eccentricity squared (NIMA TR8350.2, table 3.3).
pub(super) const ECCENTRICITY_2: f64 = 6.694_379_990_141_33e-3;

/// A place in degrees of WGS-84, or of the system that the analysis stays in ([`super::analysis_crs`]); a value exists only
/// inside −180..180, −90..90.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    lon: f64,
    lat: f64,
}

impl Place {
    /// The place, or `None` when a coordinate is not finite or out of range.
    pub fn new(lon: f64, lat: f64) -> Option<Self> {
        ((-180.0..=180.0).contains(&lon) && (-90.0..=90.0).contains(&lat)).then_some(Self { lon, lat })
    }

    /// Longitude, degrees east.
    pub const fn lon(self) -> f64 {
        self.lon
    }

    /// Latitude, degrees north.
    pub const fn lat(self) -> f64 {
        self.lat
    }

    /// Earth-centred coordinates on the ellipsoid, metres.
    ///
    /// Distances and nearest streets are taken in this space, which has no antimeridian, no poles and no zone
    /// borders. A chord is shorter than the geodesic by L³/24R²: 1 mm on 10 km.
    pub fn ecef_m(self) -> [f64; 3] {
        let (sin_lat, cos_lat) = self.lat.to_radians().sin_cos();
        let (sin_lon, cos_lon) = self.lon.to_radians().sin_cos();
        let normal_m = EQUATOR_M / (1.0 - ECCENTRICITY_2 * sin_lat * sin_lat).sqrt();
        [
            normal_m * cos_lat * cos_lon,
            normal_m * cos_lat * sin_lon,
            normal_m * (1.0 - ECCENTRICITY_2) * sin_lat,
        ]
    }

    /// Metres of a degree of longitude and of a degree of latitude here, along the ellipsoid.
    ///
    /// # Source
    /// The radii of curvature in the prime vertical and in the meridian, as in any book on geodesy.
    pub fn degree_m(self) -> [f64; 2] {
        let (sin_lat, cos_lat) = self.lat.to_radians().sin_cos();
        let w2 = 1.0 - ECCENTRICITY_2 * sin_lat * sin_lat;
        let across_m = EQUATOR_M / w2.sqrt();
        let along_m = across_m * (1.0 - ECCENTRICITY_2) / w2;
        [(across_m * cos_lat).to_radians(), along_m.to_radians()]
    }

    /// Straight-line distance in metres, at the height of the ellipsoid.
    pub fn distance_m(self, other: Self) -> f64 {
        chord_m(self.ecef_m(), other.ecef_m())
    }

    /// The place `share` of the way to `other`; for the short legs of streets.
    #[must_use]
    pub fn towards(self, other: Self, share: f64) -> Self {
        let lon = self.lon + (other.lon - self.lon) * share;
        let lat = self.lat + (other.lat - self.lat) * share;
        Self { lon, lat }
    }

    /// The same on a line of any length, which crosses the antimeridian where that is shorter; the end itself at a share of 1.
    #[must_use]
    pub fn short_way(self, other: Self, share: f64) -> Self {
        let east = other.lon - self.lon;
        if share >= 1.0 || east.abs() <= 180.0 {
            return if share >= 1.0 { other } else { self.towards(other, share) };
        }
        let lon = self.lon + (east - 360.0 * east.signum()) * share;
        let lon = if lon.abs() > 180.0 { lon - 360.0 * lon.signum() } else { lon };
        Self { lon, lat: self.lat + (other.lat - self.lat) * share }
    }
}

/// A place, and the floor that it is on where that is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spot {
    /// Where.
    pub place: Place,
    /// On which floor.
    pub level: Option<Level>,
}

impl From<Place> for Spot {
    fn from(place: Place) -> Self {
        Self { place, level: None }
    }
}

/// Distance between two earth-centred points, metres.
pub fn chord_m(a: [f64; 3], b: [f64; 3]) -> f64 {
    ((a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2) + (a[2] - b[2]).powi(2)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::Place;
    use geo::{Distance, Geodesic, Point};
    use proptest::prelude::*;

    proptest! {
        /// Independent truth: Karney's geodesic, as built in the `geo` crate.
        #[test]
        fn distance_is_the_geodesic_within_a_millimetre(
            lon in -180.0..179.9, lat in -85.0..85.0, east in 0.0..0.02, north in -0.02..0.02,
        ) {
            let (a, b) = (Place::new(lon, lat).unwrap(), Place::new(lon + east, lat + north).unwrap());
            let geodesic = Geodesic.distance(Point::new(a.lon, a.lat), Point::new(b.lon, b.lat));
            prop_assert!((a.distance_m(b) - geodesic).abs() < 1e-3);
        }
    }

    #[test]
    fn a_degree_is_as_long_as_the_geodesic() {
        for (lon, lat) in [(106.55, 29.56), (24.94, 60.17), (-51.2, -30.0), (0.0, 0.0)] {
            let [east_m, north_m] = Place::new(lon, lat).unwrap().degree_m();
            let between =
                |a: (f64, f64), b: (f64, f64)| Geodesic.distance(Point::new(a.0, a.1), Point::new(b.0, b.1));
            let east = between((lon - 0.005, lat), (lon + 0.005, lat)) * 100.0;
            let north = between((lon, lat - 0.005), (lon, lat + 0.005)) * 100.0;
            assert!((east_m - east).abs() < 0.01 && (north_m - north).abs() < 0.01, "{lon} {lat}");
        }
    }

    #[test]
    fn a_place_out_of_range_does_not_exist() {
        for (lon, lat) in [(181.0, 0.0), (0.0, 91.0), (f64::NAN, 0.0), (0.0, f64::INFINITY)] {
            assert_eq!(Place::new(lon, lat), None);
        }
    }
}
