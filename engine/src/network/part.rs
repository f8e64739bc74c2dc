//! The network of a part of a city, bit for bit what the whole city would have there, or what must be seen too.
//!
//! Why it is so: docs/design/2026-11-tiles.md.

use super::build::{Builder, Rules};
use super::components::{ISLAND_M, Pieces};
use super::cut::{cut, edges_in};
use super::gates::Estates;
use super::graph::{Network, ends_by_node};
use super::known::{Known, under};
use crate::io::osm::LeftOut;
use crate::model::elevation::Elevation;
use crate::model::error::Result;
use crate::model::finder::Finder;
use crate::model::place::Place;
use crate::model::problem::{Fault, Problem};
use crate::model::progress::Progress;
use crate::model::region::{Region, cells_along};
use crate::model::street::{Gates, Streets, WayKind};
use h3o::{CellIndex, Resolution};
use rstar::RTree;
use std::collections::{BTreeMap, BTreeSet};

/// A piece of so many metres is taken for a town of its own, which lies behind no gate (own default; where one does, the part
/// is refused).
pub const TOWN_M: f64 = 50_000.0;

/// What is wanted of a part.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// Everything that touches these blocks is there, whole.
    pub seen: &'a Region,
    /// The blocks whose network is wanted, among those seen. What hangs on streets beyond those seen is left out.
    pub kept: &'a Region,
    /// The blocks for which the part answers alone, among those kept.
    pub owned: &'a Region,
    /// Pieces of so many metres lie behind no gate.
    pub town_m: f64,
}

/// Blocks of which not all is known, with those that must be seen too before it is.
pub type Doubts = BTreeMap<CellIndex, BTreeSet<CellIndex>>;

/// What became of a part of the streets.
#[derive(Debug)]
pub enum Part {
    /// Exactly what the whole city has there.
    Network(Box<Kept>),
    /// Blocks that must be seen too: what is wanted hangs on what lies there, and nobody knows how much of it.
    Wants(BTreeSet<CellIndex>),
}

/// The network of a part.
#[derive(Debug)]
pub struct Kept {
    /// The edges that the region needs to be whole. Its origin counts nothing: what is counted adds up over parts below.
    pub network: Network,
    /// The blocks of which all is known, among those that were to be kept.
    pub region: Region,
    /// The others. What is counted below counts only where none of them is owned.
    pub doubts: Doubts,
    /// Edges that begin in the blocks that are owned and whose tags of height or steepness were not believed.
    pub tags_not_believed: u64,
    /// Lifts in the blocks that are owned and to which fewer than two ways come.
    pub lifts_to_nowhere: u64,
    /// Whether a piece of the streets that is no island was seen. The whole must have one, or its longest piece would be none
    /// either: the network holds only if some part has seen one.
    pub mainland: bool,
}

/// Build the network of a part of the streets.
///
/// `streets` are all ways, squares and walls that touch the blocks seen, whole and in the order of the source; there may be
/// others. The network is that of the whole city under two conditions on the whole, which all parts together prove: some part
/// has seen mainland, and none was refused.
///
/// # Errors
/// [`Fault::TwoTowns`] where two pieces of `town_m` or more hang together by gates alone. [`Error::Cancelled`] when the user
/// stopped, [`Error::Internal`] beyond 2³¹ edges or vertices.
///
/// [`Error::Cancelled`]: crate::model::error::Error::Cancelled
/// [`Error::Internal`]: crate::model::error::Error::Internal
pub fn from_part(
    streets: &Streets,
    elevation: &Elevation,
    rules: Rules,
    view: View<'_>,
    progress: &Progress,
) -> Result<Part> {
    let known = Known::new(streets, view.seen);
    let mut builder = Builder::drawn(streets, rules.gates, progress)?;
    builder.beyond = known.beyond(&builder);
    let mut certain = Certain { region: view.kept.clone(), doubts: Doubts::new() };
    let edges = certain.edges(&builder);
    certain.without(known_little(&builder, &known, view.kept, &edges));
    let edges = certain.edges(&builder);
    let mut asking = Asking { known: &known, wants: BTreeSet::new() };

    let estates = builder.estates();
    let held = Held::new(&builder, &known, &estates, view.town_m);
    if rules.gates != Gates::Open {
        held.ask_for_pieces(&builder, &edges, &mut asking)?;
    }
    builder.beyond.nodes = estates.undecided().flatten().copied().collect();
    builder.pass(&estates);
    progress.check()?;

    let reached = asking.heights(&builder, &builder.heights(elevation).grounded(), &edges);
    held.ask_for_gates(&builder, &reached, &mut asking)?;
    progress.check()?;
    let shores = Shores::new(&builder, &known, &held);
    certain.without(shores.doubts(&builder, &edges, view.kept.resolution()));
    shores.ask_for_bridges(&builder, &reached, rules.join_islands_m, &mut asking);
    if !asking.wants.is_empty() {
        return Ok(Part::Wants(asking.wants));
    }
    let mainland = shores.ways_m.iter().any(|&length_m| length_m >= ISLAND_M);
    builder.join_islands(rules.join_islands_m);
    let built = builder.finish(elevation, rules, LeftOut::default(), progress)?;
    let is_owned = |place: Place| view.owned.holds(place);
    let begins = |&edge: &u32| built.network.node_place[built.network.edges.from[edge as usize] as usize];
    let mut network = cut(&built.network, &certain.region);
    network.origin.voids = (0, 0);
    network.origin.tags_not_believed = 0;
    network.origin.lifts_to_nowhere = 0;
    Ok(Part::Network(Box::new(Kept {
        network,
        region: certain.region,
        doubts: certain.doubts,
        tags_not_believed: built.not_believed.iter().filter(|edge| is_owned(begins(edge))).count() as u64,
        lifts_to_nowhere: built.lifts_to_nowhere.iter().filter(|&&place| is_owned(place)).count() as u64,
        mainland,
    })))
}

/// The blocks that are kept, less those of which not all is known.
struct Certain {
    region: Region,
    doubts: Doubts,
}

impl Certain {
    fn edges(&self, builder: &Builder<'_>) -> Vec<u32> {
        let edges = edges_in(&builder.edges, &builder.node_place, &self.region);
        edges.into_iter().map(|edge| edge as u32).collect()
    }

    fn without(&mut self, doubts: Doubts) {
        let rest = self.region.cells().filter(|block| !doubts.contains_key(block));
        self.region = Region::new(self.region.resolution(), rest);
        for (block, lacking) in doubts {
            self.doubts.entry(block).or_default().extend(lacking);
        }
    }
}

/// All is to be known of the street nodes that are kept, of the edges that are needed there, and of squares that may be crossed
/// there: the blocks where it is not.
fn known_little(builder: &Builder<'_>, known: &Known<'_>, kept: &Region, edges: &[u32]) -> Doubts {
    let mut doubts = Doubts::new();
    let mut doubt = |block: CellIndex, lacking: &BTreeSet<CellIndex>| {
        if !lacking.is_empty() {
            doubts.entry(block).or_default().extend(lacking);
        }
    };
    for block in kept.cells() {
        doubt(block, &known.unseen_around(block, super::build::STATION_M).collect());
    }
    for node in known.unknown() {
        doubt(known.block[node as usize], &known.lacking(node).collect());
    }
    let mut finder = Finder::new(kept.resolution());
    for &edge in edges {
        let lacking: BTreeSet<CellIndex> =
            under(builder, edge).flat_map(|node| known.lacking(node)).collect();
        if !lacking.is_empty() {
            for block in touched(builder, edge, &mut finder) {
                doubt(block, &lacking);
            }
        }
    }
    for square in builder.streets.squares.iter().filter(|square| square.way.kind != WayKind::Lift) {
        let corners = || square.rings.iter().flat_map(|ring| &builder.streets.refs[ring.clone()]).copied();
        let lacking: BTreeSet<CellIndex> = corners().flat_map(|node| known.lacking(node)).collect();
        if !lacking.is_empty() {
            let places: Vec<Place> =
                corners().map(|node| builder.streets.nodes[node as usize].place).collect();
            for block in kept.around(&places) {
                doubt(block, &lacking);
            }
        }
    }
    doubts.retain(|&block, _| kept.has(block));
    doubts
}

/// The blocks for which an edge is needed.
fn touched(builder: &Builder<'_>, edge: u32, finder: &mut Finder) -> Vec<CellIndex> {
    let (edges, edge) = (&builder.edges, edge as usize);
    let ends = [edges.from[edge], edges.to[edge]].map(|node| builder.node_place[node as usize]);
    let mut cells = cells_along(&edges.vertices[edges.vertices_of(edge)], finder);
    cells.extend(ends.map(|place| finder.at(place)));
    cells
}

/// What is asked for, question by question.
struct Asking<'a> {
    known: &'a Known<'a>,
    wants: BTreeSet<CellIndex>,
}

impl Asking<'_> {
    fn node(&mut self, street_node: u32) {
        self.wants.extend(self.known.lacking(street_node));
    }

    fn edge(&mut self, builder: &Builder<'_>, edge: u32) {
        for node in under(builder, edge) {
            self.node(node);
        }
    }

    /// The heights of edges hang on their ends; that of an end off the ground on all that it hangs together with, and what
    /// holds it; that of stairs on the stairs that follow them. Gives all network nodes that have a say.
    fn heights(&mut self, builder: &Builder<'_>, grounded: &[bool], edges: &[u32]) -> Vec<u32> {
        let (first, ends) = ends_by_node(grounded.len(), &builder.edges);
        let around = |node: u32| &ends[first[node as usize] as usize..first[node as usize + 1] as usize];
        let kind = |edge: u32| builder.edges.kind[edge as usize];
        let ends_of = |edge: u32| [builder.edges.from[edge as usize], builder.edges.to[edge as usize]];
        let mut reached = BTreeSet::new();
        let mut flights = BTreeSet::new();
        let mut nodes: Vec<u32> = edges.iter().flat_map(|&edge| ends_of(edge)).collect();
        let mut stairs: Vec<u32> =
            edges.iter().copied().filter(|&edge| kind(edge) == WayKind::Steps).collect();
        loop {
            if let Some(node) = nodes.pop() {
                let street_node = builder.street_node[node as usize];
                self.node(street_node);
                if !reached.insert(node) || !self.known.has(street_node) || grounded[node as usize] {
                    continue;
                }
                for edge in around(node).iter().map(|end| end.edge() as u32) {
                    if !kind(edge).is_ridden() {
                        self.edge(builder, edge);
                        nodes.extend(ends_of(edge));
                    }
                }
            } else if let Some(edge) = stairs.pop() {
                if !flights.insert(edge) {
                    continue;
                }
                self.edge(builder, edge);
                for node in ends_of(edge) {
                    nodes.push(node);
                    let here = around(node).iter().map(|end| end.edge() as u32);
                    let here: Vec<u32> = here.filter(|&edge| kind(edge) == WayKind::Steps).collect();
                    stairs.extend(here.iter().filter(|_| here.len() == 2));
                }
            } else {
                return reached.into_iter().collect();
            }
        }
    }
}

/// What gates hold together, as far as the part shows.
struct Held<'a> {
    estates: &'a Estates,
    town_m: f64,
    /// Network nodes' ids and places, to name a piece by.
    named: Vec<(i64, Place)>,
    /// Gates of each piece that has some.
    gates_of: BTreeMap<u32, BTreeSet<u32>>,
    /// What must be seen too to know more of an open piece.
    rim: BTreeMap<u32, BTreeSet<CellIndex>>,
}

impl<'a> Held<'a> {
    fn new(builder: &Builder<'_>, known: &Known<'_>, estates: &'a Estates, town_m: f64) -> Self {
        let mut gates_of: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
        for (&gate, sides) in &estates.gates {
            for &side in sides {
                gates_of.entry(estates.piece(side)).or_default().insert(gate);
            }
        }
        let named = builder.street_node.iter().map(|&node| &builder.streets.nodes[node as usize]);
        let named = named.map(|node| (node.id, node.place)).collect();
        Self { estates, town_m, named, gates_of, rim: rims(builder, known, &estates.pieces) }
    }

    /// Whether edges lie in an estate, to be known for certain.
    fn ask_for_pieces(&self, builder: &Builder<'_>, edges: &[u32], asking: &mut Asking<'_>) -> Result<()> {
        let piece = |&edge: &u32| self.estates.piece(builder.edges.from[edge as usize]);
        let pieces: BTreeSet<u32> = edges.iter().map(piece).collect();
        pieces.into_iter().try_for_each(|piece| self.ask(BTreeSet::from([piece]), asking))
    }

    /// Whom the gates among nodes let through, to be known for certain.
    fn ask_for_gates(&self, builder: &Builder<'_>, nodes: &[u32], asking: &mut Asking<'_>) -> Result<()> {
        let gates: BTreeSet<u32> = nodes.iter().map(|&node| builder.street_node[node as usize]).collect();
        let sides = gates.iter().filter_map(|gate| self.estates.gates.get(gate));
        sides.into_iter().try_for_each(|sides| {
            self.ask(sides.iter().map(|&side| self.estates.piece(side)).collect(), asking)
        })
    }

    /// Which piece of a group is the town: an open one that is long enough to be one, and the only one that is; else the longest,
    /// where none is open.
    fn ask(&self, pieces: BTreeSet<u32>, asking: &mut Asking<'_>) -> Result<()> {
        let group = self.group(pieces);
        let length_m = |piece: u32| self.estates.length_m[piece as usize];
        let (mut long, short): (Vec<u32>, Vec<u32>) =
            group.into_iter().partition(|&piece| length_m(piece) >= self.town_m);
        long.sort_by(|&a, &b| length_m(a).total_cmp(&length_m(b)));
        let closed = long.iter().find(|&&piece| !self.estates.is_open(piece));
        if let (Some(&piece), true) = (closed, long.len() > 1) {
            return Err(self.two_towns(piece).into());
        }
        // Of several long ones the shorter grow, until they turn out to be one with another.
        long.pop();
        let unknown = short.iter().chain(&long).filter_map(|piece| self.rim.get(piece));
        asking.wants.extend(unknown.flatten());
        Ok(())
    }

    /// The pieces that gates hold together with some, as far as pieces are known to their ends.
    fn group(&self, mut rest: BTreeSet<u32>) -> BTreeSet<u32> {
        let mut group = BTreeSet::new();
        while let Some(piece) = rest.pop_first() {
            if group.insert(piece) && !self.estates.is_open(piece) {
                let gates = self.gates_of.get(&piece).into_iter().flatten();
                let sides = gates.flat_map(|gate| &self.estates.gates[gate]);
                rest.extend(sides.map(|&side| self.estates.piece(side)));
            }
        }
        group
    }

    fn two_towns(&self, piece: u32) -> Problem {
        let (id, place) = self.named[piece as usize];
        Problem::of_file("streets", Fault::TwoTowns { length_m: self.town_m })
            .with_id(format!("node/{id}"))
            .with_value(format!("{:.6}, {:.6}", place.lon(), place.lat()))
    }
}

/// What must be seen too to know more of open pieces, by their lowest nodes.
fn rims(builder: &Builder<'_>, known: &Known<'_>, pieces: &Pieces) -> BTreeMap<u32, BTreeSet<CellIndex>> {
    let mut rims: BTreeMap<u32, BTreeSet<CellIndex>> = BTreeMap::new();
    for &edge in &builder.beyond.edges {
        let lacking: Vec<CellIndex> = under(builder, edge).flat_map(|node| known.lacking(node)).collect();
        for node in [builder.edges.from[edge as usize], builder.edges.to[edge as usize]] {
            rims.entry(pieces.of[node as usize]).or_default().extend(&lacking);
        }
    }
    rims
}

/// Islands and the mainland, when gates are open and before islands are joined.
struct Shores {
    pieces: Pieces,
    /// Length of the ways of each piece.
    ways_m: Vec<f64>,
    /// What must be seen too to know more of an open piece.
    rim: BTreeMap<u32, BTreeSet<CellIndex>>,
}

impl Shores {
    fn new(builder: &Builder<'_>, known: &Known<'_>, held: &Held<'_>) -> Self {
        let pieces = Pieces::new(builder.street_node.len(), &builder.edges, &builder.beyond);
        let mut rim = rims(builder, known, &pieces);
        for sides in held.estates.undecided() {
            let there = sides.iter().filter_map(|&side| held.rim.get(&held.estates.piece(side)));
            let there: Vec<CellIndex> = there.flatten().copied().collect();
            for &side in sides {
                rim.entry(pieces.of[side as usize]).or_default().extend(&there);
            }
        }
        let ways_m = pieces.ways_m(&builder.edges, &builder.beyond);
        Self { pieces, ways_m, rim }
    }

    fn is_short(&self, node: u32) -> bool {
        self.ways_m[self.pieces.of[node as usize] as usize] < ISLAND_M
    }

    /// The blocks of edges of which it is not certain whether they lie on an island.
    fn doubts(&self, builder: &Builder<'_>, edges: &[u32], resolution: Resolution) -> Doubts {
        let (mut doubts, mut finder) = (Doubts::new(), Finder::new(resolution));
        for &edge in edges {
            let node = builder.edges.from[edge as usize];
            let rim = self.rim.get(&self.pieces.of[node as usize]).filter(|_| self.is_short(node));
            let Some(rim) = rim.filter(|rim| !rim.is_empty()) else { continue };
            for block in touched(builder, edge, &mut finder) {
                doubts.entry(block).or_default().extend(rim);
            }
        }
        doubts
    }

    fn ask_for_nodes(&self, nodes: impl Iterator<Item = u32>, asking: &mut Asking<'_>) {
        let pieces: BTreeSet<u32> =
            nodes.filter(|&node| self.is_short(node)).map(|node| self.pieces.of[node as usize]).collect();
        asking.wants.extend(pieces.iter().filter_map(|piece| self.rim.get(piece)).flatten());
    }

    /// Whether a link to an island ends at these nodes, to be known for certain: the islands near them, and for all nodes of
    /// these what else is near.
    fn ask_for_bridges(&self, builder: &Builder<'_>, nodes: &[u32], within_m: f64, asking: &mut Asking<'_>) {
        if within_m <= 0.0 {
            return;
        }
        let place = |node: u32| builder.node_place[node as usize];
        let ends = builder.edges.from.iter().chain(&builder.edges.to).copied();
        let short: BTreeSet<u32> = ends.filter(|&node| self.is_short(node)).collect();
        let near = Near::new(nodes.iter().map(|&node| place(node)), within_m);
        let islands: BTreeSet<u32> = short
            .iter()
            .filter(|&&node| near.holds(place(node)))
            .map(|&node| self.pieces.of[node as usize])
            .collect();
        let on_islands = short.iter().filter(|&&node| islands.contains(&self.pieces.of[node as usize]));
        let nodes: Vec<u32> = nodes.iter().chain(on_islands).copied().collect();
        for &node in &nodes {
            let block = asking.known.block[builder.street_node[node as usize] as usize];
            asking.wants.extend(asking.known.unseen_around(block, within_m));
        }
        let near = Near::new(nodes.iter().map(|&node| place(node)), within_m);
        let street_place = |node: u32| builder.streets.nodes[node as usize].place;
        for node in asking.known.unknown().filter(|&node| near.holds(street_place(node))) {
            asking.node(node);
        }
        self.ask_for_nodes(short.iter().copied().filter(|&node| near.holds(place(node))), asking);
    }
}

/// What lies within some metres of any of some places.
struct Near {
    tree: RTree<[f64; 3]>,
    within_m: f64,
}

impl Near {
    fn new(places: impl Iterator<Item = Place>, within_m: f64) -> Self {
        // A millimetre more, so that rounding leaves nothing out.
        Self { tree: RTree::bulk_load(places.map(Place::ecef_m).collect()), within_m: within_m + 0.001 }
    }

    fn holds(&self, place: Place) -> bool {
        self.tree.locate_within_distance(place.ecef_m(), self.within_m.powi(2)).next().is_some()
    }
}
