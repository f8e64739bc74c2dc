//! A study whose tables are in other coordinate systems gives the answer of the one in WGS-84.
//!
//! **The town is made up.**

mod towns;

use std::fmt::Write;
use towns::Town;
use towns::study::{StudyFolder, full_numbers, numbers, text};
use towns::walk::{network, plane, profile, seconds};
use walkshed::io::table::Table;
use walkshed::model::analysis_crs::AnalysisCrs;
use walkshed::model::crs::Crs;
use walkshed::model::error::Error;
use walkshed::model::place::Place;
use walkshed::model::problem::Problem;
use walkshed::network::store;
use walkshed::network::weight::edge_times;

/// Metres east and north, people.
const HOMES: [(f64, f64, u32); 4] =
    [(10.0, 12.0, 40), (180.0, -15.0, 25), (390.0, 30.0, 7), (700.0, 5.0, 90)];
const SHOPS: [(f64, f64); 2] = [(60.0, -8.0), (500.0, 9.0)];

/// A street of 800 m with shops and homes beside it, their tables in systems of their own.
struct Institute {
    town: Town,
    folder: StudyFolder,
}

impl Institute {
    fn new() -> Self {
        let mut town = Town::new();
        let west = town.corner(0.0, 0.0);
        town.street(west).east(800.0).done();
        let folder = StudyFolder::of(&town);
        Self { town, folder }
    }

    fn xy(&self, at: (f64, f64), system: &str) -> (f64, f64) {
        Crs::from_name(system)
            .and_then(|crs| crs.xy(self.town.spot(at)))
            .expect("the system reaches the town")
    }

    fn write_tables(&self, system: &str) {
        let axes = if system.starts_with("EPSG:4545") { "x,y" } else { "lon,lat" };
        let mut people = format!("{axes},people\n");
        for (east, north, count) in HOMES {
            let (x, y) = self.xy((east, north), system);
            writeln!(people, "{x},{y},{count}").expect("text grows");
        }
        let mut shops = format!("id,class,{axes}\n");
        for (number, &at) in SHOPS.iter().enumerate() {
            let (x, y) = self.xy(at, system);
            writeln!(shops, "s{number},shop,{x},{y}").expect("text grows");
        }
        self.folder.write("people.csv", people);
        self.folder.write("shops.csv", shops);
    }

    /// Two halves as a desktop program writes them: coordinates of a plane and the member `crs` of the standard before.
    fn write_areas(&self, system: &str, stated: &str) {
        let half = |id: &str, west: f64, east: f64| {
            let corners = [(west, -200.0), (east, -200.0), (east, 200.0), (west, 200.0), (west, -200.0)];
            let corners = corners.map(|at| {
                let (x, y) = self.xy(at, system);
                format!("[{x},{y}]")
            });
            format!(
                "{{\"type\":\"Feature\",\"properties\":{{\"area_id\":\"{id}\"}},\
                 \"geometry\":{{\"type\":\"Polygon\",\"coordinates\":[[{}]]}}}}",
                corners.join(",")
            )
        };
        let areas = format!(
            "{{\"type\":\"FeatureCollection\",\"crs\":{{\"type\":\"name\",\"properties\":{{\"name\":\"{stated}\"}}}},\
             \"features\":[{},{}]}}",
            half("west", -200.0, 300.0),
            half("east", 300.0, 1000.0)
        );
        self.folder.write("areas.geojson", areas);
    }

    fn sections(crs: &str, areas_crs: &str) -> String {
        format!(
            "[study]\nname = \"made up\"\nresolution = 11\n[streets]\nosm = \"town.osm.pbf\"\n\
             [facilities]\npath = \"shops.csv\"\n{crs}\n[population]\npath = \"people.csv\"\n{crs}\n\
             [areas]\npath = \"areas.geojson\"\n{areas_crs}\n[coverage]\nminutes = [2, 6]\n"
        )
    }

    /// Times of all cells, and area, minutes, people and people covered.
    fn answer(&self, crs: &str) -> (Vec<Option<f64>>, Vec<String>) {
        self.folder.run(&Self::sections(crs, "")).unwrap_or_else(|error| panic!("{crs}: {error}"));
        let (times, coverage) = (self.folder.result("times"), self.folder.result("coverage"));
        let (area, minutes) = (text(&coverage, "area_id"), numbers(&coverage, "minutes"));
        let (people, covered) = (numbers(&coverage, "people"), numbers(&coverage, "people_covered"));
        let row = |row: usize| {
            // Cells across the border are shared by area: the corners of the halves differ by micrometres.
            let rounded = |number: Option<f64>| number.map(|number| (number * 1e4).round() / 1e4);
            format!("{} {:?} {:?} {:?}", area[row], minutes[row], rounded(people[row]), rounded(covered[row]))
        };
        (numbers(&times, "time_s"), (0..area.len()).map(row).collect())
    }

    fn refused(&self, crs: &str, areas_crs: &str) -> Problem {
        self.folder.refused(&Self::sections(crs, areas_crs)).remove(0)
    }
}

#[test]
fn a_table_in_another_system_gives_the_same_answer() {
    let institute = Institute::new();
    institute.write_tables("EPSG:4326");
    institute.write_areas("EPSG:4326", "urn:ogc:def:crs:OGC:1.3:CRS84");
    let expected = institute.answer("");
    assert!(expected.0.iter().flatten().count() == 4 && expected.1.len() == 4, "{expected:?}");
    for system in ["gcj02", "bd09", "EPSG:4490", "EPSG:4545"] {
        institute.write_tables(system);
        institute.write_areas("EPSG:4545", "urn:ogc:def:crs:EPSG::4545");
        assert_eq!(institute.answer(&format!("crs = \"{system}\"")), expected, "{system}");
    }
}

#[test]
fn points_in_gcj02_taken_for_wgs84_lie_half_a_kilometre_off() {
    let institute = Institute::new();
    institute.write_areas("EPSG:4326", "EPSG:4326");
    institute.write_tables("gcj02");
    // 366 m east and 315 m south of where they are, beyond the limit for joining: the test above can fail.
    let (time_s, _) = institute.answer("");
    assert!(time_s.len() == 4 && time_s.iter().all(Option::is_none), "{time_s:?}");
    let away_m = institute.town.spot(SHOPS[0]).distance_m({
        let (lon, lat) = institute.xy(SHOPS[0], "gcj02");
        Place::new(lon, lat).unwrap()
    });
    assert!((away_m - 366_f64.hypot(315.0)).abs() < 5.0, "{away_m}");
}

#[test]
fn systems_that_contradict_or_are_unknown_are_refused_by_name() {
    let institute = Institute::new();
    institute.write_tables("EPSG:4326");
    institute.write_areas("EPSG:4545", "EPSG:99999");
    let problem = institute.refused("", "");
    assert_eq!((problem.fault.code(), problem.value.as_deref()), ("unsupported_crs", Some("EPSG:99999")));
    assert_eq!(problem.file, "areas.geojson");
    let problem = institute.refused("crs = \"mars\"", "");
    assert_eq!(
        (problem.fault.code(), problem.column.as_deref()),
        ("unsupported_crs", Some("facilities.crs"))
    );
    let problem = institute.refused("crs = \"EPSG:4545\"", "");
    assert_eq!((problem.fault.code(), problem.file.as_str()), ("missing_column", "shops.csv"));
    assert_eq!(problem.column.as_deref(), Some("x + y, geometry or cell"));
    institute.write_areas("EPSG:4545", "EPSG:4545");
    let problem = institute.refused("", "crs = \"EPSG:4547\"");
    assert_eq!((problem.fault.code(), problem.value.as_deref()), ("crs_contradicts", Some("EPSG:4545")));
}

#[test]
fn a_survey_sheet_that_calls_the_northing_x_is_told_so() {
    let institute = Institute::new();
    institute.write_areas("EPSG:4326", "EPSG:4326");
    institute.write_tables("EPSG:4545");
    let (x, y) = institute.xy(SHOPS[0], "EPSG:4545");
    let (far_x, far_y) = institute.xy(SHOPS[1], "EPSG:4545");
    institute.folder.write("shops.csv", format!("id,class,x,y\na,shop,{x},{y}\nb,shop,{far_y},{far_x}\n"));
    institute.folder.run(&Institute::sections("crs = \"EPSG:4545\"", "")).unwrap();
    let rejected = institute.folder.result("rejected");
    assert_eq!(
        (text(&rejected, "reason"), numbers(&rejected, "row")),
        (vec!["swapped_x_y".to_owned()], vec![Some(2.0)])
    );
}

/// Truths: lengths, heights and times of edges do not move by a bit, and a walk is the metres that one adds up in the head.
#[test]
fn streets_that_move_keep_their_times() {
    let mut town = Town::new();
    let west = town.corner(0.0, 0.0);
    let end = town.street(west).east(400.0).north(60.0).east(400.0).done();
    town.street(end).kind("steps").north(30.0).done();
    let extract = town.extract();
    let ground = plane(&town, |east, north| 200.0 + east * 0.05 + north * 0.1);
    let still = network(&extract, &ground);
    for (system, stretch) in [(AnalysisCrs::Gcj02, 0.01), (AnalysisCrs::Bd09, 0.025)] {
        let moved = network(&extract, &ground).moved(system);
        assert_eq!(moved.edges.length_m, still.edges.length_m);
        assert_eq!(moved.heights.ele_m, still.heights.ele_m);
        for who in ["adult", "senior", "wheelchair"] {
            assert_eq!(edge_times(&moved, &profile(who)), edge_times(&still, &profile(who)), "{who}");
        }
        let there =
            |place: Place| system.crs().xy(place).map(|(lon, lat)| Place::new(lon, lat).unwrap()).unwrap();
        assert!(moved.node_place.iter().zip(&still.node_place).all(|(&moved, &still)| moved == there(still)));
        for (home, shop) in
            [((10.0, 12.0), (60.0, -8.0)), ((20.0, -50.0), (700.0, 95.0)), ((300.0, 9.0), (790.0, 80.0))]
        {
            let expected_s = seconds(&still, "adult", town.spot(home), town.spot(shop)).unwrap();
            let found_s = seconds(&moved, "adult", there(town.spot(home)), there(town.spot(shop))).unwrap();
            // Only the legs are measured anew: at most 50 and 35 m here, and three roundings to a tenth.
            let bound_s = stretch * 2.0 * (50.0 + 35.0) / 1.33 + 0.2;
            assert!((found_s - expected_s).abs() <= bound_s, "{system:?}: {found_s} for {expected_s}");
        }
    }
}

#[test]
fn a_saved_network_remembers_its_system() {
    let institute = Institute::new();
    let moved = institute.town.network().moved(AnalysisCrs::Gcj02);
    let path = institute.folder.path("town.network");
    store::save(&moved, &path).unwrap();
    let loaded = store::load(&path).unwrap();
    assert_eq!((loaded.origin.analysis_crs, &loaded.node_place), (AnalysisCrs::Gcj02, &moved.node_place));
}

impl Institute {
    fn sections_in(system: &str, crs: &str) -> String {
        let sections = Self::sections(crs, "");
        sections.replace("resolution = 11", &format!("resolution = 11\nanalysis_crs = \"{system}\""))
    }
}

#[test]
fn a_study_in_gcj02_uses_its_points_as_they_are_and_says_where_its_results_are() {
    let institute = Institute::new();
    institute.write_areas("EPSG:4545", "urn:ogc:def:crs:EPSG::4545");
    institute.write_tables("gcj02");
    let report = institute.folder.run(&Institute::sections_in("gcj02", "crs = \"gcj02\"")).unwrap();
    assert!(report.coordinates.contains("GCJ-02") && report.coordinates.contains("not WGS-84"));
    let shops = institute.folder.result("facilities");
    let given = SHOPS.map(|at| institute.xy(at, "gcj02"));
    assert_eq!(full_numbers(&shops, "lon"), given.map(|(lon, _)| lon));
    assert_eq!(full_numbers(&shops, "lat"), given.map(|(_, lat)| lat));
    let joined = full_numbers(&shops, "snap_m");
    assert!((joined[0] - 8.0).abs() <= 0.08 && (joined[1] - 9.0).abs() <= 0.09, "{joined:?}");
    let (times, coverage) = (institute.folder.result("times"), institute.folder.result("coverage"));
    let expected = (numbers(&times, "time_s"), full_numbers(&coverage, "people_covered"));
    assert!(expected.0.iter().flatten().count() == 4);
    // The same tables in WGS-84 are moved to the same numbers.
    institute.write_tables("EPSG:4326");
    institute.folder.run(&Institute::sections_in("gcj02", "")).unwrap();
    let (times, coverage) = (institute.folder.result("times"), institute.folder.result("coverage"));
    assert_eq!((numbers(&times, "time_s"), full_numbers(&coverage, "people_covered")), expected);
}

#[test]
fn results_in_gcj02_name_no_registered_system_and_are_read_back_in_theirs() {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    let institute = Institute::new();
    institute.write_areas("EPSG:4326", "EPSG:4326");
    institute.write_tables("gcj02");
    institute.folder.run(&Institute::sections_in("gcj02", "crs = \"gcj02\"")).unwrap();
    for name in ["cells", "facilities"] {
        let path = institute.folder.path("out").join(format!("{name}.parquet"));
        let reader = SerializedFileReader::new(std::fs::File::open(&path).unwrap()).unwrap();
        let metadata = reader.metadata().file_metadata().key_value_metadata().unwrap().clone();
        let value =
            |key: &str| metadata.iter().find(|entry| entry.key == key).unwrap().value.clone().unwrap();
        let geo: serde_json::Value = serde_json::from_str(&value("geo")).unwrap();
        let column = geo["columns"]["geometry"].as_object().unwrap();
        assert!(column.contains_key("crs") && column["crs"].is_null(), "{name}: {geo}");
        assert_eq!(value("walkshed:analysis_crs"), "gcj02");
    }
    let read = || institute.folder.result("facilities");
    let places = |table: Table| {
        let located = table.located("cell", &mut Vec::new()).unwrap().place.into_iter().flatten();
        located.map(|place| walkshed::io::geometry::place_of(&place).unwrap()).collect::<Vec<Place>>()
    };
    let given = SHOPS.map(|at| institute.xy(at, "gcj02"));
    assert_eq!(
        places(read().analysed_in(AnalysisCrs::Gcj02)),
        given.map(|(lon, lat)| Place::new(lon, lat).unwrap())
    );
    for (place, at) in places(read()).into_iter().zip(SHOPS) {
        assert!(place.distance_m(institute.town.spot(at)) < 1e-3);
    }
    let Err(Error::Input(problems)) = read().in_crs(Crs::WGS84).located("cell", &mut Vec::new()) else {
        panic!()
    };
    assert_eq!(problems[0].fault.code(), "crs_contradicts");
}

/// Cells of WGS-84 are no cells of GCJ-02: their people stay on the ground where they live, and nobody is lost.
#[test]
fn people_in_cells_of_another_system_keep_their_ground() {
    let institute = Institute::new();
    institute.write_areas("EPSG:4326", "EPSG:4326");
    institute.write_tables("gcj02");
    let cell = walkshed::model::cell::at(institute.town.spot((300.0, 0.0)), h3o::Resolution::Nine);
    institute.folder.write("people.csv", format!("cell,people\n{cell},1000\n"));
    let sections = Institute::sections_in("gcj02", "")
        .replace("path = \"shops.csv\"\n", "path = \"shops.csv\"\ncrs = \"gcj02\"\n");
    institute.folder.run(&sections).unwrap();
    let cells = institute.folder.result("cells");
    let people = full_numbers(&cells, "people");
    assert!((people.iter().sum::<f64>() - 1000.0).abs() < 1e-6);
    let mean = |column: &str| {
        full_numbers(&cells, column).iter().zip(&people).map(|(at, people)| at * people).sum::<f64>() / 1000.0
    };
    let (lon, lat) = Crs::Gcj02.xy(walkshed::model::cell::centre(cell)).unwrap();
    let away_m = Place::new(mean("lon"), mean("lat")).unwrap().distance_m(Place::new(lon, lat).unwrap());
    assert!(away_m < 30.0, "{away_m}");
}
