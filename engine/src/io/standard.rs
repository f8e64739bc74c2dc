//! Standards from TOML: every fault with its line.
//!
//! The grammar is told in `docs/standards.md`; the ministry's own list is `datasets/standards/mohurd_2020.toml`.

use super::settings::{self, line_of};
use super::{defaults, files, hash};
use crate::model::error::{Error, Result};
use crate::model::limits::Amount;
use crate::model::problem::{Fault, Problem};
use crate::model::standard::{
    Applies, Grade, Heading, Item, Point, Ramp, Rule, Scale, Scoring, Standard, Together, Within,
};
use serde::Deserialize;
use std::collections::HashSet;
use std::path::Path;
use toml::Spanned;

/// The version of the grammar.
const SCHEMA: &str = "scoring-standard/1";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    schema: String,
    standard: About,
    #[serde(default)]
    unit: Unit,
    scoring: RawScoring,
    #[serde(default)]
    grade: Vec<RawGrade>,
    category: Vec<Spanned<RawHeading>>,
    item: Vec<Spanned<RawItem>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct About {
    id: String,
    name_zh: String,
    name_en: Option<String>,
    #[serde(default)]
    status: String,
    status_zh: Option<String>,
    total_points: f64,
    categories: Option<usize>,
    items: Option<usize>,
    points: Option<usize>,
    facility_catalogue: Option<String>,
    #[serde(rename = "official")]
    _official: Option<bool>,
    #[serde(rename = "document")]
    _document: Option<String>,
    #[serde(rename = "issuer")]
    _issuer: Option<String>,
    #[serde(rename = "issued")]
    _issued: Option<String>,
}

/// Texts about the unit are for readers of the file, but for the minutes.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Unit {
    default_reach_minutes: Option<f64>,
    #[serde(rename = "name_zh")]
    _name_zh: Option<String>,
    #[serde(rename = "name_en")]
    _name_en: Option<String>,
    #[serde(rename = "population")]
    _population: Option<Vec<f64>>,
    #[serde(rename = "population_source")]
    _population_source: Option<String>,
    #[serde(rename = "walk_minutes")]
    _walk_minutes: Option<Vec<f64>>,
    #[serde(rename = "walk_source")]
    _walk_source: Option<String>,
    #[serde(rename = "level_frame")]
    _level_frame: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawScoring {
    item_rule: String,
    item_points: Option<f64>,
    should_weight: Option<f64>,
    unknown: Option<String>,
    item_pass_at: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawGrade {
    id: String,
    name_zh: String,
    #[serde(rename = "name_en")]
    _name_en: Option<String>,
    min_score: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawHeading {
    id: String,
    #[serde(rename = "no")]
    _no: Option<u32>,
    name_zh: String,
    name_en: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawItem {
    id: String,
    #[serde(rename = "no")]
    _no: Option<u32>,
    category: String,
    name_zh: String,
    name_en: Option<String>,
    #[serde(rename = "source")]
    _source: Option<String>,
    points: Vec<Spanned<RawPoint>>,
}

/// All keys that any rule has; which of them a kind needs is looked at afterwards, so that faults have lines.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPoint {
    kind: String,
    id: Option<String>,
    level: Option<String>,
    applies: Option<String>,
    need: Option<String>,
    weight: Option<f64>,
    source: Option<String>,
    class: Option<String>,
    classes: Option<Vec<String>>,
    subtypes: Option<Vec<String>>,
    min: Option<f64>,
    within: Option<String>,
    minutes: Option<f64>,
    min_floor_area_m2: Option<f64>,
    min_share: Option<f64>,
    base: Option<String>,
    per: Option<f64>,
    target: Option<f64>,
    attr: Option<String>,
    group: Option<String>,
    profile: Option<String>,
    zero_at: Option<f64>,
    full_at: Option<f64>,
    min_m2: Option<f64>,
    agg: Option<String>,
    num: Option<String>,
    den: Option<String>,
    ask: Option<String>,
    scale: Option<String>,
    checklist: Option<Vec<String>>,
    #[serde(default)]
    rules: Vec<Spanned<RawPoint>>,
}

/// A standard by the name of one that comes with the project, or from a file.
///
/// # Errors
/// Every fault that was found, with its line.
pub fn read(name_or_path: &str) -> Result<Standard> {
    if let Some((name, text)) = defaults::STANDARDS.into_iter().find(|(name, _)| *name == name_or_path) {
        return parse(&format!("{name}.toml"), text);
    }
    let path = Path::new(name_or_path);
    if !path.is_file() {
        let known = defaults::STANDARDS.map(|(name, _)| name.to_owned()).to_vec();
        let fault = if path.extension().is_some() { Fault::NotFound } else { Fault::UnknownName { known } };
        return Err(Problem::of_file(name_or_path, fault).into());
    }
    parse(&files::file_name(path), &files::read_text(path, Amount::SettingsBytes)?)
}

/// The standard of a text.
///
/// # Errors
/// Every fault that was found, with its line.
pub fn parse(name: &str, text: &str) -> Result<Standard> {
    let file: File = settings::parse(name, text).map_err(|fault| *fault)?;
    let mut reader = Reader { name, text, problems: Vec::new(), known: None };
    let standard = reader.standard(file);
    if reader.problems.is_empty() { Ok(standard) } else { Err(Error::Input(reader.problems)) }
}

struct Reader<'a> {
    name: &'a str,
    text: &'a str,
    problems: Vec<Problem>,
    /// Classes of the catalogue that the standard names, where it is ours.
    known: Option<crate::model::catalogue::Catalogue>,
}

/// A number above 0.
const POSITIVE: &str = "a number above 0";

impl Reader<'_> {
    fn fault(&mut self, at: usize, key: &str, value: Option<String>, fault: Fault) {
        let mut problem = Problem::of_file(self.name, fault).at_row(line_of(self.text, at)).in_column(key);
        problem.value = value;
        self.problems.push(problem);
    }

    fn wrong(&mut self, at: usize, key: &str, value: &(impl ToString + ?Sized), expected: impl Into<String>) {
        let fault = Fault::Setting { expected: expected.into() };
        self.fault(at, key, Some(value.to_string()), fault);
    }

    /// A fault of a table that has no span of its own: the line of its heading.
    fn wrong_in(
        &mut self,
        table: &str,
        key: &str,
        value: &(impl ToString + ?Sized),
        expected: impl Into<String>,
    ) {
        let at = self.text.find(table).unwrap_or_default();
        self.wrong(at, key, value, expected);
    }

    fn standard(&mut self, file: File) -> Standard {
        if file.schema != SCHEMA {
            self.wrong_in("schema", "schema", &file.schema, format!("\"{SCHEMA}\""));
        }
        let catalogue = defaults::catalogue();
        if file.standard.facility_catalogue.as_deref() == Some(&catalogue.id) {
            self.known = Some(catalogue);
        }
        if !(file.standard.total_points > 0.0 && file.standard.total_points.is_finite()) {
            self.wrong_in("[standard]", "total_points", &file.standard.total_points, POSITIVE);
        }
        self.count("categories", file.standard.categories, file.category.len());
        self.count("items", file.standard.items, file.item.len());
        let points = file.item.iter().map(|item| item.get_ref().points.len()).sum();
        self.count("points", file.standard.points, points);
        let reach_min = file.unit.default_reach_minutes.unwrap_or(10.0);
        if !(reach_min > 0.0 && reach_min.is_finite()) {
            self.wrong_in("[unit]", "default_reach_minutes", &reach_min, POSITIVE);
        }
        let mut seen = HashSet::new();
        let categories: Vec<Heading> =
            file.category.into_iter().map(|raw| self.category(raw, &mut seen)).collect();
        let wish = file.scoring.should_weight.unwrap_or(1.0);
        let mut items = Vec::new();
        for raw in file.item {
            items.extend(self.item(raw, &categories, wish, reach_min, &mut seen));
        }
        let scoring = self.scoring(&file.scoring, file.standard.total_points, &items);
        Standard {
            name_en: file.standard.name_en.unwrap_or_else(|| file.standard.name_zh.clone()),
            id: file.standard.id,
            name_zh: file.standard.name_zh,
            status_zh: file.standard.status_zh.unwrap_or_else(|| file.standard.status.clone()),
            status: file.standard.status,
            sha256: hash::of_text(self.text),
            total_points: file.standard.total_points,
            scoring,
            reach_min,
            grades: self.grades(file.grade),
            categories,
            items,
        }
    }

    fn count(&mut self, key: &str, stated: Option<usize>, found: usize) {
        if let Some(stated) = stated.filter(|stated| *stated != found) {
            self.wrong_in("[standard]", key, &stated, format!("{found}, as many as the file has"));
        }
    }

    fn scoring(&mut self, raw: &RawScoring, total_points: f64, items: &[Item]) -> Scoring {
        if let Some(unknown) = raw.unknown.as_deref().filter(|unknown| *unknown != "interval") {
            self.wrong_in("[scoring]", "unknown", &unknown, "\"interval\": what is unknown is never 0");
        }
        if let Some(at) = raw.item_pass_at.filter(|at| at.total_cmp(&1.0).is_ne()) {
            self.wrong_in(
                "[scoring]",
                "item_pass_at",
                &at,
                "1.0: an item passes when all that it must have is there",
            );
        }
        if let Some(wish) = raw.should_weight.filter(|wish| !(0.0..=1.0).contains(wish)) {
            self.wrong_in("[scoring]", "should_weight", &wish, "a number of 0..1");
        }
        let (scoring, sum) = match raw.item_rule.as_str() {
            "weighted_mean" => {
                let item_points = raw.item_points.unwrap_or(total_points / items.len().max(1) as f64);
                (Scoring::WeightedMean { item_points }, item_points * items.len() as f64)
            }
            rule => {
                if rule != "sum_of_points" {
                    self.wrong_in("[scoring]", "item_rule", &rule, "\"weighted_mean\" or \"sum_of_points\"");
                }
                let weights = items.iter().flat_map(|item| &item.points).map(|point| point.weight).sum();
                (Scoring::SumOfPoints, weights)
            }
        };
        if self.problems.is_empty() && (sum - total_points).abs() > 1e-6 {
            self.wrong_in(
                "[standard]",
                "total_points",
                &total_points,
                format!("{sum}, the sum of what is given"),
            );
        }
        scoring
    }

    fn grades(&mut self, raw: Vec<RawGrade>) -> Vec<Grade> {
        let falling = raw.windows(2).all(|pair| pair[0].min_score > pair[1].min_score);
        if let Some(last) = raw.last().filter(|last| !falling || last.min_score != 0.0) {
            self.wrong_in("[[grade]]", "min_score", &last.min_score, "grades from the highest to one of 0");
        }
        let grade = |raw: RawGrade| Grade { id: raw.id, name_zh: raw.name_zh, min_score: raw.min_score };
        raw.into_iter().map(grade).collect()
    }

    fn own_id(&mut self, at: usize, id: &str, seen: &mut HashSet<String>) {
        if !seen.insert(id.to_owned()) {
            self.wrong(at, "id", &id, "an id of its own");
        }
    }

    fn category(&mut self, raw: Spanned<RawHeading>, seen: &mut HashSet<String>) -> Heading {
        let at = raw.span().start;
        let raw = raw.into_inner();
        self.own_id(at, &format!("category {}", raw.id), seen);
        Heading {
            name_en: raw.name_en.unwrap_or_else(|| raw.name_zh.clone()),
            id: raw.id,
            name_zh: raw.name_zh,
        }
    }

    fn item(
        &mut self,
        raw: Spanned<RawItem>,
        categories: &[Heading],
        wish: f64,
        reach_min: f64,
        seen: &mut HashSet<String>,
    ) -> Option<Item> {
        let at = raw.span().start;
        let raw = raw.into_inner();
        self.own_id(at, &format!("item {}", raw.id), seen);
        let category = categories.iter().position(|category| category.id == raw.category);
        if category.is_none() {
            let known = categories.iter().map(|category| category.id.clone()).collect();
            self.fault(at, "category", Some(raw.category), Fault::UnknownName { known });
        }
        if raw.points.is_empty() {
            self.wrong(at, "points", &"[]", "at least one point");
        }
        let points =
            raw.points.into_iter().filter_map(|point| self.point(point, wish, reach_min, seen)).collect();
        let name_en = raw.name_en.unwrap_or_else(|| raw.name_zh.clone());
        Some(Item {
            heading: Heading { id: raw.id, name_zh: raw.name_zh, name_en },
            category: category?,
            points,
        })
    }

    fn point(
        &mut self,
        raw: Spanned<RawPoint>,
        wish: f64,
        reach_min: f64,
        seen: &mut HashSet<String>,
    ) -> Option<Point> {
        let at = raw.span().start;
        let raw = raw.into_inner();
        let id = self.needed(at, "id", raw.id.clone())?;
        self.own_id(at, &format!("point {id}"), seen);
        let weight = raw.weight.unwrap_or(1.0);
        if !(weight > 0.0 && weight.is_finite()) {
            self.wrong(at, "weight", &weight, POSITIVE);
        }
        let applies = match raw.applies.as_deref() {
            None | Some("all") => Applies::All,
            Some("new") => Applies::New,
            Some("existing") => Applies::Existing,
            Some(other) => {
                self.wrong(at, "applies", &other, "all, new or existing");
                Applies::All
            }
        };
        let must = match raw.need.as_deref() {
            None | Some("must") => true,
            Some("should") => false,
            Some(other) => {
                self.wrong(at, "need", &other, "must or should");
                true
            }
        };
        let (level, source) = (raw.level.clone(), raw.source.clone().unwrap_or_default());
        let rule = self.rule(at, raw, reach_min)?;
        Some(Point {
            id,
            weight: if must { weight } else { weight * wish },
            must,
            applies,
            level,
            source,
            rule,
        })
    }

    fn needed<T>(&mut self, at: usize, key: &str, value: Option<T>) -> Option<T> {
        if value.is_none() {
            self.fault(at, key, None, Fault::MissingValue);
        }
        value
    }

    fn positive(&mut self, at: usize, key: &str, value: Option<f64>) -> Option<f64> {
        let value = self.needed(at, key, value)?;
        if value > 0.0 && value.is_finite() {
            return Some(value);
        }
        self.wrong(at, key, &value, POSITIVE);
        None
    }

    fn classes(&mut self, at: usize, raw: &mut RawPoint) -> Option<Vec<String>> {
        let classes = match (raw.class.take(), raw.classes.take()) {
            (Some(class), None) => vec![class],
            (None, Some(classes)) if !classes.is_empty() => classes,
            _ => {
                self.wrong(at, "class, classes", &"", "one of the two");
                return None;
            }
        };
        let unknown = |class: &&String| self.known.as_ref().is_some_and(|known| !known.has(class));
        if let Some(class) = classes.iter().find(unknown).cloned() {
            let known = self.known.as_ref().map(|known| known.near(&class)).unwrap_or_default();
            self.fault(at, "class", Some(class), Fault::UnknownName { known });
            return None;
        }
        Some(classes)
    }

    fn within(&mut self, at: usize, raw: &RawPoint, reach_min: f64) -> Option<Within> {
        match raw.within.as_deref() {
            None | Some("boundary") => Some(Within::Boundary),
            Some("reach") => {
                let minutes = self.positive(at, "minutes", raw.minutes.or(Some(reach_min)))?;
                Some(Within::Reach { minutes })
            }
            Some(other) => {
                self.wrong(at, "within", &other, "boundary or reach");
                None
            }
        }
    }

    fn ramp(&mut self, at: usize, zero_at: Option<f64>, full_at: Option<f64>) -> Option<Ramp> {
        let ramp = Ramp { zero_at: zero_at.unwrap_or(0.0), full_at: self.positive(at, "full_at", full_at)? };
        if ramp.zero_at >= 0.0 && ramp.zero_at < ramp.full_at {
            return Some(ramp);
        }
        self.wrong(at, "zero_at", &ramp.zero_at, format!("0 or more, less than {}", ramp.full_at));
        None
    }

    fn rule(&mut self, at: usize, mut raw: RawPoint, reach_min: f64) -> Option<Rule> {
        Some(match raw.kind.as_str() {
            "presence" => {
                let min = self.positive(at, "min", raw.min)?;
                if min.fract() != 0.0 || min > 1e6 {
                    self.wrong(at, "min", &min, "a whole number");
                }
                let within = self.within(at, &raw, reach_min)?;
                let classes = self.classes(at, &mut raw)?;
                Rule::Presence { classes, min: min as u32, within, min_floor_area_m2: raw.min_floor_area_m2 }
            }
            "variety" => {
                let kinds = match (raw.subtypes.take(), raw.classes.take()) {
                    (Some(kinds), None) | (None, Some(kinds)) if !kinds.is_empty() => kinds,
                    _ => {
                        self.wrong(at, "subtypes, classes", &"", "one of the two");
                        return None;
                    }
                };
                let min_share = self.positive(at, "min_share", raw.min_share)?;
                Rule::Variety { kinds, min_share, within: self.within(at, &raw, reach_min)? }
            }
            "count_per" | "capacity_per" | "area_per" => {
                let attribute = match raw.kind.as_str() {
                    "count_per" => None,
                    _ => Some(self.needed(at, "attr", raw.attr.take())?),
                };
                let base = self.needed(at, "base", raw.base.take())?;
                let per = self.positive(at, "per", raw.per)?;
                let target = self.positive(at, "target", raw.target)?;
                Rule::Per { classes: self.classes(at, &mut raw)?, attribute, base, per, target }
            }
            "coverage_share" => {
                let minutes = self.positive(at, "minutes", raw.minutes)?;
                let ramp = self.ramp(at, raw.zero_at, raw.full_at)?;
                let group = raw.group.take().unwrap_or_else(|| "all".to_owned());
                let profile = raw.profile.take();
                Rule::CoverageShare { classes: self.classes(at, &mut raw)?, group, profile, minutes, ramp }
            }
            "floor_area" | "land_area" => {
                let min_m2 = self.positive(at, "min_m2", raw.min_m2)?;
                // Here `zero_at` is a share of what is asked for.
                let ramp = self.ramp(at, raw.zero_at.map(|share| share * min_m2), Some(min_m2))?;
                let together = match raw.agg.as_deref() {
                    None | Some("max") => Together::Max,
                    Some("sum") => Together::Sum,
                    Some(other) => {
                        self.wrong(at, "agg", &other, "max or sum");
                        return None;
                    }
                };
                let attribute = format!("{}_m2", raw.kind);
                Rule::Area { classes: self.classes(at, &mut raw)?, attribute, together, ramp }
            }
            "attribute" => {
                let attribute = self.needed(at, "attr", raw.attr.take())?;
                let min = self.positive(at, "min", raw.min)?;
                Rule::Attribute { classes: self.classes(at, &mut raw)?, attribute, min }
            }
            "ratio" => Rule::Ratio {
                num: self.needed(at, "num", raw.num.take())?,
                den: self.needed(at, "den", raw.den.take())?,
                ramp: self.ramp(at, raw.zero_at, raw.target)?,
            },
            "manual" => {
                let ask = self.needed(at, "ask", raw.ask.take())?;
                let scale = match (raw.scale.as_deref(), raw.checklist.take()) {
                    (Some("bool"), None) => Scale::Bool,
                    (Some("share"), None) => Scale::Share,
                    (Some("checklist"), Some(entries)) if !entries.is_empty() => Scale::Checklist(entries),
                    (other, _) => {
                        let value = other.unwrap_or_default().to_owned();
                        self.wrong(at, "scale", &value, "bool, share, or checklist with its entries");
                        return None;
                    }
                };
                Rule::Manual { ask, scale }
            }
            "survey" => Rule::Survey {
                ask: self.needed(at, "ask", raw.ask.take())?,
                ramp: self.ramp(at, raw.zero_at, raw.full_at)?,
            },
            kind @ ("any_of" | "all_of") => {
                let (wanted, any) = (raw.rules.len(), kind == "any_of");
                let rules = std::mem::take(&mut raw.rules).into_iter();
                let rules: Vec<Rule> = rules
                    .filter_map(|rule| self.rule(rule.span().start, rule.into_inner(), reach_min))
                    .collect();
                if wanted == 0 {
                    self.wrong(at, "rules", &"[]", "at least one rule");
                }
                if any { Rule::AnyOf(rules) } else { Rule::AllOf(rules) }
            }
            other => {
                let known = KINDS.map(str::to_owned).to_vec();
                self.fault(at, "kind", Some(other.to_owned()), Fault::UnknownName { known });
                return None;
            }
        })
    }
}

/// The kinds of rules.
const KINDS: [&str; 14] = [
    "presence",
    "variety",
    "count_per",
    "capacity_per",
    "area_per",
    "coverage_share",
    "floor_area",
    "land_area",
    "attribute",
    "ratio",
    "manual",
    "survey",
    "any_of",
    "all_of",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(change: impl Fn(String) -> String) -> String {
        let (_, text) = defaults::STANDARDS[0];
        match parse("mine.toml", &change(text.to_owned())) {
            Ok(_) => String::new(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn both_standards_are_whole() {
        let shape = |name| {
            let standard = read(name).unwrap();
            (standard.categories.len(), standard.items.len(), standard.points().count())
        };
        assert_eq!(shape("mohurd_2020"), (6, 20, 68));
        assert_eq!(shape("chongqing_illustrative"), (6, 23, 54));
    }

    /// One slip each: the line that has it, and what is wrong.
    #[test]
    fn every_slip_is_told_with_its_line() {
        let lines = defaults::STANDARDS[0].1.lines();
        let line = |wanted: &str| lines.clone().position(|line| line.contains(wanted)).unwrap() + 1;
        for (from, to, at, told) in [
            (
                "kind = \"presence\", class = \"kindergarten\"",
                "kind = \"presnce\", class = \"kindergarten\"",
                "i02p1",
                "presnce",
            ),
            ("min_m2 = 2200", "min_m2 = -1", "i02p3", "above 0"),
            ("class = \"nursery\", min = 1", "class = \"nurserie\", min = 1", "i03p1", "nursery"),
            ("id = \"i02p2\"", "id = \"i02p1\"", "i02p2", "id of its own"),
            ("zero_at = 0.5, full_at = 0.9", "zero_at = 0.9, full_at = 0.5", "i20p3", "less than 0.5"),
            (
                "category = \"c2\"\nname_zh = \"一个综合超市\"",
                "category = \"c9\"\nname_zh = \"一个综合超市\"",
                "id = \"i06\"",
                "c2",
            ),
            (
                "agg = \"max\", zero_at = 0.0, applies = \"all\", need = \"should\", weight = 1, source = \"S:RRDOC (以800",
                "agg = \"mean\", zero_at = 0.0, applies = \"all\", need = \"should\", weight = 1, source = \"S:RRDOC (以800",
                "i01p2",
                "max or sum",
            ),
            ("items = 20", "items = 21", "[standard]", "20, as many"),
            ("scoring-standard/1", "scoring-standard/9", "schema =", "scoring-standard/1"),
            ("attr = \"classes\", min = 6", "atr = \"classes\", min = 6", "i02p2", "atr"),
        ] {
            let faults = faults(|text| text.replacen(from, to, 1));
            let from_line = if at == "id = \"i06\"" { line(at) - 1 } else { line(at) };
            assert!(
                faults.contains(&format!("row {from_line}")) && faults.contains(told),
                "{told}: {faults}"
            );
        }
    }
}
