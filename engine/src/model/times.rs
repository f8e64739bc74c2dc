//! Nearest walking times: one value per origin and facility class.

use super::ids::Ids;
use std::num::NonZeroU32;

/// A cut-off or a time in whole tenths of a second; all sums of times are exact.
pub type Deciseconds = u32;

/// Which way the walk goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    /// From home to the facility.
    #[default]
    ToFacility,
    /// From the facility home.
    FromFacility,
}

/// Why there is no time. The order is from near to far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// A way exists, but takes longer than the cut-off.
    BeyondCutoff,
    /// No way exists.
    NotConnected,
    /// The origin is too far from any street.
    NotSnapped,
}

impl Reason {
    /// All reasons.
    pub const ALL: [Self; 3] = [Self::BeyondCutoff, Self::NotConnected, Self::NotSnapped];

    /// The name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BeyondCutoff => "beyond_cutoff",
            Self::NotConnected => "not_connected",
            Self::NotSnapped => "not_snapped",
        }
    }

    /// The reason of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

/// The nearest facility of one class from one origin, or why there is none.
pub type Nearest = Result<Found, Reason>;

/// A facility that was reached. Eight bytes, and no more as a [`Nearest`]: a metropolis has tens of millions of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Walking time, tenths of a second.
    pub time_ds: Deciseconds,
    /// One more than the row, so that a value is left over to say that there is none.
    row: NonZeroU32,
}

impl Found {
    /// The facility of a row, reached in so many tenths of a second.
    pub fn new(time_ds: Deciseconds, facility: u32) -> Self {
        Self { time_ds, row: NonZeroU32::MIN.saturating_add(facility) }
    }

    /// Row of the facility.
    pub fn facility(self) -> u32 {
        self.row.get() - 1
    }
}

/// Nearest times of one profile: a table of origins × classes.
#[derive(Debug, Clone)]
pub struct Times {
    /// Name of the profile.
    pub profile: String,
    /// Ids of the origins.
    pub origin: Ids,
    /// The classes, sorted.
    pub class: Vec<String>,
    /// Ids of the facilities, by row.
    pub facility: Ids,
    /// One entry per origin and class: origin by origin, classes in order.
    pub nearest: Vec<Nearest>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_of_the_table_takes_eight_bytes() {
        assert_eq!(size_of::<Nearest>(), 8);
        assert_eq!(size_of::<Option<Found>>(), 8);
        let found = Found::new(7, 0);
        assert_eq!((found.time_ds, found.facility()), (7, 0));
    }
}
