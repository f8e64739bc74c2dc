//! The systems in which sources state their places: WGS-84 and its like, planes of the EPSG register, GCJ-02 and BD-09.

use super::gcj02;
use super::place::Place;
use super::projection::Projection;
use std::fmt;

/// A coordinate reference system that places can be brought from, and taken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Crs {
    /// Degrees of WGS-84 or the same to a metre, or the plane of an EPSG code.
    Epsg(Projection),
    /// Degrees as most Chinese map platforms give them.
    Gcj02,
    /// Degrees as Baidu gives them.
    Bd09,
}

impl Crs {
    /// Degrees of WGS-84.
    pub const WGS84: Self = Self::Epsg(Projection::Degrees);

    /// The system of this name: `EPSG:4547` or the same as an OGC URN, `WGS 84`, `OGC:CRS84`, `gcj02`, `bd09`, or a zone of
    /// CGCS2000 as EPSG or Esri write it. `None` when the name is unknown, or walkshed cannot tell where its places are.
    pub fn from_name(name: &str) -> Option<Self> {
        let plain: String = name.trim().to_lowercase().replace(['-', ' ', '_', '/'], "");
        match plain.as_str() {
            "gcj02" => return Some(Self::Gcj02),
            "bd09" => return Some(Self::Bd09),
            "wgs84" | "wgs84(crs84)" | "gcswgs1984" | "wgs1984" | "cgcs2000" | "gcscgcs2000"
            | "ogc:crs84" => {
                return Some(Self::WGS84);
            }
            urn if urn.starts_with("urn:ogc:def:crs:ogc:") && urn.ends_with(":crs84") => {
                return Some(Self::WGS84);
            }
            _ => {}
        }
        let code = plain.strip_prefix("epsg:").or_else(|| plain.strip_prefix("urn:ogc:def:crs:epsg:"));
        let code = match code {
            Some(code) => code.rsplit(':').next()?.parse().ok()?,
            None => gauss_kruger(&plain)?,
        };
        Projection::from_epsg(code).map(Self::Epsg)
    }

    /// Whether its numbers are longitude and latitude.
    pub const fn is_degrees(&self) -> bool {
        !matches!(self, Self::Epsg(Projection::Projected(_)))
    }

    /// Whether its numbers are longitude and latitude of WGS-84, or the same to a metre.
    pub const fn is_wgs84(&self) -> bool {
        matches!(self, Self::Epsg(Projection::Degrees))
    }

    /// The place at x and y (longitude and latitude where they are degrees), or `None` where there is none.
    pub fn place(&self, x: f64, y: f64) -> Option<Place> {
        let of = |(lon, lat): (f64, f64)| Place::new(lon, lat);
        match self {
            Self::Epsg(projection) => projection.place(x, y),
            // What is no place is none in these systems either.
            Self::Gcj02 => of((x, y)).and_then(|_| of(gcj02::to_wgs84((x, y)))),
            Self::Bd09 => of((x, y)).and_then(|_| of(gcj02::to_wgs84(gcj02::from_bd09((x, y))))),
        }
    }

    /// x and y of a place, or `None` where the system does not reach.
    pub fn xy(&self, place: Place) -> Option<(f64, f64)> {
        let degrees = (place.lon(), place.lat());
        match self {
            Self::Epsg(projection) => projection.xy(place),
            Self::Gcj02 => Some(gcj02::from_wgs84(degrees)),
            Self::Bd09 => Some(gcj02::to_bd09(gcj02::from_wgs84(degrees))),
        }
    }
}

impl fmt::Display for Crs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Epsg(projection) => write!(f, "EPSG:{}", projection.code()),
            Self::Gcj02 => f.write_str("gcj02"),
            Self::Bd09 => f.write_str("bd09"),
        }
    }
}

/// The EPSG code of a Gauss-Krüger zone of CGCS2000 by its name, without spaces, hyphens, underscores and slashes.
///
/// Shapefiles from Esri's programs carry `CGCS2000_3_Degree_GK_CM_108E` and no code; EPSG writes
/// `CGCS2000 / 3-degree Gauss-Kruger CM 108E`. With a zone number the eastings carry it in front; with a meridian (CM) they do not.
fn gauss_kruger(plain: &str) -> Option<u16> {
    let rest = plain.strip_prefix("cgcs2000")?;
    let (three, rest) = match rest.strip_prefix("3degree") {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    let rest = rest.strip_prefix("gk").or_else(|| rest.strip_prefix("gausskruger"))?;
    let number = |from: &str| from.trim_end_matches('e').parse::<u16>().ok();
    let (first, numbers, step, code) = match (rest.strip_prefix("cm"), rest.strip_prefix("zone"), three) {
        (Some(cm), _, true) => (75, number(cm)?, 3, 4534),
        (Some(cm), _, false) => (75, number(cm)?, 6, 4502),
        (None, Some(zone), true) => (25, number(zone)?, 1, 4513),
        (None, Some(zone), false) => (13, number(zone)?, 1, 4491),
        _ => return None,
    };
    let last = first + step * if three { 20 } else { 10 };
    let known = (first..=last).contains(&numbers) && (numbers - first).is_multiple_of(step);
    known.then(|| code + (numbers - first) / step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_is_known_by_each_of_its_names() {
        for name in
            ["EPSG:4326", "OGC:CRS84", "urn:ogc:def:crs:OGC:1.3:CRS84", "WGS 84", "EPSG:4490", "epsg:4979"]
        {
            assert!(Crs::from_name(name).is_some_and(|crs| crs.is_wgs84()), "{name}");
        }
        assert!(matches!(Crs::from_name("GCJ-02"), Some(Crs::Gcj02)));
        assert!(matches!(Crs::from_name("bd09"), Some(Crs::Bd09)));
        for name in ["EPSG:1", "EPSG:x", "mars", "CGCS2000_3_Degree_GK_CM_107E", "CGCS2000_GK_Zone_9", ""] {
            assert!(Crs::from_name(name).is_none(), "{name}");
        }
    }

    /// Codes from the EPSG register, 2024.
    #[test]
    fn zones_of_cgcs2000_are_known_by_name() {
        for (name, code) in [
            ("CGCS2000_3_Degree_GK_CM_108E", 4545),
            ("CGCS2000 / 3-degree Gauss-Kruger CM 108E", 4545),
            ("CGCS2000_3_Degree_GK_Zone_36", 4524),
            ("CGCS2000 / 3-degree Gauss-Kruger zone 36", 4524),
            ("CGCS2000_GK_CM_105E", 4507),
            ("CGCS2000 / Gauss-Kruger CM 105E", 4507),
            ("CGCS2000_GK_Zone_18", 4496),
            ("CGCS2000 / 3-degree Gauss-Kruger CM 75E", 4534),
            ("CGCS2000 / 3-degree Gauss-Kruger zone 45", 4533),
        ] {
            let plain = name.to_lowercase().replace(['-', ' ', '_', '/'], "");
            assert_eq!(gauss_kruger(&plain), Some(code), "{name}");
        }
    }

    /// pyproj 3.7.2: `Transformer.from_crs(4326, code, always_xy=True).transform(106.551_6, 29.563_0)`.
    #[test]
    fn chongqing_lies_where_pyproj_puts_it() {
        let place = Place::new(106.551_6, 29.563_0).unwrap();
        for (name, x, y) in PYPROJ {
            let crs = Crs::from_name(name).unwrap();
            let found = crs.xy(place).unwrap();
            assert!((found.0 - x).abs() < 1e-3 && (found.1 - y).abs() < 1e-3, "{name}: {found:?}");
            assert!(crs.place(x, y).unwrap().distance_m(place) < 2e-3, "{name}");
        }
    }

    const PYPROJ: [(&str, f64, f64); 5] = [
        ("CGCS2000_3_Degree_GK_CM_108E", 359_633.315_7, 3_272_547.953_3),
        ("CGCS2000_3_Degree_GK_Zone_36", 36_359_633.315_7, 3_272_547.953_3),
        ("CGCS2000_GK_CM_105E", 650_369.177_8, 3_272_677.182_0),
        ("CGCS2000_GK_Zone_18", 18_650_369.177_8, 3_272_677.182_0),
        ("EPSG:3857", 11_861_269.855_2, 3_447_500.342_0),
    ];
}
