//! GCJ-02 and BD-09, the systems of Chinese map platforms, both ways.
//!
//! Neither is published. What is here is the model that everybody uses, recovered from its results (the formulas of
//! `eviltransform` and `prcoords`, which agree to 1e-12 degrees when they take the same axis). A platform's points may lie
//! some metres off it; the way back is iterated until it is exact **in the model**, to less than a millimetre.

/// Longitude and latitude, degrees.
type Degrees = (f64, f64);

/// Axis and eccentricity squared of the ellipsoid of Krasovsky, rounded as the model has them.
const AXIS_M: f64 = 6_378_245.0;
const ECCENTRICITY_2: f64 = 0.006_693_421_622_965_943;

/// Where the model shifts at all: a box that also covers parts of the neighbours.
const BOX: [(f64, f64); 2] = [(72.004, 137.8347), (0.8293, 55.8271)];

/// BD-09 turns and scales around a point so far from GCJ-02, degrees.
const BD09_SHIFT: Degrees = (0.0065, 0.006);
/// Waves of BD-09: radians in 0.108 degrees make a whole turn's share of 3000.
const BD09_WAVE: f64 = std::f64::consts::PI * 3000.0 / 180.0;

/// 1e-9 degrees are a tenth of a millimetre; each turn of the iteration gains two digits or more.
const EXACT_DEG: f64 = 1e-9;
const MOST_TURNS: usize = 30;

/// Whether the model shifts there.
fn is_inside((lon, lat): Degrees) -> bool {
    let [east, north] = BOX;
    (east.0..=east.1).contains(&lon) && (north.0..=north.1).contains(&lat)
}

/// From WGS-84 to GCJ-02; the same outside the model's box.
pub fn from_wgs84(place: Degrees) -> Degrees {
    if !is_inside(place) {
        return place;
    }
    let (lon, lat) = place;
    let (east_m, north_m) = shift_m(lon - 105.0, lat - 35.0);
    let (sin, cos) = lat.to_radians().sin_cos();
    let squeeze = 1.0 - ECCENTRICITY_2 * sin * sin;
    let along_parallel_m = AXIS_M / squeeze.sqrt() * cos;
    let along_meridian_m = AXIS_M * (1.0 - ECCENTRICITY_2) / (squeeze * squeeze.sqrt());
    (lon + (east_m / along_parallel_m).to_degrees(), lat + (north_m / along_meridian_m).to_degrees())
}

/// Metres east and north by which a place is shifted; x and y in degrees from 105 E, 35 N.
fn shift_m(x: f64, y: f64) -> Degrees {
    let wave = |size: f64, turns: f64| size * (turns * std::f64::consts::PI).sin();
    let both = 2.0 / 3.0 * (wave(20.0, 6.0 * x) + wave(20.0, 2.0 * x));
    let of_x = wave(20.0, x) + wave(40.0, x / 3.0) + wave(150.0, x / 12.0) + wave(300.0, x / 30.0);
    let of_y = wave(20.0, y) + wave(40.0, y / 3.0) + wave(160.0, y / 12.0) + wave(320.0, y / 30.0);
    let root = x.abs().sqrt();
    let east_m = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + both + of_x * 2.0 / 3.0;
    let north_m =
        -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + both + of_y * 2.0 / 3.0;
    (east_m, north_m)
}

/// From GCJ-02 to WGS-84, exact in the model.
pub fn to_wgs84(place: Degrees) -> Degrees {
    if is_inside(place) { undo(place, from_wgs84) } else { place }
}

/// From GCJ-02 to BD-09.
pub fn to_bd09((lon, lat): Degrees) -> Degrees {
    let distance = lon.hypot(lat) + 0.000_02 * (lat * BD09_WAVE).sin();
    let angle = lat.atan2(lon) + 0.000_003 * (lon * BD09_WAVE).cos();
    (distance * angle.cos() + BD09_SHIFT.0, distance * angle.sin() + BD09_SHIFT.1)
}

/// From BD-09 to GCJ-02, exact in the model.
pub fn from_bd09(place: Degrees) -> Degrees {
    undo(place, to_bd09)
}

/// The place that `forward` moves to `wanted`: what it misses is taken off until nothing is missed.
fn undo(wanted: Degrees, forward: impl Fn(Degrees) -> Degrees) -> Degrees {
    let mut place = wanted;
    for _ in 0..MOST_TURNS {
        let found = forward(place);
        let missed = (found.0 - wanted.0, found.1 - wanted.1);
        place = (place.0 - missed.0, place.1 - missed.1);
        if missed.0.abs().max(missed.1.abs()) < EXACT_DEG {
            break;
        }
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// WGS-84, GCJ-02 and BD-09 of prcoords 1.0.2 (`wgs_gcj`, `gcj_bd`): Chongqing, Shanghai, Shenzhen, Urumqi,
    /// Harbin, Lhasa. The second and third GCJ-02 are also in the tests of eviltransform.
    const KNOWN: [[Degrees; 3]; 6] = [
        [
            (106.5516, 29.5630),
            (106.555_317_649_799_86, 29.560_151_273_667_472),
            (106.561_748_234_045_33, 29.566_465_989_291_594),
        ],
        [
            (121.527_210_6, 31.177_427_6),
            (121.531_541_859_215, 31.175_303_983_645_97),
            (121.538_015_686_438_58, 31.181_328_606_874_466),
        ],
        [
            (113.912_316, 22.543_847),
            (113.917_176_480_836_3, 22.540_796_131_694_766),
            (113.923_684_729_267_34, 22.546_667_437_751_108),
        ],
        [
            (87.6168, 43.8256),
            (87.619_649_949_469_26, 43.826_805_393_111_19),
            (87.626_099_770_815_71, 43.832_949_794_793_28),
        ],
        [
            (126.6424, 45.7567),
            (126.648_369_816_304_74, 45.758_651_101_857_97),
            (126.654_999_328_971_67, 45.764_345_563_867_58),
        ],
        [
            (91.1172, 29.6469),
            (91.118_760_341_314_24, 29.644_192_106_471_11),
            (91.125_303_859_442_67, 29.650_072_418_580_592),
        ],
    ];

    fn is_near(a: Degrees, b: Degrees, by_deg: f64) -> bool {
        (a.0 - b.0).abs() < by_deg && (a.1 - b.1).abs() < by_deg
    }

    #[test]
    fn places_lie_where_another_program_puts_them() {
        for [wgs84, gcj02, bd09] in KNOWN {
            assert!(is_near(from_wgs84(wgs84), gcj02, 1e-11), "{wgs84:?}: {:?}", from_wgs84(wgs84));
            assert!(is_near(to_bd09(gcj02), bd09, 1e-11), "{gcj02:?}: {:?}", to_bd09(gcj02));
        }
    }

    /// How much longer and shorter distances become: from 20,000 short steps each way, at most 1 % and 2.5 %. Whoever measures
    /// the way from a door to its street in these systems is wrong by no more.
    #[test]
    fn distances_are_stretched_by_no_more_than_said() {
        let at = |(lon, lat): Degrees| crate::model::place::Place::new(lon, lat).unwrap();
        for (system, bound) in
            [(from_wgs84 as fn(Degrees) -> Degrees, 0.01), (|at| to_bd09(from_wgs84(at)), 0.025)]
        {
            let mut most: f64 = 0.0;
            for step in 0..20_000_u32 {
                // Steps of irrational turns cover China evenly: 73..135 E, 18..54 N, all bearings.
                let turn = |by: f64| (f64::from(step) * by).fract();
                let start = (73.0 + 62.0 * turn(0.618_033_988), 18.0 + 36.0 * turn(0.414_213_562));
                let (sin, cos) = (turn(0.732_050_808) * std::f64::consts::TAU).sin_cos();
                let end = (start.0 + 1e-4 * cos, start.1 + 1e-4 * sin);
                let stretch = at(system(start)).distance_m(at(system(end))) / at(start).distance_m(at(end));
                most = most.max((stretch - 1.0).abs());
            }
            assert!(most < bound && most > bound / 2.0, "{most}");
        }
    }

    #[test]
    fn what_lies_outside_the_box_is_not_shifted() {
        for place in [(24.94, 60.17), (-51.2, -30.0), (139.7, 35.7)] {
            assert_eq!((from_wgs84(place), to_wgs84(place)), (place, place));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        /// 5e-9 degrees are at most 0.6 mm.
        #[test]
        fn every_place_of_china_comes_back_within_a_millimetre(lon in 73.0..135.5, lat in 3.5..54.0) {
            let gcj02 = from_wgs84((lon, lat));
            prop_assert!(is_near(to_wgs84(gcj02), (lon, lat), 5e-9));
            prop_assert!(is_near(from_bd09(to_bd09(gcj02)), gcj02, 5e-9));
        }
    }
}
