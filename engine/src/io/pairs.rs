//! Origins and facilities within reach of each other, as tables.

use super::repeated;
use crate::model::facility::Facilities;
use crate::model::ids::Ids;
use crate::model::times::Deciseconds;
use arrow_array::{ArrayRef, Float64Array, RecordBatch, UInt32Array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use std::sync::Arc;

/// Makes the columns of pairs: what is the same for all of them is prepared once, and texts are shared, not copied.
#[derive(Debug)]
pub struct PairColumns {
    origin: ArrayRef,
    facility: ArrayRef,
    class: ArrayRef,
    schema: SchemaRef,
}

impl PairColumns {
    /// For pairs of these origins and facilities.
    pub fn new(origins: &Ids, facilities: &Facilities) -> Self {
        let (origin, facility) = (repeated::ids(origins), repeated::ids(&facilities.id));
        let class = repeated::texts(&facilities.class);
        let schema = Arc::new(Schema::new(vec![
            Field::new("origin_id", origin.data_type().clone(), false),
            Field::new("facility_id", facility.data_type().clone(), false),
            Field::new("class", DataType::Utf8View, false),
            Field::new("time_s", DataType::Float64, false),
        ]));
        Self { origin, facility, class, schema }
    }

    /// Bytes of a row.
    pub fn row_bytes(&self) -> u64 {
        let of = |field: &DataType| field.primitive_width().unwrap_or(size_of::<u128>()) as u64;
        self.schema.fields().iter().map(|field| of(field.data_type())).sum()
    }

    /// `origin_id`, `facility_id`, `class`, `time_s` (seconds). No nulls.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// Pairs by rows of origins and of facilities.
    pub fn batch(&self, origin: Vec<u32>, facility: Vec<u32>, time_ds: &[Deciseconds]) -> RecordBatch {
        let (origin, facility) = (UInt32Array::from(origin), UInt32Array::from(facility));
        let seconds: Float64Array = time_ds.iter().map(|&time_ds| f64::from(time_ds) / 10.0).collect();
        let columns = vec![
            repeated::at_places(&self.origin, &origin),
            repeated::at_places(&self.facility, &facility),
            repeated::at_places(&self.class, &facility),
            Arc::new(seconds) as ArrayRef,
        ];
        RecordBatch::try_new(self.schema(), columns).expect("all columns have one value per pair")
    }
}
