//! What if: scenarios and siting. Nothing lives here yet; the rooms above and below are built to take it.
