//! What all tiles together tell of how streets hang together: who is connected with what, however far, and which pieces there are.

use super::walked::{NONE, TileLinks, bits};
use std::collections::HashMap;

/// Parts that turn out to be one: for every part its representative.
struct Joined(Vec<u32>);

impl Joined {
    fn new(parts: usize) -> Self {
        Self((0..parts as u32).collect())
    }

    fn root(&mut self, mut part: u32) -> u32 {
        while self.0[part as usize] != part {
            let above = self.0[self.0[part as usize] as usize];
            self.0[part as usize] = above;
            part = above;
        }
        part
    }

    fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b) as usize] = a.min(b);
    }

    fn roots(mut self) -> Vec<u32> {
        (0..self.0.len() as u32).map(|part| self.root(part)).collect()
    }
}

/// Where the parts of each tile begin in a list of all, and how many there are.
fn firsts(counts: impl Iterator<Item = usize>) -> (Vec<u32>, usize) {
    let (mut firsts, mut next) = (Vec::new(), 0);
    for count in counts {
        firsts.push(next as u32);
        next += count;
    }
    (firsts, next)
}

/// What a node is known by: its place, and the how-manieth there it is.
type NodeName = ([u64; 2], u32);

/// Length in metres of pieces, and whether each is taken for a drawing fault.
pub type Lengths = Vec<(f64, bool)>;

/// Nodes that more than one tile knows: for each, the tiles with the place of the node among theirs.
pub struct Shared(Vec<Vec<(u32, u32)>>);

impl Shared {
    /// Bring the nodes of all tiles together. The tile in whose blocks a node lies knows it, or no tile does.
    pub fn of(tiles: &[TileLinks]) -> Self {
        let mut known: HashMap<NodeName, Vec<(u32, u32)>> = HashMap::new();
        for (number, tile) in (0..).zip(tiles) {
            for (at, &(place, nth)) in (0..).zip(&tile.nodes) {
                known.entry((bits(place), nth)).or_default().push((number, at));
            }
        }
        Self(known.into_values().filter(|tiles| tiles.len() > 1).collect())
    }

    /// Join the parts of tiles that hold the same node.
    fn joined(&self, firsts: &[u32], parts: usize, part_of: impl Fn(u32, u32) -> u32) -> Vec<u32> {
        let mut joined = Joined::new(parts);
        for tiles in &self.0 {
            let mut known = tiles.iter().filter_map(|&(tile, at)| {
                let part = part_of(tile, at);
                (part != NONE).then(|| firsts[tile as usize] + part)
            });
            if let Some(first) = known.next() {
                known.for_each(|other| joined.join(first, other));
            }
        }
        joined.roots()
    }
}

/// Which classes are connected with the groups of every tile, for one profile.
pub struct Connections {
    firsts: Vec<u32>,
    root: Vec<u32>,
    /// The classes of each group that stands for others, 64 in an entry.
    classes: Vec<u64>,
    per_group: usize,
}

impl Connections {
    /// Let every class spread from its doors over all tiles.
    pub fn of(tiles: &[TileLinks], shared: &Shared, profile: usize, classes: usize) -> Self {
        let links = |tile: u32| &tiles[tile as usize].of_profile[profile];
        let (firsts, groups) = firsts(tiles.iter().map(|tile| tile.of_profile[profile].groups as usize));
        let root = shared.joined(&firsts, groups, |tile, at| links(tile).node_group[at as usize]);
        let per_group = classes.div_ceil(64);
        let mut found = Self { classes: vec![0; groups * per_group], firsts, root, per_group };
        let mut steps: Vec<(u32, u32)> = Vec::new();
        for tile in 0..tiles.len() as u32 {
            let of = |group: u32| found.group(tile, group);
            steps.extend(links(tile).steps.iter().map(|&(from, to)| (of(from), of(to))));
            for &(class, group) in &links(tile).doors {
                let at = found.group(tile, group) as usize * per_group + class as usize / 64;
                found.classes[at] |= 1 << (class % 64);
            }
        }
        steps.sort_unstable();
        steps.dedup();
        found.spread(&steps);
        found
    }

    fn group(&self, tile: u32, group: u32) -> u32 {
        self.root[(self.firsts[tile as usize] + group) as usize]
    }

    /// Pass classes on along steps until nothing is new.
    fn spread(&mut self, steps: &[(u32, u32)]) {
        let mut waiting: Vec<u32> =
            (0..self.root.len() as u32).filter(|&group| self.has_any(group)).collect();
        while let Some(from) = waiting.pop() {
            let first = steps.partition_point(|step| step.0 < from);
            for &(_, to) in steps[first..].iter().take_while(|step| step.0 == from) {
                let mut new = 0;
                for entry in 0..self.per_group {
                    let classes = self.classes[from as usize * self.per_group + entry];
                    let there = &mut self.classes[to as usize * self.per_group + entry];
                    new |= classes & !*there;
                    *there |= classes;
                }
                if new != 0 {
                    waiting.push(to);
                }
            }
        }
    }

    fn has_any(&self, group: u32) -> bool {
        let first = group as usize * self.per_group;
        self.classes[first..first + self.per_group].iter().any(|classes| *classes != 0)
    }

    /// Whether a home whose street leads to these groups of a tile is connected with a class.
    pub fn has(&self, tile: u32, groups: [u32; 2], class: usize) -> bool {
        groups.into_iter().filter(|&group| group != NONE).any(|group| {
            let at = self.group(tile, group) as usize * self.per_group + class / 64;
            self.classes[at] >> (class % 64) & 1 == 1
        })
    }
}

/// The pieces of all tiles together.
pub struct Pieces {
    firsts: Vec<u32>,
    root: Vec<u32>,
    /// Whether any tile has edges of its own on the piece that stands for others.
    real: Vec<bool>,
}

impl Pieces {
    /// Among all streets.
    pub fn of_all(tiles: &[TileLinks], shared: &Shared) -> Self {
        Self::of(shared, tiles.iter().map(|tile| tile.pieces.clone()).collect(), |tile, at| {
            tiles[tile as usize].node_piece[at as usize]
        })
    }

    /// Among those of a profile.
    pub fn of_profile(tiles: &[TileLinks], shared: &Shared, profile: usize) -> Self {
        let real =
            |tile: &TileLinks| tile.of_profile[profile].pieces.iter().map(|piece| piece.0 > 0).collect();
        Self::of(shared, tiles.iter().map(real).collect(), |tile, at| {
            tiles[tile as usize].of_profile[profile].node_piece[at as usize]
        })
    }

    fn of(shared: &Shared, own: Vec<Vec<bool>>, piece_of: impl Fn(u32, u32) -> u32) -> Self {
        let (firsts, count) = firsts(own.iter().map(Vec::len));
        let root = shared.joined(&firsts, count, piece_of);
        let mut real = vec![false; count];
        for (piece, own) in own.into_iter().flatten().enumerate() {
            real[root[piece] as usize] |= own;
        }
        Self { firsts, root, real }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.real.iter().filter(|real| **real).count()
    }

    /// The piece that stands for one of a tile.
    fn root(&self, tile: u32, piece: u32) -> u32 {
        self.root[(self.firsts[tile as usize] + piece) as usize]
    }

    /// Length in metres and whether it is taken for a drawing fault of every piece of a profile, the longest first, and what
    /// tells the place in this list of a piece of a tile.
    pub fn lengths(
        &self,
        tiles: &[TileLinks],
        profile: usize,
    ) -> (Lengths, impl Fn(u32, u32) -> Option<u32>) {
        let mut of_root: HashMap<u32, (i64, bool)> = HashMap::new();
        for (number, tile) in (0..).zip(tiles) {
            for (piece, &(edges, length_um, left_out)) in (0..).zip(&tile.of_profile[profile].pieces) {
                let root = self.root(number, piece);
                if self.real[root as usize] {
                    let entry = of_root.entry(root).or_default();
                    entry.0 += length_um;
                    entry.1 |= left_out && edges > 0;
                }
            }
        }
        let mut sorted: Vec<(u32, (i64, bool))> = of_root.into_iter().collect();
        sorted.sort_unstable_by_key(|&(root, (length_um, _))| (std::cmp::Reverse(length_um), root));
        let place: HashMap<u32, u32> = sorted.iter().map(|(root, _)| *root).zip(0..).collect();
        let lengths =
            sorted.iter().map(|&(_, (length_um, left_out))| (length_um as f64 / 1e6, left_out)).collect();
        let of = move |tile: u32, piece: u32| {
            (piece != NONE).then(|| place.get(&self.root(tile, piece)).copied()).flatten()
        };
        (lengths, of)
    }
}
