//! Ledgers of facilities in synthetic towns: who counts as open on a day, how rows find their class, which rows are one
//! facility, and that a ledger comes back as it was written.
//!
//! **Every town and facility here is made up.** An adult walks 1.33 m/s (`datasets/profiles.toml`).

mod towns;

use std::collections::BTreeMap;
use std::fmt::Write;
use towns::Town;
use towns::study::{StudyFolder, full_numbers, numbers, text};
use walkshed::io::facilities::{self, Columns};
use walkshed::io::table::Table;
use walkshed::io::{defaults, geoparquet};
use walkshed::model::facility::Facilities;
use walkshed::model::ledger::{Capacity, ServiceLevel, Status, day};
use walkshed::model::problem::Problem;
use walkshed::model::progress::Progress;

/// A street of 1,200 m to the east; the only home stands at its west end.
fn street() -> Town {
    let mut town = Town::new();
    let west = town.corner(0.0, 0.0);
    town.street(west).east(1200.0).done();
    town
}

/// A CSV of facilities on the street: the columns beside id and place, and for each row metres east and those columns.
fn ledger_csv(town: &Town, columns: &str, rows: &[(f64, &str)]) -> String {
    let mut csv = format!("id,lon,lat,{columns}\n");
    for (number, (east, values)) in rows.iter().enumerate() {
        let place = town.spot((*east, 0.0));
        writeln!(csv, "f{number},{},{},{values}", place.lon(), place.lat()).expect("text grows");
    }
    csv
}

/// A study of `ledger.csv` with its own settings.
fn study(general: &str, facilities: &str) -> String {
    format!(
        "[study]\nname = \"made up\"\nresolution = 12\n{general}\n[streets]\nosm = \"town.osm.pbf\"\n[facilities]\n{facilities}\n\
         [population]\npath = \"people.csv\"\n"
    )
}

fn folder(town: &Town, csv: &str) -> StudyFolder {
    let folder = StudyFolder::of(town);
    let home = town.spot((0.0, 0.0));
    folder.write("people.csv", format!("lon,lat,people\n{},{},64\n", home.lon(), home.lat()));
    folder.write("ledger.csv", csv);
    folder
}

const TABLE: &str = "path = \"ledger.csv\"";

/// The walk from the home's cell to the nearest facility, seconds, by the id of the facility.
fn nearest(folder: &StudyFolder) -> BTreeMap<String, f64> {
    let times = folder.result("times");
    let found = numbers(&times, "time_s").into_iter().map(Option::unwrap_or_default);
    text(&times, "facility_id").into_iter().zip(found).collect()
}

/// A class is walked to where it is open on the day, and nowhere else: 200 m, 400 m, 600 m, 800 m and 1,000 m east stand a
/// clinic that closed in 2020, one that opens in 2030, one under construction without a date, one that opened in 2015 and
/// one of which nothing is said.
#[test]
fn only_what_is_open_on_the_day_is_walked_to() {
    let town = street();
    let rows = [
        (200.0, "clinic,,2005-01-01,2020-07-01"),
        (400.0, "clinic,,2030-01-01,"),
        (600.0, "clinic,在建,,"),
        (800.0, "clinic,,2015-05-01,"),
        (1000.0, "clinic,,,"),
    ];
    let csv = ledger_csv(&town, "class,status,opened_on,closed_on", &rows);
    let folder = folder(&town, &csv);
    // The home's cell has its place within a cell of resolution 12 (edge 10 m) of the west end.
    for (as_of, id, metres, not_open) in [
        ("2010-01-01", "f0", 200.0, [("building", 1), ("planned", 2)]),
        ("2026-01-01", "f3", 800.0, [("building", 1), ("planned", 1)]),
        ("2035-01-01", "f1", 400.0, [("building", 1), ("closed", 1)]),
    ] {
        let report = folder.run(&study(&format!("as_of = \"{as_of}\""), TABLE)).unwrap();
        let walks = nearest(&folder);
        assert_eq!(walks.keys().collect::<Vec<_>>(), [id], "{as_of}");
        assert!((walks[id] * 1.33 - metres).abs() < 40.0, "{as_of}: {} m", walks[id] * 1.33);
        for (status, count) in not_open {
            assert_eq!(report.facilities_not_open[status], count, "{as_of} {status}");
        }
        let listed = folder.result("facilities");
        assert_eq!(listed.rows(), 5, "those that are not open are kept");
        let open = text(&listed, "state").iter().filter(|state| *state == "open").count();
        assert_eq!(open, report.facilities["clinic"]);
        assert_eq!(numbers(&listed, "snap_m").iter().flatten().count(), open);
    }
}

#[test]
fn without_a_day_the_stated_status_counts() {
    let town = street();
    let rows = [(200.0, "clinic,关停,2005-01-01"), (400.0, "clinic,运营,2030-01-01"), (600.0, "clinic,,")];
    let folder = folder(&town, &ledger_csv(&town, "class,status,opened_on", &rows));
    folder.run(&study("", TABLE)).unwrap();
    assert_eq!(nearest(&folder).keys().collect::<Vec<_>>(), ["f1"]);
}

#[test]
fn a_study_in_which_nothing_is_open_is_refused() {
    let town = street();
    let folder = folder(&town, &ledger_csv(&town, "class,status", &[(200.0, "clinic,规划")]));
    let problems = folder.refused(&study("", TABLE));
    assert_eq!(problems[0].fault.code(), "none_open");
    let problems = folder.refused(&study("as_of = \"soon\"", TABLE));
    assert!(problems[0].to_string().contains("study.as_of"), "{}", problems[0]);
}

/// Read a table that stands in a file, with the catalogue.
fn read(folder: &StudyFolder, file: &str) -> (Facilities, Vec<Problem>) {
    let (catalogue, mut problems) = (defaults::catalogue(), Vec::new());
    let table = Table::read(&folder.path(file)).expect("a table");
    let facilities =
        facilities::read(&table, Columns::usual(&catalogue), &mut problems).expect("rows are left");
    (facilities, problems)
}

fn codes(problems: &[Problem]) -> Vec<(u64, &str, &'static str)> {
    let told = |problem| -> (u64, &str, &'static str) {
        let problem: &Problem = problem;
        (problem.row.unwrap_or_default(), problem.column.as_deref().unwrap_or_default(), problem.fault.code())
    };
    let mut codes: Vec<_> = problems.iter().map(told).collect();
    codes.sort_unstable();
    codes
}

#[test]
fn every_value_is_accepted_or_told() {
    let town = street();
    let columns = "class,level,service_level,status,planned_on,opened_on,places,staff,operator";
    let rows = [
        (10.0, "pharmacy,社区,,正常,2019-01-01,2020年3月5日,,3,街道办"), // words in level are a service level
        (20.0, "pharmacy,2,片区,,,,,,"),                                 // numbers are floors
        (30.0, "pharmacy,,,,,,-1,,"),                                    // row 3: rejected
        (40.0, "pharmacy,,,,,,many,,"),                                  // row 4: rejected
        (50.0, "pharmacy,,,sometimes,,,,,"),                             // row 5: rejected
        (60.0, "pharmacy,,,,,2020-02-30,,,"),                            // row 6: rejected
        (70.0, "pharmacy,,街道级,,,,,,"),                                // row 7: kept without
        (80.0, "pharmacy,,,,2021-01-01,2020-01-01,,,"),                  // row 8: kept
        (90.0, "farmacy,,,,,,,,"),                                       // row 9: kept
    ];
    let folder = folder(&town, &ledger_csv(&town, columns, &rows));
    let (facilities, problems) = read(&folder, "ledger.csv");
    assert_eq!(
        codes(&problems),
        [
            (3, "places", "out_of_range"),
            (4, "places", "not_a_number"),
            (5, "status", "unknown_name"),
            (6, "opened_on", "not_a_date"),
            (7, "service_level", "unknown_service_level"),
            (8, "opened_on", "dates_out_of_order"),
            (9, "class", "unknown_class"),
        ]
    );
    let unknown = problems.iter().find(|problem| problem.value.as_deref() == Some("farmacy")).unwrap();
    assert!(unknown.message().en.contains("did you mean pharmacy?"), "{unknown}");
    assert_eq!(facilities.row, [1, 2, 7, 8, 9].map(Some));
    let first = &facilities.entry[0];
    assert_eq!((first.service_level, first.status), (Some(ServiceLevel::Community), Some(Status::Open)));
    assert_eq!(first.since, [day("2019-01-01"), None, day("2020-03-05"), None]);
    assert_eq!(first.capacity[Capacity::Staff as usize], Some(3.0));
    assert_eq!(first.operator.as_deref(), Some("街道办"));
    assert_eq!(
        facilities.level.iter().map(Option::is_some).collect::<Vec<_>>(),
        [false, true, false, false, false]
    );
    assert_eq!(facilities.entry[1].service_level, Some(ServiceLevel::District));
}

/// Each row by the rule that is meant for it; the names of a class list are in the catalogue.
#[test]
fn rows_find_their_class_and_say_how() {
    let town = street();
    let rows = [
        (10.0, "药店,和平大药房"),         // mapping row 1: its value
        (20.0, "药店,和平便利超市"),       // mapping row 3: value and name, before the value alone
        (30.0, ",丰收菜鸟驿站"),           // mapping row 2: a part of the name
        (40.0, "clinic of mine,和平诊所"), // given
        (50.0, ",民主村社区卫生服务中心"), // the longest part of the catalogue
        (60.0, ",红旗九年一贯制学校"),     // two classes, equally long: the first in the catalogue
        (70.0, ",某处"),                   // nothing
    ];
    let folder = folder(&town, &ledger_csv(&town, "类别,name", &rows));
    folder.write(
        "classes.csv",
        "from,name_contains,class\n药店,,pharmacy\n,菜鸟驿站,parcel_service\n药店,超市,supermarket\n兽医,,vet\n",
    );
    let report =
        folder.run(&study("", &format!("{TABLE}\nclass = \"类别\"\nclasses = \"classes.csv\""))).unwrap();
    let table = folder.result("facilities");
    let found: Vec<(String, String)> =
        text(&table, "class").into_iter().zip(text(&table, "class_rule")).collect();
    let expected = [
        ("pharmacy", "mapping:1"),
        ("supermarket", "mapping:3"),
        ("parcel_service", "mapping:2"),
        ("clinic of mine", "given"),
        ("community_health_center", "name:社区卫生服务中心"),
        ("primary_school", "name:九年一贯"),
    ];
    assert_eq!(found, expected.map(|(class, rule)| (class.to_owned(), rule.to_owned())));
    assert_eq!(report.rejected, BTreeMap::from([("unclassified", 1)]));
    let rejected = folder.result("rejected");
    assert_eq!(
        (text(&rejected, "id"), text(&rejected, "value")),
        (vec!["f6".to_owned()], vec!["某处".to_owned()])
    );
}

/// A supermarket of the map 30 m from one of the ledger, its name written otherwise; another of the same chain 500 m on.
#[test]
fn facilities_of_two_sources_are_told_and_merged_only_on_request() {
    let mut town = street();
    town.shop(130.0, 0.0, &[("shop", "supermarket"), ("name", "永辉超市（南坪店）"), ("operator", "永辉")]);
    town.shop(630.0, 0.0, &[("shop", "supermarket"), ("name", "永辉超市（南坪店）")]);
    let columns = "class,name,places";
    let folder = folder(&town, &ledger_csv(&town, columns, &[(100.0, "supermarket,永辉超市南坪店,7")]));
    let both = format!("osm = true\n{TABLE}");
    let report = folder.run(&study("", &both)).unwrap();
    assert_eq!(report.facilities["supermarket"], 3);
    let report = folder.run(&study("", &format!("{both}\nmerge_duplicates = true"))).unwrap();
    assert_eq!(report.facilities["supermarket"], 2);
    let table = folder.result("facilities");
    let row = text(&table, "id").iter().position(|id| id == "f0").unwrap();
    assert_eq!(text(&table, "operator")[row], "永辉", "the map fills what the ledger does not say");
    assert_eq!(numbers(&table, "places")[row], Some(7.0));
    assert!(text(&table, "merged_from")[row].starts_with("town.osm.pbf node/"));
    let place = town.spot((100.0, 0.0));
    assert!((full_numbers(&table, "lon")[row] - place.lon()).abs() < 1e-9, "the ledger's place is kept");
}

/// What a run writes, another run reads: every column comes back as it was.
#[test]
fn a_ledger_comes_back_as_it_was_written() {
    let town = street();
    let columns = "class,name,level,service_level,status,planned_on,building_since,opened_on,closed_on,places,beds,\
                   floor_area_m2,land_area_m2,staff,operator,source";
    let rows = [
        (
            100.0,
            "nursery,向阳托育,-1,小区,运营,2019-01-01,2020-01-01,2021-09-01,,60,0,350.5,1200,12,民政局,台账",
        ),
        (200.0, ",民主村社区食堂,,,规划,2027-01-01,,,,,,,,,,"),
        (300.0, "my own,,1,片区,,,,1998-07-01,2024-12-31,,40,,,,\"a, b\",survey"),
    ];
    let folder = folder(&town, &ledger_csv(&town, columns, &rows));
    let (before, _) = read(&folder, "ledger.csv");
    assert_eq!(before.len(), 3);
    let batch = facilities::to_batch(&before, &[None, Some(3.5), None], day("2026-01-01"));
    geoparquet::write(&folder.path("written.parquet"), &batch, &Progress::default()).unwrap();
    let (after, problems) = read(&folder, "written.parquet");
    assert_eq!(codes(&problems), codes(&read(&folder, "ledger.csv").1));
    assert_eq!((&after.id, &after.class, &after.name), (&before.id, &before.class, &before.name));
    assert_eq!((&after.place, &after.doors, &after.level), (&before.place, &before.doors, &before.level));
    assert_eq!(after.entry, before.entry);
    assert_eq!(
        text(&Table::read(&folder.path("written.parquet")).unwrap(), "state"),
        ["open", "planned", "closed"]
    );
}
