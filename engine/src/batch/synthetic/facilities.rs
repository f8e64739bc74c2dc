//! The ledger of facilities: thirty classes, in the columns that institutes keep.

use super::City;
use super::chance::{Chance, Draws, Purpose};
use super::communities::AreaLevel;
use super::lattice::ESTATE;
use super::names;
use super::table::{Columns, day, synthetic};
use crate::io::{defaults, facilities::with_geometry, geometry};
use crate::model::catalogue::FacilityClass;
use crate::model::place::Place;
use arrow_array::RecordBatch;
use geo::{Geometry, Point};
use rayon::prelude::*;

/// Facilities of a city of a million junctions.
pub const PER_MILLION: u64 = 86_000;

/// How common a class is, and how large its facilities are; own guesses, in the ranges of the standards that the catalogue
/// names.
struct Size {
    class: &'static str,
    /// Share among all facilities, in thousandths.
    common: f64,
    places: Option<[f64; 2]>,
    beds: Option<[f64; 2]>,
    floor_m2: Option<[f64; 2]>,
    land_m2: Option<[f64; 2]>,
    staff: Option<[f64; 2]>,
}

const fn size(class: &'static str, common: f64) -> Size {
    Size { class, common, places: None, beds: None, floor_m2: None, land_m2: None, staff: None }
}

impl Size {
    const fn places(self, low: f64, high: f64) -> Self {
        Self { places: Some([low, high]), ..self }
    }
    const fn beds(self, low: f64, high: f64) -> Self {
        Self { beds: Some([low, high]), ..self }
    }
    const fn floor(self, low: f64, high: f64) -> Self {
        Self { floor_m2: Some([low, high]), ..self }
    }
    const fn land(self, low: f64, high: f64) -> Self {
        Self { land_m2: Some([low, high]), ..self }
    }
    const fn staff(self, low: f64, high: f64) -> Self {
        Self { staff: Some([low, high]), ..self }
    }
}

const SIZES: [Size; 30] = [
    size("community_service_station", 16.0).floor(400.0, 1500.0).staff(6.0, 25.0),
    size("kindergarten", 24.0)
        .places(120.0, 480.0)
        .floor(1800.0, 5500.0)
        .land(2500.0, 8000.0)
        .staff(20.0, 70.0),
    size("nursery", 14.0).places(30.0, 120.0).floor(200.0, 900.0).staff(8.0, 30.0),
    size("elderly_service_station", 20.0).floor(150.0, 900.0).staff(3.0, 12.0),
    size("elderly_day_care", 12.0).places(15.0, 80.0).beds(8.0, 40.0).floor(300.0, 1500.0).staff(5.0, 25.0),
    size("community_health_station", 18.0).beds(0.0, 6.0).floor(120.0, 400.0).staff(4.0, 15.0),
    size("community_health_center", 4.0)
        .beds(20.0, 120.0)
        .floor(1700.0, 8000.0)
        .land(1400.0, 6000.0)
        .staff(40.0, 180.0),
    size("primary_school", 11.0)
        .places(500.0, 2200.0)
        .floor(6000.0, 22000.0)
        .land(9000.0, 30000.0)
        .staff(40.0, 160.0),
    size("junior_middle_school", 6.0)
        .places(600.0, 2400.0)
        .floor(8000.0, 28000.0)
        .land(12000.0, 40000.0)
        .staff(60.0, 200.0),
    size("culture_station", 14.0).floor(250.0, 1500.0).staff(2.0, 10.0),
    size("supermarket", 28.0).floor(300.0, 5000.0).staff(8.0, 60.0),
    size("convenience_store", 140.0).floor(30.0, 120.0).staff(1.0, 5.0),
    size("fresh_market", 26.0).floor(300.0, 2500.0).staff(4.0, 40.0),
    size("dining", 165.0).places(16.0, 160.0).floor(40.0, 600.0).staff(2.0, 25.0),
    size("community_canteen", 12.0).places(30.0, 160.0).floor(100.0, 500.0).staff(4.0, 14.0),
    size("pharmacy", 48.0).floor(60.0, 250.0).staff(2.0, 8.0),
    size("parcel_service", 72.0).places(60.0, 400.0).floor(15.0, 120.0).staff(1.0, 6.0),
    size("household_service", 92.0).floor(20.0, 180.0).staff(1.0, 9.0),
    size("bus_stop", 70.0),
    size("rail_station", 6.0),
    size("parking", 60.0).places(20.0, 600.0).land(500.0, 15000.0),
    size("ev_charging", 30.0).places(4.0, 40.0),
    size("public_toilet", 24.0).floor(30.0, 90.0),
    size("waste_collection", 30.0).land(20.0, 200.0),
    size("activity_ground", 34.0).land(150.0, 2500.0),
    size("sports_ground", 14.0).land(800.0, 12000.0),
    size("community_park", 15.0).land(2000.0, 40000.0),
    size("emergency_shelter", 8.0).places(200.0, 6000.0).land(1500.0, 20000.0),
    size("property_office", 26.0).floor(50.0, 400.0).staff(4.0, 40.0),
    size("police_room", 8.0).floor(30.0, 300.0).staff(2.0, 20.0),
];

/// A row of the ledger.
#[derive(Debug, Clone, PartialEq)]
pub struct Facility {
    name: String,
    class: usize,
    place: Place,
    community: usize,
    status: &'static str,
    /// Days since the beginning of 2000: planned, building, opened, closed.
    days: [Option<u32>; 4],
    sizes: [Option<f64>; 5],
    operator: &'static str,
}

/// All facilities of a city, as a table.
pub fn table(city: &City) -> RecordBatch {
    let classes = defaults::catalogue().classes;
    let of_number = classes_by_number(&classes, city.wanted.count_of(PER_MILLION));
    let rows: Vec<Facility> = of_number
        .par_iter()
        .enumerate()
        .map(|(number, &class)| facility(city, &classes, class, number as u64))
        .collect();
    to_batch(city, &classes, &rows)
}

/// Ids of facilities say that they are made up.
pub fn id(number: usize) -> String {
    format!("syn-f{number:07}")
}

fn to_batch(city: &City, classes: &[FacilityClass], rows: &[Facility]) -> RecordBatch {
    let areas = &city.communities.areas;
    let mut columns = Columns::default();
    columns.text("id", (0..rows.len()).map(id));
    columns.text("name", rows.iter().map(|row| row.name.clone()));
    columns.text("class", rows.iter().map(|row| classes[row.class].id.clone()));
    columns.numbers("lon", rows.iter().map(|row| row.place.lon()));
    columns.numbers("lat", rows.iter().map(|row| row.place.lat()));
    columns.text("service_level", rows.iter().map(|row| classes[row.class].level.clone()));
    columns.text("community_id", rows.iter().map(|row| areas[row.community].id.clone()));
    columns.text("status", rows.iter().map(|row| row.status.to_owned()));
    for (at, name) in ["planned_on", "building_since", "opened_on", "closed_on"].into_iter().enumerate() {
        columns.some_text(name, rows.iter().map(|row| row.days[at].map(day)));
    }
    for (at, name) in ["places", "beds", "floor_area_m2", "land_area_m2", "staff"].into_iter().enumerate() {
        columns.some_numbers(name, rows.iter().map(|row| row.sizes[at]));
    }
    columns.text("operator", rows.iter().map(|row| row.operator.to_owned()));
    columns.text("source", rows.iter().map(|_| synthetic()));
    let points = rows.iter().map(|row| Geometry::Point(Point::new(row.place.lon(), row.place.lat())));
    with_geometry(columns.finish(), geometry::encode(points))
}

/// The class of every facility: each class has its share, rounded up, and at least one.
fn classes_by_number(classes: &[FacilityClass], count: usize) -> Vec<usize> {
    let common = |class: &FacilityClass| {
        SIZES.iter().find(|size| size.class == class.id).map_or(1.0, |size| size.common)
    };
    let whole: f64 = classes.iter().map(common).sum();
    let mut numbers = Vec::with_capacity(count);
    let mut due = 0.0;
    for (at, class) in classes.iter().enumerate() {
        due += common(class) / whole * count as f64;
        let later = classes.len() - 1 - at;
        let until = (due.round() as usize).clamp(numbers.len() + 1, count.saturating_sub(later).max(1));
        numbers.resize(until, at);
    }
    numbers
}

fn facility(city: &City, classes: &[FacilityClass], class: usize, number: u64) -> Facility {
    let mut draw = city.chance.of(Purpose::Facility, number);
    let kind = &classes[class];
    let (place, point) = place(city, kind, &mut draw);
    let size = SIZES.iter().find(|size| size.class == kind.id);
    let mut some = |range: fn(&Size) -> Option<[f64; 2]>| {
        size.and_then(range).map(|[low, high]| (low + (high - low) * draw.unit().powi(2)).round())
    };
    let sizes = [
        some(|size| size.places),
        some(|size| size.beds),
        some(|size| size.floor_m2),
        some(|size| size.land_m2),
        some(|size| size.staff),
    ];
    let (status, days) = history(&mut draw);
    let operator = *draw.one_of(&[
        "街道办 (synthetic)",
        "社区居委会 (synthetic)",
        "企业 (synthetic)",
        "个体 (synthetic)",
    ]);
    Facility {
        name: name(city.chance, kind, number),
        class,
        place,
        community: city.communities.of_point(point, AreaLevel::Community),
        status,
        days,
        sizes,
        operator,
    }
}

/// The word by which ledgers name the class, after a made-up name.
fn name(chance: Chance, class: &FacilityClass, number: u64) -> String {
    let word = match class.name_zh_any.first() {
        Some(word) => word.as_str(),
        None => class.name_zh.split(['(', '、']).next().unwrap_or(&class.name_zh),
    };
    format!("{}{word}", names::name(chance, 20, number))
}

/// Where a facility stands, and the mesh: beside a junction, the nearer to the middle of two; stops on roads.
fn place(city: &City, class: &FacilityClass, draw: &mut Draws) -> (Place, usize) {
    let lattice = &city.lattice;
    let junctions = &city.town;
    let on_road = |point: usize| {
        (point % lattice.columns).is_multiple_of(ESTATE) || (point / lattice.columns).is_multiple_of(ESTATE)
    };
    let mut pick = || *draw.one_of(junctions) as usize;
    let mut point = pick();
    if ["bus_stop", "rail_station"].contains(&class.id.as_str()) {
        for _ in 0..12 {
            point = if on_road(point) { point } else { pick() };
        }
    } else {
        let other = pick();
        let away = |point: usize| lattice.at(point).x.hypot(lattice.at(point).y);
        point = if away(other) < away(point) { other } else { point };
    }
    let last = lattice.columns - 2;
    let (row, column) = (point / lattice.columns, point % lattice.columns);
    let mesh = row.min(last) * lattice.columns + column.min(last);
    let mut share = |past: bool| if past { draw.between(0.75, 0.95) } else { draw.between(0.05, 0.3) };
    let (east, north) = (share(column > last), share(row > last));
    let dry = |at: &geo::Coord| !lattice.terrain.is_water(*at);
    let at = Some(lattice.in_mesh(mesh, east, north)).filter(dry).unwrap_or_else(|| lattice.at(point));
    (lattice.place(at), mesh)
}

/// Status, and the days of its history: what has closed was open, what is open was planned.
fn history(draw: &mut Draws) -> (&'static str, [Option<u32>; 4]) {
    const TODAY: f64 = 9700.0; // July 2026
    let age = draw.unit().powi(2) * 8000.0;
    let took = draw.between(120.0, 900.0);
    let day = |day: f64| Some(day.max(0.0) as u32);
    let opened = TODAY - age - 1.0;
    match draw.unit() {
        kind if kind < 0.93 => ("open", [day(opened - took), day(opened - took * 0.7), day(opened), None]),
        kind if kind < 0.96 => {
            let closed = opened + age * draw.unit();
            ("closed", [day(opened - took), day(opened - took * 0.7), day(opened), day(closed)])
        }
        kind if kind < 0.98 => {
            let since = TODAY - draw.between(5.0, 400.0);
            ("building", [day(since - took * 0.3), day(since), None, None])
        }
        _ => ("planned", [day(TODAY - draw.between(5.0, 300.0)), None, None, None]),
    }
}
