//! Columns of made-up tables.

use crate::model::synthetic::SOURCE;
use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray, UInt32Array, UInt64Array};
use chrono::{Days, NaiveDate};
use std::sync::Arc;

/// Columns in the making: name, values, whether some are missing.
#[derive(Default)]
pub struct Columns(Vec<(&'static str, ArrayRef, bool)>);

impl Columns {
    /// Text in every row.
    pub fn text(&mut self, name: &'static str, values: impl Iterator<Item = String>) {
        self.0.push((name, Arc::new(StringArray::from_iter_values(values)), false));
    }

    /// Text in some rows.
    pub fn some_text(&mut self, name: &'static str, values: impl Iterator<Item = Option<String>>) {
        self.0.push((name, Arc::new(values.collect::<StringArray>()), true));
    }

    /// A number in every row.
    pub fn numbers(&mut self, name: &'static str, values: impl Iterator<Item = f64>) {
        self.0.push((name, Arc::new(Float64Array::from_iter_values(values)), false));
    }

    /// A number in some rows.
    pub fn some_numbers(&mut self, name: &'static str, values: impl Iterator<Item = Option<f64>>) {
        self.0.push((name, Arc::new(values.collect::<Float64Array>()), true));
    }

    /// A count in every row.
    pub fn counts(&mut self, name: &'static str, values: impl Iterator<Item = u32>) {
        self.0.push((name, Arc::new(UInt32Array::from_iter_values(values)), false));
    }

    /// An H3 cell in every row.
    pub fn cells(&mut self, name: &'static str, values: impl Iterator<Item = u64>) {
        self.0.push((name, Arc::new(UInt64Array::from_iter_values(values)), false));
    }

    /// The columns, for a table with geometry.
    pub fn finish(self) -> Vec<(&'static str, ArrayRef, bool)> {
        self.0
    }

    /// The table.
    pub fn into_batch(self) -> RecordBatch {
        RecordBatch::try_from_iter_with_nullable(self.0).expect("columns have one length")
    }
}

/// What stands in the column `source`.
pub fn synthetic() -> String {
    SOURCE.to_owned()
}

/// The date so many days after the beginning of 2000.
pub fn day(days: u32) -> String {
    let first = NaiveDate::from_ymd_opt(2000, 1, 1).unwrap_or_default();
    first.checked_add_days(Days::new(u64::from(days))).unwrap_or(first).to_string()
}
