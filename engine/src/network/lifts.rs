//! Lifts at nodes and lifts drawn as areas: a landing on every floor, doors into them, and the ride between.

use super::build::Builder;
use super::graph::Ride;
use crate::model::level::Level;
use crate::model::place::Place;
use crate::model::street::WayKind;

/// A lift: its doors are the ends of the ways that come to it.
pub struct Lift {
    /// Id in the source.
    pub id: i64,
    /// Where it is.
    pub place: Place,
    /// Network nodes before its doors, and the floors they are on where known.
    pub doors: Vec<(u32, Option<Level>)>,
    /// Floors that it serves, as tagged.
    pub serves: Vec<Level>,
}

/// Floors that a lift moves when nothing tells (own default).
const USUAL_FLOORS: f32 = 1.0;

impl Builder<'_> {
    /// Add a lift of two doors or more.
    ///
    /// A door waits half a lift, so whoever passes from one to another waits for one; between landings the floors count.
    /// A door that does not say its floor is on the street.
    pub fn add_lift(&mut self, lift: &Lift) {
        let mut floors: Vec<Level> =
            lift.doors.iter().map(|(_, level)| level.unwrap_or(Level::GROUND)).collect();
        floors.sort_unstable();
        floors.dedup();
        if floors.len() < 2 {
            return self.add_lift_of_unknown_floors(lift);
        }
        let landings: Vec<u32> = floors.iter().map(|_| self.add_node(lift.id, lift.place, None)).collect();
        for pair in 0..floors.len() - 1 {
            let ride = (0.0, floors[pair].floors_to(floors[pair + 1]));
            self.add_ride(lift, landings[pair], landings[pair + 1], ride);
        }
        for (door, level) in &lift.doors {
            let level = level.unwrap_or(Level::GROUND);
            let at = floors.binary_search(&level).expect("every door's floor is listed");
            self.add_ride(lift, *door, landings[at], (0.5, 0.0));
        }
    }

    /// All doors lead into one cabin, half a ride each.
    fn add_lift_of_unknown_floors(&mut self, lift: &Lift) {
        let floors = match lift.serves.as_slice() {
            [low, .., high] => low.floors_to(*high),
            _ => USUAL_FLOORS,
        };
        let cabin = self.add_node(lift.id, lift.place, None);
        for (door, _) in &lift.doors {
            self.add_ride(lift, *door, cabin, (0.5, floors / 2.0));
        }
    }

    fn add_ride(&mut self, lift: &Lift, from: u32, to: u32, (wait_share, floors): (f32, f32)) {
        let edge = self.add_link(lift.id, from, to, 0.0, WayKind::Lift);
        self.rides.push(Ride { edge: edge as u32, wait_share, floors, ride_s: 0.0 });
    }
}
