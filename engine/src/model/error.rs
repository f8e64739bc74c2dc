//! Why work did not finish.

use super::problem::Problem;
use std::path::{Path, PathBuf};

/// The result of work that can be refused.
pub type Result<T> = std::result::Result<T, Error>;

/// Why work did not finish. One type for all rooms: what differs between faults of input is the [`Problem`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The input is refused: every fault that was found, not only the first.
    #[error("{}", lines(.0))]
    Input(Vec<Problem>),
    /// The user asked to stop.
    #[error("stopped by the user; nothing was written")]
    Cancelled,
    /// The file system refused.
    #[error("{}: {source}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another process holds what this one needs.
    #[error("{}: busy, {holder}", path.display())]
    Busy {
        /// The lock.
        path: PathBuf,
        /// Who holds it, since when.
        holder: String,
    },
    /// Our own failure, never the user's.
    #[error("internal failure of walkshed, please report it: {0}")]
    Internal(String),
}

impl Error {
    /// For `map_err`: the file system refused at `path`.
    pub fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |source| Self::File { path: path.to_owned(), source }
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Input(vec![problem])
    }
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
