//! What a scorecard is made from, read from tables; scorecards as tables.

use super::repeated;
use super::table::Table;
use super::{defaults, facilities};
use crate::model::area::{Areas, CommunityLevel};
use crate::model::error::{Error, Result};
use crate::model::ledger::Day;
use crate::model::problem::{Fault, Problem};
use crate::model::schema::{ANSWERS, COVERAGE};
use crate::model::scorecard::{Answer, Covered, Facts, KIND_KEY, Scorecard, Status};
use crate::model::standard::{Applies, Asked, Rule, Scale, Standard};
use crate::model::study::minutes_to_ds;
use crate::model::times::Deciseconds;
use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// How a community table is understood, and who walks where a rule does not say.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The profile.
    pub profile: String,
    /// What communities are that do not say.
    pub applies: Applies,
    /// Classes of which the table of facilities is known to hold all.
    pub complete: Vec<String>,
    /// The day on which facilities are looked at.
    pub day: Option<Day>,
}

/// The tables of a scorecard beside coverage.
#[derive(Debug)]
pub struct Tables {
    /// Facilities.
    pub facilities: Table,
    /// The communities, with amounts as columns.
    pub areas: Table,
    /// Answers: `community_id`, `key`, `value`, and `source`, `date` where given.
    pub answers: Option<Table>,
}

/// Read the communities to be scored: those of a level, where one is named.
///
/// # Errors
/// Problems when a column is missing, no row is usable, or none is of the level.
pub fn read_areas(table: &Table, level: Option<&str>, rejected: &mut Vec<Problem>) -> Result<Areas> {
    let areas = super::areas::read(table, "area_id", rejected)?;
    let Some(level) = level else { return Ok(areas) };
    let wanted: &str = match CommunityLevel::from_word(level) {
        Some(known) => known.name(),
        None => level,
    };
    let rows: Vec<usize> =
        (0..areas.id.len()).filter(|&area| areas.level_name(area).as_deref() == Some(wanted)).collect();
    if rows.is_empty() {
        let known: BTreeSet<String> = (0..areas.id.len()).filter_map(|area| areas.level_name(area)).collect();
        let fault = Fault::UnknownName { known: known.into_iter().collect() };
        return Err(Problem::of_file(&table.name, fault).in_column("level").with_value(level).into());
    }
    Ok(areas.pick(&rows))
}

/// Read what a standard looks at beside coverage.
///
/// Rows that cannot be used are left out and added to `rejected`.
///
/// # Errors
/// Problems when a column is missing or a table has no usable row.
pub fn read(
    standard: &Standard,
    tables: &Tables,
    areas: Areas,
    covered: Covered,
    settings: Settings,
    rejected: &mut Vec<Problem>,
) -> Result<Facts> {
    let catalogue = defaults::catalogue();
    let all = facilities::read(&tables.facilities, facilities::Columns::usual(&catalogue), rejected)?;
    let mut known: HashSet<String> = all.class.iter().cloned().chain(settings.complete).collect();
    let open = all.open_on(settings.day)?;
    rejected.extend(all.status_problems(settings.day));
    let facilities = all.pick(&open);
    let row_of: Vec<Option<usize>> =
        facilities.row.iter().map(|row| row.and_then(|row| usize::try_from(row - 1).ok())).collect();
    let mut attributes = BTreeMap::new();
    for attribute in standard.attributes().into_iter().filter(|name| tables.facilities.has(name)) {
        let column = tables.facilities.numbers(&attribute, rejected)?;
        let of_row = |row: &Option<usize>| column.get((*row)?).copied().flatten();
        attributes.insert(attribute, row_of.iter().map(of_row).collect());
    }
    let subtype: Vec<Option<String>> = if tables.facilities.has("subtype") {
        let column = tables.facilities.text("subtype")?;
        row_of.iter().map(|row| column.get((*row)?).cloned().flatten()).collect()
    } else {
        vec![None; facilities.len()]
    };
    known.extend(subtype.iter().flatten().cloned());
    let amounts = amounts(standard);
    let mut answers = of_areas(&tables.areas, &areas, &amounts, rejected)?;
    if let Some(table) = &tables.answers {
        read_answers(table, standard, &areas, &amounts, &mut answers, rejected)?;
    }
    Ok(Facts {
        areas,
        facilities,
        attributes,
        subtype,
        known,
        covered,
        answers,
        profile: settings.profile,
        applies: settings.applies,
        catalogue,
    })
}

/// Amounts of communities that a standard asks for by name.
fn amounts(standard: &Standard) -> BTreeSet<String> {
    let of_rule = |(_, rule): (String, &Rule)| match rule {
        Rule::Ratio { num, den, .. } => vec![num.clone(), den.clone()],
        Rule::Per { base, .. } => vec![base.clone()],
        _ => vec![],
    };
    standard.leaves().flat_map(of_rule).collect()
}

/// Read what a standard asks for of a table of coverage; `profile` walks where neither a rule nor the table says who.
///
/// # Errors
/// Problems when a column is missing or a number is.
pub fn read_coverage(table: &Table, standard: &Standard, areas: &Areas, profile: &str) -> Result<Covered> {
    table.require(&COVERAGE, &str::to_owned)?;
    let mut problems = Vec::new();
    let numbers = |name: &'static str, problems: &mut Vec<Problem>| {
        table.declared_numbers(COVERAGE.column(name), name, problems)
    };
    let (minutes, people) = (numbers("minutes", &mut problems)?, numbers("people", &mut problems)?);
    let covered = numbers("people_covered", &mut problems)?;
    if !problems.is_empty() {
        return Err(Error::Input(problems));
    }
    let (area, class, group) = (table.strings("area_id")?, table.strings("class")?, table.strings("group")?);
    let walker = if table.has("profile") { Some(table.strings("profile")?) } else { None };
    let area_row: HashMap<&str, usize> = areas.id.iter().map(String::as_str).zip(0..).collect();
    let asked = standard.asked(profile);
    let limits: HashSet<Deciseconds> = asked.iter().map(|(.., limit_ds)| *limit_ds).collect();
    let place: HashMap<(&str, &str, &str, Deciseconds), usize> = asked
        .iter()
        .map(|(class, group, profile, limit_ds)| {
            (class.as_str(), group.as_str(), profile.as_str(), *limit_ds)
        })
        .zip(0..)
        .collect();
    let mut of = vec![vec![None; areas.id.len()]; asked.len()];
    let mut living: HashMap<String, Vec<Option<f64>>> = HashMap::new();
    let mut last_group: Option<(&str, usize)> = None;
    for row in 0..table.rows() {
        let Some(&at) = area_row.get(area.value(row)) else { continue };
        let people = people[row].unwrap_or_default();
        if last_group != Some((group.value(row), at)) {
            let groups = living.entry(group.value(row).to_owned());
            groups.or_insert_with(|| vec![None; areas.id.len()])[at] = Some(people);
            last_group = Some((group.value(row), at));
        }
        let limit_ds = minutes[row].and_then(minutes_to_ds).filter(|limit_ds| limits.contains(limit_ds));
        let who = walker.as_ref().map_or(profile, |walker| walker.value(row));
        let key = limit_ds.map(|limit_ds| (class.value(row), group.value(row), who, limit_ds));
        if let Some(&combination) = key.and_then(|key| place.get(&key)) {
            of[combination][at] = Some((people, covered[row].unwrap_or_default()));
        }
    }
    let of = asked.into_iter().zip(of).filter(|(_, of)| of.iter().any(Option::is_some)).collect();
    Ok(Covered { of, people: living })
}

type Answers = Vec<HashMap<String, Answer>>;

/// Amounts that are columns of the table of communities, and whether they are new.
fn of_areas(
    table: &Table,
    areas: &Areas,
    amounts: &BTreeSet<String>,
    problems: &mut Vec<Problem>,
) -> Result<Answers> {
    let mut answers = vec![HashMap::new(); areas.id.len()];
    let mut keep = |key: &str, value: &dyn Fn(usize) -> Option<String>| {
        for (area, answers) in answers.iter_mut().enumerate() {
            let row = areas.row[area].and_then(|row| usize::try_from(row - 1).ok());
            if let Some(value) = row.and_then(value) {
                let source = Some(table.name.clone());
                answers.insert(key.to_owned(), Answer { value, source, date: None });
            }
        }
    };
    for key in amounts.iter().filter(|key| table.has(key)) {
        let column = table.numbers(key, problems)?;
        keep(key, &|row| column[row].filter(|value| *value >= 0.0).map(|value| value.to_string()));
    }
    if table.has(KIND_KEY) {
        let column = table.text(KIND_KEY)?;
        keep(KIND_KEY, &|row| column[row].clone());
    }
    Ok(answers)
}

/// Answers of surveyors and residents. Of several to one question the latest counts.
fn read_answers(
    table: &Table,
    standard: &Standard,
    areas: &Areas,
    amounts: &BTreeSet<String>,
    answers: &mut Answers,
    rejected: &mut Vec<Problem>,
) -> Result<()> {
    table.require(&ANSWERS, &str::to_owned)?;
    let area_row: HashMap<&str, usize> = areas.id.iter().map(String::as_str).zip(0..).collect();
    let asked: HashMap<String, &Rule> = standard.leaves().collect();
    let optional =
        |name: &str| if table.has(name) { table.codes(name) } else { Ok(vec![None; table.rows()]) };
    let (community, key) = (table.codes("community_id")?, table.codes("key")?);
    let (value, source) = (table.codes("value")?, optional("source")?);
    let date = table.declared_dates(ANSWERS.column("date"), rejected)?;
    let mut taken: HashMap<(usize, &str), usize> = HashMap::new();
    for row in 0..table.rows() {
        let mut refuse = |column: &str, value: Option<String>, fault| {
            rejected.push(table.problem(row, column, value, fault));
        };
        let Some(area) = community[row].as_deref().and_then(|id| area_row.get(id)).copied() else {
            let known = areas.id.iter().take(3).cloned().collect();
            refuse("community_id", community[row].clone(), Fault::UnknownName { known });
            continue;
        };
        let name = key[row].as_deref().unwrap_or_default();
        let (Some(found), Some(expected)) = (value[row].clone(), expected(name, &asked, amounts)) else {
            match &value[row] {
                None => refuse("value", None, Fault::MissingValue),
                Some(_) => {
                    refuse("key", key[row].clone(), Fault::UnknownName { known: keys(&asked, amounts) });
                }
            }
            continue;
        };
        if let Some(expected) = wrong_answer(&found, expected) {
            refuse("value", Some(found), Fault::Setting { expected });
            continue;
        }
        if let Some(&before) = taken.get(&(area, name)) {
            // The later one counts; the earlier is told.
            let newer = date[row] > date[before];
            let (left, first_row) = if newer { (before, row) } else { (row, before) };
            let fault = Fault::DuplicateId { first_row: first_row as u64 + 1 };
            rejected.push(table.problem(left, "community_id, key", Some(name.to_owned()), fault));
            if !newer {
                continue;
            }
        }
        taken.insert((area, name), row);
        answers[area]
            .insert(name.to_owned(), Answer { value: found, source: source[row].clone(), date: date[row] });
    }
    Ok(())
}

/// What kind of answer a key waits for.
#[derive(Clone, Copy)]
enum Expected<'a> {
    Rule(&'a Rule),
    Amount,
    Kind,
}

fn expected<'a>(
    key: &str,
    asked: &HashMap<String, &'a Rule>,
    amounts: &BTreeSet<String>,
) -> Option<Expected<'a>> {
    if key == KIND_KEY {
        return Some(Expected::Kind);
    }
    if amounts.contains(key) {
        return Some(Expected::Amount);
    }
    let rule = asked.get(key).filter(|rule| matches!(rule, Rule::Manual { .. } | Rule::Survey { .. }));
    rule.map(|rule| Expected::Rule(rule))
}

fn keys(asked: &HashMap<String, &Rule>, amounts: &BTreeSet<String>) -> Vec<String> {
    let waits = |rule: &Rule| matches!(rule, Rule::Manual { .. } | Rule::Survey { .. });
    let mut keys: Vec<String> = asked
        .iter()
        .filter(|(_, rule)| waits(rule))
        .map(|(key, _)| key.clone())
        .chain(amounts.iter().cloned())
        .collect();
    keys.sort_unstable();
    keys.push(KIND_KEY.to_owned());
    keys
}

/// What was expected, where an answer is none.
fn wrong_answer(value: &str, expected: Expected<'_>) -> Option<String> {
    let wanted = match expected {
        Expected::Kind => {
            let known = ["new", "existing", "新建", "既有"];
            return (!known.contains(&value.trim().to_lowercase().as_str())).then(|| known.join(", "));
        }
        Expected::Amount => {
            let number = value.trim().parse::<f64>().is_ok_and(|number| number.is_finite() && number >= 0.0);
            return (!number).then(|| "a number, 0 or more".to_owned());
        }
        Expected::Rule(Rule::Manual { scale, .. }) => scale.clone(),
        Expected::Rule(_) => Scale::Share,
    };
    (wanted.share_of(value).is_none()).then(|| wanted.expected())
}

fn number(values: impl Iterator<Item = Option<f64>>) -> ArrayRef {
    Arc::new(values.collect::<Float64Array>())
}

fn text<'a>(values: impl Iterator<Item = Option<&'a str>>) -> ArrayRef {
    Arc::new(values.collect::<StringArray>())
}

fn batch(columns: Vec<(&str, ArrayRef, bool)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns).expect("all columns have one value per row")
}

/// Points as a table: `area_id`, `category`, `item`, `point`, `kind` of the rule, `level`, `need` (must or should), `status`,
/// `value` (what was measured; null where it is not known), `low` and `high` (the score, 0..1), `weight` (what the point is worth
/// of the total), `evidence`, `evidence_zh`, `facilities` (ids, joined by `;`), `gap`, `gap_unit` and `gap_unit_zh` (what would make it pass; null
/// where nothing is missing or it is not known), `source` of the rule.
pub fn points_to_batch(card: &Scorecard, facts: &Facts) -> RecordBatch {
    let points = &card.points;
    let standard = &card.standard;
    let point = |at: usize| {
        let item = &standard.items[points[at].item as usize];
        (item, &item.points[points[at].point as usize])
    };
    let rows = || 0..points.len();
    let ids = repeated::texts(&facts.areas.id);
    let facility_ids: Vec<String> = points
        .iter()
        .map(|point| {
            let ids = point.outcome.facilities.iter().map(|&row| facts.facilities.id.text(row as usize));
            ids.collect::<Vec<_>>().join(";")
        })
        .collect();
    let category = |at: usize| standard.categories[point(at).0.category].id.as_str();
    let gap =
        |at: usize| points[at].outcome.gap.as_ref().filter(|_| points[at].status != Status::NotApplicable);
    batch(vec![
        ("area_id", repeated::at_each(&ids, points.iter().map(|point| point.area as usize)), false),
        ("category", text(rows().map(|at| Some(category(at)))), false),
        ("item", text(rows().map(|at| Some(point(at).0.heading.id.as_str()))), false),
        ("point", text(rows().map(|at| Some(point(at).1.id.as_str()))), false),
        ("kind", text(rows().map(|at| Some(point(at).1.rule.kind()))), false),
        ("level", text(rows().map(|at| point(at).1.level.as_deref())), true),
        ("need", text(rows().map(|at| Some(if point(at).1.must { "must" } else { "should" }))), false),
        ("status", text(points.iter().map(|point| Some(point.status.name()))), false),
        ("value", number(points.iter().map(|point| point.outcome.value)), true),
        ("low", number(points.iter().map(|point| Some(point.outcome.score.low))), false),
        ("high", number(points.iter().map(|point| Some(point.outcome.score.high))), false),
        ("weight", number(points.iter().map(|point| Some(point.weight))), false),
        ("evidence", text(points.iter().map(|point| Some(point.outcome.evidence.en.as_str()))), false),
        ("evidence_zh", text(points.iter().map(|point| Some(point.outcome.evidence.zh.as_str()))), false),
        (
            "facilities",
            text(facility_ids.iter().map(|ids| Some(ids.as_str()).filter(|ids| !ids.is_empty()))),
            true,
        ),
        ("gap", number(rows().map(|at| gap(at).map(|gap| gap.amount))), true),
        ("gap_unit", text(rows().map(|at| gap(at).map(|gap| gap.unit.name()))), true),
        ("gap_unit_zh", text(rows().map(|at| gap(at).map(|gap| gap.unit.name_zh()))), true),
        ("source", text(rows().map(|at| Some(point(at).1.source.as_str()))), false),
    ])
}

/// Items as a table: `area_id`, `category`, `category_zh`, `category_en`, `item`, `name_zh`, `name_en`, `status`, `weight`,
/// `low`, `high` (of the weight).
pub fn items_to_batch(card: &Scorecard, facts: &Facts) -> RecordBatch {
    let items = &card.items;
    let item = |at: usize| &card.standard.items[items[at].item as usize];
    let rows = || 0..items.len();
    let ids = repeated::texts(&facts.areas.id);
    let category = |at: usize| &card.standard.categories[item(at).category];
    batch(vec![
        ("area_id", repeated::at_each(&ids, items.iter().map(|item| item.area as usize)), false),
        ("category", text(rows().map(|at| Some(category(at).id.as_str()))), false),
        ("category_zh", text(rows().map(|at| Some(category(at).name_zh.as_str()))), false),
        ("category_en", text(rows().map(|at| Some(category(at).name_en.as_str()))), false),
        ("item", text(rows().map(|at| Some(item(at).heading.id.as_str()))), false),
        ("name_zh", text(rows().map(|at| Some(item(at).heading.name_zh.as_str()))), false),
        ("name_en", text(rows().map(|at| Some(item(at).heading.name_en.as_str()))), false),
        ("status", text(items.iter().map(|item| Some(item.status.name()))), false),
        ("weight", number(items.iter().map(|item| Some(item.weight))), false),
        ("low", number(items.iter().map(|item| Some(item.low))), false),
        ("high", number(items.iter().map(|item| Some(item.high))), false),
    ])
}

/// Totals as a table: `area_id`, `name`, `total_points` (what could be earned), `low`, `high`, `observed` (from what is known; null where nothing is), `known_weight`,
/// `grade` (null where what is unknown decides it), `grade_low`, `grade_high`, `weakest` (the category that is
/// known to lose most; null where nothing is).
pub fn totals_to_batch(card: &Scorecard, facts: &Facts) -> RecordBatch {
    let totals = &card.totals;
    let grade = |at: Option<usize>| at.map(|at| card.standard.grades[at].id.as_str());
    let name = totals.iter().map(|total| facts.areas.name[total.area as usize].as_deref());
    batch(vec![
        ("area_id", repeated::texts(&facts.areas.id), false),
        ("name", text(name), true),
        ("total_points", number(totals.iter().map(|_| Some(card.standard.total_points))), false),
        ("low", number(totals.iter().map(|total| Some(total.low))), false),
        ("high", number(totals.iter().map(|total| Some(total.high))), false),
        ("observed", number(totals.iter().map(|total| total.observed)), true),
        ("known_weight", number(totals.iter().map(|total| Some(total.known_weight))), false),
        (
            "grade",
            text(
                totals
                    .iter()
                    .map(|total| grade(total.grade_low.filter(|_| total.grade_low == total.grade_high))),
            ),
            true,
        ),
        ("grade_low", text(totals.iter().map(|total| grade(total.grade_low))), true),
        ("grade_high", text(totals.iter().map(|total| grade(total.grade_high))), true),
        (
            "weakest",
            text(totals.iter().map(|total| total.weakest.map(|at| card.standard.categories[at].id.as_str()))),
            true,
        ),
    ])
}

/// What a standard asks coverage for as a table: `class` (several joined by `|`: any of them), `group`, `profile`, `minutes`.
pub fn asked_to_batch(standard: &Standard, profile: &str) -> RecordBatch {
    let asked: Vec<Asked> = standard.asked(profile).into_iter().collect();
    let column = |of: fn(&Asked) -> &str| text(asked.iter().map(|asked| Some(of(asked))));
    batch(vec![
        ("class", column(|asked| &asked.0), false),
        ("group", column(|asked| &asked.1), false),
        ("profile", column(|asked| &asked.2), false),
        ("minutes", number(asked.iter().map(|asked| Some(f64::from(asked.3) / 600.0))), false),
    ])
}
