//! A scenario: edits over a baseline, in order.

use super::edit::Edit;

/// Edits over a baseline that stays as it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// What it is called.
    pub name: String,
    /// The file or argument that it came from.
    pub file: String,
    /// The edits, in order.
    pub edits: Vec<Edit>,
    /// Hash of the edits: the same edits in the same order have the same id, whatever they are called.
    pub id: String,
}
