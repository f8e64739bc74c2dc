//! Projects of renewal, and what residents ask for.

use super::City;
use super::chance::{Draws, Purpose};
use super::communities::AreaLevel;
use super::names;
use super::table::{Columns, day, synthetic};
use crate::io::{defaults, facilities::with_geometry, geometry};
use crate::model::catalogue::FacilityClass;
use arrow_array::RecordBatch;
use geo::{Geometry, Point};

/// Projects and requests of a city of a million junctions.
pub const PROJECTS: u64 = 395;
/// See [`PROJECTS`].
pub const REQUESTS: u64 = 76_000;

const KINDS: [(&str, &str); 4] =
    [("new", "新建"), ("extension", "扩建"), ("renovation", "改造"), ("equipment", "增配")];

/// The projects of a city.
pub fn table(city: &City) -> RecordBatch {
    let classes = defaults::catalogue().classes;
    let rows: Vec<Project> =
        (0..city.wanted.count_of(PROJECTS)).map(|number| project(city, &classes, number as u64)).collect();
    let mut columns = Columns::default();
    columns.text("id", (0..rows.len()).map(|number| format!("syn-p{number:05}")));
    columns.text("name", rows.iter().map(|row| row.name.clone()));
    columns.text("class", rows.iter().map(|row| row.class.clone()));
    columns.text("kind", rows.iter().map(|row| row.kind.to_owned()));
    columns.text("community_id", rows.iter().map(|row| row.community.clone()));
    columns.numbers("cost_yuan", rows.iter().map(|row| row.cost_yuan));
    columns.text("status", rows.iter().map(|row| row.status.to_owned()));
    columns.text("declared_on", rows.iter().map(|row| day(row.declared)));
    columns.some_text("finished_on", rows.iter().map(|row| row.finished.map(day)));
    columns.numbers("lon", rows.iter().map(|row| row.at.x()));
    columns.numbers("lat", rows.iter().map(|row| row.at.y()));
    columns.text("source", rows.iter().map(|_| synthetic()));
    with_geometry(columns.finish(), geometry::encode(rows.iter().map(|row| Geometry::Point(row.at))))
}

struct Project {
    name: String,
    class: String,
    kind: &'static str,
    community: String,
    cost_yuan: f64,
    status: &'static str,
    declared: u32,
    finished: Option<u32>,
    at: Point,
}

fn project(city: &City, classes: &[FacilityClass], number: u64) -> Project {
    let mut draw = city.chance.of(Purpose::Project, number);
    let class = draw.one_of(classes);
    let (kind, kind_zh) = *draw.one_of(&KINDS);
    let building = draw.one_of(&city.buildings);
    let place = city.lattice.place(building.middle);
    let declared = draw.between(8400.0, 9650.0) as u32;
    let (status, finished) = match draw.unit() {
        share if share < 0.25 => ("planned", None),
        share if share < 0.55 => ("building", None),
        _ => ("finished", Some(declared + draw.between(90.0, 900.0) as u32)),
    };
    Project {
        name: format!("{}{}{kind_zh}项目", names::name(city.chance, 30, number), class.name_zh),
        class: class.id.clone(),
        kind,
        community: community_of(city, building.mesh),
        cost_yuan: (10_f64.powf(draw.between(5.0, 7.5)) / 1000.0).round() * 1000.0,
        status,
        declared,
        finished,
        at: Point::new(place.lon(), place.lat()),
    }
}

fn community_of(city: &City, mesh: usize) -> String {
    city.communities.areas[city.communities.of_point(mesh, AreaLevel::Community)].id.clone()
}

/// The requests of residents of a city.
pub fn requests(city: &City) -> RecordBatch {
    let classes = defaults::catalogue().classes;
    let count = city.wanted.count_of(REQUESTS);
    let (mut communities, mut dates, mut kinds, mut texts) = (vec![], vec![], vec![], vec![]);
    for number in 0..count {
        let mut draw = city.chance.of(Purpose::Request, number as u64);
        let building = draw.one_of(&city.buildings);
        let class = draw.one_of(&classes);
        communities.push(community_of(city, building.mesh));
        dates.push(day(draw.between(9100.0, 9700.0) as u32));
        texts.push(text(&mut draw, class));
        kinds.push(class.id.clone());
    }
    let mut columns = Columns::default();
    columns.text("id", (0..count).map(|number| format!("syn-r{number:06}")));
    columns.text("community_id", communities.into_iter());
    columns.text("date", dates.into_iter());
    columns.text("class", kinds.into_iter());
    columns.text("text", texts.into_iter());
    columns.text("source", (0..count).map(|_| synthetic()));
    columns.into_batch()
}

fn text(draw: &mut Draws, class: &FacilityClass) -> String {
    let name = class.name_zh.split(['(', '、']).next().unwrap_or(&class.name_zh);
    let told = match draw.below(5) {
        0 => format!("希望在小区附近增设{name}"),
        1 => format!("去{name}要爬很多梯坎，老人不方便"),
        2 => format!("{name}太远，走路超过十五分钟"),
        3 => format!("{name}位置不够，请扩建"),
        _ => format!("请延长{name}开放时间"),
    };
    format!("{told}（合成数据 synthetic）")
}
