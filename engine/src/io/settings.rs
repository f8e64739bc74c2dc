//! Text of TOML, and what its library says where it is none: with the line.

use crate::model::problem::{Fault, Problem};
use serde::de::DeserializeOwned;

/// What a text says.
///
/// # Errors
/// The first fault, with file and line.
pub fn parse<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, Box<Problem>> {
    toml::from_str(text).map_err(|error: toml::de::Error| {
        let mut problem = Problem::of_file(file, Fault::Unreadable { reason: error.message().to_owned() });
        problem.row = error.span().map(|span| line_of(text, span.start));
        Box::new(problem)
    })
}

/// The line of a place in a text, from 1.
pub fn line_of(text: &str, at: usize) -> u64 {
    text[..at].matches('\n').count() as u64 + 1
}
