//! Hostile and damaged tables, rasters and outlines, by the numbers of docs/design/2026-11-hostile-input.md. Parquet has
//! tests of its own beside its gate, street files in `hostile_pbf.rs`.
//!
//! **Everything here is made up.**

mod towns;

use geo::{MultiPolygon, Polygon};
use h3o::Resolution;
use std::fs::File;
use std::path::Path;
use tiff::encoder::{TiffEncoder, colortype::Gray32Float};
use tiff::tags::Tag;
use towns::Town;
use towns::study::StudyFolder;
use walkshed::io;
use walkshed::io::table::Table;
use walkshed::metrics::population::cells_touching;
use walkshed::model::cell;
use walkshed::model::error::{Error, Result};
use walkshed::model::limits::Amount;
use walkshed::model::place::Place;
use walkshed::model::problem::{Fault, Problem};
use walkshed::model::smoothing::Smoothing;

#[track_caller]
fn problem_of<T>(result: Result<T>) -> Problem {
    match result {
        Err(Error::Input(problems)) => problems[0].clone(),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was read"),
    }
}

// ------------------------------------------------------------------ GeoJSON

const FEATURE: &str =
    r#"{"type":"Feature","properties":{"id":1},"geometry":{"type":"Point","coordinates":[106.5,29.5]}}"#;

fn geojson(text: impl AsRef<[u8]>) -> Result<Table> {
    let folder = StudyFolder::empty();
    Table::read(&folder.write("x.geojson", text))
}

fn collection(features: &str) -> String {
    format!(r#"{{"type":"FeatureCollection","features":[{features}]}}"#)
}

/// G1: what is no JSON, by the kinds of `JSONTestSuite`'s files that a parser must refuse.
#[test]
fn what_is_no_json_is_refused() {
    assert!(geojson(collection(FEATURE)).is_ok());
    let with = |value: &str| collection(&FEATURE.replace(r#""id":1"#, &format!(r#""id":{value}"#)));
    for value in [
        "NaN",
        "Infinity",
        "-Infinity",
        "1e400",
        "-1e400",
        "01",
        "1.",
        ".5",
        "+1",
        "0x1F",
        "1e",
        "'a'",
        "\"a",
        "\"\\x\"",
        "\"\\ud800\"",
        "\"\\udc00\\ud800\"",
        "\"a\nb\"",
        "[1,]",
        "{1:2}",
        "{\"a\":}",
        "tru",
        "nul",
        "[1 2]",
        "\u{0}",
        "",
    ] {
        assert_eq!(problem_of(geojson(with(value))).fault.code(), "unreadable", "{value:?}");
    }
    for text in ["", "[", "{", "null", "1", "[]", "{}", "{}{}", "\u{feff}", "*", "{\"type\":\"Topology\"}"] {
        problem_of(geojson(text));
    }
    problem_of(geojson([b"\"", &b"\xff\xfe"[..], b"\""].concat()));
    for open in ["[", "{\"a\":"] {
        let deep = with(&open.repeat(100_000));
        assert!(problem_of(geojson(deep)).to_string().contains("recursion limit"));
    }
}

#[test]
fn json_that_is_unusual_and_right_is_read() {
    let with = |value: &str| collection(&FEATURE.replace(r#""id":1"#, &format!(r#""id":{value}"#)));
    for value in [
        "1E400000000000000000000000000000000000000000".replace("E4", "E-4"),
        "-0".into(),
        "1e-400".into(),
        "\"\\u0000\"".into(),
        "\"\\ud83d\\ude00\"".into(),
        "null".into(),
        "123456789012345678901234567890".into(),
    ] {
        assert!(geojson(with(&value)).is_ok(), "{value}");
    }
    // JSONTestSuite counts a repeated key among what is right; the last one counts.
    let twice = geojson(with("1,\"id\":2")).expect("a test file");
    assert_eq!(twice.numbers("id", &mut Vec::new()).expect("a test file"), [Some(2.0)]);
}

/// G2: features without a place.
#[test]
fn a_feature_without_geometry_is_one_row() {
    let nowhere = r#"{"type":"Feature","properties":{"id":2},"geometry":null}"#;
    let table = geojson(collection(&format!("{FEATURE},{nowhere}"))).expect("a test file");
    let mut problems = Vec::new();
    let places = table.geometries("geometry", &mut problems).expect("a test file");
    assert_eq!((places.len(), places[0].is_some(), places[1].is_some()), (2, true, false));
    assert_eq!((problems.len(), problems[0].row, problems[0].fault.code()), (1, Some(2), "missing_value"));
}

// ------------------------------------------------------------------ rasters

/// A raster of 4 x 3 pixels of 10 m in UTM 48N.
fn raster(folder: &StudyFolder) -> Vec<u8> {
    let path = folder.path("good.tif");
    let mut encoder = TiffEncoder::new(File::create(&path).expect("a test file")).expect("a test file");
    let mut image = encoder.new_image::<Gray32Float>(4, 3).expect("a test file");
    let keys = [1_u16, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, 1, 3072, 0, 1, 32648];
    let tags = image.encoder();
    tags.write_tag(Tag::ModelPixelScaleTag, &[10.0, 10.0, 0.0][..]).expect("a test file");
    tags.write_tag(Tag::ModelTiepointTag, &[0.0, 0.0, 0.0, 650_158.451, 3_271_033.576, 0.0][..])
        .expect("a test file");
    tags.write_tag(Tag::GeoKeyDirectoryTag, &keys[..]).expect("a test file");
    image.write_data(&[1.0; 12]).expect("a test file");
    std::fs::read(path).expect("a test file")
}

fn heights(path: &Path) -> Result<walkshed::model::elevation::Elevation> {
    io::elevation::read(&[path.to_owned()], None, Smoothing::None)
}

/// Where the value of a tag of one number stands in the directory of a little-endian file.
fn tag_at(bytes: &[u8], tag: u16) -> usize {
    let first = u32::from_le_bytes(bytes[4..8].try_into().expect("a test file")) as usize;
    let count = usize::from(u16::from_le_bytes(bytes[first..first + 2].try_into().expect("a test file")));
    let entries = (0..count).map(|entry| first + 2 + entry * 12);
    let is_wanted = |at: &usize| bytes[*at..at + 2] == tag.to_le_bytes();
    entries.into_iter().find(is_wanted).expect("the tag is there") + 8
}

/// G7: a few bytes that say they are 4,000 million pixels.
#[test]
fn a_raster_of_more_pixels_than_its_bytes_can_hold_is_refused() {
    let folder = StudyFolder::empty();
    let mut bytes = raster(&folder);
    for tag in [256, 257, 278] {
        let at = tag_at(&bytes, tag);
        bytes[at..at + 4].copy_from_slice(&63_000_u32.to_le_bytes());
    }
    let Fault::TooLarge { amount, found, .. } = problem_of(heights(&folder.write("bomb.tif", &bytes))).fault
    else {
        panic!()
    };
    assert_eq!((amount, found), (Amount::Pixels, 63_000 * 63_000));
}

#[test]
fn a_raster_cut_off_anywhere_is_refused() {
    let folder = StudyFolder::empty();
    let bytes = raster(&folder);
    assert!(heights(&folder.write("whole.tif", &bytes)).is_ok());
    for cut in 0..bytes.len() {
        problem_of(heights(&folder.write("cut.tif", &bytes[..cut])));
    }
}

#[test]
fn a_raster_with_other_bytes_never_panics() {
    let folder = StudyFolder::empty();
    let bytes = raster(&folder);
    for at in 0..bytes.len() {
        for mask in [0x01, 0x80, 0xff] {
            let mut spoilt = bytes.clone();
            spoilt[at] ^= mask;
            let path = folder.write("spoilt.tif", &spoilt);
            if let Err(error) = heights(&path) {
                assert!(matches!(error, Error::Input(_)), "byte {at}: {error}");
            }
        }
    }
}

#[test]
fn a_tile_of_another_length_is_refused_without_reading_it() {
    let folder = StudyFolder::empty();
    let path = folder.write("N29E106.hgt", b"");
    // A terabyte, as a file with a hole.
    File::options().write(true).open(&path).expect("a test file").set_len(1 << 40).expect("a test file");
    assert_eq!(problem_of(heights(&path)).fault.code(), "wrong_format");
}

// ------------------------------------------------------------------ settings

#[test]
fn settings_beyond_their_size_or_depth_are_refused() {
    let folder = StudyFolder::empty();
    let path = folder.write("STUDY.toml", "");
    File::options().write(true).open(&path).expect("a test file").set_len(17 << 20).expect("a test file");
    assert_eq!(problem_of(io::study::read(&path)).fault.code(), "too_large");
    for deep in [
        "[".repeat(100_000),
        format!("a = {}", "[".repeat(100_000)),
        format!("a{} = 1", ".a".repeat(100_000)),
    ] {
        let path = folder.write("STUDY.toml", deep);
        assert!(io::study::read(&path).is_err());
        assert!(io::study::catalogue(Some(&path)).is_err());
    }
}

// ------------------------------------------------------------------ outlines and cells

const STUDY: &str = "[study]\nname = \"made up\"\n[streets]\nosm = \"town.osm.pbf\"\n[facilities]\npath = \"shops.csv\"\n\
                     [population]\npath = \"people.csv\"\n";

fn town_with_people(people: &str) -> StudyFolder {
    let mut town = Town::new();
    let west = town.corner(0.0, 0.0);
    town.street(west).east(300.0).done();
    let folder = StudyFolder::of(&town);
    let (lon, lat) = town.lon_lat(0.0, 0.0);
    folder.write("shops.csv", format!("id,class,lon,lat\na,market,{lon},{lat}\n"));
    folder.write("people.csv", people);
    folder
}

/// S4: a cell of the whole earth's size, at the finest resolution.
#[test]
fn a_coarse_cell_of_too_many_children_is_refused_with_a_resolution_that_fits() {
    let folder = town_with_people("cell,people\n8001fffffffffff,5\n");
    let finest = STUDY.replace("[study]", "[study]\nresolution = 13");
    let problem = folder.refused(&finest).remove(0);
    let Fault::TooManyCells { cells, most, resolution, coarser } = problem.fault else { panic!("{problem}") };
    // A hexagon has 7^13 children thirteen levels down; 7^9 are 40 million.
    assert_eq!((cells, most, resolution, coarser), (7_u64.pow(13), 50_000_000, 13, Some(9)));
    assert_eq!(problem.value.as_deref(), Some("8001fffffffffff"));
    assert!(problem.to_string().contains("Use resolution 9 or coarser"), "{problem}");
}

/// S3: across the 180th meridian in one piece, and in two as RFC 7946 wants it.
#[test]
fn an_outline_across_the_antimeridian_is_refused_in_one_piece_and_taken_in_two() {
    use geo::{MultiPolygon, polygon};
    let box_of = |west: f64, east: f64| polygon![(x: west, y: -19.0), (x: east, y: -19.0), (x: east, y: -16.0), (x: west, y: -16.0)];
    let one = geo::Geometry::Polygon(box_of(-179.0, 179.0));
    assert_eq!(io::geometry::polygons_of(one), Err(Fault::CrossesAntimeridian));
    let two =
        geo::Geometry::MultiPolygon(MultiPolygon::new(vec![box_of(179.0, 180.0), box_of(-180.0, -179.0)]));
    let outline = io::geometry::polygons_of(two).expect("a test file");
    let at = |resolution| cell::resolution(resolution).expect("a test file");
    let cells = cells_touching(&outline, at(5)).expect("a test file");
    // Two degrees by three at 17.5 degrees south are 70,500 square kilometres, of 252.9 each.
    let (least, most) = (70_500.0 / 300.0, 70_500.0 / 200.0 + 100.0);
    assert!((least..most).contains(&(cells.len() as f64)), "{}", cells.len());
    // Around a pole.
    let cap = polygon![(x: -180.0, y: 80.0), (x: -60.0, y: 80.0), (x: 60.0, y: 80.0), (x: 180.0, y: 80.0), (x: 180.0, y: 90.0), (x: -180.0, y: 90.0)];
    assert_eq!(io::geometry::polygons_of(geo::Geometry::Polygon(cap)), Err(Fault::CrossesAntimeridian));
}

/// S2: outlines that a planner can draw by mistake.
#[test]
fn outlines_that_cross_themselves_are_refused() {
    use geo::{Geometry, LineString, Polygon, polygon};
    let bow = polygon![(x: 0.0, y: 0.0), (x: 1.0, y: 1.0), (x: 1.0, y: 0.0), (x: 0.0, y: 1.0)];
    let square =
        |west: f64| LineString::from(vec![(west, 0.0), (west + 1.0, 0.0), (west + 1.0, 1.0), (west, 0.0)]);
    let hole_outside = Polygon::new(square(0.0), vec![square(5.0)]);
    for outline in [bow, hole_outside] {
        let refused = io::geometry::polygons_of(Geometry::Polygon(outline.clone()));
        assert!(matches!(refused, Err(Fault::BadGeometry { .. })), "{outline:?} gave {refused:?}");
    }
}

#[test]
fn long_edges_near_a_pole_are_covered_and_nothing_else() {
    // Edges are straight in degrees; H3's own steps along them left gaps through which the coverage ran out (found by a fuzzer).
    let corners = [(0.0714, -88.56), (-176.47, -65.7), (0.0, -88.24)];
    let outline = MultiPolygon::from(Polygon::new(corners.to_vec().into(), vec![]));
    let cells = cells_touching(&outline, Resolution::Four).unwrap();
    let estimated = cell::estimate(&outline, Resolution::Four) as usize;
    assert!(cells.len() <= 2 * estimated, "{} cells, {estimated} estimated", cells.len());
    for part in 0..=1000 {
        let part = f64::from(part) / 1000.0;
        let [from, to, _] = corners;
        let (lon, lat) = (from.0 + (to.0 - from.0) * part, from.1 + (to.1 - from.1) * part);
        let on_the_edge = cell::at(Place::new(lon, lat).unwrap(), Resolution::Four);
        assert!(cells.binary_search(&on_the_edge).is_ok(), "{lon} {lat}");
    }
}
