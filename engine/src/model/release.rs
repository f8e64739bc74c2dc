//! A release: the state of all tables of a study at one time, as it was published.

use super::analysis_crs::AnalysisCrs;
use super::profile::Profile;
use super::study::CoverageSettings;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Version of the layout of the folder; a newer one is refused.
pub const FORMAT: u32 = 1;

/// A published state of all tables. Its number is the version of every table.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Release {
    /// Version of the layout.
    pub format: u32,
    /// Its number, from 0.
    pub release: u64,
    /// When it was published, UTC.
    pub published_at: String,
    /// The same, milliseconds since 1970; later than that of the release before, whatever the clock says.
    pub published_at_ms: u64,
    /// What published it: `refresh`, or `rollback`.
    pub cause: String,
    /// Why, where somebody said it.
    pub reason: Option<String>,
    /// Name of the study.
    pub study: String,
    /// The day on which facilities are open, where one is stated.
    pub as_of: Option<String>,
    /// Version of walkshed.
    pub walkshed: String,
    /// What was asked: minutes, profiles by name, direction, who walks for which group.
    pub coverage: CoverageSettings,
    /// The profiles as they were then.
    pub profiles: Vec<Profile>,
    /// The system of coordinates that the tables are in.
    pub analysis_crs: AnalysisCrs,
    /// Hash of the engine's own sources.
    pub code: String,
    /// Hash of the settings that the numbers hang on.
    pub settings: String,
    /// Hash of all that the numbers hang on: inputs, settings, day and code.
    pub key: String,
    /// The files that were read.
    pub inputs: Vec<ReleaseInput>,
    /// The folder that holds its log entries.
    pub entries: String,
    /// The tables.
    pub tables: BTreeMap<String, TableCounts>,
    /// What lies beside the tables: `GeoParquet` with outlines and doors, and the network.
    pub files: BTreeMap<String, StoredFile>,
    /// What the gates look at.
    pub facts: Facts,
    /// Coverage of everybody, by class, profile and minutes.
    pub total: Vec<Total>,
    /// Gates that were passed over, with the reason that somebody gave.
    pub overridden: BTreeMap<String, String>,
    /// SHA-256 of the record of the release before.
    pub before_sha256: Option<String>,
    /// SHA-256 of this record with nothing here.
    pub sha256: String,
}

/// An input of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseInput {
    /// The path as the study gives it.
    pub path: String,
    /// Size.
    pub bytes: u64,
    /// SHA-256 of its contents.
    pub sha256: String,
    /// When it was last written, milliseconds since 1970; none for what lies in the network.
    pub modified_ms: Option<u64>,
}

/// A file beside the tables, named by its contents and never changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredFile {
    /// Its path inside the folder of tables.
    pub path: String,
    /// Size.
    pub bytes: u64,
    /// SHA-256 of its contents.
    pub sha256: String,
    /// Hash of what it was made from, where that tells before it is made; else empty.
    pub made_from: String,
}

/// What a table of a release holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableCounts {
    /// Rows.
    pub rows: u64,
    /// Files.
    pub files: u64,
    /// Bytes of its files.
    pub bytes: u64,
    /// Files that are new in this release.
    pub files_added: u64,
    /// Files that the release before had and this one has not.
    pub files_removed: u64,
    /// SHA-256 of its log entry.
    pub entry_sha256: String,
    /// The same of entries that say nothing, for the releases before the table was there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier_sha256: Vec<String>,
}

/// Sums by which a release is held against the one before.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// People that the source states.
    pub people_stated: f64,
    /// People in cells.
    pub people_in_cells: f64,
    /// People whom no street is near enough to, by profile; the greatest.
    pub people_not_snapped: f64,
    /// Open facilities.
    pub facilities: u64,
    /// Open facilities that no street is near enough to.
    pub facilities_not_snapped: u64,
}

/// Coverage of everybody.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Total {
    /// Class of facilities.
    pub class: String,
    /// Who walks.
    pub profile: String,
    /// Within so many minutes.
    pub minutes: f64,
    /// People.
    pub people: f64,
    /// Of them, those who reach one.
    pub people_covered: f64,
}

impl Total {
    /// Share of the people who reach one; none where nobody lives.
    pub fn share(&self) -> Option<f64> {
        (self.people > 0.0).then(|| self.people_covered / self.people)
    }
}
