//! The folder in which a split keeps what it has found so far: sorted files, and a mark for every step that is done, so that
//! a run that was killed goes on where it was.

use super::sorted::{Runs, Sorted, Sorter};
use crate::model::error::{Error, Result};
use crate::model::problem::{Fault, Problem};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Sorters that fill at the same time, each with room for what it sorts and for sorting it; the rest is for the blobs that
/// are being read.
const SHARES: u64 = 8;

/// One folder of files that belong together.
#[derive(Debug)]
pub struct Spool {
    folder: PathBuf,
    memory_bytes: u64,
}

impl Spool {
    /// The folder `kind-key` in another, made if it is not there. Folders of the same kind with another key are what another
    /// file or another question left, and are removed.
    pub fn open(parent: &Path, kind: &str, key: &str, memory_bytes: u64) -> Result<Self> {
        let folder = parent.join(format!("{kind}-{key}"));
        fs::create_dir_all(&folder).map_err(Error::file(&folder))?;
        for entry in fs::read_dir(parent).map_err(Error::file(parent))? {
            let other = entry.map_err(Error::file(parent))?.path();
            let name = other.file_name().unwrap_or_default().to_string_lossy();
            let is_key =
                |rest: &str| rest.len() == key.len() && rest.bytes().all(|byte| byte.is_ascii_hexdigit());
            let of_kind = name.strip_prefix(kind).and_then(|rest| rest.strip_prefix('-')).is_some_and(is_key);
            if of_kind && other != folder {
                fs::remove_dir_all(&other).map_err(Error::file(&other))?;
            }
        }
        Ok(Self { folder, memory_bytes })
    }

    /// A folder in this one.
    pub fn inside(&self, kind: &str, key: &str) -> Result<Self> {
        Self::open(&self.folder, kind, key, self.memory_bytes)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Sort into a file.
    pub fn sorter(&self, name: &str) -> Result<Sorter> {
        Sorter::create(&self.path(name), self.memory_bytes / SHARES)
    }

    /// Read what was sorted into a file.
    pub fn read(&self, name: &str, runs: &Runs) -> Result<Sorted> {
        runs.read(&self.path(name))
    }

    /// What to say when a file does not hold what was written into it.
    pub fn damaged(&self, name: &str) -> Error {
        Problem::of_file(self.path(name).display().to_string(), Fault::DamagedSpool).into()
    }

    /// What a step that is done has found.
    pub fn marked<T: DeserializeOwned>(&self, step: &str) -> Option<T> {
        serde_json::from_slice(&fs::read(self.path(step)).ok()?).ok()
    }

    /// What a step finds, unless it is done already.
    pub fn step<T: Serialize + DeserializeOwned>(
        &self,
        step: &str,
        find: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        if let Some(found) = self.marked(step) {
            return Ok(found);
        }
        let found = find()?;
        self.mark(step, &found)?;
        Ok(found)
    }

    /// Mark a step as done.
    pub fn mark<T: Serialize>(&self, step: &str, found: &T) -> Result<()> {
        let text = serde_json::to_vec(found).map_err(|error| Error::Internal(error.to_string()))?;
        let (path, beside) = (self.path(step), self.path(&format!("{step}.part")));
        let write = || {
            let mut file = File::create(&beside)?;
            file.write_all(&text)?;
            file.sync_all()?;
            fs::rename(&beside, &path)
        };
        write().map_err(Error::file(&path))
    }

    /// Add a line to a file of them.
    pub fn add_line<T: Serialize>(&self, name: &str, line: &T) -> Result<()> {
        let mut text = serde_json::to_vec(line).map_err(|error| Error::Internal(error.to_string()))?;
        text.push(b'\n');
        let path = self.path(name);
        let open = || File::options().create(true).append(true).open(&path);
        open().and_then(|mut file| file.write_all(&text)).map_err(Error::file(&path))
    }

    /// The lines of a file of them; one that was cut short is none.
    pub fn lines<T: DeserializeOwned>(&self, name: &str) -> Vec<T> {
        let text = fs::read_to_string(self.path(name)).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Remove files that are not needed any more.
    pub fn remove(&self, names: &[&str]) -> Result<()> {
        for name in names {
            let path = self.path(name);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(Error::file(&path)(error)),
                _ => {}
            }
        }
        Ok(())
    }

    /// Remove all of it.
    pub fn clear(self) -> Result<()> {
        fs::remove_dir_all(&self.folder).map_err(Error::file(&self.folder))
    }
}
