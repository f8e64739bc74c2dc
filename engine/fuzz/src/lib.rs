//! Every reader of the engine on arbitrary bytes. The readers are also those of `engine/tests/corpus.rs`, which replays the
//! corpus in the main build.

pub mod readers;
