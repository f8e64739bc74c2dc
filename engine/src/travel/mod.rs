//! Who reaches what, in what time.

pub mod doors;
pub mod nearest;
#[cfg(test)]
mod nearest_tests;
pub mod oracle;
pub mod search;
