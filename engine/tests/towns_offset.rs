//! Points beside the streets of a made-up town, written in one system and stated in another: the detector names the one.
//!
//! **The town is made up.** Its streets wander, so that no offset but the true one brings its doors beside them.

use walkshed::model::analysis_crs::AnalysisCrs;
use walkshed::model::crs::Crs;
use walkshed::model::ids::Ids;
use walkshed::model::place::Place;
use walkshed::model::plane::Plane;
use walkshed::model::problem::Level;
use walkshed::model::progress::Progress;
use walkshed::model::street::{Survey, SurveyedEdge, WayKind};
use walkshed::network::build;
use walkshed::network::graph::Network;
use walkshed::network::offset::{LooksLike, Source, Verdict, detect};

/// Numbers 0..1 that look like chance and are the same every time (Knuth's multiplier).
struct Dice(u64);

impl Dice {
    fn throw(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// A town of 2 km with 90 streets of about 700 m and a door on each 70 m of street, 5 to 15 m beside it.
struct Wandering {
    network: Network,
    doors: Vec<Place>,
    plane: Plane,
}

impl Wandering {
    fn at(lon: f64, lat: f64) -> Self {
        let plane = Plane::at(Place::new(lon, lat).expect("a town"));
        let there = |x: f64, y: f64| {
            let at = plane.degrees((x, y).into());
            Place::new(at.x, at.y).expect("a town")
        };
        let mut dice = Dice(7);
        let (mut places, mut edges, mut doors) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..90 {
            let (mut x, mut y) = (dice.throw() * 2000.0, dice.throw() * 2000.0);
            let mut heading = dice.throw() * std::f64::consts::TAU;
            places.push(there(x, y));
            for _ in 0..10 {
                heading += (dice.throw() - 0.5) * 0.8;
                let ((sin, cos), aside_m) = (heading.sin_cos(), 5.0 + 10.0 * dice.throw());
                doors.push(there(x + 35.0 * cos - aside_m * sin, y + 35.0 * sin + aside_m * cos));
                (x, y) = (x + 70.0 * cos, y + 70.0 * sin);
                places.push(there(x, y));
                let to = places.len() as u32 - 1;
                edges.push(SurveyedEdge {
                    from: to - 1,
                    to,
                    length_m: 70.0,
                    kind: WayKind::Footway,
                    residents: false,
                    forward_ds: None,
                    backward_ds: None,
                });
            }
        }
        let survey = Survey {
            node_id: Ids::UInt((0..places.len() as u64).collect()),
            ele_m: vec![None; places.len()],
            place: places,
            edge_id: Ids::UInt((0..edges.len() as u64).collect()),
            edges,
            timed: false,
        };
        Self { network: build::from_survey(survey, 200.0).expect("a town"), doors, plane }
    }

    fn chongqing() -> Self {
        Self::at(106.55, 29.56)
    }

    fn look(&self, stated: &Crs, place: &[Place]) -> Verdict {
        detect(&self.network, Source { stated, place }, &Progress::default()).expect("a town")
    }

    /// Doors in the numbers of one system, read as if they were in another.
    fn misread(&self, truth: AnalysisCrs, stated: AnalysisCrs) -> Vec<Place> {
        self.doors.iter().map(|&door| stated.back(truth.moved(door))).collect()
    }

    fn shifted(&self, east_m: f64, north_m: f64) -> Vec<Place> {
        let shift = |&door: &Place| {
            let at = self.plane.flat(door);
            let at = self.plane.degrees((at.x + east_m, at.y + north_m).into());
            Place::new(at.x, at.y).expect("a town")
        };
        self.doors.iter().map(shift).collect()
    }

    fn mean_offset_m(&self, read: &[Place]) -> (f64, f64) {
        let steps =
            read.iter().zip(&self.doors).map(|(&read, &door)| self.plane.flat(read) - self.plane.flat(door));
        let (mut east_m, mut north_m) = (0.0, 0.0);
        for step in steps {
            east_m += step.x / read.len() as f64;
            north_m += step.y / read.len() as f64;
        }
        (east_m, north_m)
    }
}

#[test]
fn every_system_is_told_from_every_other() {
    let town = Wandering::chongqing();
    for truth in AnalysisCrs::ALL {
        for stated in AnalysisCrs::ALL {
            let read = town.misread(truth, stated);
            let verdict = town.look(&stated.crs(), &read);
            let told = format!("{truth:?} stated as {stated:?}: {verdict:?}");
            assert_eq!(verdict.looks_like, Some(LooksLike::System(truth)), "{told}");
            assert_eq!(verdict.fault(&stated.crs()).is_none(), truth == stated, "{told}");
            assert!(verdict.confidence.is_some_and(|confidence| confidence > 0.99), "{told}");
            let (east_m, north_m) = town.mean_offset_m(&read);
            assert!((verdict.east_m.expect("a town") - east_m).abs() < 2.0, "{told} {east_m}");
            assert!((verdict.north_m.expect("a town") - north_m).abs() < 2.0, "{told} {north_m}");
        }
    }
}

#[test]
fn streets_of_an_analysis_in_gcj02_are_looked_at_where_they_are() {
    let mut town = Wandering::chongqing();
    town.network = town.network.moved(AnalysisCrs::Gcj02);
    // As a reader brings them there: WGS-84 moved forward, GCJ-02 as it is.
    let forward: Vec<Place> = town.doors.iter().map(|&door| AnalysisCrs::Gcj02.moved(door)).collect();
    assert_eq!(town.look(&Crs::WGS84, &forward).looks_like, Some(LooksLike::System(AnalysisCrs::Wgs84)));
    assert_eq!(town.look(&Crs::Gcj02, &forward).looks_like, Some(LooksLike::System(AnalysisCrs::Gcj02)));
    let mistaken: Vec<Place> = forward.iter().map(|&door| AnalysisCrs::Gcj02.moved(door)).collect();
    assert_eq!(town.look(&Crs::WGS84, &mistaken).looks_like, Some(LooksLike::System(AnalysisCrs::Gcj02)));
}

#[test]
fn an_offset_that_no_system_explains_is_measured() {
    let town = Wandering::chongqing();
    let verdict = town.look(&Crs::WGS84, &town.shifted(240.0, -130.0));
    assert_eq!(verdict.looks_like, Some(LooksLike::Other), "{verdict:?}");
    assert!(
        (verdict.east_m.expect("a town") - 240.0).abs() <= 15.0
            && (verdict.north_m.expect("a town") + 130.0).abs() <= 15.0
    );
    let fault = verdict.fault(&Crs::WGS84).expect("a town");
    assert_eq!(fault.level(), Level::Warning, "no row is left out for it");
    assert!(
        fault.what().en.contains("no known system") && fault.what().zh.contains("偏东"),
        "{}",
        fault.what().en
    );
}

#[test]
fn weak_evidence_gives_no_verdict() {
    let town = Wandering::chongqing();
    let grid = (0..40).flat_map(|x| (0..40).map(move |y| (f64::from(x) * 50.0, f64::from(y) * 50.0)));
    let grid: Vec<Place> = grid
        .map(|at| town.plane.degrees(at.into()))
        .map(|at| Place::new(at.x, at.y).expect("a town"))
        .collect();
    assert_eq!(town.look(&Crs::WGS84, &grid).looks_like, None);
    assert_eq!(town.look(&Crs::WGS84, &town.doors[..25]).looks_like, None);
    let tower = vec![town.doors[0]; 1000];
    assert_eq!(town.look(&Crs::WGS84, &tower).looks_like, None);
    assert_eq!(town.look(&Crs::WGS84, &[]).looks_like, None);
    let far: Vec<Place> =
        town.doors.iter().map(|door| Place::new(door.lon() + 1.0, door.lat()).expect("a town")).collect();
    assert_eq!(town.look(&Crs::WGS84, &far).looks_like, None);
}

#[test]
fn the_order_of_points_and_the_number_of_threads_do_not_matter() {
    let town = Wandering::chongqing();
    let mut read = town.misread(AnalysisCrs::Gcj02, AnalysisCrs::Wgs84);
    let verdict = town.look(&Crs::WGS84, &read);
    read.reverse();
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a town");
    assert_eq!(one.install(|| town.look(&Crs::WGS84, &read)), verdict);
}

#[test]
fn where_the_model_shifts_nothing_nobody_is_suspected_of_it() {
    let town = Wandering::at(24.94, 60.17);
    assert_eq!(town.look(&Crs::WGS84, &town.doors).looks_like, Some(LooksLike::System(AnalysisCrs::Wgs84)));
    let verdict = town.look(&Crs::WGS84, &town.shifted(-90.0, 150.0));
    assert_eq!(verdict.looks_like, Some(LooksLike::Other), "{verdict:?}");
}
