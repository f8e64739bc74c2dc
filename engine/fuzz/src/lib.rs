//! Every reader of the engine on arbitrary bytes. The readers are also those of `engine/tests/corpus.rs`, which replays the
//! corpus in the main build.

pub mod readers;

/// Panics of a library that the engine catches are answers, not findings; those that it does not catch still end the run.
pub fn only_uncaught() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| std::panic::set_hook(Box::new(|_| {})));
}
