//! A study tile by tile is the study in one piece: the same bytes in every table, the same numbers in `run.json`.
#![expect(clippy::unwrap_used, reason = "a test stops where something is missing")]

use std::fs;
use std::path::{Path, PathBuf};
use walkshed::batch::study;
use walkshed::batch::synthetic;
use walkshed::batch::tiles::{Options, TiledRun, job};
use walkshed::io::given::Given;
use walkshed::model::error::{Error, Result};
use walkshed::model::progress::Progress;
use walkshed::model::synthetic::Wanted;

const TABLES: [&str; 6] = ["cells", "times", "coverage", "areas", "facilities", "rejected"];

fn options(resolution: Option<u8>) -> Options {
    Options { memory_bytes: None, tile_resolution: resolution, parallel: 1 }
}

/// Do everything that is to be done, each tile on so many threads.
fn work_off(run: &mut TiledRun, work: &Path, threads: usize) -> Result<usize> {
    let mut jobs = 0;
    while let Some((stage, keys)) = run.stage(&Progress::default())? {
        for key in keys {
            let receipt = job(work, stage, &key, threads, &Progress::default())?;
            run.accept(stage, &receipt)?;
            jobs += 1;
        }
    }
    Ok(jobs)
}

fn tiled(path: &Path, place: &Path, resolution: Option<u8>, threads: usize) -> Result<PathBuf> {
    let (work, out) = (place.join("work"), place.join("tiled"));
    let mut run = TiledRun::open(path, &work, Given::default(), options(resolution), &Progress::default())?;
    work_off(&mut run, &work, threads)?;
    run.finish(&out, &Progress::default())?;
    Ok(out)
}

fn report(folder: &Path) -> serde_json::Value {
    let text = fs::read_to_string(folder.join("run.json")).unwrap();
    let mut report: serde_json::Value = serde_json::from_str(&text).unwrap();
    let map = report.as_object_mut().unwrap();
    map.remove("seconds");
    map.remove("peak_memory_bytes");
    report
}

fn assert_same(whole: &Path, tiled: &Path, what: &str) {
    for table in TABLES {
        let [one, other] =
            [whole, tiled].map(|folder| fs::read(folder.join(format!("{table}.parquet"))).unwrap());
        assert!(one == other, "{what}: {table} differs");
    }
    assert_eq!(report(whole), report(tiled), "{what}");
}

fn city(place: &Path, nodes: i64, seed: i64) -> PathBuf {
    let folder = place.join("city");
    synthetic::write(Wanted::new(nodes, seed).unwrap(), &folder, &Progress::default()).unwrap();
    folder
}

/// The study of the city with some of its lines replaced.
fn study_with(city: &Path, name: &str, changes: &[(&str, &str)]) -> PathBuf {
    let mut text = fs::read_to_string(city.join("STUDY.toml")).unwrap();
    for (what, with) in changes {
        assert!(text.contains(what), "{what} is not in {text}");
        text = text.replace(what, with);
    }
    let path = city.join(format!("{name}.toml"));
    fs::write(&path, text).unwrap();
    path
}

const CELLS: &str = "path = \"population_cells.parquet\"";
const TOTALS: &str = "path = \"population_communities.parquet\"";
const MINUTES: &str = "minutes = [5, 10, 15]";
const AREAS: &str = "path = \"communities.parquet\"";
const STREETS: &str = "osm = \"streets.osm.pbf\"";
const GROUPS: &str = "groups = [\"infant_0_2\", \"preschool_3_5\", \"primary_6_11\", \"junior_12_14\", \"child_0_14\", \"senior_60_plus\", \"mobility_limited\"]";

/// Name, what is replaced in the study by what, and the resolution of the tiles.
type Kind = (&'static str, &'static [(&'static str, &'static str)], u8);

#[test]
fn every_kind_of_study_is_the_same_in_tiles() {
    let place = tempfile::tempdir().unwrap();
    let city = city(place.path(), 6000, 7);
    let kinds: [Kind; 9] = [
        ("as it is", &[], 7),
        ("large tiles", &[], 5),
        ("communities by buildings", &[(CELLS, TOTALS), (GROUPS, "")], 7),
        ("communities by streets", &[(CELLS, TOTALS), (GROUPS, "spread = \"streets\"")], 8),
        ("a total over streets", &[(CELLS, "total = 50000\nspread = \"streets\""), (GROUPS, "")], 7),
        ("a total over buildings", &[(CELLS, "total = 50000\nbuildings = \"osm\""), (GROUPS, "")], 7),
        (
            "home from there",
            &[(MINUTES, "minutes = [3, 20]\ndirection = \"from_facility\""), (AREAS, "h3 = 7")],
            7,
        ),
        (
            "gates closed",
            &[(STREETS, "osm = \"streets.osm.pbf\"\ngates = \"closed\"\njoin_islands_m = 30")],
            7,
        ),
        ("facilities of the map", &[("[facilities]", "[facilities]\nosm = true"), (AREAS, "h3 = 8")], 7),
    ];
    for (name, changes, resolution) in kinds {
        let path = study_with(&city, &name.replace(' ', "_"), changes);
        let place = place.path().join(name.replace(' ', "_"));
        let whole = place.join("whole");
        study::run(&path, &whole, &Progress::default()).unwrap();
        let tiled = tiled(&path, &place, Some(resolution), 2).unwrap();
        assert_same(&whole, &tiled, name);
    }
}

#[test]
fn an_analysis_in_gcj02_and_coarse_cells_are_the_same_in_tiles() {
    let place = tempfile::tempdir().unwrap();
    let city = city(place.path(), 4000, 3);
    let kinds: [(&str, &[(&str, &str)]); 2] = [
        (
            "gcj02",
            &[
                ("resolution = 10", "resolution = 10\nanalysis_crs = \"gcj02\""),
                (CELLS, TOTALS),
                (GROUPS, ""),
            ],
        ),
        ("coarse", &[("resolution = 10", "resolution = 8"), (CELLS, TOTALS), (GROUPS, "")]),
    ];
    for (name, changes) in kinds {
        let path = study_with(&city, name, changes);
        let place = place.path().join(name);
        let whole = place.join("whole");
        study::run(&path, &whole, &Progress::default()).unwrap();
        assert_same(&whole, &tiled(&path, &place, Some(7), 1).unwrap(), name);
    }
}

#[test]
fn a_run_that_was_stopped_goes_on() {
    let place = tempfile::tempdir().unwrap();
    let city = city(place.path(), 3000, 1);
    let path = study_with(&city, "study", &[]);
    let (work, whole) = (place.path().join("work"), place.path().join("whole"));
    study::run(&path, &whole, &Progress::default()).unwrap();
    let open = || TiledRun::open(&path, &work, Given::default(), options(Some(7)), &Progress::default());
    let (mut done, mut opened) = (Vec::new(), 0);
    loop {
        // Two jobs, then the driver is gone.
        let mut run = open().unwrap();
        opened += 1;
        let Some((stage, keys)) = run.stage(&Progress::default()).unwrap() else { break };
        for key in keys.into_iter().take(2) {
            let receipt = job(&work, stage, &key, 1, &Progress::default()).unwrap();
            assert!(!done.contains(&receipt), "{stage} of {key} is done twice");
            done.push(receipt);
        }
    }
    assert!(opened > 5);
    let out = place.path().join("tiled");
    open().unwrap().finish(&out, &Progress::default()).unwrap();
    assert_same(&whole, &out, "stopped again and again");
}

#[test]
fn a_folder_of_somebody_else_is_not_touched() {
    let place = tempfile::tempdir().unwrap();
    let city = city(place.path(), 1000, 1);
    let path = study_with(&city, "study", &[]);
    let work = place.path().join("photos");
    fs::create_dir(&work).unwrap();
    fs::write(work.join("child.jpg"), "x").unwrap();
    let refused = TiledRun::open(&path, &work, Given::default(), options(None), &Progress::default());
    assert!(matches!(refused, Err(Error::Input(_))));
    assert!(work.join("child.jpg").is_file());
    let work = place.path().join("work");
    let _first = TiledRun::open(&path, &work, Given::default(), options(None), &Progress::default()).unwrap();
    let second = TiledRun::open(&path, &work, Given::default(), options(None), &Progress::default());
    assert!(matches!(second, Err(Error::Busy { .. })));
}
