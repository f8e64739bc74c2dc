//! Where the streets are: the straight pieces of all edges that doors may open onto, in search trees.
//!
//! One tree for some thousands of neighbouring edges, and one of their boxes above: small trees are made side by side, and a
//! city of a million edges sooner than in one.

use super::graph::Network;
use super::walls::Walls;
use rayon::prelude::*;
use rstar::{AABB, PointDistance, RTree, RTreeObject};
use std::collections::BinaryHeap;
use std::iter::Peekable;

/// Edges of one tree.
const EDGES_PER_TREE: usize = 4096;

/// The straight pieces of all edges that doors may open onto, in search trees of earth-centred space.
#[derive(Debug)]
pub struct EdgeIndex {
    trees: Vec<RTree<Piece>>,
    boxes: RTree<TreeBox>,
    pub(super) walls: Walls,
}

/// One straight piece of an edge.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    pub(super) edge: u32,
    pub(super) number: u32,
    pub(super) start: [f64; 3],
    pub(super) end: [f64; 3],
}

/// What a tree covers.
#[derive(Debug, Clone, Copy)]
struct TreeBox {
    around: AABB<[f64; 3]>,
    tree: usize,
}

impl Piece {
    /// Share of the piece at which it is nearest to a point.
    pub(super) fn nearest_share(&self, point: &[f64; 3]) -> f64 {
        let along: [f64; 3] = std::array::from_fn(|axis| self.end[axis] - self.start[axis]);
        let towards: [f64; 3] = std::array::from_fn(|axis| point[axis] - self.start[axis]);
        let dot = |a: &[f64; 3], b: &[f64; 3]| a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
        let squared = dot(&along, &along);
        if squared > 0.0 { (dot(&towards, &along) / squared).clamp(0.0, 1.0) } else { 0.0 }
    }
}

impl RTreeObject for Piece {
    type Envelope = AABB<[f64; 3]>;

    fn envelope(&self) -> Self::Envelope {
        AABB::from_corners(self.start, self.end)
    }
}

impl PointDistance for Piece {
    fn distance_2(&self, point: &[f64; 3]) -> f64 {
        let share = self.nearest_share(point);
        (0..3)
            .map(|axis| self.start[axis] + (self.end[axis] - self.start[axis]) * share - point[axis])
            .map(|difference| difference * difference)
            .sum()
    }
}

impl RTreeObject for TreeBox {
    type Envelope = AABB<[f64; 3]>;

    fn envelope(&self) -> Self::Envelope {
        self.around
    }
}

impl PointDistance for TreeBox {
    fn distance_2(&self, point: &[f64; 3]) -> f64 {
        self.around.distance_2(point)
    }
}

impl EdgeIndex {
    /// Index a network.
    pub(super) fn build(network: &Network) -> Self {
        Self::in_trees_of(network, EDGES_PER_TREE)
    }

    fn in_trees_of(network: &Network, edges_per_tree: usize) -> Self {
        let edges = &network.edges;
        let open = |edge: &u32| edges.has_doors(*edge as usize);
        let position = &network.order().position;
        let mut in_space: Vec<u32> = (0..network.edge_count() as u32).filter(open).collect();
        in_space.par_sort_by_key(|&edge| position[edges.from[edge as usize] as usize]);
        let pieces = |edge: u32| {
            let places = network.vertices_of(edge as usize);
            (0..).zip(places.windows(2)).map(move |(number, ends)| Piece {
                edge,
                number,
                start: ends[0].ecef_m(),
                end: ends[1].ecef_m(),
            })
        };
        let trees: Vec<RTree<Piece>> = in_space
            .par_chunks(edges_per_tree)
            .map(|edges| RTree::bulk_load(edges.iter().flat_map(|&edge| pieces(edge)).collect()))
            .collect();
        let boxes =
            (0..).zip(&trees).map(|(number, tree)| TreeBox { around: tree.root().envelope(), tree: number });
        Self { boxes: RTree::bulk_load(boxes.collect()), walls: Walls::new(&network.walls), trees }
    }

    /// All pieces, the nearest to a point first.
    pub(super) fn nearest_first<'a>(&'a self, point: &'a [f64; 3]) -> impl Iterator<Item = &'a Piece> {
        NearestFirst {
            boxes: self.boxes.nearest_neighbor_iter_with_distance_2(point).peekable(),
            pieces: move |tree_box: &TreeBox| {
                self.trees[tree_box.tree].nearest_neighbor_iter_with_distance_2(point)
            },
            open: BinaryHeap::new(),
        }
    }
}

/// Trees are opened once nothing in those that are open is as near as their box.
struct NearestFirst<'a, Boxes: Iterator, Pieces, Rest> {
    boxes: Peekable<Boxes>,
    /// The pieces of a tree, the nearest first.
    pieces: Pieces,
    open: BinaryHeap<OpenTree<'a, Rest>>,
}

/// A tree, its nearest piece that is not yet told, and the rest.
struct OpenTree<'a, Rest> {
    distance_2: f64,
    piece: &'a Piece,
    rest: Rest,
}

impl<'a, Boxes, Pieces, Rest> Iterator for NearestFirst<'a, Boxes, Pieces, Rest>
where
    Boxes: Iterator<Item = (&'a TreeBox, f64)>,
    Pieces: Fn(&TreeBox) -> Rest,
    Rest: Iterator<Item = (&'a Piece, f64)>,
{
    type Item = &'a Piece;

    fn next(&mut self) -> Option<&'a Piece> {
        while let Some(&(tree_box, distance_2)) = self.boxes.peek()
            && self.open.peek().is_none_or(|nearest| distance_2 <= nearest.distance_2)
        {
            self.boxes.next();
            self.open.extend(OpenTree::of((self.pieces)(tree_box)));
        }
        let OpenTree { piece, rest, .. } = self.open.pop()?;
        self.open.extend(OpenTree::of(rest));
        Some(piece)
    }
}

impl<'a, Rest: Iterator<Item = (&'a Piece, f64)>> OpenTree<'a, Rest> {
    fn of(mut rest: Rest) -> Option<Self> {
        rest.next().map(|(piece, distance_2)| Self { distance_2, piece, rest })
    }
}

impl<Rest> PartialEq for OpenTree<'_, Rest> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<Rest> Eq for OpenTree<'_, Rest> {}

impl<Rest> PartialOrd for OpenTree<'_, Rest> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<Rest> Ord for OpenTree<'_, Rest> {
    /// The nearest is the greatest, and of equally near ones the lowest number.
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let key = |tree: &Self| (tree.piece.edge, tree.piece.number);
        other.distance_2.total_cmp(&self.distance_2).then_with(|| key(other).cmp(&key(self)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ids::Ids;
    use crate::model::place::Place;
    use crate::model::street::{Survey, SurveyedEdge, WayKind};
    use crate::network::build;
    use proptest::prelude::*;

    /// Streets between places anywhere in about a kilometre.
    fn network(ends: &[(f64, f64)]) -> Network {
        let place = ends.iter().map(|&(east, north)| Place::new(106.5 + east, 29.5 + north).unwrap());
        let edge = |from: u32| SurveyedEdge {
            from,
            to: from + 1,
            length_m: 50.0,
            kind: WayKind::Footway,
            residents: false,
            forward_ds: None,
            backward_ds: None,
        };
        let survey = Survey {
            node_id: Ids::UInt((0..ends.len() as u64).collect()),
            place: place.collect(),
            ele_m: vec![None; ends.len()],
            edge_id: Ids::UInt((1..ends.len() as u64).collect()),
            edges: (0..ends.len() as u32 - 1).map(edge).collect(),
            timed: false,
        };
        build::from_survey(survey, 200.0).unwrap()
    }

    proptest! {
        /// However many trees there are, the pieces come as from a list sorted by distance.
        #[test]
        fn pieces_come_from_near_to_far(
            ends in prop::collection::vec((0.0..0.01, 0.0..0.01), 2..60),
            at in (-0.005..0.015, -0.005..0.015), edges_per_tree in 1_usize..12,
        ) {
            let network = network(&ends);
            let index = EdgeIndex::in_trees_of(&network, edges_per_tree);
            let point = Place::new(106.5 + at.0, 29.5 + at.1).unwrap().ecef_m();
            let found: Vec<(f64, u32)> =
                index.nearest_first(&point).map(|piece| (piece.distance_2(&point), piece.edge)).collect();
            let mut sorted = found.clone();
            sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
            prop_assert_eq!(found.len(), ends.len() - 1);
            prop_assert!(found.iter().zip(&sorted).all(|(a, b)| a.0.total_cmp(&b.0).is_eq()));
        }
    }
}
