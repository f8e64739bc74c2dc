//! Where streets lie, to tell places that were given the wrong way round.

use super::place::Place;

/// Room around the streets in which a place is taken as meant, degrees (about 10 km).
const MARGIN_DEG: f64 = 0.1;

/// The rectangle around places, with a margin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Extent {
    west: f64,
    south: f64,
    east: f64,
    north: f64,
}

impl Extent {
    /// The extent of places.
    pub fn of(places: &[Place]) -> Self {
        let least =
            |of: fn(Place) -> f64| places.iter().map(|&place| of(place)).fold(f64::INFINITY, f64::min);
        let most =
            |of: fn(Place) -> f64| places.iter().map(|&place| of(place)).fold(f64::NEG_INFINITY, f64::max);
        Self {
            west: least(Place::lon) - MARGIN_DEG,
            south: least(Place::lat) - MARGIN_DEG,
            east: most(Place::lon) + MARGIN_DEG,
            north: most(Place::lat) + MARGIN_DEG,
        }
    }

    /// How far east and how far north of the south-western corner a place inside lies, each 0..1.
    pub fn shares(&self, place: Place) -> (f64, f64) {
        let share = |value: f64, low: f64, high: f64| ((value - low) / (high - low)).clamp(0.0, 1.0);
        (share(place.lon(), self.west, self.east), share(place.lat(), self.south, self.north))
    }

    /// Whether a place lies outside and would lie inside with its coordinates exchanged.
    pub fn looks_swapped(&self, place: Place) -> bool {
        !self.holds(place) && Place::new(place.lat(), place.lon()).is_some_and(|place| self.holds(place))
    }

    /// Whether a place lies inside.
    pub fn holds(&self, place: Place) -> bool {
        (self.west..=self.east).contains(&place.lon()) && (self.south..=self.north).contains(&place.lat())
    }
}

#[cfg(test)]
mod tests {
    use super::{Extent, Place};

    #[test]
    fn only_an_exchanged_place_looks_swapped() {
        let at = |lon, lat| Place::new(lon, lat).unwrap();
        let city = Extent::of(&[at(-51.25, -30.1), at(-51.15, -30.0)]);
        assert!(city.looks_swapped(at(-30.05, -51.2)));
        assert!(!city.looks_swapped(at(-51.2, -30.05)));
        assert!(!city.looks_swapped(at(106.5, 29.5)));
    }
}
