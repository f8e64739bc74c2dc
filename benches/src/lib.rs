//! A synthetic city for benches: a grid of streets with uneven lengths, homes and facilities beside them. The same
//! size and seed give the same city on every machine.

use walkshed::model::facility::Facilities;
use walkshed::model::ids::Ids;
use walkshed::model::place::Place;
use walkshed::model::street::{Survey, SurveyedEdge, WayKind};

/// Distance between parallel streets, degrees of latitude (about 80 m).
const BLOCK_DEG: f64 = 0.000_72;

/// A synthetic city.
#[derive(Debug, Clone)]
pub struct City {
    /// Streets.
    pub survey: Survey,
    /// Places of homes, one near every second crossing.
    pub homes: Vec<Place>,
    /// Ids of the homes.
    pub home_id: Ids,
    /// Facilities of 30 classes.
    pub facilities: Facilities,
}

/// Whole numbers without pattern, the same for the same seed (Marsaglia's xorshift64).
#[derive(Debug, Clone)]
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

impl City {
    /// A grid of `side` × `side` crossings with `facilities` facilities.
    ///
    /// # Panics
    /// When the city would not fit on the earth.
    pub fn new(side: u32, facilities: usize, seed: u64) -> Self {
        let mut numbers = Numbers(seed.max(1));
        let at = |east: f64, north: f64| {
            Place::new(106.0 + east * BLOCK_DEG, 29.0 + north * BLOCK_DEG)
                .expect("the city fits on the earth")
        };
        let crossings = side * side;
        let place = (0..crossings).map(|node| at(f64::from(node % side), f64::from(node / side))).collect();
        let homes: Vec<Place> = (0..crossings)
            .step_by(2)
            .map(|node| {
                at(f64::from(node % side) + numbers.share(), f64::from(node / side) + numbers.share())
            })
            .collect();
        let spots: Vec<Place> = (0..facilities)
            .map(|_| at(numbers.share() * f64::from(side), numbers.share() * f64::from(side)))
            .collect();
        let edges = edges(side, &mut numbers);
        Self {
            survey: Survey {
                node_id: Ids::UInt((0..u64::from(crossings)).collect()),
                place,
                ele_m: vec![None; crossings as usize],
                edge_id: Ids::UInt((0..edges.len() as u64).collect()),
                edges,
                timed: true,
            },
            home_id: Ids::UInt((0..homes.len() as u64).collect()),
            homes,
            facilities: Facilities::new(
                "synthetic",
                Ids::UInt((0..facilities as u64).collect()),
                (0..facilities).map(|row| format!("class {:02}", row % 30)).collect(),
                spots,
            ),
        }
    }
}

/// Streets to the east and north neighbours, with times of their own in each direction.
fn edges(side: u32, numbers: &mut Numbers) -> Vec<SurveyedEdge> {
    let mut edges = Vec::new();
    for node in 0..side * side {
        let east = (node % side + 1 < side).then_some(node + 1);
        let north = (node / side + 1 < side).then_some(node + side);
        for to in [east, north].into_iter().flatten() {
            let time_ds = 500 + (numbers.next() % 300) as u32;
            edges.push(SurveyedEdge {
                from: node,
                to,
                length_m: 80.0,
                kind: WayKind::Footway,
                residents: false,
                forward_ds: Some(time_ds),
                backward_ds: Some(time_ds + (numbers.next() % 100) as u32),
            });
        }
    }
    edges
}
