//! Scenarios of a study: what each changes, as a folder that appears whole or not at all.

use super::prepare::prepare;
use super::publish::Staging;
use crate::io;
use crate::io::files::file_name;
use crate::io::geoparquet;
use crate::io::given::Given;
use crate::io::hash::InputFile;
use crate::io::memory::MemoryLimit;
use crate::model::cell;
use crate::model::edit_fault::EditFault;
use crate::model::error::{Error, Result};
use crate::model::problem::Problem;
use crate::model::progress::Progress;
use crate::model::scenario::Scenario;
use crate::model::study::Study;
use crate::planning::what_if::{Answer, City, Inputs, Question};
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow_schema::{Field, Schema};
use arrow_select::concat::concat_batches;
use serde::Serialize;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// The file by which a folder is known as an earlier result of this kind.
const MARK: &str = "scenarios.json";

/// What was answered, as it stands in `scenarios.json`.
#[derive(Debug, Clone, Serialize)]
pub struct ScenariosReport {
    /// Version of walkshed.
    pub walkshed: &'static str,
    /// The configuration of the baseline.
    pub study: Study,
    /// Whether the streets say that they are made up.
    pub synthetic: bool,
    /// The files that were read.
    pub inputs: Vec<InputFile>,
    /// Seconds until the baseline was ready.
    pub prepare_s: f64,
    /// The scenarios.
    pub scenarios: Vec<ScenarioReport>,
}

/// What a scenario changes, in short.
#[derive(Debug, Clone, Serialize)]
pub struct ScenarioReport {
    /// Hash of the edits.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// The edits.
    pub edits: serde_json::Value,
    /// What the edits cost that say it, yuan.
    pub cost_yuan: f64,
    /// Cells whose nearest facility of a class is another or at another time, for a profile.
    pub changed: usize,
    /// Rows of coverage that may differ.
    pub coverage_rows: usize,
    /// Seconds of the answer.
    pub seconds: f64,
}

/// Answer scenarios and publish: `coverage`, `cells` and `gains` as Parquet, with the id of the scenario in every row, and
/// `scenarios.json`.
///
/// # Errors
/// Every fault of the study, or of the edits of all scenarios; the folder is then as it was before.
pub fn run(
    study: &Path,
    plans: &[PathBuf],
    out: &Path,
    given: &Given,
    progress: &Progress,
) -> Result<ScenariosReport> {
    let began = Instant::now();
    Staging::check_marked(out, MARK)?;
    let scenarios = read_all(plans)?;
    let study = io::study::read(study)?;
    let prepared = prepare(&study, given, &mut Vec::new(), progress)?;
    let mut files = prepared.inputs.clone();
    files.extend(plans.iter().map(|plan| io::hash::identify(plan)).collect::<Result<Vec<_>>>()?);
    let synthetic = prepared.network.origin.synthetic;
    let inputs = Inputs {
        network: Arc::new(prepared.network),
        cells: prepared.cells,
        ledger: prepared.ledger,
        day: study.day(),
        areas: prepared.areas,
        parents: study.areas.as_ref().and_then(|areas| areas.h3).and_then(cell::resolution),
    };
    let known = study.known_profiles(io::defaults::profiles());
    let by_name = |name: &String| known.iter().find(|profile| profile.name == *name).cloned();
    let question = Question {
        profiles: study.coverage.profiles.iter().filter_map(by_name).collect(),
        direction: study.coverage.direction,
        minutes: study.coverage.minutes.clone(),
    };
    MemoryLimit::new(None).check("scenarios", City::memory_bytes(&inputs, &question))?;
    let city = City::prepare(inputs, question, progress)?;
    let prepare_s = began.elapsed().as_secs_f64();
    let (mut reports, mut tables) = (Vec::new(), Tables::default());
    progress.begin("scenarios", scenarios.len())?;
    for scenario in &scenarios {
        let began = Instant::now();
        let answer = city.answer(scenario, progress)?;
        let coverage_rows = tables.add(&study, &city, scenario, answer)?;
        reports.push(ScenarioReport {
            id: scenario.id.clone(),
            name: scenario.name.clone(),
            edits: edits(scenario)?,
            // An empty sum is -0.
            cost_yuan: scenario.edits.iter().filter_map(|edit| edit.cost_yuan).sum::<f64>() + 0.0,
            changed: tables.cells.last().map_or(0, RecordBatch::num_rows),
            coverage_rows,
            seconds: began.elapsed().as_secs_f64(),
        });
        progress.step(1)?;
    }
    let report = ScenariosReport {
        walkshed: env!("CARGO_PKG_VERSION"),
        study,
        synthetic,
        inputs: files,
        prepare_s,
        scenarios: reports,
    };
    publish(out, &tables, &report, progress)?;
    Ok(report)
}

/// All scenarios, or the faults of all. Rows know their scenario by its edits, so no two may have the same.
fn read_all(plans: &[PathBuf]) -> Result<Vec<Scenario>> {
    let (mut read, mut problems) = (Vec::<Scenario>::new(), Vec::new());
    let mut first: HashMap<String, &PathBuf> = HashMap::new();
    for plan in plans {
        match io::scenario::read(plan) {
            Ok(scenario) => {
                if let Some(other) = first.insert(scenario.id.clone(), plan) {
                    let fault = EditFault::SameScenario { file: file_name(other) };
                    problems.push(Problem::of_file(file_name(plan), fault.into()));
                }
                read.push(scenario);
            }
            Err(Error::Input(faults)) => problems.extend(faults),
            Err(other) => return Err(other),
        }
    }
    if problems.is_empty() { Ok(read) } else { Err(Error::Input(problems)) }
}

fn edits(scenario: &Scenario) -> Result<serde_json::Value> {
    let json = io::scenario::to_json(&scenario.edits)?;
    serde_json::from_str(&json).map_err(|error| Error::Internal(error.to_string()))
}

/// The tables of all scenarios, one batch after the other.
#[derive(Default)]
struct Tables {
    coverage: Vec<RecordBatch>,
    cells: Vec<RecordBatch>,
    gains: Vec<RecordBatch>,
}

impl Tables {
    /// Add an answer; how many rows of coverage it has.
    fn add(&mut self, study: &Study, city: &City, scenario: &Scenario, answer: Answer) -> Result<usize> {
        self.cells.push(of(
            scenario,
            &io::changes::cells_to_batch(&city.changed_cells(&answer), city.cells(&answer)),
        )?);
        self.gains.push(of(scenario, &io::changes::gains_to_batch(&city.gains(&answer)))?);
        let mut rows = 0;
        for coverage in answer.coverage {
            let profile = coverage.profile.clone();
            let own = coverage.of_groups(|group| study.coverage.walks_as(group, &profile));
            rows += own.len();
            self.coverage.push(of(scenario, &io::coverage::to_batch(&own))?);
        }
        Ok(rows)
    }
}

/// A batch with the id of its scenario first.
fn of(scenario: &Scenario, batch: &RecordBatch) -> Result<RecordBatch> {
    let id = StringArray::from_iter_values(std::iter::repeat_n(&scenario.id, batch.num_rows()));
    let field = Arc::new(Field::new("scenario", id.data_type().clone(), false));
    let fields = std::iter::once(field).chain(batch.schema().fields().iter().cloned()).collect::<Vec<_>>();
    let columns = std::iter::once(Arc::new(id) as ArrayRef).chain(batch.columns().iter().cloned());
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns.collect())
        .map_err(|error| Error::Internal(error.to_string()))
}

fn publish(out: &Path, tables: &Tables, report: &ScenariosReport, progress: &Progress) -> Result<()> {
    progress.hold()?;
    let staging = Staging::begin_marked(out, MARK)?;
    let named = [
        ("coverage.parquet", &tables.coverage),
        ("cells.parquet", &tables.cells),
        ("gains.parquet", &tables.gains),
    ];
    for (name, batches) in named {
        let Some(first) = batches.first() else { continue };
        let whole =
            concat_batches(&first.schema(), batches).map_err(|error| Error::Internal(error.to_string()))?;
        geoparquet::write(&staging.folder().join(name), &whole, progress)?;
    }
    let text = serde_json::to_string_pretty(report).map_err(|error| Error::Internal(error.to_string()))?;
    let path = staging.folder().join(MARK);
    std::fs::write(&path, text + "\n").map_err(Error::file(&path))?;
    progress.check()?;
    staging.publish()
}
