//! A town cut into tiles: each sees what `travel::halo` says and no more, and all of them together are held against the whole.

use h3o::{CellIndex, Resolution};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use walkshed::metrics::apportion::Part;
use walkshed::metrics::coverage::{NearestOf, Sums, coverage};
use walkshed::metrics::floating_catchment::{Catchments, Variant};
use walkshed::model::cell;
use walkshed::model::costs::Costs;
use walkshed::model::coverage::Coverage;
use walkshed::model::decay::Decay;
use walkshed::model::facility::Facilities;
use walkshed::model::ids::Ids;
use walkshed::model::place::Place;
use walkshed::model::population::Cells;
use walkshed::model::profile::Profile;
use walkshed::model::progress::Progress;
use walkshed::model::region::{self, Region};
use walkshed::model::times::{Deciseconds, Direction, Found, Nearest, Reason};
use walkshed::network::cut::cut;
use walkshed::network::graph::{CLOSED, Network};
use walkshed::network::store;
use walkshed::travel::doors::{Door, Joined, Joins, Walk};
use walkshed::travel::halo::{EdgeCells, HangsOn, deciding_rings, joining_rings, needed_for};
use walkshed::travel::linked::linked;
use walkshed::travel::nearest::{search_classes, search_part};
use walkshed::travel::pairs::Pairs;
use walkshed::travel::tally::{Held, capacities, counts, nearest_few};

use super::town::Town;

/// Who asks, and how the town is cut.
pub struct Asked {
    pub profiles: Vec<Profile>,
    pub direction: Direction,
    pub cutoff_ds: Deciseconds,
    pub tiles: Resolution,
    pub blocks: Resolution,
}

/// A rule that is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breach {
    None,
    /// Nothing is seen around streets that are reached.
    NoRings,
    /// What decides how places join streets is looked for only as far as places are.
    JoiningRings,
    /// Only streets are looked at that end in the tile's homes' blocks, not those around.
    NoZone,
    HalfCutoff,
    /// Streets that only pass are left out.
    NoPassing,
    /// So are walls.
    NoPassingWalls,
    /// Ends of streets that are cut off are taken for what they seem to be.
    AllWhole,
    /// Who else comes to a facility is not looked for.
    NotTheirPeople,
    /// What else they might choose is not.
    NotTheirChoices,
    /// People who come by other doors of a facility are not.
    OneDoor,
}

impl Breach {
    pub const ALL: [Self; 10] = [
        Self::NoRings,
        Self::JoiningRings,
        Self::NoZone,
        Self::HalfCutoff,
        Self::NoPassing,
        Self::NoPassingWalls,
        Self::AllWhole,
        Self::NotTheirPeople,
        Self::NotTheirChoices,
        Self::OneDoor,
    ];
}

/// How many walks away from a home its access hangs on.
const VARIANTS: [(Variant, usize); 5] = [
    (Variant::TwoStep, 2),
    (Variant::Modified, 2),
    (Variant::SpatialAvailability, 2),
    (Variant::ThreeStep, 3),
    (Variant::Balanced, 3),
];

/// The nearest few.
const FEW: usize = 2;

type Pair = (u32, u32, Deciseconds);

/// All answers of some homes by one profile.
#[derive(Debug, Default)]
struct Answers {
    nearest: Vec<Nearest>,
    pairs: Vec<Pair>,
    counts: Vec<u32>,
    held: Vec<Held>,
    few: Vec<Option<Found>>,
    access: [Vec<f64>; VARIANTS.len()],
}

/// A network with places on it: the whole, or what a tile sees of it.
struct View<'a> {
    town: &'a Town,
    asked: &'a Asked,
    network: &'a Network,
    /// Rows of the homes, and of the facilities with those of their doors that are there.
    homes: Vec<usize>,
    rows: Vec<usize>,
    facilities: Facilities,
}

fn hangs_on(walks: usize, doors: &[Vec<Place>]) -> HangsOn<'_> {
    match walks {
        1 => HangsOn::Facilities,
        2 => HangsOn::TheirPeople(doors),
        _ => HangsOn::TheirChoices(doors),
    }
}

fn quiet() -> Progress {
    Progress::default()
}

impl<'a> View<'a> {
    fn whole(town: &'a Town, asked: &'a Asked) -> Self {
        let (homes, rows) =
            ((0..town.cells.cell.len()).collect(), (0..town.facilities.len()).collect::<Vec<_>>());
        let facilities = ranked(town, &rows);
        Self { town, asked, network: &town.network, homes, rows, facilities }
    }

    /// The homes of some rows, and the doors in a region.
    fn part(
        town: &'a Town,
        asked: &'a Asked,
        network: &'a Network,
        homes: Vec<usize>,
        region: &Region,
    ) -> Self {
        let here = |row: usize| town.facilities.doors[row].iter().any(|&door| region.holds(door));
        let rows: Vec<usize> = (0..town.facilities.len()).filter(|&row| here(row)).collect();
        let mut facilities = ranked(town, &rows);
        facilities.doors.iter_mut().for_each(|doors| doors.retain(|&door| region.holds(door)));
        Self { town, asked, network, homes, rows, facilities }
    }

    fn walk<'w>(&'w self, profile: &'w Profile) -> Walk<'w> {
        Walk::new(self.network, profile, self.asked.direction)
    }

    fn joins(&self, walk: &Walk<'_>) -> Joins {
        let places: Vec<Place> = self.homes.iter().map(|&home| self.town.cells.place[home]).collect();
        walk.join_both(&places, &self.facilities, &quiet()).unwrap()
    }

    fn pairs(&self, walk: &Walk<'_>, joins: &Joins) -> Vec<Pair> {
        let mut found = Vec::new();
        let row = |facility: u32| self.rows[facility as usize] as u32;
        Pairs::between(walk, joins, self.asked.cutoff_ds)
            .find(&quiet(), |blocks| {
                for block in blocks {
                    let ends = block.origin.iter().zip(&block.facility);
                    found.extend(ends.zip(&block.time_ds).map(|((&origin, &facility), &time_ds)| {
                        (self.homes[origin as usize] as u32, row(facility), time_ds)
                    }));
                }
                Ok(())
            })
            .unwrap();
        found.sort_unstable();
        found
    }

    /// Everything but catchments, by home; a part leaves it open whether what is not reached is connected.
    fn answers(&self, walk: &Walk<'_>, joins: &Joins, is_part: bool) -> Answers {
        let (asked, quiet) = (self.asked, &quiet());
        let (class, of_town) = (self.town.facilities.classes(), &self.facilities);
        // A class that is nowhere near still has its columns.
        let search = if is_part { search_part } else { search_classes };
        let mut nearest = search(walk, joins, of_town, &class, asked.cutoff_ds, quiet).unwrap();
        for found in nearest.iter_mut().flatten() {
            *found = Found::new(found.time_ds, self.rows[found.facility() as usize] as u32);
        }
        let limits_ds = [asked.cutoff_ds, asked.cutoff_ds / 2, asked.cutoff_ds / 3];
        let capacity: Vec<Option<f64>> = self.rows.iter().map(|&row| self.town.capacity[row]).collect();
        let known = of_town.classes();
        let all_classes = |width: usize| Columns { known: &known, class: &class, width };
        let few = nearest_few(walk, joins, of_town, FEW, asked.cutoff_ds, quiet).unwrap();
        let of_whole = |found: Found| Found::new(found.time_ds, self.rows[found.facility() as usize] as u32);
        let homes = self.homes.len();
        let held = capacities(walk, joins, of_town, &capacity, &limits_ds, quiet).unwrap();
        let count = counts(walk, joins, of_town, &limits_ds, quiet).unwrap();
        Answers {
            nearest,
            pairs: self.pairs(walk, joins),
            counts: all_classes(limits_ds.len()).spread(homes, &count),
            held: all_classes(limits_ds.len()).spread(homes, &held),
            few: all_classes(FEW).spread(homes, &few).into_iter().map(|few| few.map(of_whole)).collect(),
            access: Default::default(),
        }
    }

    /// Access of the homes, by pairs of these homes and facilities.
    fn access(&self, pairs: &[Pair], variant: Variant, decay: &Decay) -> Vec<f64> {
        let local = |rows: &[usize], row: u32| rows.binary_search(&(row as usize)).unwrap() as u32;
        let costs = Costs {
            origin: pairs.iter().map(|pair| local(&self.homes, pair.0)).collect(),
            facility: pairs.iter().map(|pair| local(&self.rows, pair.1)).collect(),
            minutes: pairs.iter().map(|pair| f64::from(pair.2) / 600.0).collect(),
        };
        let people: Vec<f64> = self.homes.iter().map(|&home| self.town.cells.people[home]).collect();
        let capacity: Vec<f64> =
            self.rows.iter().map(|&row| self.town.capacity[row].unwrap_or_default()).collect();
        // As the door of Python does, whatever the order in which pairs come.
        let (costs, _) = costs.in_order();
        Catchments { costs: &costs, people: &people, capacity: &capacity }.access(variant, decay)
    }
}

/// Facilities of some rows, whose ids are the ranks of theirs among all.
fn ranked(town: &Town, rows: &[usize]) -> Facilities {
    let rank = town.facilities.id.ranks();
    let ids = Ids::UInt(rows.iter().map(|&row| u64::from(rank[row])).collect());
    Facilities { id: ids, ..town.facilities.pick(rows) }
}

/// Columns of the classes that are there, among those of all classes.
struct Columns<'a> {
    known: &'a [String],
    class: &'a [String],
    width: usize,
}

impl Columns<'_> {
    fn spread<T: Clone + Default>(&self, homes: usize, table: &[T]) -> Vec<T> {
        let mut all = vec![T::default(); homes * self.class.len() * self.width];
        for home in 0..homes {
            for (at, class) in self.known.iter().enumerate() {
                let column = self.class.binary_search(class).unwrap();
                let to = (home * self.class.len() + column) * self.width;
                let from = (home * self.known.len() + at) * self.width;
                all[to..to + self.width].clone_from_slice(&table[from..from + self.width]);
            }
        }
        all
    }
}

/// What a node is known by in all tiles that see it whole.
type NodeKey = (String, [u64; 2], usize);

/// How the streets of a tile hang together.
struct Links {
    groups: BTreeMap<NodeKey, u32>,
    count: u32,
    steps: Vec<(u32, u32)>,
    doors: Vec<(usize, u32)>,
    homes: Vec<Vec<u32>>,
}

/// A tile and what it found out.
struct Tile {
    rows: Range<usize>,
    answers: Vec<Answers>,
    links: Vec<Links>,
}

/// One town, cut.
struct Cutting<'a> {
    town: &'a Town,
    asked: &'a Asked,
    breach: Breach,
    cells: EdgeCells,
    decay: Decay,
}

/// Hold the union of tiles against the whole; what differs first, in words.
pub fn hold_against_whole(town: &Town, asked: &Asked, breach: Breach) -> Result<(), String> {
    let cells = EdgeCells::of(&town.network, asked.blocks, &quiet()).unwrap();
    let decay = Decay::Gaussian { sigma_min: f64::from(asked.cutoff_ds) / 1200.0 };
    let cutting = Cutting { town, asked, breach, cells, decay };
    let whole = cutting.whole();
    let tiles = cutting.all_tiles();
    let tiles = tiles.into_iter().map(|(tile, rows)| cutting.tile(tile, rows));
    let tiles = tiles.collect::<Result<Vec<_>, String>>()?;
    let homes = town.cells.cell.len();
    for (number, whole) in whole.iter().enumerate() {
        let together = Together::of(&tiles, number, town.facilities.classes().len());
        let mut nearest = Vec::new();
        for (place, tile) in tiles.iter().enumerate() {
            let found = &tile.answers[number];
            let own = together.nearest(place, found);
            compare(&tile.rows, found, &own, whole, homes)?;
            nearest.extend(own);
        }
        cutting.compare_coverage(&tiles, &nearest, whole)?;
    }
    Ok(())
}

impl Cutting<'_> {
    /// All answers of the whole, by profile.
    fn whole(&self) -> Vec<Answers> {
        let view = View::whole(self.town, self.asked);
        let of = |profile: &Profile| {
            let walk = view.walk(profile);
            let mut answers = view.answers(&walk, &view.joins(&walk), false);
            for (access, (variant, _)) in answers.access.iter_mut().zip(VARIANTS) {
                *access = view.access(&answers.pairs, variant, &self.decay);
            }
            answers
        };
        self.asked.profiles.iter().map(of).collect()
    }

    /// All tiles where something is, with their homes, which follow one another.
    fn all_tiles(&self) -> Vec<(CellIndex, Range<usize>)> {
        let (town, asked) = (self.town, self.asked);
        let parent = |cell: CellIndex| cell.parent(asked.tiles).unwrap();
        let doors = town.facilities.doors.iter().flatten().map(|&door| cell::at(door, asked.blocks));
        let streets =
            (0..town.network.edge_count()).flat_map(|edge| self.cells.of_edge(edge).iter().copied());
        let homes = &town.cells.cell;
        let tiles: BTreeSet<CellIndex> =
            doors.chain(streets).chain(homes.iter().copied()).map(parent).collect();
        let upto = |tile: CellIndex| homes.partition_point(|&home| parent(home) < tile);
        let after = |tile: CellIndex| homes.partition_point(|&home| parent(home) <= tile);
        tiles.into_iter().map(|tile| (tile, upto(tile)..after(tile))).collect()
    }

    fn walks<'w>(&'w self, network: &'w Network) -> Vec<Walk<'w>> {
        let walk = |profile| Walk::new(network, profile, self.asked.direction);
        self.asked.profiles.iter().map(walk).collect()
    }

    fn farthest_m(&self) -> f64 {
        self.walks(&self.town.network).iter().map(Walk::max_snap_m).fold(0.0, f64::max)
    }

    /// The blocks of homes of a tile: cells are not nested, so some stand just beside its own.
    fn homes(&self, tile: CellIndex) -> Region {
        let beside_m = self.town.cells.cell[0].resolution().edge_length_m() / 2.0;
        let own = Region::of_tile(tile, self.asked.blocks);
        own.grown(region::rings(beside_m, self.asked.blocks))
    }

    /// What a tile must see, with the network there, found without having seen the whole.
    fn seen(&self, tile: CellIndex, what: HangsOn<'_>) -> (Network, Region) {
        let (asked, homes) = (self.asked, self.homes(tile));
        let mut kept = homes.grown(1);
        loop {
            let network = cut(&self.town.network, &kept);
            let cells = EdgeCells::of(&network, asked.blocks, &quiet()).unwrap();
            let walks = self.walks(&network);
            let found = needed_for(what, &walks, &cells, &homes, &kept, asked.cutoff_ds, &quiet()).unwrap();
            drop(walks);
            let lacking = kept.lacks(&found.region);
            if lacking.is_empty() {
                let part = cut(&network, &found.region);
                let straight = cut(&self.town.network, &found.region);
                assert!(store::encode(&part).unwrap() == store::encode(&straight).unwrap(), "{tile}");
                return (part, found.region);
            }
            let more = kept.lacks(&found.guess);
            kept = kept.and(more);
        }
    }

    /// The same with a rule left out.
    fn breached(&self, tile: CellIndex, walks: usize) -> (Network, Region) {
        let walks = match self.breach {
            Breach::NotTheirPeople => 1,
            Breach::NotTheirChoices => walks.min(2),
            _ => walks,
        };
        let (asked, homes) = (self.asked, self.homes(tile));
        let farthest_m = self.farthest_m();
        let deciding = deciding_rings(farthest_m, asked.blocks);
        let joining = joining_rings(farthest_m, asked.blocks);
        let cutoff_ds = if self.breach == Breach::HalfCutoff { asked.cutoff_ds / 2 } else { asked.cutoff_ds };
        let from = if self.breach == Breach::NoZone { homes.shrunk(joining) } else { homes };
        let what = hangs_on(walks, self.breached_doors());
        let walks = self.walks(&self.town.network);
        let found = needed_for(what, &walks, &self.cells, &from, &from, cutoff_ds, &quiet()).unwrap();
        let region = found.region.shrunk(match self.breach {
            Breach::NoRings => deciding,
            Breach::JoiningRings => deciding - joining.min(deciding),
            _ => 0,
        });
        let mut network = cut(&self.town.network, &region);
        self.let_nothing_pass(&mut network, &region);
        (network, region)
    }

    fn let_nothing_pass(&self, network: &mut Network, region: &Region) {
        if self.breach == Breach::NoPassing {
            for edge in 0..network.edge_count() {
                let ends = [network.edges.from[edge], network.edges.to[edge]];
                if !ends.iter().any(|&node| region.holds(network.node_place[node as usize])) {
                    network.edges.joinable[edge] = false;
                    network.edges.level[edge] = None;
                }
            }
        }
        if self.breach == Breach::NoPassingWalls {
            network.walls.retain(|wall| wall.iter().any(|&end| region.holds(end)));
        }
    }

    fn breached_doors(&self) -> &[Vec<Place>] {
        if self.breach == Breach::OneDoor { &[] } else { &self.town.facilities.doors }
    }

    fn tile(&self, tile: CellIndex, rows: Range<usize>) -> Result<Tile, String> {
        let see = |walks| match self.breach {
            Breach::None => self.seen(tile, hangs_on(walks, &self.town.facilities.doors)),
            _ => self.breached(tile, walks),
        };
        let homes = self.homes(tile);
        if let Some(home) = rows.clone().find(|&home| !homes.holds(self.town.cells.place[home])) {
            return Err(format!("home {home} stands beside its tile"));
        }
        let (network, region) = see(1);
        let view = View::part(self.town, self.asked, &network, rows.clone().collect(), &region);
        let own = Region::of_tile(tile, self.asked.blocks);
        let (mut answers, mut links) = (Vec::new(), Vec::new());
        for profile in &self.asked.profiles {
            let walk = view.walk(profile);
            let joins = view.joins(&walk);
            if self.breach == Breach::None {
                self.compare_joins(&view, profile, &joins)?;
            }
            answers.push(view.answers(&walk, &joins, true));
            links.push(self.links(&view, &walk, &joins, &region, &own));
        }
        for walks in [2, 3].into_iter().filter(|_| !rows.is_empty()) {
            let (network, region) = see(walks);
            let people = (0..self.town.cells.cell.len())
                .filter(|&home| rows.contains(&home) || region.holds(self.town.cells.place[home]));
            let view = View::part(self.town, self.asked, &network, people.collect(), &region);
            for (profile, answers) in self.asked.profiles.iter().zip(&mut answers) {
                let walk = view.walk(profile);
                let pairs = view.pairs(&walk, &view.joins(&walk));
                for (access, (variant, needed)) in answers.access.iter_mut().zip(VARIANTS) {
                    if needed == walks {
                        let all = view.access(&pairs, variant, &self.decay);
                        let own = view.homes.iter().zip(all).filter(|(home, _)| rows.contains(home));
                        *access = own.map(|(_, access)| access).collect();
                    }
                }
            }
        }
        Ok(Tile { rows, answers, links })
    }

    /// Homes of the tile join the same point of the same street as in the whole.
    fn compare_joins(&self, view: &View<'_>, profile: &Profile, joins: &Joins) -> Result<(), String> {
        let whole = Walk::new(&self.town.network, profile, self.asked.direction);
        let places: Vec<Place> = view.homes.iter().map(|&home| self.town.cells.place[home]).collect();
        for (row, ((_, there), (_, here))) in
            whole.join(&places, &quiet()).unwrap().into_iter().zip(&joins.homes).enumerate()
        {
            if told(&self.town.network, there) != told(view.network, *here) {
                return Err(format!("home {} is joined elsewhere", view.homes[row]));
            }
        }
        Ok(())
    }

    fn links(&self, view: &View<'_>, walk: &Walk<'_>, joins: &Joins, region: &Region, own: &Region) -> Links {
        let network = view.network;
        let is_whole = |node: usize| region.holds(network.node_place[node]);
        let seems_whole = |node: usize| self.breach == Breach::AllWhole || is_whole(node);
        let linked = linked(walk, seems_whole, &quiet()).unwrap();
        let mut times = BTreeMap::new();
        let mut groups = BTreeMap::new();
        for node in (0..network.node_count()).filter(|&node| is_whole(node)) {
            let place = network.node_place[node];
            let known = (network.node_id.text(node), [place.lon().to_bits(), place.lat().to_bits()]);
            let nth = times.entry(known.clone()).or_insert(0);
            groups.insert((known.0, known.1, *nth), linked.of_node[node]);
            *nth += 1;
        }
        let open = |legs: [(u32, Deciseconds); 2]| {
            let open = legs.into_iter().filter(|(_, leg_ds)| *leg_ds < CLOSED);
            open.map(|(node, _)| linked.of_node[node as usize]).collect::<Vec<_>>()
        };
        let class = self.town.facilities.classes();
        // Doors of the tile alone: whoever joins a street may stand anywhere.
        let doors = own_doors(view, walk, own);
        let doors = doors.into_iter().flat_map(|Door { facility, joined }| {
            let of = class.binary_search(&view.facilities.class[facility as usize]).unwrap();
            open(walk.door_legs(&joined)).into_iter().map(move |group| (of, group))
        });
        let homes = joins.homes.iter().map(|(_, home)| match home {
            Some(home) => open(walk.home_legs(home)),
            None => Vec::new(),
        });
        Links {
            doors: doors.collect(),
            homes: homes.collect(),
            count: linked.groups,
            steps: linked.steps,
            groups,
        }
    }

    fn compare_coverage(&self, tiles: &[Tile], nearest: &[Nearest], whole: &Answers) -> Result<(), String> {
        let (cells, class) = (&self.town.cells, self.town.facilities.classes());
        let minutes = [f64::from(self.asked.cutoff_ds) / 600.0, 1.0];
        let parts = areas(cells);
        let ids: Vec<String> = (0..parts.len()).map(|area| area.to_string()).collect();
        let of_cells = Segment { class: &class, first: 0, nearest: &whole.nearest };
        let expected = coverage(&of_cells, cells, &ids, &parts, &minutes, &quiet()).unwrap();
        let mut sums = Sums::new(cells, parts.len(), &class, &minutes);
        for Tile { rows, .. } in tiles {
            let between = |parts: &'_ Vec<Part>| {
                let upto = |row: usize| parts.partition_point(|part| (part.cell as usize) < row);
                upto(rows.start)..upto(rows.end)
            };
            let here: Vec<&[Part]> = parts.iter().map(|parts| &parts[between(parts)]).collect();
            let nearest = of_rows(nearest, rows, cells.cell.len());
            let segment = Segment { class: &class, first: rows.start, nearest };
            sums.add(&segment, cells, &here, &quiet()).unwrap();
        }
        let found = sums.coverage("", &ids);
        if bits(&found) == bits(&expected) { Ok(()) } else { Err("coverage".to_owned()) }
    }
}

fn own_doors(view: &View<'_>, walk: &Walk<'_>, own: &Region) -> Vec<Door> {
    let mut facilities = view.facilities.clone();
    facilities.doors.iter_mut().for_each(|doors| doors.retain(|&door| own.holds(door)));
    walk.join_doors(&facilities, &quiet()).unwrap().1
}

/// Where a place is joined, told so that networks can be compared.
fn told(network: &Network, joined: Option<Joined>) -> Option<String> {
    let Joined { anchor, split, leg_ds } = joined?;
    let edge = anchor.edge as usize;
    let (id, line) = (network.edge_id.text(edge), network.vertices_of(edge));
    Some(format!("{id} {line:?} {:?} {:?} {split:?} {leg_ds}", anchor.share, anchor.away_m))
}

fn bits(coverage: &Coverage) -> Vec<u64> {
    coverage.people.iter().chain(coverage.of.iter().flatten()).map(|people| people.to_bits()).collect()
}

/// Areas that share cells.
fn areas(cells: &Cells) -> Vec<Vec<Part>> {
    let part = |area: u32, cell: u32| {
        let share = 1.0 / f64::from(2 + (cell * 7 + area * 3) % 5);
        (!(cell + area).is_multiple_of(3)).then_some(Part { cell, share })
    };
    (0..4).map(|area| (0..cells.cell.len() as u32).filter_map(|cell| part(area, cell)).collect()).collect()
}

/// The times of homes that follow one another.
struct Segment<'a> {
    class: &'a [String],
    first: usize,
    nearest: &'a [Nearest],
}

impl NearestOf for Segment<'_> {
    fn profile(&self) -> &'static str {
        ""
    }

    fn classes(&self) -> Vec<String> {
        self.class.to_vec()
    }

    fn nearest(&self, cell: usize, class: usize) -> Nearest {
        self.nearest[(cell - self.first) * self.class.len() + class]
    }
}

/// What leads where in all tiles together, by trying every step again and again.
struct Together<'a> {
    links: Vec<&'a Links>,
    first: Vec<usize>,
    root: Vec<usize>,
    /// The classes that come to each group.
    classes: Vec<BTreeSet<usize>>,
    class_count: usize,
}

impl<'a> Together<'a> {
    fn of(tiles: &'a [Tile], profile: usize, class_count: usize) -> Self {
        let links: Vec<&Links> = tiles.iter().map(|tile| &tile.links[profile]).collect();
        let mut first = vec![0];
        for links in &links {
            first.push(first[first.len() - 1] + links.count as usize);
        }
        let mut root: Vec<usize> = (0..first[links.len()]).collect();
        let mut known: BTreeMap<&NodeKey, usize> = BTreeMap::new();
        for (tile, links) in links.iter().enumerate() {
            for (node, group) in &links.groups {
                let group = first[tile] + *group as usize;
                let other = *known.entry(node).or_insert(group);
                let (a, b) = (lowest(&root, other), lowest(&root, group));
                root[a.max(b)] = a.min(b);
            }
        }
        let root: Vec<usize> = (0..root.len()).map(|group| lowest(&root, group)).collect();
        let classes = vec![BTreeSet::new(); root.len()];
        let mut together = Self { links, first, root, classes, class_count };
        together.spread();
        together
    }

    fn group(&self, tile: usize, group: u32) -> usize {
        self.root[self.first[tile] + group as usize]
    }

    fn spread(&mut self) {
        let mut steps = BTreeSet::new();
        for (tile, links) in self.links.clone().into_iter().enumerate() {
            for &(class, group) in &links.doors {
                let group = self.group(tile, group);
                self.classes[group].insert(class);
            }
            steps.extend(links.steps.iter().map(|step| (self.group(tile, step.0), self.group(tile, step.1))));
        }
        loop {
            let before: usize = self.classes.iter().map(BTreeSet::len).sum();
            for &(from, to) in &steps {
                let come = self.classes[from].clone();
                self.classes[to].extend(come);
            }
            if self.classes.iter().map(BTreeSet::len).sum::<usize>() == before {
                return;
            }
        }
    }

    /// The nearest of a tile, with reasons that the whole alone can tell.
    fn nearest(&self, tile: usize, answers: &Answers) -> Vec<Nearest> {
        let mut nearest = answers.nearest.clone();
        for (row, groups) in nearest.chunks_mut(self.class_count).zip(&self.links[tile].homes) {
            for (class, entry) in row.iter_mut().enumerate() {
                let comes = |&group: &u32| self.classes[self.group(tile, group)].contains(&class);
                if *entry == Err(Reason::NotConnected) && groups.iter().any(comes) {
                    *entry = Err(Reason::BeyondCutoff);
                }
            }
        }
        nearest
    }
}

fn lowest(root: &[usize], mut group: usize) -> usize {
    while root[group] != group {
        group = root[group];
    }
    group
}

/// What a tile found is what the whole has for its homes.
fn compare(
    rows: &Range<usize>,
    found: &Answers,
    nearest: &[Nearest],
    whole: &Answers,
    homes: usize,
) -> Result<(), String> {
    let same = |what: &str, same: bool| {
        if same { Ok(()) } else { Err(format!("{what} of homes {rows:?}")) }
    };
    same("nearest", nearest == of_rows(&whole.nearest, rows, homes))?;
    let first = whole.pairs.partition_point(|pair| (pair.0 as usize) < rows.start);
    let end = whole.pairs.partition_point(|pair| (pair.0 as usize) < rows.end);
    same("pairs", found.pairs == whole.pairs[first..end])?;
    same("counts", found.counts == of_rows(&whole.counts, rows, homes))?;
    let held = |held: &[Held]| -> Vec<(u32, u32, u64)> {
        held.iter().map(|held| (held.count, held.unknown, held.capacity.to_bits())).collect()
    };
    same("capacities", held(&found.held) == held(of_rows(&whole.held, rows, homes)))?;
    same("the nearest few", found.few == of_rows(&whole.few, rows, homes))?;
    let bits = |access: &[f64]| access.iter().map(|access| access.to_bits()).collect::<Vec<_>>();
    for (at, (variant, _)) in VARIANTS.iter().enumerate() {
        let expected = bits(&whole.access[at][rows.clone()]);
        same(&format!("{variant:?}"), bits(&found.access[at]) == expected)?;
    }
    Ok(())
}

/// The entries of some homes in a table of all.
fn of_rows<'t, T>(table: &'t [T], rows: &Range<usize>, homes: usize) -> &'t [T] {
    let width = table.len() / homes;
    &table[rows.start * width..rows.end * width]
}
