//! Nested columns (lists, records) row by row, as JSON: a schema of records is then a type that is read from it.

use super::table::Table;
use crate::model::error::Result;
use crate::model::problem::{Fault, Problem};
use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// A nested column of a table; one that is not there is null in every row.
#[derive(Debug)]
pub struct Nested<'a> {
    table: &'a Table,
    column: &'static str,
    array: Option<ArrayRef>,
}

impl<'a> Nested<'a> {
    /// The column of this name.
    pub fn of(table: &'a Table, column: &'static str) -> Result<Self> {
        let array = if table.has(column) { Some(table.array(column)?) } else { None };
        Ok(Self { table, column, array })
    }

    /// What a row says; the default where it is null.
    ///
    /// # Errors
    /// A problem of the row when its value is not of this form.
    pub fn get<T: DeserializeOwned + Default>(&self, row: usize) -> std::result::Result<T, Box<Problem>> {
        let Some(array) = self.array.as_ref().filter(|array| array.is_valid(row)) else {
            return Ok(T::default());
        };
        let found = value(array, row);
        // A column of nothing but nulls has no mask of them.
        if found.is_null() {
            return Ok(T::default());
        }
        serde_json::from_value(found.clone()).map_err(|error| {
            let fault = Fault::Unreadable { reason: error.to_string() };
            Box::new(self.table.problem(row, self.column, Some(shortened(&found)), fault))
        })
    }
}

fn shortened(value: &Value) -> String {
    value.to_string().chars().take(200).collect()
}

fn value(array: &ArrayRef, row: usize) -> Value {
    if array.is_null(row) {
        return Value::Null;
    }
    let list = |items: ArrayRef| Value::Array((0..items.len()).map(|item| value(&items, item)).collect());
    match array.data_type() {
        DataType::List(_) => list(array.as_list::<i32>().value(row)),
        DataType::LargeList(_) => list(array.as_list::<i64>().value(row)),
        DataType::FixedSizeList(..) => list(array.as_fixed_size_list().value(row)),
        DataType::Struct(fields) => {
            let of = |(field, column): (&arrow_schema::FieldRef, &ArrayRef)| {
                (field.name().clone(), value(column, row))
            };
            Value::Object(fields.iter().zip(array.as_struct().columns()).map(of).collect::<Map<_, _>>())
        }
        DataType::Utf8 => Value::from(array.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => Value::from(array.as_string::<i64>().value(row)),
        DataType::Utf8View => Value::from(array.as_string_view().value(row)),
        DataType::Boolean => Value::from(array.as_boolean().value(row)),
        kind if kind.is_numeric() => number(array, row),
        DataType::Dictionary(..) => plain(array, row, &DataType::Utf8),
        _ => Value::Null,
    }
}

fn number(array: &ArrayRef, row: usize) -> Value {
    let one = array.slice(row, 1);
    let float = arrow_cast::cast(&one, &DataType::Float64);
    float.map_or(Value::Null, |float| Value::from(float.as_primitive::<Float64Type>().value(0)))
}

fn plain(array: &ArrayRef, row: usize, kind: &DataType) -> Value {
    let one = arrow_cast::cast(&array.slice(row, 1), kind);
    one.map_or(Value::Null, |one| value(&one, 0))
}
