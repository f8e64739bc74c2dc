//! The part of a network that lies in a region, as a network of its own.

use super::graph::{Edges, Flight, GivenTimes, Heights, Network, Ride, Ways};
use crate::model::finder::{Finder, cells_at};
use crate::model::place::Place;
use crate::model::region::Region;
use rayon::prelude::*;

/// The edges with an end in the region, those that doors may open onto there although both ends are outside, and the walls that
/// pass it: all whole, in the order of the network.
///
/// Every node in the region has all its edges and is as it was; of the nodes outside only the ends of such edges are there,
/// and what else begins at them is not.
pub fn cut(network: &Network, region: &Region) -> Network {
    let edges = &network.edges;
    let kept = edges_in(edges, &network.node_place, region);
    let mut used = vec![false; network.node_count()];
    for &edge in &kept {
        used[edges.from[edge] as usize] = true;
        used[edges.to[edge] as usize] = true;
    }
    let nodes: Vec<usize> = (0..used.len()).filter(|&node| used[node]).collect();
    let mut number = vec![0_u32; used.len()];
    for (new, &node) in (0..).zip(&nodes) {
        number[node] = new;
    }
    let ways = Ways {
        edges: edges_of(network, &kept, &number),
        heights: heights_of(network, &kept),
        flights: flights_of(network, &kept),
        rides: rides_of(network, &kept),
        walls: walls_in(&network.walls, region),
        given: network.given.as_ref().map(|given| GivenTimes {
            forward_ds: kept.iter().map(|&edge| given.forward_ds[edge]).collect(),
            backward_ds: kept.iter().map(|&edge| given.backward_ds[edge]).collect(),
        }),
    };
    Network::new(
        network.node_id.pick(&nodes),
        nodes.iter().map(|&node| network.node_place[node]).collect(),
        network.edge_id.pick(&kept),
        ways,
        network.origin.clone(),
    )
}

/// The edges that a region needs to be whole: for its nodes, and for places that join a street there, wherever its ends are.
pub(super) fn edges_in(edges: &Edges, node_place: &[Place], region: &Region) -> Vec<usize> {
    let blocks = cells_at(node_place, region.resolution());
    let inside: Vec<bool> = blocks.par_iter().map(|&block| region.has(block)).collect();
    let is_kept = |edge: usize, finder: &mut Finder| {
        let ends = [edges.from[edge], edges.to[edge]];
        let line = &edges.vertices[edges.vertices_of(edge)];
        ends.iter().any(|&node| inside[node as usize])
            || edges.has_doors(edge) && region.is_passed_by(line, finder)
    };
    let all: Vec<usize> = (0..edges.from.len()).collect();
    let kept_of = |part: &[usize]| {
        let mut finder = Finder::new(region.resolution());
        part.iter().copied().filter(|&edge| is_kept(edge, &mut finder)).collect::<Vec<_>>()
    };
    all.par_chunks(1 << 15).flat_map_iter(kept_of).collect()
}

fn walls_in(walls: &[[Place; 2]], region: &Region) -> Vec<[Place; 2]> {
    let passing = |part: &[[Place; 2]]| {
        let mut finder = Finder::new(region.resolution());
        part.iter().copied().filter(|wall| region.is_passed_by(&wall[..], &mut finder)).collect::<Vec<_>>()
    };
    walls.par_chunks(1 << 15).flat_map_iter(passing).collect()
}

fn edges_of(network: &Network, kept: &[usize], number: &[u32]) -> Edges {
    let edges = &network.edges;
    let mut cut = Edges { first_vertex: vec![0], ..Edges::default() };
    for &edge in kept {
        cut.from.push(number[edges.from[edge] as usize]);
        cut.to.push(number[edges.to[edge] as usize]);
        cut.length_m.push(edges.length_m[edge]);
        cut.kind.push(edges.kind[edge]);
        cut.directions.push(edges.directions[edge]);
        cut.level.push(edges.level[edge]);
        cut.joinable.push(edges.joinable[edge]);
        cut.residents.push(edges.residents[edge]);
        cut.wheelchair.push(edges.wheelchair[edge]);
        cut.island.push(edges.island[edge]);
        cut.vertices.extend_from_slice(network.vertices_of(edge));
        cut.first_vertex.push(cut.vertices.len() as u32);
    }
    cut
}

fn heights_of(network: &Network, kept: &[usize]) -> Heights {
    let mut cut = Heights { first: vec![0], ..Heights::default() };
    for &edge in kept {
        cut.push(network.heights_of(edge), network.heights.source[edge]);
    }
    cut
}

/// Stairs and rides are sorted by edge, and stay so.
fn flights_of(network: &Network, kept: &[usize]) -> Vec<Flight> {
    let of = |(new, &edge): (u32, &usize)| network.flight(edge).map(|flight| Flight { edge: new, ..*flight });
    (0..).zip(kept).filter_map(of).collect()
}

fn rides_of(network: &Network, kept: &[usize]) -> Vec<Ride> {
    let of = |(new, &edge): (u32, &usize)| network.ride(edge).map(|ride| Ride { edge: new, ..*ride });
    (0..).zip(kept).filter_map(of).collect()
}
