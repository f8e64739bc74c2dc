//! Lifts at nodes and lifts drawn as areas: a landing on every floor, doors into them, and the ride between.

use super::build::Builder;
use super::graph::Ride;
use crate::model::level::Level;
use crate::model::street::{Square, WayKind};

/// A lift: its doors are the ends of the ways that come to it.
struct Lift {
    /// Id in the source.
    id: i64,
    /// The street node that it is at, of an area the first.
    node: u32,
    /// Network nodes before its doors, and the floors they are on where known.
    doors: Vec<(u32, Option<Level>)>,
    /// Floors that it serves, as tagged.
    serves: Vec<Level>,
}

/// Floors that a lift moves when nothing tells (own default).
const USUAL_FLOORS: f32 = 1.0;

impl Builder<'_> {
    /// Lifts at nodes, and lifts drawn as areas.
    pub(super) fn add_lifts(&mut self) {
        let mut doors = std::mem::take(&mut self.lift_doors);
        doors.sort_unstable();
        let mut lifts = Vec::new();
        for sides in doors.chunk_by(|a, b| a.0 == b.0) {
            let node = self.streets.nodes[sides[0].0 as usize];
            lifts.push(Lift {
                id: node.id,
                node: sides[0].0,
                doors: sides.iter().map(|&(_, door)| (door, self.node_level.get(&door).copied())).collect(),
                serves: self.streets.lift_levels.get(&sides[0].0).cloned().unwrap_or_default(),
            });
        }
        for square in self.streets.squares.iter().filter(|square| square.way.kind == WayKind::Lift) {
            lifts.extend(self.lift_of_area(square));
        }
        for lift in lifts {
            if lift.doors.len() > 1 {
                self.add_lift(&lift);
            } else {
                self.lifts_to_nowhere.push(self.streets.nodes[lift.node as usize].place);
            }
        }
    }

    /// A lift whose doors are the corners of its outline that ways come to.
    fn lift_of_area(&self, square: &Square) -> Option<Lift> {
        let corners: Vec<u32> =
            square.rings.iter().flat_map(|ring| &self.streets.refs[ring.clone()]).copied().collect();
        let meeting = |&corner: &u32| {
            let floors = self.node_on_floor.range((corner, 0)..=(corner, usize::MAX)).map(|(_, &node)| node);
            self.node_of[corner as usize].into_iter().chain(floors)
        };
        let doors = corners.iter().flat_map(meeting);
        let doors = doors.map(|node| (node, self.node_level.get(&node).copied())).collect();
        Some(Lift { id: square.id, node: *corners.first()?, doors, serves: square.way.levels.clone() })
    }

    /// Add a lift of two doors or more.
    ///
    /// A door waits half a lift, so whoever passes from one to another waits for one; between landings the floors count.
    /// A door that does not say its floor is on the street.
    fn add_lift(&mut self, lift: &Lift) {
        let mut floors: Vec<Level> =
            lift.doors.iter().map(|(_, level)| level.unwrap_or(Level::GROUND)).collect();
        floors.sort_unstable();
        floors.dedup();
        if floors.len() < 2 {
            return self.add_lift_of_unknown_floors(lift);
        }
        let landings: Vec<u32> = floors.iter().map(|_| self.add_node(lift.node, lift.id, None)).collect();
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
        let cabin = self.add_node(lift.node, lift.id, None);
        for (door, _) in &lift.doors {
            self.add_ride(lift, *door, cabin, (0.5, floors / 2.0));
        }
    }

    fn add_ride(&mut self, lift: &Lift, from: u32, to: u32, (wait_share, floors): (f32, f32)) {
        let edge = self.add_link(lift.id, from, to, 0.0, WayKind::Lift);
        self.rides.push(Ride { edge: edge as u32, wait_share, floors, ride_s: 0.0 });
    }
}
