//! Whole jobs: one study from files to files.

pub mod prepare;
pub mod publish;
pub mod study;
pub mod synthetic;
