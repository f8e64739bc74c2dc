//! The main line step by step on a synthetic city of 100,489 crossings, 3,000 facilities in 30 classes.
//!
//! The fast search answers against its slow twin before any clock is read; both stand in the same table.

use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use walkshed::io::defaults;
use walkshed::model::progress::Progress;
use walkshed::model::times::Direction;
use walkshed::network::graph::Network;
use walkshed::network::{build, store};
use walkshed::travel::doors::Walk;
use walkshed::travel::nearest::nearest;
use walkshed::travel::oracle;
use walkshed_benches::City;

const SIDE: u32 = 317;
const FACILITIES: usize = 3000;
const CUTOFF_DS: u32 = 9000;
/// Homes that the slow twin answers for.
const SAMPLE: usize = 20;

fn network(city: &City) -> Network {
    build::from_survey(city.survey.clone(), 200.0).expect("the city is valid")
}

fn main_line(criterion: &mut Criterion) {
    let city = City::new(SIDE, FACILITIES, 7);
    let network = network(&city);
    let adult = defaults::profiles().swap_remove(0);
    let walk = Walk::new(&network, &adult, Direction::ToFacility);
    let quiet = Progress::default();
    let all = || {
        nearest(&walk, &city.home_id, &city.homes, &city.facilities, CUTOFF_DS, &quiet)
            .expect("nobody stops it")
    };
    let slow = || {
        oracle::nearest(&walk, &city.homes[..SAMPLE], &city.facilities, CUTOFF_DS).expect("nobody stops it")
    };
    assert_eq!(all().times.nearest[..SAMPLE * 30], slow(), "answers are compared before clocks are read");

    let mut group = criterion.benchmark_group("main_line");
    group.sample_size(10);
    group.bench_function("build the network", |bench| bench.iter(|| self::network(black_box(&city))));
    group.bench_function("join 50,245 homes", |bench| {
        bench.iter(|| walk.join(black_box(&city.homes), &quiet).expect("nobody stops it"));
    });
    group.bench_function("nearest of 30 classes, all homes", |bench| bench.iter(all));
    group.bench_function("slow twin, 20 homes", |bench| bench.iter(slow));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("city.network");
    group.bench_function("save", |bench| {
        bench.iter(|| store::save(&network, &path).expect("the disk has room"));
    });
    group.bench_function("load", |bench| bench.iter(|| store::load(&path).expect("just written")));
    group.finish();
}

criterion_group!(benches, main_line);
criterion_main!(benches);
