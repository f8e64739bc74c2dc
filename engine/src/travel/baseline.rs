//! The nearest facilities of a baseline, kept at every node, so that edits are answered by what they touch.

use super::arcs::{Arcs, Side};
use super::doors::{Door, Joined, Walk};
use super::index::Index;
use super::nearest::{self, AtNodes, Class, TOGETHER};
use crate::model::error::{Error, Result};
use crate::model::facility::Facilities;
use crate::model::place::{Place, Spot};
use crate::model::profile::Profile;
use crate::model::progress::Progress;
use crate::model::times::{Deciseconds, Direction, Nearest};
use crate::network::graph::{CLOSED, Network};
use crate::network::snap::{self, Snap};
use crate::network::weight::EdgeTimes;
use rstar::RTree;
use rstar::primitives::GeomWithData;
use std::sync::Arc;

/// Bits of a key: which facility of a class it is, by the order of ids, with room for new ones between any two.
const KEY: u32 = 44;
/// Bits of a key that are for new facilities between two of the baseline.
const BETWEEN: u32 = 20;

/// Most facilities of a class, and most that open between two of the baseline.
pub const MOST_FACILITIES: usize = (1 << (KEY - BETWEEN)) - 2;
/// See [`MOST_FACILITIES`].
pub const MOST_BETWEEN: usize = (1 << BETWEEN) - 2;

/// A time and which facility it is to, as one number: the lesser is the nearer, and of equally near ones that whose id comes
/// first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Word64(u64);

impl Word64 {
    /// Nothing within the cut-off.
    pub const NONE: Self = Self(u64::MAX);

    /// The facility of the baseline of a rank among those of its class.
    pub(super) const fn of_rank(time_ds: Deciseconds, rank: u32) -> Self {
        Self::new(time_ds, key_of_rank(rank))
    }

    pub(super) const fn new(time_ds: Deciseconds, key: u64) -> Self {
        Self((time_ds as u64) << KEY | key)
    }

    pub(super) const fn time_ds(self) -> Deciseconds {
        (self.0 >> KEY) as Deciseconds
    }

    pub(super) const fn key(self) -> u64 {
        self.0 & ((1 << KEY) - 1)
    }

    /// So much farther; none past the cut-off.
    pub(super) fn farther(self, by_ds: Deciseconds, cutoff_ds: Deciseconds) -> Self {
        if self == Self::NONE || self.time_ds().saturating_add(by_ds) > cutoff_ds {
            return Self::NONE;
        }
        Self(self.0 + (u64::from(by_ds) << KEY))
    }
}

/// Key of the facility of the baseline of a rank.
pub(super) const fn key_of_rank(rank: u32) -> u64 {
    (rank as u64 + 1) << BETWEEN
}

/// Key of a new facility: so many of the baseline come before it, and so many new ones among these.
pub(super) const fn key_between(before: usize, number: usize) -> u64 {
    ((before as u64) << BETWEEN) + 1 + number as u64
}

/// The rank of the facility of the baseline that a key is of; none for new ones.
pub(super) const fn rank_of_key(key: u64) -> Option<u32> {
    if key & ((1 << BETWEEN) - 1) == 0 { Some((key >> BETWEEN) as u32 - 1) } else { None }
}

/// Where something stands, in earth-centred metres, and its number.
pub(super) type At = GeomWithData<[f64; 3], u32>;

/// A baseline of one profile and direction.
#[derive(Debug)]
pub struct Baseline {
    /// The streets.
    pub network: Arc<Network>,
    /// Who walks.
    pub profile: Profile,
    /// Towards the facility or away from it.
    pub direction: Direction,
    /// The longest walk.
    pub cutoff_ds: Deciseconds,
    /// The classes, sorted.
    pub class: Vec<String>,
    /// Where people set out.
    pub origins: Arc<Vec<Spot>>,
    /// Where they go.
    pub facilities: Arc<Facilities>,
    /// The answer: one entry per origin and class, origin by origin, classes in order.
    pub nearest: Vec<Nearest>,
    pub(super) times: EdgeTimes,
    /// Steps of searches from doors and from homes.
    pub(super) arcs: [Arcs; 2],
    pub(super) homes: Vec<(Snap, Option<Joined>)>,
    pub(super) doors: Vec<Door>,
    /// One entry per facility: its nearest joined door, or the nearest street when none is.
    pub facility_snap: Vec<Snap>,
    /// Class of each facility, and its key there.
    pub(super) class_of: Vec<u32>,
    pub(super) key_of: Vec<u64>,
    /// Facilities of each class in the order of their ids.
    pub(super) ranked: Vec<Class>,
    pub(super) at_nodes: AtNodes,
    pub(super) homes_at: Index,
    pub(super) homes_on: Index,
    pub(super) doors_at: Index,
    pub(super) doors_on: Index,
    pub(super) doors_of: Index,
    pub(super) home_places: RTree<At>,
    pub(super) door_places: RTree<At>,
    /// The nodes of the main piece, each of which is reached from every other.
    main: Vec<bool>,
    /// Doors of each class that lead into it.
    pub(super) main_doors: Vec<u32>,
}

/// Make a baseline ready: the whole search once, and what every node knows.
///
/// # Errors
/// More facilities of a class than are counted; [`Error::Cancelled`] when the user stopped.
pub fn prepare(
    network: &Arc<Network>,
    profile: &Profile,
    direction: Direction,
    origins: &Arc<Vec<Spot>>,
    facilities: &Arc<Facilities>,
    cutoff_ds: Deciseconds,
    progress: &Progress,
) -> Result<Baseline> {
    let walk = Walk::new(network, profile, direction);
    let joins = walk.join_both(origins, facilities, progress)?;
    let class = facilities.classes();
    let ranked = nearest::by_class(facilities, &class, &joins.doors);
    if ranked.iter().any(|class| class.rows.len() > MOST_FACILITIES) {
        return Err(Error::Internal(format!("more than {MOST_FACILITIES} facilities of a class")));
    }
    let mut at_nodes = AtNodes::default();
    let nearest = nearest::search_keeping(&walk, &joins, &ranked, cutoff_ds, Some(&mut at_nodes), progress)?;
    let order = network.order();
    let position = |node: u32| order.position[node as usize];
    let legs_of = |joined: &Joined, home: bool| {
        let legs = if home { walk.home_legs(joined) } else { walk.door_legs(joined) };
        legs.map(|(node, _)| position(node))
    };
    let (nodes, edges) = (network.node_count(), network.edge_count());
    let homes = || (0..).zip(&joins.homes).filter_map(|(row, (_, home))| Some((row, home.as_ref()?)));
    let doors = || (0..).zip(&joins.doors);
    let homes_at = Index::new(nodes, homes().flat_map(|(row, home)| legs_of(home, true).map(|at| (at, row))));
    let homes_on = Index::new(edges, homes().map(|(row, home)| (home.anchor.edge, row)));
    let doors_at = Index::new(
        nodes,
        doors().flat_map(|(number, door)| legs_of(&door.joined, false).map(|at| (at, number))),
    );
    let doors_on = Index::new(edges, doors().map(|(number, door)| (door.joined.anchor.edge, number)));
    let doors_by_facility =
        Index::new(facilities.len(), doors().map(|(number, door)| (door.facility, number)));
    let at = |(place, number): (Place, u32)| GeomWithData::new(place.ecef_m(), number);
    let home_places = RTree::bulk_load(origins.iter().map(|spot| spot.place).zip(0..).map(at).collect());
    let every_door =
        facilities.doors.iter().zip(0..).flat_map(|(doors, row)| doors.iter().map(move |&door| (door, row)));
    let door_places = RTree::bulk_load(every_door.map(at).collect());
    let (mut class_of, mut key_of) = (vec![0; facilities.len()], vec![0; facilities.len()]);
    for (number, class) in (0..).zip(&ranked) {
        for (rank, &row) in (0..).zip(&class.rows) {
            class_of[row as usize] = number;
            key_of[row as usize] = key_of_rank(rank);
        }
    }
    for side in [Side::Doors, Side::Homes] {
        walk.arcs(side);
    }
    let baseline_classes = class.len();
    let Walk { times, arcs, .. } = walk;
    let arcs = arcs.map(|arcs| arcs.into_inner().expect("made above"));
    let main = main_piece(&arcs);
    let mut baseline = Baseline {
        network: Arc::clone(network),
        profile: profile.clone(),
        direction,
        cutoff_ds,
        class,
        origins: Arc::clone(origins),
        facilities: Arc::clone(facilities),
        nearest,
        times,
        arcs,
        homes: joins.homes,
        doors: joins.doors,
        facility_snap: joins.facility_snap,
        class_of,
        key_of,
        ranked,
        at_nodes,
        homes_at,
        homes_on,
        doors_at,
        doors_on,
        doors_of: doors_by_facility,
        home_places,
        door_places,
        main,
        main_doors: vec![0; baseline_classes],
    };
    baseline.count_main_doors();
    Ok(baseline)
}

/// Starts that are tried to find the main piece.
const STARTS: usize = 8;

/// The largest piece, of those that some nodes spread over the network are in, whose nodes all reach each other.
fn main_piece(arcs: &[Arcs; 2]) -> Vec<bool> {
    let nodes = arcs[0].node_count();
    let all_from = |start: usize, side: Side| {
        let mut seen = vec![false; nodes];
        seen[start] = true;
        let mut waiting = vec![start as u32];
        while let Some(position) = waiting.pop() {
            for hop in arcs[side as usize].from(position as usize) {
                if !std::mem::replace(&mut seen[hop.to as usize], true) {
                    waiting.push(hop.to);
                }
            }
        }
        seen
    };
    let mut main: Vec<bool> = vec![false; nodes];
    for number in 0..STARTS.min(nodes) {
        let start = nodes * number / STARTS.min(nodes);
        if main[start] {
            continue;
        }
        let back = all_from(start, Side::Homes);
        let both: Vec<bool> =
            all_from(start, Side::Doors).into_iter().zip(back).map(|(there, back)| there && back).collect();
        let count = |piece: &[bool]| piece.iter().filter(|is_in| **is_in).count();
        if count(&both) > count(&main) {
            main = both;
        }
    }
    main
}

impl Baseline {
    /// Farthest that a place is joined, metres.
    pub fn max_snap_m(&self) -> f64 {
        snap::limit_m(&self.network, &self.profile)
    }

    fn ends(&self, edge: u32) -> [u32; 2] {
        let edges = &self.network.edges;
        [edges.from[edge as usize], edges.to[edge as usize]]
    }

    fn at_positions(&self, legs: [(u32, Deciseconds); 2]) -> [(u32, Deciseconds); 2] {
        legs.map(|(node, leg_ds)| (self.network.order().position[node as usize], leg_ds))
    }

    /// From a home of the baseline to the two ends of its edge, or back: positions and tenths of a second.
    pub(super) fn home_legs(&self, home: &Joined) -> [(u32, Deciseconds); 2] {
        self.at_positions(home.home_legs(self.ends(home.anchor.edge), self.direction))
    }

    /// From the two ends of its edge to a door of the baseline, or back: positions and tenths of a second.
    pub(super) fn door_legs(&self, door: &Joined) -> [(u32, Deciseconds); 2] {
        let edge = door.anchor.edge;
        let is_passage = |node: u32| self.network.is_private_passage(edge as usize, node as usize);
        self.at_positions(door.door_legs(self.ends(edge), self.direction, is_passage))
    }

    /// Groups of classes whose connections share an entry.
    pub(super) fn groups(&self) -> usize {
        self.class.len().div_ceil(TOGETHER)
    }

    fn count_main_doors(&mut self) {
        for door in &self.doors {
            let legs = self.door_legs(&door.joined);
            if legs.iter().any(|(position, leg_ds)| *leg_ds < CLOSED && self.is_main(*position)) {
                self.main_doors[self.class_of[door.facility as usize] as usize] += 1;
            }
        }
    }

    /// Whether a position is in the main piece; new nodes are not known to be.
    pub(super) fn is_main(&self, position: u32) -> bool {
        self.main.get(position as usize).copied().unwrap_or(false)
    }

    /// Whether an origin is joined to a street.
    pub fn is_joined(&self, origin: usize) -> bool {
        self.homes[origin].1.is_some()
    }

    /// Bytes that are kept, about.
    pub fn memory_bytes(network: &Network, origins: usize, classes: usize) -> u64 {
        let per_node = classes * size_of::<Word64>() + classes.div_ceil(TOGETHER) * size_of::<u64>();
        let per_origin =
            classes * size_of::<Nearest>() + size_of::<(Snap, Option<Joined>)>() + size_of::<At>();
        (network.node_count() * per_node + origins * per_origin) as u64
    }
}
