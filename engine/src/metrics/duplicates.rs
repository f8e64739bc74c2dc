//! Facilities that several sources hold: the same class, near, with names alike; found, and merged where the user asks.

use crate::model::catalogue::Catalogue;
use crate::model::error::Result;
use crate::model::facility::Facilities;
use crate::model::facility_fault::{FacilityFault, Likeness};
use crate::model::name::Name;
use crate::model::problem::Problem;
use crate::model::progress::Progress;
use rayon::prelude::*;
use rstar::RTree;
use rstar::primitives::GeomWithData;
use std::collections::{BTreeSet, HashMap};

/// Farthest that two points of one facility lie apart, metres (own value): about the front of a large building.
pub const POINT_M: f64 = 50.0;

/// The same when a source draws an outline, whose place is somewhere inside.
pub const OUTLINE_M: f64 = 100.0;

/// Least likeness of names (own value): one letter in five may differ.
pub const SIMILARITY: f64 = 0.8;

/// When two rows are taken for one facility.
#[derive(Debug, Clone, Default)]
pub struct Sameness {
    /// Metres of classes that have their own; [`POINT_M`] for others. Outlines: at least [`OUTLINE_M`].
    pub class_m: HashMap<String, f64>,
    /// Whether two rows of one source may be one facility too.
    pub same_source: bool,
}

impl Sameness {
    /// The distances of a catalogue.
    pub fn of(catalogue: &Catalogue) -> Self {
        let own = catalogue.classes.iter().filter_map(|class| Some((class.id.clone(), class.duplicate_m?)));
        Self { class_m: own.collect(), same_source: false }
    }

    fn limit_m(&self, facilities: &Facilities, a: usize, b: usize) -> f64 {
        let of_class = self.class_m.get(&facilities.class[a]).copied().unwrap_or(POINT_M);
        let outline = facilities.entry[a].outline || facilities.entry[b].outline;
        if outline { of_class.max(OUTLINE_M) } else { of_class }
    }
}

/// Two rows that are probably one facility.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// The row of the better source: a table before the map, then the first.
    pub kept: usize,
    /// The other row.
    pub other: usize,
    /// Metres between them.
    pub distance_m: f64,
    /// How alike the names are, 0..1: at least [`SIMILARITY`].
    pub similarity: f64,
}

/// What rows are compared by, made once.
struct Compared<'a> {
    facilities: &'a Facilities,
    sameness: &'a Sameness,
    name: Vec<Option<Name>>,
    /// The source of each row, as a number.
    source: Vec<u32>,
}

impl<'a> Compared<'a> {
    fn new(facilities: &'a Facilities, sameness: &'a Sameness) -> Self {
        let name = facilities.name.iter().map(|name| Name::of(name.as_deref()?)).collect();
        Self { facilities, sameness, name, source: sources(facilities) }
    }

    /// The pair of two rows, when they are probably one facility.
    fn pair(&self, a: usize, b: usize) -> Option<Pair> {
        let facilities = self.facilities;
        if facilities.class[a] != facilities.class[b]
            || self.source[a] == self.source[b] && !self.sameness.same_source
        {
            return None;
        }
        let distance_m = facilities.place[a].distance_m(facilities.place[b]);
        if distance_m > self.sameness.limit_m(facilities, a, b) {
            return None;
        }
        let similarity = self.name[a].as_ref()?.similarity(self.name[b].as_ref()?);
        let (kept, other) = if rank(facilities, a) < rank(facilities, b) { (a, b) } else { (b, a) };
        (similarity >= SIMILARITY).then_some(Pair { kept, other, distance_m, similarity })
    }
}

/// The source of each row: its file, and what the row itself says of its source.
fn sources(facilities: &Facilities) -> Vec<u32> {
    let mut numbers: HashMap<(&str, Option<&str>), u32> = HashMap::new();
    let of_row = |row: usize| {
        let source = (&*facilities.file[row], facilities.entry[row].source.as_deref());
        let next = numbers.len() as u32;
        *numbers.entry(source).or_insert(next)
    };
    (0..facilities.len()).map(of_row).collect()
}

/// Which of two rows is the better: the user's table knows more of a facility than the map.
fn rank(facilities: &Facilities, row: usize) -> (bool, usize) {
    (facilities.row[row].is_none(), row)
}

type At = GeomWithData<[f64; 3], usize>;

/// Pairs of rows that are probably one facility, by row. Rows without a name have no pair.
///
/// # Errors
/// [`crate::model::error::Error::Cancelled`] when the user stopped.
pub fn find(facilities: &Facilities, sameness: &Sameness, progress: &Progress) -> Result<Vec<Pair>> {
    progress.begin("finding duplicates", facilities.len())?;
    let compared = Compared::new(facilities, sameness);
    let named: Vec<usize> = (0..facilities.len()).filter(|&row| compared.name[row].is_some()).collect();
    let mut of_class: HashMap<&str, Vec<At>> = HashMap::new();
    for &row in &named {
        let at = At::new(facilities.place[row].ecef_m(), row);
        of_class.entry(&facilities.class[row]).or_default().push(at);
    }
    let trees: HashMap<&str, RTree<At>> =
        of_class.into_iter().map(|(class, places)| (class, RTree::bulk_load(places))).collect();
    let pairs: Vec<Vec<Pair>> = named
        .par_chunks(256)
        .map(|rows| {
            let mut pairs = Vec::new();
            for &row in rows {
                let class = facilities.class[row].as_str();
                let farthest_m = sameness.class_m.get(class).copied().unwrap_or(POINT_M).max(OUTLINE_M);
                let near =
                    trees[class].locate_within_distance(facilities.place[row].ecef_m(), reach_2(farthest_m));
                let mut later: Vec<usize> = near.map(|at| at.data).filter(|&other| other > row).collect();
                later.sort_unstable();
                pairs.extend(later.into_iter().filter_map(|other| compared.pair(row, other)));
            }
            progress.step(rows.len())?;
            Ok(pairs)
        })
        .collect::<Result<_>>()?;
    Ok(pairs.concat())
}

/// The square of a chord in which every place within so many metres lies, whatever is rounded on the way.
fn reach_2(metres: f64) -> f64 {
    (metres * 1.001 + 0.001).powi(2)
}

/// Facilities of which each stands for one or several rows, and where the others went.
#[derive(Debug, Clone)]
pub struct MergedFacilities {
    /// The rows that are left, in their order, with the gaps in what they say filled.
    pub facilities: Facilities,
    /// The rows that were merged into another, by row; what they were merged into; and how like they are.
    pub merged: Vec<Pair>,
}

/// Merge pairs, the most alike first, then the nearest. No two rows of one source become one, unless the pair itself is of
/// one source. The row of the best source is kept, with its place, doors and class; what it does not say is taken from
/// the others, in the order of their sources.
pub fn merge(facilities: &Facilities, pairs: &[Pair]) -> MergedFacilities {
    let source = sources(facilities);
    let mut order: Vec<&Pair> = pairs.iter().collect();
    order.sort_by(|a, b| {
        let likeness = b.similarity.total_cmp(&a.similarity).then(a.distance_m.total_cmp(&b.distance_m));
        likeness.then((a.kept, a.other).cmp(&(b.kept, b.other)))
    });
    let mut group: Vec<usize> = (0..facilities.len()).collect();
    let mut members: Vec<Vec<usize>> = (0..facilities.len()).map(|row| vec![row]).collect();
    for pair in order {
        let (into, from) = (group[pair.kept], group[pair.other]);
        let held: BTreeSet<u32> = members[into].iter().map(|&row| source[row]).collect();
        let of_one_source = source[pair.kept] == source[pair.other];
        if into == from || !of_one_source && members[from].iter().any(|&row| held.contains(&source[row])) {
            continue;
        }
        let moved = std::mem::take(&mut members[from]);
        for &row in &moved {
            group[row] = into;
        }
        members[into].extend(moved);
    }
    let mut filled = facilities.clone();
    let (mut kept, mut merged) = (Vec::new(), Vec::new());
    for mut rows in members.into_iter().filter(|rows| !rows.is_empty()) {
        rows.sort_by_key(|&row| rank(facilities, row));
        kept.push(rows[0]);
        for &other in &rows[1..] {
            absorb(&mut filled, rows[0], other);
            merged.push(likeness(facilities, rows[0], other));
        }
    }
    kept.sort_unstable();
    merged.sort_by_key(|pair| pair.other);
    MergedFacilities { facilities: filled.pick(&kept), merged }
}

fn absorb(facilities: &mut Facilities, kept: usize, other: usize) {
    let from = facilities.entry[other].clone();
    let whence = format!("{} {}", facilities.file[other], facilities.id.text(other));
    facilities.level[kept] = facilities.level[kept].or(facilities.level[other]);
    let entry = &mut facilities.entry[kept];
    entry.fill_from(&from);
    let all = [entry.merged_from.take(), Some(whence), from.merged_from];
    entry.merged_from = Some(all.into_iter().flatten().collect::<Vec<_>>().join("; "));
}

fn likeness(facilities: &Facilities, kept: usize, other: usize) -> Pair {
    let name = |row: usize| Name::of(facilities.name[row].as_deref()?);
    let similarity = name(kept).zip(name(other)).map_or(0.0, |(a, b)| a.similarity(&b));
    let distance_m = facilities.place[kept].distance_m(facilities.place[other]);
    Pair { kept, other, distance_m, similarity }
}

impl Pair {
    /// The pair as a finding about its other row.
    pub fn problem(&self, facilities: &Facilities, merged: bool) -> Problem {
        let row = facilities.row[self.kept].map(|row| format!(", row {row}")).unwrap_or_default();
        let name = facilities.name[self.kept].as_deref().unwrap_or_default();
        let other =
            format!("{}{row}, id {}, {name}", facilities.file[self.kept], facilities.id.text(self.kept));
        let like = Likeness { other, distance_m: self.distance_m, similarity: self.similarity };
        let fault = if merged { FacilityFault::Merged(like) } else { FacilityFault::PossibleDuplicate(like) };
        let mut problem = facilities.problem(self.other, fault.into());
        problem.value.clone_from(&facilities.name[self.other]);
        problem
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ids::Ids;
    use crate::model::place::Place;
    use proptest::prelude::*;

    const NAMES: [Option<&str>; 6] = [
        Some("永辉超市"),
        Some("永辉超市(南坪店)"),
        Some("红旗超市"),
        Some("第一小学"),
        Some("第二小学"),
        None,
    ];

    /// Rows of class, metres east and north, name, source and whether an outline.
    fn town(rows: &[(u8, f64, f64, usize, usize, bool)]) -> Facilities {
        // A metre of latitude; of longitude at 29.56° (WGS-84, to the millimetre over the town).
        let place =
            |east: f64, north: f64| Place::new(106.55 + east / 96_870.0, 29.56 + north / 110_850.0).unwrap();
        let mut town = Facilities::new(
            "a.csv",
            Ids::Int((0..rows.len() as i64).collect()),
            rows.iter().map(|row| format!("class {}", row.0)).collect(),
            rows.iter().map(|row| place(row.1, row.2)).collect(),
        );
        for (row, &(.., name, source, outline)) in rows.iter().enumerate() {
            town.name[row] = NAMES[name].map(str::to_owned);
            town.file[row] = ["a.csv", "b.csv", "map.pbf"][source].into();
            town.row[row] = (source < 2).then_some(row as u64 + 1);
            town.entry[row].outline = outline;
        }
        town
    }

    fn by_definition(facilities: &Facilities, sameness: &Sameness) -> Vec<Pair> {
        let compared = Compared::new(facilities, sameness);
        let rows = 0..facilities.len();
        rows.clone()
            .flat_map(|a| rows.clone().skip(a + 1).filter_map(|b| compared.pair(a, b)).collect::<Vec<_>>())
            .collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        /// The index finds what comparing every row with every other finds, and merging loses no row.
        #[test]
        fn the_index_equals_its_slow_twin(
            rows in prop::collection::vec(
                (0_u8..3, 0.0..400.0, 0.0..400.0, 0_usize..6, 0_usize..3, any::<bool>()), 0..60),
            same_source in any::<bool>(), park_m in 10.0..300.0,
        ) {
            let town = town(&rows);
            let sameness = Sameness { class_m: [("class 2".to_owned(), park_m)].into(), same_source };
            let pairs = find(&town, &sameness, &Progress::default()).unwrap();
            prop_assert_eq!(&pairs, &by_definition(&town, &sameness));
            let merged = merge(&town, &pairs);
            prop_assert_eq!(merged.facilities.len() + merged.merged.len(), town.len());
            let kept: BTreeSet<String> = (0..merged.facilities.len()).map(|row| merged.facilities.id.text(row)).collect();
            for pair in &merged.merged {
                prop_assert!(kept.contains(&pair.kept.to_string()) && !kept.contains(&pair.other.to_string()));
                prop_assert!(rank(&town, pair.kept) < rank(&town, pair.other));
                prop_assert_eq!(&town.class[pair.kept], &town.class[pair.other]);
            }
            if !same_source {
                let sources = sources(&town);
                let mut held: BTreeSet<(usize, u32)> = (0..town.len()).map(|row| (row, sources[row])).collect();
                for pair in &merged.merged {
                    prop_assert!(held.insert((pair.kept, sources[pair.other])), "two rows of one source became one");
                }
            }
        }
    }

    #[test]
    fn only_near_rows_of_one_class_and_two_sources_with_names_alike_are_one() {
        let sameness = Sameness { class_m: [("class 2".to_owned(), 200.0)].into(), same_source: false };
        let pairs = |other: (u8, f64, f64, usize, usize, bool)| {
            let class = other.0;
            let town = town(&[(class.min(2), 0.0, 0.0, 1, 0, false), other]);
            find(&town, &sameness, &Progress::default()).unwrap().len()
        };
        assert_eq!(pairs((0, 30.0, 39.0, 0, 2, false)), 1, "49 m");
        assert_eq!(pairs((0, 30.0, 41.0, 0, 2, false)), 0, "51 m");
        assert_eq!(pairs((0, 60.0, 79.0, 0, 2, true)), 1, "an outline, 99 m");
        assert_eq!(pairs((0, 60.0, 81.0, 0, 2, true)), 0, "an outline, 101 m");
        assert_eq!(pairs((2, 0.0, 199.0, 0, 2, false)), 1, "a class of its own distance");
        assert_eq!(pairs((0, 1.0, 0.0, 0, 0, false)), 0, "one source");
        assert_eq!(pairs((0, 1.0, 0.0, 2, 1, false)), 0, "another name");
        assert_eq!(pairs((0, 1.0, 0.0, 5, 1, false)), 0, "no name");
        let two_classes = town(&[(0, 0.0, 0.0, 0, 0, false), (1, 0.0, 0.0, 0, 1, false)]);
        assert!(find(&two_classes, &sameness, &Progress::default()).unwrap().is_empty());
    }

    #[test]
    fn the_better_source_is_kept_and_its_gaps_are_filled() {
        // The map comes first in the rows, yet the table is kept; of two branches of the map the nearer is merged.
        let mut town = town(&[
            (0, 0.0, 20.0, 0, 2, false),
            (0, 0.0, 10.0, 0, 2, true),
            (0, 0.0, 0.0, 0, 0, false),
            (0, 0.0, 5.0, 0, 1, false),
        ]);
        town.entry[1].operator = Some("map".to_owned());
        town.entry[3].operator = Some("second table".to_owned());
        town.entry[1].capacity[1] = Some(12.0);
        let pairs = find(&town, &Sameness::default(), &Progress::default()).unwrap();
        let MergedFacilities { facilities, merged } = merge(&town, &pairs);
        assert_eq!((facilities.id, merged.len()), (Ids::Int(vec![0, 2]), 2));
        let entry = &facilities.entry[1];
        assert_eq!(entry.operator.as_deref(), Some("second table"));
        assert_eq!(entry.capacity[1], Some(12.0));
        assert_eq!(entry.merged_from.as_deref(), Some("b.csv 3; map.pbf 1"));
        let text = merged[0].problem(&town, true).message().en;
        assert!(
            text.starts_with("map.pbf, id 1") && text.contains("merged into a.csv, row 3, id 2"),
            "{text}"
        );
    }
}
