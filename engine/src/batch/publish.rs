//! A folder of results that appears whole or not at all.

use crate::model::error::{Error, Result};
use crate::model::problem::{Fault, Problem};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The file by which a folder is known as an earlier result.
pub const MARK: &str = "run.json";

/// A folder beside the final one; removed when dropped unpublished.
pub struct Staging {
    folder: TempDir,
    target: PathBuf,
}

impl Staging {
    /// Look whether a result may be published at `target`, before any work.
    ///
    /// # Errors
    /// A problem when something stands there that is not an earlier result: it is never deleted.
    pub fn check(target: &Path) -> Result<()> {
        Self::check_marked(target, MARK)
    }

    /// The same for results of another kind, known by another file: one never replaces the other.
    ///
    /// # Errors
    /// As [`Staging::check`].
    pub fn check_marked(target: &Path, mark: &str) -> Result<()> {
        let occupied = || Error::from(Problem::of_file(target.display().to_string(), Fault::OutputExists));
        if target.exists() {
            let empty = || fs::read_dir(target).is_ok_and(|mut entries| entries.next().is_none());
            if !target.is_dir() || !(target.join(mark).is_file() || empty()) {
                return Err(occupied());
            }
        }
        if target.file_name().is_none() {
            return Err(occupied());
        }
        Ok(())
    }

    /// Make the folder beside `target`.
    ///
    /// # Errors
    /// As [`Staging::check`], or when the file system refuses.
    pub fn begin(target: &Path) -> Result<Self> {
        Self::begin_marked(target, MARK)
    }

    /// The same for results of another kind.
    ///
    /// # Errors
    /// As [`Staging::check_marked`], or when the file system refuses.
    pub fn begin_marked(target: &Path, mark: &str) -> Result<Self> {
        Self::check_marked(target, mark)?;
        let name = target.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let above = above(target);
        fs::create_dir_all(&above).map_err(Error::file(&above))?;
        let folder = tempfile::Builder::new()
            .prefix(&format!(".{name}.partial-"))
            .tempdir_in(&above)
            .map_err(Error::file(&above))?;
        Ok(Self { folder, target: target.to_owned() })
    }

    /// Where to write the files.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Put the folder in place in one step. An earlier result is exchanged for it and then removed, so that a reader
    /// always finds one of the two.
    pub fn publish(self) -> Result<()> {
        let (staged, above) = (self.folder.path().to_owned(), above(&self.target));
        sync_folder(&staged)?;
        open_to_others(&staged)?;
        if self.target.exists() {
            renameat_with(CWD, &staged, CWD, &self.target, RenameFlags::EXCHANGE)
                .map_err(|error| Error::file(&self.target)(error.into()))?;
            sync_folder(&above)?;
            // The old result now lies in the staging folder and goes when that is dropped.
            return self.folder.close().map_err(Error::file(&staged));
        }
        fs::rename(&staged, &self.target).map_err(Error::file(&self.target))?;
        let _ = self.folder.keep();
        sync_folder(&above)
    }
}

fn above(target: &Path) -> PathBuf {
    match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

fn sync_folder(folder: &Path) -> Result<()> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(Error::file(folder))
}

/// A temporary folder is for its owner alone; a result is as readable as any folder that the user makes.
fn open_to_others(folder: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).map_err(Error::file(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn publish(target: &Path, text: &str) {
        let staging = Staging::begin(target).unwrap();
        fs::write(staging.folder().join(MARK), text).unwrap();
        staging.publish().unwrap();
    }

    #[test]
    fn a_result_replaces_an_earlier_one_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("deep/out");
        publish(&target, "first");
        publish(&target, "second");
        assert_eq!(fs::read_to_string(target.join(MARK)).unwrap(), "second");
        assert_eq!(fs::read_dir(folder.path().join("deep")).unwrap().count(), 1);
    }

    #[test]
    fn what_is_no_result_is_never_touched() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("photos");
        fs::create_dir(&target).unwrap();
        fs::write(target.join("child.jpg"), "x").unwrap();
        assert!(Staging::begin(&target).is_err());
        assert!(target.join("child.jpg").is_file());
    }

    #[test]
    fn an_unpublished_folder_vanishes() {
        let folder = tempfile::tempdir().unwrap();
        drop(Staging::begin(&folder.path().join("out")).unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
