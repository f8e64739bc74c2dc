//! From a place to the plane of a raster or a map, and back.

use super::place::Place;
use proj4rs::Proj;
use proj4rs::transform::transform;
use std::fmt;

/// Geographic systems that agree with WGS-84 to about a metre: WGS-84 (with heights too), NAD83, ETRS89, CGCS2000.
const AS_WGS84: [u16; 5] = [4326, 4979, 4269, 4258, 4490];
/// The system of every [`Place`].
const PLACES: &str = "+proj=longlat +datum=WGS84 +no_defs";

/// The system in which a raster or a map counts its x and y.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Projection {
    /// x is longitude and y is latitude, in degrees.
    Degrees,
    /// A projected system: metres, or feet, east and north.
    Projected(Box<Projected>),
}

/// A projected system of the EPSG register.
#[derive(Clone)]
pub struct Projected {
    code: u16,
    places: Proj,
    plane: Proj,
}

/// A code means one system.
impl PartialEq for Projected {
    fn eq(&self, other: &Self) -> bool {
        self.code == other.code
    }
}

impl Eq for Projected {}

impl fmt::Debug for Projected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EPSG:{}", self.code)
    }
}

impl Projection {
    /// The system with this EPSG code, or `None` when walkshed cannot tell where its places are.
    pub fn from_epsg(code: u16) -> Option<Self> {
        if AS_WGS84.contains(&code) {
            return Some(Self::Degrees);
        }
        let definition = crs_definitions::from_code(code)?.proj4;
        let plane = Proj::from_proj_string(definition).ok()?;
        // Degrees of another datum are as rare as axes that point west, and a raster could mean either order.
        if !datum_is_known(definition) || plane.is_latlong() || !plane.is_normalized_axis() {
            return None;
        }
        let places = Proj::from_proj_string(PLACES).ok()?;
        Some(Self::Projected(Box::new(Projected { code, places, plane })))
    }

    /// Its EPSG code; 4326 stands for all that agree with it.
    pub const fn code(&self) -> u16 {
        match self {
            Self::Degrees => 4326,
            Self::Projected(system) => system.code,
        }
    }

    /// x and y of a place, or `None` where the system does not reach.
    pub fn xy(&self, place: Place) -> Option<(f64, f64)> {
        let Self::Projected(system) = self else {
            return Some((place.lon(), place.lat()));
        };
        let mut point = (place.lon().to_radians(), place.lat().to_radians());
        transform(&system.places, &system.plane, &mut point).ok()?;
        Some(point)
    }

    /// The place at x and y, or `None` where there is none.
    pub fn place(&self, x: f64, y: f64) -> Option<Place> {
        let Self::Projected(system) = self else {
            return Place::new(x, y);
        };
        let mut point = (x, y);
        transform(&system.plane, &system.places, &mut point).ok()?;
        Place::new(point.0.to_degrees(), point.1.to_degrees())
    }
}

/// Whether a definition says how its datum lies to WGS-84.
///
/// Without that (Xian 1980, NAD27) a street would be sampled up to some hundred metres beside itself.
fn datum_is_known(definition: &str) -> bool {
    let says = |words: &str| definition.contains(words);
    // A grid of shifts is a file that we do not ship; `@null` is none.
    let needs_grid = says("+datum=NAD27") || says("+nadgrids=") && !says("+nadgrids=@null");
    let stated = ["+datum=", "+towgs84=", "+nadgrids=@null", "+ellps=GRS80", "+ellps=WGS84"];
    !needs_grid && stated.into_iter().any(says)
}

#[cfg(test)]
mod tests {
    use super::Projection;
    use crate::model::place::Place;
    use proptest::prelude::*;

    /// Longitude, latitude, x, y.
    type Known = (f64, f64, f64, f64);

    /// EPSG code and places: pyproj 3.7.2 with PROJ 9.5.1,
    /// `Transformer.from_crs(4326, code, always_xy=True)`.
    const KNOWN: [(u16, [Known; 5]); 3] = [
        (
            32648,
            [
                (106.55, 29.56, 650_158.451, 3_271_033.576),
                (105.0, 29.0, 500_000.0, 3_207_985.616),
                (103.2, 30.5, 327_257.171, 3_375_568.975),
                (107.9, 24.1, 794_818.226, 2_668_346.332),
                (105.5, 45.25, 539_235.897, 5_010_844.426),
            ],
        ),
        (
            3763,
            [
                (-9.1393, 38.7223, -87_503.439, -104_538.892),
                (-8.6291, 41.1579, -41_630.673, 165_532.264),
                (-7.9304, 37.0194, 18_038.833, -294_012.116),
                (-8.1331, 39.6683, 0.7150, 4.6262),
                (-6.7572, 41.8061, 114_341.712, 238_320.152),
            ],
        ),
        (
            4547,
            [
                (114.0579, 22.5431, 505_955.846, 2_493_941.246),
                (113.2644, 23.1291, 424_654.893, 2_559_024.739),
                (114.3055, 30.5928, 529_299.860, 3_385_869.453),
                (115.2, 28.9, 617_043.646, 3_198_778.234),
                (112.6, 37.87, 376_814.752, 4_193_992.613),
            ],
        ),
    ];

    #[test]
    fn places_lie_where_pyproj_puts_them() {
        for (code, places) in KNOWN {
            let system = Projection::from_epsg(code).unwrap();
            for (lon, lat, x, y) in places {
                let found = system.xy(Place::new(lon, lat).unwrap()).unwrap();
                assert!(
                    (found.0 - x).abs() < 1e-3 && (found.1 - y).abs() < 1e-3,
                    "EPSG:{code} {lon} {lat}: {found:?}"
                );
            }
        }
    }

    proptest! {
        #[test]
        fn a_place_comes_back_from_the_plane(lon in 103.0..108.0, lat in -10.0..60.0) {
            let system = Projection::from_epsg(32648).unwrap();
            let place = Place::new(lon, lat).unwrap();
            let (x, y) = system.xy(place).unwrap();
            prop_assert!(system.place(x, y).unwrap().distance_m(place) < 1e-3);
        }
    }

    #[test]
    fn a_system_whose_place_on_earth_is_unsure_is_not_taken() {
        // No code of the register; NAD27, whose shifts are a grid; Xian 1980 without a shift, in metres and degrees.
        for code in [1, 26710, 2343, 4610] {
            assert!(Projection::from_epsg(code).is_none(), "EPSG:{code}");
        }
        // Web Mercator; British National Grid, Swiss LV95 and Beijing 1954 with their shifts.
        for code in [3857, 27700, 2056, 2401] {
            assert!(matches!(Projection::from_epsg(code), Some(Projection::Projected(_))), "EPSG:{code}");
        }
        assert!(matches!(Projection::from_epsg(4490), Some(Projection::Degrees)));
    }
}
