//! The Python face of the engine: registration only. Each noun has a file of its own here and one of the same name in
//! `python/walkshed/`.
#![deny(unsafe_code)]

mod access;
mod areas;
mod arrow;
mod coverage;
mod equity;
mod error;
mod facilities;
mod isochrones;
mod job;
mod network;
mod offset;
mod reach;
mod route;
mod scenario;
mod score;
mod siting;
mod straight;
mod study;
mod synthetic;

use pyo3::prelude::*;

#[pymodule]
fn _engine(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("MAX_SNAP_M", walkshed::model::study::MAX_SNAP_M)?;
    module.add("InputError", module.py().get_type::<error::InputError>())?;
    module.add("InternalError", module.py().get_type::<error::InternalError>())?;
    module.add_class::<network::Network>()?;
    module.add_class::<scenario::Baseline>()?;
    module.add_class::<arrow::TableInCrs>()?;
    module.add_class::<arrow::FileTable>()?;
    module.add_class::<error::Refusal>()?;
    module.add_class::<siting::SitingProgram>()?;
    module.add_class::<siting::SitingSearch>()?;
    module.add_function(wrap_pyfunction!(arrow::in_crs, module)?)?;
    module.add_function(wrap_pyfunction!(arrow::file_table, module)?)?;
    module.add_function(wrap_pyfunction!(arrow::is_gb, module)?)?;
    module.add_function(wrap_pyfunction!(arrow::read_file, module)?)?;
    module.add_function(wrap_pyfunction!(error::refusal, module)?)?;
    module.add_function(wrap_pyfunction!(error::refuse, module)?)?;
    module.add_function(wrap_pyfunction!(access::check_decay, module)?)?;
    module.add_function(wrap_pyfunction!(access::cumulative, module)?)?;
    module.add_function(wrap_pyfunction!(access::gravity, module)?)?;
    module.add_function(wrap_pyfunction!(access::closest, module)?)?;
    module.add_function(wrap_pyfunction!(access::two_step_fca, module)?)?;
    module.add_function(wrap_pyfunction!(coverage::coverage, module)?)?;
    module.add_function(wrap_pyfunction!(coverage::roll_up, module)?)?;
    module.add_function(wrap_pyfunction!(coverage::uncovered, module)?)?;
    module.add_function(wrap_pyfunction!(coverage::capacity_per_group, module)?)?;
    module.add_function(wrap_pyfunction!(equity::lorenz, module)?)?;
    module.add_function(wrap_pyfunction!(equity::gini, module)?)?;
    module.add_function(wrap_pyfunction!(equity::theil, module)?)?;
    module.add_function(wrap_pyfunction!(equity::palma, module)?)?;
    module.add_function(wrap_pyfunction!(equity::concentration_index, module)?)?;
    module.add_function(wrap_pyfunction!(equity::fgt, module)?)?;
    module.add_function(wrap_pyfunction!(isochrones::isochrones, module)?)?;
    module.add_function(wrap_pyfunction!(isochrones::isochrone_cells, module)?)?;
    module.add_function(wrap_pyfunction!(offset::detect_crs, module)?)?;
    module.add_function(wrap_pyfunction!(reach::nearest, module)?)?;
    module.add_function(wrap_pyfunction!(reach::reach, module)?)?;
    module.add_function(wrap_pyfunction!(reach::reach_batches, module)?)?;
    module.add_function(wrap_pyfunction!(reach::counts, module)?)?;
    module.add_function(wrap_pyfunction!(reach::nearest_few, module)?)?;
    module.add_function(wrap_pyfunction!(reach::node_times, module)?)?;
    module.add_function(wrap_pyfunction!(reach::matrix, module)?)?;
    module.add_function(wrap_pyfunction!(scenario::read_scenario, module)?)?;
    module.add_function(wrap_pyfunction!(scenario::check_edits, module)?)?;
    module.add_function(wrap_pyfunction!(scenario::with_scenario, module)?)?;
    module.add_function(wrap_pyfunction!(scenario::run_scenarios, module)?)?;
    module.add_function(wrap_pyfunction!(scenario::build_order, module)?)?;
    module.add_function(wrap_pyfunction!(scenario::edit_facilities, module)?)?;
    module.add_function(wrap_pyfunction!(scenario::edit_cells, module)?)?;
    module.add_function(wrap_pyfunction!(scenario::edit_areas, module)?)?;
    module.add_function(wrap_pyfunction!(score::standards, module)?)?;
    module.add_function(wrap_pyfunction!(score::requirements, module)?)?;
    module.add_function(wrap_pyfunction!(score::score, module)?)?;
    module.add_function(wrap_pyfunction!(score::score_run, module)?)?;
    module.add_function(wrap_pyfunction!(siting::siting, module)?)?;
    module.add_function(wrap_pyfunction!(siting::siting_candidates, module)?)?;
    module.add_function(wrap_pyfunction!(siting::check_siting, module)?)?;
    module.add_function(wrap_pyfunction!(siting::publish_siting, module)?)?;
    module.add_function(wrap_pyfunction!(route::route, module)?)?;
    module.add_function(wrap_pyfunction!(network::profiles, module)?)?;
    module.add_function(wrap_pyfunction!(straight::straight_line, module)?)?;
    module.add_function(wrap_pyfunction!(straight::detour, module)?)?;
    module.add_function(wrap_pyfunction!(study::study_files, module)?)?;
    module.add_function(wrap_pyfunction!(study::run_study, module)?)?;
    module.add_function(wrap_pyfunction!(study::validate_inputs, module)?)?;
    module.add_function(wrap_pyfunction!(facilities::catalogue, module)?)?;
    module.add_function(wrap_pyfunction!(facilities::levels, module)?)?;
    module.add_function(wrap_pyfunction!(facilities::classify, module)?)?;
    module.add_function(wrap_pyfunction!(facilities::find_duplicates, module)?)?;
    module.add_function(wrap_pyfunction!(facilities::merge_duplicates, module)?)?;
    module.add_function(wrap_pyfunction!(synthetic::synth, module)?)?;
    module.add_function(wrap_pyfunction!(study::age_groups, module)?)?;
    module.add_function(wrap_pyfunction!(areas::check_areas, module)?)?;
    Ok(())
}
