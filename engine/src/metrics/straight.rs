//! The straight line: what is within a radius, as the standards' radii are drawn, beside what can be walked to.

use crate::model::error::Result;
use crate::model::facility::Facilities;
use crate::model::place::{Place, chord_m};
use crate::model::progress::Progress;
use crate::model::times::Deciseconds;
use rayon::prelude::*;
use rstar::RTree;
use rstar::primitives::GeomWithData;

/// Origins between two looks at the stop button.
const ORIGINS_PER_STEP: usize = 256;

/// A facility and how far its nearest door is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Straight {
    /// Row of the facility.
    pub facility: u32,
    /// Metres to its nearest door, in a straight line.
    pub distance_m: f64,
}

impl Straight {
    /// Tenths of a second along the line at so many metres per second.
    pub fn time_ds(self, speed_mps: f64) -> Deciseconds {
        (self.distance_m / speed_mps * 10.0).round() as Deciseconds
    }
}

/// The nearest facility of every class within a radius, origin by origin, classes sorted; of equally near ones the first row.
///
/// # Errors
/// [`crate::model::error::Error::Cancelled`] when the user stopped.
pub fn nearest(
    origins: &[Place],
    facilities: &Facilities,
    radius_m: f64,
    progress: &Progress,
) -> Result<Vec<Option<Straight>>> {
    progress.begin("measuring straight lines", origins.len())?;
    let of_class: Vec<RTree<GeomWithData<[f64; 3], u32>>> =
        facilities.classes().iter().map(|class| doors_of(facilities, class)).collect();
    let found = origins.par_chunks(ORIGINS_PER_STEP).map(|origins| {
        progress.step(origins.len())?;
        let from = |origin: &Place| {
            let at = origin.ecef_m();
            of_class.iter().map(|doors| nearest_door(doors, at, radius_m)).collect::<Vec<_>>()
        };
        Ok(origins.iter().flat_map(from).collect::<Vec<_>>())
    });
    Ok(found.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
}

fn doors_of(facilities: &Facilities, class: &str) -> RTree<GeomWithData<[f64; 3], u32>> {
    let rows = (0..facilities.len()).filter(|&row| facilities.class[row] == class);
    let doors = rows.flat_map(|row| {
        facilities.doors[row].iter().map(move |door| GeomWithData::new(door.ecef_m(), row as u32))
    });
    RTree::bulk_load(doors.collect())
}

fn nearest_door(doors: &RTree<GeomWithData<[f64; 3], u32>>, at: [f64; 3], radius_m: f64) -> Option<Straight> {
    let mut near = doors.nearest_neighbor_iter(&at);
    let first = near.next()?;
    let distance_m = chord_m(*first.geom(), at);
    let as_near = near.take_while(|door| chord_m(*door.geom(), at).total_cmp(&distance_m).is_eq());
    let facility = as_near.map(|door| door.data).fold(first.data, u32::min);
    (distance_m <= radius_m).then_some(Straight { facility, distance_m })
}

/// Metres from an origin to the nearest door of a facility.
pub fn distance_m(origin: Place, doors: &[Place]) -> f64 {
    doors.iter().map(|door| origin.distance_m(*door)).fold(f64::INFINITY, f64::min)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ids::Ids;
    use proptest::prelude::*;

    fn any_place() -> impl Strategy<Value = Place> {
        (0..40_i32, 0..40_i32).prop_map(|(x, y)| {
            Place::new(106.5 + f64::from(x) / 2000.0, 29.5 + f64::from(y) / 2000.0).unwrap()
        })
    }

    proptest! {
        /// Every one measured, and the least taken.
        #[test]
        fn the_nearest_is_the_least_of_all(
            origins in prop::collection::vec(any_place(), 1..8),
            places in prop::collection::vec((any_place(), 0_usize..3), 1..12),
            radius_m in 10.0_f64..2500.0,
        ) {
            let class = places.iter().map(|(_, class)| format!("class {class}")).collect();
            let id = Ids::Int((0..places.len() as i64).collect());
            let facilities = Facilities::new("f", id, class, places.iter().map(|(place, _)| *place).collect());
            let found = nearest(&origins, &facilities, radius_m, &Progress::default()).unwrap();
            let classes = facilities.classes();
            for (at, origin) in origins.iter().enumerate() {
                for (which, class) in classes.iter().enumerate() {
                    let of_class = (0..facilities.len()).filter(|&row| facilities.class[row] == *class);
                    let slow = of_class
                        .map(|row| (distance_m(*origin, &facilities.doors[row]), row))
                        .min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)))
                        .filter(|(distance_m, _)| *distance_m <= radius_m);
                    let fast = found[at * classes.len() + which];
                    prop_assert_eq!(fast.map(|fast| fast.facility as usize), slow.map(|(_, row)| row));
                    prop_assert!(fast.zip(slow).is_none_or(|(fast, slow)| (fast.distance_m - slow.0).abs() < 1e-3));
                }
            }
        }
    }
}
