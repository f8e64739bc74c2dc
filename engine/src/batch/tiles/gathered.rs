//! Between the two jobs of tiles: people, facilities and areas of all of them are joined as for a run in one piece, and every
//! tile is told who lives and what stands there.

use super::folder::{Folder, GROUND, Receipt, write_json};
use super::ground::{Facts, Land, TileStreets, far_name};
use super::plan::{BLOCK, Plan};
use crate::batch::prepare::{self, Land as WholeLand, Prepared, Sources, cell_resolution, street_spots};
use crate::io::files::file_name;
use crate::io::given::Given;
use crate::io::lists::{self, Column, Layout, lat, list, lon, texts};
use crate::io::osm::LeftOut;
use crate::metrics::population::{ByCell, InOutlines, Room, Streets};
use crate::model::cell;
use crate::model::error::{Error, Result};
use crate::model::extent::Extent;
use crate::model::facility::Facilities;
use crate::model::finder::Finder;
use crate::model::ids::Ids;
use crate::model::level::Level;
use crate::model::place::{Place, Spot};
use crate::model::population::Dwellings;
use crate::model::problem::{Fault, Problem};
use crate::model::progress::Progress;
use crate::model::region::Region;
use crate::model::street::WayKind;
use crate::model::study::Study;
use crate::network::graph::{Edges, Heights, Network, Origin, Ways};
use arrow_array::types::{Int16Type, UInt32Type, UInt64Type};
use geo::{BoundingRect, MultiPolygon};
use h3o::{CellIndex, Resolution};
use std::collections::{BTreeSet, VecDeque};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

const INPUTS: Layout = Layout { version: "walkshed-tile-inputs/1", expected: "homes and doors of a tile" };

/// How a missing floor is written.
const NO_LEVEL: i16 = i16::MIN;

/// Tiles whose streets are kept in memory while people are spread over them.
const TILES_AT_ONCE: usize = 4;

/// A study whose inputs are joined, and what its tiles add up to.
#[derive(Debug)]
pub struct Gathered {
    /// The inputs; their network is none, but says where the streets come from.
    pub prepared: Prepared,
    /// Counts of all tiles.
    pub facts: Facts,
    /// Length of all edges by kind.
    pub length_um: [i64; WayKind::ALL.len()],
}

/// What the splitter told of the source as a whole.
pub struct Whole {
    /// What was left out.
    pub left_out: LeftOut,
    /// What is doubtful.
    pub findings: Vec<Problem>,
    /// Whether it is made up.
    pub synthetic: bool,
    /// Pixels of the terrain without a height, and how many of them were filled.
    pub voids: (u64, u64),
}

/// Join all inputs of a study whose tiles have their ground.
///
/// # Errors
/// As of a run in one piece.
pub fn gather(
    folder: &Folder,
    plan: &Plan,
    study: &Study,
    given: &Given,
    whole: Whole,
    receipts: &[Receipt],
    progress: &Progress,
) -> Result<Gathered> {
    let mut rejected = Vec::new();
    progress.begin("checking inputs", 0)?;
    let sources = Sources::read(study, given, &mut rejected)?;
    rejected.extend(whole.findings);
    let mut all = All::default();
    let map = file_name(study.streets.file());
    progress.begin("land of all tiles", receipts.len())?;
    for receipt in receipts {
        all.add(Land::load(&land_path(folder, receipt), &map)?);
        progress.step(1)?;
    }
    let lines = TileLines::new(folder, plan, study, receipts)?;
    let origin = Origin {
        max_snap_m: study.streets.max_snap_m,
        gates: study.streets.gates,
        join_islands_m: study.streets.join_islands_m,
        analysis_crs: study.study.analysis_crs,
        voids: whole.voids,
        tags_not_believed: all.facts.tags_not_believed,
        lifts_to_nowhere: all.facts.lifts_to_nowhere,
        left_out: whole.left_out,
        synthetic: whole.synthetic,
    };
    let from_map = study.facilities.osm.then(|| all.facilities(&map, &sources)).transpose()?;
    let land = WholeLand {
        network: no_streets(origin),
        extent: Extent::of(&all.corners),
        homes: std::mem::take(&mut all.homes),
        from_map,
        is_told: true,
        streets: Streets { by_cell: std::mem::take(&mut all.streets), lines: &lines },
    };
    let prepared = prepare::gather(study, sources, land, &mut rejected, progress)?;
    Ok(Gathered { prepared, facts: all.facts, length_um: all.length_um })
}

fn land_path(folder: &Folder, receipt: &Receipt) -> PathBuf {
    folder.stage(GROUND).join(&receipt.files[1].file)
}

/// A network without streets: they lie in tiles.
fn no_streets(origin: Origin) -> Network {
    let ways = Ways {
        edges: Edges { first_vertex: vec![0], ..Edges::default() },
        heights: Heights { first: vec![0], ..Heights::default() },
        ..Ways::default()
    };
    Network::new(Ids::Int(vec![]), vec![], Ids::Int(vec![]), ways, origin)
}

/// The land of all tiles, tile by tile.
#[derive(Default)]
struct All {
    homes: Dwellings,
    streets: ByCell,
    facilities: Vec<Facilities>,
    far: BTreeSet<String>,
    corners: Vec<Place>,
    facts: Facts,
    length_um: [i64; WayKind::ALL.len()],
}

impl All {
    fn add(&mut self, land: Land) {
        self.homes.place.extend(land.homes.place);
        self.homes.weight.extend(land.homes.weight);
        self.streets = std::mem::take(&mut self.streets).and(land.streets);
        self.facilities.push(land.facilities);
        self.far.extend(land.far);
        self.corners.extend(land.corners);
        self.facts.nodes += land.facts.nodes;
        self.facts.edges += land.facts.edges;
        self.facts.tags_not_believed += land.facts.tags_not_believed;
        self.facts.lifts_to_nowhere += land.facts.lifts_to_nowhere;
        self.facts.mainland |= land.facts.mainland;
        for (sum, length_um) in self.length_um.iter_mut().zip(land.length_um) {
            *sum += length_um;
        }
    }

    /// The facilities of the map, by class and id as the reader of the whole sorts them.
    fn facilities(&mut self, map: &str, sources: &Sources) -> Result<Facilities> {
        let none = Facilities::new(map, Ids::Text(vec![]), vec![], vec![]);
        let all = std::mem::take(&mut self.facilities).into_iter().fold(none, Facilities::and);
        for row in 0..all.len() {
            self.far.remove(&far_name(&all, row));
        }
        if let Some(lost) = self.far.first() {
            let fault = Fault::TileUnbounded { rounds: 0 };
            return Err(Problem::of_file(map, fault).with_id(lost).into());
        }
        let known = &sources.catalogue().classes;
        let position = |row: usize| known.iter().position(|class| class.id == all.class[row]);
        let missing = || Error::Internal("a facility of the map is of no class of the catalogue".to_owned());
        let mut rows: Vec<(usize, String, usize)> = (0..all.len())
            .map(|row| Ok((position(row).ok_or_else(missing)?, all.id.text(row), row)))
            .collect::<Result<_>>()?;
        rows.sort_unstable();
        Ok(all.pick(&rows.into_iter().map(|(.., row)| row).collect::<Vec<_>>()))
    }
}

/// Streets that are looked for in outlines: those of the tiles that an outline may touch, read when they are needed.
struct TileLines {
    tiles: Vec<TileLine>,
    resolution: Resolution,
    recent: Mutex<VecDeque<(usize, Arc<Room<'static>>)>>,
}

struct TileLine {
    path: PathBuf,
    cell: CellIndex,
    frame: [f64; 4],
}

impl TileLines {
    fn new(folder: &Folder, plan: &Plan, study: &Study, receipts: &[Receipt]) -> Result<Self> {
        let line = |receipt: &Receipt| {
            let (_, tile) = plan.tile(&receipt.key)?;
            let cell = tile.cell()?;
            let frame = Region::new(cell.resolution(), [cell]).grown(1);
            let path = folder.stage(GROUND).join(&receipt.files[0].file);
            Ok(TileLine { path, cell, frame: frame_of(&frame) })
        };
        let tiles = receipts.iter().map(line).collect::<Result<_>>()?;
        Ok(Self { tiles, resolution: cell_resolution(study)?, recent: Mutex::default() })
    }

    /// The streets in the cells of a tile, as points.
    fn room(&self, number: usize) -> Result<Arc<Room<'static>>> {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, room)) = recent.iter().find(|(known, _)| *known == number) {
            return Ok(Arc::clone(room));
        }
        let tile = &self.tiles[number];
        let network = TileStreets::load(&tile.path)?.network;
        let mut finder = Finder::new(self.resolution);
        let is_own = |place: Place| finder.at(place).parent(tile.cell.resolution()) == Some(tile.cell);
        let room = Arc::new(Room::of(street_spots(&network, is_own), self.resolution));
        recent.push_front((number, Arc::clone(&room)));
        recent.truncate(TILES_AT_ONCE);
        Ok(room)
    }
}

/// Cells of a tile lie in its outline or beside it, so all of them lie in the box around it and its neighbours.
fn frame_of(region: &Region) -> [f64; 4] {
    let corners: Vec<geo::Rect> =
        region.cells().filter_map(|cell| cell::outline(cell).bounding_rect()).collect();
    let least = |of: fn(&geo::Rect) -> f64| corners.iter().map(of).fold(f64::INFINITY, f64::min);
    let most = |of: fn(&geo::Rect) -> f64| corners.iter().map(of).fold(f64::NEG_INFINITY, f64::max);
    [least(|it| it.min().x), least(|it| it.min().y), most(|it| it.max().x), most(|it| it.max().y)]
}

impl InOutlines for TileLines {
    fn in_outline(&self, outline: &MultiPolygon) -> Result<Vec<(CellIndex, f64)>> {
        let Some(frame) = outline.bounding_rect() else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for (number, tile) in self.tiles.iter().enumerate() {
            let [west, south, east, north] = tile.frame;
            let apart = frame.max().x < west
                || frame.min().x > east
                || frame.max().y < south
                || frame.min().y > north;
            if !apart {
                found.extend(self.room(number)?.in_outline(outline)?);
            }
        }
        found.sort_unstable_by_key(|(cell, _)| *cell);
        Ok(found)
    }
}

/// Who lives in a tile, and what people there may walk to.
#[derive(Debug)]
pub struct Inputs {
    /// The classes of all facilities.
    pub class: Vec<String>,
    /// Where the people of each cell step out.
    pub homes: Vec<Place>,
    /// Doors of the tile and of what is around it: number among all doors, and facility below.
    pub doors: Vec<(u32, u32)>,
    /// Where they are, with the floor.
    pub door_spots: Vec<Spot>,
    /// Facilities of these doors: row among all, rank of the id among all, class.
    pub facilities: Vec<(u32, u64, u32)>,
    /// Facilities that stand in the tile's blocks: row among all, and place.
    pub standing: Vec<(u32, Place)>,
}

/// The rows of the cells of each tile; ranges that follow one another, with those between that are in no tile.
pub fn ranges(plan: &Plan, cells: &[CellIndex]) -> Result<Vec<(Range<usize>, Option<u32>)>> {
    let mut ranges: Vec<(Range<usize>, Option<u32>)> = Vec::new();
    let mut next = 0;
    let mut upto = |row: usize, tile: Option<u32>, next: &mut usize| {
        if row > *next {
            ranges.push((*next..row, tile));
            *next = row;
        }
    };
    for (number, tile) in (0..).zip(&plan.tiles) {
        let cell = tile.cell()?;
        let row_of = |bound: Option<CellIndex>, after: bool| {
            let Some(bound) = bound else { return cells.len() };
            cells.partition_point(|&cell| if after { cell <= bound } else { cell < bound })
        };
        let Some(resolution) = cells.first().map(|cell| cell.resolution()) else { break };
        let first = row_of(cell.child_at(0, resolution), false);
        let last = row_of(cell.child_at(cell.children_count(resolution) - 1, resolution), true);
        upto(first, None, &mut next);
        upto(last, Some(number), &mut next);
    }
    upto(cells.len(), None, &mut next);
    Ok(ranges)
}

/// Write the inputs of all tiles.
///
/// # Errors
/// The file system refuses, or a file of a tile is damaged.
pub fn write_inputs(
    folder: &Folder,
    plan: &Plan,
    study: &Study,
    prepared: &Prepared,
    receipts: &[Receipt],
    progress: &Progress,
) -> Result<()> {
    let standing = Standing::of(&prepared.facilities);
    let ranges = ranges(plan, &prepared.cells.cell)?;
    let map = file_name(study.streets.file());
    progress.begin("homes and doors of tiles", receipts.len())?;
    for (number, receipt) in (0_u32..).zip(receipts) {
        let homes =
            ranges.iter().find(|(_, tile)| *tile == Some(number)).map_or(0..0, |(range, _)| range.clone());
        let region = Land::load(&land_path(folder, receipt), &map)?.region;
        let own = plan.tiles[number as usize].own()?;
        let inputs = standing.inputs(prepared, homes, &region, &own);
        inputs.save(&folder.inputs(number))?;
        progress.step(1)?;
    }
    write_json(&folder.inputs_mark(), &plan.key).map(drop)
}

/// All doors and facilities by the block in which they are.
struct Standing {
    class: Vec<String>,
    class_of: Vec<u32>,
    rank: Vec<u32>,
    /// Facility of each door, and where it is.
    doors: Vec<(u32, Place)>,
    /// Blocks of doors with their numbers, sorted.
    door_at: Vec<(CellIndex, u32)>,
    /// Blocks of facilities with their rows, sorted.
    facility_at: Vec<(CellIndex, u32)>,
}

impl Standing {
    fn of(facilities: &Facilities) -> Self {
        let class = facilities.classes();
        let of = |name| class.binary_search(name).expect("classes are complete") as u32;
        let doors: Vec<(u32, Place)> = (0..)
            .zip(&facilities.doors)
            .flat_map(|(row, doors)| doors.iter().map(move |&place| (row, place)))
            .collect();
        let mut door_at: Vec<(CellIndex, u32)> =
            (0..).zip(&doors).map(|(door, (_, place))| (cell::at(*place, BLOCK), door)).collect();
        let mut facility_at: Vec<(CellIndex, u32)> =
            (0..).zip(&facilities.place).map(|(row, &place)| (cell::at(place, BLOCK), row)).collect();
        door_at.sort_unstable();
        facility_at.sort_unstable();
        Self {
            class_of: facilities.class.iter().map(of).collect(),
            rank: facilities.id.ranks(),
            class,
            doors,
            door_at,
            facility_at,
        }
    }

    fn inputs(&self, prepared: &Prepared, homes: Range<usize>, seen: &Region, own: &Region) -> Inputs {
        let mut doors = inside(&self.door_at, seen);
        doors.sort_unstable();
        let mut rows: Vec<u32> = doors.iter().map(|&door| self.doors[door as usize].0).collect();
        rows.dedup();
        let local = |row: u32| rows.binary_search(&row).expect("every door's facility is there") as u32;
        let spot = |&door: &u32| {
            let (row, place) = self.doors[door as usize];
            Spot { place, level: prepared.facilities.level[row as usize] }
        };
        let mut standing = inside(&self.facility_at, own);
        standing.sort_unstable();
        let facility = |&row: &u32| (row, u64::from(self.rank[row as usize]), self.class_of[row as usize]);
        Inputs {
            class: self.class.clone(),
            homes: prepared.cells.place[homes].to_vec(),
            door_spots: doors.iter().map(spot).collect(),
            doors: doors.iter().map(|&door| (door, local(self.doors[door as usize].0))).collect(),
            facilities: rows.iter().map(facility).collect(),
            standing: standing.iter().map(|&row| (row, prepared.facilities.place[row as usize])).collect(),
        }
    }
}

/// What lies in the blocks of a region.
fn inside(at: &[(CellIndex, u32)], region: &Region) -> Vec<u32> {
    let of_block = |block: CellIndex| {
        let first = at.partition_point(|(cell, _)| *cell < block);
        at[first..].iter().take_while(move |(cell, _)| *cell == block).map(|(_, number)| *number)
    };
    region.cells().flat_map(of_block).collect()
}

impl Inputs {
    fn save(&self, path: &Path) -> Result<()> {
        let folder = path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).map_err(Error::file(folder))?;
        let numbers = |values: &mut dyn Iterator<Item = u32>| list::<UInt32Type>(values);
        let level = |spot: &Spot| spot.level.map_or(NO_LEVEL, |level| level.0);
        let columns: Vec<Column> = vec![
            ("class", texts(&self.class)),
            ("home_lon", lon(self.homes.iter().copied())),
            ("home_lat", lat(self.homes.iter().copied())),
            ("door", numbers(&mut self.doors.iter().map(|door| door.0))),
            ("door_facility", numbers(&mut self.doors.iter().map(|door| door.1))),
            ("door_lon", lon(self.door_spots.iter().map(|spot| spot.place))),
            ("door_lat", lat(self.door_spots.iter().map(|spot| spot.place))),
            ("door_level", list::<Int16Type>(self.door_spots.iter().map(level))),
            ("facility_row", numbers(&mut self.facilities.iter().map(|it| it.0))),
            ("facility_rank", list::<UInt64Type>(self.facilities.iter().map(|it| it.1))),
            ("facility_class", numbers(&mut self.facilities.iter().map(|it| it.2))),
            ("standing_row", numbers(&mut self.standing.iter().map(|it| it.0))),
            ("standing_lon", lon(self.standing.iter().map(|it| it.1))),
            ("standing_lat", lat(self.standing.iter().map(|it| it.1))),
        ];
        lists::save(path, INPUTS, columns)
    }

    /// Read the inputs of a tile.
    ///
    /// # Errors
    /// A problem when the file is missing or damaged.
    pub fn load(path: &Path) -> Result<Self> {
        lists::load(path, INPUTS, |lists| {
            let numbers = |name| lists.values::<UInt32Type>(name);
            let level = |code: i16| (code != NO_LEVEL).then_some(Level(code));
            let places = lists.places("door_lon", "door_lat")?;
            let levels = lists.values::<Int16Type>("door_level")?;
            let (row, class) = (numbers("facility_row")?, numbers("facility_class")?);
            let rank = lists.values::<UInt64Type>("facility_rank")?;
            let standing = lists.places("standing_lon", "standing_lat")?;
            Some(Self {
                class: lists.texts("class")?,
                homes: lists.places("home_lon", "home_lat")?,
                doors: numbers("door")?.into_iter().zip(numbers("door_facility")?).collect(),
                door_spots: places
                    .into_iter()
                    .zip(levels)
                    .map(|(place, code)| Spot { place, level: level(code) })
                    .collect(),
                facilities: row
                    .into_iter()
                    .zip(rank)
                    .zip(class)
                    .map(|((row, rank), class)| (row, rank, class))
                    .collect(),
                standing: numbers("standing_row")?.into_iter().zip(standing).collect(),
            })
        })
    }
}
