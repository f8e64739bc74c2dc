//! Releases under every fault: death at every step, refusal at every step, and power cuts that forget what was not synced.

use super::lake::{Lake, Recovered, Staged, beside_path, data_path};
use crate::io::delta::{Changes, DataFile, TableShape};
use crate::io::disk::Disk;
use crate::io::{geoparquet, hash};
use crate::model::analysis_crs::AnalysisCrs;
use crate::model::error::{Error, Result};
use crate::model::progress::Progress;
use crate::model::release::{FORMAT, Facts, Release, StoredFile, TableCounts};
use crate::model::study::CoverageSettings;
use arrow_array::{ArrayRef, Int64Array, RecordBatch};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// What has a name: a folder, or a file by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named {
    Folder,
    File(usize),
}

type Names = BTreeMap<PathBuf, Named>;

/// A disk that knows what a power cut would leave.
#[derive(Debug, Clone, Default)]
struct Platters {
    contents: Vec<Vec<u8>>,
    /// What programs see.
    now: Names,
    /// What is on the disk whatever happens.
    safe: Names,
    steps: usize,
    /// The step at which the power goes, and everything from there on fails.
    cut_at: Option<usize>,
    /// The step that alone is refused.
    refuse_at: Option<usize>,
    /// Names are never made safe: a disk on which the tests below have to fail.
    is_deaf: bool,
    /// What another process does just before the next file gets a second name.
    rival: Option<fn(&SimulatedDisk)>,
}

struct SimulatedDisk(Mutex<Platters>);

fn refused(path: &Path) -> Error {
    Error::File { path: path.to_owned(), source: std::io::Error::from_raw_os_error(5) }
}

impl SimulatedDisk {
    fn of(now: Names, contents: Vec<Vec<u8>>) -> Self {
        Self(Mutex::new(Platters { contents, safe: now.clone(), now, ..Platters::default() }))
    }

    fn empty() -> Self {
        Self::of([(PathBuf::from("/t"), Named::Folder)].into(), Vec::new())
    }

    fn platters(&self) -> Platters {
        self.0.lock().unwrap().clone()
    }

    /// One step: it fails, half done or not at all, when the power goes.
    fn step<T>(&self, path: &Path, act: impl FnOnce(&mut Platters) -> T) -> Result<T> {
        let mut disk = self.0.lock().unwrap();
        disk.steps += 1;
        if disk.cut_at.is_some_and(|cut| disk.steps >= cut) || disk.refuse_at == Some(disk.steps) {
            return Err(refused(path));
        }
        Ok(act(&mut disk))
    }
}

impl Disk for SimulatedDisk {
    fn write(&self, path: &Path, contents: &[u8], _modified_ms: Option<u64>) -> Result<()> {
        // A file that was begun: its name may be there, with half of what was meant.
        self.step(path, |disk| {
            assert!(!disk.now.contains_key(path), "{} is written twice", path.display());
            let parent = path.parent().unwrap();
            assert_eq!(disk.now.get(parent), Some(&Named::Folder), "{} has no folder", path.display());
            disk.contents.push(contents[..contents.len() / 2].to_vec());
            disk.now.insert(path.to_owned(), Named::File(disk.contents.len() - 1));
        })?;
        self.step(path, |disk| {
            let Named::File(number) = disk.now[path] else { panic!("a folder") };
            disk.contents[number] = contents.to_vec();
        })
    }

    fn make_folder(&self, path: &Path) -> Result<()> {
        if self.platters().now.contains_key(path) {
            return Ok(());
        }
        let above = path.parent().unwrap();
        self.make_folder(above)?;
        self.step(path, |disk| disk.now.insert(path.to_owned(), Named::Folder))?;
        self.sync_folder(above)
    }

    fn sync_folder(&self, path: &Path) -> Result<()> {
        self.step(path, |disk| {
            if disk.is_deaf {
                return;
            }
            disk.safe.retain(|name, _| name.parent() != Some(path));
            let own = disk.now.iter().filter(|(name, _)| name.parent() == Some(path));
            let own: Names = own.map(|(name, named)| (name.clone(), *named)).collect();
            disk.safe.extend(own);
        })
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        self.step(to, |disk| {
            let named = disk.now[from];
            // As POSIX has it: between two names of one file nothing happens.
            if disk.now.insert(to.to_owned(), named) != Some(named) {
                disk.now.remove(from);
            }
        })
    }

    fn link(&self, from: &Path, to: &Path) -> Result<bool> {
        let rival = self.0.lock().unwrap().rival.take();
        if let Some(rival) = rival {
            rival(self);
        }
        self.step(to, |disk| {
            let named = disk.now[from];
            let is_free = !disk.now.contains_key(to);
            if is_free {
                disk.now.insert(to.to_owned(), named);
            }
            is_free
        })
    }

    fn remove(&self, path: &Path) -> Result<()> {
        self.step(path, |disk| {
            disk.now.remove(path);
        })
    }

    fn remove_folder(&self, path: &Path) -> Result<()> {
        let named = self.platters().now.get(path).copied();
        assert_ne!(named.map(|named| named == Named::Folder), Some(false), "{} is no folder", path.display());
        self.step(path, |disk| disk.now.retain(|name, _| !name.starts_with(path)))
    }

    fn exists(&self, path: &Path) -> bool {
        self.0.lock().unwrap().now.contains_key(path)
    }

    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>> {
        let disk = self.0.lock().unwrap();
        Ok(disk.now.get(path).and_then(|named| match named {
            Named::File(number) => Some(disk.contents[*number].clone()),
            Named::Folder => None,
        }))
    }

    fn list(&self, path: &Path) -> Result<Vec<String>> {
        let disk = self.0.lock().unwrap();
        let own = disk.now.keys().filter(|name| name.parent() == Some(path));
        Ok(own.map(|name| name.file_name().unwrap().to_string_lossy().into_owned()).collect())
    }
}

/// What a power cut may leave: of the names that are not safe, those that `keep` says.
fn after_power_cut(disk: &Platters, mut keep: impl FnMut() -> bool) -> SimulatedDisk {
    let mut names = disk.safe.clone();
    for path in disk.safe.keys().chain(disk.now.keys()) {
        if disk.safe.get(path) != disk.now.get(path) && keep() {
            match disk.now.get(path) {
                Some(kind) => names.insert(path.clone(), *kind),
                None => names.remove(path),
            };
        }
    }
    // What lies in a folder that has no name is lost.
    let folders: Vec<PathBuf> =
        names.iter().filter(|(_, named)| **named == Named::Folder).map(|(name, _)| name.clone()).collect();
    let has_way = |path: &Path| {
        path.ancestors().skip(1).all(|above| !above.starts_with("/t") || folders.iter().any(|it| it == above))
    };
    names.retain(|path, _| has_way(path));
    SimulatedDisk::of(names, disk.contents.clone())
}

const TABLES: [&str; 2] = ["coverage", "times"];

/// The file of a table in release `number`, and one that all releases share.
fn contents(table: &str, number: i64) -> (Vec<u8>, DataFile) {
    let values: ArrayRef = Arc::new(Int64Array::from(vec![number, table.len() as i64]));
    let batch = RecordBatch::try_from_iter([("cell", values)]).unwrap();
    let bytes = geoparquet::encode(&batch, &[]).unwrap();
    let sha256 = hash::of_bytes(&bytes);
    let file = DataFile {
        path: data_path(Some(Some(7)), &sha256),
        tile: Some(7),
        part: String::new(),
        bytes: bytes.len() as u64,
        rows: 2,
        sha256,
        fingerprint: number.to_string(),
        stats: crate::io::delta::stats(&batch),
    };
    (bytes, file)
}

/// Publish the next release: the file of the last one goes, its own comes; the first has one more that stays.
fn publish(disk: &SimulatedDisk, unique: &str) -> Result<Release> {
    Lake::new(Path::new("/t"), disk).recover()?;
    publish_on(disk, unique)
}

fn publish_on(disk: &SimulatedDisk, unique: &str) -> Result<Release> {
    let lake = Lake::new(Path::new("/t"), disk);
    let next = lake.last()?.map_or(0, |last| last + 1) as i64;
    let bench = lake.workbench(unique)?;
    let mut staged = Staged::default();
    for table in TABLES {
        let mut changes = Changes::default();
        let mut added = vec![contents(table, next)];
        if next == 0 {
            changes.shape = Some(TableShape { id: table.into(), schema: "{}".into(), tiled: true });
            added.push(contents(table, -1));
        } else {
            changes.removed.push(contents(table, next - 1).1);
        }
        for (bytes, file) in added {
            disk.write(&bench.path(&file.sha256), &bytes, None)?;
            changes.added.push(file);
        }
        staged.tables.insert(table.to_owned(), changes);
        staged.counts.insert(table.to_owned(), TableCounts { rows: 4, files: 2, ..TableCounts::default() });
    }
    let map = format!("map of release {next}").into_bytes();
    let sha256 = hash::of_bytes(&map);
    disk.write(&bench.path(&sha256), &map, None)?;
    let path = beside_path("areas", "parquet", &sha256);
    let file = StoredFile { path, bytes: map.len() as u64, sha256, made_from: String::new() };
    staged.files.insert("areas".to_owned(), file);
    lake.publish(&bench, &staged, draft(next as u64), &Progress::default())
}

fn draft(next: u64) -> Release {
    Release {
        format: FORMAT,
        release: 0,
        published_at: String::new(),
        published_at_ms: next,
        cause: "refresh".into(),
        reason: None,
        study: "simulated".into(),
        as_of: None,
        walkshed: String::new(),
        coverage: CoverageSettings::default(),
        profiles: Vec::new(),
        analysis_crs: AnalysisCrs::default(),
        code: String::new(),
        settings: String::new(),
        key: next.to_string(),
        inputs: Vec::new(),
        entries: String::new(),
        tables: BTreeMap::new(),
        files: BTreeMap::new(),
        // A number that comes back from JSON with another last digit.
        facts: Facts {
            people_stated: 9.527_123_456_789_012e-7,
            people_in_cells: 2.0_f64.sqrt() * 1e22,
            ..Facts::default()
        },
        total: Vec::new(),
        overridden: BTreeMap::new(),
        before_sha256: None,
        sha256: String::new(),
    }
}

/// Every table, as any reader of Delta finds it by its log alone: at which version, with which files.
fn as_readers_see_it(disk: &SimulatedDisk) -> Vec<Option<(usize, Vec<String>)>> {
    let of_table = |table: &&str| {
        let log = Path::new("/t").join(table).join("_delta_log");
        let names = disk.list(&log).unwrap();
        let texts: Vec<String> = names
            .iter()
            .map(|name| String::from_utf8(disk.read(&log.join(name)).unwrap().unwrap()).unwrap())
            .collect();
        let version = texts.len().checked_sub(1)?;
        assert_eq!(names.last().unwrap(), &format!("{version:020}.json"), "no version is missing");
        let (_, files) = crate::io::delta::replay(texts.iter().map(String::as_str)).unwrap();
        for file in files.values() {
            let there = disk.read(&Path::new("/t").join(table).join(&file.path)).unwrap();
            assert_eq!(there.map(|there| hash::of_bytes(&there)), Some(file.sha256.clone()), "{}", file.path);
        }
        Some((version, files.into_keys().collect()))
    };
    TABLES.iter().map(of_table).collect()
}

fn expected(release: u64) -> Vec<Option<(usize, Vec<String>)>> {
    let of_table = |table: &&str| {
        let mut files = vec![contents(table, -1).1.path, contents(table, release as i64).1.path];
        files.sort();
        Some((release as usize, files))
    };
    TABLES.iter().map(of_table).collect()
}

/// After whatever happened to the release after `before`: readers see old or new; recovery makes one of both of it, and
/// the next release follows.
fn check(disk: &SimulatedDisk, before: Option<u64>) -> Option<u64> {
    let new = before.map_or(0, |before| before + 1);
    for (table, seen) in as_readers_see_it(disk).into_iter().enumerate() {
        let old = before.and_then(|before| expected(before)[table].clone());
        assert!(seen == old || seen == expected(new)[table], "{seen:?}");
    }
    let lake = Lake::new(Path::new("/t"), disk);
    lake.recover().unwrap();
    let last = lake.last().unwrap();
    assert!(last == before || last == Some(new), "{last:?}");
    if let Some(last) = last {
        assert_eq!(as_readers_see_it(disk), expected(last));
        assert_eq!(lake.verify(&Progress::default()).unwrap(), []);
        let map = disk.read(Path::new("/t/exports/areas.parquet")).unwrap();
        assert_eq!(map, Some(format!("map of release {last}").into_bytes()));
    }
    assert_eq!(lake.recover().unwrap(), Recovered::default(), "recovery leaves nothing to recover");
    assert!(disk.list(Path::new("/t/staging")).unwrap().is_empty());
    let next = publish(disk, "next").unwrap();
    assert_eq!(Some(next.release), last.map_or(Some(0), |last| Some(last + 1)));
    assert_eq!(as_readers_see_it(disk), expected(next.release));
    last
}

/// A disk with some releases, and the steps that the next one takes.
fn prepared(releases: u64) -> (Platters, usize) {
    let disk = SimulatedDisk::empty();
    for number in 0..releases {
        publish(&disk, &format!("b{number}")).unwrap();
    }
    let ready = SimulatedDisk::of(disk.platters().now, disk.platters().contents);
    let rehearsal = SimulatedDisk(Mutex::new(ready.platters()));
    publish(&rehearsal, "rehearsal").unwrap();
    (ready.platters(), rehearsal.platters().steps)
}

#[test]
fn a_power_cut_at_any_step_leaves_the_old_or_the_new_release() {
    let mut cuts = 0;
    for releases in [0, 1, 3] {
        let (ready, steps) = prepared(releases);
        let before = releases.checked_sub(1);
        assert!(steps > 20, "{steps} steps");
        for cut in 1..=steps + 1 {
            let disk = SimulatedDisk(Mutex::new(Platters { cut_at: Some(cut), ..ready.clone() }));
            let published = publish(&disk, "cut").is_ok();
            assert_eq!(published, cut > steps, "the last step is the last that can fail");
            let left = disk.platters();
            // Nothing unsafe stays, all of it stays, every other name stays, the other ones do.
            let mut turn = 0_u32;
            let mut every_other = |odd: u32| {
                turn += 1;
                turn % 2 == odd
            };
            for kind in 0..4 {
                let found = match kind {
                    0 => after_power_cut(&left, || false),
                    1 => after_power_cut(&left, || true),
                    2 => after_power_cut(&left, || every_other(0)),
                    _ => after_power_cut(&left, || every_other(1)),
                };
                let last = check(&found, before);
                assert!(!published || last == Some(releases), "what was told to be published is lost");
                cuts += 1;
            }
        }
    }
    assert!(cuts > 400, "{cuts} power cuts");
}

#[test]
fn a_refusal_at_any_step_is_told_and_leaves_the_old_or_the_new_release() {
    for releases in [0, 2] {
        let (ready, steps) = prepared(releases);
        for refuse in 1..=steps {
            let disk = SimulatedDisk(Mutex::new(Platters { refuse_at: Some(refuse), ..ready.clone() }));
            assert!(
                publish(&disk, "refused").is_err(),
                "step {refuse} of {steps} is refused and nobody is told"
            );
            check(&disk, releases.checked_sub(1));
        }
    }
}

#[test]
fn a_power_cut_on_a_disk_that_syncs_nothing_is_noticed() {
    let (ready, steps) = prepared(1);
    let disk = SimulatedDisk(Mutex::new(Platters { is_deaf: true, ..ready }));
    publish(&disk, "deaf").unwrap();
    let left = disk.platters();
    let lost = after_power_cut(&left, || false);
    assert_eq!(check(&lost, Some(0)), Some(0), "what was published is lost, and the test sees it");
    // The record safe, its entries not: the order in which names become safe matters.
    let mut torn = left.clone();
    torn.safe.insert(
        "/t/releases/00000000000000000001.json".into(),
        left.now[Path::new("/t/releases/00000000000000000001.json")],
    );
    let torn = after_power_cut(&torn, || false);
    assert!(std::panic::catch_unwind(|| check(&torn, Some(0))).is_err(), "{steps} steps");
}

#[test]
fn two_that_publish_at_once_without_a_lock_make_one_line() {
    let disk = SimulatedDisk::empty();
    publish(&disk, "first").unwrap();
    disk.0.lock().unwrap().rival = Some(|disk| drop(publish_on(disk, "rival").unwrap()));
    let late = publish_on(&disk, "late").unwrap_err();
    assert!(matches!(late, Error::Busy { .. }), "{late}");
    assert_eq!(check(&disk, Some(0)), Some(1), "that of the rival stands");
}

#[test]
fn what_is_kept_no_more_is_taken_away_and_the_rest_stays() {
    let disk = SimulatedDisk::empty();
    for number in 0..6 {
        publish(&disk, &format!("b{number}")).unwrap();
    }
    let lake = Lake::new(Path::new("/t"), &disk);
    let (files, _) = lake.keep_from(3).unwrap();
    assert_eq!(files, 9, "those of releases 0, 1 and 2 in two tables, and their maps");
    assert_eq!((lake.kept_from().unwrap(), lake.verify(&Progress::default()).unwrap()), (3, vec![]));
    assert_eq!(as_readers_see_it(&disk), expected(5));
    assert_eq!(lake.keep_from(1).unwrap().0, 0);
    assert_eq!(lake.kept_from().unwrap(), 3, "what is gone does not come back");
    assert_eq!(lake.history().unwrap().len(), 6);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Any byte of any file that a release needs.
    #[test]
    fn a_flipped_bit_is_found(at in any::<prop::sample::Index>(), byte in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let disk = SimulatedDisk::empty();
        for number in 0..3 {
            publish(&disk, &format!("b{number}")).unwrap();
        }
        let platters = disk.platters();
        let files: Vec<usize> = platters.now.values().filter_map(|named| match named {
            Named::File(number) => Some(*number),
            Named::Folder => None,
        }).collect();
        let mut contents = platters.contents;
        let file = &mut contents[files[at.index(files.len())]];
        let place = byte.index(file.len());
        file[place] ^= 1 << bit;
        let damaged = SimulatedDisk::of(platters.now, contents);
        let found = Lake::new(Path::new("/t"), &damaged).verify(&Progress::default()).unwrap();
        prop_assert!(!found.is_empty());
    }

    /// A power cut that keeps any of the names that are not safe.
    #[test]
    fn any_power_cut_leaves_the_old_or_the_new_release(cut in 1_usize..80, kept in prop::collection::vec(any::<bool>(), 64)) {
        let (ready, steps) = prepared(2);
        let cut = cut.min(steps + 1);
        let disk = SimulatedDisk(Mutex::new(Platters { cut_at: Some(cut), ..ready }));
        let published = publish(&disk, "cut").is_ok();
        let mut kept = kept.into_iter().cycle();
        let found = after_power_cut(&disk.platters(), || kept.next().unwrap());
        let last = check(&found, Some(1));
        prop_assert!(!published || last == Some(2));
    }
}
