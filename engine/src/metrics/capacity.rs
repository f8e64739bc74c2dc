//! What facilities in an area hold, for the people of a group who live there: no walking, as registers count it.

use super::whose::inside_areas;
use crate::model::area::Areas;
use crate::model::facility::Facilities;

/// What an area has of a class.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Held {
    /// Facilities in the outline.
    pub count: u32,
    /// Sum of the capacities that are known.
    pub capacity: f64,
    /// Facilities that do not say.
    pub unknown: u32,
}

/// Area by area, classes sorted; `capacity` is that of each facility.
pub fn held(areas: &Areas, facilities: &Facilities, capacity: &[Option<f64>]) -> Vec<Held> {
    let classes = facilities.classes();
    let inside = inside_areas(areas, &facilities.place);
    let of_area = |rows: &Vec<u32>| {
        let mut held = vec![Held::default(); classes.len()];
        for &row in rows {
            let class = classes.partition_point(|class| *class < facilities.class[row as usize]);
            held[class].count += 1;
            match capacity[row as usize] {
                Some(capacity) => held[class].capacity += capacity,
                None => held[class].unknown += 1,
            }
        }
        held
    };
    inside.iter().flat_map(of_area).collect()
}
