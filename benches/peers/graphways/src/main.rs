//! The graphways crate on the same questions: `graphways-peer pairs CITY` (all pairs within 15 minutes, its bounded search
//! from every facility) and `graphways-peer isochrones EXTRACT LON LAT` (10, 20 and 30 minutes on foot).

use graphways::graph::{SpatialGraph, XmlNode, XmlWay};
use graphways::overpass::NetworkType;
use graphways::reachability::compute_reachability;
use petgraph::graph::{DiGraph, NodeIndex};
use std::path::Path;
use std::time::Instant;

const CUTOFF_DS: f64 = 9000.0;

fn numbers(path: &Path) -> Vec<u32> {
    let bytes = std::fs::read(path).expect("city.py has made the city");
    bytes.chunks_exact(4).map(|four| u32::from_le_bytes(four.try_into().expect("four bytes"))).collect()
}

/// The city's graph against the walk, times in tenths of a second.
fn graph(city: &Path) -> DiGraph<XmlNode, XmlWay> {
    let arcs = numbers(&city.join("arcs.u32"));
    let nodes = arcs.chunks_exact(3).map(|arc| arc[0].max(arc[1])).max().unwrap_or(0) + 1;
    let mut graph = DiGraph::new();
    for id in 0..nodes {
        graph.add_node(XmlNode { id: i64::from(id), lat: 0.0, lon: 0.0, tags: vec![] });
    }
    for arc in arcs.chunks_exact(3) {
        let way = XmlWay {
            id: 0, nodes: vec![], tags: vec![], length: 0.0, speed_kph: 0.0, walk_travel_time: f64::from(arc[2]),
            bike_travel_time: 0.0, drive_travel_time: 0.0, geometry: vec![],
        };
        graph.add_edge(NodeIndex::new(arc[1] as usize), NodeIndex::new(arc[0] as usize), way);
    }
    graph
}

fn pairs(city: &Path) {
    let start = Instant::now();
    let graph = graph(city);
    let ready_s = start.elapsed().as_secs_f64();
    let start = Instant::now();
    let (mut pairs, mut time_ds) = (0_u64, 0.0);
    for door in numbers(&city.join("doors.u32")) {
        let found = compute_reachability(&graph, NodeIndex::new(door as usize), CUTOFF_DS, NetworkType::Walk);
        pairs += found.distances.len() as u64;
        time_ds += found.distances.values().sum::<f64>();
    }
    let query_s = start.elapsed().as_secs_f64();
    println!(
        "{{\"peer\": \"graphways\", \"job\": \"J3\", \"nodes\": {}, \"share\": 1.0, \"ready_s\": {ready_s:.3}, \"ready_cpu_s\": {ready_s:.3}, \"query_s\": {query_s:.3}, \"query_cpu_s\": {query_s:.3}, \"answer\": {{\"pairs\": {pairs}, \"time_ds\": {time_ds:.0}}}}}",
        graph.node_count()
    );
}

fn isochrones(extract: &str, lon: f64, lat: f64) {
    let start = Instant::now();
    let graph = SpatialGraph::from_pbf(extract, NetworkType::Walk, None).expect("an extract");
    let ready_s = start.elapsed().as_secs_f64();
    let mut all: Vec<f64> = (0..21)
        .map(|_| {
            let start = Instant::now();
            let shapes = graph.isochrones(lat, lon, vec![600.0, 1200.0, 1800.0], NetworkType::Walk, None);
            assert!(shapes.is_some_and(|shapes| shapes.len() == 3));
            start.elapsed().as_secs_f64()
        })
        .collect();
    all.sort_by(f64::total_cmp);
    println!(
        "{{\"peer\": \"graphways\", \"job\": \"J4\", \"nodes\": {}, \"ready_s\": {ready_s:.3}, \"query_s\": {:.5}}}",
        graph.graph.node_count(),
        all[all.len() / 2]
    );
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["pairs", city] => pairs(Path::new(city)),
        ["isochrones", extract, lon, lat] => {
            isochrones(extract, lon.parse().expect("degrees"), lat.parse().expect("degrees"));
        }
        _ => panic!("graphways-peer pairs CITY | isochrones EXTRACT LON LAT"),
    }
}
