//! What was found about areas and between neighbours, as a table.

use crate::model::area_fault::AreaFault;
use crate::model::problem::{Fault, Problem};
use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray, UInt64Array};
use std::sync::Arc;

/// Findings as a table: `area_id`, `finding` (a stable code), `severity` (`rejected`, `warning`, `note`), `neighbours` (the
/// other area or areas), `share` (of the area that is outside its parent), `area_m2`, `people`, `row` (from 1), `column`,
/// `value`, `message` and `message_zh`. Null where a finding has no such number.
pub fn to_batch(problems: &[Problem]) -> RecordBatch {
    let text = |of: &dyn Fn(&Problem) -> Option<String>| -> ArrayRef {
        Arc::new(problems.iter().map(of).collect::<StringArray>())
    };
    let number = |of: fn(&Measured) -> Option<f64>| -> ArrayRef {
        Arc::new(problems.iter().map(|problem| of(&measured(problem))).collect::<Float64Array>())
    };
    let rows: UInt64Array = problems.iter().map(|problem| problem.row).collect();
    RecordBatch::try_from_iter_with_nullable([
        ("area_id", text(&|problem| problem.id.clone()), true),
        ("finding", text(&|problem| Some(problem.fault.code().to_owned())), false),
        ("severity", text(&|problem| Some(problem.fault.level().name().to_owned())), false),
        ("neighbours", text(&|problem| measured(problem).neighbours), true),
        ("share", number(|measured| measured.share), true),
        ("area_m2", number(|measured| measured.area_m2), true),
        ("people", number(|measured| measured.people), true),
        ("row", Arc::new(rows) as ArrayRef, true),
        ("column", text(&|problem| problem.column.clone()), true),
        ("value", text(&|problem| problem.value.clone()), true),
        ("message", text(&|problem| Some(problem.message().en)), false),
        ("message_zh", text(&|problem| Some(problem.message().zh)), false),
    ])
    .expect("all columns have one value per problem")
}

/// The numbers of a finding.
#[derive(Default)]
struct Measured {
    neighbours: Option<String>,
    share: Option<f64>,
    area_m2: Option<f64>,
    people: Option<f64>,
}

fn measured(problem: &Problem) -> Measured {
    let Fault::Area(fault) = &problem.fault else { return Measured::default() };
    let (neighbours, share, area_m2, people) = match fault {
        AreaFault::OutsideParent { parent, share, area_m2, people } => {
            (Some(parent), Some(*share), *area_m2, *people)
        }
        AreaFault::Overlap { neighbour, area_m2, people } => (Some(neighbour), None, *area_m2, *people),
        AreaFault::Gap { neighbours, area_m2, people } => (Some(neighbours), None, *area_m2, *people),
        AreaFault::Slivers { area_m2, .. } => (None, None, *area_m2, None),
        _ => return Measured::default(),
    };
    Measured { neighbours: neighbours.cloned(), share, area_m2: Some(area_m2), people }
}
