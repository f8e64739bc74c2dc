//! The first job of a tile: its streets as a network that is exactly that of the whole, and what their source holds beside.

use super::folder::{Folder, GROUND, Receipt, written};
use super::plan::{AROUND_M, BLOCK, Plan, Tile, cutoff_ds, home_region, spare_rings};
use super::source::{self, TileExtract};
use crate::batch::prepare::{self, cell_resolution, street_spots};
use crate::batch::study::profiles;
use crate::io;
use crate::io::files::file_name;
use crate::io::lists::{self, Column, Layout, Lists, lat, list, lon, texts};
use crate::metrics::population::{ByCell, Spot};
use crate::model::analysis_crs::AnalysisCrs;
use crate::model::cell;
use crate::model::elevation::Elevation;
use crate::model::error::{Error, Result};
use crate::model::facility::Facilities;
use crate::model::finder::{Finder, cells_at};
use crate::model::ids::Ids;
use crate::model::ledger::Entry;
use crate::model::level::Level;
use crate::model::place::Place;
use crate::model::population::Dwellings;
use crate::model::problem::{Fault, Problem};
use crate::model::progress::Progress;
use crate::model::region::{self, Region, cells_along};
use crate::model::street::{Street, Streets, WayKind};
use crate::model::study::Study;
use crate::network::build::STATION_M;
use crate::network::cut::cut;
use crate::network::graph::Network;
use crate::network::part::{self, Doubts, Part, TOWN_M, View};
use crate::network::store;
use crate::network::summary::micrometres;
use crate::travel::doors::Walk;
use crate::travel::halo::{EdgeCells, needed};
use arrow_array::ArrayRef;
use arrow_array::types::{Float64Type, Int64Type, UInt64Type};
use h3o::CellIndex;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::Path;

const STREETS: Layout = Layout { version: "walkshed-tile-streets/1", expected: "streets of a tile" };
const LAND: Layout = Layout { version: "walkshed-tile-land/1", expected: "land of a tile" };

/// The streets of a tile, and the blocks in which they are whole.
#[derive(Debug)]
pub struct TileStreets {
    /// The network.
    pub network: Network,
    /// Where it is whole.
    pub region: Region,
}

/// What a tile holds beside its streets, and what of them adds up to that of the whole.
#[derive(Debug)]
pub struct Land {
    /// Residential buildings in its cells.
    pub homes: Dwellings,
    /// How much street is in each of its cells.
    pub streets: ByCell,
    /// Facilities of the map in its blocks.
    pub facilities: Facilities,
    /// Facilities of the map that lie farther away than the tile sees, or in no tile, though their outlines reach here: class and
    /// id. Their own tile must know them.
    pub far: Vec<String>,
    /// Its south-western and its north-eastern corner; none without streets.
    pub corners: Vec<Place>,
    /// Counts.
    pub facts: Facts,
    /// Length of edges that begin in its blocks, by kind.
    pub length_um: [i64; WayKind::ALL.len()],
    /// The blocks in which its network is whole.
    pub region: Region,
}

/// What is counted in the blocks of a tile.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Facts {
    /// Nodes.
    pub nodes: u64,
    /// Edges that begin there.
    pub edges: u64,
    /// Heights and steepness in tags that were not believed.
    pub tags_not_believed: u64,
    /// Lifts that fewer than two ways come to.
    pub lifts_to_nowhere: u64,
    /// Whether a piece of streets was seen that is no island.
    pub mainland: bool,
}

/// A tile and what it is part of.
pub struct Site<'a> {
    /// The working folder.
    pub folder: &'a Folder,
    /// The study.
    pub study: &'a Study,
    /// All tiles.
    pub plan: &'a Plan,
    /// Number of the tile.
    pub number: u32,
    /// The tile.
    pub tile: &'a Tile,
}

/// What has become of a tile's ground.
enum Outcome {
    Done(Box<(TileStreets, Land)>),
    /// Blocks whose streets must be seen too.
    Wants(BTreeSet<CellIndex>),
    /// The same, where the terrain that was cut for the tile does not reach.
    WantsTerrain(BTreeSet<CellIndex>),
}

/// A tile may look so often at more ground.
const MOST_LOOKS: u32 = 12;

/// So far around what a tile is expected to see its terrain is cut.
const TERRAIN_M: f64 = 3000.0;

/// Ground in the system of the analysis.
struct Ground {
    own: Region,
    /// Whose network is built.
    kept: Region,
    /// What must be there for that.
    seen: Region,
}

impl Site<'_> {
    /// Build the network of a tile, or say what it has to see first.
    ///
    /// # Errors
    /// The tile's streets cannot be read, or no part of the whole can tell what is there.
    pub fn ground(&self, progress: &Progress) -> Result<Receipt> {
        let outcome = self.look(progress)?;
        let mut receipt = Receipt {
            stage: GROUND.to_owned(),
            key: self.tile.key.clone(),
            plan: self.plan.key.clone(),
            round: self.tile.round,
            files: Vec::new(),
            seconds: 0.0,
            peak_memory_bytes: None,
            network: (0, 0),
            wants: Vec::new(),
            farther: Vec::new(),
            passing: Vec::new(),
        };
        match outcome {
            Outcome::Wants(wants) | Outcome::WantsTerrain(wants) => {
                receipt.wants = wants.iter().map(ToString::to_string).collect();
            }
            Outcome::Done(built) => {
                let (streets, land) = *built;
                let (foreseen, _) = self.plan.view(self.tile)?;
                receipt.farther = foreseen.lacks(&streets.region).iter().map(ToString::to_string).collect();
                receipt.passing = passing(&streets.network, &self.tile.own()?);
                receipt.network = (streets.network.node_count() as u64, streets.network.edge_count() as u64);
                let paths = ["streets", "land"].map(|what| self.folder.unique(GROUND, &self.tile.key, what));
                let [streets_path, land_path] = paths;
                let (streets_path, land_path) = (streets_path?, land_path?);
                progress.check()?;
                streets.save(&streets_path)?;
                land.save(&land_path)?;
                receipt.files = vec![written(&streets_path)?, written(&land_path)?];
            }
        }
        Ok(receipt)
    }

    /// Build it, seeing more each time until that is enough.
    fn look(&self, progress: &Progress) -> Result<Outcome> {
        let (kept, seen) = self.plan.view(self.tile)?;
        let mut ground = Ground { own: self.tile.own()?, kept, seen };
        for look in 1..=MOST_LOOKS {
            let wants = match self.build(&mut ground, progress)? {
                Outcome::Wants(wants) => wants,
                done => return Ok(done),
            };
            // The blocks around what is asked for are likely to be asked for next.
            ground.kept = ground.kept.and(Region::new(BLOCK, wants).grown(look).cells());
            ground.seen = ground.seen.and(ground.kept.grown(self.plan.around()).cells());
        }
        let name = file_name(self.study.streets.file());
        Err(Problem::of_file(name, Fault::TileUnbounded { rounds: MOST_LOOKS })
            .with_id(&self.tile.key)
            .into())
    }

    /// Build it from what is seen, and hold it against what its homes need.
    fn build(&self, ground: &mut Ground, progress: &Progress) -> Result<Outcome> {
        let system = self.study.study.analysis_crs;
        let elevation = self.terrain()?;
        let (_, planned) = self.plan.view(self.tile)?;
        let terrain = (!elevation.grids.is_empty()).then(|| terrain_region(&planned, system));
        // Streets are built in the system of their source, where the same blocks lie a little elsewhere.
        let there =
            |region: &Region| if system.is_wgs84() { region.clone() } else { moved_back(region, system) };
        let wanted = there(&ground.seen);
        let without = terrain.as_ref().map(|terrain| terrain.lacks(&wanted)).unwrap_or_default();
        if !without.is_empty() {
            return Ok(Outcome::WantsTerrain(self.back(without)));
        }
        let core = there(&ground.kept.shrunk(spare_rings()));
        let (seen, extract) = self.streets(wanted, &core, terrain.as_ref(), progress)?;
        if system.is_wgs84() {
            // Pieces reach farther than was asked for.
            ground.kept = ground.kept.clone().and(seen.shrunk(self.plan.around()).cells());
            ground.seen = seen.clone();
        }
        let (own, kept) = (&ground.own, &ground.kept);
        let view = View { seen: &seen, kept: &there(kept), owned: own, town_m: TOWN_M };
        let rules = prepare::rules(self.study);
        let built = match part::from_part(&extract.streets, &elevation, rules, view, progress)? {
            Part::Wants(wants) => return Ok(Outcome::Wants(self.back(wants))),
            Part::Network(built) => *built,
        };
        let (kept, doubts) = self.certain(kept, built.region, built.doubts);
        let network = built.network.moved(system);
        let who = profiles(self.study);
        let direction = self.study.coverage.direction;
        let walks: Vec<Walk<'_>> =
            who.iter().map(|profile| Walk::new(&network, profile, direction)).collect();
        let cells = EdgeCells::of(&network, BLOCK, progress)?;
        let homes = home_region(own, cell_resolution(self.study)?);
        let needed = needed(&walks, &cells, &homes, &kept, cutoff_ds(self.study), progress)?;
        if !kept.lacks(&needed.region).is_empty() {
            let settles = |block| doubts.get(&block).cloned().unwrap_or_else(|| BTreeSet::from([block]));
            return Ok(Outcome::Wants(kept.lacks(&needed.guess).into_iter().flat_map(settles).collect()));
        }
        drop(walks);
        let network = cut(&network, &needed.region);
        let facts = Facts {
            tags_not_believed: built.tags_not_believed,
            lifts_to_nowhere: built.lifts_to_nowhere,
            mainland: built.mainland,
            ..Facts::default()
        };
        let land = Land { region: needed.region.clone(), ..self.land(&network, ground, facts, extract)? };
        Ok(Outcome::Done(Box::new((TileStreets { network, region: needed.region }, land))))
    }

    /// The streets that lie in some blocks of the source, with those to which ways lead from a core of them; and all blocks of
    /// which they are there, as far as the terrain is.
    fn streets(
        &self,
        wanted: Region,
        core: &Region,
        terrain: Option<&Region>,
        progress: &Progress,
    ) -> Result<(Region, TileExtract)> {
        let has_terrain = |block: &CellIndex| terrain.is_none_or(|terrain| terrain.has(*block));
        let read = |wanted: &Region| -> Result<(Region, TileExtract)> {
            let (pieces, seen) = self.plan.pieces_of(wanted);
            let extract = source::read(self.study, &self.folder.streets(), &pieces, progress)?;
            Ok((Region::new(BLOCK, seen.cells().filter(has_terrain)), extract))
        };
        let (seen, extract) = read(&wanted)?;
        let after_rides = self.plan.rings.0 / 2 + self.plan.around();
        let beyond = led_to(&extract.streets, core, &seen, after_rides);
        let beyond: Vec<CellIndex> = beyond.cells().filter(has_terrain).collect();
        if beyond.iter().all(|&block| seen.has(block)) {
            return Ok((seen, extract));
        }
        read(&wanted.and(beyond))
    }

    /// The blocks of the analysis of which all is known, and what would settle the others.
    fn certain(&self, kept: &Region, certain: Region, doubts: Doubts) -> (Region, Doubts) {
        let system = self.study.study.analysis_crs;
        if system.is_wgs84() {
            return (certain, doubts);
        }
        let settles = |block: CellIndex| -> BTreeSet<CellIndex> {
            let there = moved_back(&Region::new(BLOCK, [block]), system);
            there.cells().filter_map(|block| doubts.get(&block)).flatten().copied().collect()
        };
        let settled: Doubts = kept.cells().map(|block| (block, settles(block))).collect();
        let (known, doubtful): (Doubts, Doubts) =
            settled.into_iter().partition(|(_, lacking)| lacking.is_empty());
        let doubtful = doubtful.into_iter().map(|(block, lacking)| (block, self.back(lacking)));
        (Region::new(BLOCK, known.into_keys()), doubtful.collect())
    }

    /// Blocks of the source's system, with those around them in the system of the analysis.
    fn back(&self, wants: BTreeSet<CellIndex>) -> BTreeSet<CellIndex> {
        let system = self.study.study.analysis_crs;
        if system.is_wgs84() {
            return wants;
        }
        let moved = wants.into_iter().map(|block| cell::at(system.moved(cell::centre(block)), BLOCK));
        Region::new(BLOCK, moved).grown(2).cells().collect()
    }

    fn terrain(&self) -> Result<Elevation> {
        let path = self.folder.terrain(self.tile.round, self.number);
        if path.is_file() { io::elevation::load(&path) } else { Ok(Elevation::default()) }
    }

    fn land(
        &self,
        network: &Network,
        Ground { own, seen, .. }: &Ground,
        facts: Facts,
        extract: TileExtract,
    ) -> Result<Land> {
        let resolution = cell_resolution(self.study)?;
        let tile = self.tile.cell()?;
        let mut finder = Finder::new(resolution);
        let mut is_own_cell = |place: Place| finder.at(place).parent(tile.resolution()) == Some(tile);
        let spots = street_spots(network, &mut is_own_cell);
        let facilities = extract.facilities.unwrap_or_else(|| none_of_map(""));
        let rows: Vec<usize> =
            (0..facilities.len()).filter(|&row| own.holds(facilities.place[row])).collect();
        let tiles = self.plan.cells()?;
        let is_in_tile = |place: Place| {
            let block = cell::at(place, BLOCK);
            tiles
                .iter()
                .any(|(resolution, cells)| block.parent(*resolution).is_some_and(|it| cells.contains(&it)))
        };
        let is_far = |row: &usize| {
            let place = facilities.place[*row];
            !(own.holds(place) || seen.holds(place) && is_in_tile(place))
        };
        let far = (0..facilities.len()).filter(is_far).map(|row| far_name(&facilities, row)).collect();
        let edges = &network.edges;
        let block = cells_at(&network.node_place, BLOCK);
        let begins_here = |edge: &usize| own.has(block[edges.from[*edge] as usize]);
        let own_edges: Vec<usize> = (0..network.edge_count()).filter(begins_here).collect();
        let own_nodes = network.node_place.iter().zip(&block).filter(|(_, block)| own.has(**block));
        let own_nodes: Vec<Place> = own_nodes.map(|(place, _)| *place).collect();
        let mut length_um = [0; WayKind::ALL.len()];
        for &edge in &own_edges {
            length_um[edges.kind[edge] as usize] += micrometres(edges.length_m[edge]);
        }
        Ok(Land {
            homes: extract.homes.only(is_own_cell),
            streets: ByCell::of(&spots, resolution),
            facilities: facilities.pick(&rows),
            far,
            corners: corners(&own_nodes),
            facts: Facts { nodes: own_nodes.len() as u64, edges: own_edges.len() as u64, ..facts },
            length_um,
            region: Region::new(BLOCK, []),
        })
    }
}

/// A street file holds what has a corner in the blocks that a tile sees, which are all within [`AROUND_M`] of what it keeps: a
/// piece that is not longer is never missed.
const LONG_PIECE_M: f64 = 1.9 * AROUND_M;

/// Long pieces of street that begin in the blocks of a tile: the block of their corner, then those that they pass.
fn passing(network: &Network, own: &Region) -> Vec<Vec<String>> {
    let pieces = (0..network.edge_count()).flat_map(|edge| network.vertices_of(edge).windows(2));
    let is_long = |ends: &&[Place]| ends[0].distance_m(ends[1]) > LONG_PIECE_M && own.holds(ends[0]);
    let blocks =
        |ends: &[Place]| cells_along(ends, &mut Finder::new(BLOCK)).iter().map(ToString::to_string).collect();
    pieces.filter(is_long).map(blocks).collect()
}

/// The blocks to which ways lead from some blocks, as far as they are not seen: with those that decide whether all is known there,
/// and where people go on from a ride so many rings of them.
fn led_to(streets: &Streets, from: &Region, seen: &Region, after_rides: u32) -> Region {
    let places: Vec<Place> = streets.nodes.iter().map(|node| node.place).collect();
    let block = cells_at(&places, BLOCK);
    let blocks = |way: &Street| {
        streets.refs[way.nodes.clone()].iter().map(|&node| block[node as usize]).collect::<BTreeSet<_>>()
    };
    let (mut led, mut ridden) = (BTreeSet::new(), BTreeSet::new());
    for way in &streets.ways {
        let blocks = blocks(way);
        if blocks.iter().any(|&block| from.has(block)) {
            let far = matches!(way.way.kind, WayKind::Cableway | WayKind::Ferry);
            if far { ridden.extend(blocks) } else { led.extend(blocks) }
        }
    }
    led.retain(|&block| !seen.has(block));
    let led = Region::new(BLOCK, led).grown(region::rings(STATION_M, BLOCK));
    led.and(Region::new(BLOCK, ridden).grown(after_rides).cells())
}

/// The blocks of the source whose terrain a tile has that is expected to see some blocks.
pub fn terrain_region(seen: &Region, system: AnalysisCrs) -> Region {
    let around = seen.grown(region::rings(TERRAIN_M, BLOCK));
    if system.is_wgs84() { around } else { moved_back(&around, system) }
}

/// The blocks of WGS-84 in which everything lies that lies in these blocks of another system.
pub fn moved_back(region: &Region, system: AnalysisCrs) -> Region {
    Region::new(BLOCK, region.cells().map(|block| cell::at(system.back(cell::centre(block)), BLOCK))).grown(2)
}

/// The corners of the box around places.
fn corners(places: &[Place]) -> Vec<Place> {
    let least = |of: fn(Place) -> f64| places.iter().map(|&place| of(place)).fold(f64::INFINITY, f64::min);
    let most = |of: fn(Place) -> f64| places.iter().map(|&place| of(place)).fold(f64::NEG_INFINITY, f64::max);
    let corners = [(least(Place::lon), least(Place::lat)), (most(Place::lon), most(Place::lat))];
    corners.into_iter().filter_map(|(lon, lat)| Place::new(lon, lat)).collect()
}

impl TileStreets {
    fn save(&self, path: &Path) -> Result<()> {
        let mut columns = store::columns(&self.network);
        columns.push(("region", region_column(&self.region)));
        lists::save(path, STREETS, columns)
    }

    /// Read what a job wrote.
    ///
    /// # Errors
    /// A problem when the file is missing or damaged.
    pub fn load(path: &Path) -> Result<Self> {
        lists::load(path, STREETS, |lists| {
            Some(Self { network: store::of_lists(lists)?, region: region_of(lists)? })
        })
    }
}

fn region_column(region: &Region) -> ArrayRef {
    list::<UInt64Type>(region.cells().map(u64::from))
}

fn region_of(lists: &Lists) -> Option<Region> {
    let cells = lists.values::<UInt64Type>("region")?;
    Some(Region::new(BLOCK, cells.into_iter().map(cell::from_id).collect::<Option<Vec<_>>>()?))
}

/// A facility of the map: what the map says, and nothing else.
#[derive(Serialize, Deserialize)]
struct MapFacility {
    id: String,
    class: String,
    name: Option<String>,
    place: (f64, f64),
    level: Option<i16>,
    doors: Vec<(f64, f64)>,
    class_rule: Option<String>,
    outline: bool,
    capacity: [Option<f64>; 5],
    operator: Option<String>,
    source: Option<String>,
}

impl MapFacility {
    fn of(facilities: &Facilities, row: usize) -> Result<String> {
        let degrees = |place: Place| (place.lon(), place.lat());
        let Entry {
            class_rule, outline, capacity, operator, source, service_level: None, status: None, ..
        } = facilities.entry[row].clone()
        else {
            return Err(Error::Internal("a map knows no stages".to_owned()));
        };
        let facility = Self {
            id: facilities.id.text(row),
            class: facilities.class[row].clone(),
            name: facilities.name[row].clone(),
            place: degrees(facilities.place[row]),
            level: facilities.level[row].map(|level| level.0),
            doors: facilities.doors[row].iter().copied().map(degrees).collect(),
            class_rule,
            outline,
            capacity,
            operator,
            source,
        };
        serde_json::to_string(&facility).map_err(|error| Error::Internal(error.to_string()))
    }

    fn add_to(self, facilities: &mut Facilities, file: &std::sync::Arc<str>) -> Option<()> {
        let place = |(lon, lat): (f64, f64)| Place::new(lon, lat);
        facilities.id.push_text(&self.id);
        facilities.class.push(self.class);
        facilities.name.push(self.name);
        facilities.place.push(place(self.place)?);
        facilities.level.push(self.level.map(Level));
        facilities.doors.push(self.doors.into_iter().map(place).collect::<Option<_>>()?);
        facilities.file.push(std::sync::Arc::clone(file));
        facilities.row.push(None);
        facilities.entry.push(Entry {
            class_rule: self.class_rule,
            outline: self.outline,
            capacity: self.capacity,
            operator: self.operator,
            source: self.source,
            ..Entry::default()
        });
        Some(())
    }
}

impl Land {
    fn save(&self, path: &Path) -> Result<()> {
        let spots = self.streets.sorted();
        let number = |of: fn(&Spot) -> f64| list::<Float64Type>(spots.iter().map(|(_, spot)| of(spot)));
        let rows = (0..self.facilities.len()).map(|row| MapFacility::of(&self.facilities, row));
        let facts = serde_json::to_string(&self.facts).map_err(|error| Error::Internal(error.to_string()))?;
        let columns: Vec<Column> = vec![
            ("home_lon", lon(self.homes.place.iter().copied())),
            ("home_lat", lat(self.homes.place.iter().copied())),
            ("home_weight", list::<Float64Type>(self.homes.weight.iter().copied())),
            ("street_cell", list::<UInt64Type>(spots.iter().map(|(cell, _)| u64::from(*cell)))),
            ("street_weight", number(|spot| spot.weight)),
            ("street_lon", number(|spot| spot.lon)),
            ("street_lat", number(|spot| spot.lat)),
            ("facility", texts(rows.collect::<Result<Vec<_>>>()?)),
            ("far", texts(&self.far)),
            ("corner_lon", lon(self.corners.iter().copied())),
            ("corner_lat", lat(self.corners.iter().copied())),
            ("facts", texts([facts])),
            ("length_um", list::<Int64Type>(self.length_um)),
            ("region", region_column(&self.region)),
        ];
        lists::save(path, LAND, columns)
    }

    /// Read what a job wrote; `file` is the name of the map.
    ///
    /// # Errors
    /// A problem when the file is missing or damaged.
    pub fn load(path: &Path, file: &str) -> Result<Self> {
        lists::load(path, LAND, |lists| Self::of(lists, file))
    }

    fn of(lists: &Lists, file: &str) -> Option<Self> {
        let (cells, weight) =
            (lists.values::<UInt64Type>("street_cell")?, lists.values::<Float64Type>("street_weight")?);
        let (lons, lats) =
            (lists.values::<Float64Type>("street_lon")?, lists.values::<Float64Type>("street_lat")?);
        let spots = cells.into_iter().zip(weight).zip(lons.into_iter().zip(lats));
        let spots =
            spots.map(|((cell, weight), (lon, lat))| Some((cell::from_id(cell)?, Spot { weight, lon, lat })));
        let mut facilities = none_of_map(file);
        let file = file.into();
        for text in lists.texts("facility")? {
            serde_json::from_str::<MapFacility>(&text).ok()?.add_to(&mut facilities, &file)?;
        }
        Some(Self {
            homes: Dwellings {
                place: lists.places("home_lon", "home_lat")?,
                weight: lists.values::<Float64Type>("home_weight")?,
            },
            streets: ByCell::new(spots.collect::<Option<Vec<_>>>()?),
            facilities,
            far: lists.texts("far")?,
            corners: lists.places("corner_lon", "corner_lat")?,
            facts: serde_json::from_str(lists.texts("facts")?.first()?).ok()?,
            length_um: lists.values::<Int64Type>("length_um")?.try_into().ok()?,
            region: region_of(lists)?,
        })
    }
}

/// The name of a facility among those of all tiles.
pub fn far_name(facilities: &Facilities, row: usize) -> String {
    format!("{} {}", facilities.class[row], facilities.id.text(row))
}

fn none_of_map(file: &str) -> Facilities {
    Facilities::new(file, Ids::Text(vec![]), vec![], vec![])
}
