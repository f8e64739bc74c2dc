//! The drawn line of an edge, and parts of it by share of its length.

use super::graph::Network;
use crate::model::place::Place;

/// The line of one edge.
#[derive(Debug, Clone)]
pub struct Line<'a> {
    /// Its vertices.
    pub place: &'a [Place],
    /// How far along each vertex is, 0..1.
    pub share: Vec<f64>,
}

impl<'a> Line<'a> {
    /// The line of an edge.
    pub fn of(network: &'a Network, edge: usize) -> Self {
        let place = network.vertices_of(edge);
        let mut share = vec![0.0];
        for piece_m in network.piece_lengths_m(edge) {
            share.push(share[share.len() - 1] + piece_m);
        }
        let drawn_m = share[share.len() - 1];
        let last = place.len() - 1;
        for (number, along_m) in share.iter_mut().enumerate() {
            // A lift is drawn as a point; its two ends are still its ends.
            *along_m = if drawn_m > 0.0 { *along_m / drawn_m } else { number as f64 / last.max(1) as f64 };
        }
        Self { place, share }
    }

    /// The place at a share of the length.
    pub fn at(&self, share: f64) -> Place {
        let (first, into) = self.piece(share);
        self.place[first].towards(self.place[first + 1], into)
    }

    /// Shares of a part: its start, the vertices between, its end. The part may run against the line.
    pub fn stops(&self, from: f64, to: f64) -> Vec<f64> {
        let inside = |share: &&f64| **share > from.min(to) && **share < from.max(to);
        let mut stops: Vec<f64> = self.share.iter().filter(inside).copied().collect();
        if to < from {
            stops.reverse();
        }
        stops.insert(0, from);
        stops.push(to);
        stops
    }

    /// Where a share lies: the piece (by its first vertex), and how far along it.
    pub fn piece(&self, share: f64) -> (usize, f64) {
        let after = self.share.partition_point(|&vertex| vertex <= share);
        let first = after.clamp(1, self.share.len() - 1) - 1;
        let width = self.share[first + 1] - self.share[first];
        (first, if width > 0.0 { ((share - self.share[first]) / width).clamp(0.0, 1.0) } else { 0.0 })
    }
}
