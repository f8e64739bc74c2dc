//! All tiles put together: the result folder of a run in one piece, byte for byte.

use super::connected::{Connections, Pieces, Shared};
use super::folder::{Folder, GROUND, Receipt, WALK};
use super::gathered::{Gathered, ranges};
use super::ground::TileStreets;
use super::plan::{BLOCK, Plan};
use super::walked::{DoorJoin, TileLinks, TileTimes, snap};
use crate::batch::prepare::Prepared;
use crate::batch::publish::{MARK, Staging};
use crate::batch::study::{
    Clock, IslandReport, NetworkReport, ROWS_AT_ONCE, RunReport, list_unjoined, profiles,
    ranges as row_ranges, report, write_batches, write_report, write_tables,
};
use crate::io;
use crate::metrics::apportion::Part;
use crate::metrics::coverage::{NearestOf, Sums};
use crate::model::cell;
use crate::model::coverage::{Coverage, CoverageRow};
use crate::model::error::Result;
use crate::model::ids::Ids;
use crate::model::place::Spot;
use crate::model::profile::Profile;
use crate::model::progress::Progress;
use crate::model::region::Region;
use crate::model::study::Study;
use crate::model::times::{Nearest, Reason, Times};
use crate::network::components::Connectedness;
use crate::network::snap::Snap;
use crate::network::summary::by_kind_km;
use crate::travel::doors::Walk;
use crate::travel::islands::Inhabited;
use crate::travel::nearest::NearestTimes;
use arrow_array::RecordBatch;
use h3o::CellIndex;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

/// Bytes that sums of coverage take at most at a time.
const SUMS_BYTES: u64 = 128 << 20;

/// All tiles of a study.
pub struct Union<'a> {
    folder: &'a Folder,
    plan: &'a Plan,
    study: &'a Study,
    ground: &'a [Receipt],
    walked: &'a [Receipt],
    who: Vec<Profile>,
    class: Vec<String>,
    links: Vec<TileLinks>,
    shared: Shared,
    connections: Vec<Connections>,
    ranges: Vec<(Range<usize>, Option<u32>)>,
}

/// The times of some cells that follow one another.
struct Segment<'a> {
    profile: &'a str,
    class: &'a [String],
    first: usize,
    nearest: Vec<Nearest>,
}

impl NearestOf for Segment<'_> {
    fn profile(&self) -> &str {
        self.profile
    }

    fn classes(&self) -> Vec<String> {
        self.class.to_vec()
    }

    fn nearest(&self, cell: usize, class: usize) -> Nearest {
        self.nearest[(cell - self.first) * self.class.len() + class]
    }
}

impl<'a> Union<'a> {
    /// Read how tiles hang together.
    ///
    /// # Errors
    /// A file of a tile is damaged.
    pub fn new(
        folder: &'a Folder,
        plan: &'a Plan,
        study: &'a Study,
        prepared: &Prepared,
        (ground, walked): (&'a [Receipt], &'a [Receipt]),
        progress: &Progress,
    ) -> Result<Self> {
        let who = profiles(study);
        progress.begin("putting tiles together", walked.len())?;
        let links = walked.iter().map(|receipt| {
            progress.step(1)?;
            TileLinks::load(&folder.stage(WALK).join(&receipt.files[0].file), who.len())
        });
        let links: Vec<TileLinks> = links.collect::<Result<_>>()?;
        let shared = Shared::of(&links);
        let class = prepared.facilities.classes();
        let connections =
            (0..who.len()).map(|profile| Connections::of(&links, &shared, profile, class.len()));
        Ok(Self {
            connections: connections.collect(),
            ranges: ranges(plan, &prepared.cells.cell)?,
            folder,
            plan,
            study,
            ground,
            walked,
            who,
            class,
            links,
            shared,
        })
    }

    /// Publish the folder.
    ///
    /// # Errors
    /// As of a run in one piece.
    pub fn publish(
        &self,
        gathered: &mut Gathered,
        out: &Path,
        clock: &Clock,
        progress: &Progress,
    ) -> Result<RunReport> {
        let mut clock = clock.clone();
        let times = self.joined(&gathered.prepared, progress)?;
        list_unjoined(self.study, &mut gathered.prepared, &times.facility_snap);
        let prepared = &gathered.prepared;
        let total = self.total(prepared, progress)?;
        clock.stage("together");
        progress.hold()?;
        let staging = Staging::begin(out)?;
        let mut sizes = BTreeMap::new();
        sizes.insert("coverage.parquet", self.write_coverage(prepared, &staging, progress)?);
        clock.stage("coverage");
        progress.begin("writing", 4)?;
        sizes.insert("times.parquet", self.write_times(prepared, &staging, progress)?);
        sizes.extend(write_tables(self.study, prepared, &times, &staging, progress)?);
        clock.stage("write");
        let islands = self.islands(prepared);
        let network = self.network(gathered);
        let report = report(self.study.clone(), prepared, &times, (network, total, islands), sizes, clock);
        write_report(&staging.folder().join(MARK), &report)?;
        progress.check()?;
        staging.publish()?;
        Ok(report)
    }

    /// All walking times at once, as a run in one piece has them in memory.
    ///
    /// # Errors
    /// A file of a tile is damaged.
    pub fn times(&self, prepared: &Prepared, progress: &Progress) -> Result<Vec<NearestTimes>> {
        let first = self.joined(prepared, progress)?;
        let classes = self.class.len().max(1);
        let of_profile = |(number, profile): (usize, &Profile)| {
            let mut nearest = Vec::with_capacity(prepared.cells.cell.len() * classes);
            for range in &self.ranges {
                progress.check()?;
                nearest.extend(self.segment(number, range)?.nearest);
            }
            let mut times = first.clone();
            times.times.profile.clone_from(&profile.name);
            if number > 0 {
                let joined = |row: &[Nearest]| row.first() != Some(&Err(Reason::NotSnapped));
                times.origin_snap = nearest
                    .chunks(classes)
                    .map(|row| snap(joined(row), joined(row).then_some(0.0)))
                    .collect();
            }
            times.times.nearest = nearest;
            Ok(times)
        };
        self.who.iter().enumerate().map(of_profile).collect()
    }

    /// The times of cells that follow one another, by one profile.
    fn segment(&self, profile: usize, (range, tile): &(Range<usize>, Option<u32>)) -> Result<Segment<'_>> {
        let classes = self.class.len();
        let nearest = match tile {
            None => vec![Err(Reason::NotSnapped); range.len() * classes],
            Some(number) => {
                let path =
                    self.folder.stage(WALK).join(&self.walked[*number as usize].files[1 + profile].file);
                let TileTimes { mut nearest, home_groups } = TileTimes::load(&path)?;
                for (row, groups) in nearest.chunks_mut(classes.max(1)).zip(home_groups) {
                    for (class, entry) in row.iter_mut().enumerate() {
                        // The tile could not tell: the whole does.
                        if *entry == Err(Reason::NotConnected)
                            && self.connections[profile].has(*number, groups, class)
                        {
                            *entry = Err(Reason::BeyondCutoff);
                        }
                    }
                }
                nearest
            }
        };
        Ok(Segment { profile: &self.who[profile].name, class: &self.class, first: range.start, nearest })
    }

    /// How places are joined by the first profile; times are none, because they are read when they are needed.
    fn joined(&self, prepared: &Prepared, progress: &Progress) -> Result<NearestTimes> {
        let unjoined = Snap { anchor: None, nearest_m: None };
        let mut origin_snap = vec![unjoined; prepared.cells.cell.len()];
        for (range, tile) in &self.ranges {
            let Some(number) = tile else { continue };
            let away_m = &self.links[*number as usize].home_away_m;
            for (origin, away_m) in origin_snap[range.clone()].iter_mut().zip(away_m) {
                *origin = snap(away_m.is_some(), *away_m);
            }
        }
        let times = Times {
            profile: self.who[0].name.clone(),
            origin: Ids::UInt(prepared.cells.cell.iter().map(|&cell| u64::from(cell)).collect()),
            class: self.class.clone(),
            facility: prepared.facilities.id.clone(),
            nearest: Vec::new(),
        };
        Ok(NearestTimes { times, origin_snap, facility_snap: self.facility_snap(prepared, progress)? })
    }

    fn facility_snap(&self, prepared: &Prepared, progress: &Progress) -> Result<Vec<Snap>> {
        let facilities = &prepared.facilities;
        let first_door: Vec<usize> = facilities
            .doors
            .iter()
            .scan(0, |next, doors| Some(std::mem::replace(next, *next + doors.len())))
            .collect();
        let count: usize = facilities.doors.iter().map(Vec::len).sum();
        let mut doors: Vec<DoorJoin> = (0..count as u32)
            .map(|door| DoorJoin { door, joined: false, nearest_m: None, certain: false })
            .collect();
        for join in self.links.iter().flat_map(|tile| &tile.doors) {
            doors[join.door as usize] = *join;
        }
        let of = |row: usize| first_door[row]..first_door[row] + facilities.doors[row].len();
        let mut open = Vec::new();
        for row in (0..facilities.len()).filter(|&row| !doors[of(row)].iter().any(|door| door.joined)) {
            for (door, &place) in of(row).zip(&facilities.doors[row]) {
                if !doors[door].certain {
                    open.push((door, Spot { place, level: facilities.level[row] }));
                }
            }
        }
        self.look_farther(&open, &mut doors, progress)?;
        let best = |row: usize| {
            let mut best = Snap { anchor: None, nearest_m: None };
            for door in &doors[of(row)] {
                let nearer = |least_m| door.nearest_m.is_some_and(|nearest_m| nearest_m < least_m);
                if best.nearest_m.is_none_or(nearer) {
                    best = snap(door.joined, door.nearest_m);
                }
            }
            best
        };
        Ok((0..facilities.len()).map(best).collect())
    }

    /// The nearest street of doors that no street is near enough to, wherever it is.
    fn look_farther(
        &self,
        open: &[(usize, Spot)],
        doors: &mut [DoorJoin],
        progress: &Progress,
    ) -> Result<()> {
        for (tile, receipt) in self.plan.tiles.iter().zip(self.ground) {
            progress.check()?;
            let (cell, (_, seen)) = (tile.cell()?, self.plan.view(tile)?);
            let centre = cell::centre(cell);
            let reach_m = radius_m(cell, &seen);
            let may_be_nearer = |(door, spot): &&(usize, Spot)| {
                let nearest_m = doors[*door].nearest_m.unwrap_or(f64::INFINITY);
                spot.place.distance_m(centre) - reach_m < nearest_m
            };
            let asking: Vec<(usize, Spot)> = open.iter().filter(may_be_nearer).copied().collect();
            if asking.is_empty() {
                continue;
            }
            let network = TileStreets::load(&self.folder.stage(GROUND).join(&receipt.files[0].file))?.network;
            let walk = Walk::new(&network, &self.who[0], self.study.coverage.direction);
            let spots: Vec<Spot> = asking.iter().map(|(_, spot)| *spot).collect();
            for ((door, _), (found, _)) in asking.iter().zip(walk.join(&spots, progress)?) {
                let known = &mut doors[*door].nearest_m;
                let nearer = found.nearest_m.filter(|found_m| known.is_none_or(|known_m| *found_m < known_m));
                *known = nearer.or(*known);
            }
        }
        Ok(())
    }

    fn total(&self, prepared: &Prepared, progress: &Progress) -> Result<Vec<CoverageRow>> {
        let everywhere =
            vec![(0..prepared.cells.cell.len() as u32).map(|cell| Part { cell, share: 1.0 }).collect()];
        progress.begin("coverage of all", self.who.len())?;
        let mut rows = Vec::new();
        for (number, profile) in self.who.iter().enumerate() {
            let sums = self.sums(number, prepared, &everywhere, progress)?;
            let total = sums.coverage(&profile.name, &["all".to_owned()]);
            rows.extend(total.of_groups(|group| self.study.coverage.walks_as(group, &profile.name)).rows());
        }
        Ok(rows)
    }

    /// The sums of some areas, whose cells come tile by tile.
    fn sums(
        &self,
        profile: usize,
        prepared: &Prepared,
        parts: &[Vec<Part>],
        progress: &Progress,
    ) -> Result<Sums> {
        let cells = &prepared.cells;
        let mut sums = Sums::new(cells, parts.len(), &self.class, &self.study.coverage.minutes);
        for range in &self.ranges {
            let here: Vec<&[Part]> = parts.iter().map(|parts| between(parts, &range.0)).collect();
            if here.iter().any(|parts| !parts.is_empty()) {
                sums.add(&self.segment(profile, range)?, cells, &here, progress)?;
            }
        }
        Ok(sums)
    }

    /// Some areas at a time, as many as a run in one piece writes together.
    fn write_coverage(&self, prepared: &Prepared, staging: &Staging, progress: &Progress) -> Result<usize> {
        let areas = prepared.areas.id.len();
        progress.begin("coverage", areas * self.who.len())?;
        let (groups, limits) = (prepared.cells.groups.len() + 1, self.study.coverage.minutes.len());
        let at_once = (ROWS_AT_ONCE / (self.class.len() * groups * limits).max(1)).max(1);
        let of_one = Sums::memory_bytes(1, self.class.len(), groups, limits).max(1);
        let together = at_once * ((SUMS_BYTES / of_one) as usize / at_once).max(1);
        let chunks =
            (0..self.who.len()).flat_map(|who| row_ranges(areas, together).map(move |areas| (who, areas)));
        let batches = chunks.flat_map(|(who, chunk)| {
            let sums = self.sums(who, prepared, &prepared.parts[chunk.clone()], progress);
            let coverage =
                sums.map(|sums| sums.coverage(&self.who[who].name, &prepared.areas.id[chunk.clone()]));
            match coverage {
                Ok(coverage) => self.batches(coverage, at_once),
                Err(error) => Box::new(std::iter::once(Err(error))),
            }
        });
        write_batches(staging, "coverage.parquet", &io::coverage::DISTINCT, batches, progress)
    }

    /// The rows of some areas, a batch at a time: as columns of a table they take more memory than as sums.
    fn batches(
        &self,
        coverage: Coverage,
        at_once: usize,
    ) -> Box<dyn Iterator<Item = Result<RecordBatch>> + Send + '_> {
        Box::new(row_ranges(coverage.area_id.len(), at_once).map(move |areas| {
            let settings = &self.study.coverage;
            let some = coverage.areas(areas);
            let some = some.of_groups(|group| settings.walks_as(group, &coverage.profile));
            Ok(io::geometry::labelled(&io::coverage::to_batch(&some), self.study.study.analysis_crs))
        }))
    }

    fn write_times(&self, prepared: &Prepared, staging: &Staging, progress: &Progress) -> Result<usize> {
        let at_once = (ROWS_AT_ONCE / self.class.len().max(1)).max(1);
        let cells: Vec<u64> = prepared.cells.cell.iter().map(|&cell| u64::from(cell)).collect();
        let mut rows =
            Rows { union: self, cells: &cells, at_once, who: 0, range: 0, waiting: Vec::new(), first: 0 };
        let mut times = Times {
            profile: String::new(),
            origin: Ids::UInt(vec![]),
            class: self.class.clone(),
            facility: prepared.facilities.id.clone(),
            nearest: Vec::new(),
        };
        let batches = std::iter::from_fn(|| {
            let next = rows.next().transpose()?;
            Some(next.map(|(profile, origin, nearest)| {
                (times.profile, times.nearest) = (profile.to_owned(), nearest);
                times.origin = Ids::UInt(origin.to_vec());
                let batch = io::times::to_batch(&times);
                io::geometry::labelled(&batch, self.study.study.analysis_crs)
            }))
        });
        write_batches(staging, "times.parquet", &[], batches, progress)
    }

    fn network(&self, gathered: &Gathered) -> NetworkReport {
        let length_km =
            by_kind_km(gathered.length_um).into_iter().map(|(kind, km)| (kind.name(), km)).collect();
        let island_um: i64 = self.links.iter().map(|tile| tile.island_um).sum();
        NetworkReport {
            nodes: gathered.facts.nodes as usize,
            edges: gathered.facts.edges as usize,
            length_km,
            connectedness: Connectedness {
                pieces: Pieces::of_all(&self.links, &self.shared).count(),
                island_km: island_um as f64 / 1e9,
            },
        }
    }

    fn islands(&self, prepared: &Prepared) -> BTreeMap<String, IslandReport> {
        let of_profile = |(number, profile): (usize, &Profile)| {
            let pieces = Pieces::of_profile(&self.links, &self.shared, number);
            let (lengths, place) = pieces.lengths(&self.links, number);
            let mut home = vec![None; prepared.cells.cell.len()];
            for (range, tile) in &self.ranges {
                let Some(tile) = *tile else { continue };
                let of_tile = &self.links[tile as usize].of_profile[number].home_piece;
                for (home, &piece) in home[range.clone()].iter_mut().zip(of_tile) {
                    *home = place(tile, piece);
                }
            }
            let mut facility = vec![None; prepared.facilities.len()];
            for (tile, links) in (0..).zip(&self.links) {
                for &(row, piece) in &links.of_profile[number].facility_piece {
                    facility[row as usize] = place(tile, piece);
                }
            }
            let on = Inhabited { pieces: Vec::new(), home, facility };
            (profile.name.clone(), IslandReport::of(&lengths, &on, &prepared.cells.people))
        };
        self.who.iter().enumerate().map(of_profile).collect()
    }
}

/// Profile, homes, and their times.
type SomeRows<'a> = (&'a str, &'a [u64], Vec<Nearest>);

/// Rows of times as they are written: so many homes at a time, whatever the tiles.
struct Rows<'a> {
    union: &'a Union<'a>,
    cells: &'a [u64],
    at_once: usize,
    who: usize,
    range: usize,
    waiting: Vec<Nearest>,
    first: usize,
}

impl<'a> Rows<'a> {
    /// Profile, homes and times of the next rows; none after the last.
    fn next(&mut self) -> Result<Option<SomeRows<'a>>> {
        let (union, classes) = (self.union, self.union.class.len());
        let Some(profile) = union.who.get(self.who) else { return Ok(None) };
        let wanted = self.at_once.min(self.cells.len() - self.first);
        while self.waiting.len() < wanted * classes {
            self.waiting.extend(union.segment(self.who, &union.ranges[self.range])?.nearest);
            self.range += 1;
        }
        let nearest = self.waiting.drain(..wanted * classes).collect();
        let origin = &self.cells[self.first..self.first + wanted];
        self.first += wanted;
        if self.first == self.cells.len() {
            (self.who, self.range, self.first) = (self.who + 1, 0, 0);
        }
        Ok(Some((&profile.name, origin, nearest)))
    }
}

/// The parts of cells of a range; parts are in the order of cells.
fn between<'p>(parts: &'p [Part], range: &Range<usize>) -> &'p [Part] {
    let first = parts.partition_point(|part| (part.cell as usize) < range.start);
    let last = parts.partition_point(|part| (part.cell as usize) < range.end);
    &parts[first..last]
}

/// How far from the centre of a tile its network may reach, metres.
fn radius_m(cell: CellIndex, seen: &Region) -> f64 {
    let centre = cell::centre(cell);
    let farthest = seen.cells().map(|block| cell::centre(block).distance_m(centre)).fold(0.0, f64::max);
    farthest + 2.0 * BLOCK.edge_length_m()
}
