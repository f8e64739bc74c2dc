//! Cities for benches.
