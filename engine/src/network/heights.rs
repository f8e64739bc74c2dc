//! Heights along edges: from the terrain, from tags where they agree with it, straight where the terrain is not the way.

use super::components::joined;
use super::graph::{Edges, Flight, HeightSource, Heights, SAMPLE_M};
use crate::model::elevation::Elevation;
use crate::model::error::Result;
use crate::model::place::Place;
use crate::model::progress::Progress;
use crate::model::street::{Incline, Walkway, WayKind};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Height of a step of outdoor stairs (own default; building codes allow 0.15 to 0.18 m).
const STEP_M: f32 = 0.16;
/// Height of a storey between two levels (own default; between a home's 3 m and a station's 5 m).
pub const STOREY_M: f32 = 3.5;
/// Stairs climb one metre on two as a rule (CJJ 69-95 allows footbridges no more), and never more than about 35 degrees.
const USUAL_STAIRS: f32 = 0.5;
/// Rise over run that no stairs exceed.
pub const STEEPEST_STAIRS: f32 = 0.7;
/// A terrain model smears stairs out: what it says is believed from here on (own default).
const GENTLEST_STAIRS: f32 = 0.2;
/// A climb of less than this over a flight says nothing about which end is higher.
const LEVEL_RISE_M: f32 = 0.5;
/// A tag may differ so much from the terrain model, which is a few metres off itself (GLO-30: 4 m at 90 %).
const AGREES_M: f32 = 5.0;
/// Steeper ways than this are stairs or slips of the pen.
const STEEPEST_TAG: f32 = 0.577;
/// How much a guess about stairs counts beside what is known (own default).
const GUESS_WEIGHT: f32 = 0.1;
/// Sweeps of the balance of heights on bridges and underground; each is finished long before.
const SWEEPS: usize = 5000;
const SETTLED_M: f32 = 0.0001;

/// What heights are made from.
pub struct Sources<'a> {
    /// The edges.
    pub edges: &'a Edges,
    /// Where the nodes are.
    pub node_place: &'a [Place],
    /// Heights that the source states for nodes.
    pub node_ele_m: &'a [Option<f32>],
    /// What the tags say of each edge's way.
    pub ways: &'a [&'a Walkway],
    /// How much of its way each edge is.
    pub way_share: &'a [f64],
    /// Whether stairs climb from first to second node by the floors at their ends, where these say.
    pub floor_climbs: &'a BTreeMap<usize, bool>,
    /// The terrain.
    pub elevation: &'a Elevation,
}

/// Heights, stairs, and tags that were not believed.
pub struct Found {
    /// Heights along all edges.
    pub heights: Heights,
    /// Stairs, by edge.
    pub flights: Vec<Flight>,
    /// Edges whose tags of height or steepness contradict the terrain or themselves.
    pub not_believed: Vec<u32>,
}

/// The heights of one edge.
struct Profile {
    samples: Vec<f32>,
    source: HeightSource,
    not_believed: bool,
}

impl Sources<'_> {
    /// Find all heights.
    pub fn find(&self, progress: &Progress) -> Result<Found> {
        let grounded = self.grounded();
        let layer = self.layers(&grounded);
        let node_m = self.node_heights(&grounded, &layer, progress)?;
        let flights = self.flights(&node_m, &layer);
        let mut found = Found { heights: Heights::default(), flights, not_believed: vec![] };
        found.heights.first.push(0);
        let edges: Vec<usize> = (0..self.edges.from.len()).collect();
        // Pieces in order, so that the columns do not depend on the number of threads.
        for piece in edges.chunks(1 << 16) {
            let profiles: Vec<Profile> = piece
                .par_chunks(256)
                .map(|chunk| {
                    progress.check()?;
                    Ok(chunk
                        .iter()
                        .map(|&edge| self.profile(edge, &node_m, &found.flights))
                        .collect::<Vec<_>>())
                })
                .collect::<Result<Vec<_>>>()?
                .into_iter()
                .flatten()
                .collect();
            for (&edge, profile) in piece.iter().zip(profiles) {
                found.heights.push(&profile.samples, profile.source);
                found.not_believed.extend(profile.not_believed.then_some(edge as u32));
            }
        }
        Ok(found)
    }

    fn ends(&self, edge: usize) -> (usize, usize) {
        (self.edges.from[edge] as usize, self.edges.to[edge] as usize)
    }

    /// Heights of all nodes: the terrain where the ground is walked, balanced between its neighbours elsewhere.
    fn node_heights(&self, grounded: &[bool], layer: &[i8], progress: &Progress) -> Result<Vec<f32>> {
        let sampled: Vec<Vec<f32>> = (0..self.node_place.len())
            .into_par_iter()
            .chunks(1 << 12)
            .map(|nodes| {
                progress.check()?;
                let height = |node: usize| {
                    if grounded[node] { self.elevation.sample_m(self.node_place[node]) } else { None }
                };
                Ok(nodes.into_iter().map(|node| height(node).unwrap_or(f32::NAN)).collect())
            })
            .collect::<Result<_>>()?;
        let mut node_m = sampled.concat();
        self.balance(grounded, layer, &mut node_m, progress)?;
        Ok(node_m)
    }

    /// Nodes at which the terrain is the way: some way on the ground is walked there, or nothing but stairs on the ground.
    pub fn grounded(&self) -> Vec<bool> {
        let count = self.node_place.len();
        let (mut street, mut stairs, mut off) = (vec![false; count], vec![false; count], vec![false; count]);
        for edge in 0..self.edges.from.len() {
            let (from, to) = self.ends(edge);
            let kind = self.edges.kind[edge];
            let marked = match (self.ways[edge].on_ground, kind) {
                (_, kind) if kind.is_ridden() => continue,
                (false, _) => &mut off,
                (true, WayKind::Steps) => &mut stairs,
                (true, _) => &mut street,
            };
            marked[from] = true;
            marked[to] = true;
        }
        (0..count).map(|node| street[node] || stairs[node] && !off[node]).collect()
    }

    /// Nodes on bridges, underground and between floors: as high as their neighbours, near ones more; stairs whose rise is
    /// tagged lift one end above the other. Each bridge by itself, so that its heights do not depend on what else there is.
    fn balance(
        &self,
        grounded: &[bool],
        layer: &[i8],
        node_m: &mut [f32],
        progress: &Progress,
    ) -> Result<()> {
        let mut pulls: Vec<Pulls> = vec![vec![]; node_m.len()];
        for edge in 0..self.edges.from.len() {
            let (from, to) = self.ends(edge);
            if self.edges.kind[edge].is_ridden() || grounded[from] && grounded[to] {
                continue;
            }
            let mut weight = 1.0 / self.edges.length_m[edge].max(1.0) as f32;
            let rise_m = match self.tagged_rise_m(edge) {
                Some(rise_m) => rise_m,
                // Stairs of unknown rise are as steep as usual, up to a bridge and down to a tunnel; this says less
                // than what is tagged or level.
                None if self.edges.kind[edge] == WayKind::Steps => {
                    weight *= GUESS_WEIGHT;
                    let towards = f32::from((layer[to] - layer[from]).signum());
                    towards * USUAL_STAIRS * self.edges.length_m[edge] as f32
                }
                None => 0.0,
            };
            pulls[from].push((to, weight, -rise_m));
            pulls[to].push((from, weight, rise_m));
        }
        for group in free_groups(self.edges, grounded, &pulls) {
            settle(&group, &pulls, node_m, progress)?;
        }
        Ok(())
    }

    /// Above or below the ground: nodes of bridges and tunnels; 0 where the ground is walked.
    fn layers(&self, grounded: &[bool]) -> Vec<i8> {
        let mut layer = vec![0; grounded.len()];
        for edge in (0..self.edges.from.len()).filter(|&edge| self.edges.kind[edge] != WayKind::Steps) {
            let (from, to) = self.ends(edge);
            for node in [from, to] {
                if !grounded[node] && layer[node] == 0 {
                    layer[node] = self.ways[edge].layer.clamp(-50, 50);
                }
            }
        }
        layer
    }

    /// Rise of stairs from first to second node, as their tags say it with its sign.
    fn tagged_rise_m(&self, edge: usize) -> Option<f32> {
        let (size_m, _) = self.stated_stairs_m(edge)?;
        let climbs = self.ways[edge].incline.climbs().or(self.floor_climbs.get(&edge).copied())?;
        Some(if climbs { size_m } else { -size_m })
    }

    /// How high the stairs of an edge are by their tags: steps, steepness, floors, in this order.
    fn stated_stairs_m(&self, edge: usize) -> Option<(f32, HeightSource)> {
        if self.edges.kind[edge] != WayKind::Steps {
            return None;
        }
        let (way, share) = (self.ways[edge], self.way_share[edge] as f32);
        let steps = way.stairs.step_count.map(|count| f32::from(count) * STEP_M * share);
        let grade = || match way.incline {
            Incline::Grade(grade) if grade.abs() > 0.05 => {
                Some(grade.abs().min(STEEPEST_STAIRS) * self.edges.length_m[edge] as f32)
            }
            _ => None,
        };
        let floors = || match way.levels.as_slice() {
            [low, .., high] => Some(low.floors_to(*high) * STOREY_M * share),
            _ => None,
        };
        steps.or_else(grade).or_else(floors).map(|rise_m| (rise_m, HeightSource::Tagged))
    }

    /// The stairs among the edges.
    fn flights(&self, node_m: &[f32], layer: &[i8]) -> Vec<Flight> {
        let steps = (0..self.edges.from.len()).filter(|&edge| self.edges.kind[edge] == WayKind::Steps);
        let mut flights: Vec<Flight> = steps.map(|edge| self.flight(edge, node_m, layer)).collect();
        add_up(self.edges, &mut flights);
        flights
    }

    fn flight(&self, edge: usize, node_m: &[f32], layer: &[i8]) -> Flight {
        let way = self.ways[edge];
        let length_m = self.edges.length_m[edge] as f32;
        let (from, to) = self.ends(edge);
        let by_terrain_m = node_m[to] - node_m[from];
        let by_terrain = (by_terrain_m.abs() >= LEVEL_RISE_M).then_some(by_terrain_m > 0.0);
        let by_layer = (layer[from] != layer[to]).then_some(layer[to] > layer[from]);
        let by_floor = self.floor_climbs.get(&edge).copied();
        let climbs = way.incline.climbs().or(by_floor).or(by_layer).or(by_terrain);
        let (rise_m, stairs_m) = match self.stated_stairs_m(edge) {
            // Stairs that are told to be higher than their length allows are longer than they are drawn; those told to
            // be lower have landings.
            Some((rise_m, _)) => {
                (rise_m, (rise_m / USUAL_STAIRS).min(length_m).max(rise_m / STEEPEST_STAIRS))
            }
            None if by_terrain_m.is_finite() => {
                (by_terrain_m.abs().clamp(GENTLEST_STAIRS * length_m, STEEPEST_STAIRS * length_m), length_m)
            }
            None => (USUAL_STAIRS * length_m, length_m),
        };
        Flight {
            edge: edge as u32,
            rise_m,
            stairs_m,
            height_m: rise_m,
            climbs,
            wheelchair_ramp: way.stairs.wheelchair_ramp,
            stroller_ramp: way.stairs.stroller_ramp,
            handrail: way.stairs.handrail,
        }
    }

    fn profile(&self, edge: usize, node_m: &[f32], flights: &[Flight]) -> Profile {
        let (from, to) = self.ends(edge);
        let (start_m, end_m) = (node_m[from], node_m[to]);
        let kind = self.edges.kind[edge];
        if kind == WayKind::Steps {
            return self.stairs_profile(edge, node_m, flights);
        }
        if kind.is_ridden() {
            return Profile::straight(start_m, end_m, HeightSource::Interpolated);
        }
        let terrain = if self.ways[edge].on_ground {
            self.sampled(edge, start_m, end_m)
        } else {
            Profile::straight(start_m, end_m, HeightSource::Interpolated)
        };
        self.with_tags(edge, terrain)
    }

    fn stairs_profile(&self, edge: usize, node_m: &[f32], flights: &[Flight]) -> Profile {
        let at =
            flights.binary_search_by_key(&(edge as u32), |flight| flight.edge).expect("stairs have a flight");
        let flight = &flights[at];
        let (from, to) = self.ends(edge);
        let by_terrain = node_m[from].is_finite() && node_m[to].is_finite();
        let source = match self.stated_stairs_m(edge) {
            Some((_, source)) => source,
            None if by_terrain && self.ways[edge].on_ground => HeightSource::Sampled,
            None if by_terrain => HeightSource::Interpolated,
            None => HeightSource::Usual,
        };
        let Some(climbs) = flight.climbs else { return Profile::unknown() };
        let start_m = if node_m[from].is_finite() { node_m[from] } else { 0.0 };
        let rise_m = if climbs { flight.rise_m } else { -flight.rise_m };
        Profile::straight(start_m, start_m + rise_m, source)
    }

    /// Terrain heights at evenly spaced points; voids between known ones run straight.
    fn sampled(&self, edge: usize, start_m: f32, end_m: f32) -> Profile {
        let places = &self.edges.vertices[self.edges.vertices_of(edge)];
        let pieces = (self.edges.length_m[edge] / SAMPLE_M).ceil().max(1.0) as usize;
        let inner = evenly_spaced(places, pieces);
        let mut samples = vec![start_m];
        samples.extend(inner.into_iter().map(|place| self.elevation.sample_m(place).unwrap_or(f32::NAN)));
        samples.push(end_m);
        if bridge_gaps(&mut samples) {
            Profile { samples, source: HeightSource::Sampled, not_believed: false }
        } else {
            Profile::unknown()
        }
    }

    /// Tags win where they agree with the terrain, or where there is none: heights of both ends, else steepness.
    fn with_tags(&self, edge: usize, terrain: Profile) -> Profile {
        let length_m = self.edges.length_m[edge] as f32;
        let (from, to) = self.ends(edge);
        let by_heights = match (self.node_ele_m[from], self.node_ele_m[to]) {
            (Some(start_m), Some(end_m)) => Some(end_m - start_m),
            _ => None,
        };
        let by_grade = match self.ways[edge].incline {
            Incline::Grade(grade) => Some(grade * length_m),
            _ => None,
        };
        let Some(rise_m) = by_heights.or(by_grade) else { return terrain };
        let known = terrain.samples.first().zip(terrain.samples.last()).map(|(start, end)| end - start);
        let agrees = known.is_none_or(|known| (known - rise_m).abs() <= AGREES_M);
        if !agrees || rise_m.abs() > STEEPEST_TAG * length_m {
            return Profile { not_believed: true, ..terrain };
        }
        let start_m = terrain.samples.first().copied().or(self.node_ele_m[from]).unwrap_or(0.0);
        Profile::straight(start_m, start_m + rise_m, HeightSource::Tagged)
    }
}

/// What holds a node: the other node, how much it counts, and how much higher the node is meant to be.
type Pulls = Vec<(usize, f32, f32)>;

/// The nodes off the ground that hang together, in the order of the nodes.
fn free_groups(edges: &Edges, grounded: &[bool], pulls: &[Pulls]) -> Vec<Vec<usize>> {
    let off_the_ground = |edge: &usize| {
        let ends = [edges.from[*edge], edges.to[*edge]];
        !edges.kind[*edge].is_ridden() && ends.iter().all(|&end| !grounded[end as usize])
    };
    let free = (0..edges.from.len()).filter(off_the_ground);
    let group = joined(grounded.len(), free.map(|edge| (edges.from[edge], edges.to[edge])));
    let mut nodes: Vec<usize> =
        (0..grounded.len()).filter(|&node| !grounded[node] && !pulls[node].is_empty()).collect();
    nodes.sort_by_key(|&node| group[node]);
    nodes.chunk_by(|&a, &b| group[a] == group[b]).map(<[usize]>::to_vec).collect()
}

/// Gauss and Seidel's sweeps over a group until it is quiet.
fn settle(group: &[usize], pulls: &[Pulls], node_m: &mut [f32], progress: &Progress) -> Result<()> {
    for _ in 0..SWEEPS {
        progress.check()?;
        let mut moved_m: f32 = 0.0;
        for &node in group {
            let (mut sum, mut weights) = (0.0, 0.0);
            for &(other, weight, higher_m) in
                pulls[node].iter().filter(|(other, ..)| node_m[*other].is_finite())
            {
                sum += weight * (node_m[other] + higher_m);
                weights += weight;
            }
            if weights > 0.0 {
                let balanced = sum / weights;
                let before = node_m[node];
                moved_m = moved_m.max(if before.is_finite() { (balanced - before).abs() } else { f32::MAX });
                node_m[node] = balanced;
            }
        }
        if moved_m < SETTLED_M {
            break;
        }
    }
    Ok(())
}

impl Profile {
    fn unknown() -> Self {
        Self { samples: vec![], source: HeightSource::Unknown, not_believed: false }
    }

    fn straight(start_m: f32, end_m: f32, source: HeightSource) -> Self {
        if start_m.is_finite() && end_m.is_finite() {
            Self { samples: vec![start_m, end_m], source, not_believed: false }
        } else {
            Self::unknown()
        }
    }
}

/// The stairs of a survey, whose heights are those of its nodes: as high as these say, else as steep as usual.
pub fn surveyed_flights(edges: &Edges, heights: &Heights) -> Vec<Flight> {
    let steps = (0..edges.from.len()).filter(|&edge| edges.kind[edge] == WayKind::Steps);
    let flight = |edge: usize| {
        let length_m = edges.length_m[edge] as f32;
        let rise_m = match heights.of(edge) {
            [start_m, .., end_m] => Some(end_m - start_m),
            _ => None,
        };
        let size_m = rise_m.map_or(USUAL_STAIRS * length_m, f32::abs);
        Flight {
            edge: edge as u32,
            rise_m: size_m,
            stairs_m: length_m,
            height_m: size_m,
            climbs: rise_m.filter(|rise_m| rise_m.abs() >= LEVEL_RISE_M).map(|rise_m| rise_m > 0.0),
            wheelchair_ramp: false,
            stroller_ramp: false,
            handrail: None,
        }
    };
    let mut flights: Vec<Flight> = steps.map(flight).collect();
    add_up(edges, &mut flights);
    flights
}

/// Stairs that follow one another without a way off between them are one climb: each learns the height of all.
fn add_up(edges: &Edges, flights: &mut [Flight]) {
    let mut at_node: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (at, flight) in flights.iter().enumerate() {
        let edge = flight.edge as usize;
        for node in [edges.from[edge], edges.to[edge]] {
            at_node.entry(node).or_default().push(at);
        }
    }
    let mut group: Vec<usize> = (0..flights.len()).collect();
    for pair in at_node.values().filter(|touching| touching.len() == 2) {
        let (a, b) = (root(&mut group, pair[0]), root(&mut group, pair[1]));
        group[a.max(b)] = a.min(b);
    }
    let mut height_m = vec![0.0; flights.len()];
    for at in 0..flights.len() {
        height_m[root(&mut group, at)] += flights[at].rise_m;
    }
    for at in 0..flights.len() {
        flights[at].height_m = height_m[root(&mut group, at)];
    }
}

fn root(group: &mut [usize], mut at: usize) -> usize {
    while group[at] != at {
        group[at] = group[group[at]];
        at = group[at];
    }
    at
}

/// The points that cut a line into so many pieces of one length, without its ends.
fn evenly_spaced(places: &[Place], pieces: usize) -> Vec<Place> {
    let lengths: Vec<f64> = places.windows(2).map(|pair| pair[0].distance_m(pair[1])).collect();
    let piece_m = lengths.iter().sum::<f64>() / pieces as f64;
    let mut points = Vec::with_capacity(pieces.saturating_sub(1));
    let (mut leg, mut before_m) = (0, 0.0);
    for number in 1..pieces {
        let along_m = piece_m * number as f64;
        while leg + 1 < lengths.len() && before_m + lengths[leg] < along_m {
            before_m += lengths[leg];
            leg += 1;
        }
        let share =
            if lengths[leg] > 0.0 { ((along_m - before_m) / lengths[leg]).clamp(0.0, 1.0) } else { 0.0 };
        points.push(places[leg].towards(places[leg + 1], share));
    }
    points
}

/// Replace unknown samples: straight between known ones, level beyond the last. False when none is known.
fn bridge_gaps(samples: &mut [f32]) -> bool {
    let known: Vec<usize> = (0..samples.len()).filter(|&at| samples[at].is_finite()).collect();
    let (Some(&first), Some(&last)) = (known.first(), known.last()) else { return false };
    for at in 0..first {
        samples[at] = samples[first];
    }
    for at in last + 1..samples.len() {
        samples[at] = samples[last];
    }
    for gap in known.windows(2).filter(|gap| gap[1] > gap[0] + 1) {
        let (start, end) = (gap[0], gap[1]);
        for at in start + 1..end {
            let share = (at - start) as f32 / (end - start) as f32;
            samples[at] = samples[start] + (samples[end] - samples[start]) * share;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_run_straight_and_ends_level() {
        let mut samples = [f32::NAN, 2.0, f32::NAN, f32::NAN, 8.0, f32::NAN];
        assert!(bridge_gaps(&mut samples));
        assert_eq!(samples.map(f32::to_bits), [2.0_f32, 2.0, 4.0, 6.0, 8.0, 8.0].map(f32::to_bits));
        assert!(!bridge_gaps(&mut [f32::NAN, f32::NAN]));
    }

    #[test]
    fn points_are_evenly_spaced_whatever_the_corners() {
        let at = |lon: f64| Place::new(lon, 0.0).expect("in range");
        let line = [at(0.0), at(0.001), at(0.001), at(0.004)];
        let found: Vec<f64> = evenly_spaced(&line, 4).into_iter().map(Place::lon).collect();
        for (found, expected) in found.iter().zip([0.001, 0.002, 0.003]) {
            assert!((found - expected).abs() < 1e-9, "{found} {expected}");
        }
        assert!(evenly_spaced(&line, 1).is_empty());
    }
}
