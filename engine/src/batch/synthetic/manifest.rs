//! What says that the folder is synthetic, to people and to programs, and the study that runs on it.

use super::City;
use super::buildings::People;
use super::machines::MachineKind;
use super::people::RESOLUTION;
use super::streets::Kind;
use crate::io::hash::{InputFile, identify};
use crate::model::error::{Error, Result};
use crate::model::progress::Progress;
use crate::model::synthetic::{MIDDLE, SOURCE};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::Path;

/// The file by which a folder is known as a synthetic city.
pub const MARK: &str = "synthetic.json";

/// What a synthetic city holds, as it stands in `synthetic.json`.
#[derive(Debug, Clone, Serialize)]
pub struct Manifest {
    /// Always true.
    pub synthetic: bool,
    /// The same in words.
    pub notice: &'static str,
    /// Version of walkshed.
    pub walkshed: &'static str,
    /// Junctions asked for.
    pub nodes_wanted: usize,
    /// Number of the city.
    pub seed: u32,
    /// Degrees of its middle.
    pub middle: [f64; 2],
    /// Junctions of streets.
    pub junctions: usize,
    /// Streets by what they are.
    pub streets: BTreeMap<&'static str, usize>,
    /// Residential buildings.
    pub buildings: usize,
    /// Households.
    pub households: u64,
    /// People.
    pub people: u64,
    /// Rows of each table.
    pub rows: BTreeMap<&'static str, usize>,
    /// Every other file, with its size and hash.
    pub files: Vec<InputFile>,
}

const NOTICE: &str = "SYNTHETIC 合成数据: every street, building, person, facility, project and request is made up; \
                      nothing here describes a real place. 本文件夹中的道路、建筑、人口、设施、项目和诉求均为虚构，不代表任何真实地点。";

/// Write `STUDY.toml`, `README.md` and, last, `synthetic.json`.
pub fn write(
    folder: &Path,
    city: &City,
    rows: Vec<(&'static str, usize)>,
    progress: &Progress,
) -> Result<Manifest> {
    write_text(&folder.join("STUDY.toml"), &study(city))?;
    let mut manifest = Manifest {
        synthetic: true,
        notice: NOTICE,
        walkshed: env!("CARGO_PKG_VERSION"),
        nodes_wanted: city.wanted.nodes(),
        seed: city.wanted.seed(),
        middle: MIDDLE,
        junctions: city.lattice.len(),
        streets: streets(city),
        buildings: city.buildings.len(),
        households: city.buildings.iter().map(|building| u64::from(building.households)).sum(),
        people: city.buildings.iter().map(|building| u64::from(building.people.all)).sum(),
        rows: rows.into_iter().collect(),
        files: vec![],
    };
    write_text(&folder.join("README.md"), &readme(&manifest))?;
    let mut names: Vec<String> = vec!["README.md".to_owned(), "STUDY.toml".to_owned()];
    names.extend(["streets.osm.pbf", "terrain.tif"].map(str::to_owned));
    names.extend(manifest.rows.keys().map(|&name| name.to_owned()));
    names.sort();
    for name in names {
        progress.check()?;
        manifest.files.push(InputFile { path: name.clone(), ..identify(&folder.join(&name))? });
    }
    let text = serde_json::to_string_pretty(&manifest).map_err(|error| Error::Internal(error.to_string()))?;
    write_text(&folder.join(MARK), &text)?;
    Ok(manifest)
}

fn write_text(path: &Path, text: &str) -> Result<()> {
    let mut file = File::create_new(path).map_err(Error::file(path))?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(Error::file(path))
}

fn streets(city: &City) -> BTreeMap<&'static str, usize> {
    let street = |kind: Kind| match kind {
        Kind::Primary | Kind::Secondary | Kind::Tertiary => "roads",
        Kind::Residential | Kind::Service => "streets",
        Kind::Footway => "paths",
        Kind::Steps(_) => "stairs",
        Kind::Bridge => "bridges",
        Kind::Tunnel => "tunnels",
        Kind::Estate(_) => "ways_in_estates",
        Kind::EstateSteps(_) => "stairs_in_estates",
        Kind::Gate(_) => "gates",
    };
    let machine = |kind: MachineKind| match kind {
        MachineKind::Escalator => "escalators",
        MachineKind::InclinedLift | MachineKind::Lift { .. } => "lifts",
    };
    let names = city.streets.iter().map(|way| street(way.kind));
    let mut counts = BTreeMap::new();
    for name in names.chain(city.machines.iter().map(|way| machine(way.kind))) {
        *counts.entry(name).or_default() += 1;
    }
    counts.insert("walled_estates", city.estates.walled().count());
    counts
}

fn study(city: &City) -> String {
    let groups: Vec<String> = People::GROUPS.iter().map(|name| format!("\"{name}\"")).collect();
    format!(
        "# SYNTHETIC 合成数据: a made-up city, see README.md\n\
         [study]\nname = \"synthetic_{}_{}\"\nresolution = {}\n\n\
         [streets]\nosm = \"streets.osm.pbf\"\nelevation = \"terrain.tif\"\n\n\
         [facilities]\npath = \"facilities.parquet\"\n\n\
         [population]\npath = \"population_cells.parquet\"\ngroups = [{}]\n\n\
         [areas]\npath = \"communities.parquet\"\n\n\
         [coverage]\nminutes = [5, 10, 15]\nprofiles = [\"adult\", \"senior\"]\n",
        city.wanted.nodes(),
        city.wanted.seed(),
        u8::from(RESOLUTION),
        groups.join(", "),
    )
}

fn readme(manifest: &Manifest) -> String {
    format!(
        "# SYNTHETIC 合成数据\n\n{NOTICE}\n\n\
         Every table has a column `source` with the value `{SOURCE}`, every way a tag `source`. Codes begin with 99, which is no \
         province.\n每张表均有 `source` 列，值为 `{SOURCE}`；编码以 99 开头，不对应任何省份。\n\n\
         Made by walkshed {}: `walkshed synth DIR --nodes {} --seed {}`; the same numbers make the same bytes.\n\n\
         {} junctions, {} buildings, {} households 户, {} people 人.\n\n\
         | file 文件 | what 内容 |\n|---|---|\n\
         | `streets.osm.pbf` | streets, stairs, lifts, walls, buildings 道路、梯道、电梯、围墙、建筑 |\n\
         | `terrain.tif` | heights in metres 高程（米） |\n\
         | `communities.parquet` | estates, communities, districts 小区、社区、片区 |\n\
         | `buildings.parquet` | residential buildings with people 住宅及人口 |\n\
         | `population_cells.parquet` | people by age per H3 cell 各单元分年龄人口 |\n\
         | `population_communities.parquet` | people by age per community 各社区分年龄人口 |\n\
         | `facilities.parquet` | the ledger of facilities 设施台账 |\n\
         | `projects.parquet` | projects of renewal 更新项目 |\n\
         | `requests.parquet` | requests of residents 居民诉求 |\n\
         | `STUDY.toml` | `walkshed run STUDY.toml --out DIR` |\n\
         | `synthetic.json` | counts, sizes and hashes 数量、大小与校验值 |\n\n\
         The three tables of people count the same people: use one of them. 三张人口表为同一人口，请只用其一。\n",
        manifest.walkshed,
        manifest.nodes_wanted,
        manifest.seed,
        manifest.junctions,
        manifest.buildings,
        manifest.households,
        manifest.people,
    )
}
