//! Delimited text (CSV) as tables: encoding and separator are found at the door, every column stays text until a reader
//! asks for numbers, so that a fault can name its row.

use super::encoding;
use super::files::{self, unreadable};
use super::table::Table;
use crate::model::error::{Error, Result};
use crate::model::limits::Amount;
use crate::model::problem::{Fault, Problem};
use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

/// Separators that programs write, the usual one first.
const SEPARATORS: [char; 4] = [',', ';', '\t', '|'];

/// A table from delimited text in UTF-8, UTF-16 or GB 18030 (which holds GBK and GB 2312). The file is read, never mapped
/// into memory: a file that somebody shortens meanwhile would take the process with it.
///
/// # Errors
/// A problem when there is no row, or the text cannot be read.
pub fn read(path: &Path, name: &str) -> Result<Table> {
    use polars::prelude::{CsvReadOptions, SerReader};
    let bytes = files::read_bytes(path, Amount::TextBytes)?;
    let (text, guessed) = encoding::decode(&bytes).map_err(|fault| Problem::of_file(name, fault))?;
    let separator = separator(&text);
    let frame = CsvReadOptions::default()
        .with_has_header(true)
        .with_infer_schema_length(Some(0))
        .map_parse_options(|options| options.with_separator(separator as u8))
        .into_reader_with_file_handle(Cursor::new(text.as_bytes()))
        .finish()
        .map_err(|error| match error {
            polars::error::PolarsError::NoData(_) => Error::from(Problem::of_file(name, Fault::EmptyTable)),
            other => unreadable(name)(other),
        })?;
    let mut fields = Vec::new();
    let mut columns: Vec<ArrayRef> = Vec::new();
    for column in frame.columns() {
        let text = column.str().map_err(unreadable(name))?;
        fields.push(Field::new(column.name().as_str().trim(), DataType::Utf8, true));
        columns.push(Arc::new(text.iter().collect::<StringArray>()));
    }
    let schema = Arc::new(Schema::new(fields));
    let batch = RecordBatch::try_new(schema.clone(), columns).map_err(unreadable(name))?;
    let table = Table::from_batches(name, &schema, &[batch])?.untyped(Some(separator));
    Ok(match guessed {
        None => table,
        Some(encoding) => table.with_note(Fault::GuessedEncoding { encoding: encoding.to_owned() }),
    })
}

/// The separator of the header line: the one that stands most often outside quotes, the usual one where none does.
fn separator(text: &str) -> char {
    let mut counts = [0_usize; SEPARATORS.len()];
    let mut quoted = false;
    for letter in text.chars() {
        match letter {
            '"' => quoted = !quoted,
            '\n' if !quoted => break,
            _ => {}
        }
        if let Some(at) = SEPARATORS.iter().position(|&separator| separator == letter).filter(|_| !quoted) {
            counts[at] += 1;
        }
    }
    let most = counts.iter().copied().max().unwrap_or_default();
    let at = counts.iter().position(|&count| count == most).unwrap_or_default();
    SEPARATORS[at]
}

#[cfg(test)]
mod tests {
    use super::separator;

    #[test]
    fn the_header_tells_the_separator() {
        for (header, wanted) in [
            ("id,lon,lat\n1;2;3;4;5", ','),
            ("id;lon;lat\n1;106,5;29,5", ';'),
            ("id\tlon\tlat", '\t'),
            ("\"a,b,c\";d\n", ';'),
            ("id|class", '|'),
            ("cell", ','),
            ("", ','),
        ] {
            assert_eq!(separator(header), wanted, "{header}");
        }
    }
}
