//! Places joined to the nearest walkable point of an edge.

use super::edge_index::{EdgeIndex, Piece};
use super::graph::{CLOSED, Network};
use super::weight::EdgeTimes;
use crate::model::error::Result;
use crate::model::level::Level;
use crate::model::place::{Place, Spot, chord_m};
use crate::model::profile::Profile;
use crate::model::progress::Progress;
use rayon::prelude::*;
use rstar::PointDistance;
use std::collections::BTreeSet;

/// Two streets whose distances differ by less than this are equally near (metres); the lower edge number wins, so
/// that the answer does not hang on the shape of a search tree.
const EQUALLY_NEAR_M: f64 = 1e-3;

/// A floor is looked for so far from a place on it, metres (own default: across a shopping centre, not to the next one).
const FLOOR_M: f64 = 50.0;

/// A street behind a wall is passed over for one that is at most so much farther (metres): people go out where they can,
/// but fences are mapped without their garden gates too often to send them round the block (own default).
const ROUND_A_WALL_M: f64 = 50.0;

/// Where a place is joined. In an edited network: to which street of its baseline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Anchor {
    /// Number of the edge.
    pub edge: u32,
    /// How far along the edge, 0..1 of its length.
    pub share: f64,
    /// Distance between the place and the edge, metres.
    pub away_m: f64,
}

impl EdgeIndex {
    /// A place on a floor joins its floor where a way of it is near; every other place, and one in a building whose floors
    /// nobody has drawn, joins the street.
    fn join(&self, network: &Network, joining: &Joining<'_>, spot: Spot) -> Snap {
        let edges = &network.edges;
        let usable = |edge: usize| {
            let open = joining.times.forward_ds[edge] != CLOSED || joining.times.backward_ds[edge] != CLOSED;
            let closed = joining.closed.is_some_and(|closed| closed.contains(&(edge as u32)));
            open && !closed
                && !(joining.public && edges.residents[edge])
                && (joining.islands || !edges.island[edge])
        };
        if let Some(level) = spot.level.filter(|level| *level != Level::GROUND) {
            let on_floor = |edge: usize| usable(edge) && edges.level[edge] == Some(level);
            let snap = self.nearest(network, on_floor, spot.place, joining.limit_m.min(FLOOR_M));
            if snap.anchor.is_some() {
                return snap;
            }
        }
        self.nearest(network, |edge| usable(edge) && edges.joinable[edge], spot.place, joining.limit_m)
    }

    /// The nearest usable edge within `limit_m`, and the distance to the nearest at all (to tell how far it is).
    fn nearest(&self, network: &Network, usable: impl Fn(usize) -> bool, place: Place, limit_m: f64) -> Snap {
        let point = place.ecef_m();
        let from_near = || {
            let usable = |piece: &&Piece| usable(piece.edge as usize);
            self.nearest_first(&point).filter(usable).map(|piece| (piece, piece.distance_2(&point).sqrt()))
        };
        let Some((least_m, first, away_m)) = equally_near(from_near()) else {
            return Snap { anchor: None, nearest_m: None };
        };
        if least_m > limit_m {
            return Snap { anchor: None, nearest_m: Some(least_m) };
        }
        let is_free = |piece: &Piece| {
            let ends = &network.vertices_of(piece.edge as usize)[piece.number as usize..];
            !self.walls.between(place, ends[0].towards(ends[1], piece.nearest_share(&point)))
        };
        if is_free(first) {
            return anchored(network, first, &point, away_m);
        }
        let farthest_m = limit_m.min(least_m + ROUND_A_WALL_M);
        let beside = from_near().take_while(|(_, away_m)| *away_m <= farthest_m);
        let free = equally_near(beside.filter(|(piece, _)| is_free(piece)));
        let (_, piece, away_m) = free.unwrap_or((least_m, first, away_m));
        anchored(network, piece, &point, away_m)
    }
}

/// The least distance, and of the pieces that are equally near the lowest with its own: trees have no order among them.
fn equally_near<'a>(from_near: impl Iterator<Item = (&'a Piece, f64)>) -> Option<(f64, &'a Piece, f64)> {
    let mut from_near = from_near.peekable();
    let &(_, least_m) = from_near.peek()?;
    let near = from_near.take_while(|(_, away_m)| *away_m < least_m + EQUALLY_NEAR_M);
    let (piece, away_m) = near.min_by_key(|(piece, _)| (piece.edge, piece.number))?;
    Some((least_m, piece, away_m))
}

fn anchored(network: &Network, piece: &Piece, point: &[f64; 3], away_m: f64) -> Snap {
    let share = share_along(network, piece, piece.nearest_share(point));
    Snap { anchor: Some(Anchor { edge: piece.edge, share, away_m }), nearest_m: Some(away_m) }
}

/// What came of joining a place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Snap {
    /// Where it is joined; `None` when no street is near enough.
    pub anchor: Option<Anchor>,
    /// Distance to the nearest street; `None` when there is no street at all.
    pub nearest_m: Option<f64>,
}

/// Who is joined to what.
#[derive(Debug, Clone, Copy)]
pub struct Joining<'a> {
    /// Times of the edges, which tell the ways that can be used.
    pub times: &'a EdgeTimes,
    /// Edges that edits close, where the times do not tell.
    pub closed: Option<&'a BTreeSet<u32>>,
    /// Farthest that a place is joined, metres.
    pub limit_m: f64,
    /// Only ways that everybody may use.
    pub public: bool,
    /// Islands too, which are otherwise passed over as drawing faults.
    pub islands: bool,
}

/// Farthest that a place is joined for a profile, metres.
pub fn limit_m(network: &Network, profile: &Profile) -> f64 {
    profile.max_snap_m.unwrap_or(network.origin.max_snap_m)
}

/// Join places to the streets that somebody with these times can use.
///
/// # Errors
/// [`crate::model::error::Error::Cancelled`] when the user stopped.
pub fn snap(
    network: &Network,
    joining: Joining<'_>,
    spots: &[impl Into<Spot> + Copy + Sync],
    progress: &Progress,
) -> Result<Vec<Snap>> {
    let (network, index) = (network.ground(), network.index());
    let joined: Vec<Vec<Snap>> = spots
        .par_chunks(256)
        .map(|chunk| {
            progress.step(chunk.len())?;
            Ok(chunk.iter().map(|&spot| index.join(network, &joining, spot.into())).collect())
        })
        .collect::<Result<_>>()?;
    Ok(joined.concat())
}

/// Where the end of a new link is joined: the nearest street that everybody may use, of islands too, which a link may be there
/// to join; a private way where no other is near enough.
pub fn attach(network: &Network, place: Place, closed: &BTreeSet<u32>, limit_m: f64) -> Snap {
    let (ground, edges) = (network.ground(), &network.ground().edges);
    let usable = |edge: usize| edges.kind[edge].has_doors() && !closed.contains(&(edge as u32));
    let public =
        ground.index().nearest(ground, |edge| usable(edge) && !edges.residents[edge], place, limit_m);
    if public.anchor.is_some() { public } else { ground.index().nearest(ground, usable, place, limit_m) }
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
