//! The folder of tables: releases that appear whole, in one line, and stay until they are let go of.
//!
//! ```text
//! lock                              held by the process that writes; the kernel lets go of it
//! staging/…                         what is being written; nobody looks here
//! coverage/tile=…/part-….parquet    data, named by its own hash, never changed
//! coverage/_delta_log/….json        the log that every reader of Delta knows
//! files/areas-….parquet             beside the tables: outlines, doors, the network
//! exports/areas.parquet             second names of those of the last release, for maps
//! releases/….json                   the record of a release: once its name is here, the release is
//! releases/…-…/coverage.json        its log entries; those of the tables are second names of these files
//! ```
//!
//! A release has four steps: data files get their names; log entries are written aside; **the record gets its name, which
//! is the one step that decides**; the entries get their names in the logs. Each is on the disk before the next begins.
//! Who dies before the third leaves nothing that anybody sees; who dies after it leaves names to be given, which the next
//! to come does ([`Lake::recover`]). Every table is at the release of every other, but for the moment of the last step.

use crate::io::delta::{self, Changes, Commit, DataFile, LOG, TableShape};
use crate::io::disk::{Disk, FolderLock};
use crate::io::hash;
use crate::model::error::{Error, Result};
use crate::model::problem::{Fault, Problem};
use crate::model::progress::Progress;
use crate::model::release::{FORMAT, Release, StoredFile, TableCounts};
use bytes::Bytes;
use parquet::file::reader::{FileReader, SerializedFileReader};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const RELEASES: &str = "releases";
const STAGING: &str = "staging";
/// What lies beside the tables, under names of its contents.
const FILES: &str = "files";
/// The same of the last release, under names that stay.
const EXPORTS: &str = "exports";
/// Tells from which release on files are kept.
const KEPT: &str = "kept_from";
/// Tells which other inputs gave the same tables.
const SEEN: &str = "seen";

/// A folder of tables.
pub struct Lake<'a> {
    root: PathBuf,
    disk: &'a dyn Disk,
}

/// The tables of a release, ready to be published.
#[derive(Debug, Default)]
pub struct Staged {
    /// What changes, by table.
    pub tables: BTreeMap<String, Changes>,
    /// Rows, files and bytes that each table has then.
    pub counts: BTreeMap<String, TableCounts>,
    /// What lies beside the tables.
    pub files: BTreeMap<String, StoredFile>,
}

/// A folder of one's own for what is not published yet.
#[derive(Debug)]
pub struct Workbench {
    folder: PathBuf,
    name: String,
}

/// What was left by somebody who died, and is in order now.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Recovered {
    /// Releases whose log entries had no name yet.
    pub finished: Vec<u64>,
    /// Unfinished work that was taken away.
    pub swept: usize,
}

/// The state of a table at a release.
pub type TableState = (Option<TableShape>, BTreeMap<String, DataFile>);

impl Workbench {
    /// Where a file of these contents waits.
    pub fn path(&self, sha256: &str) -> PathBuf {
        self.folder.join(sha256)
    }
}

/// The name that a data file has from its contents.
pub fn data_path(tile: Option<Option<i64>>, sha256: &str) -> String {
    let name = format!("part-{}.parquet", &sha256[..32]);
    match tile {
        None => name,
        Some(Some(tile)) => format!("{}={tile}/{name}", delta::TILE),
        Some(None) => format!("{}=__HIVE_DEFAULT_PARTITION__/{name}", delta::TILE),
    }
}

impl<'a> Lake<'a> {
    /// The tables in a folder, which need not be there yet.
    pub fn new(root: &Path, disk: &'a dyn Disk) -> Self {
        Self { root: root.to_owned(), disk }
    }

    /// Where the tables lie.
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn releases(&self) -> PathBuf {
        self.root.join(RELEASES)
    }

    fn record_path(&self, release: u64) -> PathBuf {
        self.releases().join(format!("{release:020}.json"))
    }

    fn log_path(&self, table: &str, release: u64) -> PathBuf {
        self.root.join(table).join(LOG).join(format!("{release:020}.json"))
    }

    /// Make the folder, refuse one that holds something else, and take the lock.
    ///
    /// # Errors
    /// [`Error::Busy`] when another process has it; a problem when the folder is not one of tables.
    pub fn lock(&self, since: &str) -> Result<FolderLock> {
        let strange = |name: &String| !name.starts_with('.') && name != "lock";
        let names = self.disk.list(&self.root)?;
        if !names.iter().any(|name| name == RELEASES) && names.iter().any(strange) {
            return Err(Problem::of_file(self.root.display().to_string(), Fault::OutputExists).into());
        }
        self.disk.make_folder(&self.root)?;
        let lock = FolderLock::take(self.root.join("lock"), since)?;
        self.disk.make_folder(&self.releases())?;
        Ok(lock)
    }

    /// The numbers of all releases.
    fn numbers(&self) -> Result<Vec<u64>> {
        let number = |name: &String| name.strip_suffix(".json")?.parse().ok();
        Ok(self.disk.list(&self.releases())?.iter().filter_map(number).collect())
    }

    /// The number of the last release; none before the first.
    ///
    /// # Errors
    /// The system refuses.
    pub fn last(&self) -> Result<Option<u64>> {
        Ok(self.numbers()?.into_iter().max())
    }

    /// The record of a release.
    ///
    /// # Errors
    /// A problem when there is none, it is damaged, or a newer walkshed wrote it.
    pub fn release(&self, number: u64) -> Result<Release> {
        let path = self.record_path(number);
        let told = |fault| Problem::of_file(path.display().to_string(), fault);
        let text = self.disk.read(&path)?.ok_or_else(|| told(Fault::NotFound))?;
        let unreadable = |error: serde_json::Error| told(Fault::Unreadable { reason: error.to_string() });
        let release: Release = serde_json::from_slice(&text).map_err(unreadable)?;
        if release.format > FORMAT {
            let expected = format!("tables of format {FORMAT} or older; a newer walkshed wrote these");
            return Err(told(Fault::Setting { expected }).with_value(release.format.to_string()).into());
        }
        // The text as it stands: a number that is read and written again may differ in its last digit.
        let seal = format!("\"{}\"\n}}\n", release.sha256);
        let is_whole = std::str::from_utf8(&text)
            .ok()
            .and_then(|text| text.strip_suffix(&seal))
            .is_some_and(|before| hash::of_text(&format!("{before}\"\"\n}}\n")) == release.sha256);
        let expected =
            "the record as it was published: restore the file, or refresh into another folder".to_owned();
        if is_whole { Ok(release) } else { Err(told(Fault::Setting { expected }).into()) }
    }

    /// All releases, from the first.
    ///
    /// # Errors
    /// As of [`Lake::release`].
    pub fn history(&self) -> Result<Vec<Release>> {
        self.numbers()?.into_iter().map(|number| self.release(number)).collect()
    }

    /// The first release whose files are all kept.
    ///
    /// # Errors
    /// The system refuses.
    pub fn kept_from(&self) -> Result<u64> {
        let text = self.disk.read(&self.releases().join(KEPT))?;
        Ok(text.and_then(|text| String::from_utf8(text).ok()?.trim().parse().ok()).unwrap_or(0))
    }

    /// A table at a release: its shape and its files. One that was not yet there has none.
    ///
    /// # Errors
    /// A problem when the log is damaged, or another program wrote to it.
    pub fn table(&self, name: &str, release: u64) -> Result<TableState> {
        let mut texts = Vec::new();
        for number in self.numbers()?.into_iter().filter(|number| *number <= release) {
            if let Some(text) = self.entry(name, number)? {
                texts.push(String::from_utf8_lossy(&text).into_owned());
            }
        }
        replayed(name, &texts)
    }

    /// The log entry of a release, by the name in its record: also where it has none in the log yet.
    fn entry(&self, table: &str, number: u64) -> Result<Option<Vec<u8>>> {
        match self.disk.read(&self.log_path(table, number))? {
            Some(text) => Ok(Some(text)),
            None => self.disk.read(&self.entries(&self.release(number)?).join(format!("{table}.json"))),
        }
    }

    fn entries(&self, release: &Release) -> PathBuf {
        self.releases().join(&release.entries)
    }

    /// The names of the tables.
    ///
    /// # Errors
    /// The system refuses.
    pub fn tables(&self) -> Result<Vec<String>> {
        let of = |number| Ok::<_, Error>(self.release(number)?.tables.into_keys().collect());
        self.last()?.map_or(Ok(Vec::new()), of)
    }

    /// A folder for new files. Call with the lock held.
    ///
    /// # Errors
    /// The system refuses.
    pub fn workbench(&self, unique: &str) -> Result<Workbench> {
        let folder = self.root.join(STAGING).join(unique);
        self.disk.make_folder(&folder)?;
        Ok(Workbench { folder, name: unique.to_owned() })
    }

    /// Take away what was staged and is not wanted.
    ///
    /// # Errors
    /// The system refuses.
    pub fn leave(&self, bench: &Workbench) -> Result<()> {
        self.disk.remove_folder(&bench.folder)
    }

    /// Finish what somebody began who died, and take away what they left. Call with the lock held.
    ///
    /// # Errors
    /// The system refuses.
    pub fn recover(&self) -> Result<Recovered> {
        let mut done = Recovered::default();
        let mut known = BTreeSet::new();
        for number in self.numbers()? {
            let release = self.release(number)?;
            if self.finish(&release)? {
                done.finished.push(number);
            }
            known.insert(release.entries);
        }
        let is_entries = |name: &&String| !name.contains('.') && ![KEPT, SEEN].contains(&name.as_str());
        for name in self.disk.list(&self.releases())?.iter().filter(is_entries) {
            if !known.contains(name) {
                self.disk.remove_folder(&self.releases().join(name))?;
                done.swept += 1;
            }
        }
        for name in self.disk.list(&self.root.join(STAGING))? {
            self.disk.remove_folder(&self.root.join(STAGING).join(name))?;
            done.swept += 1;
        }
        Ok(done)
    }

    /// Give the log entries of a release their names; whether any had none.
    fn finish(&self, release: &Release) -> Result<bool> {
        let is_named = |name: &String| self.disk.exists(&self.log_path(name, release.release));
        if release.tables.keys().all(is_named) {
            return Ok(false);
        }
        self.export(release)?;
        for (name, counts) in &release.tables {
            let log = self.root.join(name).join(LOG);
            self.disk.make_folder(&log)?;
            for number in 0..counts.earlier_sha256.len() as u64 {
                let entry = self.entries(release).join(earlier_name(name, number));
                self.disk.link(&entry, &self.log_path(name, number))?;
            }
            self.disk.link(
                &self.entries(release).join(format!("{name}.json")),
                &self.log_path(name, release.release),
            )?;
            self.disk.sync_folder(&log)?;
        }
        Ok(true)
    }

    /// No other program wrote to a log: its entries are ours, and the next has no name yet.
    fn check_logs(&self, release: &Release, last: Option<&Release>) -> Result<()> {
        let told = |name: &String| {
            let expected =
                "a log that only walkshed writes to; another program wrote to this table".to_owned();
            Error::from(Problem::of_file(format!("{name}/{LOG}"), Fault::Setting { expected }))
        };
        for name in release.tables.keys() {
            if self.disk.exists(&self.log_path(name, release.release)) {
                return Err(told(name));
            }
        }
        for (name, counts) in last.iter().flat_map(|last| &last.tables) {
            let entry = self.disk.read(&self.log_path(name, release.release - 1))?;
            if entry.is_none_or(|entry| hash::of_bytes(&entry) != counts.entry_sha256) {
                return Err(told(name));
            }
        }
        Ok(())
    }

    /// The files beside the tables under the names that stay: each in one step, so that a map never opens half of one.
    fn export(&self, release: &Release) -> Result<()> {
        if self.last()? != Some(release.release) {
            return Ok(());
        }
        let folder = self.root.join(EXPORTS);
        self.disk.make_folder(&folder)?;
        for (name, file) in &release.files {
            let kind = Path::new(&file.path).extension().unwrap_or_default().to_string_lossy().into_owned();
            let (aside, stays) = (folder.join(format!(".{name}")), folder.join(format!("{name}.{kind}")));
            self.disk.remove(&aside)?;
            self.disk.link(&self.root.join(&file.path), &aside)?;
            self.disk.rename(&aside, &stays)?;
            // Where both were names of one file already, renaming does nothing and leaves both.
            self.disk.remove(&aside)?;
        }
        self.disk.sync_folder(&folder)
    }

    /// Publish a release: all of it or nothing. Its number, its entries and its hashes are filled in here.
    ///
    /// # Errors
    /// A staged file is not what its receipt says; another process published meanwhile; the system refuses. Before the
    /// record has its name the tables are as they were; after that [`Lake::recover`] finishes.
    pub fn publish(
        &self,
        bench: &Workbench,
        staged: &Staged,
        mut release: Release,
        progress: &Progress,
    ) -> Result<Release> {
        let before = self.last()?;
        release.release = before.map_or(0, |number| number + 1);
        let last = before.map(|number| self.release(number)).transpose()?;
        release.before_sha256 = last.as_ref().map(|it| it.sha256.clone());
        release.entries = format!("{:020}-{}", release.release, bench.name);
        release.tables = staged.counts.clone();
        self.check_logs(&release, last.as_ref())?;
        self.check_receipts(bench, staged, progress)?;
        progress.check()?;
        self.name_data(bench, staged)?;
        self.write_entries(staged, &mut release, last.as_ref())?;
        release.files = staged.files.clone();
        let release = sealed(release)?;
        let text = to_json(&release)?;
        let record = bench.folder.join("record.json");
        self.disk.write(&record, text.as_bytes(), None)?;
        if !self.disk.link(&record, &self.record_path(release.release))? {
            let holder = format!("another process published release {}", release.release);
            return Err(Error::Busy { path: self.root.clone(), holder });
        }
        self.disk.sync_folder(&self.releases())?;
        self.finish(&release)?;
        self.disk.remove_folder(&bench.folder)?;
        Ok(release)
    }

    /// Every staged file is looked at again: its size, its hash, and the rows that its footer tells.
    fn check_receipts(&self, bench: &Workbench, staged: &Staged, progress: &Progress) -> Result<()> {
        let added: Vec<(&String, &DataFile)> = staged
            .tables
            .iter()
            .flat_map(|(name, changes)| changes.added.iter().map(move |file| (name, file)))
            .collect();
        progress.begin("checking files", added.len())?;
        for file in staged.files.values() {
            let contents = self.written(bench, &file.sha256, &self.root.join(&file.path))?;
            if contents.is_none_or(|contents| hash::of_bytes(&contents) != file.sha256) {
                return Err(Error::Internal(format!("{}: the file is not what was written", file.path)));
            }
        }
        added.into_par_iter().try_for_each(|(table, file)| {
            let contents = self.written(bench, &file.sha256, &self.root.join(table).join(&file.path))?;
            let told = |what: &str| Error::Internal(format!("{table}/{}: {what}", file.path));
            let contents = contents.ok_or_else(|| told("the file is not there"))?;
            if contents.len() as u64 != file.bytes || hash::of_bytes(&contents) != file.sha256 {
                return Err(told("the file is not what was written"));
            }
            let rows = rows_of(contents).map_err(|error| told(&error))?;
            if rows != file.rows {
                return Err(told(&format!("{rows} rows instead of {}", file.rows)));
            }
            progress.step(1)
        })
    }

    /// A file that waits, or has its name already.
    fn written(&self, bench: &Workbench, sha256: &str, path: &Path) -> Result<Option<Vec<u8>>> {
        let waiting = self.disk.read(&bench.path(sha256))?;
        if waiting.is_some() { Ok(waiting) } else { self.disk.read(path) }
    }

    /// The data files get the names that the logs will have; what is there already under the name of its hash stays.
    fn name_data(&self, bench: &Workbench, staged: &Staged) -> Result<()> {
        let of_table = |(table, changes): (&String, &Changes)| {
            let place = |file: &DataFile| (self.root.join(table).join(&file.path), file.sha256.clone());
            changes.added.iter().map(place).collect::<Vec<_>>()
        };
        let beside = staged.files.values().map(|file| (self.root.join(&file.path), file.sha256.clone()));
        let mut folders = BTreeSet::new();
        for (path, sha256) in staged.tables.iter().flat_map(of_table).chain(beside) {
            let folder = path.parent().map(Path::to_owned).unwrap_or_default();
            if folders.insert(folder.clone()) {
                self.disk.make_folder(&folder)?;
            }
            if self.disk.read(&path)?.is_none_or(|there| hash::of_bytes(&there) != sha256) {
                self.disk.rename(&bench.path(&sha256), &path)?;
            }
        }
        folders.iter().try_for_each(|folder| self.disk.sync_folder(folder))
    }

    fn write_entries(&self, staged: &Staged, release: &mut Release, last: Option<&Release>) -> Result<()> {
        let folder = self.entries(release);
        self.disk.make_folder(&folder)?;
        let at_ms = release.published_at_ms;
        let commit = Commit { version: release.release, at_ms, cause: &release.cause };
        for (name, counts) in &mut release.tables {
            let nothing = Changes::default();
            let changes = staged.tables.get(name).unwrap_or(&nothing);
            let is_new = last.is_some_and(|last| !last.tables.contains_key(name));
            if is_new {
                counts.earlier_sha256 = self.write_earlier(&folder, name, commit, changes)?;
            }
            let text = delta::entry(commit, changes);
            counts.entry_sha256 = hash::of_text(&text);
            self.disk.write(&folder.join(format!("{name}.json")), text.as_bytes(), Some(at_ms))?;
        }
        self.disk.sync_folder(&folder)
    }

    /// A table that comes later has entries for the releases before it too: empty ones, so that its versions are the
    /// numbers of releases.
    fn write_earlier(
        &self,
        folder: &Path,
        name: &str,
        commit: Commit<'_>,
        changes: &Changes,
    ) -> Result<Vec<String>> {
        let mut sha256 = Vec::new();
        for version in 0..commit.version {
            let shape = changes.shape.clone().filter(|_| version == 0);
            let at_ms = self.release(version)?.published_at_ms;
            let empty = Changes { shape, ..Changes::default() };
            let text = delta::entry(Commit { version, at_ms, ..commit }, &empty);
            sha256.push(hash::of_text(&text));
            self.disk.write(&folder.join(earlier_name(name, version)), text.as_bytes(), Some(at_ms))?;
        }
        Ok(sha256)
    }

    /// Let go of what no release from `first` on needs: its files are taken away, its records stay as history. Call with
    /// the lock held. How many files, and their bytes.
    ///
    /// # Errors
    /// The system refuses.
    pub fn keep_from(&self, first: u64) -> Result<(u64, u64)> {
        let first = first.max(self.kept_from()?);
        self.note(KEPT, &first.to_string())?;
        let mut unneeded = Vec::new();
        for table in self.tables()? {
            let needed = self.needed(&table, first)?;
            let folder = self.root.join(&table);
            let tiles = self.disk.list(&folder)?;
            let tiles = tiles.into_iter().filter(|name| name.starts_with(delta::TILE));
            for within in std::iter::once(String::new()).chain(tiles) {
                let is_data = |name: &String| name.starts_with("part-");
                for name in self.disk.list(&folder.join(&within))?.into_iter().filter(is_data) {
                    let path = if within.is_empty() { name } else { format!("{within}/{name}") };
                    unneeded.extend((!needed.contains_key(&path)).then(|| folder.join(&path)));
                }
            }
        }
        let needed = self.beside(first)?;
        let beside =
            self.disk.list(&self.root.join(FILES))?.into_iter().map(|name| format!("{FILES}/{name}"));
        unneeded.extend(beside.filter(|path| !needed.contains_key(path)).map(|path| self.root.join(path)));
        let mut bytes = 0;
        for path in &unneeded {
            bytes += std::fs::metadata(path).map_or(0, |about| about.len());
            self.disk.remove(path)?;
        }
        Ok((unneeded.len() as u64, bytes))
    }

    /// Write down a word about the releases, in one step. Call with the lock held.
    fn note(&self, name: &str, text: &str) -> Result<()> {
        let folder = self.root.join(STAGING).join(name);
        let aside = folder.join(name);
        self.disk.make_folder(&folder)?;
        self.disk.remove(&aside)?;
        self.disk.write(&aside, text.as_bytes(), None)?;
        self.disk.rename(&aside, &self.releases().join(name))?;
        self.disk.sync_folder(&self.releases())?;
        self.disk.remove_folder(&folder)
    }

    /// Remember what gave the tables that stand, though it is not that of their release: inputs that differ in what no
    /// table has. Call with the lock held.
    ///
    /// # Errors
    /// The system refuses.
    pub fn remember(&self, key: &str, release: u64) -> Result<()> {
        self.note(SEEN, &format!("{key} {release}"))
    }

    /// Whether such inputs gave the tables of this release.
    ///
    /// # Errors
    /// The system refuses.
    pub fn remembers(&self, key: &str, release: u64) -> Result<bool> {
        let text = self.disk.read(&self.releases().join(SEEN))?;
        Ok(text.is_some_and(|text| text == format!("{key} {release}").as_bytes()))
    }

    /// The files beside the tables that any release from `first` on needs, with their hashes.
    fn beside(&self, first: u64) -> Result<BTreeMap<String, String>> {
        let mut needed = BTreeMap::new();
        for number in self.numbers()?.into_iter().filter(|number| *number >= first) {
            needed.extend(self.release(number)?.files.into_values().map(|file| (file.path, file.sha256)));
        }
        Ok(needed)
    }

    /// The files of a table that any release from `first` on needs.
    fn needed(&self, table: &str, first: u64) -> Result<BTreeMap<String, DataFile>> {
        let (_, mut needed) = self.table(table, first)?;
        for number in self.numbers()?.into_iter().filter(|number| *number > first) {
            let text = self.entry(table, number)?.unwrap_or_default();
            needed.extend(replayed(table, &[String::from_utf8_lossy(&text).into_owned()])?.1);
        }
        Ok(needed)
    }

    /// Look at every byte that any kept release needs. What is not as its hash says, in words; nothing when all is well.
    ///
    /// # Errors
    /// The system refuses; [`Error::Cancelled`] when the user stopped.
    pub fn verify(&self, progress: &Progress) -> Result<Vec<Damaged>> {
        let mut damaged = Vec::new();
        let numbers = self.numbers()?;
        let mut before: Option<String> = None;
        let mut tables = BTreeSet::new();
        for &number in &numbers {
            let path = self.record_path(number);
            match self.release(number) {
                Ok(release) => {
                    if number > 0 && release.before_sha256 != before {
                        damaged.push(Damaged::new(&self.root, &path, "does not follow the record before it"));
                    }
                    self.verify_entries(&release, &mut damaged)?;
                    tables.extend(release.tables.into_keys());
                    before = Some(release.sha256);
                }
                Err(Error::Input(_)) => {
                    damaged.push(Damaged::new(&self.root, &path, "the record is damaged"));
                    before = None;
                }
                Err(other) => return Err(other),
            }
        }
        let first = self.kept_from()?;
        for table in tables {
            damaged.extend(self.verify_data(&table, first, progress)?);
        }
        let beside = match self.beside(first) {
            Ok(beside) => beside,
            Err(Error::Input(_)) => BTreeMap::new(), // told with the record
            Err(other) => return Err(other),
        };
        for (path, sha256) in beside {
            damaged.extend(self.damage(&self.root.join(path), &sha256)?);
        }
        Ok(damaged)
    }

    fn verify_entries(&self, release: &Release, damaged: &mut Vec<Damaged>) -> Result<()> {
        for (name, counts) in &release.tables {
            let own = std::iter::once((release.release, &counts.entry_sha256));
            for (number, sha256) in (0..).zip(&counts.earlier_sha256).chain(own) {
                let path = self.log_path(name, number);
                let found = self.disk.read(&path)?.map(|text| hash::of_bytes(&text));
                match found {
                    None => damaged.push(Damaged::new(&self.root, &path, "the log entry is missing")),
                    Some(found) if found != *sha256 => {
                        damaged.push(Damaged::new(&self.root, &path, "the log entry is damaged"));
                    }
                    Some(_) => {}
                }
            }
        }
        Ok(())
    }

    fn verify_data(&self, table: &str, first: u64, progress: &Progress) -> Result<Vec<Damaged>> {
        let files = match self.needed(table, first) {
            Ok(files) => files,
            Err(Error::Input(_)) => return Ok(Vec::new()), // told with the log entry
            Err(other) => return Err(other),
        };
        progress.begin("verifying", files.len())?;
        let look = |file: &DataFile| {
            progress.step(1)?;
            self.damage(&self.root.join(table).join(&file.path), &file.sha256)
        };
        let found: Vec<Option<Damaged>> =
            files.par_iter().map(|(_, file)| look(file)).collect::<Result<_>>()?;
        Ok(found.into_iter().flatten().collect())
    }
}

impl Lake<'_> {
    fn damage(&self, path: &Path, sha256: &str) -> Result<Option<Damaged>> {
        let what = match self.disk.read(path)? {
            None => "the file is missing",
            Some(there) if hash::of_bytes(&there) != sha256 => "the file is damaged",
            Some(_) => return Ok(None),
        };
        Ok(Some(Damaged::new(&self.root, path, what)))
    }
}

/// Where a file beside the tables lies.
pub fn beside_path(name: &str, kind: &str, sha256: &str) -> String {
    format!("{FILES}/{name}-{}.{kind}", &sha256[..32])
}

/// A file that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damaged {
    /// Its path inside the folder of tables.
    pub path: String,
    /// What is wrong with it.
    pub what: &'static str,
}

impl Damaged {
    fn new(root: &Path, path: &Path, what: &'static str) -> Self {
        let path = path.strip_prefix(root).unwrap_or(path);
        Self { path: path.display().to_string(), what }
    }
}

/// The name of an entry for a release before the table was there.
fn earlier_name(table: &str, number: u64) -> String {
    format!("{table}.{number}.json")
}

/// The record with its own hash, which is its last field.
fn sealed(mut release: Release) -> Result<Release> {
    release.sha256 = String::new();
    release.sha256 = hash::of_text(&to_json(&release)?);
    Ok(release)
}

fn to_json(release: &Release) -> Result<String> {
    let text = serde_json::to_string_pretty(release).map_err(|error| Error::Internal(error.to_string()))?;
    Ok(text + "\n")
}

fn replayed(table: &str, texts: &[String]) -> Result<TableState> {
    let told = |reason| Problem::of_file(format!("{table}/{LOG}"), Fault::Unreadable { reason });
    Ok(delta::replay(texts.iter().map(String::as_str)).map_err(told)?)
}

fn rows_of(contents: Vec<u8>) -> std::result::Result<u64, String> {
    let reader = SerializedFileReader::new(Bytes::from(contents)).map_err(|error| error.to_string())?;
    Ok(reader.metadata().file_metadata().num_rows() as u64)
}
