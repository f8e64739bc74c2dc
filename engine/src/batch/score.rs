//! The communities of a published run held against a standard; the scorecard is a folder that appears whole or not at all.

use super::publish::{MARK, Staging};
use crate::io::cells::PeopleTable;
use crate::io::scorecard::{self, Settings, Tables};
use crate::io::table::Table;
use crate::io::{self, cells, geoparquet, standard};
use crate::metrics::apportion;
use crate::metrics::coverage::coverage;
use crate::metrics::scorecard::score;
use crate::metrics::together::together;
use crate::model::analysis_crs::AnalysisCrs;
use crate::model::area::Areas;
use crate::model::error::{Error, Result};
use crate::model::problem::{Fault, Problem};
use crate::model::progress::Progress;
use crate::model::scorecard::{Covered, Facts, Scorecard};
use crate::model::standard::{Applies, Rule, Standard};
use crate::model::times::{Deciseconds, Times};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The file by which a folder is known as an earlier scorecard.
const CARD: &str = "score.json";

/// What is to be scored, and how.
pub struct Request<'a> {
    /// The folder of a run.
    pub run: &'a Path,
    /// Name or path of the standard.
    pub standard: &'a str,
    /// What people in place say.
    pub answers: Option<Table>,
    /// Facilities with more columns than the run keeps; else those of the run.
    pub facilities: Option<Table>,
    /// Level of the areas that are scored; else all.
    pub level: Option<String>,
    /// How the tables are understood.
    pub settings: Settings,
    /// The folder for the scorecard.
    pub out: &'a Path,
}

/// What was scored, as it stands in `score.json`.
#[derive(Debug, Clone, Serialize)]
pub struct ScoreReport {
    /// Version of walkshed.
    pub walkshed: &'static str,
    /// Id of the standard.
    pub standard: String,
    /// Its Chinese name.
    pub name_zh: String,
    /// Its English name.
    pub name_en: String,
    /// What may be said of it.
    pub status: String,
    /// The same in Chinese.
    pub status_zh: String,
    /// SHA-256 of its text.
    pub standard_sha256: String,
    /// The report of the run: its study, with the hashes of everything that it read.
    pub run: serde_json::Value,
    /// Level of the areas.
    pub level: Option<String>,
    /// Who walks where a rule does not say.
    pub profile: String,
    /// What communities are that do not say.
    pub built: &'static str,
    /// Classes of which the table of facilities was said to hold all.
    pub complete: Vec<String>,
    /// Number of communities.
    pub communities: usize,
    /// Points by what became of them.
    pub points: BTreeMap<&'static str, usize>,
    /// Communities by grade; those that what is unknown decides are `undecided`.
    pub grades: BTreeMap<String, usize>,
    /// Rows that were left out, by reason.
    pub rejected: BTreeMap<&'static str, usize>,
}

/// Score and publish: `points`, `items`, `totals` and `rejected` as Parquet, and `score.json`.
///
/// # Errors
/// Faults of the standard or of a table; a problem when no run or something else than a scorecard stands there.
pub fn run(request: Request<'_>, progress: &Progress) -> Result<ScoreReport> {
    Staging::check_marked(request.out, CARD)?;
    let standard = standard::read(request.standard)?;
    let report = read_report(request.run)?;
    // The cells of the run are those of its system; outlines and places stay in it.
    let system = report["study"]["study"]["analysis_crs"].as_str().and_then(AnalysisCrs::from_name);
    let system = system.unwrap_or_default();
    let of_run = |name: &str| Table::read(&request.run.join(name)).map(|table| table.analysed_in(system));
    let mut rejected = Vec::new();
    let sources = Sources {
        facilities: match request.facilities {
            Some(table) => table.analysed_in(system),
            None => of_run("facilities.parquet")?,
        },
        areas: of_run("areas.parquet")?,
        cells: of_run("cells.parquet")?,
        answers: request.answers,
    };
    let profile = request.settings.profile.clone();
    let (applies, complete) = (request.settings.applies, request.settings.complete.clone());
    let walked = |people: &PeopleTable| io::times::read(&of_run("times.parquet")?, &people.id, &profile);
    let level = request.level.as_deref();
    let (card, facts) = card(&standard, sources, level, request.settings, walked, &mut rejected, progress)?;
    progress.hold()?;
    let staging = Staging::begin_marked(request.out, CARD)?;
    for (name, batch) in [
        ("points.parquet", scorecard::points_to_batch(&card, &facts)),
        ("items.parquet", scorecard::items_to_batch(&card, &facts)),
        ("totals.parquet", scorecard::totals_to_batch(&card, &facts)),
        ("rejected.parquet", io::rejected::to_batch(&rejected)),
    ] {
        geoparquet::write(&staging.folder().join(name), &batch, progress)?;
    }
    let report = ScoreReport {
        walkshed: env!("CARGO_PKG_VERSION"),
        standard: standard.id.clone(),
        name_zh: standard.name_zh.clone(),
        name_en: standard.name_en.clone(),
        status: standard.status.clone(),
        status_zh: standard.status_zh.clone(),
        standard_sha256: standard.sha256.clone(),
        run: report,
        level: request.level,
        profile,
        built: if applies == Applies::New { "new" } else { "existing" },
        complete,
        communities: card.totals.len(),
        points: count(card.points.iter().map(|point| point.status.name())),
        grades: grades(&card),
        rejected: count(rejected.iter().map(|problem| problem.fault.code())),
    };
    let text = serde_json::to_string_pretty(&report).map_err(|error| Error::Internal(error.to_string()))?;
    let path = staging.folder().join(CARD);
    std::fs::write(&path, text).map_err(Error::file(&path))?;
    staging.publish()?;
    Ok(report)
}

fn read_report(run: &Path) -> Result<serde_json::Value> {
    let path = run.join(MARK);
    if !path.is_file() {
        let expected = format!("the folder of a run, with {MARK} in it");
        return Err(Problem::of_file(run.display().to_string(), Fault::Setting { expected }).into());
    }
    let text = std::fs::read_to_string(&path).map_err(Error::file(&path))?;
    let fault =
        |error: serde_json::Error| Problem::of_file(MARK, Fault::Unreadable { reason: error.to_string() });
    Ok(serde_json::from_str(&text).map_err(fault)?)
}

/// The tables that communities are scored from.
pub(super) struct Sources {
    /// Facilities.
    pub facilities: Table,
    /// Areas, with amounts as columns.
    pub areas: Table,
    /// Cells with their people.
    pub cells: Table,
    /// What people in place say.
    pub answers: Option<Table>,
}

/// Hold the areas of a level against a standard; `walked` gives the times of the cells, by profile.
pub(super) fn card(
    standard: &Standard,
    sources: Sources,
    level: Option<&str>,
    settings: Settings,
    walked: impl FnOnce(&PeopleTable) -> Result<Vec<Times>>,
    rejected: &mut Vec<Problem>,
    progress: &Progress,
) -> Result<(Scorecard, Facts)> {
    let Sources { facilities, areas, cells, answers } = sources;
    let tables = Tables { facilities, areas, answers };
    let areas = scorecard::read_areas(&tables.areas, level, rejected)?;
    let covered = covered(standard, &cells, walked, &areas, &settings.profile, progress)?;
    let facts = scorecard::read(standard, &tables, areas, covered, settings, rejected)?;
    Ok((score(standard, &facts, progress)?, facts))
}

/// Coverage of what the standard asks for, by the profiles that there are times of.
fn covered(
    standard: &Standard,
    cells: &Table,
    walked: impl FnOnce(&PeopleTable) -> Result<Vec<Times>>,
    areas: &Areas,
    profile: &str,
    progress: &Progress,
) -> Result<Covered> {
    let asked = standard.asked(profile);
    let bases = standard.leaves().filter_map(|(_, rule)| match rule {
        Rule::Per { base, .. } => Some(base.clone()),
        _ => None,
    });
    let groups: BTreeSet<String> = asked.iter().map(|(_, group, ..)| group.clone()).chain(bases).collect();
    let groups: Vec<String> = groups.into_iter().filter(|group| cells.has(group)).collect();
    let people = cells::read_people(cells, Some(&groups))?;
    let parts = apportion::parts(&people.cell, areas, progress)?;
    let lists: Vec<Vec<String>> = standard.unions().into_iter().collect();
    let limits_ds: BTreeSet<Deciseconds> = asked.iter().map(|(.., limit_ds)| *limit_ds).collect();
    let minutes: Vec<f64> = limits_ds.into_iter().map(|limit_ds| f64::from(limit_ds) / 600.0).collect();
    let walked = walked(&people)?;
    let mut covered = Covered::default();
    for times in
        walked.iter().filter(|times| asked.iter().any(|(_, _, profile, _)| *profile == times.profile))
    {
        progress.begin("coverage", areas.id.len())?;
        let times = together(times, &lists);
        covered.add(&coverage(&*times, &people.cells, &areas.id, &parts, &minutes, progress)?, &asked);
    }
    Ok(covered)
}

fn count(names: impl Iterator<Item = &'static str>) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for name in names {
        *counts.entry(name).or_default() += 1;
    }
    counts
}

fn grades(card: &Scorecard) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for total in &card.totals {
        let sure = total.grade_low.filter(|_| total.grade_low == total.grade_high);
        let name = sure.map_or("undecided", |at| card.standard.grades[at].id.as_str());
        *counts.entry(name.to_owned()).or_default() += 1;
    }
    counts
}
