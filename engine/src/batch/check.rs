//! One file looked at by itself, before there is a study: what it is, and what is wrong with it.

use crate::io;
use crate::io::given::Given;
use crate::io::osm::Wanted;
use crate::io::table::Table;
use crate::model::error::{Error, Result};
use crate::model::finding::{Findings, Tally, rejected_rows};
use crate::model::problem::{Fault, Problem};
use crate::model::progress::Progress;
use crate::model::smoothing::Smoothing;
use crate::model::study::TableFile;
use std::collections::BTreeMap;
use std::path::Path;

/// Look at a file: an extract, a raster or a table, which may have been read elsewhere. What stops its reading is a
/// finding, too.
///
/// # Errors
/// [`Error::Cancelled`] when the user stopped, [`Error::File`] when the file system refuses.
pub fn file(path: &Path, given: &Given, progress: &Progress) -> Result<Findings> {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    let mut problems = Vec::new();
    let tally = match ending.as_deref() {
        Some("pbf") => extract(path, progress, &mut problems),
        Some("tif" | "tiff" | "hgt") => raster(path, &mut problems),
        _ => given.read(&TableFile { path: path.to_owned(), layer: None }).and_then(|table| {
            problems.extend(table.notes().iter().cloned());
            rows(&table, &mut problems)
        }),
    };
    match tally {
        Ok(tally) => Ok(Findings::new(vec![], problems, vec![tally])),
        Err(Error::Input(errors)) => Ok(Findings::new(errors, problems, vec![])),
        Err(other) => Err(other),
    }
}

/// What an extract holds, in ways that people walk on and ways that are left out, by the rules of a run.
fn extract(path: &Path, progress: &Progress, problems: &mut Vec<Problem>) -> Result<Tally> {
    let (rules, catalogue) = (io::defaults::walking_rules(), io::defaults::catalogue());
    let buildings = io::defaults::building_rules();
    let wanted = Wanted { rules: &rules, catalogue: Some(&catalogue), buildings: Some(&buildings) };
    let extract = io::osm::read(path, wanted, progress)?;
    problems.extend(extract.findings);
    let mut ways: Vec<i64> = extract.streets.ways.iter().map(|way| way.id).collect();
    ways.sort_unstable();
    ways.dedup();
    let left_out = extract.left_out.ways.values().flat_map(BTreeMap::values).sum();
    Ok(Tally::of("streets", io::files::file_name(path), "ways", ways.len() as u64, left_out))
}

/// The pixels of a raster; those without a value are left out.
fn raster(path: &Path, problems: &mut Vec<Problem>) -> Result<Tally> {
    let name = io::files::file_name(path);
    let raster = io::elevation::read(&[path.to_owned()], None, Smoothing::None)?;
    let rows = raster.grids.iter().map(|grid| grid.heights_m.len() as u64).sum();
    let unknown = raster.voids.found;
    if unknown > 0 {
        problems.push(Problem::of_file(&name, Fault::NoData { pixels: unknown, of: rows }));
    }
    Ok(Tally::of("raster", name, "pixels", rows - unknown, unknown))
}

/// The rows of a table, read as what its columns say that it is.
fn rows(table: &Table, problems: &mut Vec<Problem>) -> Result<Tally> {
    let is = |columns: &[&str]| columns.iter().all(|column| table.has(column));
    let (input, accepted) = if is(&["from", "to", "length_m"]) {
        ("edges", table.rows())
    } else if is(&["id", "class"]) || io::overture::places::are_places(table) {
        let catalogue = io::defaults::catalogue();
        (
            "facilities",
            io::facilities::read(table, io::facilities::Columns::usual(&catalogue), problems)?.len(),
        )
    } else if is(&["people"]) {
        let age_groups = io::defaults::catalogue().age_group;
        let columns = io::population::Columns::usual(&age_groups);
        ("population", io::population::read(table, columns, None, problems)?.home.len())
    } else if is(&["area_id"]) && table.geometry_column().is_some() {
        ("areas", io::areas::read(table, "area_id", problems)?.id.len())
    } else {
        ("table", located_rows(table, problems)?)
    };
    let rejected = rejected_rows(problems, &table.name);
    Tally {
        input,
        file: table.name.clone(),
        unit: "rows",
        rows: table.rows() as u64,
        accepted: accepted as u64,
        rejected,
    }
    .balanced()
}

/// The rows of a table of no known use that have a place; all, where it has no column of places.
fn located_rows(table: &Table, problems: &mut Vec<Problem>) -> Result<usize> {
    problems.push(Problem::of_file(&table.name, Fault::UnknownUse { found: table.column_names() }));
    let axes = table.has("lon") && table.has("lat");
    if !axes && table.geometry_column().is_none() && !table.has("cell") {
        return Ok(table.rows());
    }
    Ok(table.located("cell", problems)?.place.iter().flatten().count())
}
