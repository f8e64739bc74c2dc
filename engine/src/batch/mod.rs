//! Whole jobs: one study from files to files.

pub mod check;
mod city_tables;
pub mod lake;
#[cfg(test)]
mod lake_tests;
pub mod parts;
pub mod prepare;
pub mod publish;
pub mod refresh;
pub mod rollback;
pub mod scenario;
pub mod score;
pub mod site;
pub mod study;
pub mod synthetic;
pub mod tiles;
pub mod validate;
