//! The system that an analysis stays in: WGS-84, or GCJ-02 or BD-09 for users who may not convert their points.
//!
//! Streets are built and measured in WGS-84 first; only then do their places move (`network/crs.rs`). What is stated in
//! the system of the analysis is used number for number.

use super::crs::Crs;
use super::gcj02;
use super::place::Place;
use geo::{Coord, MapCoords, MultiPolygon};
use serde::{Deserialize, Serialize};

/// The system in which places are compared and results are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AnalysisCrs {
    /// Degrees of WGS-84.
    #[default]
    Wgs84,
    /// Degrees as most Chinese map platforms give them.
    Gcj02,
    /// Degrees as Baidu gives them.
    Bd09,
}

impl AnalysisCrs {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Wgs84, Self::Gcj02, Self::Bd09];

    /// The names in studies and tables.
    pub const NAMES: [&str; 3] = ["wgs84", "gcj02", "bd09"];

    /// The name in studies and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Wgs84 => Self::NAMES[0],
            Self::Gcj02 => Self::NAMES[1],
            Self::Bd09 => Self::NAMES[2],
        }
    }

    /// The system of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|system| system.name() == name)
    }

    /// The same as a system of tables.
    pub const fn crs(self) -> Crs {
        match self {
            Self::Wgs84 => Crs::WGS84,
            Self::Gcj02 => Crs::Gcj02,
            Self::Bd09 => Crs::Bd09,
        }
    }

    /// Whether places stay as they are.
    pub const fn is_wgs84(self) -> bool {
        matches!(self, Self::Wgs84)
    }

    /// What results say about their coordinates.
    pub const fn note(self) -> &'static str {
        match self {
            Self::Wgs84 => "longitude and latitude of WGS-84 (OGC:CRS84)",
            Self::Gcj02 => {
                "longitude and latitude of GCJ-02 by the model that everybody uses, not WGS-84; H3 cells are those of these \
                 numbers"
            }
            Self::Bd09 => {
                "longitude and latitude of BD-09 by the model that everybody uses, not WGS-84; H3 cells are those of these \
                 numbers"
            }
        }
    }

    /// A place of WGS-84, moved into this system.
    #[must_use]
    pub fn moved(self, place: Place) -> Place {
        let degrees = (place.lon(), place.lat());
        let (lon, lat) = match self {
            Self::Wgs84 => return place,
            Self::Gcj02 => gcj02::from_wgs84(degrees),
            Self::Bd09 => gcj02::to_bd09(gcj02::from_wgs84(degrees)),
        };
        // BD-09 moves on outside China too, where nobody uses it, and might leave the map at its edges.
        Place::new(lon.clamp(-180.0, 180.0), lat.clamp(-90.0, 90.0)).unwrap_or(place)
    }

    /// Outlines of WGS-84, their corners moved into this system.
    #[must_use]
    pub fn moved_outline(self, outline: &MultiPolygon) -> MultiPolygon {
        outline.map_coords(|at| match Place::new(at.x, at.y).map(|place| self.moved(place)) {
            Some(place) => Coord { x: place.lon(), y: place.lat() },
            // Outlines beside the antimeridian run on past ±180 degrees, far from where anything is moved.
            None => at,
        })
    }

    /// A place of this system, brought back to WGS-84.
    #[must_use]
    pub fn back(self, place: Place) -> Place {
        if self.is_wgs84() {
            return place;
        }
        self.crs().place(place.lon(), place.lat()).unwrap_or(place)
    }
}

/// The way of a table's places into the system of the analysis.
#[derive(Debug, Clone, PartialEq)]
pub struct Passage {
    from: Crs,
    to: AnalysisCrs,
}

impl Passage {
    /// From the system of a table to that of the analysis.
    pub const fn new(from: Crs, to: AnalysisCrs) -> Self {
        Self { from, to }
    }

    /// Whether the numbers of the table are longitude and latitude.
    pub const fn is_from_degrees(&self) -> bool {
        self.from.is_degrees()
    }

    /// Whether the table is in the system of the analysis, so that its numbers are used as they are.
    pub fn keeps_numbers(&self) -> bool {
        self.from == self.to.crs() || self.from.is_wgs84() && self.to.is_wgs84()
    }

    /// The place at x and y, or `None` where there is none.
    pub fn place(&self, x: f64, y: f64) -> Option<Place> {
        if self.keeps_numbers() {
            return Place::new(x, y);
        }
        self.from.place(x, y).map(|place| self.to.moved(place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(lon: f64, lat: f64) -> Place {
        Place::new(lon, lat).unwrap()
    }

    #[test]
    fn numbers_of_the_analysis_are_kept_and_others_are_moved() {
        let wgs84 = at(106.551_6, 29.563);
        let (lon, lat) = Crs::Gcj02.xy(wgs84).unwrap();
        let own = Passage::new(Crs::Gcj02, AnalysisCrs::Gcj02);
        assert_eq!(own.place(lon, lat), Some(at(lon, lat)));
        let forward = Passage::new(Crs::WGS84, AnalysisCrs::Gcj02);
        assert_eq!(forward.place(wgs84.lon(), wgs84.lat()), Some(at(lon, lat)));
        let (x, y) = Crs::Bd09.xy(wgs84).unwrap();
        let across = Passage::new(Crs::Bd09, AnalysisCrs::Gcj02).place(x, y).unwrap();
        assert!(across.distance_m(at(lon, lat)) < 1e-3);
        assert_eq!(Passage::new(Crs::Gcj02, AnalysisCrs::Gcj02).place(200.0, 0.0), None);
    }

    #[test]
    fn places_come_back_and_are_kept_where_nothing_is_shifted() {
        for system in AnalysisCrs::ALL {
            let place = at(106.551_6, 29.563);
            assert!(system.back(system.moved(place)).distance_m(place) < 1e-3, "{system:?}");
            assert_eq!(AnalysisCrs::from_name(system.name()), Some(system));
        }
        let helsinki = at(24.94, 60.17);
        assert_eq!(AnalysisCrs::Gcj02.moved(helsinki), helsinki);
    }
}
