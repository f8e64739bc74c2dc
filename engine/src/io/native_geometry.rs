//! Native `GeoArrow` columns as other libraries hand them on: polars calls the child of every list `item`, where the
//! specification names the axes; `DuckDB` forgets that the column holds points.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, FixedSizeListArray, GenericListArray, OffsetSizeTrait};
use arrow_schema::{ArrowError, DataType, Field};
use std::sync::Arc;

/// Whether a field without metadata can only be points: pairs of numbers.
pub fn is_pairs(field: &Field) -> bool {
    matches!(field.data_type(), DataType::FixedSizeList(child, 2) if child.data_type() == &DataType::Float64)
}

/// The column with its coordinates named as the specification wants them, by their number.
///
/// # Errors
/// When lists of it have another number of coordinates than 2, 3 or 4.
pub fn mend(array: &ArrayRef, field: &Field) -> Result<(ArrayRef, Field), ArrowError> {
    let array = named(array)?;
    let mut metadata = field.metadata().clone();
    if is_pairs(field) {
        metadata.entry("ARROW:extension:name".to_owned()).or_insert_with(|| "geoarrow.point".to_owned());
    }
    let field =
        Field::new(field.name(), array.data_type().clone(), field.is_nullable()).with_metadata(metadata);
    Ok((array, field))
}

fn named(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    match array.data_type() {
        DataType::FixedSizeList(child, size) if child.data_type() == &DataType::Float64 => {
            let axes = match size {
                _ if child.name().starts_with("xy") => return Ok(Arc::clone(array)),
                2 => "xy",
                3 => "xyz",
                4 => "xyzm",
                other => return Err(ArrowError::SchemaError(format!("{other} numbers are no coordinates"))),
            };
            let list = array.as_fixed_size_list();
            let child = Arc::new(Field::new(axes, DataType::Float64, child.is_nullable()));
            let list =
                FixedSizeListArray::try_new(child, *size, list.values().clone(), list.nulls().cloned())?;
            Ok(Arc::new(list))
        }
        DataType::List(_) => list::<i32>(array),
        DataType::LargeList(_) => list::<i64>(array),
        _ => Ok(Arc::clone(array)),
    }
}

fn list<Offset: OffsetSizeTrait>(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let list = array.as_list::<Offset>();
    let values = named(list.values())?;
    let (DataType::List(child) | DataType::LargeList(child)) = array.data_type() else {
        return Ok(Arc::clone(array));
    };
    let child = Arc::new(Field::new(child.name(), values.data_type().clone(), child.is_nullable()));
    let list =
        GenericListArray::<Offset>::try_new(child, list.offsets().clone(), values, list.nulls().cloned())?;
    Ok(Arc::new(list))
}
