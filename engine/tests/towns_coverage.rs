//! Whole studies of synthetic towns, from files to the result folder: nobody is lost and nobody is counted twice.
//!
//! **Every town here is made up**, its people too. An adult walks 1.33 m/s (`datasets/profiles.toml`).

mod towns;

use std::collections::BTreeMap;
use std::fmt::Write;
use tiff::TiffResult;
use tiff::encoder::{TiffEncoder, colortype::Gray64Float};
use tiff::tags::Tag;
use towns::Town;
use towns::study::{StudyFolder, collection, full_numbers, names, numbers, rectangle, text};
use walkshed::batch::study::RunReport;
use walkshed::io::table::Table;
use walkshed::model::cell;
use walkshed::model::place::Place;
use walkshed::model::progress::Progress;

const ADULT_MPS: f64 = 1.33;
const RESOLUTION: u8 = 10;

// ------------------------------------------------------------------ tools

/// The sections of a study of `town.osm.pbf` and `shops.csv` with these people and areas.
fn study(population: &str, areas: &str) -> String {
    format!(
        "[study]\nname = \"made up\"\nresolution = {RESOLUTION}\n[streets]\nosm = \"town.osm.pbf\"\n[facilities]\n\
         path = \"shops.csv\"\n[population]\n{population}\n{areas}\n[coverage]\nminutes = [2, 6]\n"
    )
}

/// A CSV of shops: class, metres east, metres north.
fn shops_csv(town: &Town, shops: &[(&str, f64, f64)]) -> String {
    let mut csv = "id,class,lon,lat\n".to_owned();
    for (number, &(class, east, north)) in shops.iter().enumerate() {
        let place = town.spot((east, north));
        writeln!(csv, "s{number},{class},{},{}", place.lon(), place.lat()).expect("text grows");
    }
    csv
}

/// A block of flats 10 m by 10 m around a place.
fn flats(town: &mut Town, (east, north): (f64, f64), levels: &str) {
    let (w, s, e, n) = (east - 5.0, north - 5.0, east + 5.0, north + 5.0);
    let tags = [("building", "apartments"), ("building:levels", levels)];
    town.ring(&[(w, s), (e, s), (e, n), (w, n)], &tags);
}

/// One row of the coverage table.
#[derive(Debug, Clone)]
struct Row {
    area: String,
    class: String,
    group: String,
    profile: String,
    minutes: f64,
    people: f64,
    covered: f64,
    beyond: f64,
    not_connected: f64,
    not_snapped: f64,
}

fn coverage(folder: &StudyFolder) -> Vec<Row> {
    let table = folder.result("coverage");
    let number = |name: &str| full_numbers(&table, name);
    let word = |name: &str| text(&table, name);
    let (area, class, group, profile) = (word("area_id"), word("class"), word("group"), word("profile"));
    let (minutes, people, covered) = (number("minutes"), number("people"), number("people_covered"));
    let (beyond, cut, away) =
        (number("people_beyond"), number("people_not_connected"), number("people_not_snapped"));
    (0..table.rows())
        .map(|row| Row {
            area: area[row].clone(),
            class: class[row].clone(),
            group: group[row].clone(),
            profile: profile[row].clone(),
            minutes: minutes[row],
            people: people[row],
            covered: covered[row],
            beyond: beyond[row],
            not_connected: cut[row],
            not_snapped: away[row],
        })
        .collect()
}

#[track_caller]
fn assert_same_people(found: f64, expected: f64) {
    assert!((found - expected).abs() <= expected.abs() * 1e-9, "expected {expected} people, found {found}");
}

/// People per cell of the result, by the cell's hexadecimal id.
fn people_by_cell(folder: &StudyFolder) -> BTreeMap<String, f64> {
    let cells = folder.result("cells");
    let ids = cells.cells("cell", &mut Vec::new()).expect("a column of cells").into_iter().flatten();
    ids.map(|cell| cell.to_string()).zip(full_numbers(&cells, "people")).collect()
}

fn cell_of(place: Place, resolution: u8) -> String {
    cell::at(place, cell::resolution(resolution).expect("a resolution")).to_string()
}

// ------------------------------------------------------------------ a town with an answer for every home

/// A street of 1.2 km to the east with the shop at its west end; another 3 km north that nothing connects with it.
/// The people of five blocks of flats are powers of two, so that every sum tells who is in it.
const HOMES: [((f64, f64), f64); 5] = [
    ((100.0, 15.0), 10.0),
    ((400.0, 15.0), 20.0),
    ((900.0, 15.0), 40.0),
    ((300.0, 3015.0), 80.0),
    ((600.0, 500.0), 160.0),
];

fn straight_town() -> (Town, StudyFolder) {
    let mut town = Town::new();
    for north in [0.0, 3000.0] {
        let west = town.corner(0.0, north);
        town.street(west).east(1200.0).done();
    }
    for (home, _) in HOMES {
        flats(&mut town, home, "4");
    }
    let folder = StudyFolder::of(&town);
    folder.write("shops.csv", shops_csv(&town, &[("market", 0.0, 0.0)]));
    folder.write("people.csv", homes_csv(&town));
    (town, folder)
}

fn homes_csv(town: &Town) -> String {
    let mut csv = "id,people,women,lon,lat\n".to_owned();
    for (number, (home, people)) in HOMES.iter().enumerate() {
        let place = town.spot(*home);
        writeln!(csv, "{number},{people},{},{},{}", people / 4.0, place.lon(), place.lat())
            .expect("text grows");
    }
    csv
}

#[test]
fn five_homes_on_a_straight_street_are_covered_as_worked_out_in_the_head() {
    let (_, folder) = straight_town();
    let report = folder.run(&study("path = \"people.csv\"\ngroups = [\"women\"]", "")).unwrap();
    // 2 minutes are 159.6 m and 6 minutes 478.8 m; the homes on the street are 15 m and 100, 400 and 900 m away.
    let expected = [
        ("all", 2.0, 10.0, 20.0 + 40.0),
        ("all", 6.0, 10.0 + 20.0, 40.0),
        ("women", 2.0, 10.0 / 4.0, (20.0 + 40.0) / 4.0),
        ("women", 6.0, (10.0 + 20.0) / 4.0, 40.0 / 4.0),
    ];
    let rows = coverage(&folder);
    assert_eq!(rows.len(), expected.len());
    for (row, (group, minutes, covered, beyond)) in rows.iter().zip(expected) {
        let share = if group == "all" { 1.0 } else { 0.25 };
        assert_eq!((row.area.as_str(), row.class.as_str(), row.group.as_str()), ("all", "market", group));
        assert_same_people(row.minutes, minutes);
        assert_same_people(row.people, (10.0 + 20.0 + 40.0 + 80.0 + 160.0) * share);
        assert_same_people(row.covered, covered);
        assert_same_people(row.beyond, beyond);
        assert_same_people(row.not_connected, 80.0 * share);
        assert_same_people(row.not_snapped, 160.0 * share);
    }
    assert_same_people(report.people.not_snapped, 160.0);
    assert_same_people(report.people.stated, report.people.in_cells);
}

#[test]
fn the_times_of_the_five_homes_follow_from_metres_and_speed() {
    let (town, folder) = straight_town();
    folder.run(&study("path = \"people.csv\"", "")).unwrap();
    let times = folder.result("times");
    let origins = times.cells("origin_id", &mut Vec::new()).unwrap();
    let (seconds, reasons) = (numbers(&times, "time_s"), text(&times, "reason"));
    let row_of = |home: (f64, f64)| {
        let id = cell_of(town.spot(home), RESOLUTION);
        origins.iter().position(|cell| cell.is_some_and(|cell| cell.to_string() == id)).unwrap()
    };
    for (home, reason) in [(2, "beyond_cutoff"), (3, "not_connected"), (4, "not_snapped")] {
        let row = row_of(HOMES[home].0);
        assert_eq!((seconds[row], reasons[row].as_str()), (None, reason));
    }
    for ((east, leg), _) in &HOMES[..2] {
        let found = seconds[row_of((*east, *leg))].expect("within six minutes");
        let expected = (leg + east) / ADULT_MPS;
        // One leg and one part of an edge, and centimetres of the building's corners.
        assert!((found - expected).abs() <= 0.05 + 0.1 + 0.02, "expected {expected:.2} s, found {found} s");
    }
}

// ------------------------------------------------------------------ people in = people out

/// Six by six blocks of 200 m with flats in every block, of one to six floors, and shops of three classes.
fn grid_town() -> (Town, StudyFolder) {
    let mut town = Town::new();
    town.grid(6, 6, 200.0);
    for home in 0..36_u32 {
        flats(&mut town, in_block(home), &(1 + home % 6).to_string());
    }
    let folder = StudyFolder::of(&town);
    let shops = [
        ("market", 0.0, 0.0),
        ("market", 810.0, 600.0),
        ("school", 1200.0, 1190.0),
        ("clinic", 300.0, 590.0),
    ];
    folder.write("shops.csv", shops_csv(&town, &shops));
    (town, folder)
}

/// Where the flats of a block stand: 30 to 80 m from its southern street.
fn in_block(home: u32) -> (f64, f64) {
    let (column, row) = (f64::from(home % 6), f64::from(home / 6));
    (column * 200.0 + 100.0, row * 200.0 + 30.0 + 10.0 * column)
}

/// People of a home in tables: never round numbers.
fn people_of(home: u32) -> f64 {
    100.0 / 3.0 + f64::from(home) / 7.0
}

fn everybody() -> f64 {
    (0..36).map(people_of).sum()
}

const BUILDINGS: &str = "buildings = \"osm\"\ntotal = 12345.678";
const TABLE: &str = "path = \"people.csv\"";

/// People in cells of a resolution, by the place of their homes.
fn cells_csv(town: &Town, resolution: u8) -> String {
    let mut by_cell: BTreeMap<String, f64> = BTreeMap::new();
    for home in 0..36 {
        *by_cell.entry(cell_of(town.spot(in_block(home)), resolution)).or_default() += people_of(home);
    }
    by_cell
        .into_iter()
        .fold("cell,people\n".to_owned(), |csv, (cell, people)| format!("{csv}{cell},{people}\n"))
}

fn points_csv(town: &Town) -> String {
    (0..36).fold("lon,lat,people\n".to_owned(), |csv, home| {
        let place = town.spot(in_block(home));
        format!("{csv}{},{},{}\n", place.lon(), place.lat(), people_of(home))
    })
}

/// Estates of 170 m by 120 m around the homes, across many cells; every sixth is as small as a garden.
fn estates_geojson(town: &Town) -> String {
    let estate = |home: u32| {
        let (east, north) = in_block(home);
        let (wide, deep) = if home.is_multiple_of(6) { (2.0, 1.0) } else { (85.0, 60.0) };
        let people = format!("\"people\":{}", people_of(home));
        rectangle(town, [east - wide, north - deep, east + wide, north + deep], &people)
    };
    collection(&(0..36).map(estate).collect::<Vec<_>>())
}

#[track_caller]
fn assert_nobody_lost(report: &RunReport, folder: &StudyFolder, expected: f64) {
    assert_same_people(report.people.stated, expected);
    assert_same_people(report.people.in_cells, expected);
    assert_same_people(full_numbers(&folder.result("cells"), "people").iter().sum(), expected);
    assert!(coverage(folder).iter().all(|row| (row.people - expected).abs() <= expected * 1e-9));
    assert_eq!(folder.result_rows("rejected"), 0);
}

impl StudyFolder {
    /// Rows of a table that may have none.
    fn result_rows(&self, table: &str) -> usize {
        let path = self.path("out").join(format!("{table}.parquet"));
        match Table::read(&path) {
            Ok(table) => table.rows(),
            Err(error) if error.to_string().contains("the table has no rows") => 0,
            Err(error) => panic!("{table}: {error}"),
        }
    }
}

#[test]
fn a_total_is_spread_over_buildings_by_floor_area() {
    let (town, folder) = grid_town();
    let report = folder.run(&study(BUILDINGS, "")).unwrap();
    assert_nobody_lost(&report, &folder, 12_345.678);
    let mut floors: BTreeMap<String, f64> = BTreeMap::new();
    for home in 0..36 {
        *floors.entry(cell_of(town.spot(in_block(home)), RESOLUTION)).or_default() += f64::from(1 + home % 6);
    }
    // All flats have the same ground, so floors are floor area; six homes of each number of floors.
    let all_floors = 6.0 * (1.0 + 2.0 + 3.0 + 4.0 + 5.0 + 6.0);
    let found = people_by_cell(&folder);
    assert_eq!(found.len(), floors.len());
    for (cell, people) in found {
        let expected = 12_345.678 * floors[&cell] / all_floors;
        // Corners are kept to half a centimetre of 10 m: 0.2 % of an area.
        assert!((people - expected).abs() <= 0.002 * expected, "{cell}: expected {expected}, found {people}");
    }
}

#[test]
fn people_of_cells_coarser_equal_and_finer_than_the_study_all_come_out() {
    for resolution in [7, 8, 9, 10, 11, 13] {
        let (town, folder) = grid_town();
        folder.write("people.csv", cells_csv(&town, resolution));
        let report = folder.run(&study(TABLE, "")).unwrap();
        assert_nobody_lost(&report, &folder, everybody());
    }
}

#[test]
fn people_of_cells_of_the_study_or_finer_stay_where_they_are() {
    for resolution in [10, 11, 13] {
        let (town, folder) = grid_town();
        folder.write("people.csv", cells_csv(&town, resolution));
        folder.run(&study(TABLE, "")).unwrap();
        let mut expected: BTreeMap<String, f64> = BTreeMap::new();
        for home in 0..36 {
            // H3 children may stick out of their parent: what counts is the parent of the given cell.
            let given = cell::at(town.spot(in_block(home)), cell::resolution(resolution).unwrap());
            let parent = given.parent(cell::resolution(RESOLUTION).unwrap()).unwrap();
            *expected.entry(parent.to_string()).or_default() += people_of(home);
        }
        let found = people_by_cell(&folder);
        assert!(found.keys().eq(expected.keys()));
        for (cell, people) in found {
            assert_same_people(people, expected[&cell]);
        }
    }
}

#[test]
fn people_of_a_coarse_cell_live_in_its_buildings_by_floor_area() {
    // Two blocks of flats in one cell of resolution 7 (about 2 km wide): 1 floor and 4 floors, 200 m apart.
    let mut town = Town::new();
    let west = town.corner(-600.0, 0.0);
    town.street(west).east(1200.0).done();
    let homes = [(-100.0, 20.0), (100.0, 20.0)];
    flats(&mut town, homes[0], "1");
    flats(&mut town, homes[1], "4");
    let coarse = cell_of(town.spot(homes[0]), 7);
    assert_eq!(coarse, cell_of(town.spot(homes[1]), 7));
    let folder = StudyFolder::of(&town);
    folder.write("shops.csv", shops_csv(&town, &[("market", 0.0, 0.0)]));
    folder.write("people.csv", format!("cell,people\n{coarse},1000\n"));
    folder.run(&study(TABLE, "")).unwrap();
    let found = people_by_cell(&folder);
    assert_eq!(found.len(), 2);
    for (home, expected) in homes.into_iter().zip([1000.0 / 5.0, 1000.0 * 4.0 / 5.0]) {
        let people = found[&cell_of(town.spot(home), RESOLUTION)];
        assert!((people - expected).abs() <= 0.002 * expected, "expected {expected}, found {people}");
    }
}

#[test]
fn people_of_a_coarse_cell_without_buildings_live_along_its_streets() {
    let mut town = Town::new();
    let west = town.corner(-300.0, 0.0);
    town.street(west).east(600.0).done();
    let coarse = cell_of(town.spot((0.0, 0.0)), 8);
    let folder = StudyFolder::of(&town);
    folder.write("shops.csv", shops_csv(&town, &[("market", 0.0, 0.0)]));
    folder.write("people.csv", format!("cell,people\n{coarse},1000\n"));
    let report = folder.run(&study(TABLE, "")).unwrap();
    assert_nobody_lost(&report, &folder, 1000.0);
    // A cell of resolution 10 is about 120 m wide: 600 m of street run through a handful, and nobody lives off it.
    let snaps = full_numbers(&folder.result("cells"), "snap_m");
    assert!((3..=10).contains(&snaps.len()), "{snaps:?}");
    assert!(snaps.iter().all(|&snap_m| snap_m < 0.1), "{snaps:?}");
}

#[test]
fn people_of_points_come_out_in_the_cells_of_their_points() {
    let (town, folder) = grid_town();
    folder.write("people.csv", points_csv(&town));
    let report = folder.run(&study(TABLE, "")).unwrap();
    assert_nobody_lost(&report, &folder, everybody());
    let found = people_by_cell(&folder);
    let mut expected: BTreeMap<String, f64> = BTreeMap::new();
    for home in 0..36 {
        *expected.entry(cell_of(town.spot(in_block(home)), RESOLUTION)).or_default() += people_of(home);
    }
    for (cell, people) in expected {
        assert_same_people(found[&cell], people);
    }
}

#[test]
fn people_of_outlines_come_out_however_large_or_small_the_outline() {
    let (town, folder) = grid_town();
    folder.write("people.geojson", estates_geojson(&town));
    let report = folder.run(&study("path = \"people.geojson\"", "")).unwrap();
    assert_nobody_lost(&report, &folder, everybody());
}

/// A raster of people in degrees, pixels of about 100 m; its north-west corner, and the people of 12 by 12 pixels.
fn write_raster(path: &std::path::Path, west_north: Place, people: &[f64]) -> TiffResult<()> {
    let file = std::fs::File::create(path)?;
    let mut encoder = TiffEncoder::new(file)?;
    let mut image = encoder.new_image::<Gray64Float>(12, 12)?;
    let tags = image.encoder();
    // GTModelType geographic, GTRasterType area, EPSG:4326 (OGC GeoTIFF 1.1, annex B).
    let keys = [1_u16, 1, 0, 3, 1024, 0, 1, 2, 1025, 0, 1, 1, 2048, 0, 1, 4326];
    tags.write_tag(Tag::ModelPixelScaleTag, &[0.001, 0.001, 0.0][..])?;
    let tie = [0.0, 0.0, 0.0, west_north.lon(), west_north.lat(), 0.0];
    tags.write_tag(Tag::ModelTiepointTag, &tie[..])?;
    tags.write_tag(Tag::GeoKeyDirectoryTag, &keys[..])?;
    tags.write_tag(Tag::GdalNodata, "-1")?;
    image.write_data(people)
}

#[test]
fn people_of_a_raster_come_out_and_every_pixel_is_accounted_for() {
    let (town, folder) = grid_town();
    let mut people: Vec<f64> = (0..144).map(|pixel| f64::from(pixel % 7) * 1.25).collect();
    (people[3], people[4], people[5]) = (-1.0, f64::NAN, -20.0);
    write_raster(&folder.path("people.tif"), town.spot((0.0, 1200.0)), &people).unwrap();
    let report = folder.run(&study("path = \"people.tif\"", "")).unwrap();
    let expected = people.iter().filter(|people| **people > 0.0).sum();
    assert_same_people(report.people.stated, expected);
    assert_same_people(report.people.in_cells, expected);
    assert_same_people(full_numbers(&folder.result("cells"), "people").iter().sum(), expected);
    let pixels = report.people.pixels["all"];
    let nobody = people.iter().filter(|people| **people == 0.0).count() as u64;
    assert_eq!((pixels.all, pixels.nobody, pixels.no_data, pixels.nan), (144, nobody, 1, 1));
    assert_eq!((pixels.rejected, folder.result_rows("rejected")), (1, 1));
    let faults = folder.refused(&study("path = \"people.tif\"\ngroups = [\"senior\"]", ""));
    assert_eq!(faults[0].column.as_deref(), Some("population.groups"));
}

#[test]
fn a_raster_of_a_group_is_that_group_and_more_than_all_people_is_told() {
    let (town, folder) = grid_town();
    let people: Vec<f64> = (0..144).map(|pixel| 10.0 + f64::from(pixel % 7)).collect();
    let mut old: Vec<f64> = people.iter().map(|people| people * 0.25).collect();
    old[70] = 0.0;
    write_raster(&folder.path("people.tif"), town.spot((0.0, 1200.0)), &people).unwrap();
    write_raster(&folder.path("old.tif"), town.spot((0.0, 1200.0)), &old).unwrap();
    let sections = study("path = \"people.tif\"\nrasters = { senior_60_plus = \"old.tif\" }", "");
    let report = folder.run(&sections).unwrap();
    assert_same_people(report.people.stated, people.iter().sum());
    assert_same_people(full_numbers(&folder.result("cells"), "people").iter().sum(), people.iter().sum());
    assert_same_people(
        full_numbers(&folder.result("cells"), "senior_60_plus").iter().sum(),
        old.iter().sum(),
    );
    assert_eq!(report.people.pixels["senior_60_plus"].nobody, 1);
    assert_eq!(folder.result_rows("rejected"), 0);
    let told = |old: &[f64]| {
        write_raster(&folder.path("old.tif"), town.spot((0.0, 1200.0)), old).unwrap();
        let study = walkshed::io::study::read(&folder.path("STUDY.toml")).unwrap();
        let found = walkshed::batch::prepare::prepare(
            &study,
            &walkshed::io::given::Given::default(),
            &mut Vec::new(),
            &Progress::default(),
        )
        .unwrap()
        .rejected;
        let codes = found.iter().map(|problem| problem.fault.code());
        // The classes of the town are its own, which is told; this test asks for people.
        codes.filter(|code| *code != "unknown_class").collect::<Vec<_>>()
    };
    assert_eq!(told(&old), Vec::<&str>::new());
    old[70] = 500.0;
    assert_eq!(told(&old), ["more_than_people_in_cells"]);
}

#[test]
fn an_outline_across_a_border_of_cells_is_shared_by_area() {
    // One outline of 1 km by 1 km: a cell wholly inside gets its share of a square kilometre.
    let (town, folder) = grid_town();
    folder.write(
        "people.geojson",
        collection(&[rectangle(&town, [100.0, 100.0, 1100.0, 1100.0], "\"people\":5000")]),
    );
    folder.run(&study("path = \"people.geojson\"\nspread = \"area\"", "")).unwrap();
    let found = people_by_cell(&folder);
    let middle = cell::at(town.spot((600.0, 600.0)), cell::resolution(RESOLUTION).unwrap());
    let expected = 5000.0 * middle.area_m2() / (1000.0 * 1000.0);
    let people = found[&middle.to_string()];
    // h3o measures cells on a sphere, the outline is metres on the ellipsoid: they differ by up to 0.7 %.
    assert!((people - expected).abs() <= 0.007 * expected, "expected {expected}, found {people}");
    assert!(found.values().all(|&other| other <= people * 1.001));
}

#[test]
fn an_outline_that_is_a_cell_comes_out_in_that_cell_and_in_none_of_its_neighbours() {
    let (town, folder) = grid_town();
    let home = cell::at(town.spot((600.0, 600.0)), cell::resolution(RESOLUTION).unwrap());
    let corners: Vec<String> =
        cell::outline(home).0[0].exterior().0.iter().map(|at| format!("[{},{}]", at.x, at.y)).collect();
    let hexagon = format!(
        "{{\"type\":\"Feature\",\"properties\":{{\"people\":7}},\"geometry\":{{\"type\":\"Polygon\",\"coordinates\":[[{}]]}}}}",
        corners.join(",")
    );
    folder.write("people.geojson", collection(&[hexagon]));
    folder.run(&study("path = \"people.geojson\"", "")).unwrap();
    let found = people_by_cell(&folder);
    assert_eq!(found.keys().collect::<Vec<_>>(), [&home.to_string()]);
    assert_same_people(found[&home.to_string()], 7.0);
}

#[test]
fn rows_that_meet_in_a_cell_are_added_up() {
    let (town, folder) = grid_town();
    let (finer, coarser) = (cell_of(town.spot(in_block(7)), 12), cell_of(town.spot(in_block(7)), 6));
    folder.write("people.csv", format!("cell,people\n{finer},100\n{finer},50\n{coarser},1000\n"));
    let report = folder.run(&study(TABLE, "")).unwrap();
    assert_nobody_lost(&report, &folder, 100.0 + 50.0 + 1000.0);
}

// ------------------------------------------------------------------ areas

/// Coverage of the whole town beside that of its areas, from two runs.
fn whole_and_areas(folder: &StudyFolder, population: &str, areas: &str) -> (Vec<Row>, Vec<Row>) {
    folder.run(&study(population, "")).expect("a study that can run");
    let whole = coverage(folder);
    folder.run(&study(population, areas)).expect("a study that can run");
    (whole, coverage(folder))
}

/// Areas that share the town between them add up to it, in every number of every row.
#[track_caller]
fn assert_areas_add_up(whole: &[Row], areas: &[Row]) {
    for row in whole {
        let same = |other: &&Row| {
            (&other.class, &other.group, &other.profile) == (&row.class, &row.group, &row.profile)
                && other.minutes.to_bits() == row.minutes.to_bits()
        };
        let sum = |of: fn(&Row) -> f64| areas.iter().filter(same).map(of).sum::<f64>();
        assert_same_people(sum(|row| row.people), row.people);
        for (found, expected) in [
            (sum(|row| row.covered), row.covered),
            (sum(|row| row.beyond), row.beyond),
            (sum(|row| row.not_connected), row.not_connected),
            (sum(|row| row.not_snapped), row.not_snapped),
        ] {
            assert!(
                (found - expected).abs() <= 1e-9 * row.people,
                "expected {expected}, found {found}: {row:?}"
            );
        }
    }
}

/// West and east of a line 530 m east of the origin, 20 km wide, so that the line cuts cells.
fn two_halves(town: &Town) -> String {
    let west = rectangle(town, [-10_000.0, -10_000.0, 530.0, 10_000.0], "\"area_id\":\"west\"");
    let east = rectangle(town, [530.0, -10_000.0, 10_000.0, 10_000.0], "\"area_id\":\"east\"");
    collection(&[west, east])
}

#[test]
fn a_town_cut_in_two_adds_up_and_cells_on_the_line_are_shared() {
    let (town, folder) = grid_town();
    folder.write("areas.geojson", two_halves(&town));
    let (whole, halves) = whole_and_areas(&folder, BUILDINGS, "[areas]\npath = \"areas.geojson\"");
    assert_areas_add_up(&whole, &halves);
    assert!(halves.iter().all(|row| row.people > 1000.0));
}

#[test]
fn the_shares_of_every_cell_in_two_halves_add_up_to_one() {
    let (town, folder) = grid_town();
    let path = folder.write("areas.geojson", two_halves(&town));
    let areas = walkshed::io::areas::read(&Table::read(&path).unwrap(), "area_id", &mut vec![]).unwrap();
    let resolution = cell::resolution(RESOLUTION).unwrap();
    let spots =
        (0..24).flat_map(|row| (0..24).map(move |column| (50.0 * f64::from(column), 50.0 * f64::from(row))));
    let mut cells: Vec<_> = spots.map(|spot| cell::at(town.spot(spot), resolution)).collect();
    cells.sort_unstable();
    cells.dedup();
    let parts = walkshed::metrics::apportion::parts(&cells, &areas, &Progress::default()).unwrap();
    let mut shares = vec![(0.0, 0); cells.len()];
    for part in parts.iter().flatten() {
        shares[part.cell as usize].0 += part.share;
        shares[part.cell as usize].1 += 1;
    }
    assert!(shares.iter().all(|(share, _): &(f64, usize)| (share - 1.0).abs() < 1e-9), "{shares:?}");
    // Rows of cells about 100 m apart cross 1.2 km of the line: a dozen are cut, the others lie on one side.
    let cut = shares.iter().filter(|(_, parts)| *parts == 2).count();
    assert!((8..=25).contains(&cut), "{cut} cells of {}", cells.len());
}

#[test]
fn h3_parents_as_areas_add_up_to_the_town() {
    for resolution in [7, 8, 9, 10] {
        let (_, folder) = grid_town();
        let (whole, parents) = whole_and_areas(&folder, BUILDINGS, &format!("[areas]\nh3 = {resolution}"));
        assert_areas_add_up(&whole, &parents);
        assert!(parents.iter().all(|row| cell::from_hex(&row.area).is_some()));
    }
}

#[test]
fn overlapping_areas_each_count_their_own_people() {
    let (town, folder) = grid_town();
    let everywhere =
        rectangle(&town, [-1000.0, -1000.0, 3000.0, 3000.0], "\"area_id\":\"city\",\"level\":\"city\"");
    let again = rectangle(&town, [-2000.0, -2000.0, 4000.0, 4000.0], "\"area_id\":\"region\"");
    let nowhere = rectangle(&town, [8000.0, 8000.0, 9000.0, 9000.0], "\"area_id\":\"desert\"");
    folder.write("areas.geojson", collection(&[everywhere, again, nowhere]));
    let (whole, areas) = whole_and_areas(&folder, BUILDINGS, "[areas]\npath = \"areas.geojson\"");
    for name in ["city", "region"] {
        let own: Vec<Row> = areas.iter().filter(|row| row.area == name).cloned().collect();
        assert_areas_add_up(&whole, &own);
    }
    let desert: Vec<&Row> = areas.iter().filter(|row| row.area == "desert").collect();
    assert_eq!(desert.len(), whole.len());
    assert!(desert.iter().all(|row| row.people.abs() < f64::MIN_POSITIVE));
    let shares = numbers(&folder.result("coverage"), "share");
    assert_eq!(shares.iter().filter(|share| share.is_none()).count(), desert.len());
}

#[test]
fn people_outside_every_area_are_reported() {
    let (town, folder) = straight_town();
    // The area holds the homes of 10 and 20 people, not the home of 40 at 900 m, and not those in the north.
    folder.write(
        "areas.geojson",
        collection(&[rectangle(&town, [-500.0, -200.0, 650.0, 200.0], "\"area_id\":1")]),
    );
    let report = folder.run(&study(TABLE, "[areas]\npath = \"areas.geojson\"")).unwrap();
    assert!(
        (report.people.outside_areas - (40.0 + 80.0 + 160.0)).abs() < 1e-6,
        "{}",
        report.people.outside_areas
    );
    assert!(coverage(&folder).iter().all(|row| row.area == "1" && (row.people - (10.0 + 20.0)).abs() < 1e-6));
}

// ------------------------------------------------------------------ rows, files and bytes

const FIVE_PROFILES: &str = "profiles = [\"adult\", \"senior\", \"child\", \"stroller\", \"wheelchair\"]\n";

fn many_rows(folder: &StudyFolder) -> RunReport {
    let sections = study(BUILDINGS, "[areas]\nh3 = 8").replace("[2, 6]", "[1, 2, 3, 5, 8]");
    folder.run(&(sections + FIVE_PROFILES)).expect("a study that can run")
}

#[test]
fn everybody_is_covered_or_has_a_reason_not_to_be() {
    let (_, folder) = grid_town();
    many_rows(&folder);
    let rows = coverage(&folder);
    assert!(rows.len() >= 5 * 5 * 3);
    for row in rows {
        assert_same_people(row.covered + row.beyond + row.not_connected + row.not_snapped, row.people);
    }
}

#[test]
fn more_minutes_never_cover_fewer_people() {
    let (_, folder) = grid_town();
    many_rows(&folder);
    let rows = coverage(&folder);
    for pair in rows.windows(2).filter(|pair| pair[0].minutes < pair[1].minutes) {
        assert_eq!(
            (&pair[0].area, &pair[0].class, &pair[0].profile),
            (&pair[1].area, &pair[1].class, &pair[1].profile)
        );
        assert!(pair[0].covered <= pair[1].covered, "{pair:?}");
        assert!(pair[0].beyond >= pair[1].beyond, "{pair:?}");
    }
    let adults = |minutes: f64| {
        let of = |row: &&Row| row.profile == "adult" && row.minutes.to_bits() == minutes.to_bits();
        rows.iter().filter(of).map(|row| row.covered).sum::<f64>()
    };
    assert!(adults(1.0) < adults(8.0));
}

#[test]
fn a_faster_walker_covers_at_least_as_many_people() {
    let (_, folder) = grid_town();
    let report = many_rows(&folder);
    let covered = |profile: &str| {
        report
            .total
            .iter()
            .filter(|row| row.profile == profile)
            .map(|row| row.people_covered)
            .collect::<Vec<_>>()
    };
    // There are no stairs in this town: 1.33, 1.10, 1.00 and 0.90 metres per second.
    for pair in ["adult", "stroller", "child", "senior"].windows(2) {
        assert!(covered(pair[0]).iter().zip(covered(pair[1])).all(|(fast, slow)| *fast >= slow), "{pair:?}");
    }
    // Stroller and wheelchair go at the same speed.
    let (stroller, wheelchair) = (covered("stroller"), covered("wheelchair"));
    assert!(stroller.iter().zip(&wheelchair).all(|(a, b)| a.to_bits() == b.to_bits()));
}

#[test]
fn a_result_folder_holds_exactly_seven_files_and_nothing_is_left_beside_it() {
    let (_, folder) = grid_town();
    many_rows(&folder);
    many_rows(&folder);
    let expected = [
        "areas.parquet",
        "cells.parquet",
        "coverage.parquet",
        "facilities.parquet",
        "rejected.parquet",
        "run.json",
        "times.parquet",
    ];
    assert_eq!(names(&folder.path("out")), expected);
    assert_eq!(names(&folder.path("")), ["STUDY.toml", "out", "shops.csv", "town.osm.pbf"]);
}

#[test]
fn the_report_tells_the_rows_of_every_table() {
    let (_, folder) = grid_town();
    let report = many_rows(&folder);
    for (name, rows) in report.rows {
        assert_eq!(folder.result_rows(name.trim_end_matches(".parquet")), rows, "{name}");
    }
    let cells = folder.result("cells").rows();
    assert_eq!(folder.result("times").rows(), cells * 3 * 5);
}

/// What `run.json` says, but for the time and memory that it took.
fn lasting_report(folder: &StudyFolder, out: &str) -> serde_json::Value {
    let text = std::fs::read_to_string(folder.path(out).join("run.json")).expect("a report");
    let mut report: serde_json::Value = serde_json::from_str(&text).expect("a report is JSON");
    let all = report.as_object_mut().expect("a report is an object");
    assert!(all.remove("seconds").is_some());
    all.remove("peak_memory_bytes");
    report
}

#[test]
fn the_same_study_gives_the_same_bytes_on_any_number_of_threads() {
    let (town, folder) = grid_town();
    folder.write("areas.geojson", two_halves(&town));
    folder.write("people.geojson", estates_geojson(&town));
    let sections = study("path = \"people.geojson\"", "[areas]\npath = \"areas.geojson\"") + FIVE_PROFILES;
    let run = |out: &str, threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| folder.run_into(out, &sections)).unwrap();
    };
    for (out, threads) in [("one", 1), ("again", 1), ("two", 2), ("seven", 7)] {
        run(out, threads);
    }
    for other in ["again", "two", "seven"] {
        assert_eq!(lasting_report(&folder, "one"), lasting_report(&folder, other));
        for ((name, one), (_, two)) in folder.tables("one").into_iter().zip(folder.tables(other)) {
            assert!(one == two, "{name} differs between runs one and {other}");
        }
    }
    assert_eq!(folder.tables("one").len(), 6);
}
