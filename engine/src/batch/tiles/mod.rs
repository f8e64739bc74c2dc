//! A study tile by tile: out of core on one machine, or on many, with the results of a run in one piece, bit for bit.
//!
//! A tile is an H3 parent. Its streets are cut from the source (`plan`), its network is built and held against what hangs on
//! streets beyond it (`ground`); people, facilities and areas are joined for all tiles together (`gathered`); each tile is walked
//! (`walked`), and all are put together (`connected`, `union`). Tiles know of one another only through files in a working folder
//! (`folder`): a job reads them, writes files of its own and tells of them in a receipt. Why the answers are those of the whole:
//! docs/design/2026-11-tiles.md.

mod connected;
mod folder;
mod gathered;
mod ground;
mod plan;
mod run;
mod source;
mod union;
mod walked;

pub use folder::{GROUND, WALK};
pub use run::{Job, Options, TiledRun, job};
