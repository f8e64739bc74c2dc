//! The jobs of `benches/peers`, by the engine: `jobs CITY --jobs J1,J2 --threads 1 --repeat 3 [--answers FOLDER]`.
//!
//! CITY is a folder that `benches/peers/city.py` made. Facilities stand, and people live, at nodes, so that the places of
//! peers that know only nodes are the same. One line of JSON for each run: job, threads, seconds of making ready and of the
//! answer, CPU seconds of both, the largest memory so far, a check sum. Answers go to FOLDER, where `run.py` holds those of
//! the peers against them.

use geo::{Coord, LineString, MultiPolygon, Polygon};
use h3o::{CellIndex, Resolution};
use rayon::prelude::*;
use std::path::{Path, PathBuf};
use std::time::Instant;
use walkshed::io;
use walkshed::io::table::Table;
use walkshed::metrics::population::cells_touching;
use walkshed::model::cell;
use walkshed::model::facility::Facilities;
use walkshed::model::place::Place;
use walkshed::model::progress::Progress;
use walkshed::model::times::Direction;
use walkshed::network::build;
use walkshed::network::graph::Network;
use walkshed::travel::arcs::Side;
use walkshed::travel::doors::{Joins, Walk};
use walkshed::travel::hierarchy::Contractions;
use walkshed::travel::isochrone::{BUFFER_M, isochrones};
use walkshed::travel::lanes::LongTimes;
use walkshed::travel::matrix::by_hierarchy;
use walkshed::travel::nearest;
use walkshed::travel::node_times::node_times;
use walkshed::travel::pairs::Pairs;
use walkshed::travel::tally;

const CUTOFF_DS: u32 = 9000;
/// No cut-off: the longest that lanes of whole numbers of four bytes can count to.
const NO_CUTOFF_DS: u32 = LongTimes::LONGEST_DS;
const ISOCHRONES_DS: [u32; 3] = [6000, 12_000, 18_000];
/// Rows and columns of the matrix, and points of isochrones.
const MATRIX: usize = 1000;
const POINTS: usize = 20;
const LIMITS_DS: [u32; 3] = [3000, 6000, 9000];
const CELLS: Resolution = Resolution::Ten;
/// Corners of an outline, the first counted twice.
const CORNERS: usize = 13;

/// What is asked for on the command line.
struct Arguments {
    city: PathBuf,
    jobs: Vec<String>,
    threads: usize,
    repeat: usize,
    answers: Option<PathBuf>,
}

fn arguments() -> Arguments {
    let mut found = Arguments {
        city: PathBuf::new(),
        jobs: ["J1", "J1-nodes", "J2", "J3"].map(str::to_owned).to_vec(),
        threads: 1,
        repeat: 3,
        answers: None,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().unwrap_or_else(|| panic!("{word} needs a value"));
        match word.as_str() {
            "--jobs" => found.jobs = value().split(',').map(str::to_owned).collect(),
            "--threads" => found.threads = value().parse().expect("--threads is a number"),
            "--repeat" => found.repeat = value().parse().expect("--repeat is a number"),
            "--answers" => found.answers = Some(value().into()),
            _ => found.city = word.into(),
        }
    }
    found
}

/// The city, its people at every node.
struct City {
    network: Network,
    facilities: Facilities,
    homes: Vec<Place>,
}

fn read(folder: &Path) -> City {
    let table = |name: &str| Table::read(&folder.join(name)).expect("city.py has made the city");
    let survey =
        io::survey::read(&table("nodes.parquet"), &table("edges.parquet")).expect("the city is valid");
    let network = build::from_survey(survey, 50.0).expect("the city is valid");
    let columns = io::facilities::Columns::default();
    let facilities = io::facilities::read(&table("facilities.parquet"), columns, &mut Vec::new());
    City { homes: network.node_place.clone(), network, facilities: facilities.expect("the city is valid") }
}

/// CPU seconds of this process so far.
fn cpu_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux tells the time of a process");
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields[at].parse::<f64>().unwrap_or_default();
    (ticks(11) + ticks(12)) / 100.0
}

struct Bench<'a> {
    city: &'a City,
    walk: &'a Walk<'a>,
    joins: &'a Joins,
    contractions: &'a Contractions,
    outlines: &'a [MultiPolygon],
    answers: Option<&'a Path>,
}

impl Bench<'_> {
    /// Do a job once; its check sum.
    fn job(&self, name: &str) -> u64 {
        let (walk, joins, quiet) = (self.walk, self.joins, Progress::default());
        match name {
            "J1" => {
                let found = nearest::search(walk, joins, &self.city.facilities, CUTOFF_DS, &quiet)
                    .expect("nobody stops it");
                self.keep("J1.u32", || {
                    found.iter().map(|entry| entry.map_or(u32::MAX, |found| found.time_ds))
                });
                found.iter().flatten().map(|found| u64::from(found.time_ds)).sum()
            }
            // What peers answer: times at nodes, without saying which facility or why there is none.
            "J1-nodes" => {
                let found = node_times(walk, joins, &self.city.facilities, CUTOFF_DS, &quiet)
                    .expect("nobody stops it");
                let (nodes, classes) = (found.node_count(), found.class.len());
                let all = || (0..nodes).flat_map(|node| (0..classes).map(move |class| (node, class)));
                self.keep("J1-nodes.u32", || {
                    all().map(|(node, class)| found.get(node, class).unwrap_or(u32::MAX))
                });
                u64::from(found.get(0, 0).unwrap_or_default())
            }
            "J2" => {
                let found = tally::counts(walk, joins, &self.city.facilities, &LIMITS_DS, &quiet)
                    .expect("nobody stops it");
                self.keep("J2.u32", || found.iter().copied());
                found.iter().map(|&count| u64::from(count)).sum()
            }
            "J3" => {
                let (mut pairs, mut time_ds) = (0, 0);
                Pairs::between(walk, joins, CUTOFF_DS)
                    .find(&quiet, |blocks| {
                        for block in blocks {
                            pairs += block.len() as u64;
                            time_ds += block.time_ds.iter().map(|&time_ds| u64::from(time_ds)).sum::<u64>();
                        }
                        Ok(())
                    })
                    .expect("nobody stops it");
                self.keep("J3.u32", || [(pairs >> 32) as u32, pairs as u32].into_iter());
                time_ds
            }
            // One point after the other, as somebody who clicks on a map asks.
            "J4" => {
                let step = self.city.homes.len() / POINTS;
                let points: Vec<Place> = self.city.homes.iter().step_by(step).take(POINTS).copied().collect();
                let shapes = points.iter().flat_map(|&point| {
                    isochrones(walk, &[point], &ISOCHRONES_DS, BUFFER_M, &quiet).expect("nobody stops it")
                });
                shapes.flatten().flatten().map(|shape| shape.area_m2 as u64).sum()
            }
            "J5" | "J5-sweeps" => {
                let some = |count: usize| move |row: usize| row * (count / MATRIX);
                let homes = (0..MATRIX).map(some(joins.homes.len())).map(|row| joins.homes[row]).collect();
                let rows: Vec<usize> = (0..MATRIX).map(some(self.city.facilities.len())).collect();
                let joins = Joins { homes, ..self.doors_of(&rows) };
                if name == "J5" {
                    let found = {
                        let hierarchy = self.contractions.of(walk, &quiet).expect("nobody stops it");
                        by_hierarchy(walk, &hierarchy, &joins, &quiet).expect("nobody stops it")
                    };
                    assert!(found.iter().all(Option::is_some), "the city hangs together");
                    self.keep("J5.u32", || found.iter().flatten().copied());
                    return found.iter().flatten().map(|&time_ds| u64::from(time_ds)).sum();
                }
                let (mut pairs, mut time_ds) = (0, 0);
                Pairs::between(walk, &joins, NO_CUTOFF_DS)
                    .find(&quiet, |blocks| {
                        for block in blocks {
                            pairs += block.len();
                            time_ds += block.time_ds.iter().map(|&time_ds| u64::from(time_ds)).sum::<u64>();
                        }
                        Ok(())
                    })
                    .expect("nobody stops it");
                assert_eq!(pairs, MATRIX * MATRIX, "the city hangs together");
                time_ds
            }
            "2SFCA" => {
                let access = self.two_step(&quiet);
                if let Some(folder) = self.answers {
                    let bytes: Vec<u8> = access.iter().flat_map(|access| access.to_le_bytes()).collect();
                    std::fs::write(folder.join("2SFCA.f64"), bytes).expect("the folder can be written to");
                }
                (access.iter().sum::<f64>() * 1000.0) as u64
            }
            "J7-points" => {
                let cells: Vec<CellIndex> =
                    self.city.homes.par_iter().map(|&place| cell::at(place, CELLS)).collect();
                sum_of(cells)
            }
            "J7-polygons" => {
                let cells = |outline| cells_touching(outline, CELLS).expect("outlines are small");
                sum_of(self.outlines.par_iter().flat_map_iter(cells).collect())
            }
            _ => panic!("no job {name}"),
        }
    }

    /// Some of the facilities, joined, with all homes.
    fn doors_of(&self, rows: &[usize]) -> Joins {
        let facilities = self.city.facilities.pick(rows);
        let joined = self.walk.join_doors(&facilities, &Progress::default());
        let (facility_snap, doors) = joined.expect("nobody stops it");
        Joins { homes: self.joins.homes.clone(), doors, facility_snap }
    }

    /// Two-step floating catchment area of the most frequent class within the cut-off: one person at every node, one place at
    /// every facility. Places for each person, node by node.
    ///
    /// # Source
    /// W. Luo, F. Wang, "Measures of spatial accessibility to health care in a GIS environment", 2003.
    fn two_step(&self, progress: &Progress) -> Vec<f64> {
        let facilities = &self.city.facilities;
        let first = &facilities.classes()[0];
        let rows: Vec<usize> = (0..facilities.len()).filter(|&row| facilities.class[row] == *first).collect();
        let joins = self.doors_of(&rows);
        let (mut pairs, mut people) = (Vec::new(), vec![0_u32; rows.len()]);
        Pairs::between(self.walk, &joins, CUTOFF_DS)
            .find(progress, |blocks| {
                pairs.extend(blocks);
                Ok(())
            })
            .expect("nobody stops it");
        for &facility in pairs.iter().flat_map(|block| &block.facility) {
            people[facility as usize] += 1;
        }
        let mut access = vec![0.0; joins.homes.len()];
        for block in &pairs {
            for (&origin, &facility) in block.origin.iter().zip(&block.facility) {
                access[origin as usize] += 1.0 / f64::from(people[facility as usize]);
            }
        }
        access
    }

    fn keep<I: Iterator<Item = u32>>(&self, name: &str, values: impl FnOnce() -> I) {
        if let Some(folder) = self.answers {
            let bytes: Vec<u8> = values().flat_map(u32::to_le_bytes).collect();
            std::fs::write(folder.join(name), bytes).expect("the folder of answers can be written to");
        }
    }
}

/// The sum of cell numbers, as 64 bits hold it.
fn sum_of(cells: Vec<CellIndex>) -> u64 {
    cells.into_iter().map(u64::from).fold(0, u64::wrapping_add)
}

/// The outlines that `city.py` made: so many corners each, the first again at the end.
fn outlines(folder: &Path) -> Vec<MultiPolygon> {
    let bytes = std::fs::read(folder.join("outlines.f64")).expect("city.py has made the city");
    let numbers: Vec<f64> = bytes
        .chunks_exact(8)
        .map(|eight| f64::from_le_bytes(eight.try_into().expect("eight bytes")))
        .collect();
    let corner = |pair: &[f64]| Coord { x: pair[0], y: pair[1] };
    let outline = |ring: &[f64]| {
        let ring = LineString::new(ring.chunks_exact(2).map(corner).collect());
        MultiPolygon::new(vec![Polygon::new(ring, vec![])])
    };
    numbers.chunks_exact(2 * CORNERS).map(outline).collect()
}

#[expect(clippy::print_stdout, reason = "what it found is its product")]
fn main() {
    let asked = arguments();
    rayon::ThreadPoolBuilder::new().num_threads(asked.threads).build_global().expect("the first pool");
    let city = read(&asked.city);
    let adult = io::defaults::profiles().swap_remove(0);
    let (start, cpu) = (Instant::now(), cpu_s());
    city.network.index();
    city.network.order();
    let walk = Walk::new(&city.network, &adult, Direction::ToFacility);
    walk.arcs(Side::Doors);
    let joins = walk.join_both(&city.homes, &city.facilities, &Progress::default()).expect("nobody stops it");
    let ready = (start.elapsed().as_secs_f64(), cpu_s() - cpu);
    let outlines = outlines(&asked.city);
    let answers = asked.answers.as_deref();
    let contractions = Contractions::default();
    let bench = Bench {
        city: &city,
        walk: &walk,
        joins: &joins,
        contractions: &contractions,
        outlines: &outlines,
        answers,
    };
    for job in &asked.jobs {
        for run in 0..asked.repeat {
            let (start, cpu) = (Instant::now(), cpu_s());
            let sum = bench.job(job);
            let (seconds, cpu) = (start.elapsed().as_secs_f64(), cpu_s() - cpu);
            println!(
                "{{\"peer\": \"walkshed\", \"job\": \"{job}\", \"nodes\": {}, \"threads\": {}, \"run\": {run}, \"ready_s\": {:.3}, \"ready_cpu_s\": {:.3}, \"query_s\": {seconds:.4}, \"query_cpu_s\": {cpu:.3}, \"peak_mib\": {}, \"sum\": {sum}}}",
                city.network.node_count(),
                asked.threads,
                ready.0,
                ready.1,
                io::memory::peak_bytes().unwrap_or_default() >> 20,
            );
        }
    }
}
