//! What is done to a disk so that it stays there: every step is waited for, and every step can be made to fail.
//!
//! On Linux a file is safe once it *and* the folder that names it are synced; renaming or linking alone is not. What
//! publishes tables goes through [`Disk`] alone, so that its order can be tested: against faults at every step, against
//! death at every step, and against a power cut that forgets what was not synced.

use crate::model::error::{Error, Result};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

/// The steps by which tables are published.
pub trait Disk: Sync {
    /// Make a file that is not there, and wait until its contents are on the disk; its name is not yet. It carries the
    /// time, milliseconds since 1970, by which readers find a version of a day.
    ///
    /// # Errors
    /// The file is there, or the system refuses.
    fn write(&self, path: &Path, contents: &[u8], modified_ms: Option<u64>) -> Result<()>;

    /// Make a folder, and those above it, and wait until their names are on the disk.
    ///
    /// # Errors
    /// The system refuses.
    fn make_folder(&self, path: &Path) -> Result<()>;

    /// Wait until the names in a folder are on the disk.
    ///
    /// # Errors
    /// The system refuses.
    fn sync_folder(&self, path: &Path) -> Result<()>;

    /// Give a file another name, in place of what has it.
    ///
    /// # Errors
    /// The system refuses.
    fn rename(&self, from: &Path, to: &Path) -> Result<()>;

    /// Give a file a second name, never in place of another; false where something has it.
    ///
    /// # Errors
    /// The system refuses.
    fn link(&self, from: &Path, to: &Path) -> Result<bool>;

    /// Take a file away; nothing happens where there is none.
    ///
    /// # Errors
    /// The system refuses.
    fn remove(&self, path: &Path) -> Result<()>;

    /// Take a folder away with all that is in it; nothing happens where there is none.
    ///
    /// # Errors
    /// The system refuses.
    fn remove_folder(&self, path: &Path) -> Result<()>;

    /// Whether something has this name.
    fn exists(&self, path: &Path) -> bool;

    /// The contents of a file; none where there is none.
    ///
    /// # Errors
    /// The system refuses.
    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>>;

    /// The names in a folder, in order; none where there is no folder.
    ///
    /// # Errors
    /// The system refuses.
    fn list(&self, path: &Path) -> Result<Vec<String>>;
}

/// The file system of this machine.
#[derive(Debug, Default)]
pub struct LocalDisk {
    fault: Option<PlannedFault>,
}

impl LocalDisk {
    /// The file system, with the fault that `WALKSHED_DISK_FAULT` plans: `N:abort`, `N:eio` or `N:enospc` at the N-th
    /// step that changes something. What is shipped is so what is tested; without the variable nothing is planned.
    pub fn from_env() -> Self {
        let plan = std::env::var("WALKSHED_DISK_FAULT").ok();
        Self { fault: plan.and_then(|plan| PlannedFault::parse(&plan)) }
    }

    /// Every change is a step that may be planned to fail.
    fn step(&self, path: &Path) -> Result<()> {
        self.fault.as_ref().map_or(Ok(()), PlannedFault::step).map_err(Error::file(path))
    }
}

/// A fault for tests, at the n-th change of the disk.
#[derive(Debug)]
struct PlannedFault {
    at: u64,
    seen: AtomicU64,
    action: Action,
}

#[derive(Debug, Clone, Copy)]
enum Action {
    Abort,
    Refuse(i32),
}

impl PlannedFault {
    fn parse(plan: &str) -> Option<Self> {
        let (at, action) = plan.split_once(':')?;
        let action = match action {
            "abort" => Action::Abort,
            "eio" => Action::Refuse(rustix::io::Errno::IO.raw_os_error()),
            "enospc" => Action::Refuse(rustix::io::Errno::NOSPC.raw_os_error()),
            _ => return None,
        };
        Some(Self { at: at.parse().ok()?, seen: AtomicU64::new(0), action })
    }

    fn step(&self) -> io::Result<()> {
        if self.seen.fetch_add(1, Ordering::SeqCst) + 1 != self.at {
            return Ok(());
        }
        match self.action {
            Action::Abort => std::process::abort(),
            Action::Refuse(code) => Err(io::Error::from_raw_os_error(code)),
        }
    }
}

impl Disk for LocalDisk {
    fn write(&self, path: &Path, contents: &[u8], modified_ms: Option<u64>) -> Result<()> {
        let write = || -> io::Result<()> {
            let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
            file.write_all(contents)?;
            if let Some(modified_ms) = modified_ms {
                file.set_modified(UNIX_EPOCH + Duration::from_millis(modified_ms))?;
            }
            file.sync_all()
        };
        self.step(path)?;
        write().map_err(Error::file(path))?;
        self.step(path) // a file that is there, of which nobody was told
    }

    fn make_folder(&self, path: &Path) -> Result<()> {
        if path.is_dir() {
            return Ok(());
        }
        if let Some(above) = above(path) {
            self.make_folder(above)?;
        }
        self.step(path)?;
        match fs::create_dir(path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(Error::file(path)(error));
            }
            _ => {}
        }
        above(path).map_or(Ok(()), |above| self.sync_folder(above))
    }

    fn sync_folder(&self, path: &Path) -> Result<()> {
        self.step(path)?;
        File::open(path).and_then(|folder| folder.sync_all()).map_err(Error::file(path))
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        self.step(to)?;
        fs::rename(from, to).map_err(Error::file(to))
    }

    fn link(&self, from: &Path, to: &Path) -> Result<bool> {
        self.step(to)?;
        match fs::hard_link(from, to) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(Error::file(to)(error)),
        }
    }

    fn remove(&self, path: &Path) -> Result<()> {
        self.step(path)?;
        unless_absent(fs::remove_file(path)).map_err(Error::file(path))
    }

    fn remove_folder(&self, path: &Path) -> Result<()> {
        self.step(path)?;
        unless_absent(fs::remove_dir_all(path)).map_err(Error::file(path))
    }

    fn exists(&self, path: &Path) -> bool {
        path.exists()
    }

    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>> {
        match fs::read(path) {
            Ok(contents) => Ok(Some(contents)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::file(path)(error)),
        }
    }

    fn list(&self, path: &Path) -> Result<Vec<String>> {
        let entries = match fs::read_dir(path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Error::file(path)(error)),
        };
        let name = |entry: io::Result<fs::DirEntry>| Ok(entry?.file_name().to_string_lossy().into_owned());
        let mut names = entries.map(name).collect::<io::Result<Vec<String>>>().map_err(Error::file(path))?;
        names.sort_unstable();
        Ok(names)
    }
}

/// The folder above, where the path names one.
fn above(path: &Path) -> Option<&Path> {
    path.parent().filter(|above| !above.as_os_str().is_empty())
}

fn unless_absent(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// A lock on a folder that dies with its process: the kernel lets go of it, whatever kills whom.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Take the lock, and write into it who has it.
    ///
    /// # Errors
    /// [`Error::Busy`] with who has it since when; or the system refuses.
    pub fn take(path: PathBuf, since: &str) -> Result<Self> {
        let open = || OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = open().map_err(Error::file(&path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => {
                let holder = fs::read_to_string(&path).unwrap_or_default().trim().to_owned();
                return Err(Error::Busy { path, holder });
            }
            Err(fs::TryLockError::Error(error)) => return Err(Error::file(&path)(error)),
        }
        let holder = format!("process {}, since {since}\n", std::process::id());
        // Who has the lock is said for people; the lock itself is the kernel's.
        let _ = file.set_len(0).and_then(|()| file.write_all(holder.as_bytes()));
        Ok(Self { _file: file })
    }
}

/// Bytes that a folder's file system has free for us.
///
/// # Errors
/// The system refuses.
pub fn free_bytes(path: &Path) -> Result<u64> {
    let stat = rustix::fs::statvfs(path).map_err(|error| Error::file(path)(error.into()))?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// The name of a file system on which names do not become safe as they do on those of this machine; none for the others.
///
/// # Errors
/// The system refuses.
pub fn unsafe_file_system(path: &Path) -> Result<Option<&'static str>> {
    // Magic numbers of statfs(2).
    const UNSAFE: [(i64, &str); 6] = [
        (0x6969, "NFS"),
        (0x517B, "SMB"),
        (0xFF53_4D42, "CIFS"),
        (0xFE53_4D42, "SMB2"),
        (0x6573_5546, "FUSE"),
        (0x0102_1997, "9P"),
    ];
    let stat = rustix::fs::statfs(path).map_err(|error| Error::file(path)(error.into()))?;
    let kind = stat.f_type & 0xFFFF_FFFF;
    Ok(UNSAFE.into_iter().find(|(magic, _)| *magic == kind).map(|(_, name)| name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_held_once_and_let_go_when_it_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let held = FolderLock::take(path.clone(), "2026-11-27T03:00:00Z").unwrap();
        let busy = FolderLock::take(path.clone(), "later").unwrap_err().to_string();
        assert!(busy.contains(&std::process::id().to_string()) && busy.contains("03:00"), "{busy}");
        drop(held);
        assert!(FolderLock::take(path, "later").is_ok());
    }

    #[test]
    fn a_planned_fault_comes_once_at_its_step() {
        let folder = tempfile::tempdir().unwrap();
        let disk = LocalDisk { fault: PlannedFault::parse("2:enospc") };
        disk.sync_folder(folder.path()).unwrap();
        let refused = disk.sync_folder(folder.path()).unwrap_err().to_string();
        assert!(refused.contains("No space left"), "{refused}");
        disk.sync_folder(folder.path()).unwrap();
        assert!(PlannedFault::parse("soon:abort").is_none());
    }

    #[test]
    fn a_link_never_takes_the_place_of_another_file() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (folder.path().join("one"), folder.path().join("two"));
        let disk = LocalDisk::default();
        disk.write(&one, b"1", Some(86_400_000)).unwrap();
        assert!(disk.link(&one, &two).unwrap());
        assert!(!disk.link(&one, &two).unwrap());
        assert!(disk.write(&one, b"2", None).is_err());
        assert_eq!(disk.read(&two).unwrap().as_deref(), Some(&b"1"[..]));
        let modified = fs::metadata(&two).unwrap().modified().unwrap();
        assert_eq!(modified, UNIX_EPOCH + Duration::from_hours(24));
    }
}
