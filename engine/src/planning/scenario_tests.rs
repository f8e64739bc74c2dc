//! Edits of random towns: what only the touched answers against the whole line over the edited city, and what must hold of
//! any edit.

use super::{facilities, streets};
use crate::io::{defaults, scenario};
use crate::metrics::floating_catchment::{Catchments, Variant};
use crate::model::costs::Costs;
use crate::model::decay::Decay;
use crate::model::edit::{Change, Edit};
use crate::model::facility::Facilities;
use crate::model::ids::Ids;
use crate::model::ledger::Status;
use crate::model::place::{Place, Spot};
use crate::model::progress::Progress;
use crate::model::scenario::Scenario;
use crate::model::times::{Direction, Nearest, Reason};
use crate::network::graph::Network;
use crate::network::overlay::Overlay;
use crate::travel::baseline::{self, Baseline};
use crate::travel::doors::Walk;
use crate::travel::nearest::search_classes;
use crate::travel::nearest_tests::{RandomTown, random_town};
use crate::travel::oracle;
use crate::travel::pairs::Pairs;
use crate::travel::touched::{Amounts, touched};
use crate::travel::update::{Edits, Opened, update};
use proptest::prelude::*;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a random edit is made from: which change, two places, two numbers.
type Seed = (usize, (f64, f64), (f64, f64), usize, u32);

fn seed() -> impl Strategy<Value = Seed> {
    let spot = || (-0.001..0.011, -0.001..0.011);
    (0_usize..11, spot(), spot(), any::<usize>(), 0_u32..4000)
}

fn lon_lat(at: (f64, f64)) -> [f64; 2] {
    [106.55 + at.0, 29.56 + at.1]
}

/// The edit of a seed; most can be, some name what is not there.
fn edit(town: &RandomTown, number: usize, seed: Seed) -> serde_json::Value {
    let (kind, from, to, pick, tenths) = seed;
    let way = (pick % town.edges.len()).to_string();
    let facility = (pick % town.facilities.len()).to_string();
    let seconds = f64::from(tenths) / 10.0;
    match kind {
        0 | 1 => {
            let kind = ["path", "steps", "lift", "footbridge", "escalator"][pick % 5];
            let directions = ["both", "forward", "backward"][pick / 7 % 3];
            json!({"do": "add_link", "id": format!("link {number}"), "kind": kind, "from": lon_lat(from), "to": lon_lat(to),
                   "directions": directions, "rise_m": f64::from(tenths % 60) - 30.0})
        }
        2 => {
            json!({"do": "add_link", "id": format!("link {number}"), "from": lon_lat(from), "to": lon_lat(to),
                    "forward_s": seconds, "backward_s": f64::from(tenths % 700)})
        }
        3 => json!({"do": "close_link", "id": way}),
        4 => json!({"do": "open_link", "id": way}),
        5 => {
            json!({"do": "retime_link", "id": way, "forward_s": seconds, "backward_s": f64::from(tenths % 300)})
        }
        6 => {
            let id = (i64::from(tenths % 20) - 5).to_string();
            json!({"do": "open_facility", "id": id, "class": format!("class {}", pick % 4), "place": lon_lat(from)})
        }
        7 => json!({"do": "close_facility", "id": facility}),
        8 => json!({"do": "move_facility", "id": facility, "place": lon_lat(from)}),
        9 => json!({"do": "close_link", "id": format!("link {}", pick % 6)}),
        _ => json!({"do": "new_homes", "place": lon_lat(from), "people": 10.0}),
    }
}

/// The scenario of those edits that can be made, one after the other.
fn scenario(town: &RandomTown, network: &Arc<Network>, ledger: &Facilities, seeds: &[Seed]) -> Scenario {
    let mut edits = Vec::new();
    for (number, &seed) in seeds.iter().enumerate() {
        edits.push(edit(town, number, seed));
        let tried = scenario::from_json("town", &json!(edits).to_string()).unwrap();
        let can_be =
            streets::overlay(network, &tried).is_ok() && facilities::resolve(&tried, ledger, None).is_ok();
        if !can_be {
            edits.pop();
        }
    }
    scenario::from_json("town", &json!(edits).to_string()).unwrap()
}

/// A city before and after the edits of a scenario.
struct City {
    overlay: Arc<Overlay>,
    ledger: Facilities,
    edited_ledger: Facilities,
    edits: facilities::FacilityEdits,
    origins: Vec<Spot>,
    new_origins: Vec<Spot>,
    class: Vec<String>,
}

impl City {
    fn new(town: &RandomTown, network: &Arc<Network>, scenario: &Scenario) -> Self {
        let ledger = town.facilities();
        let edits = facilities::resolve(scenario, &ledger, None).unwrap();
        let edited_ledger = edits.apply(ledger.clone());
        let moved_in = |edit: &Edit| match &edit.change {
            Change::NewHomes(homes) => Place::new(homes.place[0], homes.place[1]).map(Spot::from),
            _ => None,
        };
        let mut class = ledger.classes();
        let new =
            edited_ledger.classes().into_iter().filter(|name| !class.contains(name)).collect::<Vec<_>>();
        class.extend(new);
        Self {
            overlay: streets::overlay(network, scenario).unwrap(),
            edits,
            ledger,
            edited_ledger,
            origins: town.origins().into_iter().map(Spot::from).collect(),
            new_origins: scenario.edits.iter().filter_map(moved_in).collect(),
            class,
        }
    }

    fn open(&self) -> Vec<usize> {
        let status = self.edited_ledger.status_on(None);
        (0..status.len()).filter(|&row| status[row] == Status::Open).collect()
    }

    /// The whole line over the edited city: time and id of the nearest, by origin and class.
    fn whole(&self, walk: &Walk<'_>, cutoff_ds: u32) -> Vec<Result<(u32, String), Reason>> {
        let quiet = Progress::default();
        let facilities = self.edited_ledger.pick(&self.open());
        let origins = [self.origins.clone(), self.new_origins.clone()].concat();
        let joins = walk.join_both(&origins, &facilities, &quiet).unwrap();
        let mut sorted = self.class.clone();
        sorted.sort_unstable();
        let found = search_classes(walk, &joins, &facilities, &sorted, cutoff_ds, &quiet).unwrap();
        let place: Vec<usize> = self.class.iter().map(|name| sorted.binary_search(name).unwrap()).collect();
        let entry = |nearest: Nearest| {
            nearest.map(|found| (found.time_ds, facilities.id.text(found.facility() as usize)))
        };
        found.chunks(sorted.len()).flat_map(|row| place.iter().map(|&at| entry(row[at]))).collect()
    }

    /// The facilities that close or move, and those that open or come from elsewhere.
    fn changes(&self) -> (Vec<u32>, Vec<Opened>) {
        let closed = self
            .edits
            .changed
            .iter()
            .filter(|(_, changed)| changed.open == Some(false) || changed.place.is_some())
            .map(|(&row, _)| row as u32)
            .collect();
        let class_of = |class: &String| self.class.iter().position(|other| other == class).unwrap() as u32;
        let mut opened: Vec<Opened> = Vec::new();
        for (&row, changed) in &self.edits.changed {
            if let Some(place) = changed.place.filter(|_| changed.open != Some(false)) {
                let class = class_of(&self.ledger.class[row]);
                opened.push(Opened { id: self.ledger.id.text(row), class, doors: vec![place.into()] });
            }
        }
        for new in self.edits.new.iter().filter(|new| new.open) {
            opened.push(Opened {
                id: new.id.clone(),
                class: class_of(&new.class),
                doors: vec![new.place.into()],
            });
        }
        (closed, opened)
    }

    fn edits<'a>(&'a self, closed: &'a [u32], opened: &'a [Opened]) -> Edits<'a> {
        Edits { overlay: &self.overlay, class: &self.class, closed, opened, origins: &self.new_origins }
    }

    /// The same from the baseline and what is updated of it.
    fn updated(&self, baseline: &Baseline) -> Vec<Result<(u32, String), Reason>> {
        let (closed, opened) = self.changes();
        let edits = self.edits(&closed, &opened);
        let id = |row: u32| match (row as usize).checked_sub(self.ledger.len()) {
            Some(new) => opened[new].id.clone(),
            None => self.ledger.id.text(row as usize),
        };
        let mut table = self.table(baseline);
        for changed in update(baseline, &edits, &Progress::default()).unwrap() {
            table.insert((changed.origin as usize, changed.class as usize), changed.nearest);
        }
        table
            .into_values()
            .map(|nearest| nearest.map(|found| (found.time_ds, id(found.facility()))))
            .collect()
    }
}

fn ready(town: &RandomTown, network: &Arc<Network>, profile: usize, back: bool, cutoff_ds: u32) -> Baseline {
    let direction = if back { Direction::FromFacility } else { Direction::ToFacility };
    let origins = Arc::new(town.origins().into_iter().map(Spot::from).collect());
    let profile = &defaults::profiles()[profile];
    let facilities = Arc::new(town.facilities());
    baseline::prepare(network, profile, direction, &origins, &facilities, cutoff_ds, &Progress::default())
        .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    /// Whatever is edited, for every profile and direction: what is updated is what a whole run finds, to the bit.
    #[test]
    fn what_is_touched_is_all_that_changes(
        town in random_town(), profile in 0_usize..5, back in any::<bool>(), cutoff_ds in 0_u32..9000,
        seeds in prop::collection::vec(seed(), 0..7),
    ) {
        let network = Arc::new(town.network(town.edges.len()));
        let scenario = scenario(&town, &network, &town.facilities(), &seeds);
        let city = City::new(&town, &network, &scenario);
        prop_assume!(!city.open().is_empty());
        let baseline = ready(&town, &network, profile, back, cutoff_ds);
        let edited = city.overlay.network();
        let walk = Walk::new(&edited, &baseline.profile, baseline.direction);
        prop_assert_eq!(city.updated(&baseline), city.whole(&walk, cutoff_ds), "{:#?}", scenario.edits);
    }

    /// The pairs of touched origins are those of a whole search, those of all others are as they were; and floating catchments
    /// over the pairs that are closed for them give touched origins what they get in a whole run, and nobody else anything new.
    #[test]
    fn touched_pairs_are_all_that_change(
        town in random_town(), profile in 0_usize..5, back in any::<bool>(), cutoff_ds in 0_u32..5000,
        seeds in prop::collection::vec(seed(), 0..6), variant in 0_usize..5,
    ) {
        let network = Arc::new(town.network(town.edges.len()));
        let scenario = scenario(&town, &network, &town.facilities(), &seeds);
        let city = City::new(&town, &network, &scenario);
        prop_assume!(!city.open().is_empty());
        let baseline = ready(&town, &network, profile, back, cutoff_ds);
        let edited = city.overlay.network();
        let walk = Walk::new(&edited, &baseline.profile, baseline.direction);
        let whole = city.whole_pairs(&walk, cutoff_ds);
        let base = Walk::new(&network, &baseline.profile, baseline.direction);
        let before = City::new(&town, &network, &scenario_of(&[])).whole_pairs(&base, cutoff_ds);
        let (touched, pairs) = city.touched_pairs(&baseline, false);
        let of = |pairs: &[Pair], is_touched: bool| -> Vec<Pair> {
            pairs.iter().filter(|pair| touched.contains(&pair.0) == is_touched).cloned().collect()
        };
        prop_assert_eq!(&of(&pairs, true), &of(&whole, true), "{:#?}", scenario.edits);
        prop_assert_eq!(of(&before, false), of(&whole, false), "{:#?}", scenario.edits);
        let (reached, closed) = city.touched_pairs(&baseline, true);
        let variant = [
            Variant::TwoStep, Variant::ThreeStep, Variant::Modified, Variant::Balanced, Variant::SpatialAvailability,
        ][variant];
        let (was, is, quick) = (access(&before, variant), access(&whole, variant), access(&closed, variant));
        for origin in 0..(city.origins.len() + city.new_origins.len()) as u32 {
            let value = |of: &BTreeMap<u32, f64>| of.get(&origin).copied().unwrap_or(0.0).to_bits();
            if reached.contains(&origin) {
                prop_assert_eq!(value(&quick), value(&is));
            } else {
                prop_assert_eq!(value(&was), value(&is));
            }
        }
    }

    /// The whole run over the edited city is that of the slow twin, which cuts its streets at every home and door.
    #[test]
    fn an_edited_city_is_searched_like_any_other(
        town in random_town(), profile in 0_usize..5, back in any::<bool>(),
        seeds in prop::collection::vec(seed(), 0..7),
    ) {
        let network = Arc::new(town.network(town.edges.len()));
        let scenario = scenario(&town, &network, &town.facilities(), &seeds);
        let edited = streets::overlay(&network, &scenario).unwrap().network();
        let direction = if back { Direction::FromFacility } else { Direction::ToFacility };
        let profile = &defaults::profiles()[profile];
        let walk = Walk::new(&edited, profile, direction);
        let (origins, ledger) = (town.origins(), town.facilities());
        let ids = Ids::UInt((0..origins.len() as u64).collect());
        let found = crate::travel::nearest::nearest(&walk, &ids, &origins, &ledger, 9000, &Progress::default());
        prop_assert_eq!(found.unwrap().times.nearest, oracle::nearest(&walk, &origins, &ledger, 9000).unwrap());
    }

    /// New links and facilities never lengthen a time nor cut anybody off; a link that is added and closed changes nothing, nor
    /// does a street that is closed and opened.
    #[test]
    fn what_is_added_never_lengthens_a_time(
        town in random_town(), profile in 0_usize..5, back in any::<bool>(),
        seeds in prop::collection::vec(seed(), 1..6), way in any::<usize>(),
    ) {
        let network = Arc::new(town.network(town.edges.len()));
        let baseline = ready(&town, &network, profile, back, 6000);
        let ledger = town.facilities();
        let added: Vec<Seed> = seeds.iter().map(|&(kind, a, b, pick, tenths)| ([0, 2, 6][kind % 3], a, b, pick, tenths)).collect();
        let more = scenario(&town, &network, &ledger, &added);
        let city = City::new(&town, &network, &more);
        let before = city.updated_classes(&baseline);
        let after = city.updated(&baseline);
        for (was, is) in before.iter().zip(&after) {
            match (was, is) {
                (Ok(was), Ok(is)) => prop_assert!(is.0 <= was.0),
                (Ok(_), Err(_)) => prop_assert!(false, "a facility was lost"),
                (Err(was), Err(is)) => prop_assert!(is <= was),
                (Err(_), Ok(_)) => {}
            }
        }
        let mut undone: Vec<serde_json::Value> = Vec::new();
        for edit in more.edits.iter().filter(|edit| edit.change.is_of_streets()) {
            undone.push(serde_json::to_value(&edit.change).unwrap());
        }
        let links = undone.len();
        for link in 0..links {
            undone.push(json!({"do": "close_link", "id": undone[link]["id"]}));
        }
        let id = (way % town.edges.len()).to_string();
        undone.push(json!({"do": "close_link", "id": id}));
        undone.push(json!({"do": "open_link", "id": id}));
        let undone = scenario::from_json("town", &json!(undone).to_string()).unwrap();
        let same = City::new(&town, &network, &undone);
        prop_assert_eq!(same.updated(&baseline), same.updated_classes(&baseline));
        let edited = same.overlay.network();
        let walk = Walk::new(&edited, &baseline.profile, baseline.direction);
        prop_assert_eq!(same.whole(&walk, 6000), same.updated_classes(&baseline));
    }
}

/// Origin, id and class of the facility, tenths of a second.
type Pair = (u32, String, String, u32);

/// Access of each origin with one place in each facility and people by the number of the origin; sums in the order of pairs.
fn access(pairs: &[Pair], variant: Variant) -> BTreeMap<u32, f64> {
    let facilities: std::collections::BTreeSet<(&String, &String)> =
        pairs.iter().map(|pair| (&pair.1, &pair.2)).collect();
    let place: BTreeMap<(&String, &String), u32> = facilities.into_iter().zip(0..).collect();
    let mut sorted: Vec<(u32, u32, f64)> =
        pairs.iter().map(|pair| (pair.0, place[&(&pair.1, &pair.2)], f64::from(pair.3) / 600.0)).collect();
    sorted.sort_by_key(|pair| (pair.0, pair.1));
    let costs = Costs {
        origin: sorted.iter().map(|pair| pair.0).collect(),
        facility: sorted.iter().map(|pair| pair.1).collect(),
        minutes: sorted.iter().map(|pair| pair.2).collect(),
    };
    let origins = pairs.iter().map(|pair| pair.0 + 1).max().unwrap_or(0);
    let people: Vec<f64> = (0..origins).map(|origin| f64::from(origin) * 1.7 + 0.3).collect();
    let capacity = vec![1.0; place.len()];
    let catchments = Catchments { costs: &costs, people: &people, capacity: &capacity };
    let decay = Decay::Exponential { per_min: 0.3 };
    (0..).zip(catchments.access(variant, &decay)).collect()
}

fn scenario_of(edits: &[serde_json::Value]) -> Scenario {
    scenario::from_json("town", &json!(edits).to_string()).unwrap()
}

impl City {
    /// All pairs of the edited city, by origin and then id of the facility.
    fn whole_pairs(&self, walk: &Walk<'_>, cutoff_ds: u32) -> Vec<Pair> {
        let quiet = Progress::default();
        let facilities = self.edited_ledger.pick(&self.open());
        let origins = [self.origins.clone(), self.new_origins.clone()].concat();
        let joins = walk.join_both(&origins, &facilities, &quiet).unwrap();
        let mut pairs = Vec::new();
        Pairs::between(walk, &joins, cutoff_ds)
            .find(&quiet, |blocks| {
                for block in blocks {
                    for at in 0..block.len() {
                        let row = block.facility[at] as usize;
                        let (id, class) = (facilities.id.text(row), facilities.class[row].clone());
                        pairs.push((block.origin[at], id, class, block.time_ds[at]));
                    }
                }
                Ok(())
            })
            .unwrap();
        pairs.sort();
        pairs
    }

    /// The touched origins, and their pairs from the baseline.
    fn touched_pairs(&self, baseline: &Baseline, catchments: bool) -> (Vec<u32>, Vec<Pair>) {
        let (closed, opened) = self.changes();
        let edits = self.edits(&closed, &opened);
        let found = touched(baseline, &edits, &Amounts::default(), catchments, &Progress::default()).unwrap();
        let name = |row: u32| match (row as usize).checked_sub(self.ledger.len()) {
            Some(new) => (opened[new].id.clone(), self.class[opened[new].class as usize].clone()),
            None => (self.ledger.id.text(row as usize), self.ledger.class[row as usize].clone()),
        };
        let pair = |(origin, facility, time_ds): (u32, u32, u32)| {
            let (id, class) = name(facility);
            (origin, id, class, time_ds)
        };
        let mut pairs: Vec<Pair> = found.pairs.into_iter().map(pair).collect();
        pairs.sort();
        (found.origins, pairs)
    }

    /// The table of the baseline, with the classes and origins of this city.
    fn updated_classes(&self, baseline: &Baseline) -> Vec<Result<(u32, String), Reason>> {
        let id = |row: u32| self.ledger.id.text(row as usize);
        let table = self.table(baseline).into_values();
        table.map(|nearest| nearest.map(|found| (found.time_ds, id(found.facility())))).collect()
    }

    /// By origin and class of this city, what the baseline knows.
    fn table(&self, baseline: &Baseline) -> BTreeMap<(usize, usize), Nearest> {
        let known = self.ledger.classes().len();
        let mut table = BTreeMap::new();
        for (origin, row) in baseline.nearest.chunks(known).enumerate() {
            let lost = if baseline.is_joined(origin) { Reason::NotConnected } else { Reason::NotSnapped };
            for class in 0..self.class.len() {
                table.insert((origin, class), row.get(class).copied().unwrap_or(Err(lost)));
            }
        }
        table
    }
}
