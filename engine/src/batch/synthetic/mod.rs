//! A synthetic mountain city, written in the formats that users bring: made up from a seed, the same on any number of
//! threads, and labelled as synthetic in every file.
//!
//! Every number is a closed formula of the seed and of what it is for (`chance`), so any thread may make any part.

mod buildings;
mod chance;
mod communities;
mod estates;
mod facilities;
mod lattice;
mod machines;
mod manifest;
mod names;
mod people;
mod projects;
mod relief;
mod streets;
mod table;
mod terrain;
mod water;
mod ways;

use super::publish::Staging;
use crate::io;
use crate::model::error::Result;
use crate::model::progress::Progress;
use crate::model::synthetic::Wanted;
use buildings::Building;
use chance::Chance;
use communities::Communities;
use estates::Estates;
use lattice::Lattice;
use machines::Machine;
pub use manifest::{MARK, Manifest};
use std::path::Path;
use streets::Street;

/// What makes one table of a city.
type Make = fn(&City) -> arrow_array::RecordBatch;

/// A city before it is written.
struct City {
    wanted: Wanted,
    chance: Chance,
    lattice: Lattice,
    estates: Estates,
    streets: Vec<Street>,
    machines: Vec<Machine>,
    buildings: Vec<Building>,
    communities: Communities,
    /// Points of all junctions but those of the island.
    town: Vec<u32>,
}

impl City {
    fn new(wanted: Wanted, progress: &Progress) -> Result<Self> {
        let chance = Chance::new(wanted.seed());
        let mut lattice = Lattice::new(wanted, chance, progress)?;
        let estates = Estates::new(&lattice, chance);
        let streets = streets::lay(&mut lattice, &estates, chance, progress)?;
        let machines = machines::place(&streets, chance);
        let buildings = buildings::build(&lattice, &estates, chance, progress)?;
        let communities = Communities::new(&lattice, &buildings, chance);
        let on_land = |&point: &u32| !lattice.terrain.on_islet(lattice.at(point as usize));
        let town = lattice.point.iter().copied().filter(on_land).collect();
        Ok(Self { wanted, chance, lattice, estates, streets, machines, buildings, communities, town })
    }
}

/// Make a city and put its folder in place: `streets.osm.pbf`, `terrain.tif`, `communities.parquet`, `buildings.parquet`,
/// `population_cells.parquet`, `population_communities.parquet`, `facilities.parquet`, `projects.parquet`,
/// `requests.parquet`, `STUDY.toml`, `README.md` and `synthetic.json`.
///
/// # Errors
/// A problem when something else stands at `out`; [`Error::Cancelled`](crate::model::error::Error::Cancelled) when the user
/// stopped; the folder is then as it was before.
pub fn write(wanted: Wanted, out: &Path, progress: &Progress) -> Result<Manifest> {
    Staging::check_marked(out, MARK)?;
    let city = City::new(wanted, progress)?;
    progress.hold()?;
    let staging = Staging::begin_marked(out, MARK)?;
    let folder = staging.folder();
    ways::write(&folder.join("streets.osm.pbf"), &city, progress)?;
    relief::write(&folder.join("terrain.tif"), &city, progress)?;
    let tables: [(&str, Make); 7] = [
        ("communities.parquet", people::areas),
        ("buildings.parquet", people::buildings),
        ("population_cells.parquet", people::cells),
        ("population_communities.parquet", people::totals),
        ("facilities.parquet", facilities::table),
        ("projects.parquet", projects::table),
        ("requests.parquet", projects::requests),
    ];
    progress.begin("writing tables", tables.len())?;
    let mut rows = Vec::new();
    for (name, table) in tables {
        let table = table(&city);
        io::geoparquet::write(&folder.join(name), &table, progress)?;
        rows.push((name, table.num_rows()));
        progress.step(1)?;
    }
    let manifest = manifest::write(folder, &city, rows, progress)?;
    progress.check()?;
    staging.publish()?;
    Ok(manifest)
}
