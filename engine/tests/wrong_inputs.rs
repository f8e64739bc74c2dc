//! A wrong input gives one error, or one row in `rejected.parquet`, that names file, row, value and what to do; never
//! a panic and never a part of a result folder.
//!
//! **Every town here is made up.** The files of `hostile/parquet` are reports of faults in other Parquet readers.

mod towns;

use proptest::prelude::*;
use std::path::{Path, PathBuf};
use towns::Town;
use towns::study::{StudyFolder, names, text};
use towns::walk::{LONG_DS, own_classes, walk};
use walkshed::io::osm::{self, Wanted};
use walkshed::io::table::Table;
use walkshed::io::{self, defaults};
use walkshed::model::error::{Error, Result};
use walkshed::model::facility::Facilities;
use walkshed::model::ids::Ids;
use walkshed::model::problem::{Fault, Problem};
use walkshed::model::progress::Progress;
use walkshed::model::smoothing::Smoothing;
use walkshed::model::street::{Survey, SurveyedEdge, WayKind};
use walkshed::model::times::Direction;
use walkshed::network::graph::Network;
use walkshed::network::{build, store};

// ------------------------------------------------------------------ a study that can run, to be spoilt

const STUDY: &str = "[study]\nname = \"made up\"\n[streets]\nosm = \"town.osm.pbf\"\n[facilities]\npath = \"shops.csv\"\n\
                     [population]\npath = \"people.csv\"\n";

const WITH_AREAS: &str = "[areas]\npath = \"areas.geojson\"\n";

/// Two streets, one relation and a shop, small enough that every byte of the file can be tried.
fn small_town(origin: (f64, f64)) -> Town {
    let mut town = Town::at(origin.0, origin.1);
    let west = town.corner(0.0, 0.0);
    let east = town.street(west).east(300.0).done();
    town.street(east).north(200.0).done();
    town.shop(100.0, 10.0, &[("shop", "supermarket")]);
    let outer = [(20.0, 10.0), (40.0, 10.0), (40.0, 30.0), (20.0, 30.0)];
    town.multipolygon(&outer, &[], &[("building", "apartments")]);
    town
}

/// A place where longitude is no latitude, and one where each can be the other.
const CHONGQING: (f64, f64) = (106.55, 29.56);
const HEIDELBERG: (f64, f64) = (8.68, 49.41);

fn lon_lat(town: &Town, spot: (f64, f64)) -> String {
    let place = town.spot(spot);
    format!("{},{}", place.lon(), place.lat())
}

fn lat_lon(town: &Town, spot: (f64, f64)) -> String {
    let place = town.spot(spot);
    format!("{},{}", place.lat(), place.lon())
}

/// A folder with a study that can run: `shops.csv` and `people.csv` of one good row each.
fn good(town: &Town) -> StudyFolder {
    let folder = StudyFolder::of(town);
    folder.write("shops.csv", format!("id,class,lon,lat\ngood,market,{}\n", lon_lat(town, (0.0, 0.0))));
    folder.write("people.csv", format!("lon,lat,people\n{},100\n", lon_lat(town, (300.0, 100.0))));
    folder
}

fn good_study() -> (Town, StudyFolder) {
    let town = small_town(CHONGQING);
    let folder = good(&town);
    (town, folder)
}

/// The one fault of a study that is refused.
#[track_caller]
fn one_fault(folder: &StudyFolder, sections: &str) -> Problem {
    let problems = folder.refused(sections);
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_tells_what_to_do(&problems[0]);
    problems[0].clone()
}

/// File, row, column and value of a problem, and the code of its fault.
fn told(problem: &Problem) -> (&str, Option<u64>, Option<&str>, Option<&str>, &str) {
    let (column, value) = (problem.column.as_deref(), problem.value.as_deref());
    (problem.file.as_str(), problem.row, column, value, problem.fault.code())
}

#[track_caller]
fn assert_tells_what_to_do(problem: &Problem) {
    let message = problem.message();
    for (text, fix) in [(&message.en, problem.fault.fix().en), (&message.zh, problem.fault.fix().zh)] {
        assert!(text.contains(&problem.file) && !fix.is_empty() && text.contains(&fix), "{text}");
    }
}

/// Runs a study with one more row in a table; gives the one row of `rejected.parquet` as file, row, value, reason.
#[track_caller]
fn rejected_row(folder: &StudyFolder, sections: &str) -> (String, f64, String, String) {
    let report = folder.run(sections).unwrap_or_else(|error| panic!("the other rows are good: {error}"));
    assert_eq!(report.rejected.values().sum::<usize>(), 1, "{:?}", report.rejected);
    let table = folder.result("rejected");
    assert_eq!(table.rows(), 1);
    for column in ["message", "message_zh"] {
        assert!(text(&table, column)[0].contains(&text(&table, "file")[0]));
    }
    let row = table.numbers("row", &mut Vec::new()).expect("a number")[0].expect("a row of a table");
    let one = |column: &str| text(&table, column)[0].clone();
    (one("file"), row, one("value"), one("reason"))
}

fn with_row(folder: &StudyFolder, table: &str, row: &str) {
    let before = std::fs::read_to_string(folder.path(table)).expect("a table");
    folder.write(table, format!("{before}{row}\n"));
}

#[test]
fn the_study_that_the_other_tests_spoil_can_run() {
    let (_, folder) = good_study();
    let report = folder.run(STUDY).unwrap();
    assert!(report.rejected.is_empty(), "{:?}", report.rejected);
    assert!((report.people.in_cells - 100.0).abs() < 1e-9);
}

// ------------------------------------------------------------------ tables

#[test]
fn a_missing_column_is_named_beside_those_that_are_there() {
    let (town, folder) = good_study();
    folder.write("shops.csv", format!("id,kind,lon,lat\na,market,{}\n", lon_lat(&town, (0.0, 0.0))));
    let problem = one_fault(&folder, STUDY);
    assert_eq!(told(&problem), ("shops.csv", None, Some("class"), None, "missing_column"));
    assert!(problem.to_string().contains("found: id, kind, lon, lat"), "{problem}");
}

#[test]
fn every_column_that_a_study_needs_is_missed() {
    let (town, spot) = (small_town(CHONGQING), (0.0, 0.0));
    let at = lon_lat(&town, spot);
    let cases = [
        ("shops.csv", format!("class,lon,lat\nmarket,{at}\n"), "id"),
        ("shops.csv", "id,class,lon\na,market,106.55\n".to_owned(), "lon + lat, geometry or cell"),
        ("people.csv", format!("lon,lat,persons\n{at},5\n"), "people"),
        ("people.csv", "people,latitude\n5,29.5\n".to_owned(), "lon + lat, geometry or cell"),
    ];
    for (table, contents, column) in cases {
        let folder = good(&town);
        folder.write(table, contents);
        assert_eq!(told(&one_fault(&folder, STUDY)), (table, None, Some(column), None, "missing_column"));
    }
}

#[test]
fn a_shop_with_exchanged_coordinates_is_one_row_although_other_shops_are_right() {
    let (town, folder) = good_study();
    with_row(&folder, "shops.csv", &format!("b,market,{}", lat_lon(&town, (10.0, 0.0))));
    let lon = town.spot((10.0, 0.0)).lon().to_string();
    // 106.55 is no latitude, so the row says so by itself.
    assert_eq!(rejected_row(&folder, STUDY), ("shops.csv".into(), 2.0, lon, "swapped_lon_lat".into()));
}

#[test]
fn exchanged_coordinates_that_could_be_right_are_known_by_the_city() {
    let town = small_town(HEIDELBERG);
    let folder = good(&town);
    with_row(&folder, "shops.csv", &format!("b,market,{}", lat_lon(&town, (10.0, 0.0))));
    // 49.41 east, 8.68 north is in Somalia; exchanged it lies in the town.
    let (file, row, value, reason) = rejected_row(&folder, STUDY);
    assert_eq!((file.as_str(), row, reason.as_str()), ("shops.csv", 2.0, "swapped_lon_lat"));
    assert!(value.starts_with("49.4") && value.contains(", 8.6"), "{value}");
}

#[test]
fn a_table_with_all_coordinates_exchanged_is_one_error() {
    for (origin, column) in [(CHONGQING, "\"lat\""), (HEIDELBERG, "value \"49.41, 8.68\"")] {
        let town = small_town(origin);
        let folder = good(&town);
        folder.write("shops.csv", format!("id,class,lon,lat\na,market,{}\n", lat_lon(&town, (0.0, 0.0))));
        let problem = one_fault(&folder, STUDY);
        assert_eq!(told(&problem), ("shops.csv", None, None, None, "all_rejected"));
        let text = problem.to_string();
        assert!(text.contains("row 1") && text.contains("swapped") && text.contains(column), "{text}");
    }
}

#[test]
fn a_shop_in_the_sea_is_listed_with_its_distance_to_the_nearest_street() {
    let (town, folder) = good_study();
    // 5 km south of the street that runs to the east.
    with_row(&folder, "shops.csv", &format!("b,market,{}", lon_lat(&town, (100.0, -5000.0))));
    let (file, row, _, reason) = rejected_row(&folder, STUDY);
    assert_eq!((file.as_str(), row, reason.as_str()), ("shops.csv", 2.0, "not_snapped"));
    let message = text(&folder.result("rejected"), "message")[0].clone();
    assert!(message.contains("the nearest walkable street is 5000 m away, the limit is 200 m"), "{message}");
}

#[test]
fn a_repeated_id_is_one_row_that_names_the_first() {
    let (town, folder) = good_study();
    with_row(&folder, "shops.csv", &format!("good,market,{}", lon_lat(&town, (10.0, 0.0))));
    assert_eq!(rejected_row(&folder, STUDY), ("shops.csv".into(), 2.0, "good".into(), "duplicate_id".into()));
    assert!(text(&folder.result("rejected"), "message")[0].contains("row 1 has the same id"));
}

#[test]
fn one_place_may_be_two_classes_under_one_id() {
    let (town, folder) = good_study();
    with_row(&folder, "shops.csv", &format!("good,school,{}", lon_lat(&town, (0.0, 0.0))));
    let report = folder.run(STUDY).unwrap();
    assert!(report.rejected.is_empty());
    assert_eq!(report.facilities.len(), 2);
}

#[test]
fn a_row_of_people_that_cannot_be_is_left_out_with_its_value() {
    let cases = [
        ("-5", "-5", "out_of_range"),
        ("many", "many", "not_a_number"),
        ("", "", "missing_value"),
        ("NaN", "", "missing_value"),
        ("inf", "", "missing_value"),
    ];
    for (people, value, reason) in cases {
        let (town, folder) = good_study();
        with_row(&folder, "people.csv", &format!("{},{people}", lon_lat(&town, (0.0, 0.0))));
        assert_eq!(
            rejected_row(&folder, STUDY),
            ("people.csv".into(), 2.0, value.into(), reason.into()),
            "{people}"
        );
    }
}

#[test]
fn a_row_of_people_at_no_place_is_left_out() {
    for (place, column, reason) in [
        (",29.56", "lon", "missing_value"),
        ("106.55,", "lat", "missing_value"),
        ("east,29.56", "lon", "not_a_number"),
        ("181,29.56", "lon", "out_of_range"),
        ("181,91", "lat", "out_of_range"),
        ("29.56,106.55", "lat", "swapped_lon_lat"),
    ] {
        let (_, folder) = good_study();
        with_row(&folder, "people.csv", &format!("{place},10"));
        let (file, row, _, found) = rejected_row(&folder, STUDY);
        assert_eq!((file.as_str(), row, found.as_str()), ("people.csv", 2.0, reason), "{place}");
        assert_eq!(text(&folder.result("rejected"), "column"), [column], "{place}");
    }
}

#[test]
fn what_is_no_h3_cell_is_left_out_and_what_is_one_is_read_in_hexadecimal_and_in_decimal() {
    let (town, folder) = good_study();
    let resolution = walkshed::model::cell::resolution(10).unwrap();
    let cell = walkshed::model::cell::at(town.spot((300.0, 100.0)), resolution);
    let other = walkshed::model::cell::at(town.spot((0.0, 0.0)), resolution);
    let rows = format!("cell,people\n{cell},100\n{},50\nffffffffffffffff,25\n", u64::from(other));
    folder.write("people.csv", rows);
    let rejected = rejected_row(&folder, STUDY);
    assert_eq!(rejected, ("people.csv".into(), 3.0, "ffffffffffffffff".into(), "not_a_cell".into()));
    let cells = folder.result("cells").cells("cell", &mut Vec::new()).unwrap();
    let mut expected = [cell, other];
    expected.sort_unstable();
    assert_eq!(cells.into_iter().flatten().collect::<Vec<_>>(), expected);
}

#[test]
fn tables_without_rows_are_told_apart_from_tables_that_are_missing() {
    for (contents, code) in
        [(Some(""), "empty_table"), (Some("id,class,lon,lat\n"), "empty_table"), (None, "not_found")]
    {
        let (_, folder) = good_study();
        match contents {
            Some(contents) => drop(folder.write("shops.csv", contents)),
            None => std::fs::remove_file(folder.path("shops.csv")).unwrap(),
        }
        let problem = one_fault(&folder, STUDY);
        assert!(problem.file.ends_with("shops.csv"), "{problem}");
        assert_eq!(problem.fault.code(), code, "{contents:?}");
    }
}

#[test]
fn the_faults_of_several_tables_are_told_together() {
    let (_, folder) = good_study();
    folder.write("shops.csv", "");
    folder.write("people.csv", "lon,lat,people\n");
    folder.write("areas.geojson", "{\"type\":\"Feature");
    let problems = folder.refused(&format!("{STUDY}{WITH_AREAS}"));
    let files: Vec<&str> = problems.iter().map(|problem| problem.file.as_str()).collect();
    assert_eq!(files, ["shops.csv", "people.csv", "areas.geojson"]);
    problems.iter().for_each(assert_tells_what_to_do);
}

#[test]
fn every_missing_file_is_named_at_once() {
    let folder = StudyFolder::empty();
    let problems = folder.refused(&format!("{STUDY}{WITH_AREAS}"));
    assert_eq!(problems.len(), 4);
    assert!(problems.iter().all(|problem| problem.fault == Fault::NotFound));
}

// ------------------------------------------------------------------ geometry

/// A feature of a geometry, with an id for areas and for shops.
fn feature(number: usize, geometry: &str) -> String {
    let properties =
        format!("\"area_id\":\"a{number}\",\"id\":\"a{number}\",\"class\":\"park\",\"people\":10");
    format!("{{\"type\":\"Feature\",\"properties\":{{{properties}}},\"geometry\":{geometry}}}")
}

fn collection(geometries: &[&str]) -> String {
    let features: Vec<String> =
        geometries.iter().enumerate().map(|(number, text)| feature(number, text)).collect();
    format!("{{\"type\":\"FeatureCollection\",\"features\":[{}]}}", features.join(","))
}

const SQUARE: &str = r#"{"type":"Polygon","coordinates":[[[106.54,29.55],[106.56,29.55],[106.56,29.57],[106.54,29.57],[106.54,29.55]]]}"#;

/// A bow tie.
const CROSSING: &str = r#"{"type":"Polygon","coordinates":[[[106.54,29.55],[106.56,29.57],[106.56,29.55],[106.54,29.57],[106.54,29.55]]]}"#;

#[test]
fn an_area_that_crosses_itself_is_left_out_with_its_row() {
    let (_, folder) = good_study();
    folder.write("areas.geojson", collection(&[SQUARE, CROSSING]));
    let (file, row, _, reason) = rejected_row(&folder, &format!("{STUDY}{WITH_AREAS}"));
    assert_eq!((file.as_str(), row, reason.as_str()), ("areas.geojson", 2.0, "bad_geometry"));
    assert_eq!(text(&folder.result("rejected"), "id"), ["a1"]);
}

#[test]
fn areas_that_all_cross_themselves_are_one_error() {
    let (_, folder) = good_study();
    folder.write("areas.geojson", collection(&[CROSSING, CROSSING]));
    let problem = one_fault(&folder, &format!("{STUDY}{WITH_AREAS}"));
    assert_eq!(told(&problem), ("areas.geojson", None, None, None, "all_rejected"));
    assert!(problem.to_string().contains("row 1"), "{problem}");
}

/// Geometries that say nothing, or say it wrongly.
const STRANGE: [&str; 16] = [
    "null",
    r#"{"type":"Point","coordinates":[]}"#,
    r#"{"type":"Point","coordinates":[106.55]}"#,
    r#"{"type":"Point","coordinates":[1e308,1e308]}"#,
    r#"{"type":"Point","coordinates":["106.55","29.56"]}"#,
    r#"{"type":"LineString","coordinates":[]}"#,
    r#"{"type":"LineString","coordinates":[[106.55,29.56]]}"#,
    r#"{"type":"Polygon","coordinates":[]}"#,
    r#"{"type":"Polygon","coordinates":[[]]}"#,
    r#"{"type":"Polygon","coordinates":[[[106.55,29.56]]]}"#,
    r#"{"type":"Polygon","coordinates":[[[106.55,29.56],[106.55,29.56],[106.55,29.56],[106.55,29.56]]]}"#,
    r#"{"type":"Polygon","coordinates":[[],[[106.54,29.55],[106.56,29.55],[106.56,29.57],[106.54,29.55]]]}"#,
    r#"{"type":"MultiPolygon","coordinates":[[[]]]}"#,
    r#"{"type":"GeometryCollection","geometries":[]}"#,
    r#"{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[106.55,29.56]}]}"#,
    r#"{"type":"Circle","coordinates":[106.55,29.56]}"#,
];

#[test]
fn a_strange_geometry_is_a_row_or_an_error_in_every_table() {
    let tables = [
        STUDY.replace("shops.csv", "strange.geojson"),
        STUDY.replace("people.csv", "strange.geojson"),
        format!("{STUDY}[areas]\npath = \"strange.geojson\"\n"),
    ];
    for geometry in STRANGE {
        for (number, sections) in tables.iter().enumerate() {
            let (_, folder) = good_study();
            folder.write("strange.geojson", collection(&[SQUARE, geometry]));
            match folder.run(sections) {
                // A point in a collection and a street of two equal corners are places all the same.
                Ok(report) => {
                    let rejected = report.rejected.values().sum::<usize>();
                    assert!(rejected <= 1, "{geometry} in table {number}");
                    // Every row of the shops is a facility or rejected.
                    let facilities = report.facilities.values().sum::<usize>();
                    assert!(number > 0 || facilities + rejected == 2, "{geometry}: {facilities} facilities");
                }
                Err(Error::Input(problems)) => {
                    assert!(
                        problems[0].file == "strange.geojson",
                        "{geometry} in table {number}: {problems:?}"
                    );
                    assert_eq!(names(&folder.path("")).len(), 5, "{geometry}");
                }
                Err(other) => panic!("{geometry} in table {number}: {other}"),
            }
        }
    }
}

// ------------------------------------------------------------------ streets

fn read_streets(path: &Path) -> Result<osm::Extract> {
    let (rules, catalogue, buildings) =
        (defaults::walking_rules(), defaults::catalogue(), defaults::building_rules());
    let wanted = Wanted { rules: &rules, catalogue: Some(&catalogue), buildings: Some(&buildings) };
    osm::read(path, wanted, &Progress::default())
}

fn town_bytes() -> Vec<u8> {
    let folder = StudyFolder::of(&small_town(CHONGQING));
    std::fs::read(folder.path("town.osm.pbf")).expect("a town")
}

/// Where the blobs of a PBF file begin, and its end: four bytes of length, a header, and the data whose size the
/// header of our writer gives in its last field.
fn blob_borders(bytes: &[u8]) -> Vec<usize> {
    let mut borders = vec![0];
    let mut at = 0;
    while at < bytes.len() {
        let length: [u8; 4] = bytes[at..at + 4].try_into().expect("four bytes");
        let header = &bytes[at + 4..at + 4 + u32::from_be_bytes(length) as usize];
        // Field 1 is the kind: tag, length, text. Field 3 is the size: tag, then seven bits a byte.
        let size = header[2 + usize::from(header[1]) + 1..]
            .iter()
            .rev()
            .fold(0, |size, byte| size << 7 | usize::from(byte & 0x7f));
        at += 4 + header.len() + size;
        borders.push(at);
    }
    borders
}

#[test]
fn a_street_file_cut_off_at_any_byte_is_refused_and_tells_where() {
    let (bytes, folder) = (town_bytes(), StudyFolder::empty());
    let borders = blob_borders(&bytes);
    assert_eq!((borders.len(), borders[borders.len() - 1]), (5, bytes.len()));
    for cut in 0..bytes.len() {
        let path = folder.write("cut.osm.pbf", &bytes[..cut]);
        let read = read_streets(&path);
        if cut > 0 && borders.contains(&cut) {
            // The format has no trailer: such a file is a smaller town, or one without streets.
            continue;
        }
        let Err(Error::Input(problems)) = read else { panic!("cut at {cut} of {}: {read:?}", bytes.len()) };
        let begun = borders.iter().copied().filter(|&border| border <= cut).max().unwrap_or_default() as u64;
        let expected = if cut < borders[1] {
            Fault::WrongFormat { expected: "OpenStreetMap PBF" }
        } else {
            Fault::Truncated { at_byte: begun }
        };
        // The first blob says what the file is, so a file that ends in its data is whole enough to be cut off.
        let cut_in_first = cut < borders[1] && problems[0].fault == Fault::Truncated { at_byte: 0 };
        assert!(cut_in_first || problems[0].fault == expected, "cut at {cut}: {problems:?}");
        assert_eq!(problems.len(), 1);
    }
}

#[test]
fn a_study_with_a_cut_off_street_file_leaves_nothing_behind() {
    let (bytes, (_, folder)) = (town_bytes(), good_study());
    for cut in [0, 3, bytes.len() / 2, bytes.len() - 1] {
        folder.write("town.osm.pbf", &bytes[..cut]);
        assert_eq!(one_fault(&folder, STUDY).file, "town.osm.pbf");
    }
}

#[test]
fn a_street_file_with_a_flipped_byte_never_panics() {
    let (bytes, folder) = (town_bytes(), StudyFolder::empty());
    let mut whole = 0;
    for at in 0..bytes.len() {
        for mask in [0x01, 0x80, 0xff] {
            let mut spoilt = bytes.clone();
            spoilt[at] ^= mask;
            let path = folder.write("flipped.osm.pbf", &spoilt);
            match read_streets(&path) {
                Ok(_) => whole += 1,
                Err(Error::Input(problems)) => assert_eq!(problems[0].file, "flipped.osm.pbf"),
                Err(other) => panic!("byte {at} with {mask:#x}: {other}"),
            }
        }
    }
    // zlib carries a checksum, so that few flips (lengths of unknown fields and the like) go unseen.
    assert!(whole * 5 < bytes.len() * 3, "{whole} flips of {} bytes were not seen", bytes.len());
}

#[test]
fn a_text_that_is_called_pbf_is_told_as_what_it_is_not() {
    for (contents, kind) in [
        ("", Some("empty")),
        ("<osm version=\"0.6\">", Some("XML")),
        ("id,class,lon,lat\n", None),
        ("\0\0\0\u{d}\n\u{9}OSMData", None),
    ] {
        let (_, folder) = good_study();
        folder.write("town.osm.pbf", contents);
        let problem = one_fault(&folder, STUDY);
        assert_eq!(told(&problem), ("town.osm.pbf", None, None, kind, "wrong_format"), "{contents:?}");
        assert!(
            problem.to_string().contains("this is no OpenStreetMap PBF file")
                || problem.to_string().contains("OpenStreetMap PBF")
        );
    }
}

// ------------------------------------------------------------------ settings and folders

#[test]
fn an_unknown_profile_is_told_beside_the_known_ones() {
    let (_, folder) = good_study();
    let problem = one_fault(&folder, &format!("{STUDY}[coverage]\nprofiles = [\"adult\", \"astronaut\"]\n"));
    assert_eq!(told(&problem), ("STUDY.toml", None, Some("coverage.profiles"), Some("astronaut"), "setting"));
    assert!(problem.to_string().contains("one of adult, senior, child, stroller, wheelchair"), "{problem}");
}

#[test]
fn several_faults_of_a_study_are_told_together() {
    let (_, folder) = good_study();
    let sections = STUDY.replace("[study]", "[study]\nresolution = 16")
        + "crs = \"EPSG:26710\"\n[areas]\n[coverage]\nminutes = [0, 5, 2000]\nprofiles = [\"astronaut\"]\n";
    let keys: Vec<String> =
        folder.refused(&sections).into_iter().filter_map(|problem| problem.column).collect();
    let expected = [
        "study.resolution",
        "areas",
        "coverage.minutes",
        "coverage.minutes",
        "coverage.profiles",
        "population.crs",
    ];
    assert_eq!(keys, expected);
}

#[test]
fn a_folder_that_is_no_result_is_refused_and_untouched() {
    let (_, folder) = good_study();
    std::fs::create_dir(folder.path("out")).unwrap();
    folder.write("out/holiday.jpg", "a photograph");
    let problem = one_fault(&folder, STUDY);
    assert_eq!(problem.fault, Fault::OutputExists);
    assert!(problem.file.ends_with("/out"), "{problem}");
    assert_eq!(names(&folder.path("out")), ["holiday.jpg"]);
    assert_eq!(std::fs::read_to_string(folder.path("out/holiday.jpg")).unwrap(), "a photograph");
}

#[test]
fn a_file_where_the_result_should_go_is_refused_and_untouched() {
    let (_, folder) = good_study();
    folder.write("out", "a letter");
    assert_eq!(one_fault(&folder, STUDY).fault, Fault::OutputExists);
    assert_eq!(std::fs::read_to_string(folder.path("out")).unwrap(), "a letter");
}

#[test]
fn a_study_that_fails_leaves_the_earlier_result_as_it_was() {
    let (_, folder) = good_study();
    folder.run(STUDY).unwrap();
    let before = folder.tables("out");
    folder.write("people.csv", "lon,lat\n");
    one_fault(&folder, STUDY);
    assert_eq!(before, folder.tables("out"));
}

#[test]
fn a_study_that_is_stopped_leaves_nothing_behind() {
    let (_, folder) = good_study();
    let path = folder.write("STUDY.toml", STUDY);
    let before = names(&folder.path(""));
    let progress = Progress::default();
    progress.cancel();
    let stopped = walkshed::batch::study::run(&path, &folder.path("out"), &progress);
    assert!(matches!(stopped, Err(Error::Cancelled)), "{stopped:?}");
    assert_eq!(names(&folder.path("")), before);
}

// ------------------------------------------------------------------ Parquet

/// A study whose shops, people and areas are one file of the user's.
fn as_every_table(name: &str) -> [String; 3] {
    [
        STUDY.replace("shops.csv", name),
        STUDY.replace("people.csv", name),
        format!("{STUDY}[areas]\npath = \"{name}\"\n"),
    ]
}

/// A Parquet table that a study can use: the cells of a result.
fn good_parquet() -> Vec<u8> {
    let (_, folder) = good_study();
    folder.run(STUDY).expect("a study that can run");
    std::fs::read(folder.path("out/cells.parquet")).expect("a table of cells")
}

#[test]
fn a_parquet_table_cut_off_at_any_of_many_bytes_is_refused() {
    let (bytes, folder) = (good_parquet(), StudyFolder::empty());
    for cut in (0..bytes.len()).step_by(37).chain(bytes.len() - 12..bytes.len()) {
        let path = folder.write("cut.parquet", &bytes[..cut]);
        let Err(Error::Input(problems)) = Table::read(&path) else {
            panic!("cut at {cut} of {}", bytes.len())
        };
        assert_eq!(problems[0].file, "cut.parquet");
    }
}

#[test]
fn what_is_called_parquet_and_is_none_is_one_error_in_every_table() {
    for (garbage, code) in [
        (&b""[..], "wrong_format"),
        (b"PAR1", "wrong_format"),
        (b"PAR1PAR1", "wrong_format"),
        (b"PAR1\xff\xff\xff\x7fPAR1", "too_large"),
        (b"PAR1\xff\x00\x00\x00PAR1", "unreadable"),
        (b"lon,lat,people\n1,2,3\n", "wrong_format"),
        (&[0; 4096], "wrong_format"),
    ] {
        for sections in as_every_table("garbage.parquet") {
            let (_, folder) = good_study();
            folder.write("garbage.parquet", garbage);
            let problem = one_fault(&folder, &sections);
            assert_eq!((problem.file.as_str(), problem.fault.code()), ("garbage.parquet", code));
        }
    }
}

fn shared_data() -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    std::env::var_os("WALKSHED_DATA").map_or_else(beside, PathBuf::from)
}

#[test]
fn files_that_broke_other_parquet_readers_are_refused_in_every_table() {
    let hostile = shared_data().join("hostile/parquet");
    if !hostile.is_dir() {
        eprintln!("skipped: {} is not there", hostile.display());
        return;
    }
    let files = names(&hostile).into_iter().filter(|name| name.ends_with(".parquet"));
    for name in files {
        for sections in as_every_table("hostile.parquet") {
            let (_, folder) = good_study();
            folder.write("hostile.parquet", std::fs::read(hostile.join(&name)).unwrap());
            let problem = one_fault(&folder, &sections);
            assert_eq!(problem.file, "hostile.parquet", "{name}: {problem}");
        }
    }
}

// ------------------------------------------------------------------ a saved network

fn small_network() -> Network {
    small_town(CHONGQING).network()
}

/// A surveyed network, whose given times and text ids a saved file must keep too.
fn surveyed_network() -> Network {
    let town = small_town(CHONGQING);
    let edge = |from, to, forward_ds, backward_ds| SurveyedEdge {
        from,
        to,
        length_m: 300.0,
        kind: WayKind::Cableway,
        residents: false,
        forward_ds,
        backward_ds,
    };
    let walked = SurveyedEdge { kind: WayKind::Footway, ..edge(1, 2, Some(2000), Some(1500)) };
    let survey = Survey {
        node_id: Ids::Text(["a", "b", "c"].map(str::to_owned).to_vec()),
        place: town.spots(&[(0.0, 0.0), (300.0, 0.0), (300.0, 200.0)]),
        ele_m: vec![Some(200.0), None, Some(210.0)],
        edge_id: Ids::UInt(vec![7, 8, 9]),
        edges: vec![
            edge(0, 1, Some(600), None),
            walked,
            SurveyedEdge { kind: WayKind::Street, ..edge(0, 1, Some(2256), Some(2256)) },
        ],
        timed: true,
    };
    build::from_survey(survey, 150.0).expect("a network of three edges")
}

fn all_times(network: &Network) -> Vec<walkshed::model::times::Nearest> {
    let town = small_town(CHONGQING);
    let spots = town.spots(&[
        (0.0, 0.0),
        (150.0, 20.0),
        (290.0, 0.0),
        (300.0, 120.0),
        (330.0, 200.0),
        (900.0, 900.0),
    ]);
    let to: Facilities = own_classes(&spots);
    ["adult", "wheelchair"]
        .into_iter()
        .flat_map(|who| walk(network, who, &spots, &to, Direction::ToFacility, LONG_DS).times.nearest)
        .collect()
}

/// Whether two networks hold the same numbers.
fn same(a: &Network, b: &Network) -> bool {
    let columns = |network: &Network| format!("{:?} {:?}", network.edges, network.heights);
    (&a.node_id, &a.node_place, &a.edge_id, &a.given) == (&b.node_id, &b.node_place, &b.edge_id, &b.given)
        && (&a.flights, &a.rides, &a.walls, &a.origin) == (&b.flights, &b.rides, &b.walls, &b.origin)
        && columns(a) == columns(b)
}

#[test]
fn a_saved_network_gives_the_same_times_when_it_is_loaded() {
    let folder = StudyFolder::empty();
    for network in [small_network(), surveyed_network()] {
        let path = folder.path("town.walkshed");
        store::save(&network, &path).unwrap();
        let loaded = store::load(&path).unwrap();
        assert!(same(&network, &loaded));
        assert_eq!(all_times(&network), all_times(&loaded));
        assert!(all_times(&network).iter().any(std::result::Result::is_ok));
    }
    assert_eq!(names(&folder.path("")), ["town.walkshed"]);
}

#[test]
fn a_saved_network_with_a_flipped_byte_is_refused_or_is_the_same() {
    let folder = StudyFolder::empty();
    for network in [small_network(), surveyed_network()] {
        let path = folder.path("town.walkshed");
        store::save(&network, &path).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let mut refused = 0;
        for at in 0..bytes.len() {
            let mut spoilt = bytes.clone();
            spoilt[at] ^= 1 << (at % 8);
            folder.write("spoilt.walkshed", &spoilt);
            match store::load(&folder.path("spoilt.walkshed")) {
                Ok(loaded) => assert!(same(&network, &loaded), "byte {at} of {} went unseen", bytes.len()),
                Err(Error::Input(_)) => refused += 1,
                Err(other) => panic!("byte {at}: {other}"),
            }
        }
        assert!(refused > 500, "{refused} of {} were refused", bytes.len());
    }
}

#[test]
fn a_saved_network_cut_off_anywhere_is_refused() {
    let folder = StudyFolder::empty();
    let path = folder.path("town.walkshed");
    store::save(&small_network(), &path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    for cut in (0..bytes.len()).step_by(13) {
        folder.write("cut.walkshed", &bytes[..cut]);
        let loaded = store::load(&folder.path("cut.walkshed"));
        assert!(matches!(loaded, Err(Error::Input(_))), "cut at {cut} of {}: {loaded:?}", bytes.len());
    }
}

// ------------------------------------------------------------------ random bytes

/// Every reader of files, each on the same bytes; what they answer does not matter, only that they do.
fn read_as_everything(folder: &StudyFolder, bytes: &[u8]) {
    for name in ["x.parquet", "x.geoparquet", "x.csv", "x.tsv", "x.geojson", "x.json"] {
        if let Ok(table) = Table::read(&folder.write(name, bytes)) {
            let mut problems = Vec::new();
            for column in table.column_names() {
                let _ = table.numbers(&column, &mut problems);
                let _ = table.ids(&column);
                let _ = table.cells(&column, &mut problems);
                let _ = table.geometries(&column, &mut problems);
            }
            let _ = io::areas::read(&table, "area_id", &mut problems);
            let _ = io::cells::read_origins(&table, &mut problems);
        }
    }
    for name in ["x.tif", "N29E106.hgt"] {
        let _ =
            io::elevation::read(&[folder.write(name, bytes)], Some("EPSG:32648"), Smoothing::SavitzkyGolay);
    }
    let _ = read_streets(&folder.write("x.osm.pbf", bytes));
    let _ = io::study::read(&folder.write("x.toml", bytes));
    let _ = io::study::catalogue(Some(&folder.write("catalogue.toml", bytes)));
    let _ = store::load(&folder.write("x.walkshed", bytes));
}

/// Beginnings and ends by which readers know their files.
const DRESSES: [(&[u8], &[u8]); 7] = [
    (b"", b""),
    (b"PAR1", b"PAR1"),
    (b"ARROW1\0\0", b"ARROW1"),
    (b"II*\0", b""),
    (b"\0\0\0\x0d\n\x09OSMHeader\x18", b""),
    (b"lon,lat,people,cell,area_id,id\n", b"\n"),
    (b"{\"type\":\"FeatureCollection\",\"features\":[", b"]}"),
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn random_bytes_never_panic_as_any_input(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let folder = StudyFolder::empty();
        for (begin, end) in DRESSES {
            read_as_everything(&folder, &[begin, &bytes, end].concat());
        }
    }

    #[test]
    fn a_study_of_random_bytes_leaves_nothing_behind(bytes in prop::collection::vec(any::<u8>(), 0..300), which in 0_usize..4) {
        let (_, folder) = good_study();
        let name = ["town.osm.pbf", "shops.csv", "people.csv", "areas.geojson"][which];
        folder.write("areas.geojson", collection(&[SQUARE]));
        folder.write(name, &bytes);
        let problems = folder.refused(&format!("{STUDY}{WITH_AREAS}"));
        prop_assert!(problems.iter().all(|problem| problem.file == name), "{:?}", problems);
    }

    #[test]
    fn a_parquet_table_with_a_few_other_bytes_never_panics(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        thread_local! { static GOOD: Vec<u8> = good_parquet(); }
        let mut bytes = GOOD.with(Clone::clone);
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let folder = StudyFolder::empty();
        if let Ok(table) = Table::read(&folder.write("x.parquet", &bytes)) {
            let mut problems = Vec::new();
            let _ = io::cells::read_people(&table, None);
            let _ = io::areas::read(&table, "cell", &mut problems);
            let _ = io::cells::read_origins(&table, &mut problems);
        }
    }
}
