//! Tables that somebody else has read: formats that only a library of Python knows, and files in the network.

use super::files::file_name;
use super::hash::InputFile;
use super::table::Table;
use crate::model::error::{Error, Result};
use crate::model::problem::{Fault, Problem};
use crate::model::study::TableFile;
use std::path::Path;

/// Tables handed over for the files that a study names.
#[derive(Debug, Default)]
pub struct Given {
    tables: Vec<(TableFile, Result<Table>)>,
    fetched: Vec<InputFile>,
}

impl Given {
    /// Hand over what was read from a file, or why it was not.
    pub fn add(&mut self, file: TableFile, table: Result<Table>) {
        self.tables.push((file, table));
    }

    /// Hand over the identity of a file that does not lie in this file system.
    pub fn add_fetched(&mut self, file: InputFile) {
        self.fetched.push(file);
    }

    /// The identity of a fetched file.
    pub fn fetched(&self, path: &Path) -> Option<&InputFile> {
        self.fetched.iter().find(|file| Path::new(&file.path) == path)
    }

    /// The table of a file: as it was handed over, else as the engine reads it.
    ///
    /// # Errors
    /// What [`Table::read`] says, or whoever read the file.
    pub fn read(&self, file: &TableFile) -> Result<Table> {
        match self.tables.iter().find(|(given, _)| given == file) {
            Some((_, Ok(table))) => Ok(table.clone()),
            Some((_, Err(Error::Input(problems)))) => Err(Error::Input(problems.clone())),
            Some((_, Err(other))) => Err(Error::Internal(other.to_string())),
            None => read_here(file),
        }
    }
}

/// The engine's own formats have no layers.
fn read_here(file: &TableFile) -> Result<Table> {
    let table = Table::read(&file.path)?;
    let Some(layer) = &file.layer else { return Ok(table) };
    let fault = Fault::Setting { expected: "no layer; this format holds one table".to_owned() };
    Err(Problem::of_file(file_name(&file.path), fault).in_column("layer").with_value(layer).into())
}
