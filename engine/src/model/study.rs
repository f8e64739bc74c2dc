//! A study: the configuration of one area, as it stands in `STUDY.toml`.

use super::analysis_crs::AnalysisCrs;
use super::gate::ReleaseGates;
use super::ledger::{self, Day};
use super::population::Spread;
use super::profile::Profile;
use super::street::Gates;
use super::times::{Deciseconds, Direction};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Distance in metres beyond which a place is not joined to a street unless the study says otherwise: about the
/// longest drive of a large estate, and the first radius that r5 tries is 300 m (own default).
pub const MAX_SNAP_M: f64 = 200.0;

/// A whole study; paths are already relative to the working directory.
#[derive(Debug, Clone, Serialize)]
pub struct Study {
    /// Name and resolution.
    pub study: General,
    /// Streets and terrain.
    pub streets: StreetSource,
    /// What people walk to.
    pub facilities: FacilitySource,
    /// Who lives where.
    pub population: PopulationSource,
    /// Planning areas; one area "all" when absent.
    pub areas: Option<AreaSource>,
    /// What to compute.
    pub coverage: CoverageSettings,
    /// Profiles of one's own, beside those of `datasets/profiles.toml`.
    pub profile: Vec<Profile>,
    /// How its tables are kept fresh.
    pub refresh: RefreshSettings,
}

/// A file that holds a table, and which of its tables where it holds several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableFile {
    /// The file.
    pub path: PathBuf,
    /// Layer of a `GeoPackage`, sheet of a workbook, shapefile in an archive.
    pub layer: Option<String>,
}

/// `[study]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct General {
    /// Name, printed with the results.
    pub name: String,
    /// H3 resolution of the cells, 0..15.
    #[serde(default = "ten")]
    pub resolution: u8,
    /// The day on which facilities are looked at, such as `2026-03-01`; their stated status counts when absent.
    pub as_of: Option<String>,
    /// The system that the analysis stays in: `wgs84`, `gcj02` or `bd09`.
    #[serde(default)]
    pub analysis_crs: AnalysisCrs,
}

/// `[streets]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreetSource {
    /// `OpenStreetMap` extract, `.osm.pbf`; this or `overture`.
    pub osm: Option<PathBuf>,
    /// Segments of Overture Maps, a local `GeoParquet` file.
    pub overture: Option<PathBuf>,
    /// Connectors of Overture Maps, where the places of crossings are wanted from there.
    pub connectors: Option<PathBuf>,
    /// `GeoTIFF` or SRTM `.hgt` files; flat when absent.
    #[serde(default, deserialize_with = "one_or_many")]
    pub elevation: Vec<PathBuf>,
    /// Greatest distance from a place to its street.
    #[serde(default = "max_snap_m")]
    pub max_snap_m: f64,
    /// How private ways and gates are read: `open`, `tagged` or `closed`.
    #[serde(default)]
    pub gates: Gates,
    /// Small pieces of the network that are cut off by at most so many metres are joined to the rest; 0 for never.
    #[serde(default)]
    pub join_islands_m: f64,
    /// When opening hours are looked at: `always`, or a local time such as `2026-06-16T10:00`.
    pub open_at: Option<String>,
    /// Coordinate reference system of rasters that do not state it, such as `EPSG:3763`.
    pub elevation_crs: Option<String>,
}

/// `[facilities]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FacilitySource {
    /// Classify the features of the extract by the catalogue.
    #[serde(default)]
    pub osm: bool,
    /// A catalogue of one's own.
    pub catalogue: Option<PathBuf>,
    /// A table of facilities.
    pub path: Option<PathBuf>,
    /// A table from values and names of the table of facilities to classes.
    pub classes: Option<PathBuf>,
    /// Merge facilities that several sources hold; they are only reported otherwise.
    #[serde(default)]
    pub merge_duplicates: bool,
    /// Which table of the file, where it holds several.
    pub layer: Option<String>,
    /// Coordinate reference system of the table: an EPSG code, `gcj02` or `bd09`; what the file says, else WGS-84.
    pub crs: Option<String>,
    /// Column of the id.
    #[serde(default = "id")]
    pub id: String,
    /// Column of the class.
    #[serde(default = "class")]
    pub class: String,
}

/// `[population]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PopulationSource {
    /// A table of cells, points or outlines, or a `GeoTIFF` of people per pixel.
    pub path: Option<PathBuf>,
    /// Which table of the file, where it holds several.
    pub layer: Option<String>,
    /// Column of the people.
    #[serde(default = "people")]
    pub people: String,
    /// Column of the H3 cell.
    #[serde(default = "cell")]
    pub cell: String,
    /// Column of households, read where it is there.
    #[serde(default = "households")]
    pub households: String,
    /// Columns of population groups; when absent, the age groups that the table's headings say.
    pub groups: Option<Vec<String>>,
    /// Column of the community of `[areas]` that each row counts; when absent, `area_id`, `community_id` or `code` in a
    /// table without places.
    pub area: Option<String>,
    /// What people of outlines, of coarse cells and of a total are spread by; rasters by area when absent, else buildings.
    pub spread: Option<Spread>,
    /// Rasters of population groups, beside a raster of everybody.
    #[serde(default)]
    pub rasters: BTreeMap<String, PathBuf>,
    /// `"osm"`: spread `total` over the residential buildings of the extract.
    pub buildings: Option<String>,
    /// People of the whole extract, to spread over its buildings or streets.
    pub total: Option<f64>,
    /// Shares of population groups in `total`, 0..1, the same everywhere.
    #[serde(default)]
    pub groups_share: BTreeMap<String, f64>,
    /// Coordinate reference system of the table: an EPSG code, `gcj02` or `bd09`; what the file says, else WGS-84.
    pub crs: Option<String>,
}

/// `[areas]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AreaSource {
    /// A table of outlines.
    pub path: Option<PathBuf>,
    /// Which table of the file, where it holds several.
    pub layer: Option<String>,
    /// Resolution of H3 parents to use as areas.
    pub h3: Option<u8>,
    /// Column of the area's id.
    #[serde(default = "area_id")]
    pub id: String,
    /// Coordinate reference system of the table: an EPSG code, `gcj02` or `bd09`; what the file says, else WGS-84.
    pub crs: Option<String>,
}

/// `[coverage]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoverageSettings {
    /// Thresholds, minutes; the largest is the cut-off of the search.
    #[serde(default = "minutes")]
    pub minutes: Vec<f64>,
    /// Names of the profiles that walk.
    #[serde(default = "profiles")]
    pub profiles: Vec<String>,
    /// `to_facility` or `from_facility`.
    #[serde(default)]
    pub direction: Direction,
    /// Who walks for each group; the first profile for those that are not named, and for everybody. Every group by every
    /// profile when empty.
    #[serde(default)]
    pub group_profiles: BTreeMap<String, String>,
}

/// `[refresh]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RefreshSettings {
    /// The folder of the tables.
    pub tables: PathBuf,
    /// H3 resolution of the parents by which tables are cut, not finer than that of the cells.
    pub tile_resolution: Option<u8>,
    /// Name or path of the standard by which areas are scored; no scorecard without.
    pub standard: Option<String>,
    /// Level of the areas that are scored, such as `community`; all when absent.
    pub level: Option<String>,
    /// Answers of people in place, for the scorecard.
    pub survey: Option<PathBuf>,
    /// The ledger of projects.
    pub projects: Option<PathBuf>,
    /// Requests of residents.
    pub requests: Option<PathBuf>,
    /// Releases that are kept at least, however old.
    pub keep_releases: u64,
    /// Days for which releases are kept at least, however many.
    pub keep_days: u64,
    /// What may change from one release to the next.
    pub gates: ReleaseGates,
}

impl Default for RefreshSettings {
    fn default() -> Self {
        Self {
            tables: PathBuf::from("tables"),
            tile_resolution: None,
            standard: None,
            level: None,
            survey: None,
            projects: None,
            requests: None,
            keep_releases: 30,
            keep_days: 30,
            gates: ReleaseGates::default(),
        }
    }
}

/// Releases and days that are always kept: a reader that opened a table yesterday still reads it.
pub const LEAST_KEPT: (u64, u64) = (3, 7);

impl CoverageSettings {
    /// Whether rows of a group by a profile are wanted.
    pub fn walks_as(&self, group: &str, profile: &str) -> bool {
        let own = || self.group_profiles.get(group).or(self.profiles.first());
        self.group_profiles.is_empty() || own().is_some_and(|own| own == profile)
    }
}

impl StreetSource {
    /// The file that the streets come from; the reader of studies has checked that there is one.
    pub fn file(&self) -> &Path {
        self.osm.as_deref().or(self.overture.as_deref()).unwrap_or(Path::new(""))
    }
}

impl FacilitySource {
    /// The file of the table, if there is one.
    pub fn file(&self) -> Option<TableFile> {
        table_file(self.path.as_ref(), self.layer.as_ref())
    }
}

impl FacilitySource {
    /// The file of the mapping to classes, if there is one.
    pub fn classes_file(&self) -> Option<TableFile> {
        table_file(self.classes.as_ref(), None)
    }
}

impl PopulationSource {
    /// The file of the table or raster, if there is one.
    pub fn file(&self) -> Option<TableFile> {
        table_file(self.path.as_ref(), self.layer.as_ref())
    }
}

impl AreaSource {
    /// The file of the table, if there is one.
    pub fn file(&self) -> Option<TableFile> {
        table_file(self.path.as_ref(), self.layer.as_ref())
    }
}

fn table_file(path: Option<&PathBuf>, layer: Option<&String>) -> Option<TableFile> {
    path.map(|path| TableFile { path: path.clone(), layer: layer.cloned() })
}

impl Study {
    /// The day on which facilities are looked at; the reader of studies has checked it.
    pub fn day(&self) -> Option<Day> {
        ledger::day(self.study.as_of.as_deref()?)
    }

    /// H3 resolution of the parents by which its tables are cut: five steps coarser than the cells unless it says otherwise,
    /// which is about 250 km² for cells of a street block.
    pub fn tile_resolution(&self) -> u8 {
        self.refresh.tile_resolution.unwrap_or(self.study.resolution.saturating_sub(5))
    }

    /// The files that hold its tables and rasters of people.
    pub fn table_files(&self) -> Vec<TableFile> {
        let areas = self.areas.as_ref().and_then(AreaSource::file);
        let files = [self.facilities.file(), self.facilities.classes_file(), self.population.file(), areas];
        files.into_iter().flatten().collect()
    }

    /// The profiles that the study may name: its own, and those known that it does not replace.
    pub fn known_profiles(&self, known: Vec<Profile>) -> Vec<Profile> {
        let replaced = |profile: &Profile| self.profile.iter().any(|own| own.name == profile.name);
        let mut all: Vec<Profile> = known.into_iter().filter(|profile| !replaced(profile)).collect();
        all.extend(self.profile.iter().cloned());
        all
    }
}

impl Default for CoverageSettings {
    fn default() -> Self {
        Self {
            minutes: minutes(),
            profiles: profiles(),
            direction: Direction::default(),
            group_profiles: BTreeMap::new(),
        }
    }
}

impl<'de> Deserialize<'de> for Direction {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::from_name(&name)
            .ok_or_else(|| serde::de::Error::unknown_variant(&name, &["to_facility", "from_facility"]))
    }
}

impl Serialize for Direction {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl Direction {
    /// The name in tables and settings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ToFacility => "to_facility",
            Self::FromFacility => "from_facility",
        }
    }

    /// The direction of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::ToFacility, Self::FromFacility].into_iter().find(|direction| direction.name() == name)
    }
}

/// Minutes as tenths of a second, or `None` outside 0..1440 minutes.
pub fn minutes_to_ds(minutes: f64) -> Option<Deciseconds> {
    (minutes > 0.0 && minutes <= 1440.0).then(|| (minutes * 600.0).round() as Deciseconds)
}

fn one_or_many<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<PathBuf>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany {
        One(PathBuf),
        Many(Vec<PathBuf>),
    }
    Ok(match OneOrMany::deserialize(deserializer)? {
        OneOrMany::One(path) => vec![path],
        OneOrMany::Many(paths) => paths,
    })
}

fn ten() -> u8 {
    10
}
fn max_snap_m() -> f64 {
    MAX_SNAP_M
}
fn id() -> String {
    "id".to_owned()
}
fn class() -> String {
    "class".to_owned()
}
fn people() -> String {
    "people".to_owned()
}
fn households() -> String {
    "households".to_owned()
}
fn cell() -> String {
    "cell".to_owned()
}
fn area_id() -> String {
    "area_id".to_owned()
}
fn minutes() -> Vec<f64> {
    vec![5.0, 10.0, 15.0]
}
fn profiles() -> Vec<String> {
    vec!["adult".to_owned()]
}
