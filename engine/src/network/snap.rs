//! Places joined to the nearest walkable point of an edge.

use super::graph::{CLOSED, Network};
use super::weight::EdgeTimes;
use crate::model::error::Result;
use crate::model::place::{Place, chord_m};
use crate::model::progress::Progress;
use rayon::prelude::*;
use rstar::{AABB, PointDistance, RTree, RTreeObject};

/// Two streets whose distances differ by less than this are equally near (metres); the lower edge number wins, so
/// that the answer does not hang on the shape of a search tree.
const EQUALLY_NEAR_M: f64 = 1e-3;

/// Where a place is joined.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Anchor {
    /// Number of the edge.
    pub edge: u32,
    /// How far along the edge, 0..1 of its length.
    pub share: f64,
    /// Distance between the place and the edge, metres.
    pub away_m: f64,
}

/// The straight pieces of all edges that doors may open onto, in a search tree of earth-centred space.
#[derive(Debug)]
pub struct EdgeIndex {
    tree: RTree<Piece>,
}

/// One straight piece of an edge.
#[derive(Debug, Clone, Copy)]
struct Piece {
    edge: u32,
    number: u32,
    start: [f64; 3],
    end: [f64; 3],
}

impl Piece {
    /// Share of the piece at which it is nearest to a point.
    fn nearest_share(&self, point: &[f64; 3]) -> f64 {
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

impl EdgeIndex {
    /// Index a network.
    pub(super) fn build(network: &Network) -> Self {
        let edges = &network.edges;
        let joinable =
            |edge: &usize| edges.kind[*edge].has_doors() && !edges.off_ground[*edge] && !edges.island[*edge];
        let pieces = (0..network.edge_count()).filter(joinable).flat_map(|edge| {
            let places = &network.vertices.place[network.vertices_of(edge)];
            (0..).zip(places.windows(2)).map(move |(number, ends)| Piece {
                edge: edge as u32,
                number,
                start: ends[0].ecef_m(),
                end: ends[1].ecef_m(),
            })
        });
        Self { tree: RTree::bulk_load(pieces.collect()) }
    }

    /// The nearest usable edge within `limit_m`, and the distance to the nearest at all (to tell how far it is).
    fn nearest(&self, network: &Network, times: &EdgeTimes, place: Place, limit_m: f64) -> Snap {
        let point = place.ecef_m();
        let usable = |piece: &&Piece| {
            let edge = piece.edge as usize;
            times.forward_ds[edge] != CLOSED || times.backward_ds[edge] != CLOSED
        };
        let mut near = self.tree.nearest_neighbor_iter(&point).filter(usable).map(|piece| {
            let away_m = piece.distance_2(&point).sqrt();
            (away_m, piece)
        });
        let Some((least_m, first)) = near.next() else { return Snap { anchor: None, nearest_m: None } };
        if least_m > limit_m {
            return Snap { anchor: None, nearest_m: Some(least_m) };
        }
        let equally_near = near.take_while(|(away_m, _)| *away_m < least_m + EQUALLY_NEAR_M);
        let (away_m, piece) = std::iter::once((least_m, first))
            .chain(equally_near)
            .min_by_key(|(_, piece)| (piece.edge, piece.number))
            .expect("there is a first");
        let share = share_along(network, piece, piece.nearest_share(&point));
        Snap { anchor: Some(Anchor { edge: piece.edge, share, away_m }), nearest_m: Some(away_m) }
    }
}

/// What came of joining a place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Snap {
    /// Where it is joined; `None` when no street is near enough.
    pub anchor: Option<Anchor>,
    /// Distance to the nearest street; `None` when there is no street at all.
    pub nearest_m: Option<f64>,
}

/// Join places to the streets that somebody with these times can use.
///
/// # Errors
/// [`crate::model::error::Error::Cancelled`] when the user stopped.
pub fn snap(
    network: &Network,
    times: &EdgeTimes,
    places: &[Place],
    progress: &Progress,
) -> Result<Vec<Snap>> {
    let index = network.index();
    let joined: Vec<Vec<Snap>> = places
        .par_chunks(256)
        .map(|chunk| {
            progress.step(chunk.len())?;
            Ok(chunk.iter().map(|&place| index.nearest(network, times, place, network.max_snap_m)).collect())
        })
        .collect::<Result<_>>()?;
    Ok(joined.concat())
}

/// Share of an edge's drawn length at a share of one of its pieces.
fn share_along(network: &Network, piece: &Piece, share: f64) -> f64 {
    let (mut before_m, mut whole_m) = (0.0, 0.0);
    for (number, length_m) in (0..).zip(network.piece_lengths_m(piece.edge as usize)) {
        before_m += if number < piece.number { length_m } else { 0.0 };
        whole_m += length_m;
    }
    let into_m = chord_m(piece.start, piece.end) * share;
    if whole_m > 0.0 { ((before_m + into_m) / whole_m).clamp(0.0, 1.0) } else { 0.0 }
}
