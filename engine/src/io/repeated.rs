//! Columns that many rows repeat: their texts are shared by all that is taken from them, not copied.

use super::facilities::ids_column;
use crate::model::ids::Ids;
use arrow_array::{ArrayRef, StringViewArray, UInt32Array};
use arrow_schema::DataType;
use arrow_select::take::take;
use std::sync::Arc;

/// Texts as a column.
pub fn texts<T: AsRef<str>>(texts: &[T]) -> ArrayRef {
    Arc::new(texts.iter().map(|text| Some(text.as_ref())).collect::<StringViewArray>())
}

/// All ids as a column.
pub fn ids(ids: &Ids) -> ArrayRef {
    let column = ids_column(ids, (0..ids.len()).map(Some));
    match column.data_type() {
        DataType::Utf8 => arrow_cast::cast(&column, &DataType::Utf8View).expect("texts are texts"),
        _ => column,
    }
}

/// The values at these places, each within the column; null where there is none.
pub fn at(values: &ArrayRef, places: impl IntoIterator<Item = Option<u32>>) -> ArrayRef {
    at_places(values, &places.into_iter().collect())
}

/// The same where each row has a place.
pub fn at_each(values: &ArrayRef, places: impl IntoIterator<Item = usize>) -> ArrayRef {
    at_places(values, &UInt32Array::from_iter_values(places.into_iter().map(|place| place as u32)))
}

/// The same of places that are a column already.
pub fn at_places(values: &ArrayRef, places: &UInt32Array) -> ArrayRef {
    take(values, places, None).expect("places are within")
}
