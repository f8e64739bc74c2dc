//! A study in a temporary folder: its inputs, one run, and what the run left behind.

use super::Town;
use std::path::{Path, PathBuf};
use walkshed::batch::study::{self, RunReport};
use walkshed::io::table::Table;
use walkshed::model::error::{Error, Result};
use walkshed::model::problem::Problem;
use walkshed::model::progress::Progress;

/// The folder of a study; gone with its results when dropped.
pub struct StudyFolder {
    folder: tempfile::TempDir,
}

impl StudyFolder {
    /// A folder with a town in it, as `town.osm.pbf`.
    pub fn of(town: &Town) -> Self {
        let new = Self::empty();
        town.write_pbf(&new.path("town.osm.pbf"));
        new
    }

    /// A folder with nothing in it.
    pub fn empty() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    /// Where a file of this name is.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Write an input.
    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        std::fs::write(self.path(name), contents).expect("the folder can be written");
        self.path(name)
    }

    /// Run a study of these sections into the folder `out`.
    pub fn run(&self, sections: &str) -> Result<RunReport> {
        self.run_into("out", sections)
    }

    /// Run a study of these sections into a folder of this name.
    pub fn run_into(&self, out: &str, sections: &str) -> Result<RunReport> {
        let path = self.write("STUDY.toml", sections);
        study::run(&path, &self.path(out), &Progress::default())
    }

    /// The faults of a study that is refused; nothing of a result may be left behind.
    #[track_caller]
    pub fn refused(&self, sections: &str) -> Vec<Problem> {
        let before = names(self.folder.path());
        let problems = match self.run(sections) {
            Err(Error::Input(problems)) => problems,
            Err(other) => panic!("not a fault of the input: {other}"),
            Ok(report) => panic!("the study was not refused: {report:?}"),
        };
        let mut after = names(self.folder.path());
        after.retain(|name| name != "STUDY.toml" && !before.contains(name));
        assert_eq!(after, Vec::<String>::new(), "a refused study leaves nothing behind");
        problems
    }

    /// A table of the result in the folder `out`.
    pub fn result(&self, table: &str) -> Table {
        let path = self.path("out").join(format!("{table}.parquet"));
        Table::read(&path).unwrap_or_else(|error| panic!("{table}: {error}"))
    }

    /// The bytes of every file of a result folder, by name; without `run.json`, which tells how long it took.
    pub fn tables(&self, out: &str) -> Vec<(String, Vec<u8>)> {
        let folder = self.path(out);
        let tables = names(&folder).into_iter().filter(|name| name != "run.json");
        tables.map(|name| (name.clone(), std::fs::read(folder.join(&name)).expect("a table"))).collect()
    }
}

/// The names in a folder, sorted.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// A column of numbers; missing ones as `None`.
pub fn numbers(table: &Table, column: &str) -> Vec<Option<f64>> {
    table.numbers(column, &mut Vec::new()).expect("a column of numbers")
}

/// A column of numbers without missing ones.
pub fn full_numbers(table: &Table, column: &str) -> Vec<f64> {
    numbers(table, column).into_iter().map(|number| number.expect("no number is missing")).collect()
}

/// A column of text; missing values are empty.
pub fn text(table: &Table, column: &str) -> Vec<String> {
    table.text(column).expect("a column of text").into_iter().map(Option::unwrap_or_default).collect()
}

/// A rectangle in metres as a `GeoJSON` feature: west, south, east, north.
pub fn rectangle(town: &Town, [west, south, east, north]: [f64; 4], properties: &str) -> String {
    let corners = [(west, south), (east, south), (east, north), (west, north), (west, south)];
    let corner = |&spot: &(f64, f64)| format!("[{},{}]", town.spot(spot).lon(), town.spot(spot).lat());
    let ring = corners.iter().map(corner).collect::<Vec<_>>().join(",");
    format!(
        "{{\"type\":\"Feature\",\"properties\":{{{properties}}},\"geometry\":{{\"type\":\"Polygon\",\"coordinates\":[[{ring}]]}}}}"
    )
}

/// Features as a collection.
pub fn collection(features: &[String]) -> String {
    format!("{{\"type\":\"FeatureCollection\",\"features\":[{}]}}", features.join(","))
}
