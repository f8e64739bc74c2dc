//! The nouns: plain data, valid by construction. No files, no search.

pub mod area;
pub mod catalogue;
pub mod cell;
pub mod coverage;
pub mod crs;
pub mod elevation;
pub mod error;
pub mod extent;
pub mod facility;
pub mod finding;
pub mod gcj02;
pub mod ids;
pub mod island;
pub mod level;
pub mod place;
pub mod plane;
pub mod population;
pub mod problem;
pub mod profile;
pub mod progress;
pub mod projection;
pub mod schema;
pub mod smoothing;
pub mod street;
pub mod study;
pub mod times;
