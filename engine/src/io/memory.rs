//! How much memory a job may take, asked before it begins: it is refused, and not killed half way.

use crate::model::error::Result;
use crate::model::problem::{Fault, Problem};
use std::path::Path;

/// Share of the memory that is free now which a job takes at most, unless a limit is stated.
const SHARE: f64 = 0.9;

/// The most memory that a job may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryLimit(Option<u64>);

impl MemoryLimit {
    /// As stated for the whole process, in bytes; without that, what it has and most of what the machine has free now.
    pub fn new(stated_bytes: Option<u64>) -> Self {
        let free = || Some(resident_bytes()? + (available_bytes()? as f64 * SHARE) as u64);
        Self(stated_bytes.or_else(free))
    }

    /// Refuse a job that would take `more_bytes` beyond what the process holds already; `job` names it.
    ///
    /// # Errors
    /// A problem that tells how much it would take and what to do.
    pub fn check(self, job: &str, more_bytes: u64) -> Result<()> {
        let needed_bytes = resident_bytes().unwrap_or_default() + more_bytes;
        match self.0 {
            Some(limit_bytes) if needed_bytes > limit_bytes => {
                Err(Problem::of_file(job, Fault::Memory { needed_bytes, limit_bytes }).into())
            }
            _ => Ok(()),
        }
    }
}

/// Memory of this process, bytes; none where the system does not tell.
fn resident_bytes() -> Option<u64> {
    status_bytes(Path::new("/proc/self/status"), "VmRSS:")
}

/// Largest memory of this process so far, bytes; none where the system does not tell.
pub fn peak_bytes() -> Option<u64> {
    status_bytes(Path::new("/proc/self/status"), "VmHWM:")
}

/// Memory that a new job can have without pushing others out: of the machine, or of the group of processes that this one
/// is confined to.
fn available_bytes() -> Option<u64> {
    let machine = status_bytes(Path::new("/proc/meminfo"), "MemAvailable:");
    let number = |name: &str| -> Option<u64> {
        std::fs::read_to_string(Path::new("/sys/fs/cgroup").join(name)).ok()?.trim().parse().ok()
    };
    let group = number("memory.max").zip(number("memory.current"));
    let group = group.map(|(most, used)| most.saturating_sub(used));
    [machine, group].into_iter().flatten().min()
}

/// Linux tells sizes in kibibytes, one to a line.
fn status_bytes(path: &Path, name: &str) -> Option<u64> {
    let text = std::fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kibibytes| kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::MemoryLimit;

    #[test]
    fn a_job_beyond_the_limit_is_refused_with_both_numbers() {
        assert!(MemoryLimit::new(Some(u64::MAX)).check("reach", 1 << 40).is_ok());
        let refused = MemoryLimit::new(Some(1 << 20)).check("reach", 5 << 30).unwrap_err().to_string();
        assert!(
            refused.contains("reach") && refused.contains("GiB") && refused.contains("0.001 GiB"),
            "{refused}"
        );
        assert!(MemoryLimit::new(None).check("reach", 0).is_ok(), "what fits is never refused");
    }
}
