//! Files and the words of the libraries that read them.

use crate::model::error::{Error, Result};
use crate::model::limits::Amount;
use crate::model::problem::{Fault, Problem};
use crate::model::progress::Progress;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The last part of a path, the name by which users know a file.
pub fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// Whether a path is an address in the network, such as `s3://bucket/shops.parquet`.
pub fn is_remote(path: &Path) -> bool {
    path.to_str().is_some_and(|path| path.contains("://") && !path.starts_with("file://"))
}

/// The path that a `file://` address means; any other path as it is.
pub fn local(path: &Path) -> PathBuf {
    let Some(address) = path.to_str().and_then(|path| path.strip_prefix("file://")) else {
        return path.to_owned();
    };
    let address = address.strip_prefix("localhost").unwrap_or(address);
    let mut bytes = Vec::with_capacity(address.len());
    let mut rest = address.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let code = after.get(..2).and_then(|code| std::str::from_utf8(code).ok());
        if let Some(byte) = code.filter(|_| first == b'%').and_then(|code| u8::from_str_radix(code, 16).ok())
        {
            bytes.push(byte);
            rest = &after[2..];
        } else {
            bytes.push(first);
            rest = after;
        }
    }
    String::from_utf8(bytes).map_or_else(|_| path.to_owned(), PathBuf::from)
}

/// The files that belong to a path: a shapefile is several, each with a part of the table.
pub fn parts(path: &Path) -> Vec<PathBuf> {
    let mut parts = vec![path.to_owned()];
    if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("shp")) {
        let beside = ["dbf", "shx", "prj", "cpg"].map(|ending| path.with_extension(ending));
        parts.extend(beside.into_iter().filter(|part| part.is_file()));
    }
    parts
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

/// The bytes of a file that has at most so many.
///
/// # Errors
/// A problem when nothing is there, or it is larger.
pub fn read_bytes(path: &Path, most: Amount) -> Result<Vec<u8>> {
    let (name, file) = (file_name(path), open(path)?);
    let mut bytes = Vec::new();
    file.take(most.most() + 1).read_to_end(&mut bytes).map_err(Error::file(path))?;
    if bytes.len() as u64 > most.most() {
        let found = std::fs::metadata(path).map_or(bytes.len() as u64, |metadata| metadata.len());
        let fault = Fault::TooLarge { amount: most, found, most: most.most() };
        return Err(Problem::of_file(name, fault).into());
    }
    Ok(bytes)
}

/// The text of a file that has at most so many bytes.
///
/// # Errors
/// A problem when nothing is there, it is larger, or it is no UTF-8.
pub fn read_text(path: &Path, most: Amount) -> Result<String> {
    let bytes = read_bytes(path, most)?;
    String::from_utf8(bytes).map_err(unreadable(&file_name(path)))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_files_are_paths() {
        for (address, wanted) in [
            ("file:///data/a.csv", "/data/a.csv"),
            ("file://localhost/data/a.csv", "/data/a.csv"),
            ("file:///data/%E9%87%8D%E5%BA%86%20a%.csv", "/data/重庆 a%.csv"),
            ("data/a%20b.csv", "data/a%20b.csv"),
        ] {
            assert_eq!(local(Path::new(address)), Path::new(wanted));
            assert!(!is_remote(Path::new(address)), "{address}");
        }
        assert!(is_remote(Path::new("s3://bucket/a.csv")));
    }

    #[test]
    fn a_shapefile_is_several_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shops.shp");
        std::fs::write(path.with_extension("dbf"), "").unwrap();
        assert_eq!(parts(&path), [path.clone(), path.with_extension("dbf")]);
        let other = folder.path().join("shops.csv");
        assert_eq!(parts(&other), std::slice::from_ref(&other));
    }
}
