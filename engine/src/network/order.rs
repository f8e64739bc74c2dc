//! Nodes along a Hilbert curve: what is near on the ground is near in memory.

use crate::model::extent::Extent;
use crate::model::place::Place;
use rayon::prelude::*;

/// Cells of the curve on a side. A city of 60 km has cells of one metre.
const SIDE: u32 = 1 << 16;

/// The nodes of a network in an order in which searches use them.
#[derive(Debug)]
pub struct Order {
    /// Node at each position.
    pub node_at: Vec<u32>,
    /// Position of each node.
    pub position: Vec<u32>,
}

impl Order {
    /// Order places. Those in one cell of the curve keep their own order.
    pub(super) fn of(places: &[Place]) -> Self {
        let extent = Extent::of(places);
        let mut along: Vec<(u32, u32)> = (0_u32..)
            .zip(places)
            .map(|(node, &place)| {
                let (east, north) = extent.shares(place);
                (along_curve(east, north), node)
            })
            .collect();
        along.par_sort_unstable();
        let node_at: Vec<u32> = along.into_iter().map(|(_, node)| node).collect();
        let mut position = vec![0; node_at.len()];
        for (at, &node) in (0..).zip(&node_at) {
            position[node as usize] = at;
        }
        Self { node_at, position }
    }
}

/// How far along the curve a place lies, by its shares of the extent, 0..1 each.
pub fn along_curve(east: f64, north: f64) -> u32 {
    let cell = |share: f64| (share * f64::from(SIDE - 1)) as u32;
    distance_along(cell(east), cell(north))
}

/// How far along the curve a cell lies: quadrant by quadrant from the largest, each turned so that its ends meet its
/// neighbours' (Hilbert 1891).
fn distance_along(mut east: u32, mut north: u32) -> u32 {
    let mut along = 0;
    let mut half = SIDE / 2;
    while half > 0 {
        let (right, upper) = (u32::from(east & half > 0), u32::from(north & half > 0));
        along += half * half * ((3 * right) ^ upper);
        if upper == 0 {
            if right == 1 {
                (east, north) = (SIDE - 1 - east, SIDE - 1 - north);
            }
            std::mem::swap(&mut east, &mut north);
        }
        half /= 2;
    }
    along
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_along_the_curve_is_to_a_neighbour() {
        // The last cells of the curve on a grid of 64 x 64 in the corner where it begins.
        let mut cells: Vec<(u32, (u32, u32))> = (0..64)
            .flat_map(|east| (0..64).map(move |north| (distance_along(east, north), (east, north))))
            .collect();
        cells.sort_unstable();
        for (number, pair) in (0..).zip(cells.windows(2)) {
            assert_eq!(pair[0].0, number, "each place of the curve is taken once");
            let ((east, north), (next_east, next_north)) = (pair[0].1, pair[1].1);
            assert_eq!(east.abs_diff(next_east) + north.abs_diff(next_north), 1);
        }
    }

    #[test]
    fn an_order_is_a_permutation_also_where_places_are_equal() {
        let at = |lon, lat| Place::new(lon, lat).unwrap();
        for places in [vec![], vec![at(1.0, 2.0)], vec![at(1.0, 2.0); 5], vec![at(3.0, 0.0), at(1.0, 0.0)]] {
            let order = Order::of(&places);
            for node in 0..places.len() {
                assert_eq!(order.node_at[order.position[node] as usize] as usize, node);
            }
        }
    }
}
