//! Sorting more records than fit in memory: sorted runs in one file, merged when they are read.
//!
//! A record is two numbers, by which it is sorted, and bytes. Records of the same numbers stay in the order in which they
//! came, so that what is read does not depend on how much memory there was.

use super::files::file_name;
use crate::model::error::{Error, Result};
use crate::model::problem::{Fault, Problem};
use crate::model::progress::Progress;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// What a record is sorted by.
pub type Key = [u64; 2];

/// Runs merged at once; more are merged into fewer first.
const MOST_RUNS: usize = 128;

/// Bytes of a run that are read at once.
const READ_AT_ONCE: u64 = 32 << 10;

/// A larger buffer does not make sorting faster, and Ctrl-C is not heard while one is sorted.
const MOST_BYTES: usize = 64 << 20;

/// Records written between two looks at the progress.
const RECORDS_AT_ONCE: usize = 1 << 16;

/// A record in memory.
#[derive(Debug, Clone, Copy)]
struct Entry {
    key: Key,
    /// First byte of what it holds, and how many there are.
    at: u32,
    length: u32,
}

/// Takes records in any order.
#[derive(Debug)]
pub struct Sorter {
    runs: RunWriter,
    entries: Vec<Entry>,
    bytes: Vec<u8>,
    /// What the two may take.
    memory_bytes: usize,
    unique: bool,
}

impl Sorter {
    /// Sort into a file, which is made anew.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn create(path: &Path, memory_bytes: u64) -> Result<Self> {
        let memory_bytes = usize::try_from(memory_bytes).unwrap_or(MOST_BYTES).min(MOST_BYTES);
        let runs = RunWriter::create(path)?;
        Ok(Self { runs, entries: vec![], bytes: vec![], memory_bytes, unique: false })
    }

    /// Keep one of records that are alike.
    #[must_use]
    pub fn unique(mut self) -> Self {
        self.unique = true;
        self
    }

    /// Add a record.
    ///
    /// # Errors
    /// When the file system refuses; [`Error::Cancelled`].
    pub fn push(&mut self, key: Key, bytes: &[u8], progress: &Progress) -> Result<()> {
        let needed = (self.entries.len() + 1) * size_of::<Entry>() + self.bytes.len() + bytes.len();
        if needed > self.memory_bytes && !self.entries.is_empty() {
            self.flush(progress)?;
        }
        self.entries.push(Entry { key, at: self.bytes.len() as u32, length: bytes.len() as u32 });
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    /// Write what is in memory as a run.
    fn flush(&mut self, progress: &Progress) -> Result<()> {
        progress.check()?;
        let Self { runs, entries, bytes, unique, .. } = self;
        if !entries.is_sorted_by_key(|entry| entry.key) {
            entries.par_sort_by_key(|entry| entry.key); // stable
        }
        let held = |entry: &Entry| &bytes[entry.at as usize..][..entry.length as usize];
        if *unique {
            entries.dedup_by(|a, b| a.key == b.key && held(a) == held(b));
        }
        runs.begin();
        for some in entries.chunks(RECORDS_AT_ONCE) {
            progress.check()?;
            for entry in some {
                runs.push(entry.key, held(entry))?;
            }
        }
        entries.clear();
        bytes.clear();
        Ok(())
    }

    /// Write the rest; what was sorted is on the disk then.
    ///
    /// # Errors
    /// When the file system refuses; [`Error::Cancelled`].
    pub fn finish(mut self, progress: &Progress) -> Result<Runs> {
        if !self.entries.is_empty() {
            self.flush(progress)?;
        }
        let (path, unique) = (self.runs.path.clone(), self.unique);
        drop((self.entries, self.bytes));
        let mut sorted = self.runs.finish(unique)?;
        while sorted.runs.len() > MOST_RUNS {
            sorted = sorted.fewer(&path, progress)?;
        }
        Ok(sorted)
    }
}

/// Writes records that come in order, run after run.
#[derive(Debug)]
struct RunWriter {
    path: PathBuf,
    file: BufWriter<File>,
    /// Where runs begin.
    starts: Vec<u64>,
    length: u64,
    before: Key,
    record: Vec<u8>,
}

impl RunWriter {
    fn create(path: &Path) -> Result<Self> {
        let file = File::create(path).map_err(Error::file(path))?;
        let file = BufWriter::with_capacity(1 << 17, file);
        let (path, starts, record) = (path.to_owned(), vec![], vec![]);
        Ok(Self { path, file, starts, length: 0, before: [0; 2], record })
    }

    fn begin(&mut self) {
        self.starts.push(self.length);
        self.before = [0; 2];
    }

    /// Numbers are written as their distance from the record before, which is short.
    fn push(&mut self, key: Key, bytes: &[u8]) -> Result<()> {
        self.record.clear();
        let ahead = key[0] - self.before[0];
        push_number(&mut self.record, ahead);
        push_number(&mut self.record, if ahead == 0 { key[1] - self.before[1] } else { key[1] });
        push_number(&mut self.record, bytes.len() as u64);
        self.record.extend_from_slice(bytes);
        self.file.write_all(&self.record).map_err(Error::file(&self.path))?;
        self.length += self.record.len() as u64;
        self.before = key;
        Ok(())
    }

    fn finish(self, unique: bool) -> Result<Runs> {
        let Self { path, file, starts, length, .. } = self;
        let file = file.into_inner().map_err(|error| Error::file(&path)(error.into_error()))?;
        file.sync_data().map_err(Error::file(&path))?;
        let ends = starts.iter().copied().skip(1).chain([length]);
        Ok(Runs { runs: starts.iter().copied().zip(ends).map(|(start, end)| start..end).collect(), unique })
    }
}

/// What was sorted into a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Runs {
    /// Where in the file the sorted runs lie.
    runs: Vec<Range<u64>>,
    unique: bool,
}

impl Runs {
    /// Read the records of the file in their order.
    ///
    /// # Errors
    /// When the file system refuses, or the file was damaged.
    pub fn read(&self, path: &Path) -> Result<Sorted> {
        Sorted::open(path, &self.runs, self.unique)
    }

    /// The same records in fewer runs.
    fn fewer(&self, path: &Path, progress: &Progress) -> Result<Self> {
        let beside = path.with_extension("merging");
        let mut writer = RunWriter::create(&beside)?;
        for runs in self.runs.chunks(MOST_RUNS) {
            let mut sorted = Sorted::open(path, runs, self.unique)?;
            writer.begin();
            for number in 0_usize.. {
                if number.is_multiple_of(RECORDS_AT_ONCE) {
                    progress.check()?;
                }
                let Some((key, bytes)) = sorted.next()? else { break };
                writer.push(key, bytes)?;
            }
        }
        let fewer = writer.finish(self.unique)?;
        std::fs::rename(&beside, path).map_err(Error::file(path))?;
        Ok(fewer)
    }
}

/// Records in their order.
#[derive(Debug)]
pub struct Sorted {
    path: PathBuf,
    file: File,
    cursors: Vec<Cursor>,
    /// The next record of each run.
    next: BinaryHeap<Reverse<(Key, usize)>>,
    /// What the record that was read last holds.
    bytes: Vec<u8>,
    unique: bool,
}

impl Sorted {
    fn open(path: &Path, runs: &[Range<u64>], unique: bool) -> Result<Self> {
        let file = File::open(path).map_err(Error::file(path))?;
        let cursors = runs.iter().cloned().map(Cursor::new).collect();
        let (next, bytes) = Default::default();
        let mut new = Self { path: path.to_owned(), file, cursors, next, bytes, unique };
        for run in 0..runs.len() {
            new.advance(run)?;
        }
        Ok(new)
    }

    /// The numbers of the record that comes next.
    pub fn key(&self) -> Option<Key> {
        self.next.peek().map(|Reverse((key, _))| *key)
    }

    /// The next record, lent until the one after it is asked for.
    ///
    /// # Errors
    /// When the file system refuses, or the file was damaged.
    pub fn next(&mut self) -> Result<Option<(Key, &[u8])>> {
        let Some(Reverse((key, run))) = self.next.pop() else { return Ok(None) };
        self.bytes.clear();
        self.bytes.extend_from_slice(self.cursors[run].held());
        self.advance(run)?;
        // Here and not before the next: `key` must tell of a record that will come.
        while self.unique
            && let Some(&Reverse((next, run))) = self.next.peek()
            && next == key
            && self.cursors[run].held() == self.bytes
        {
            self.next.pop();
            self.advance(run)?;
        }
        Ok(Some((key, &self.bytes)))
    }

    /// The next record, if its first number is this one.
    ///
    /// # Errors
    /// As [`Self::next`].
    pub fn next_of(&mut self, first: u64) -> Result<Option<(Key, &[u8])>> {
        if self.key().is_some_and(|key| key[0] == first) { self.next() } else { Ok(None) }
    }

    /// Pass over records whose first number is smaller.
    ///
    /// # Errors
    /// As [`Self::next`].
    pub fn skip_to(&mut self, first: u64) -> Result<()> {
        while self.key().is_some_and(|key| key[0] < first) {
            self.next()?;
        }
        Ok(())
    }

    fn advance(&mut self, run: usize) -> Result<()> {
        let key = self.cursors[run].advance(&self.file).map_err(Error::file(&self.path))?;
        match key {
            Step::To(key) => self.next.push(Reverse((key, run))),
            Step::End => {}
            Step::Damaged => return Err(Problem::of_file(file_name(&self.path), Fault::DamagedSpool).into()),
        }
        Ok(())
    }
}

/// Where a cursor came.
enum Step {
    To(Key),
    End,
    Damaged,
}

/// Reads one run.
#[derive(Debug)]
struct Cursor {
    /// What of the file is still to be read.
    rest: Range<u64>,
    buffer: Vec<u8>,
    /// Where in the buffer the next record begins, and what the present one holds.
    next: usize,
    held: Range<usize>,
    key: Key,
}

impl Cursor {
    const fn new(rest: Range<u64>) -> Self {
        Self { rest, buffer: vec![], next: 0, held: 0..0, key: [0; 2] }
    }

    fn held(&self) -> &[u8] {
        &self.buffer[self.held.clone()]
    }

    fn advance(&mut self, file: &File) -> std::io::Result<Step> {
        loop {
            if let Some((key, held)) = record(&self.buffer, self.next, self.key) {
                (self.key, self.next, self.held) = (key, held.end, held);
                return Ok(Step::To(key));
            }
            if self.rest.is_empty() {
                let left = self.next < self.buffer.len();
                return Ok(if left { Step::Damaged } else { Step::End });
            }
            self.fill(file)?;
        }
    }

    fn fill(&mut self, mut file: &File) -> std::io::Result<()> {
        self.buffer.drain(..self.next);
        self.next = 0;
        // As much again as is there: a long record must not be tried once for every few bytes of it.
        let some = (self.rest.end - self.rest.start).min(READ_AT_ONCE.max(self.buffer.len() as u64));
        file.seek(SeekFrom::Start(self.rest.start))?;
        let before = self.buffer.len();
        self.buffer.resize(before + some as usize, 0);
        file.read_exact(&mut self.buffer[before..])?;
        self.rest.start += some;
        Ok(())
    }
}

/// The record that begins at a byte, if all of it is there.
fn record(buffer: &[u8], at: usize, before: Key) -> Option<(Key, Range<usize>)> {
    let mut rest = &buffer[at..];
    let (ahead, second, length) = (number(&mut rest)?, number(&mut rest)?, number(&mut rest)?);
    let start = buffer.len() - rest.len();
    let held = start..start.checked_add(usize::try_from(length).ok()?)?;
    let base = if ahead == 0 { before[1] } else { 0 };
    let key = [before[0].checked_add(ahead)?, base.checked_add(second)?];
    (held.end <= buffer.len()).then_some((key, held))
}

/// Seven bits a byte, the lowest first; the top bit says that more follow.
fn push_number(out: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Records = Vec<(Key, Vec<u8>)>;

    fn sorted(records: &Records, memory_bytes: u64, unique: bool) -> Result<Records> {
        let folder = tempfile::tempdir().unwrap();
        let (path, progress) = (folder.path().join("records"), Progress::default());
        let mut sorter = Sorter::create(&path, memory_bytes)?;
        if unique {
            sorter = sorter.unique();
        }
        for (key, bytes) in records {
            sorter.push(*key, bytes, &progress)?;
        }
        let runs = sorter.finish(&progress)?;
        assert!(runs.runs.len() <= MOST_RUNS);
        let (mut records, mut all) = (runs.read(&path)?, vec![]);
        while let Some(announced) = records.key() {
            let (key, bytes) = records.next()?.unwrap();
            assert_eq!(key, announced);
            all.push((key, bytes.to_vec()));
        }
        assert!(records.next()?.is_none());
        Ok(all)
    }

    fn records() -> impl Strategy<Value = Records> {
        let number = || prop_oneof![0_u64..4, any::<u64>()];
        let bytes = prop_oneof![3 => prop::collection::vec(0_u8..2, 0..2), 1 => prop::collection::vec(any::<u8>(), 0..400)];
        prop::collection::vec(((number(), number()).prop_map(|(a, b)| [a, b]), bytes), 0..2000)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        /// Against a sort in memory, which keeps what is equal in its order; with memory for a few records, so that runs
        /// are merged in several rounds.
        #[test]
        fn records_come_back_as_a_stable_sort_has_them(records in records(), memory_bytes in 0_u64..20_000) {
            let mut slow = records.clone();
            slow.sort_by_key(|(key, _)| *key);
            prop_assert!(sorted(&records, memory_bytes, false).unwrap() == slow);
        }

        /// Records that hold nothing and are alike come once.
        #[test]
        fn what_is_alike_comes_once(keys in prop::collection::vec([0_u64..9, 0_u64..9], 0..900), memory_bytes in 0_u64..4000) {
            let records: Records = keys.iter().map(|&key| (key, vec![])).collect();
            let slow: std::collections::BTreeSet<Key> = keys.into_iter().collect();
            let fast: Vec<Key> = sorted(&records, memory_bytes, true).unwrap().into_iter().map(|(key, _)| key).collect();
            prop_assert_eq!(fast, slow.into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn records_longer_than_what_is_read_at_once_come_whole() {
        let long: Records = (0..20_u8).map(|at| ([u64::from(at), 0], vec![at; 100_000])).collect();
        assert!(sorted(&long, 300_000, false).unwrap() == long);
    }

    #[test]
    fn a_file_cut_short_is_told_as_such() {
        let folder = tempfile::tempdir().unwrap();
        let (path, progress) = (folder.path().join("records"), Progress::default());
        let mut sorter = Sorter::create(&path, 1 << 20).unwrap();
        for number in 0..1000 {
            sorter.push([number, 0], b"some", &progress).unwrap();
        }
        let mut runs = sorter.finish(&progress).unwrap();
        let whole = runs.runs[0].end;
        runs.runs[0].end = whole - 1;
        let mut records = runs.read(&path).unwrap();
        let error = std::iter::from_fn(|| records.next().map(|next| next.map(|_| ())).transpose())
            .find(Result::is_err);
        assert!(error.unwrap().unwrap_err().to_string().contains("temporary file"));
        File::options().write(true).open(&path).unwrap().set_len(whole - 1).unwrap();
        runs.runs[0].end = whole;
        assert!(runs.read(&path).is_err());
    }

    #[test]
    fn sorting_hears_that_it_should_stop() {
        let folder = tempfile::tempdir().unwrap();
        let progress = Progress::default();
        let mut sorter = Sorter::create(&folder.path().join("records"), 0).unwrap();
        sorter.push([1, 2], b"", &progress).unwrap();
        progress.cancel();
        assert!(matches!(sorter.push([1, 2], b"", &progress), Err(Error::Cancelled)));
    }

    #[test]
    fn a_full_disk_is_told_with_the_name_of_the_file() {
        let full = Path::new("/dev/full");
        if !full.exists() {
            eprintln!("SKIPPED: this system has no /dev/full");
            return;
        }
        let progress = Progress::default();
        let mut sorter = Sorter::create(full, 1 << 10).unwrap();
        let filled = (0..100_000).try_for_each(|number| sorter.push([number, 0], b"some", &progress));
        let error = filled.and_then(|()| sorter.finish(&progress).map(|_| ())).unwrap_err().to_string();
        assert!(error.contains("/dev/full") && error.contains("No space"), "{error}");
    }
}
