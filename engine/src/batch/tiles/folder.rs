//! The working folder of a tiled run: where jobs find what they read, and where their receipts are.

use crate::io::hash;
use crate::model::error::{Error, Result};
use crate::model::problem::{Fault, Problem};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The stage in which networks are built.
pub const GROUND: &str = "ground";
/// The stage in which tiles are walked.
pub const WALK: &str = "walk";

/// A file that a job wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// Its name in the folder of its stage.
    pub file: String,
    /// Size.
    pub bytes: u64,
}

/// What a job tells of itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Receipt {
    /// Stage.
    pub stage: String,
    /// Key of the tile.
    pub key: String,
    /// Of which plan the tile was made.
    pub plan: String,
    /// How often the tile was done before and had to see more than the driver had cut for it.
    pub round: u32,
    /// Files by what they hold.
    pub files: Vec<Written>,
    /// Seconds that it took.
    pub seconds: f64,
    /// Largest memory of the process so far, bytes; absent where the system does not tell.
    pub peak_memory_bytes: Option<u64>,
    /// Nodes and edges of the network that the job worked on.
    pub network: (u64, u64),
    /// Blocks that the tile has to see too, as hexadecimal ids, before it can be done.
    pub wants: Vec<String>,
    /// Blocks whose streets it needed, as hexadecimal ids, beyond those that the plan foresaw.
    #[serde(default)]
    pub farther: Vec<String>,
    /// Pieces of street that begin in the tile and lead so far without a corner that they may pass others which know nothing of
    /// them: the block of the corner, then those that are passed.
    #[serde(default)]
    pub passing: Vec<Vec<String>>,
}

/// The working folder.
#[derive(Debug, Clone)]
pub struct Folder(pub PathBuf);

impl Folder {
    /// Where the plan is: the file by which a working folder is known.
    pub fn plan(&self) -> PathBuf {
        self.0.join("plan.json")
    }

    /// Where a stage's files are.
    pub fn stage(&self, stage: &str) -> PathBuf {
        self.0.join(stage)
    }

    /// What the splitter of streets keeps for itself.
    pub fn spool(&self) -> PathBuf {
        self.0.join("spool")
    }

    /// The streets, cut into pieces.
    pub fn streets(&self) -> PathBuf {
        self.0.join("streets")
    }

    /// The terrain of a tile.
    pub fn terrain(&self, round: u32, number: u32) -> PathBuf {
        self.0.join(format!("terrain-{round}")).join(format!("{number}.arrow"))
    }

    /// Homes and doors of a tile.
    pub fn inputs(&self, number: u32) -> PathBuf {
        self.0.join("inputs").join(format!("{number}.arrow"))
    }

    /// The mark that all inputs are there.
    pub fn inputs_mark(&self) -> PathBuf {
        self.0.join("inputs").join("done.json")
    }

    fn receipt(&self, stage: &str, key: &str) -> PathBuf {
        self.0.join("receipts").join(stage).join(format!("{key}.json"))
    }

    /// A file of a name that nobody else has, for a job of a tile.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn unique(&self, stage: &str, key: &str, what: &str) -> Result<PathBuf> {
        let folder = self.stage(stage);
        fs::create_dir_all(&folder).map_err(Error::file(&folder))?;
        let file = tempfile::Builder::new()
            .prefix(&format!("{key}-{what}-"))
            .suffix(".arrow")
            .tempfile_in(&folder)
            .map_err(Error::file(&folder))?;
        file.into_temp_path().keep().map_err(|error| Error::file(&folder)(error.error))
    }

    /// Keep a receipt.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn keep(&self, receipt: &Receipt) -> Result<Vec<u8>> {
        let path = self.receipt(&receipt.stage, &receipt.key);
        write_json(&path, receipt)
    }

    /// The receipt of a tile that is done, as far as its files are there.
    pub fn receipt_of(&self, stage: &str, key: &str, plan: &str, round: u32) -> Option<Receipt> {
        let receipt: Receipt = read_json(&self.receipt(stage, key)).ok()??;
        let is_there = |written: &Written| {
            fs::metadata(self.stage(stage).join(&written.file)).is_ok_and(|file| file.len() == written.bytes)
        };
        let is_of_now = receipt.plan == plan && receipt.round == round;
        (is_of_now && receipt.files.iter().all(is_there)).then_some(receipt)
    }

    /// A receipt that came back from a worker must tell of files that are there.
    ///
    /// # Errors
    /// A problem when it does not.
    pub fn check(&self, stage: &str, receipt: &Receipt, plan: &str, round: u32) -> Result<()> {
        if receipt.stage == stage && self.receipt_of(stage, &receipt.key, plan, round).is_some() {
            return Ok(());
        }
        let expected = "files of the working folder that all workers see".to_owned();
        let name = self.0.display().to_string();
        Err(Problem::of_file(name, Fault::Setting { expected })
            .with_id(&receipt.key)
            .with_value(stage)
            .into())
    }
}

/// A file of a job, as its receipt tells of it.
///
/// # Errors
/// The file system refuses.
pub fn written(path: &Path) -> Result<Written> {
    let bytes = fs::metadata(path).map_err(Error::file(path))?.len();
    let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Written { file, bytes })
}

/// Write a record, replacing an earlier one in one step; its bytes.
///
/// # Errors
/// The file system refuses.
pub fn write_json<T: Serialize>(path: &Path, record: &T) -> Result<Vec<u8>> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(Error::file(folder))?;
    let text = serde_json::to_vec_pretty(record).map_err(|error| Error::Internal(error.to_string()))?;
    let file = tempfile::NamedTempFile::new_in(folder).map_err(Error::file(path))?;
    fs::write(file.path(), &text).map_err(Error::file(path))?;
    // Workers may be other users than the driver.
    file.as_file().set_permissions(Permissions::from_mode(0o644)).map_err(Error::file(path))?;
    file.as_file().sync_all().map_err(Error::file(path))?;
    file.persist(path).map_err(|error| Error::file(path)(error.error))?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(Error::file(folder))?;
    Ok(text)
}

/// Read a record; none where there is none, or none of this kind.
///
/// # Errors
/// The file system refuses.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    match fs::read(path) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::file(path)(error)),
    }
}

/// A short name for something that is known by a long text.
pub fn short_hash(text: &str) -> String {
    hash::of_text(text)[..16].to_owned()
}
