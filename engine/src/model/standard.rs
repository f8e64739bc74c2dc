//! A planning standard as data: categories, items and points, each point one rule.

use super::study::minutes_to_ds;
use super::times::Deciseconds;
use std::collections::BTreeSet;

/// A standard that was checked: every rule has what it needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Standard {
    /// Id.
    pub id: String,
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// What may be said of it: official or not, whose weights.
    pub status: String,
    /// The same in Chinese; in English where the standard does not say.
    pub status_zh: String,
    /// SHA-256 of its text, in hexadecimal.
    pub sha256: String,
    /// What a community that has everything is given.
    pub total_points: f64,
    /// How points become items and items the total.
    pub scoring: Scoring,
    /// Minutes of `within = "reach"` where a rule does not say.
    pub reach_min: f64,
    /// Grades from the highest.
    pub grades: Vec<Grade>,
    /// Categories in their order.
    pub categories: Vec<Heading>,
    /// Items in their order.
    pub items: Vec<Item>,
}

/// How points add up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scoring {
    /// Every item is worth the same; its score is the mean of its points by weight.
    WeightedMean {
        /// What an item is worth.
        item_points: f64,
    },
    /// Every point is worth its weight.
    SumOfPoints,
}

/// A grade and the least score that earns it.
#[derive(Debug, Clone, PartialEq)]
pub struct Grade {
    /// Id.
    pub id: String,
    /// Chinese name.
    pub name_zh: String,
    /// The least score.
    pub min_score: f64,
}

/// A category.
#[derive(Debug, Clone, PartialEq)]
pub struct Heading {
    /// Id.
    pub id: String,
    /// Chinese name.
    pub name_zh: String,
    /// English name; the Chinese one where the standard has none.
    pub name_en: String,
}

/// An item: what a community should have, tested by points.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Id and names.
    pub heading: Heading,
    /// Position of its category.
    pub category: usize,
    /// Its points, at least one.
    pub points: Vec<Point>,
}

/// One test.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Id.
    pub id: String,
    /// What it is worth beside the others of its item, the multiplier of wishes included.
    pub weight: f64,
    /// Whether it must pass for the item to pass; else it is a wish.
    pub must: bool,
    /// Which communities it is for.
    pub applies: Applies,
    /// Planning level, where the standard says one.
    pub level: Option<String>,
    /// Where it comes from, as the standard marks it.
    pub source: String,
    /// The test.
    pub rule: Rule,
}

/// Which communities a point is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applies {
    /// Every one.
    All,
    /// New ones: 新建.
    New,
    /// Existing ones: 既有.
    Existing,
}

/// Where facilities count.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Within {
    /// In the outline of the community.
    Boundary,
    /// In reach of somebody who lives there, within so many minutes.
    Reach {
        /// The minutes.
        minutes: f64,
    },
}

/// A straight line between a value that scores 0 and one that scores 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ramp {
    /// At and below this 0.
    pub zero_at: f64,
    /// At and above this 1.
    pub full_at: f64,
}

/// How areas of several facilities count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Together {
    /// The largest one.
    Max,
    /// All of them.
    Sum,
}

/// What a surveyor answers.
#[derive(Debug, Clone, PartialEq)]
pub enum Scale {
    /// Yes or no.
    Bool,
    /// A share, 0..1.
    Share,
    /// Which entries of a list are there.
    Checklist(Vec<String>),
}

/// The tests. `classes` are facility classes, of which any counts.
#[derive(Debug, Clone, PartialEq)]
pub enum Rule {
    /// So many facilities: their number over `min`.
    Presence {
        /// Facility classes.
        classes: Vec<String>,
        /// How many.
        min: u32,
        /// Where they count.
        within: Within,
        /// Smaller ones do not count.
        min_floor_area_m2: Option<f64>,
    },
    /// So many kinds of facilities: the share that is there over `min_share`.
    Variety {
        /// Classes, or values of the column `subtype`.
        kinds: Vec<String>,
        /// The share that is full.
        min_share: f64,
        /// Where they count.
        within: Within,
    },
    /// Facilities, or what they hold, for so many people: the ratio over `target`.
    Per {
        /// Facility classes.
        classes: Vec<String>,
        /// The column that is added up; facilities are counted without one.
        attribute: Option<String>,
        /// `all`, a population group, or an amount such as `households`.
        base: String,
        /// For so many of the base.
        per: f64,
        /// How much.
        target: f64,
    },
    /// The share of a group that reaches any of the classes.
    CoverageShare {
        /// Facility classes.
        classes: Vec<String>,
        /// The group.
        group: String,
        /// Who walks; none for whom the user says.
        profile: Option<String>,
        /// Within so many minutes.
        minutes: f64,
        /// The score of a share.
        ramp: Ramp,
    },
    /// Floor or land area of facilities.
    Area {
        /// Facility classes.
        classes: Vec<String>,
        /// The column: `floor_area_m2` or `land_area_m2`.
        attribute: String,
        /// Of one or of all.
        together: Together,
        /// The score of an area.
        ramp: Ramp,
    },
    /// Any column of facilities: the best is enough or not.
    Attribute {
        /// Facility classes.
        classes: Vec<String>,
        /// The column.
        attribute: String,
        /// What is enough.
        min: f64,
    },
    /// An amount over another.
    Ratio {
        /// Name of the one.
        num: String,
        /// Name of the other.
        den: String,
        /// The score of the ratio.
        ramp: Ramp,
    },
    /// What a surveyor saw.
    Manual {
        /// What to look at.
        ask: String,
        /// How it is answered.
        scale: Scale,
    },
    /// The share of residents who are content.
    Survey {
        /// What is asked.
        ask: String,
        /// The score of the share.
        ramp: Ramp,
    },
    /// The best of several.
    AnyOf(Vec<Rule>),
    /// The worst of several.
    AllOf(Vec<Rule>),
}

impl Ramp {
    /// The score of a value.
    pub fn score(self, value: f64) -> f64 {
        if value >= self.full_at {
            1.0
        } else {
            ((value - self.zero_at) / (self.full_at - self.zero_at)).max(0.0)
        }
    }
}

/// A number of 0 or more.
pub fn amount(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0)
}

impl Scale {
    /// The share of what is asked that an answer says is there; none where it is no answer.
    pub fn share_of(&self, answer: &str) -> Option<f64> {
        let answer = answer.trim();
        let share = match answer.strip_suffix(['%', '％']) {
            Some(percent) => amount(percent).map(|percent| percent / 100.0),
            None => amount(answer),
        };
        let found = match self {
            Self::Bool => match answer.to_lowercase().as_str() {
                "1" | "1.0" | "true" | "yes" | "是" | "有" | "已完成" => Some(1.0),
                "0" | "0.0" | "false" | "no" | "否" | "无" | "未完成" => Some(0.0),
                _ => None,
            },
            Self::Share => share,
            Self::Checklist(entries) => share.or_else(|| {
                let named = answer.split([';', '；', '、', ',', '，']).map(str::trim);
                let named: Vec<&str> = named.filter(|name| !name.is_empty()).collect();
                let known = named.iter().all(|name| entries.iter().any(|entry| entry == name));
                let here = entries.iter().filter(|entry| named.contains(&entry.as_str())).count();
                known.then(|| here as f64 / entries.len() as f64)
            }),
        };
        found.filter(|share| (0.0..=1.0).contains(share))
    }

    /// What an answer must be.
    pub fn expected(&self) -> String {
        match self {
            Self::Bool => "yes or no, 是 or 否".to_owned(),
            Self::Share => "a share: 0..1, or per cent as 85%".to_owned(),
            Self::Checklist(entries) => {
                format!("those of its entries that are there ({}), or a share", entries.join("、"))
            }
        }
    }
}

impl Rule {
    /// Its name in files.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Presence { .. } => "presence",
            Self::Variety { .. } => "variety",
            Self::Per { attribute: None, .. } => "count_per",
            Self::Per { attribute: Some(attribute), .. } if attribute.ends_with("_m2") => "area_per",
            Self::Per { .. } => "capacity_per",
            Self::CoverageShare { .. } => "coverage_share",
            Self::Area { attribute, .. } if attribute.starts_with("land") => "land_area",
            Self::Area { .. } => "floor_area",
            Self::Attribute { .. } => "attribute",
            Self::Ratio { .. } => "ratio",
            Self::Manual { .. } => "manual",
            Self::Survey { .. } => "survey",
            Self::AnyOf(_) => "any_of",
            Self::AllOf(_) => "all_of",
        }
    }

    /// The rule, or those that it is made of, with what each adds to the key of its answer.
    pub fn leaves(&self, key: &str) -> Vec<(String, &Self)> {
        match self {
            Self::AnyOf(rules) | Self::AllOf(rules) => (1..)
                .zip(rules)
                .flat_map(|(number, rule): (usize, _)| rule.leaves(&format!("{key}.{number}")))
                .collect(),
            _ => vec![(key.to_owned(), self)],
        }
    }

    /// Facility classes that it looks at.
    pub fn classes(&self) -> &[String] {
        match self {
            Self::Presence { classes, .. }
            | Self::Per { classes, .. }
            | Self::CoverageShare { classes, .. }
            | Self::Area { classes, .. }
            | Self::Attribute { classes, .. } => classes,
            _ => &[],
        }
    }

    /// Columns of facilities that it looks at.
    fn attributes(&self) -> Option<&str> {
        match self {
            Self::Per { attribute, .. } => attribute.as_deref(),
            Self::Area { attribute, .. } | Self::Attribute { attribute, .. } => Some(attribute),
            Self::Presence { min_floor_area_m2: Some(_), .. } => Some("floor_area_m2"),
            _ => None,
        }
    }
}

impl Standard {
    /// All points, item by item.
    pub fn points(&self) -> impl Iterator<Item = (&Item, &Point)> {
        self.items.iter().flat_map(|item| item.points.iter().map(move |point| (item, point)))
    }

    /// All rules that are not made of others, with the key of the answer that a manual one or a survey waits for.
    pub fn leaves(&self) -> impl Iterator<Item = (String, &Rule)> {
        self.points().flat_map(|(_, point)| point.rule.leaves(&point.id))
    }

    /// Columns of facilities that any rule looks at.
    pub fn attributes(&self) -> BTreeSet<String> {
        self.leaves().filter_map(|(_, rule)| rule.attributes().map(str::to_owned)).collect()
    }

    /// Classes that are covered together, and the minutes: coverage by each of them alone does not tell how many any of them covers.
    pub fn unions(&self) -> BTreeSet<Vec<String>> {
        let together = |rule: &Rule| match rule {
            Rule::CoverageShare { classes, .. } if classes.len() > 1 => Some(classes.clone()),
            _ => None,
        };
        self.leaves().filter_map(|(_, rule)| together(rule)).collect()
    }
}

/// A combination of coverage that a standard asks for: class, group, profile and tenths of a second.
pub type Asked = (String, String, String, Deciseconds);

impl Standard {
    /// What it asks coverage for, several classes also each by itself; `profile` walks where a rule does not say who.
    pub fn asked(&self, profile: &str) -> BTreeSet<Asked> {
        let mut asked = BTreeSet::new();
        for (_, rule) in self.leaves() {
            let Rule::CoverageShare { classes, group, profile: own, minutes, .. } = rule else { continue };
            let profile = own.clone().unwrap_or_else(|| profile.to_owned());
            let Some(limit_ds) = minutes_to_ds(*minutes) else { continue };
            for class in classes.iter().cloned().chain([union_name(classes)]) {
                asked.insert((class, group.clone(), profile.clone(), limit_ds));
            }
        }
        asked
    }
}

/// The name in coverage tables of several classes of which any counts.
pub fn union_name(classes: &[String]) -> String {
    classes.join("|")
}
