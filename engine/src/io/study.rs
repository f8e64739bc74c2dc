//! `STUDY.toml` → [`Study`], with every fault and its line.

use super::defaults;
use super::files::{self, file_name, is_remote, local};
use super::osm::walking::OpenAt;
use super::population_raster::is_raster;
use super::settings::parse;
use crate::model::crs::Crs;
use crate::model::error::{Error, Result};
use crate::model::ledger;
use crate::model::limits::Amount;
use crate::model::population::Spread;
use crate::model::problem::{Fault, Problem};
use crate::model::profile::Profile;
use crate::model::study::{
    AreaSource, CoverageSettings, FacilitySource, General, LEAST_KEPT, PopulationSource, RefreshSettings,
    StreetSource, Study, minutes_to_ds,
};
use serde::Deserialize;
use std::path::{Path, PathBuf};

const SECTIONS: [&str; 8] =
    ["study", "streets", "facilities", "population", "areas", "coverage", "profile", "refresh"];

/// Each section is read by itself, so that a fault in one does not hide the next.
macro_rules! section {
    ($file:expr, $text:expr, $name:ident, $type:ty) => {{
        #[derive(Deserialize)]
        struct Only {
            $name: $type,
        }
        parse::<Only>($file, $text).map(|only| only.$name)
    }};
}

/// Read a study; paths in it are relative to its folder.
///
/// # Errors
/// Every fault that was found, with line and key.
pub fn read(path: &Path) -> Result<Study> {
    let name = file_name(path);
    if !path.is_file() {
        return Err(Problem::of_file(path.display().to_string(), Fault::NotFound).into());
    }
    let text = files::read_text(path, Amount::SettingsBytes)?;
    let mut problems = Vec::new();
    let sections: toml::Table = parse(&name, &text).map_err(|fault| *fault)?;
    for unknown in sections.keys().filter(|key| !SECTIONS.contains(&key.as_str())) {
        let known = SECTIONS.map(str::to_owned).to_vec();
        problems.push(
            Problem::of_file(&name, Fault::UnknownName { known }).in_column("section").with_value(unknown),
        );
    }
    let mut keep = |fault: Box<Problem>| problems.push(*fault);
    let study: Option<General> = section!(&name, &text, study, General).map_err(&mut keep).ok();
    let streets = section!(&name, &text, streets, StreetSource).map_err(&mut keep).ok();
    let facilities = section!(&name, &text, facilities, FacilitySource).map_err(&mut keep).ok();
    let population = section!(&name, &text, population, PopulationSource).map_err(&mut keep).ok();
    let areas = section!(&name, &text, areas, Option<AreaSource>).map_err(&mut keep).ok();
    let coverage = section!(&name, &text, coverage, Option<CoverageSettings>).map_err(&mut keep).ok();
    let profile = section!(&name, &text, profile, Option<Vec<Profile>>).map_err(&mut keep).ok();
    let refresh = section!(&name, &text, refresh, Option<RefreshSettings>).map_err(&mut keep).ok();
    let (
        Some(study),
        Some(streets),
        Some(facilities),
        Some(population),
        Some(areas),
        Some(coverage),
        Some(profile),
        Some(refresh),
    ) = (study, streets, facilities, population, areas, coverage, profile, refresh)
    else {
        return Err(Error::Input(problems));
    };
    let coverage = coverage.unwrap_or_default();
    let profile = profile.unwrap_or_default();
    let refresh = refresh.unwrap_or_default();
    let mut study = Study { study, streets, facilities, population, areas, coverage, profile, refresh };
    check(&name, &study, &mut problems);
    if !problems.is_empty() {
        return Err(Error::Input(problems));
    }
    make_relative_to(&mut study, path.parent().unwrap_or(Path::new("")));
    Ok(study)
}

/// Settings that are well-formed but cannot be.
fn check(name: &str, study: &Study, problems: &mut Vec<Problem>) {
    let mut fault = |key: &str, value: String, expected: &str| {
        let fault = Fault::Setting { expected: expected.to_owned() };
        problems.push(Problem::of_file(name, fault).in_column(key).with_value(value));
    };
    let resolution = study.study.resolution;
    if resolution > 15 {
        fault("study.resolution", resolution.to_string(), "an H3 resolution 0..15");
    }
    if let Some(as_of) = study.study.as_of.as_deref().filter(|as_of| ledger::day(as_of).is_none()) {
        fault("study.as_of", as_of.to_owned(), "a day such as 2026-03-01");
    }
    if study.facilities.classes.is_some() && study.facilities.path.is_none() {
        fault("facilities.classes", String::new(), "path, a table of facilities to be classified");
    }
    if !(study.streets.max_snap_m > 0.0 && study.streets.max_snap_m <= 5000.0) {
        fault("streets.max_snap_m", study.streets.max_snap_m.to_string(), "metres above 0, at most 5000");
    }
    if !(0.0..=500.0).contains(&study.streets.join_islands_m) {
        fault("streets.join_islands_m", study.streets.join_islands_m.to_string(), "metres 0..500");
    }
    if let Some(at) = study.streets.open_at.as_deref().filter(|at| OpenAt::parse(at).is_none()) {
        fault("streets.open_at", at.to_owned(), "always, or a local time such as 2026-06-16T10:00");
    }
    check_streets(study, &mut fault);
    if !study.facilities.osm && study.facilities.path.is_none() {
        fault("facilities", String::new(), "osm = true, or path, or both");
    }
    check_population(&study.population, &mut fault);
    let drawn = study.areas.as_ref().is_some_and(|areas| areas.path.is_some());
    if let Some(area) = study.population.area.as_ref().filter(|_| !drawn) {
        fault("population.area", area.clone(), "the outlines of the communities as path in [areas]");
    }
    if let Some(areas) = &study.areas {
        match (&areas.path, areas.h3) {
            (Some(_), None) => {}
            (None, Some(h3)) if h3 <= resolution => {}
            (None, Some(h3)) => {
                fault("areas.h3", h3.to_string(), "a resolution not finer than study.resolution");
            }
            _ => fault("areas", String::new(), "either path or h3"),
        }
    }
    if study.coverage.minutes.is_empty() {
        fault("coverage.minutes", "[]".to_owned(), "at least one number of minutes");
    }
    for &minutes in study.coverage.minutes.iter().filter(|&&minutes| minutes_to_ds(minutes).is_none()) {
        fault("coverage.minutes", minutes.to_string(), "minutes above 0, at most 1440");
    }
    for profile in &study.profile {
        if let Some((key, value, range)) = profile.fault() {
            fault(&format!("profile.{}.{key}", profile.name), value.to_string(), range);
        }
    }
    let known = study.known_profiles(defaults::profiles()).into_iter().map(|profile| profile.name);
    let known: Vec<String> = known.collect();
    if study.coverage.profiles.is_empty() {
        fault("coverage.profiles", "[]".to_owned(), &format!("at least one of {}", known.join(", ")));
    }
    for profile in study.coverage.profiles.iter().filter(|name| !known.contains(name)) {
        fault("coverage.profiles", profile.clone(), &format!("one of {}", known.join(", ")));
    }
    for (group, profile) in &study.coverage.group_profiles {
        if !study.coverage.profiles.contains(profile) {
            let expected = format!("one of coverage.profiles: {}", study.coverage.profiles.join(", "));
            fault(&format!("coverage.group_profiles.{group}"), profile.clone(), &expected);
        }
    }
    check_refresh(study, &mut fault);
    let areas_crs = study.areas.as_ref().and_then(|areas| areas.crs.as_ref());
    let systems = [
        ("facilities.crs", study.facilities.crs.as_ref()),
        ("population.crs", study.population.crs.as_ref()),
        ("areas.crs", areas_crs),
    ];
    for (key, crs) in systems {
        if let Some(crs) = crs.filter(|crs| Crs::from_name(crs).is_none()) {
            problems.push(Problem::of_file(name, Fault::UnsupportedCrs).in_column(key).with_value(crs));
        }
    }
}

fn check_streets(study: &Study, fault: &mut impl FnMut(&str, String, &str)) {
    let streets = &study.streets;
    if streets.osm.is_some() == streets.overture.is_some() {
        fault("streets", String::new(), "either osm or overture");
    }
    if let Some(connectors) = streets.connectors.as_ref().filter(|_| streets.overture.is_none()) {
        fault("streets.connectors", connectors.display().to_string(), "overture = the segments beside it");
    }
    if streets.osm.is_none() && study.facilities.osm {
        fault("facilities.osm", "true".to_owned(), "streets.osm, an extract to take them from");
    }
    if streets.osm.is_none() && study.population.buildings.is_some() {
        fault("population.buildings", "osm".to_owned(), "streets.osm, an extract to take them from");
    }
}

fn check_population(population: &PopulationSource, fault: &mut impl FnMut(&str, String, &str)) {
    match (&population.path, &population.buildings) {
        (Some(path), None) => {
            let groups = population.groups.as_deref().unwrap_or_default();
            if is_raster(path) && !groups.is_empty() {
                let expected =
                    "a table; a raster has one number a pixel: name one raster per group in rasters";
                fault("population.groups", groups.join(", "), expected);
            }
            for (group, other) in &population.rasters {
                if !is_raster(path) || !is_raster(other) {
                    fault("population.rasters", group.clone(), "GeoTIFF files beside a path that is one too");
                }
            }
            for group in population.groups_share.keys() {
                fault("population.groups_share", group.clone(), "total; a table has groups of its own");
            }
            if let Some(total) = population.total {
                fault("population.total", total.to_string(), "no path beside a total");
            }
        }
        (None, buildings) if buildings.is_some() || population.total.is_some() => {
            if let Some(buildings) = buildings.as_ref().filter(|buildings| *buildings != "osm") {
                fault("population.buildings", buildings.clone(), "\"osm\"");
            }
            if population.spread == Some(Spread::Area) {
                fault("population.spread", "area".to_owned(), "\"buildings\" or \"streets\" for a total");
            }
            for (group, share) in
                population.groups_share.iter().filter(|(_, share)| !(0.0..=1.0).contains(*share))
            {
                fault("population.groups_share", format!("{group} = {share}"), "a share 0..1");
            }
            if !population.total.is_some_and(|total| total > 0.0 && total.is_finite()) {
                let found = population.total.map(|total| total.to_string()).unwrap_or_default();
                fault("population.total", found, "the number of people to spread over buildings or streets");
            }
        }
        _ => fault(
            "population",
            String::new(),
            "either path, or total with spread = \"buildings\" or \"streets\"",
        ),
    }
}

fn check_refresh(study: &Study, fault: &mut impl FnMut(&str, String, &str)) {
    let refresh = &study.refresh;
    if let Some(tile) = refresh.tile_resolution.filter(|tile| *tile > study.study.resolution) {
        fault("refresh.tile_resolution", tile.to_string(), "a resolution not finer than study.resolution");
    }
    let (releases, days) = LEAST_KEPT;
    if refresh.keep_releases < releases {
        fault("refresh.keep_releases", refresh.keep_releases.to_string(), "at least 3");
    }
    if refresh.keep_days < days {
        fault("refresh.keep_days", refresh.keep_days.to_string(), "at least 7");
    }
    let gates = &refresh.gates;
    for (key, share) in [
        ("rows_shrink_share", gates.rows_shrink_share),
        ("unjoined_rise_share", gates.unjoined_rise_share),
        ("people_move_share", gates.people_move_share),
        ("coverage_move_share", gates.coverage_move_share),
    ] {
        if !(0.0..=1.0).contains(&share) {
            fault(&format!("refresh.gates.{key}"), share.to_string(), "a share 0..1");
        }
    }
    if let Some(standard) = refresh.standard.as_ref().filter(|_| study.areas.is_none()) {
        fault("refresh.standard", standard.clone(), "[areas], which are scored by it");
    }
    if refresh.standard.is_none() && refresh.survey.is_some() {
        fault("refresh.survey", String::new(), "standard, by which the answers are scored");
    }
}

fn make_relative_to(study: &mut Study, folder: &Path) {
    let fix = |path: &mut PathBuf| {
        if !is_remote(path) {
            *path = folder.join(local(path));
        }
    };
    fix(&mut study.refresh.tables);
    study.refresh.survey.as_mut().map(fix);
    study.refresh.projects.as_mut().map(fix);
    study.refresh.requests.as_mut().map(fix);
    // A standard is a name, or a file.
    let standard =
        study.refresh.standard.as_mut().filter(|name| Path::new(name.as_str()).extension().is_some());
    if let Some(standard) = standard {
        *standard = folder.join(&*standard).display().to_string();
    }
    study.streets.osm.as_mut().map(fix);
    study.streets.overture.as_mut().map(fix);
    study.streets.connectors.as_mut().map(fix);
    study.streets.elevation.iter_mut().for_each(fix);
    study.facilities.path.as_mut().map(fix);
    study.facilities.catalogue.as_mut().map(fix);
    study.facilities.classes.as_mut().map(fix);
    study.population.path.as_mut().map(fix);
    study.population.rasters.values_mut().for_each(fix);
    if let Some(areas) = &mut study.areas {
        areas.path.as_mut().map(fix);
    }
}

/// A catalogue of the user's own, or the project's.
pub fn catalogue(path: Option<&Path>) -> Result<crate::model::catalogue::Catalogue> {
    let Some(path) = path else { return Ok(defaults::catalogue()) };
    let name = file_name(path);
    let text = files::read_text(path, Amount::SettingsBytes)?;
    parse(&name, &text).map_err(|fault| (*fault).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("STUDY.toml");
        std::fs::write(&path, text).unwrap();
        read(&path).unwrap_err().to_string()
    }

    #[test]
    fn every_fault_is_told_with_its_line() {
        let text = "[study]\nname = \"x\"\nresolution = 10\nresolutoin = 9\n[streets]\nosm = 3\n[facilities]\nosm = true\n\
                    [population]\npath = \"p.csv\"\n[area]\nh3 = 8\n";
        let faults = faults(text);
        assert!(faults.contains("STUDY.toml, row 4") && faults.contains("resolutoin"), "{faults}");
        assert!(faults.contains("row 6"), "{faults}");
        assert!(faults.contains("value \"area\": unknown name; known: study, streets"), "{faults}");
    }

    #[test]
    fn settings_that_cannot_be_are_told_together() {
        let text = "[study]\nname = \"x\"\nresolution = 16\n[streets]\nosm = \"a.pbf\"\n[facilities]\n\
                    [population]\nbuildings = \"osm\"\n[coverage]\nminutes = [5, -1]\nprofiles = [\"robot\"]\n";
        let faults = faults(text);
        for part in ["study.resolution", "osm = true, or path", "population.total", "\"-1\"", "\"robot\""] {
            assert!(faults.contains(part), "{part} in {faults}");
        }
    }

    #[test]
    fn paths_are_relative_to_the_study() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("STUDY.toml");
        let text = "[study]\nname = \"x\"\n[streets]\nosm = \"a.pbf\"\nelevation = \"e.tif\"\n[facilities]\nosm = true\n\
                    [population]\npath = \"p.csv\"\n";
        std::fs::write(&path, text).unwrap();
        let study = read(&path).unwrap();
        assert_eq!(study.streets.osm, Some(folder.path().join("a.pbf")));
        assert_eq!(study.streets.elevation, [folder.path().join("e.tif")]);
        assert_eq!(study.coverage.minutes, [5.0, 10.0, 15.0]);
    }
}
