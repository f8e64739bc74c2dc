//! **How much of a city's people can walk to its community facilities, and in what time?**
//!
//! walkshed is the engine behind that question: streets become a walking network with times by person and direction;
//! homes (H3 cells with people) and doors (facilities) are joined to it; the nearest walking time per cell and class
//! becomes coverage per area, class, minutes and population group. Columns all the way, Parquet in and out.
//!
//! The main line is [`batch::study::run`]; its rooms, lowest first, each using only those above it in this list:
//!
//! | room | what |
//! |---|---|
//! | [`model`] | the nouns: plain data, valid by construction |
//! | [`io`] | files ↔ model |
//! | [`network`] | streets → a frozen graph; places joined to it |
//! | [`travel`] | who reaches what, in what time |
//! | [`metrics`] | times → tables that people read |
//! | [`planning`] | what if |
//! | [`batch`] | whole jobs |
//!
//! Units are in the names: `_m` metres, `_s` seconds, `_ds` tenths of a second, `_mps` metres per second, `people`
//! persons, `share` 0..1. Times are whole tenths of a second, so every sum is exact and the same on any number of
//! threads.
#![forbid(unsafe_code)]

pub mod batch;
pub mod io;
pub mod metrics;
pub mod model;
pub mod network;
pub mod planning;
pub mod travel;
