//! Scores of communities: what they are made from, and what they are.

use super::area::Areas;
use super::catalogue::Catalogue;
use super::coverage::{Coverage, Fate};
use super::facility::Facilities;
use super::ledger::Day;
use super::problem::Bilingual;
use super::standard::{Applies, Asked, Standard};
use super::study::minutes_to_ds;
use super::times::Deciseconds;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Everything that a standard looks at.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The communities.
    pub areas: Areas,
    /// Facilities that people can go to.
    pub facilities: Facilities,
    /// Columns of facilities, by name; a column that is not there says nothing.
    pub attributes: BTreeMap<String, Vec<Option<f64>>>,
    /// A finer kind of each facility.
    pub subtype: Vec<Option<String>>,
    /// Classes and kinds that the table knows: where they are not, there is none. Of others nothing is known.
    pub known: HashSet<String>,
    /// Who reaches what.
    pub covered: Covered,
    /// What people in place answered, by community and key, with the amounts of communities.
    pub answers: Vec<HashMap<String, Answer>>,
    /// Who walks where a rule does not say.
    pub profile: String,
    /// What communities are that do not say whether they are new.
    pub applies: Applies,
    /// Names of classes and groups.
    pub catalogue: Catalogue,
}

/// Key of the answer that says whether a community is new.
pub const KIND_KEY: &str = "built";

/// Of a community: people of a group, and those of them who are covered.
pub type PeopleCovered = (f64, f64);

/// Coverage, as far as a standard asks for it.
#[derive(Debug, Clone, Default)]
pub struct Covered {
    /// By class, group, profile and minutes: of each community.
    pub of: HashMap<(String, String, String, Deciseconds), Vec<Option<PeopleCovered>>>,
    /// People of each community by group.
    pub people: HashMap<String, Vec<Option<f64>>>,
}

impl Covered {
    /// Take over what is asked for from coverage of one profile, whose areas are the communities.
    pub fn add(&mut self, coverage: &Coverage, asked: &BTreeSet<Asked>) {
        let areas = coverage.area_id.len();
        for (group, name) in coverage.group.iter().enumerate() {
            let people = (0..areas).map(|area| Some(coverage.people[area * coverage.group.len() + group]));
            self.people.insert(name.clone(), people.collect());
        }
        for row in 0..coverage.rows_per_area() {
            let limit_ds = minutes_to_ds(coverage.minutes[coverage.limit(row)]).unwrap_or_default();
            let (class, group) = (&coverage.class[coverage.class(row)], &coverage.group[coverage.group(row)]);
            let key = (class.clone(), group.clone(), coverage.profile.clone(), limit_ds);
            if asked.contains(&key) {
                let of_area = |area: usize| {
                    let row = area * coverage.rows_per_area() + row;
                    Some((coverage.people(row), coverage.of[Fate::Covered as usize][row]))
                };
                self.of.insert(key, (0..areas).map(of_area).collect());
            }
        }
    }
}

/// What somebody answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The answer, as it was written.
    pub value: String,
    /// Where it is from.
    pub source: Option<String>,
    /// When it was so.
    pub date: Option<Day>,
}

/// What became of a point or an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// All that is asked for.
    Pass,
    /// Some of it.
    Partial,
    /// None of it.
    Fail,
    /// What is known does not decide it.
    Unknown,
    /// Not for communities of this kind.
    NotApplicable,
}

impl Status {
    /// All, in the order of their numbers.
    pub const ALL: [Self; 5] = [Self::Pass, Self::Partial, Self::Fail, Self::Unknown, Self::NotApplicable];

    /// The name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Partial => "partial",
            Self::Fail => "fail",
            Self::Unknown => "unknown",
            Self::NotApplicable => "not_applicable",
        }
    }
}

/// A score between 0 and 1, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// At least.
    pub low: f64,
    /// At most.
    pub high: f64,
}

impl Score {
    /// Nothing is known.
    pub const UNKNOWN: Self = Self { low: 0.0, high: 1.0 };

    /// A score that is known.
    pub const fn known(score: f64) -> Self {
        Self { low: score, high: score }
    }

    /// What it amounts to.
    pub fn status(self) -> Status {
        if self.low >= 1.0 {
            Status::Pass
        } else if self.high <= 0.0 {
            Status::Fail
        } else if self.low < self.high {
            Status::Unknown
        } else {
            Status::Partial
        }
    }
}

/// In what a gap is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unit {
    /// Facilities.
    Facilities,
    /// Kinds of facilities.
    Kinds,
    /// Square metres.
    SquareMetres,
    /// People who are to be covered.
    People,
    /// Entries of a list.
    Entries,
    /// Hundredths of a share.
    Percent,
    /// A column or an amount that the standard names.
    Named(String),
}

impl Unit {
    /// The name in tables.
    pub fn name(&self) -> &str {
        match self {
            Self::Facilities => "facilities",
            Self::Kinds => "kinds",
            Self::SquareMetres => "m2",
            Self::People => "people",
            Self::Entries => "entries",
            Self::Percent => "percent",
            Self::Named(name) => name,
        }
    }

    /// Whether it is counted in whole numbers.
    pub fn is_whole(&self) -> bool {
        match self {
            Self::Facilities | Self::Kinds | Self::People | Self::Entries => true,
            Self::Named(name) => matches!(name.as_str(), "places" | "beds"),
            Self::SquareMetres | Self::Percent => false,
        }
    }

    /// The name for Chinese readers.
    pub fn name_zh(&self) -> &str {
        match self {
            Self::Facilities => "处设施",
            Self::Kinds => "类设施",
            Self::SquareMetres => "平方米",
            Self::People => "人",
            Self::Entries => "项",
            Self::Percent => "个百分点",
            Self::Named(name) => name,
        }
    }
}

/// The least that would make a point pass, as far as is known.
#[derive(Debug, Clone, PartialEq)]
pub struct Gap {
    /// How much.
    pub amount: f64,
    /// Of what.
    pub unit: Unit,
}

/// What a rule found.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Whether there is anybody or anything that it could ask for.
    pub applies: bool,
    /// The score.
    pub score: Score,
    /// What was measured; none where it is not known.
    pub value: Option<f64>,
    /// On what it stands.
    pub evidence: Bilingual,
    /// The facilities that count: rows of [`Facts::facilities`].
    pub facilities: Vec<u32>,
    /// What is missing.
    pub gap: Option<Gap>,
}

/// A point of a community.
#[derive(Debug, Clone, PartialEq)]
pub struct PointScore {
    /// Row of the community.
    pub area: u32,
    /// Position of the item.
    pub item: u32,
    /// Position of the point in the item.
    pub point: u32,
    /// What became of it.
    pub status: Status,
    /// What it is worth of the total: 0 where it does not apply.
    pub weight: f64,
    /// What the rule found.
    pub outcome: Outcome,
}

/// An item of a community.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemScore {
    /// Row of the community.
    pub area: u32,
    /// Position of the item.
    pub item: u32,
    /// Whether all that it must have is there.
    pub status: Status,
    /// What it is worth of the total, and what it has of that at least and at most.
    pub weight: f64,
    /// At least.
    pub low: f64,
    /// At most.
    pub high: f64,
}

/// The total of a community.
#[derive(Debug, Clone, PartialEq)]
pub struct Total {
    /// Row of the community.
    pub area: u32,
    /// With nothing for what is unknown.
    pub low: f64,
    /// With everything for what is unknown.
    pub high: f64,
    /// From what is known alone, as a share of the total; none where nothing is.
    pub observed: Option<f64>,
    /// Weight of the points that are known.
    pub known_weight: f64,
    /// The category that loses most of what is known; none where nothing is lost.
    pub weakest: Option<usize>,
    /// Grades of both ends: positions in the standard's.
    pub grade_low: Option<usize>,
    /// The higher one.
    pub grade_high: Option<usize>,
}

/// The scorecard of all communities.
#[derive(Debug, Clone)]
pub struct Scorecard {
    /// By what they were scored.
    pub standard: Standard,
    /// Community by community, point by point.
    pub points: Vec<PointScore>,
    /// Community by community, item by item.
    pub items: Vec<ItemScore>,
    /// One for each community.
    pub totals: Vec<Total>,
}
