//! The second job of a tile: its people walk, and it tells how its streets hang together with those of its neighbours.

use super::folder::{GROUND, Receipt, WALK, written};
use super::gathered::Inputs;
use super::ground::{Site, TileStreets};
use super::plan::{BLOCK, cutoff_ds, home_region};
use crate::batch::prepare::cell_resolution;
use crate::batch::study::profiles;
use crate::io::lists::{self, Column, Layout, Lists, lat, list, lon};
use crate::model::error::{Error, Result};
use crate::model::facility::Facilities;
use crate::model::ids::Ids;
use crate::model::place::{Place, Spot};
use crate::model::profile::Profile;
use crate::model::progress::Progress;
use crate::model::region::Region;
use crate::model::times::{Found, Nearest, Reason};
use crate::network::components;
use crate::network::graph::{CLOSED, Network};
use crate::network::snap::{Anchor, Snap};
use crate::travel::doors::{Door, Joined, Joins, Walk};
use crate::travel::halo::{EdgeCells, joining_rings};
use crate::travel::islands::pieces_of;
use crate::travel::linked::{Linked, linked};
use crate::travel::nearest;
use arrow_array::ArrayRef;
use arrow_array::types::{Float64Type, Int64Type, UInt8Type, UInt32Type, UInt64Type};
use h3o::CellIndex;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

const TIMES: Layout = Layout { version: "walkshed-tile-times/1", expected: "walking times of a tile" };
const LINKS: Layout = Layout { version: "walkshed-tile-links/1", expected: "links of a tile" };

/// Nothing is here.
pub const NONE: u32 = u32::MAX;

/// Walking times of the homes of a tile by one profile.
#[derive(Debug)]
pub struct TileTimes {
    /// One entry per home and class.
    pub nearest: Vec<Nearest>,
    /// Groups of nodes (`links`) that the two ends of each home's street belong to; [`NONE`] where it does not lead there.
    pub home_groups: Vec<[u32; 2]>,
}

/// How a tile's streets hang together, and how its places are joined to them.
#[derive(Debug)]
pub struct TileLinks {
    /// Nodes that other tiles may know too: place, and the how-manieth at this place.
    pub nodes: Vec<(Place, u32)>,
    /// The piece of each such node among all streets.
    pub node_piece: Vec<u32>,
    /// Pieces of all streets: whether edges of the tile's blocks are on them.
    pub pieces: Vec<bool>,
    /// Length of ways that begin in the tile's blocks and are taken for drawing faults.
    pub island_um: i64,
    /// By profile.
    pub of_profile: Vec<ProfileLinks>,
    /// How each home is joined by the first profile: metres to its street; none where it is not joined.
    pub home_away_m: Vec<Option<f64>>,
    /// Doors in the tile's blocks: number, metres to the street by the first profile, and whether it is joined. Where it is not, the
    /// distance to the nearest street as far as the tile sees, and whether no other can be nearer.
    pub doors: Vec<DoorJoin>,
}

/// How a door is joined.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DoorJoin {
    /// Its number among all doors.
    pub door: u32,
    /// Whether it is joined.
    pub joined: bool,
    /// Metres to the nearest street that counts; none where the tile sees none.
    pub nearest_m: Option<f64>,
    /// Whether no street that the tile does not see can be nearer.
    pub certain: bool,
}

/// What hangs together for a profile.
#[derive(Debug)]
pub struct ProfileLinks {
    /// The group of each node that other tiles may know.
    pub node_group: Vec<u32>,
    /// Number of groups.
    pub groups: u32,
    /// Steps from group to group, as a search from doors goes.
    pub steps: Vec<(u32, u32)>,
    /// Classes of doors in the tile's blocks, with the group from which they are left.
    pub doors: Vec<(u32, u32)>,
    /// The piece of each node that other tiles may know; [`NONE`] where the profile has no way.
    pub node_piece: Vec<u32>,
    /// Pieces: edges and length of ways that begin in the tile's blocks, and whether they are taken for drawing faults.
    pub pieces: Vec<(u32, i64, bool)>,
    /// The piece of each home.
    pub home_piece: Vec<u32>,
    /// The piece of each facility that stands in the tile's blocks, with its row.
    pub facility_piece: Vec<(u32, u32)>,
}

/// What a job works with.
struct Ground<'a> {
    network: &'a Network,
    inputs: &'a Inputs,
    /// The block of each node.
    block: &'a [CellIndex],
    own: Region,
    /// Where the network is whole.
    region: &'a Region,
    /// Nodes that other tiles may know.
    shared: Vec<u32>,
}

impl Site<'_> {
    /// Walk from all homes of the tile.
    ///
    /// # Errors
    /// A file of the tile is missing or damaged.
    pub fn walk(&self, ground: &Receipt, progress: &Progress) -> Result<Receipt> {
        let streets = TileStreets::load(&self.folder.stage(GROUND).join(&ground.files[0].file))?;
        let inputs = Inputs::load(&self.folder.inputs(self.number))?;
        let (network, own) = (&streets.network, self.tile.own()?);
        let who = profiles(self.study);
        let farthest_m =
            who.iter().map(|who| who.max_snap_m.unwrap_or(network.origin.max_snap_m)).fold(0.0, f64::max);
        let homes = home_region(&own, cell_resolution(self.study)?);
        if let Some(place) = inputs.homes.iter().find(|&&place| !homes.holds(place)) {
            return Err(Error::Internal(format!(
                "a home of {} stands at {} {}",
                self.tile.key,
                place.lon(),
                place.lat()
            )));
        }
        let cells = EdgeCells::of(network, BLOCK, progress)?;
        let zone = Zone::of(&own, &homes, joining_rings(farthest_m, BLOCK));
        let (region, shared) = (&streets.region, zone.shared(network, &cells));
        let ground = Ground { network, inputs: &inputs, block: &cells.node, own, region, shared };
        let facilities = inputs.as_facilities();
        let mut times = Vec::with_capacity(who.len());
        let mut links = ground.links();
        for (number, profile) in who.iter().enumerate() {
            let walked = ground.walk(self, profile, &facilities, progress)?;
            if number == 0 {
                links.home_away_m =
                    walked.homes.iter().map(|snap| snap.anchor.map(|anchor| anchor.away_m)).collect();
                links.doors = ground.door_joins(&walked.doors);
            }
            times.push(TileTimes { nearest: walked.nearest, home_groups: walked.home_groups });
            links.of_profile.push(walked.links);
        }
        progress.check()?;
        let links_path = self.folder.unique(WALK, &self.tile.key, "links")?;
        links.save(&links_path)?;
        let mut files = vec![written(&links_path)?];
        for times in &times {
            let path = self.folder.unique(WALK, &self.tile.key, "times")?;
            times.save(&path, &inputs)?;
            files.push(written(&path)?);
        }
        Ok(Receipt {
            stage: WALK.to_owned(),
            key: self.tile.key.clone(),
            plan: self.plan.key.clone(),
            round: self.tile.round,
            files,
            seconds: 0.0,
            peak_memory_bytes: None,
            network: (network.node_count() as u64, network.edge_count() as u64),
            wants: Vec::new(),
            farther: Vec::new(),
            passing: Vec::new(),
        })
    }
}

impl Inputs {
    /// The facilities that are walked to; their ids are the ranks of the ids among all, so that ties fall as they do there.
    fn as_facilities(&self) -> Facilities {
        let ids = self.facilities.iter().map(|facility| facility.1).collect();
        let class = self.facilities.iter().map(|facility| self.class[facility.2 as usize].clone()).collect();
        let mut place = vec![None; self.facilities.len()];
        for ((_, facility), spot) in self.doors.iter().zip(&self.door_spots) {
            place[*facility as usize].get_or_insert(spot.place);
        }
        Facilities::new("", Ids::UInt(ids), class, place.into_iter().flatten().collect())
    }
}

/// Rings of blocks beyond which no cell of a tile reaches: H3's coarsest cells that tiles are made of have fewer across.
const MOST_BEYOND: u32 = 2000;

/// Where tiles meet.
struct Zone {
    /// Blocks in which streets may be that homes of the tile join.
    joined: Region,
    /// Blocks whose streets no home of another tile joins.
    inner: Region,
    own: Region,
}

impl Zone {
    fn of(own: &Region, homes: &Region, rings: u32) -> Self {
        // Homes of another tile stand as far beyond its blocks as ours beyond ours.
        let beyond =
            (1..MOST_BEYOND).find(|&rings| own.grown(rings).lacks(homes).is_empty()).unwrap_or(MOST_BEYOND);
        Self { joined: homes.grown(rings), inner: own.shrunk(beyond + rings), own: own.clone() }
    }

    /// Ends of streets that two tiles may know of: near the border, or across it.
    fn shared(&self, network: &Network, cells: &EdgeCells) -> Vec<u32> {
        let is_near = |cell: &CellIndex| self.joined.has(*cell) && !self.inner.has(*cell);
        let is_shared = |edge: usize| {
            let cells = cells.of_edge(edge);
            let inside = cells.iter().filter(|cell| self.own.has(**cell)).count();
            cells.iter().any(is_near) || inside > 0 && inside < cells.len()
        };
        let edges = (0..network.edge_count()).filter(|&edge| is_shared(edge));
        let mut nodes: Vec<u32> =
            edges.flat_map(|edge| [network.edges.from[edge], network.edges.to[edge]]).collect();
        nodes.sort_unstable();
        nodes.dedup();
        nodes
    }
}

/// What the people of a profile do.
struct Walked {
    nearest: Vec<Nearest>,
    home_groups: Vec<[u32; 2]>,
    homes: Vec<Snap>,
    doors: Vec<Snap>,
    links: ProfileLinks,
}

impl Ground<'_> {
    fn is_own(&self, node: u32) -> bool {
        self.own.has(self.block[node as usize])
    }

    fn links(&self) -> TileLinks {
        let network = self.network;
        let edges = &network.edges;
        let (of_node, count) = numbered(&components::pieces(network.node_count(), edges));
        let mut pieces = vec![false; count as usize];
        let mut island_um = 0;
        for edge in (0..network.edge_count()).filter(|&edge| self.is_own(edges.from[edge])) {
            pieces[of_node[edges.from[edge] as usize] as usize] = true;
            island_um += if edges.island[edge] { components::way_um(edges, edge) } else { 0 };
        }
        TileLinks {
            nodes: self.keys(),
            node_piece: self.shared.iter().map(|&node| of_node[node as usize]).collect(),
            pieces,
            island_um,
            of_profile: Vec::new(),
            home_away_m: Vec::new(),
            doors: Vec::new(),
        }
    }

    /// The names by which tiles know nodes: where it is, and the how-manieth there. Numbers of the source will not do: those of
    /// Overture are counted anew in every file.
    fn keys(&self) -> Vec<(Place, u32)> {
        let mut seen: HashMap<[u64; 2], u32> = HashMap::new();
        let mut shared = self.shared.iter().copied().peekable();
        let mut keys = Vec::with_capacity(self.shared.len());
        for (node, &place) in (0..).zip(&self.network.node_place) {
            let before = seen.entry(bits(place)).or_default();
            if shared.next_if_eq(&node).is_some() {
                keys.push((place, *before));
            }
            *before += 1;
        }
        keys
    }

    fn walk(
        &self,
        site: &Site<'_>,
        profile: &Profile,
        facilities: &Facilities,
        progress: &Progress,
    ) -> Result<Walked> {
        let walk = Walk::new(self.network, profile, site.study.coverage.direction);
        progress.begin("joining places to streets", self.inputs.homes.len() + self.inputs.doors.len())?;
        let homes = walk.join(&self.inputs.homes, progress)?;
        let doors = walk.join_as_doors(&self.inputs.door_spots, progress)?;
        let of_door = |((_, facility), (_, joined)): (&(u32, u32), &(Snap, Vec<Joined>))| {
            let facility = *facility;
            joined.iter().map(move |&joined| Door { facility, joined }).collect::<Vec<_>>()
        };
        let all_doors = self.inputs.doors.iter().zip(&doors).flat_map(of_door).collect();
        let joins = Joins { homes, doors: all_doors, facility_snap: Vec::new() };
        let (class, cutoff_ds) = (&self.inputs.class, cutoff_ds(site.study));
        let nearest = nearest::search_part(&walk, &joins, facilities, class, cutoff_ds, progress)?;
        let is_whole = |node: usize| self.region.has(self.block[node]);
        let linked = linked(&walk, is_whole, progress)?;
        let group = |(node, leg_ds)| if leg_ds < CLOSED { linked.of_node[node as usize] } else { NONE };
        let groups = |home: &Option<Joined>| home.map_or([NONE; 2], |home| walk.home_legs(&home).map(group));
        Ok(Walked {
            nearest,
            home_groups: joins.homes.iter().map(|(_, home)| groups(home)).collect(),
            homes: joins.homes.iter().map(|(snap, _)| *snap).collect(),
            links: self.profile_links(&walk, &doors, &linked, progress)?,
            doors: doors.into_iter().map(|(snap, _)| snap).collect(),
        })
    }

    fn profile_links(
        &self,
        walk: &Walk<'_>,
        doors: &[(Snap, Vec<Joined>)],
        linked: &Linked,
        progress: &Progress,
    ) -> Result<ProfileLinks> {
        let (network, inputs) = (self.network, self.inputs);
        let (islands, of_node) = components::islands(network, &walk.times);
        let mut pieces: Vec<(u32, i64, bool)> =
            islands.iter().map(|island| (0, 0, island.left_out)).collect();
        let edges = &network.edges;
        for edge in (0..network.edge_count()).filter(|&edge| components::is_usable(&walk.times, edge)) {
            if let Some(piece) = of_node[edges.from[edge] as usize].filter(|_| self.is_own(edges.from[edge]))
            {
                pieces[piece as usize].0 += 1;
                pieces[piece as usize].1 += components::way_um(edges, edge);
            }
        }
        let standing: Vec<Place> = inputs.standing.iter().map(|it| it.1).collect();
        let or_none = |pieces: Vec<Option<u32>>| pieces.into_iter().map(|piece| piece.unwrap_or(NONE));
        let rows = inputs.standing.iter().map(|it| it.0);
        Ok(ProfileLinks {
            node_group: self.shared.iter().map(|&node| linked.of_node[node as usize]).collect(),
            groups: linked.groups,
            steps: linked.steps.clone(),
            doors: self.door_groups(walk, doors, linked),
            node_piece: self.shared.iter().map(|&node| of_node[node as usize].unwrap_or(NONE)).collect(),
            pieces,
            home_piece: or_none(pieces_of(walk, &of_node, &inputs.homes, progress)?).collect(),
            facility_piece: rows.zip(or_none(pieces_of(walk, &of_node, &standing, progress)?)).collect(),
        })
    }

    /// Classes of the tile's own doors, with the groups from which a search from them sets out.
    fn door_groups(
        &self,
        walk: &Walk<'_>,
        doors: &[(Snap, Vec<Joined>)],
        linked: &Linked,
    ) -> Vec<(u32, u32)> {
        let inputs = self.inputs;
        let own = (0..doors.len()).filter(|&at| self.own.holds(inputs.door_spots[at].place));
        let mut found: Vec<(u32, u32)> = own
            .flat_map(|at| {
                let class = inputs.facilities[inputs.doors[at].1 as usize].2;
                let legs = doors[at].1.iter().flat_map(|joined| walk.door_legs(joined));
                let open = legs.filter(|(_, leg_ds)| *leg_ds < CLOSED);
                open.map(move |(node, _)| (class, linked.of_node[node as usize])).collect::<Vec<_>>()
            })
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    fn door_joins(&self, doors: &[Snap]) -> Vec<DoorJoin> {
        let inputs = self.inputs;
        let own = (0..doors.len()).filter(|&at| self.own.holds(inputs.door_spots[at].place));
        own.map(|at| {
            let Snap { anchor, nearest_m } = doors[at];
            let certain = anchor.is_some()
                || nearest_m.is_some_and(|away_m| is_around(self.region, inputs.door_spots[at], away_m));
            DoorJoin { door: inputs.doors[at].0, joined: anchor.is_some(), nearest_m, certain }
        })
        .collect()
    }
}

/// A place as something that can be looked up.
pub fn bits(place: Place) -> [u64; 2] {
    [place.lon().to_bits(), place.lat().to_bits()]
}

/// Whether everything within so many metres of a place lies in a region.
fn is_around(region: &Region, spot: Spot, away_m: f64) -> bool {
    let rings = joining_rings(away_m, BLOCK);
    // What is farther than any tile sees is not worth looking for.
    rings < 64 && {
        let home = Region::new(BLOCK, [crate::model::cell::at(spot.place, BLOCK)]);
        region.lacks(&home.grown(rings)).is_empty()
    }
}

/// Numbers from 0 without gaps, in the order in which they first come, and how many there are.
fn numbered(labels: &[u32]) -> (Vec<u32>, u32) {
    let mut known: BTreeMap<u32, u32> = BTreeMap::new();
    let numbers = labels.iter().map(|&label| {
        let next = known.len() as u32;
        *known.entry(label).or_insert(next)
    });
    let numbers = numbers.collect();
    (numbers, known.len() as u32)
}

/// A time with the row of the facility among all, or why there is none, as one number.
fn code(nearest: Nearest, rows: &[(u32, u64, u32)]) -> u64 {
    match nearest {
        Ok(found) => u64::from(found.time_ds) << 32 | (u64::from(rows[found.facility() as usize].0) + 1),
        Err(reason) => (reason as u64) << 32,
    }
}

fn decoded(code: u64) -> Option<Nearest> {
    let (high, low) = ((code >> 32) as u32, code as u32);
    match low.checked_sub(1) {
        Some(row) => Some(Ok(Found::new(high, row))),
        None => Reason::ALL.get(high as usize).copied().map(Err),
    }
}

/// The name of a column of a profile.
fn name(of: &str, profile: usize) -> String {
    format!("{of}_{profile}")
}

impl TileTimes {
    fn save(&self, path: &Path, inputs: &Inputs) -> Result<()> {
        let codes = self.nearest.iter().map(|&nearest| code(nearest, &inputs.facilities));
        let columns: Vec<Column> = vec![
            ("nearest", list::<UInt64Type>(codes)),
            ("home_groups", list::<UInt32Type>(self.home_groups.iter().flatten().copied())),
        ];
        lists::save(path, TIMES, columns)
    }

    /// Read what a job wrote.
    ///
    /// # Errors
    /// A problem when the file is missing or damaged.
    pub fn load(path: &Path) -> Result<Self> {
        lists::load(path, TIMES, |lists| {
            let codes = lists.buffer::<UInt64Type>("nearest")?;
            let nearest = codes.iter().map(|&code| decoded(code)).collect::<Option<_>>()?;
            Some(Self { nearest, home_groups: pairs(&lists.values::<UInt32Type>("home_groups")?) })
        })
    }
}

fn pairs(flat: &[u32]) -> Vec<[u32; 2]> {
    flat.chunks_exact(2).map(|pair| [pair[0], pair[1]]).collect()
}

fn flat(pairs: &[(u32, u32)]) -> impl Iterator<Item = u32> + '_ {
    pairs.iter().flat_map(|&(a, b)| [a, b])
}

fn unflat(flat: &[u32]) -> Vec<(u32, u32)> {
    flat.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect()
}

impl TileLinks {
    fn save(&self, path: &Path) -> Result<()> {
        let metres = |values: &mut dyn Iterator<Item = Option<f64>>| {
            list::<Float64Type>(values.map(|value| value.unwrap_or(f64::NAN)))
        };
        let flags = |values: &mut dyn Iterator<Item = bool>| list::<UInt8Type>(values.map(u8::from));
        let columns: Vec<Column> = vec![
            ("node_lon", lon(self.nodes.iter().map(|node| node.0))),
            ("node_lat", lat(self.nodes.iter().map(|node| node.0))),
            ("node_nth", list::<UInt32Type>(self.nodes.iter().map(|node| node.1))),
            ("node_piece", list::<UInt32Type>(self.node_piece.iter().copied())),
            ("pieces", lists::flags(&self.pieces)),
            ("island_um", list::<Int64Type>([self.island_um])),
            ("home_away_m", metres(&mut self.home_away_m.iter().copied())),
            ("door", list::<UInt32Type>(self.doors.iter().map(|door| door.door))),
            ("door_joined", flags(&mut self.doors.iter().map(|door| door.joined))),
            ("door_nearest_m", metres(&mut self.doors.iter().map(|door| door.nearest_m))),
            ("door_certain", flags(&mut self.doors.iter().map(|door| door.certain))),
        ];
        let mut columns: Vec<(String, ArrayRef)> =
            columns.into_iter().map(|(name, values)| (name.to_owned(), values)).collect();
        for (number, links) in self.of_profile.iter().enumerate() {
            columns.extend(links.columns(number));
        }
        lists::save(path, LINKS, columns)
    }

    /// Read what a job wrote.
    ///
    /// # Errors
    /// A problem when the file is missing or damaged.
    pub fn load(path: &Path, profiles: usize) -> Result<Self> {
        lists::load(path, LINKS, |lists| Self::of(lists, profiles))
    }

    fn of(lists: &Lists, profiles: usize) -> Option<Self> {
        let numbers = |name| lists.values::<UInt32Type>(name);
        let metres = |name| {
            let known = |metres: f64| (!metres.is_nan()).then_some(metres);
            Some(lists.values::<Float64Type>(name)?.into_iter().map(known).collect::<Vec<_>>())
        };
        let nodes = lists.places("node_lon", "node_lat")?.into_iter().zip(numbers("node_nth")?);
        let (joined, certain) = (lists.flags("door_joined")?, lists.flags("door_certain")?);
        let doors =
            numbers("door")?.into_iter().zip(joined).zip(metres("door_nearest_m")?.into_iter().zip(certain));
        Some(Self {
            nodes: nodes.collect(),
            node_piece: numbers("node_piece")?,
            pieces: lists.flags("pieces")?,
            island_um: *lists.values::<Int64Type>("island_um")?.first()?,
            of_profile: (0..profiles).map(|number| ProfileLinks::of(lists, number)).collect::<Option<_>>()?,
            home_away_m: metres("home_away_m")?,
            doors: doors
                .map(|((door, joined), (nearest_m, certain))| DoorJoin { door, joined, nearest_m, certain })
                .collect(),
        })
    }
}

impl ProfileLinks {
    fn columns(&self, number: usize) -> Vec<(String, ArrayRef)> {
        let numbers = |values: &mut dyn Iterator<Item = u32>| list::<UInt32Type>(values);
        vec![
            (name("node_group", number), numbers(&mut self.node_group.iter().copied())),
            (name("groups", number), numbers(&mut [self.groups].into_iter())),
            (name("steps", number), numbers(&mut flat(&self.steps))),
            (name("door_groups", number), numbers(&mut flat(&self.doors))),
            (name("profile_node_piece", number), numbers(&mut self.node_piece.iter().copied())),
            (name("piece_edges", number), numbers(&mut self.pieces.iter().map(|piece| piece.0))),
            (name("piece_um", number), list::<Int64Type>(self.pieces.iter().map(|piece| piece.1))),
            (
                name("piece_left_out", number),
                numbers(&mut self.pieces.iter().map(|piece| u32::from(piece.2))),
            ),
            (name("home_piece", number), numbers(&mut self.home_piece.iter().copied())),
            (name("facility_piece", number), numbers(&mut flat(&self.facility_piece))),
        ]
    }

    fn of(lists: &Lists, number: usize) -> Option<Self> {
        let numbers = |name: &str| lists.values::<UInt32Type>(name);
        let length_um = lists.values::<Int64Type>(&name("piece_um", number))?;
        let left_out = numbers(&name("piece_left_out", number))?;
        let pieces = numbers(&name("piece_edges", number))?.into_iter().zip(length_um).zip(left_out);
        Some(Self {
            node_group: numbers(&name("node_group", number))?,
            groups: *numbers(&name("groups", number))?.first()?,
            steps: unflat(&numbers(&name("steps", number))?),
            doors: unflat(&numbers(&name("door_groups", number))?),
            node_piece: numbers(&name("profile_node_piece", number))?,
            pieces: pieces.map(|((edges, length_um), left_out)| (edges, length_um, left_out == 1)).collect(),
            home_piece: numbers(&name("home_piece", number))?,
            facility_piece: unflat(&numbers(&name("facility_piece", number))?),
        })
    }
}

/// How a place is joined, where only the distance is known.
pub fn snap(joined: bool, nearest_m: Option<f64>) -> Snap {
    let anchor = nearest_m.filter(|_| joined).map(|away_m| Anchor { edge: 0, share: 0.0, away_m });
    Snap { anchor, nearest_m }
}
