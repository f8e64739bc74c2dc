//! Questions of siting from tables, and their answers as tables.
//!
//! Rows may come in any order: demand and sites are put in the order of their ids, pairs in that of their costs.

use super::costs::ONE_CLASS;
use super::repeated;
use super::table::Table;
use crate::model::error::{Error, Result};
use crate::model::ids::Ids;
use crate::model::problem::{Fault, Problem};
use crate::model::schema::{COUNT, Column, DEMAND, SITE_COSTS, SITES, TableRules};
use crate::model::siting::{Aim, Demand, Most, Question, Reach, Sites, Siting};
use crate::model::siting_fault::SitingFault;
use arrow_array::{ArrayRef, BooleanArray, Float64Array, RecordBatch, UInt32Array};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The tables of a question.
#[derive(Debug)]
pub struct Tables {
    /// `origin_id`, `site_id` (or `facility_id`), `cost` (or `time_s`), and `class` where sites of several classes share an id.
    pub costs: Table,
    /// `origin_id`, `people`, and `class` where not everybody asks for every class.
    pub demand: Option<Table>,
    /// `site_id` (or `id`) with what is known of each.
    pub sites: Option<Table>,
    /// `site_id` of those that exist.
    pub existing: Option<Table>,
}

/// How many may be built, by names of classes.
#[derive(Debug, Clone, PartialEq)]
pub enum Count {
    /// As many as it takes.
    Any,
    /// So many in all.
    InAll(usize),
    /// So many of each class.
    OfClass(BTreeMap<String, usize>),
}

/// What is asked of the tables.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// What is asked for.
    pub aim: Aim,
    /// How many.
    pub count: Count,
    /// For how much.
    pub budget_yuan: Option<f64>,
    /// The column of sites whose values each get one.
    pub per_area: Option<String>,
    /// The column of demand that is counted instead of people.
    pub weight: Option<String>,
    /// Whether capacities hold; where it is not said, when sites have a column of them.
    pub capacitated: Option<bool>,
}

/// Read a question.
///
/// # Errors
/// Every fault of the tables: a column or a value is missing, a pair or an id is there twice, a site that is said to exist is
/// unknown, classes do not meet.
pub fn read(tables: &Tables, settings: &Settings) -> Result<Question> {
    let columns = CostColumns::read(&tables.costs)?;
    let mut problems = Vec::new();
    let given =
        tables.sites.as_ref().map(|table| GivenSites::read(table, settings, &mut problems)).transpose()?;
    let asked =
        tables.demand.as_ref().map(|table| GivenDemand::read(table, settings, &mut problems)).transpose()?;
    let existing = tables.existing.as_ref().map(|table| table.ids("site_id")).transpose()?;
    if !problems.is_empty() {
        return Err(Error::Input(problems));
    }
    let classes = classes(&columns, given.as_ref(), asked.as_ref(), &tables.costs)?;
    let sites = Located::sites(&columns, given.as_ref(), existing.as_ref(), &classes, tables)?;
    let demand = demand(&columns, asked.as_ref(), &classes, tables)?;
    let reach = reach(&columns, &demand, &sites, &classes, &tables.costs)?;
    let most = most(&settings.count, &classes)?;
    let capacitated = settings.capacitated.unwrap_or(given.as_ref().is_some_and(|given| given.has_capacity));
    let question = Question {
        aim: settings.aim,
        classes,
        demand,
        sites,
        reach,
        most,
        budget_yuan: settings.budget_yuan,
        one_per_area: settings.per_area.is_some(),
        capacitated,
    };
    price_known(&question, tables)?;
    Ok(question)
}

fn whole(problems: Vec<Problem>) -> Result<()> {
    if problems.is_empty() { Ok(()) } else { Err(Error::Input(problems)) }
}

/// The first of these columns that a table has.
fn first_of<'a>(table: &Table, names: &[&'a str]) -> Result<&'a str> {
    names.iter().find(|name| table.has(name)).copied().ok_or_else(|| {
        let found = table.column_names();
        Problem::of_file(&table.name, Fault::MissingColumn { found }).in_column(names.join(" / ")).into()
    })
}

/// A column of classes, where there is one; a row without is a fault.
fn class_column(table: &Table) -> Result<Option<Vec<String>>> {
    if !table.has("class") {
        return Ok(None);
    }
    let named = table.text("class")?;
    let missing = (0..).zip(&named).filter(|(_, class)| class.is_none());
    whole(missing.map(|(row, _)| table.problem(row, "class", None, Fault::MissingValue)).collect())?;
    Ok(Some(named.into_iter().flatten().collect()))
}

fn numbers(
    table: &Table,
    rules: &TableRules,
    declared: &str,
    name: &str,
    problems: &mut Vec<Problem>,
) -> Result<Vec<Option<f64>>> {
    table.declared_numbers(rules.column(declared), name, problems)
}

/// Pairs as they stand in the table.
struct CostColumns {
    origin: Ids,
    site: Ids,
    cost: Vec<f64>,
    class: Option<Vec<String>>,
}

impl CostColumns {
    fn read(table: &Table) -> Result<Self> {
        let found: Vec<Result<&str>> = vec![
            first_of(table, &["origin_id"]),
            first_of(table, &["site_id", "facility_id"]),
            first_of(table, &["cost", "time_s"]),
        ];
        let mut problems = Vec::new();
        let mut names = Vec::new();
        for each in found {
            match each {
                Ok(name) => names.push(name),
                Err(Error::Input(mut missing)) => problems.append(&mut missing),
                Err(other) => return Err(other),
            }
        }
        whole(problems)?;
        let mut problems = Vec::new();
        let cost = numbers(table, &SITE_COSTS, "cost", names[2], &mut problems)?;
        whole(problems)?;
        Ok(Self {
            origin: table.ids(names[0])?,
            site: table.ids(names[1])?,
            cost: cost.into_iter().flatten().collect(),
            class: class_column(table)?,
        })
    }
}

/// The table of sites.
struct GivenSites {
    id: Ids,
    class: Option<Vec<String>>,
    cost_yuan: Vec<Option<f64>>,
    capacity: Vec<Option<f64>>,
    area: Vec<Option<String>>,
    place: Vec<Option<[f64; 2]>>,
    has_capacity: bool,
}

impl GivenSites {
    fn read(table: &Table, settings: &Settings, problems: &mut Vec<Problem>) -> Result<Self> {
        let id = table.ids(first_of(table, &["site_id", "id", "facility_id"])?)?;
        let area_column = settings.per_area.as_deref().unwrap_or("area_id");
        let area = if table.has(area_column) {
            table.codes(area_column)?
        } else if settings.per_area.is_some() {
            first_of(table, &[area_column])?;
            vec![]
        } else {
            vec![None; id.len()]
        };
        let lon = numbers(table, &SITES, "lon", "lon", problems)?;
        let lat = numbers(table, &SITES, "lat", "lat", problems)?;
        let place = lon.into_iter().zip(lat).map(|(lon, lat)| Some([lon?, lat?])).collect();
        Ok(Self {
            class: class_column(table)?,
            cost_yuan: numbers(table, &SITES, "cost_yuan", "cost_yuan", problems)?,
            capacity: numbers(table, &SITES, "capacity", "capacity", problems)?,
            has_capacity: table.has("capacity"),
            id,
            area,
            place,
        })
    }
}

/// The table of demand.
struct GivenDemand {
    id: Ids,
    class: Option<Vec<String>>,
    people: Vec<f64>,
    weight: Vec<f64>,
}

impl GivenDemand {
    fn read(table: &Table, settings: &Settings, problems: &mut Vec<Problem>) -> Result<Self> {
        table.require(&DEMAND, &str::to_owned)?;
        let told = problems.len();
        let people = numbers(table, &DEMAND, "people", "people", problems)?;
        let weight = match &settings.weight {
            None => people.clone(),
            Some(name) => {
                first_of(table, &[name])?;
                let column = Column { name: "weight", rule: COUNT, needed: true };
                table.declared_numbers(column, name, problems)?
            }
        };
        let id = table.ids("origin_id")?;
        if problems.len() > told {
            let nothing = || vec![];
            return Ok(Self { id, class: None, people: nothing(), weight: nothing() });
        }
        let all = |column: Vec<Option<f64>>| column.into_iter().flatten().collect();
        Ok(Self { id, class: class_column(table)?, people: all(people), weight: all(weight) })
    }
}

/// Names of all classes, sorted.
fn classes(
    columns: &CostColumns,
    given: Option<&GivenSites>,
    asked: Option<&GivenDemand>,
    costs: &Table,
) -> Result<Vec<String>> {
    let of_sites = given.and_then(|given| given.class.as_ref()).or(columns.class.as_ref());
    let Some(of_sites) = of_sites else {
        if asked.is_some_and(|asked| asked.class.is_some()) {
            let found = costs.column_names();
            return Err(Problem::of_file(&costs.name, Fault::MissingColumn { found })
                .in_column("class")
                .into());
        }
        return Ok(vec![ONE_CLASS.to_owned()]);
    };
    let mut classes = of_sites.clone();
    classes.sort_unstable();
    classes.dedup();
    Ok(classes)
}

fn place_of(classes: &[String], class: &str) -> Option<u32> {
    classes.binary_search_by(|known| known.as_str().cmp(class)).ok().map(|place| place as u32)
}

/// All ids of several columns, each once, in their order.
fn all_ids(parts: &[&Ids]) -> Ids {
    if parts.iter().all(|ids| matches!(ids, Ids::UInt(_))) {
        let mut all: Vec<u64> = parts
            .iter()
            .flat_map(|ids| if let Ids::UInt(ids) = ids { ids.as_slice() } else { &[] })
            .copied()
            .collect();
        all.sort_unstable();
        all.dedup();
        return Ids::UInt(all);
    }
    let numbers = |ids: &Ids| -> Option<Vec<i64>> {
        match ids {
            Ids::Int(ids) => Some(ids.clone()),
            Ids::UInt(ids) => ids.iter().map(|&id| i64::try_from(id).ok()).collect(),
            Ids::Text(_) => None,
        }
    };
    if let Some(numbers) = parts.iter().map(|ids| numbers(ids)).collect::<Option<Vec<_>>>() {
        let mut all = numbers.concat();
        all.sort_unstable();
        all.dedup();
        return Ids::Int(all);
    }
    let mut all: Vec<String> = parts.iter().flat_map(|ids| (0..ids.len()).map(|row| ids.text(row))).collect();
    all.sort_unstable();
    all.dedup();
    Ids::Text(all)
}

/// Sites, before they are counted.
struct Located;

impl Located {
    /// Sites by id and class: those of the table, or of the pairs where there is none; and those that exist.
    fn sites(
        columns: &CostColumns,
        given: Option<&GivenSites>,
        existing: Option<&Ids>,
        classes: &[String],
        tables: &Tables,
    ) -> Result<Sites> {
        let mut parts = vec![];
        parts.extend(given.map(|given| &given.id));
        if given.is_none() || existing.is_some() {
            parts.push(&columns.site);
        }
        let ids = all_ids(&parts);
        let in_pairs = classes_in_pairs(columns, &ids, classes);
        let mut row_of: BTreeMap<(u32, u32), Option<usize>> = BTreeMap::new();
        let mut problems = Vec::new();
        match given {
            None => {
                for (id, of_id) in in_pairs.iter().enumerate() {
                    row_of.extend(of_id.iter().map(|&class| ((id as u32, class), None)));
                }
            }
            Some(given) => {
                let table = tables.sites.as_ref().expect("what was read was given");
                for (row, place) in ids.rows_of(&given.id).into_iter().enumerate() {
                    let id = place.expect("every id is among all") as u32;
                    for class in classes_of_row(given, row, classes, &in_pairs[id as usize]) {
                        if let Some(first) = row_of.insert((id, class), Some(row)) {
                            let first_row = first.map_or(0, |first| first as u64 + 1);
                            let value = Some(given.id.text(row));
                            problems.push(table.problem(
                                row,
                                "site_id",
                                value,
                                Fault::DuplicateId { first_row },
                            ));
                        }
                    }
                }
            }
        }
        let there = mark_existing(&ids, existing, &in_pairs, &mut row_of, &mut problems);
        whole(problems)?;
        Ok(Self::in_order(&ids, given, &row_of, &there))
    }

    fn in_order(
        ids: &Ids,
        given: Option<&GivenSites>,
        row_of: &BTreeMap<(u32, u32), Option<usize>>,
        there: &[bool],
    ) -> Sites {
        let rows: Vec<usize> = row_of.keys().map(|&(id, _)| id as usize).collect();
        let from = |row: &Option<usize>| row.and_then(|row| given.map(|given| (given, row)));
        Sites {
            id: ids.pick(&rows),
            class: row_of.keys().map(|&(_, class)| class).collect(),
            existing: rows.iter().map(|&id| there[id]).collect(),
            cost_yuan: row_of
                .values()
                .map(|row| from(row).and_then(|(given, row)| given.cost_yuan[row]))
                .collect(),
            capacity: row_of
                .values()
                .map(|row| from(row).and_then(|(given, row)| given.capacity[row]))
                .collect(),
            area: row_of
                .values()
                .map(|row| from(row).and_then(|(given, row)| given.area[row].clone()))
                .collect(),
            place: row_of.values().map(|row| from(row).and_then(|(given, row)| given.place[row])).collect(),
        }
    }
}

/// For each id the classes that its pairs name; all where pairs name none.
fn classes_in_pairs(columns: &CostColumns, ids: &Ids, classes: &[String]) -> Vec<Vec<u32>> {
    let mut found: Vec<Vec<u32>> = vec![vec![]; ids.len()];
    let places = ids.rows_of(&columns.site);
    for (pair, id) in places.into_iter().enumerate() {
        let Some(id) = id else { continue };
        match &columns.class {
            None if found[id].is_empty() => found[id] = (0..classes.len() as u32).collect(),
            None => {}
            Some(of_pair) => {
                let class = place_of(classes, &of_pair[pair]);
                let new = class.filter(|class| !found[id].contains(class));
                found[id].extend(new);
            }
        }
    }
    found
}

fn classes_of_row(given: &GivenSites, row: usize, classes: &[String], in_pairs: &[u32]) -> Vec<u32> {
    match &given.class {
        Some(named) => place_of(classes, &named[row]).into_iter().collect(),
        None if in_pairs.is_empty() => vec![0],
        None => in_pairs.to_vec(),
    }
}

/// Which ids exist; those that only the pairs know become sites too.
fn mark_existing(
    ids: &Ids,
    existing: Option<&Ids>,
    in_pairs: &[Vec<u32>],
    row_of: &mut BTreeMap<(u32, u32), Option<usize>>,
    problems: &mut Vec<Problem>,
) -> Vec<bool> {
    let mut there = vec![false; ids.len()];
    let Some(existing) = existing else { return there };
    for (row, place) in ids.rows_of(existing).into_iter().enumerate() {
        let Some(id) = place else {
            let fault = Fault::from(SitingFault::UnknownSite);
            let problem = Problem::of_file("existing", fault).at_row(row as u64 + 1).in_column("site_id");
            problems.push(problem.with_value(existing.text(row)));
            continue;
        };
        there[id] = true;
        let known = row_of.range((id as u32, 0)..=(id as u32, u32::MAX)).next().is_some();
        if !known {
            row_of.extend(in_pairs[id].iter().map(|&class| ((id as u32, class), None)));
        }
    }
    there
}

/// Demand by origin and class.
fn demand(
    columns: &CostColumns,
    asked: Option<&GivenDemand>,
    classes: &[String],
    tables: &Tables,
) -> Result<Demand> {
    let ids = all_ids(&[asked.map_or(&columns.origin, |asked| &asked.id)]);
    let every = 0..classes.len() as u32;
    let mut row_of: BTreeMap<(u32, u32), usize> = BTreeMap::new();
    let mut problems = Vec::new();
    match asked {
        None => {
            for id in 0..ids.len() as u32 {
                row_of.extend(every.clone().map(|class| ((id, class), 0)));
            }
        }
        Some(asked) => {
            let table = tables.demand.as_ref().expect("what was read was given");
            for (row, place) in ids.rows_of(&asked.id).into_iter().enumerate() {
                let id = place.expect("every id is among all") as u32;
                let of_row = match &asked.class {
                    None => every.clone(),
                    Some(named) => {
                        let Some(class) = place_of(classes, &named[row]) else {
                            let fault = SitingFault::NoClassInCommon { sites: classes.join(", ") }.into();
                            problems.push(table.problem(row, "class", Some(named[row].clone()), fault));
                            continue;
                        };
                        class..class + 1
                    }
                };
                for class in of_row {
                    if let Some(first) = row_of.insert((id, class), row) {
                        let fault = Fault::DuplicateId { first_row: first as u64 + 1 };
                        problems.push(table.problem(row, "origin_id", Some(asked.id.text(row)), fault));
                        break;
                    }
                }
            }
        }
    }
    whole(problems)?;
    let rows: Vec<usize> = row_of.keys().map(|&(id, _)| id as usize).collect();
    let from = |of: fn(&GivenDemand) -> &[f64]| -> Vec<f64> {
        row_of.values().map(|&row| asked.map_or(1.0, |asked| of(asked)[row])).collect()
    };
    Ok(Demand {
        id: ids.pick(&rows),
        class: row_of.keys().map(|&(_, class)| class).collect(),
        people: from(|asked| &asked.people),
        weight: from(|asked| &asked.weight),
    })
}

/// Rows by id and class, of a side whose ids may stand in several rows.
struct Places {
    ids: Ids,
    row: Vec<Option<u32>>,
    classes: usize,
}

impl Places {
    fn of(id: &Ids, class: &[u32], classes: usize) -> Self {
        let ids = all_ids(&[id]);
        let mut row = vec![None; ids.len() * classes];
        for (at, place) in ids.rows_of(id).into_iter().enumerate() {
            let place = place.expect("every id is among all");
            row[place * classes + class[at] as usize] = Some(at as u32);
        }
        Self { ids, row, classes }
    }

    fn at(&self, id: usize, class: usize) -> Option<u32> {
        self.row[id * self.classes + class]
    }
}

/// Pairs of both sides; pairs of other origins and sites are not looked at.
fn reach(
    columns: &CostColumns,
    demand: &Demand,
    sites: &Sites,
    classes: &[String],
    table: &Table,
) -> Result<Reach> {
    let origins = Places::of(&demand.id, &demand.class, classes.len());
    let ends = Places::of(&sites.id, &sites.class, classes.len());
    let (from, to) = (origins.ids.rows_of(&columns.origin), ends.ids.rows_of(&columns.site));
    let mut pairs: Vec<(u32, f64, u32, u32)> = Vec::with_capacity(from.len());
    for (pair, (from, to)) in from.into_iter().zip(to).enumerate() {
        let (Some(from), Some(to)) = (from, to) else { continue };
        let of_pair = match &columns.class {
            None => 0..classes.len(),
            Some(named) => match place_of(classes, &named[pair]) {
                Some(class) => class as usize..class as usize + 1,
                None => continue,
            },
        };
        for class in of_pair {
            if let (Some(from), Some(to)) = (origins.at(from, class), ends.at(to, class)) {
                pairs.push((from, columns.cost[pair], to, pair as u32));
            }
        }
    }
    if pairs.is_empty() {
        let reason = "no row joins demand and a site of the other tables: ids must be the same".to_owned();
        return Err(Problem::of_file(&table.name, Fault::Unreadable { reason }).into());
    }
    refuse_repeated(&mut pairs, columns, table)?;
    pairs.sort_unstable_by(|one, other| {
        one.0.cmp(&other.0).then(one.1.total_cmp(&other.1)).then(one.2.cmp(&other.2))
    });
    let mut first = vec![0; demand.people.len() + 1];
    for &(demand, ..) in &pairs {
        first[demand as usize + 1] += 1;
    }
    for row in 0..demand.people.len() {
        first[row + 1] += first[row];
    }
    let (cost, site) = pairs.into_iter().map(|(_, cost, site, _)| (cost, site)).unzip();
    Ok(Reach { first, site, cost })
}

fn refuse_repeated(pairs: &mut [(u32, f64, u32, u32)], columns: &CostColumns, table: &Table) -> Result<()> {
    pairs.sort_unstable_by_key(|&(from, _, to, row)| (from, to, row));
    let twice = pairs.windows(2).filter(|two| (two[0].0, two[0].2) == (two[1].0, two[1].2));
    whole(
        twice
            .map(|two| {
                let row = two[1].3 as usize;
                let value = format!("{} – {}", columns.origin.text(row), columns.site.text(row));
                let fault = Fault::DuplicateId { first_row: u64::from(two[0].3) + 1 };
                table.problem(row, "origin_id, site_id", Some(value), fault)
            })
            .collect(),
    )
}

fn most(count: &Count, classes: &[String]) -> Result<Most> {
    let of_class = match count {
        Count::Any => return Ok(Most::Any),
        Count::InAll(most) => return Ok(Most::InAll(*most)),
        Count::OfClass(of_class) => of_class,
    };
    let unknown = of_class.keys().filter(|name| place_of(classes, name).is_none());
    whole(
        unknown
            .map(|name| {
                let known = classes.to_vec();
                Problem::of_file("k", Fault::UnknownName { known }).in_column("class").with_value(name)
            })
            .collect(),
    )?;
    Ok(Most::OfClass(classes.iter().map(|class| of_class.get(class).copied().unwrap_or(0)).collect()))
}

/// Where money is counted every candidate says what it costs.
fn price_known(question: &Question, tables: &Tables) -> Result<()> {
    let counted =
        question.budget_yuan.is_some() || matches!(question.aim, Aim::SetCovering { by_yuan: true, .. });
    if !counted {
        return Ok(());
    }
    let sites = &question.sites;
    let unknown =
        (0..sites.existing.len()).filter(|&site| !sites.existing[site] && sites.cost_yuan[site].is_none());
    let name = tables.sites.as_ref().map_or("sites", |table| &table.name);
    whole(
        unknown
            .map(|site| {
                let problem = Problem::of_file(name, Fault::MissingValue).with_id(sites.id.text(site));
                problem.in_column("cost_yuan")
            })
            .collect(),
    )
}

fn number(values: impl Iterator<Item = f64>) -> ArrayRef {
    Arc::new(Float64Array::from_iter_values(values))
}

fn some_number(values: impl Iterator<Item = Option<f64>>) -> ArrayRef {
    Arc::new(values.collect::<Float64Array>())
}

fn batch(columns: Vec<(&str, ArrayRef, bool)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns).expect("all columns have one value per row")
}

/// The sites that exist and those that are built, by id: `site_id`, `class`, `existing`, `order` (1 is built first; null for those that
/// exist), `people` and `weighted` (whom each serves), `cost_yuan`, `capacity`, `area_id`, `lon`, `lat` (null where not given).
pub fn sites_to_batch(question: &Question, answer: &Siting) -> RecordBatch {
    let sites = &question.sites;
    let mut order = vec![None; sites.existing.len()];
    for (place, &site) in answer.built.iter().enumerate() {
        order[site as usize] = Some(place as u32 + 1);
    }
    let (mut people, mut weighted) = (vec![0.0; order.len()], vec![0.0; order.len()]);
    for service in &answer.service {
        let (site, demand) = (service.site as usize, service.demand as usize);
        people[site] += service.share * question.demand.people[demand];
        weighted[site] += service.share * question.demand.weight[demand];
    }
    let rows: Vec<usize> =
        (0..order.len()).filter(|&site| sites.existing[site] || order[site].is_some()).collect();
    let each = || rows.iter().copied();
    let area: Vec<&str> = each().map(|site| sites.area[site].as_deref().unwrap_or_default()).collect();
    let area = repeated::at(
        &repeated::texts(&area),
        (0..).zip(each()).map(|(row, site)| sites.area[site].is_some().then_some(row)),
    );
    batch(vec![
        ("site_id", repeated::at_each(&repeated::ids(&sites.id), each()), false),
        (
            "class",
            repeated::at_each(
                &repeated::texts(&question.classes),
                each().map(|site| sites.class[site] as usize),
            ),
            false,
        ),
        (
            "existing",
            Arc::new(each().map(|site| Some(sites.existing[site])).collect::<BooleanArray>()),
            false,
        ),
        ("order", Arc::new(each().map(|site| order[site]).collect::<UInt32Array>()), true),
        ("people", number(each().map(|site| people[site])), false),
        ("weighted", number(each().map(|site| weighted[site])), false),
        ("cost_yuan", some_number(each().map(|site| sites.cost_yuan[site])), true),
        ("capacity", some_number(each().map(|site| sites.capacity[site])), true),
        ("area_id", area, true),
        ("lon", some_number(each().map(|site| sites.place[site].map(|place| place[0]))), true),
        ("lat", some_number(each().map(|site| sites.place[site].map(|place| place[1]))), true),
    ])
}

fn demand_columns(question: &Question, rows: &[usize]) -> [(&'static str, ArrayRef, bool); 2] {
    let demand = &question.demand;
    let class = rows.iter().map(|&row| demand.class[row] as usize);
    [
        ("origin_id", repeated::at_each(&repeated::ids(&demand.id), rows.iter().copied()), false),
        ("class", repeated::at_each(&repeated::texts(&question.classes), class), false),
    ]
}

/// Who is served where: `origin_id`, `class`, `site_id`, `cost`, `people`, `weighted`; an origin that is split has several rows. No nulls.
pub fn assignment_to_batch(question: &Question, answer: &Siting) -> RecordBatch {
    let service = &answer.service;
    let rows: Vec<usize> = service.iter().map(|service| service.demand as usize).collect();
    let of = |column: &[f64]| {
        let parts: Vec<f64> =
            service.iter().map(|service| service.share * column[service.demand as usize]).collect();
        number(parts.into_iter())
    };
    let mut columns = demand_columns(question, &rows).to_vec();
    let site = service.iter().map(|service| service.site as usize);
    columns.push(("site_id", repeated::at_each(&repeated::ids(&question.sites.id), site), false));
    columns.push(("cost", number(service.iter().map(|service| service.cost)), false));
    columns.push(("people", of(&question.demand.people), false));
    columns.push(("weighted", of(&question.demand.weight), false));
    batch(columns)
}

/// Who is not served: `origin_id`, `class`, `people`, `weighted`, `reason`. No nulls.
pub fn unserved_to_batch(question: &Question, answer: &Siting) -> RecordBatch {
    let rows: Vec<usize> = answer.unserved.iter().map(|&(demand, ..)| demand as usize).collect();
    let of = |column: &[f64]| {
        let parts: Vec<f64> =
            answer.unserved.iter().map(|&(demand, share, _)| share * column[demand as usize]).collect();
        number(parts.into_iter())
    };
    let reasons: Vec<&str> = answer.unserved.iter().map(|(_, _, why)| why.name()).collect();
    let mut columns = demand_columns(question, &rows).to_vec();
    columns.push(("people", of(&question.demand.people), false));
    columns.push(("weighted", of(&question.demand.weight), false));
    columns.push(("reason", repeated::texts(&reasons), false));
    batch(columns)
}

/// What each further site adds: `order` (0 is the state before), `site_id` and `class` (null there), `objective` (null while somebody who has
/// to be served is not), `people`, `weighted` (served so far), `people_gained`, `cost_yuan` (spent so far).
pub fn gain_to_batch(question: &Question, answer: &Siting) -> RecordBatch {
    let steps = &answer.steps;
    let site = || steps.iter().map(|step| step.site);
    let class = site().map(|site| site.map(|site| question.sites.class[site as usize]));
    let before = steps.first().into_iter().chain(steps).map(|step| step.people);
    batch(vec![
        ("order", Arc::new(UInt32Array::from_iter_values(0..steps.len() as u32)), false),
        ("site_id", repeated::at(&repeated::ids(&question.sites.id), site()), true),
        ("class", repeated::at(&repeated::texts(&question.classes), class), true),
        ("objective", some_number(steps.iter().map(|step| step.objective)), true),
        ("people", number(steps.iter().map(|step| step.people)), false),
        ("weighted", number(steps.iter().map(|step| step.weight)), false),
        ("people_gained", number(steps.iter().zip(before).map(|(step, before)| step.people - before)), false),
        ("cost_yuan", number(steps.iter().map(|step| step.cost_yuan)), false),
    ])
}
