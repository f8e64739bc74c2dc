//! People of communities: read by group, spread over homes, and the communities themselves on three levels.
//!
//! **Every town here is made up**, its people too.

mod towns;

use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fmt::Write;
use towns::Town;
use towns::study::{StudyFolder, collection, full_numbers, rectangle, text};
use walkshed::batch::prepare::prepare;
use walkshed::batch::study::RunReport;
use walkshed::io;
use walkshed::io::given::Given;
use walkshed::metrics::population::{Evidence, Room, to_cells};
use walkshed::model::cell;
use walkshed::model::place::Place;
use walkshed::model::population::{Dwellings, Group, Home, Residents, Spread};
use walkshed::model::problem::Problem;
use walkshed::model::progress::Progress;

const RESOLUTION: u8 = 12;

fn study(population: &str, areas: &str) -> String {
    format!(
        "[study]\nname = \"made up\"\nresolution = {RESOLUTION}\n[streets]\nosm = \"town.osm.pbf\"\n[facilities]\n\
         path = \"shops.csv\"\n[population]\n{population}\n{areas}\n[coverage]\nminutes = [5]\n"
    )
}

const AREAS: &str = "[areas]\npath = \"areas.geojson\"";

/// A house of 10 m by 10 m.
fn house(town: &mut Town, (east, north): (f64, f64), levels: u32) {
    let (w, s, e, n) = (east - 5.0, north - 5.0, east + 5.0, north + 5.0);
    let levels = levels.to_string();
    town.ring(&[(w, s), (e, s), (e, n), (w, n)], &[("building", "apartments"), ("building:levels", &levels)]);
}

/// A street of 900 m to the east through three communities of 300 m: 甲 has houses of 1, 2 and 3 floors and one across its
/// border with 乙, whose centre is in 乙; 乙 has that one alone; 丙 has none, and 丁 to the north has not even a street. A
/// house stands outside all of them.
fn town() -> (Town, StudyFolder) {
    let mut town = Town::new();
    let west = town.corner(0.0, 0.0);
    town.street(west).east(900.0).done();
    for (at, floors) in
        [((50.0, 20.0), 1), ((150.0, 20.0), 2), ((250.0, 20.0), 3), ((302.0, 20.0), 4), ((450.0, -300.0), 9)]
    {
        house(&mut town, at, floors);
    }
    let folder = StudyFolder::of(&town);
    let shop = town.spot((0.0, 0.0));
    folder.write("shops.csv", format!("id,class,lon,lat\ns,market,{},{}\n", shop.lon(), shop.lat()));
    let named = |id: &str, name: &str, corners| {
        let code = format!("50010100100{id}");
        let properties =
            format!("\"area_id\":\"{id}\",\"name\":\"{name}\",\"level\":\"社区\",\"code\":\"{code}\"");
        rectangle(&town, corners, &properties)
    };
    let features = [
        named("1", "甲", [0.0, -100.0, 300.0, 100.0]),
        named("2", "乙", [300.0, -100.0, 600.0, 100.0]),
        named("3", "丙", [600.0, -100.0, 900.0, 100.0]),
        named("4", "丁", [0.0, 100.0, 900.0, 400.0]),
    ];
    folder.write("areas.geojson", collection(&features));
    (town, folder)
}

fn findings(folder: &StudyFolder, sections: &str) -> Vec<Problem> {
    let path = folder.write("STUDY.toml", sections);
    let study = io::study::read(&path).expect("a study");
    let found = prepare(&study, &Given::default(), &mut Vec::new(), &Progress::default())
        .expect("a study that can run")
        .rejected;
    // The shop of the town is of a class of its own, which is told; these tests ask for people and areas.
    found.into_iter().filter(|problem| problem.fault.code() != "unknown_class").collect()
}

/// Code, id and value of every finding of a file, in order.
fn told(found: &[Problem], file: &str) -> Vec<(String, String, String)> {
    let of_file = found.iter().filter(|problem| problem.file == file);
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    of_file
        .map(|problem| (problem.fault.code().to_owned(), text(&problem.id), text(&problem.value)))
        .collect()
}

fn by_cell(folder: &StudyFolder, column: &str) -> BTreeMap<String, f64> {
    let cells = folder.result("cells");
    let ids = cells
        .cells("cell", &mut Vec::new())
        .expect("cells")
        .into_iter()
        .flatten()
        .map(|cell| cell.to_string());
    ids.zip(full_numbers(&cells, column)).collect()
}

fn at(town: &Town, spot: (f64, f64)) -> String {
    cell::at(town.spot(spot), cell::resolution(RESOLUTION).expect("a resolution")).to_string()
}

#[track_caller]
fn assert_people(found: f64, expected: f64) {
    assert!((found - expected).abs() <= 1e-9 * expected.abs().max(1.0), "expected {expected}, found {found}");
}

const COUNTS: &str = "社区,area_id,people,households,0-4岁,5-9岁,10-14岁,60岁及以上\n\
                      甲,1,600,200,60,30,30,120\n乙,2,400,160,0,0,0,100\n丙,3,90,30,9,0,0,0\n丁,4,50,20,0,0,0,50\n";

#[test]
fn people_of_communities_go_to_their_houses_else_to_their_streets_else_to_their_area() {
    let (town, folder) = town();
    folder.write("people.csv", COUNTS);
    let report: RunReport = folder.run(&study("path = \"people.csv\"", AREAS)).unwrap();
    let people = by_cell(&folder, "people");
    // 6 floors in 甲: 100 people each, but that an extract keeps corners to a centimetre. The house on the border stands by
    // its centre in 乙, and all of 乙 live there.
    for (east, expected) in [(50.0, 100.0), (150.0, 200.0), (250.0, 300.0)] {
        let found = people[&at(&town, (east, 20.0))];
        assert!((found - expected).abs() < 0.002 * expected, "expected {expected}, found {found}");
    }
    assert_people(people[&at(&town, (302.0, 20.0))], 400.0);
    assert!(!people.contains_key(&at(&town, (450.0, -300.0))), "a house in no community has nobody");
    let children = by_cell(&folder, "child_0_14")[&at(&town, (50.0, 20.0))];
    assert_people(children, people[&at(&town, (50.0, 20.0))] * 120.0 / 600.0);
    assert_people(by_cell(&folder, "senior_60_plus")[&at(&town, (302.0, 20.0))], 100.0);
    assert_people(by_cell(&folder, "households")[&at(&town, (302.0, 20.0))], 160.0);
    let by = report.people.by_evidence;
    assert_eq!((by.placed, by.buildings, by.streets, by.area), (0.0, 1000.0, 90.0, 50.0));
    for (column, expected) in
        [("people", 1140.0), ("households", 410.0), ("child_0_14", 129.0), ("senior_60_plus", 270.0)]
    {
        assert_people(by_cell(&folder, column).values().sum(), expected);
    }
    // 丙 has nothing but 300 m of street: its people are where its street is.
    let street = (0..300).map(|step| at(&town, (600.5 + f64::from(step), 0.0)));
    let cells: std::collections::BTreeSet<String> = street.collect();
    let along: f64 = cells.iter().filter_map(|cell| people.get(cell)).sum();
    assert!((along - 90.0).abs() < 1e-6, "{along}");
    let areas = folder.result("areas");
    assert_eq!(text(&areas, "area_id"), ["1", "2", "3", "4"]);
    assert_eq!(text(&areas, "code")[0], "500101001001");
    // The cell of the house on the border is shared by area between 甲 and 乙; together they have their people.
    let in_areas = full_numbers(&areas, "people");
    assert!(in_areas[0] > 600.0 && (in_areas[0] + in_areas[1] - 1000.0).abs() < 5.0, "{in_areas:?}");
}

#[test]
fn what_a_planner_should_know_of_the_spreading_is_told() {
    let (_, folder) = town();
    folder.write("people.csv", COUNTS);
    let found = findings(&folder, &study("path = \"people.csv\"", AREAS));
    let codes: Vec<(String, String)> =
        told(&found, "people.csv").into_iter().map(|(code, id, _)| (code, id)).collect();
    let expected = [
        ("group_from", ""),    // child_0_14 from three bands
        ("group_from", ""),    // senior_60_plus from 60岁及以上
        ("ages_unfilled", ""), // 0-2 of 0-4
        ("ages_unfilled", ""), // 3-5
        ("ages_unfilled", ""), // 6-11
        ("ages_unfilled", ""), // 12-14
        ("ages_unfilled", ""), // 65 and more
        ("no_homes", "4"),
        ("people_spread", ""),
        ("homes_outside", ""),
    ];
    assert_eq!(codes, expected.map(|(code, id)| (code.to_owned(), id.to_owned())));
    let outside = found.iter().find(|problem| problem.fault.code() == "homes_outside").unwrap();
    assert!(outside.message().en.contains("1 of 5 residential buildings (900 m² of floors)"), "{outside}");
    assert!(told(&found, "areas.geojson").is_empty(), "{found:?}");
}

#[test]
fn a_community_is_known_by_id_code_or_name_and_what_is_not_is_rejected() {
    let (_, folder) = town();
    let rows = "500101001001,10\n乙,20\n3,40\n戊,80\n3,160\n,320\n";
    folder.write("people.csv", format!("community_id,people\n{rows}"));
    let report = folder.run(&study("path = \"people.csv\"", AREAS)).unwrap();
    assert_people(report.people.stated, 10.0 + 20.0 + 40.0);
    let found = findings(&folder, &study("path = \"people.csv\"", AREAS));
    let mut codes: Vec<String> = told(&found, "people.csv").into_iter().map(|(code, ..)| code).collect();
    codes.retain(|code| !["people_spread", "homes_outside"].contains(&code.as_str()));
    assert_eq!(codes, ["unknown_area", "duplicate_id", "missing_value"]);
    assert_eq!(told(&found, "areas.geojson"), [("no_count".to_owned(), "4".to_owned(), String::new())]);
    assert_eq!(report.rejected["unknown_area"], 1);
}

#[test]
fn numbers_that_cannot_be_are_rejected_and_those_that_contradict_each_other_are_told() {
    let (_, folder) = town();
    let csv = "area_id,people,households,0-14岁,15-59岁,60岁以上\n\
               1,100,120,20,60,20\n2,100,30,20,60,101\n3,100,30,20,60,-1\n4,100,30,20,60,20\n";
    folder.write("people.csv", csv);
    let found = findings(&folder, &study("path = \"people.csv\"", AREAS));
    let mut codes: Vec<(String, u64, String)> = found
        .iter()
        .filter(|problem| problem.file == "people.csv")
        .filter_map(|problem| Some((problem.fault.code().to_owned(), problem.row?, problem.column.clone()?)))
        .collect();
    codes.sort_by_key(|(code, row, _)| (*row, code.clone()));
    let expected = [
        ("more_than_people", 1, "households"),
        ("more_than_people", 2, "senior_60_plus"),
        ("sum_differs", 2, "people"),
        ("out_of_range", 3, "60岁以上"),
    ];
    assert_eq!(codes, expected.map(|(code, row, column)| (code.to_owned(), row, column.to_owned())));
}

#[test]
fn a_district_and_its_communities_are_not_counted_twice_unsaid() {
    let (town, folder) = town();
    let own = |id: &str, level: &str, parent: &str, corners| {
        rectangle(
            &town,
            corners,
            &format!("\"area_id\":\"{id}\",\"level\":\"{level}\",\"parent_id\":{parent}"),
        )
    };
    let features = [
        own("d", "片区", "null", [0.0, -100.0, 600.0, 100.0]),
        own("a", "社区", "\"d\"", [0.0, -100.0, 300.0, 100.0]),
        own("b", "社区", "\"d\"", [300.0, -100.0, 600.0, 100.0]),
    ];
    folder.write("areas.geojson", collection(&features));
    folder.write("people.csv", "area_id,people\nd,70\na,30\nb,40\n");
    let found = findings(&folder, &study("path = \"people.csv\"", AREAS));
    let twice = told(&found, "people.csv").into_iter().filter(|(code, ..)| code == "counted_twice");
    assert_eq!(twice.map(|(_, id, _)| id).collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn a_total_goes_to_the_streets_and_groups_are_its_shares() {
    let (town, folder) = town();
    let population = "total = 900\nspread = \"streets\"\n[population.groups_share]\nsenior_60_plus = 0.25";
    let report = folder.run(&study(population, "")).unwrap();
    assert_people(report.people.by_evidence.streets, 900.0);
    assert_people(by_cell(&folder, "people").values().sum(), 900.0);
    assert_people(by_cell(&folder, "senior_60_plus").values().sum(), 225.0);
    assert!(!by_cell(&folder, "people").contains_key(&at(&town, (450.0, -300.0))));
    let faults = folder.refused(&study("total = 900\nspread = \"area\"", ""));
    assert_eq!(faults[0].column.as_deref(), Some("population.spread"));
}

// ------------------------------------------------------------------ the slow and obvious twin

/// Made-up communities: a grid of quadrilaterals that share their crooked corners, and places everywhere.
#[derive(Debug, Clone)]
struct MadeUp {
    corners: Vec<(f64, f64)>,
    homes: Vec<(f64, f64, f64)>,
    streets: Vec<(f64, f64, f64)>,
    people: Vec<f64>,
}

const SIDE: usize = 4;
const STEP_DEG: f64 = 0.004;

fn made_up() -> impl Strategy<Value = MadeUp> {
    let corner = (-0.4..0.4, -0.4..0.4);
    let spot = || (-0.5..4.5, -0.5..4.5, 0.0..900.0);
    (
        prop::collection::vec(corner, (SIDE + 1) * (SIDE + 1)),
        prop::collection::vec(spot(), 0..60),
        prop::collection::vec(spot(), 0..20),
        prop::collection::vec(0.0..9999.0, SIDE * SIDE),
    )
        .prop_map(|(corners, homes, streets, people)| MadeUp { corners, homes, streets, people })
}

fn place(x: f64, y: f64) -> Place {
    Place::new(106.55 + x * STEP_DEG, 29.56 + y * STEP_DEG).expect("a place")
}

impl MadeUp {
    fn outline(&self, row: usize) -> Vec<Place> {
        let (column, line) = (row % SIDE, row / SIDE);
        let corner = |right: usize, up: usize| {
            let (x, y) = self.corners[(line + up) * (SIDE + 1) + column + right];
            place((column + right) as f64 + x, (line + up) as f64 + y)
        };
        vec![corner(0, 0), corner(1, 0), corner(1, 1), corner(0, 1)]
    }

    fn residents(&self) -> Residents {
        let outline = |row: usize| -> geo::MultiPolygon {
            let ring: geo::LineString =
                self.outline(row).iter().map(|place| geo::Coord { x: place.lon(), y: place.lat() }).collect();
            geo::MultiPolygon::new(vec![geo::Polygon::new(ring, vec![])])
        };
        Residents {
            file: "made up".to_owned(),
            home: (0..SIDE * SIDE).map(|row| Home::Outline(outline(row))).collect(),
            source: (0..SIDE * SIDE).map(|row| (Some(row as u64 + 1), None)).collect(),
            people: self.people.clone(),
            households: Some(self.people.iter().map(|people| people / 3.0).collect()),
            groups: vec![Group {
                name: "old".to_owned(),
                people: self.people.iter().map(|people| people / 7.0).collect(),
            }],
        }
    }
}

fn dwellings(spots: &[(f64, f64, f64)]) -> Dwellings {
    Dwellings {
        place: spots.iter().map(|&(x, y, _)| place(x, y)).collect(),
        weight: spots.iter().map(|&(.., weight)| weight).collect(),
    }
}

/// Whether a point lies in a ring: the angles at which it sees the sides add up to a whole turn.
fn sees_a_whole_turn(ring: &[Place], at: Place) -> bool {
    let towards = |place: Place| (place.lat() - at.lat()).atan2(place.lon() - at.lon());
    let turn: f64 = (0..ring.len())
        .map(|corner| {
            let angle = towards(ring[(corner + 1) % ring.len()]) - towards(ring[corner]);
            (angle + std::f64::consts::PI).rem_euclid(std::f64::consts::TAU) - std::f64::consts::PI
        })
        .sum();
    turn.abs() > std::f64::consts::PI
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Every community's people, households and groups come out, at the places and in the parts that looking at every pair of
    /// a community and a place gives.
    #[test]
    fn people_are_where_the_slow_and_obvious_twin_puts_them(made_up in made_up()) {
        let resolution = cell::resolution(9).unwrap();
        let (homes, streets) = (dwellings(&made_up.homes), dwellings(&made_up.streets));
        let room = Room::new(&streets, resolution);
        let evidence = Evidence::new(&homes, room.streets(), resolution);
        let residents = made_up.residents();
        let settled = to_cells(&residents, resolution, &evidence, Spread::Buildings, &Progress::default()).unwrap();
        let mut expected: BTreeMap<_, f64> = BTreeMap::new();
        let mut by_area = 0.0;
        for row in 0..SIDE * SIDE {
            let ring = made_up.outline(row);
            let inside = |spots: &Dwellings| -> Vec<usize> {
                (0..spots.place.len()).filter(|&spot| spots.weight[spot] > 0.0 && sees_a_whole_turn(&ring, spots.place[spot])).collect()
            };
            let (in_homes, in_streets) = (inside(&homes), inside(&streets));
            let (spots, rows) = if in_homes.is_empty() { (&streets, in_streets) } else { (&homes, in_homes) };
            if rows.is_empty() {
                by_area += made_up.people[row];
                continue;
            }
            let total: f64 = rows.iter().map(|&spot| spots.weight[spot]).sum();
            for spot in rows {
                *expected.entry(cell::at(spots.place[spot], resolution)).or_default() += made_up.people[row] * spots.weight[spot] / total;
            }
        }
        let all: f64 = made_up.people.iter().sum();
        prop_assert!((settled.by.area - by_area).abs() < 1e-6);
        let found: f64 = settled.cells.people.iter().sum();
        prop_assert!((found - all).abs() <= 1e-9 * all);
        prop_assert!((settled.cells.households.as_ref().unwrap().iter().sum::<f64>() - all / 3.0).abs() <= 1e-9 * all);
        prop_assert!((settled.cells.groups[0].people.iter().sum::<f64>() - all / 7.0).abs() <= 1e-9 * all);
        if by_area == 0.0 {
            prop_assert_eq!(settled.cells.cell.len(), expected.len());
        }
        for (cell, people) in expected {
            let at = settled.cells.cell.binary_search(&cell);
            let found = settled.cells.people[at.unwrap()];
            // Those who are spread by area come on top.
            prop_assert!(found >= people - 1e-6 && (by_area > 0.0 || (found - people).abs() < 1e-6));
        }
    }

    /// One community alone: nobody of it is lost, whatever there is to spread them by.
    #[test]
    fn each_community_keeps_its_people(made_up in made_up(), row in 0..SIDE * SIDE) {
        let resolution = cell::resolution(9).unwrap();
        let (homes, streets) = (dwellings(&made_up.homes), dwellings(&made_up.streets));
        let room = Room::new(&streets, resolution);
        let evidence = Evidence::new(&homes, room.streets(), resolution);
        let mut residents = made_up.residents();
        for other in (0..SIDE * SIDE).filter(|&other| other != row) {
            residents.people[other] = 0.0;
            residents.groups[0].people[other] = 0.0;
        }
        for spread in [Spread::Buildings, Spread::Streets, Spread::Area] {
            let settled = to_cells(&residents, resolution, &evidence, spread, &Progress::default()).unwrap();
            let people = made_up.people[row];
            prop_assert!((settled.cells.people.iter().sum::<f64>() - people).abs() <= 1e-9 * people);
            prop_assert!((settled.cells.groups[0].people.iter().sum::<f64>() - people / 7.0).abs() <= 1e-9 * people);
        }
    }
}

#[test]
fn the_same_communities_give_the_same_bytes_on_any_number_of_threads() {
    let (_, folder) = town();
    folder.write("people.csv", COUNTS);
    let sections = study("path = \"people.csv\"", AREAS);
    for (out, threads) in [("one", 1), ("two", 2), ("five", 5)] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| folder.run_into(out, &sections)).unwrap();
    }
    for other in ["two", "five"] {
        for ((name, one), (_, two)) in folder.tables("one").into_iter().zip(folder.tables(other)) {
            assert!(one == two, "{name} differs between runs one and {other}");
        }
    }
}

// ------------------------------------------------------------------ communities on three levels

#[test]
fn names_codes_levels_and_parents_that_cannot_be_meant_are_told() {
    let (town, folder) = town();
    let mut features = Vec::new();
    let rows: [(&str, &str, &str, &str, &str); 10] = [
        ("D", "片区", "null", "\"东片\"", "\"50010101\""),
        ("A", "社区", "\"D\"", "\"和平\"", "\"500101001001\""),
        ("B", "社区", "\"D\"", "\"和平\"", "\"500101001002\""),
        ("C", "社区", "\"X\"", "\"友谊\"", "\"500101001002\""),
        ("E", "小区", "\"D\"", "\"一号\"", "null"),
        ("F", "社区", "\"G\"", "\"环一\"", "\"5.00101E+11\""),
        ("G", "社区", "\"F\"", "\"环二\"", "\"500101001003\""),
        ("H", "village", "null", "\"村\"", "null"),
        ("I", "community", "\"D\"", "null", "500101001004"),
        ("J", "小区", "\"A\"", "\"一号\"", "null"),
    ];
    for (number, (id, level, parent, name, code)) in rows.into_iter().enumerate() {
        // Side by side, so that nothing overlaps; the district is beside them, so every child is outside.
        let west = 1000.0 * number as f64;
        let mut properties = String::new();
        write!(
            properties,
            "\"area_id\":\"{id}\",\"level\":\"{level}\",\"parent_id\":{parent},\"name\":{name},\"code\":{code}"
        )
        .unwrap();
        features.push(rectangle(&town, [west, 0.0, west + 100.0, 100.0], &properties));
    }
    folder.write("areas.geojson", collection(&features));
    let found = findings(&folder, &study("total = 900\nspread = \"streets\"", AREAS));
    let mut told = told(&found, "areas.geojson");
    told.retain(|(code, ..)| code != "outside_parent");
    told.sort();
    let expected = [
        ("bad_code", "F", "5.00101E+11"),
        ("duplicate_code", "C", "500101001002"),
        ("duplicate_name", "B", "和平"),
        ("missing_name", "I", ""),
        ("parent_cycle", "F", "G"),
        ("parent_cycle", "G", "F"),
        ("parent_level", "E", "D"),
        ("unknown_level", "H", "village"),
        ("unknown_parent", "C", "X"),
    ];
    let expected = expected.map(|(code, id, value)| (code.to_owned(), id.to_owned(), value.to_owned()));
    assert_eq!(told, expected);
}
