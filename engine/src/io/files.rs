//! Files and the words of the libraries that read them.

use crate::model::error::{Error, Result};
use crate::model::limits::Amount;
use crate::model::problem::{Fault, Problem};
use crate::model::progress::Progress;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::SystemTime;

/// The last part of a path, the name by which users know a file.
pub fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// For `map_err`: a library's words about a file it cannot read.
pub fn unreadable<E: std::fmt::Display>(name: &str) -> impl Fn(E) -> Error {
    move |error| Problem::of_file(name, Fault::Unreadable { reason: error.to_string() }).into()
}

/// A decoder that panics on a damaged file must not take the process with it.
pub fn guarded<T>(name: &str, read: impl FnOnce() -> Result<T>) -> Result<T> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(read))
        .unwrap_or_else(|_| Err(unreadable(name)("the decoder gave up; the file is damaged")))
}

/// Open a file for reading. Inputs are read, never mapped into memory: a mapped file that another program rewrites is
/// undefined behaviour.
///
/// # Errors
/// A problem when nothing is there, or something that is no file.
pub fn open(path: &Path) -> Result<File> {
    if path.is_file() {
        return File::open(path).map_err(Error::file(path));
    }
    let fault = if path.exists() { Fault::NotAFile } else { Fault::NotFound };
    Err(Problem::of_file(path.display().to_string(), fault).into())
}

/// The text of a file that has at most so many bytes.
///
/// # Errors
/// A problem when nothing is there, it is larger, or it is no UTF-8.
pub fn read_text(path: &Path, most: Amount) -> Result<String> {
    let (name, file) = (file_name(path), open(path)?);
    let mut text = String::new();
    file.take(most.most() + 1).read_to_string(&mut text).map_err(unreadable(&name))?;
    if text.len() as u64 > most.most() {
        let found = std::fs::metadata(path).map_or(text.len() as u64, |metadata| metadata.len());
        let fault = Fault::TooLarge { amount: most, found, most: most.most() };
        return Err(Problem::of_file(name, fault).into());
    }
    Ok(text)
}

/// Length and time of change of an open file: whether it is still what it was when reading began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    length: u64,
    changed: Option<SystemTime>,
}

impl Stamp {
    /// As it is now.
    pub fn of(file: &File) -> std::io::Result<Self> {
        let metadata = file.metadata()?;
        Ok(Self { length: metadata.len(), changed: metadata.modified().ok() })
    }

    /// Bytes of the file.
    pub fn length(self) -> u64 {
        self.length
    }

    /// # Errors
    /// A problem when the file, or the one that now has its name, is another.
    pub fn check(self, file: &File, path: &Path) -> Result<()> {
        let named = File::open(path).and_then(|now| Self::of(&now));
        if Self::of(file).ok() == Some(self) && named.ok() == Some(self) {
            return Ok(());
        }
        Err(Problem::of_file(file_name(path), Fault::ChangedWhileRead).into())
    }
}

/// What a file is by its first bytes, when they say so.
pub fn known_by(first: &[u8]) -> Option<&'static str> {
    let text = first.strip_prefix(b"\xef\xbb\xbf").unwrap_or(first).trim_ascii_start();
    let begins =
        |with: &str| text.get(..with.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(with.as_bytes()));
    let is = |magic: &[u8]| first.starts_with(magic);
    let kinds = [
        (first.is_empty(), "empty"),
        (begins("<!doctype html") || begins("<html"), "HTML"),
        (begins("<"), "XML"),
        (begins("{") || begins("["), "JSON"),
        (is(b"\x1f\x8b"), "gzip"),
        (is(b"BZh"), "bzip2"),
        (is(b"PK\x03\x04"), "zip"),
        (is(b"PAR1"), "Parquet"),
        (is(b"SQLite format 3"), "SQLite"),
        (is(b"%PDF"), "PDF"),
    ];
    kinds.into_iter().find(|(is, _)| *is).map(|(_, kind)| kind)
}

/// Compare a file with the `.md5` beside it, where there is one: `streets.osm.pbf.md5`, as download servers write it. A
/// download that stopped between two blocks of an extract is known by nothing else.
///
/// # Errors
/// A problem when the sums differ, or the `.md5` holds none.
pub fn check_sidecar(path: &Path, progress: &Progress) -> Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".md5");
    let beside = Path::new(&beside);
    let Ok(text) = std::fs::read_to_string(beside) else { return Ok(()) };
    let is_sum = |word: &&str| word.len() == 32 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let Some(expected) = text.split_whitespace().find(is_sum).map(str::to_lowercase) else {
        return Err(Problem::of_file(file_name(beside), Fault::WrongFormat { expected: "md5" }).into());
    };
    let found = md5(path, progress)?;
    if found == expected {
        return Ok(());
    }
    Err(Problem::of_file(file_name(path), Fault::OtherSum { expected }).with_value(found).into())
}

fn md5(path: &Path, progress: &Progress) -> Result<String> {
    use md5::{Digest, Md5};
    let (mut file, mut hasher, mut some) = (open(path)?, Md5::new(), vec![0; 1 << 20]);
    loop {
        progress.check()?;
        let length = file.read(&mut some).map_err(Error::file(path))?;
        if length == 0 {
            return Ok(super::hash::hex(&hasher.finalize()));
        }
        hasher.update(&some[..length]);
    }
}
