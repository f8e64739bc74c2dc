//! All inputs of a study, read, checked and brought together: what `run` computes on and `validate` looks at.

use crate::io;
use crate::io::given::Given;
use crate::io::hash::InputFile;
use crate::io::osm::buildings::BuildingRules;
use crate::io::osm::walking::{OpenAt, WalkingRules};
use crate::io::osm::{Extract, Wanted};
use crate::io::table::Table;
use crate::metrics::apportion::{self, Part};
use crate::metrics::duplicates::{self, Sameness};
use crate::metrics::neighbours;
use crate::metrics::population::{self, Evidence, Room, Settled, Streets};
use crate::model::age_group::AgeGroup;
use crate::model::analysis_crs::AnalysisCrs;
use crate::model::area::Areas;
use crate::model::catalogue::Catalogue;
use crate::model::cell;
use crate::model::coverage::EVERYBODY;
use crate::model::crs::Crs;
use crate::model::elevation::Elevation;
use crate::model::error::{Error, Result};
use crate::model::extent::Extent;
use crate::model::facility::Facilities;
use crate::model::place::Place;
use crate::model::population::{ByEvidence, Cells, Dwellings, Group, Pixels, Residents, Spread};
use crate::model::problem::{Fault, Problem};
use crate::model::progress::Progress;
use crate::model::smoothing::Smoothing;
use crate::model::street::WayKind;
use crate::model::study::{AreaSource, Study, TableFile};
use crate::network::build::{self, Rules};
use crate::network::graph::Network;
use h3o::Resolution;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A study ready to compute.
#[derive(Debug)]
pub struct Prepared {
    /// Streets.
    pub network: Network,
    /// What people walk to: the facilities that are open.
    pub facilities: Facilities,
    /// All facilities, open or not.
    pub ledger: Facilities,
    /// The rows of the ledger that are open, in the order of `facilities`.
    pub open: Vec<usize>,
    /// Classes that were looked for in the extract, in the order of the catalogue; none when it was not asked.
    pub sought: Vec<String>,
    /// Who lives where.
    pub cells: Cells,
    /// People that the source states, before they are brought to cells.
    pub people_in: f64,
    /// How many people came to their cells by which evidence.
    pub people_by: ByEvidence,
    /// The pixels of rasters of people, by group; none for other sources.
    pub pixels: BTreeMap<String, Pixels>,
    /// Areas, and the parts of cells in each.
    pub areas: Areas,
    /// Parts of cells by area.
    pub parts: Vec<Vec<Part>>,
    /// The system that the table of facilities states; none without a table.
    pub facilities_crs: Option<Crs>,
    /// Every input row that was left out, and what is to be known of those that were used: `Fault::level` tells.
    pub rejected: Vec<Problem>,
    /// Rows of each input that came in, and how many of them are used.
    pub counted: Vec<Counted>,
    /// The files that were read.
    pub inputs: Vec<InputFile>,
    /// Residential buildings; none where the ground cannot be used again, because something is to be told of it or
    /// facilities come from it.
    pub(super) homes: Option<Dwellings>,
}

/// How many rows of an input were read, and how many were taken. What was left out is counted from the problems, so that a
/// row that is lost on the way is noticed.
#[derive(Debug)]
pub struct Counted {
    /// What the input is to the study.
    pub input: &'static str,
    /// Its file.
    pub file: String,
    /// Rows of the file.
    pub rows: usize,
    /// Rows that were taken.
    pub taken: usize,
}

/// Read, check and join all inputs of a study; tables that were handed over are taken as they are.
///
/// What is found goes to `rejected`, and from there into the answer; before a fault that stops the study it stays there. Tables
/// that can be read without one another are all read before the study stops.
///
/// # Errors
/// Every fault that stops the study; faults of single rows are in [`Prepared::rejected`].
pub fn prepare(
    study: &Study,
    given: &Given,
    rejected: &mut Vec<Problem>,
    progress: &Progress,
) -> Result<Prepared> {
    prepare_on(None, study, given, rejected, progress)
}

/// The same on ground that was read before, from the same files by the same settings.
///
/// # Errors
/// As of [`prepare`].
pub(super) fn prepare_on(
    known: Option<Ground>,
    study: &Study,
    given: &Given,
    rejected: &mut Vec<Problem>,
    progress: &Progress,
) -> Result<Prepared> {
    let resolution = cell_resolution(study)?;
    progress.begin("checking inputs", 0)?;
    let sources = Sources::read(study, given, rejected)?;
    let ground = match known {
        Some(ground) => ground,
        None => ground(study, given, progress, rejected)?,
    };
    let Ground { network, homes, from_map, is_told } = ground;
    let spots = street_spots(&network, |_| true);
    let room = Room::new(&spots, resolution);
    let extent = Extent::of(&network.node_place);
    let land = Land { network, extent, homes, from_map, is_told, streets: room.streets() };
    gather(study, sources, land, rejected, progress)
}

/// The H3 resolution of the cells of a study.
pub(super) fn cell_resolution(study: &Study) -> Result<Resolution> {
    cell::resolution(study.study.resolution)
        .ok_or_else(|| Error::Internal("the resolution is checked at the door".to_owned()))
}

/// The inputs beside the streets, opened, and the catalogue by which they are read.
pub(super) struct Sources {
    inputs: Vec<InputFile>,
    tables: Tables,
    catalogue: Catalogue,
}

impl Sources {
    /// Open them; all their faults are told together.
    pub(super) fn read(study: &Study, given: &Given, rejected: &mut Vec<Problem>) -> Result<Self> {
        let inputs = identify(study, given)?;
        let tables = Tables::read(study, given)?;
        rejected.extend(tables.notes());
        let catalogue = io::study::catalogue(study.facilities.catalogue.as_deref())?;
        Ok(Self { inputs, tables, catalogue })
    }

    /// The catalogue by which facilities are read.
    pub(super) fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }
}

/// What everything else is joined to: streets, and what their source holds beside.
pub(super) struct Land<'a> {
    /// Streets; none where they lie in tiles.
    pub network: Network,
    /// Where they are.
    pub extent: Extent,
    /// Residential buildings.
    pub homes: Dwellings,
    /// Facilities of the map, where they are sought there.
    pub from_map: Option<Facilities>,
    /// Whether anything was found to be told of the source.
    pub is_told: bool,
    /// How much street is where.
    pub streets: Streets<'a>,
}

/// Facilities, people and areas of a study, read, checked and joined on a land.
///
/// # Errors
/// As of [`prepare`].
pub(super) fn gather(
    study: &Study,
    sources: Sources,
    land: Land<'_>,
    rejected: &mut Vec<Problem>,
    progress: &Progress,
) -> Result<Prepared> {
    let resolution = cell_resolution(study)?;
    let Sources { inputs, tables, catalogue } = sources;
    let Land { network, extent, homes, from_map, is_told, streets } = land;
    let sought = study.facilities.osm.then_some(&catalogue);
    let system = study.study.analysis_crs;
    let tables = tables.near(extent, system);
    let facilities_crs = tables.facilities.as_ref().map(Table::stated_crs).transpose()?;
    let mut errors = Vec::new();
    let ledger = gathered(ledger(study, &tables, &catalogue, from_map, rejected), &mut errors)?;
    let outlines = gathered(outlines(study, &tables, rejected), &mut errors)?;
    let evidence = Evidence::new(&homes, streets, resolution);
    let age_groups = &catalogue.age_group;
    let census = Census { study, evidence: &evidence, resolution, age_groups };
    // People of communities are read against the outlines, and say nothing without them.
    let people = match &outlines {
        Some(outlines) => {
            gathered(census.people(&tables, outlines.as_ref(), progress, rejected), &mut errors)?
        }
        None => None,
    };
    let (Some(ledger), Some(outlines), Some(people)) = (ledger, outlines, people) else {
        return Err(Error::Input(errors));
    };
    let mut counted = Vec::new();
    counted.extend(
        tables
            .facilities
            .as_ref()
            .map(|table| Counted::new("facilities", table, ledger.rows_of(&table.name))),
    );
    let ledger = without_duplicates(study, &catalogue, ledger, progress, rejected)?;
    let open = ledger.open_on(study.day())?;
    rejected.extend(ledger.status_problems(study.day()));
    let facilities = ledger.pick(&open);
    counted.extend(
        tables
            .areas
            .as_ref()
            .zip(outlines.as_ref())
            .map(|(table, areas)| Counted::new("areas", table, areas.id.len())),
    );
    let People { mut settled, stated: people_in, rows: people_rows, pixels } = people;
    counted.extend(tables.population.as_ref().map(|table| Counted::new("population", table, people_rows)));
    rejected.append(&mut settled.findings);
    let Settled { cells, by: people_by, .. } = settled;
    let drawn = outlines.is_some();
    let (areas, parts) = areas(study, outlines, &cells, progress)?;
    if drawn {
        rejected.extend(neighbours::findings(&areas, Some(&cells), progress)?);
    }
    let sought = sought.into_iter().flat_map(|catalogue| &catalogue.classes).map(|class| class.id.clone());
    let sought = sought.collect();
    let is_plain = !is_told && !study.facilities.osm;
    drop(evidence);
    Ok(Prepared {
        homes: is_plain.then_some(homes),
        network,
        facilities,
        ledger,
        open,
        sought,
        cells,
        people_in,
        people_by,
        pixels,
        areas,
        parts,
        facilities_crs,
        rejected: std::mem::take(rejected),
        counted,
        inputs,
    })
}

/// Streets with the terrain, and what else their source holds, all in the system of the analysis.
pub(super) struct Ground {
    /// The streets.
    pub network: Network,
    /// Residential buildings.
    pub homes: Dwellings,
    /// Facilities of the map, where they are sought there.
    pub from_map: Option<Facilities>,
    /// Whether anything was found to be told of the source.
    pub is_told: bool,
}

fn ground(study: &Study, given: &Given, progress: &Progress, rejected: &mut Vec<Problem>) -> Result<Ground> {
    let looking = Looking::of(study)?;
    let known = rejected.len();
    let extract = streets(study, given, looking.wanted(), progress, rejected)?;
    let elevation = elevation(study)?;
    rejected.extend(extract.findings);
    let system = study.study.analysis_crs;
    let network =
        build::from_streets(&extract.streets, &elevation, rules(study), extract.left_out, progress)?;
    Ok(Ground {
        network: network.moved(system),
        homes: extract.dwellings.moved(system),
        from_map: extract.facilities.map(|facilities| facilities.moved(system)),
        is_told: rejected.len() > known,
    })
}

/// What is looked for in the source of the streets.
pub(super) struct Looking {
    rules: WalkingRules,
    buildings: BuildingRules,
    catalogue: Option<Catalogue>,
}

impl Looking {
    /// As a study says it.
    pub(super) fn of(study: &Study) -> Result<Self> {
        let mut rules = io::defaults::walking_rules();
        if let Some(at) = study.streets.open_at.as_deref().and_then(OpenAt::parse) {
            rules = rules.at(at);
        }
        let catalogue = || io::study::catalogue(study.facilities.catalogue.as_deref());
        let catalogue = study.facilities.osm.then(catalogue).transpose()?;
        Ok(Self { rules, buildings: io::defaults::building_rules(), catalogue })
    }

    /// The same for a reader.
    pub(super) fn wanted(&self) -> Wanted<'_> {
        let (catalogue, buildings) = (self.catalogue.as_ref(), Some(&self.buildings));
        Wanted { rules: &self.rules, catalogue, buildings }
    }
}

/// The terrain of a study.
pub(super) fn elevation(study: &Study) -> Result<Elevation> {
    let crs = study.streets.elevation_crs.as_deref();
    io::elevation::read(&study.streets.elevation, crs, Smoothing::SavitzkyGolay)
}

/// How the streets of a study are read where they can be read in more than one way.
pub(super) fn rules(study: &Study) -> Rules {
    Rules {
        max_snap_m: study.streets.max_snap_m,
        gates: study.streets.gates,
        join_islands_m: study.streets.join_islands_m,
    }
}

/// What was read; its faults, where it cannot be used, are kept to be told with those of the other inputs.
fn gathered<T>(read: Result<T>, errors: &mut Vec<Problem>) -> Result<Option<T>> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(Error::Input(faults)) => {
            errors.extend(faults);
            Ok(None)
        }
        Err(other) => Err(other),
    }
}

/// The areas that a table draws; none where the study has no table of them.
fn outlines(study: &Study, tables: &Tables, rejected: &mut Vec<Problem>) -> Result<Option<Areas>> {
    match (&study.areas, &tables.areas) {
        (Some(source), Some(table)) => io::areas::read(table, &source.id, rejected).map(Some),
        _ => Ok(None),
    }
}

impl Counted {
    fn new(input: &'static str, table: &Table, taken: usize) -> Self {
        Self { input, file: table.name.clone(), rows: table.rows(), taken }
    }
}

/// The tables of a study. All are opened before any work, and all their faults are told together.
struct Tables {
    facilities: Option<Table>,
    classes: Option<Table>,
    population: Option<Table>,
    areas: Option<Table>,
}

impl Tables {
    fn read(study: &Study, given: &Given) -> Result<Self> {
        let mut problems = Vec::new();
        let mut read = |file: Option<TableFile>, crs: Option<&String>| -> Result<Option<Table>> {
            let table = gathered(file.map(|file| given.read(&file)).transpose(), &mut problems)?;
            Ok(table.flatten().map(|table| in_crs(table, crs)))
        };
        let facilities = read(study.facilities.file(), study.facilities.crs.as_ref())?;
        let classes = read(study.facilities.classes_file(), None)?;
        let is_table = |file: &TableFile| !io::population_raster::is_raster(&file.path);
        let population = study.population.file().filter(is_table);
        let population = read(population, study.population.crs.as_ref())?;
        let areas = study.areas.as_ref();
        let areas = read(areas.and_then(AreaSource::file), areas.and_then(|areas| areas.crs.as_ref()))?;
        if problems.is_empty() {
            Ok(Self { facilities, classes, population, areas })
        } else {
            Err(Error::Input(problems))
        }
    }

    /// What was noticed while they were read.
    fn notes(&self) -> Vec<Problem> {
        let tables = [&self.facilities, &self.population, &self.areas].into_iter().flatten();
        tables.flat_map(Table::notes).cloned().collect()
    }

    /// The tables, their places to be brought to the system of the analysis and checked against the streets.
    fn near(self, streets: Extent, system: AnalysisCrs) -> Self {
        let moved = |table: Option<Table>| table.map(|table| table.analysed_in(system));
        let near = |table: Option<Table>| moved(table).map(|table| table.near(streets));
        Self {
            facilities: near(self.facilities),
            population: near(self.population),
            areas: moved(self.areas),
            ..self
        }
    }
}

/// The table in the system that the study names; the names are checked at the door.
fn in_crs(table: Table, crs: Option<&String>) -> Table {
    match crs.and_then(|name| Crs::from_name(name)) {
        Some(crs) => table.in_crs(crs),
        None => table,
    }
}

pub(super) fn identify(study: &Study, given: &Given) -> Result<Vec<InputFile>> {
    let streets = &study.streets;
    let mut paths: Vec<&PathBuf> =
        [&streets.osm, &streets.overture, &streets.connectors].into_iter().flatten().collect();
    paths.extend(&study.streets.elevation);
    paths.extend(&study.facilities.path);
    paths.extend(&study.facilities.catalogue);
    paths.extend(&study.facilities.classes);
    paths.extend(&study.population.path);
    paths.extend(study.population.rasters.values());
    paths.extend(study.areas.iter().filter_map(|areas| areas.path.as_ref()));
    let missing: Vec<Problem> = paths
        .iter()
        .filter(|path| !path.is_file() && given.fetched(path).is_none())
        .map(|path| Problem::of_file(path.display().to_string(), Fault::NotFound))
        .collect();
    if !missing.is_empty() {
        return Err(Error::Input(missing));
    }
    let identify = |path: &PathBuf| match given.fetched(path) {
        Some(fetched) => Ok(vec![fetched.clone()]),
        None => io::files::parts(path).iter().map(|part| io::hash::identify(part)).collect(),
    };
    let files: Vec<Vec<InputFile>> = paths.into_iter().map(identify).collect::<Result<_>>()?;
    Ok(files.concat())
}

/// The streets of the study, with what else their source holds.
fn streets(
    study: &Study,
    given: &Given,
    wanted: Wanted<'_>,
    progress: &Progress,
    rejected: &mut Vec<Problem>,
) -> Result<Extract> {
    let Some(segments) = &study.streets.overture else {
        return io::osm::read(study.streets.file(), wanted, progress);
    };
    let table = |path: &PathBuf| given.read(&TableFile { path: path.clone(), layer: None });
    let connectors = study.streets.connectors.as_ref().map(table).transpose()?;
    let found = io::overture::read(&table(segments)?, connectors.as_ref(), wanted.rules, progress)?;
    rejected.extend(found.rejected);
    Ok(Extract {
        streets: found.streets,
        facilities: None,
        dwellings: Dwellings::default(),
        left_out: found.left_out,
        findings: Vec::new(),
    })
}

/// Facilities of the map and of the user's table.
fn ledger(
    study: &Study,
    tables: &Tables,
    catalogue: &Catalogue,
    from_map: Option<Facilities>,
    rejected: &mut Vec<Problem>,
) -> Result<Facilities> {
    let from_table = match &tables.facilities {
        None => None,
        Some(table) => Some(from_table(study, table, tables.classes.as_ref(), catalogue, rejected)?),
    };
    let facilities = match (from_map, from_table) {
        (Some(map), Some(table)) => map.and(table),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => return Err(Error::Internal("a study names facilities".to_owned())),
    };
    if facilities.is_empty() {
        let name = io::files::file_name(study.streets.file());
        return Err(Problem::of_file(name, Fault::EmptyTable).in_column("facilities").into());
    }
    Ok(facilities)
}

fn from_table(
    study: &Study,
    table: &Table,
    classes: Option<&Table>,
    catalogue: &Catalogue,
    rejected: &mut Vec<Problem>,
) -> Result<Facilities> {
    let mapping = classes.map(|table| io::mapping::read(table, rejected)).transpose()?;
    let rules = io::classes::Rules { catalogue: Some(catalogue), mapping: mapping.as_ref() };
    let columns = io::facilities::Columns { id: &study.facilities.id, class: &study.facilities.class, rules };
    let facilities = io::facilities::read(table, columns, rejected)?;
    if let (Some(mapping), Some(classes)) = (&mapping, classes) {
        let used = facilities.entry.iter().filter_map(|entry| entry.class_rule.as_deref());
        io::classes::tell_unused(classes, mapping, used, rejected);
    }
    Ok(facilities)
}

/// The facilities that two sources hold are told, and merged where the study says so.
fn without_duplicates(
    study: &Study,
    catalogue: &Catalogue,
    ledger: Facilities,
    progress: &Progress,
    rejected: &mut Vec<Problem>,
) -> Result<Facilities> {
    let pairs = duplicates::find(&ledger, &Sameness::of(catalogue), progress)?;
    if !study.facilities.merge_duplicates {
        rejected.extend(pairs.iter().map(|pair| pair.problem(&ledger, false)));
        return Ok(ledger);
    }
    let merged = duplicates::merge(&ledger, &pairs);
    rejected.extend(merged.merged.iter().map(|pair| pair.problem(&ledger, true)));
    Ok(merged.facilities)
}

/// Points along the streets that doors may open onto, each standing for its metres; close enough that a street's
/// length falls into the right cells. Only those that are wanted are kept.
pub(super) fn street_spots(network: &Network, mut is_wanted: impl FnMut(Place) -> bool) -> Dwellings {
    const APART_M: f64 = 25.0;
    let mut spots = Dwellings::default();
    let edges = &network.edges;
    let open =
        |edge: &usize| edges.joinable[*edge] && !edges.island[*edge] && edges.kind[*edge] != WayKind::Square;
    for edge in (0..network.edge_count()).filter(open) {
        let places = network.vertices_of(edge);
        for (ends, length_m) in places.windows(2).zip(network.piece_lengths_m(edge)) {
            let count = (length_m / APART_M).ceil().max(1.0);
            for step in 0..count as usize {
                let place = ends[0].towards(ends[1], (step as f64 + 0.5) / count);
                if is_wanted(place) {
                    spots.place.push(place);
                    spots.weight.push(length_m / count);
                }
            }
        }
    }
    spots
}

/// What the people of a study are brought to cells by.
struct Census<'a> {
    study: &'a Study,
    evidence: &'a Evidence<'a>,
    resolution: Resolution,
    age_groups: &'a [AgeGroup],
}

/// The people of a study.
struct People {
    settled: Settled,
    /// People that the source states.
    stated: f64,
    /// Rows of the source that were taken.
    rows: usize,
    pixels: BTreeMap<String, Pixels>,
}

impl Census<'_> {
    fn people(
        &self,
        tables: &Tables,
        areas: Option<&Areas>,
        progress: &Progress,
        findings: &mut Vec<Problem>,
    ) -> Result<People> {
        let source = &self.study.population;
        let mut pixels = BTreeMap::new();
        let (residents, spread) = match (&source.path, &tables.population) {
            (Some(path), None) => {
                (self.rasters(path, &mut pixels, findings)?, source.spread.unwrap_or(Spread::Area))
            }
            (_, Some(table)) => {
                let columns = io::population::Columns {
                    people: &source.people,
                    cell: &source.cell,
                    households: &source.households,
                    groups: source.groups.as_deref(),
                    area: source.area.as_deref(),
                    age_groups: self.age_groups,
                };
                let residents = io::population::read(table, columns, areas, findings)?;
                (residents, source.spread.unwrap_or_default())
            }
            (None, None) => return self.total(),
        };
        let mut settled = population::to_cells(&residents, self.resolution, self.evidence, spread, progress)?;
        if !source.rasters.is_empty() {
            settled.findings.extend(population::exceeding_groups(&residents.file, &settled.cells));
        }
        Ok(People { settled, stated: residents.people.iter().sum(), rows: residents.home.len(), pixels })
    }

    fn rasters(
        &self,
        path: &Path,
        pixels: &mut BTreeMap<String, Pixels>,
        findings: &mut Vec<Problem>,
    ) -> Result<Residents> {
        let source = &self.study.population;
        let mut read = |name: &str, path: &Path| {
            let (residents, counted) = io::population_raster::read(path, source.crs.as_deref(), findings)?;
            pixels.insert(name.to_owned(), counted);
            Ok::<_, Error>(residents.moved(self.study.study.analysis_crs))
        };
        let mut residents = read(EVERYBODY, path)?;
        for (group, path) in &source.rasters {
            residents.add_group(group, read(group, path)?);
        }
        Ok(residents)
    }

    /// A total spread over all buildings or streets of the extract.
    fn total(&self) -> Result<People> {
        let source = &self.study.population;
        let stated = source.total.unwrap_or_default();
        let by_streets = source.spread == Some(Spread::Streets);
        let key = if by_streets { "population.spread" } else { "population.buildings" };
        let by_cell = self.evidence.by_cell(by_streets);
        if by_cell.is_empty() {
            let expected = "an extract with residential buildings, or spread = \"streets\"".to_owned();
            let fault = Fault::Setting { expected };
            let name = io::files::file_name(self.study.streets.file());
            return Err(Problem::of_file(name, fault).in_column(key).into());
        }
        let mut cells = population::from_total(by_cell, stated, self.evidence);
        for (name, share) in &source.groups_share {
            let people = cells.people.iter().map(|people| people * share).collect();
            cells.groups.push(Group { name: name.clone(), people });
        }
        let by = if by_streets {
            ByEvidence { streets: stated, ..ByEvidence::default() }
        } else {
            ByEvidence { buildings: stated, ..ByEvidence::default() }
        };
        let settled = Settled { cells, by, findings: Vec::new() };
        Ok(People { settled, stated, rows: 0, pixels: BTreeMap::new() })
    }
}

fn areas(
    study: &Study,
    outlines: Option<Areas>,
    cells: &Cells,
    progress: &Progress,
) -> Result<(Areas, Vec<Vec<Part>>)> {
    let areas = match (&study.areas, outlines) {
        (_, Some(areas)) => areas,
        (Some(source), None) => {
            let resolution = source.h3.and_then(cell::resolution);
            let resolution = resolution
                .ok_or_else(|| Error::Internal("the resolution is checked at the door".to_owned()))?;
            return Ok(apportion::parents(&cells.cell, resolution));
        }
        (None, None) => Areas::everywhere(),
    };
    let parts = apportion::parts(&cells.cell, &areas, progress)?;
    Ok((areas, parts))
}
