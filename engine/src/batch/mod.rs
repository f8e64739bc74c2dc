//! Whole jobs: one study from files to files.

pub mod check;
pub mod prepare;
pub mod publish;
pub mod scenario;
pub mod score;
pub mod site;
pub mod study;
pub mod synthetic;
pub mod validate;
