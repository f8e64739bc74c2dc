//! One function for each reader: whatever the bytes are, it answers, and neither panics nor asks for memory without bound.

use std::path::PathBuf;
use std::sync::OnceLock;
use walkshed::io::osm::{self, Wanted};
use walkshed::io::overture;
use walkshed::io::table::Table;
use walkshed::io::{self, defaults};
use walkshed::model::catalogue::Catalogue;
use walkshed::model::cell;
use walkshed::model::progress::Progress;
use walkshed::model::smoothing::Smoothing;
use walkshed::network::store;

/// A file of this name with these bytes; readers know files by their endings. In memory, where the system has such a place.
fn file(name: &str, bytes: &[u8]) -> PathBuf {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a temporary folder")
    });
    // Threads of a test have files of their own.
    let path = folder.path().join(format!("{:?}", std::thread::current().id())).join(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    std::fs::write(&path, bytes).expect("the folder can be written");
    path
}

/// Streets, facilities and homes.
pub fn pbf(bytes: &[u8]) {
    static CATALOGUE: OnceLock<Catalogue> = OnceLock::new();
    static RULES: OnceLock<osm::walking::WalkingRules> = OnceLock::new();
    static BUILDINGS: OnceLock<osm::buildings::BuildingRules> = OnceLock::new();
    let catalogue = CATALOGUE.get_or_init(|| io::study::catalogue(None).expect("the own catalogue"));
    let rules = RULES.get_or_init(defaults::walking_rules);
    let buildings = BUILDINGS.get_or_init(defaults::building_rules);
    let wanted = Wanted { rules, catalogue: Some(catalogue), buildings: Some(buildings) };
    let _ = osm::read(&file("x.osm.pbf", bytes), wanted, &Progress::default());
}

/// Everything that a reader asks a table.
fn ask(table: &Table) {
    static CATALOGUE: OnceLock<Catalogue> = OnceLock::new();
    let mut problems = Vec::new();
    for column in table.column_names().iter().take(8) {
        let _ = table.text(column);
        let _ = table.numbers(column, &mut problems);
        let _ = table.ids(column);
        let _ = table.cells(column, &mut problems);
        let _ = table.geometries(column, &mut problems);
    }
    let _ = io::areas::read(table, "area_id", &mut problems);
    let _ = io::cells::read_origins(table, &mut problems);
    let _ = io::mapping::read(table, &mut problems);
    let catalogue = CATALOGUE.get_or_init(defaults::catalogue);
    let _ = io::facilities::read(table, io::facilities::Columns::usual(catalogue), &mut problems);
    let columns = io::population::Columns::usual(&catalogue.age_group);
    let _ = io::population::read(table, columns, None, &mut problems);
    for problem in &problems {
        let _ = problem.message();
    }
}

fn table(name: &str, bytes: &[u8]) {
    match Table::read(&file(name, bytes)) {
        Ok(table) => ask(&table),
        Err(error) => drop(error.to_string()),
    }
}

/// Parquet and `GeoParquet`.
pub fn parquet(bytes: &[u8]) {
    table("x.parquet", bytes);
}

/// Segments and places of Overture Maps.
pub fn overture(bytes: &[u8]) {
    static RULES: OnceLock<osm::walking::WalkingRules> = OnceLock::new();
    if let Ok(segments) = Table::read(&file("segments.parquet", bytes)) {
        let rules = RULES.get_or_init(defaults::walking_rules);
        let _ = overture::read(&segments, None, rules, &Progress::default());
        ask(&segments);
    }
}

/// `GeoJSON`.
pub fn geojson(bytes: &[u8]) {
    table("x.geojson", bytes);
}

/// Delimited text.
pub fn csv(bytes: &[u8]) {
    table("x.csv", bytes);
}

/// A geometry column.
pub fn wkb(bytes: &[u8]) {
    let geometry: std::sync::Arc<dyn arrow_array::Array> =
        std::sync::Arc::new(arrow_array::BinaryArray::from_vec(vec![bytes]));
    let batch = arrow_array::RecordBatch::try_from_iter([("geometry", geometry)]).expect("one column");
    if let Ok(table) = Table::from_batches("x", &batch.schema(), &[batch]) {
        ask(&table);
    }
}

/// Terrain and people.
pub fn geotiff(bytes: &[u8]) {
    let path = file("x.tif", bytes);
    let _ = io::elevation::read(std::slice::from_ref(&path), Some("EPSG:32648"), Smoothing::None);
    let _ = io::population_raster::read(&path, Some("EPSG:32648"), &mut Vec::new());
}

/// SRTM tiles: the first byte says whether the file has the length that it should.
pub fn hgt(bytes: &[u8]) {
    let Some((&first, heights)) = bytes.split_first() else { return };
    let mut tile = heights.to_vec();
    if first != 0 && !heights.is_empty() {
        tile = heights.iter().copied().cycle().take(2_884_802).collect();
    }
    let _ = io::elevation::read(&[file("N29E106.hgt", &tile)], None, Smoothing::None);
}

/// A saved network.
pub fn store(bytes: &[u8]) {
    let _ = store::load(&file("x.walkshed", bytes));
}

/// Standards.
pub fn standard_toml(bytes: &[u8]) {
    match io::standard::read(&file("x.toml", bytes).display().to_string()) {
        Ok(standard) => drop((standard.asked("adult"), standard.attributes())),
        Err(error) => drop(error.to_string()),
    }
}

/// Scenarios.
pub fn scenario_toml(bytes: &[u8]) {
    match io::scenario::read(&file("x.toml", bytes)) {
        Ok(scenario) => drop(io::scenario::to_json(&scenario.edits)),
        Err(error) => drop(error.to_string()),
    }
}

/// The log entry of a table, and the record of a release.
pub fn delta_log(bytes: &[u8]) {
    let _ = io::delta::replay(String::from_utf8_lossy(bytes).split('\0'));
    let record = file("tables/releases/00000000000000000000.json", bytes);
    let disk = io::disk::LocalDisk::default();
    if let Some(tables) = record.ancestors().nth(2) {
        let _ = walkshed::batch::lake::Lake::new(tables, &disk).history();
    }
}

/// Settings and catalogues.
pub fn study_toml(bytes: &[u8]) {
    let path = file("STUDY.toml", bytes);
    let _ = io::study::read(&path);
    let _ = io::study::catalogue(Some(&path));
}

/// Cells of an outline: corners as pairs of 16-bit numbers, the first byte is the resolution.
pub fn polygon_to_cells(bytes: &[u8]) {
    let Some((&first, corners)) = bytes.split_first() else { return };
    let Some(resolution) = cell::resolution(first % 16) else { return };
    let degree = |pair: &[u8], half: f64| f64::from(i16::from_le_bytes([pair[0], pair[1]])) / 32768.0 * half;
    let ring: geo::LineString =
        corners.chunks_exact(4).map(|pair| (degree(&pair[..2], 180.0), degree(&pair[2..], 90.0))).collect();
    let outline = geo::Geometry::Polygon(geo::Polygon::new(ring, vec![]));
    let Ok(outline) = io::geometry::polygons_of(outline) else { return };
    // Millions of cells are right and take their time; the limit itself is tested elsewhere.
    if cell::estimate(&outline, resolution) < 20_000 {
        let _ = walkshed::metrics::population::cells_touching(&outline, resolution);
    }
}
