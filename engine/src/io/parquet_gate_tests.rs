//! Hostile Parquet files (Q1 to Q8 of docs/design/2026-11-hostile-input.md), all made here.

use super::files::Stamp;
use super::table::Table;
use crate::model::error::Error;
use crate::model::limits::Amount;
use crate::model::problem::{Fault, Problem};
use arrow_array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::metadata::{
    ParquetMetaData, ParquetMetaDataReader, ParquetMetaDataWriter, RowGroupMetaData,
};
use parquet::file::properties::WriterProperties;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("x.parquet")
    }

    fn write(&self, bytes: &[u8]) -> PathBuf {
        std::fs::write(self.path(), bytes).unwrap();
        self.path()
    }
}

/// A file of one column, written in these pieces.
fn written(pieces: Vec<ArrayRef>, compression: Compression) -> Vec<u8> {
    let batch = |column: ArrayRef| RecordBatch::try_from_iter([("id", column)]).unwrap();
    let properties = WriterProperties::builder().set_compression(compression).build();
    let mut bytes = Vec::new();
    let mut writer =
        ArrowWriter::try_new(&mut bytes, batch(pieces[0].clone()).schema(), Some(properties)).unwrap();
    for column in pieces {
        writer.write(&batch(column)).unwrap();
    }
    writer.close().unwrap();
    bytes
}

fn numbers() -> Vec<u8> {
    let column: ArrayRef = Arc::new(Int64Array::from_iter_values(0..100));
    written(vec![column], Compression::UNCOMPRESSED)
}

fn metadata_of(bytes: &[u8]) -> ParquetMetaData {
    let folder = Folder::new();
    let file = File::open(folder.write(bytes)).unwrap();
    ParquetMetaDataReader::new().parse_and_finish(&file).unwrap()
}

/// The same data under another footer.
fn with_groups(bytes: &[u8], groups: impl Fn(RowGroupMetaData) -> Vec<RowGroupMetaData>) -> Vec<u8> {
    let footer = u32::from_le_bytes(bytes[bytes.len() - 8..bytes.len() - 4].try_into().unwrap()) as usize;
    let data = &bytes[..bytes.len() - 8 - footer];
    let mut builder = metadata_of(bytes).into_builder();
    let group = builder.take_row_groups().remove(0);
    let metadata = builder.set_row_groups(groups(group)).build();
    let mut out = data.to_vec();
    ParquetMetaDataWriter::new(&mut out, &metadata).finish().unwrap();
    out
}

#[track_caller]
fn refused(bytes: &[u8]) -> Problem {
    match Table::read(&Folder::new().write(bytes)) {
        Err(Error::Input(problems)) => problems[0].clone(),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn reason(bytes: &[u8]) -> String {
    match refused(bytes).fault {
        Fault::Unreadable { reason } => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_sound_file_passes_under_its_own_and_a_rewritten_footer() {
    for bytes in [numbers(), with_groups(&numbers(), |group| vec![group])] {
        let table = Table::read(&Folder::new().write(&bytes)).unwrap();
        assert_eq!(table.rows(), 100);
    }
}

/// Q3: the idea of 42.parquet, many row groups over the same bytes.
#[test]
fn row_groups_over_the_same_bytes_are_refused() {
    let bomb = with_groups(&numbers(), |group| vec![group; 1000]);
    assert_eq!(reason(&bomb), "columns or row groups overlap");
}

#[test]
fn more_rows_than_are_taken_are_refused_before_any_is_read() {
    let bomb = with_groups(&numbers(), |group| {
        let column = group.column(0).clone().into_builder().set_num_values(1 << 40).build().unwrap();
        let group = group.into_builder().set_num_rows(1 << 40).set_column_metadata(vec![column]);
        vec![group.build().unwrap()]
    });
    let Fault::TooLarge { amount, found, .. } = refused(&bomb).fault else { panic!() };
    assert_eq!((amount, found), (Amount::Rows, 1 << 40));
}

/// Q2: a page header that says 2 GiB, of a column that is long enough for the longer number.
/// The header of a data page of 100 values, and a last field of this kind with these bytes.
fn header_with(kind: u8, value: &[u8]) -> Vec<u8> {
    let mut bytes =
        vec![0x15, 0x00, 0x15, 0xc8, 0x01, 0x15, 0xc8, 0x01, 0x2c, 0x15, 0xc8, 0x01, 0x00, 0x40 | kind];
    bytes.extend(value);
    bytes.push(0);
    bytes
}

#[test]
fn lists_have_no_place_in_the_header_of_a_page() {
    let number = super::parquet_gate::page_header(&header_with(5, &[0x02])).unwrap();
    assert_eq!((number.values, number.packed), (100, 100));
    let inside = [&[0x19_u8, 0x11, 0x01][..], &[0x00]].concat();
    for (kind, value) in [(9, &[0x11, 0x01][..]), (10, &[0x00]), (11, &[0x00]), (12, &inside)] {
        assert!(super::parquet_gate::page_header(&header_with(kind, value)).is_none(), "kind {kind}");
    }
}

#[test]
fn files_that_kept_the_decoder_busy_are_refused() {
    for name in ["list_in_page_header", "list_in_a_page_after_the_last"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/parquet").join(name);
        let problem = refused(&std::fs::read(path).unwrap());
        assert!(problem.to_string().contains("the header of a page is damaged"), "{name}: {problem}");
    }
}

#[test]
fn a_page_that_says_two_gibibytes_is_refused() {
    let bytes = numbers();
    // Field 1 is the type, field 2 the inflated size: 0x15 and the number, zigzag.
    let metadata = metadata_of(&bytes);
    let column = metadata.row_group(0).column(0);
    let at = column.dictionary_page_offset().unwrap_or(column.data_page_offset()) as usize;
    assert_eq!((bytes[at], bytes[at + 2]), (0x15, 0x15));
    let old = bytes[at + 3..].iter().position(|byte| *byte < 0x80).unwrap() + 1;
    let two_gib = [0xfe, 0xff, 0xff, 0xff, 0x0f];
    let longer = [&bytes[..at + 3], &two_gib, &bytes[at + 3 + old..]].concat();
    let grown = (two_gib.len() - old) as i64;
    let bomb = with_groups_of(&longer, &bytes, |group| {
        let column = group.column(0).clone();
        let size = column.compressed_size() + grown;
        let column = column.into_builder().set_total_compressed_size(size).build().unwrap();
        vec![group.into_builder().set_column_metadata(vec![column]).build().unwrap()]
    });
    let Fault::TooLarge { amount, found, .. } = refused(&bomb).fault else { panic!() };
    assert_eq!((amount, found), (Amount::InflatedPageBytes, (1 << 31) - 1));
}

/// The data of one file under the footer of another, rewritten.
fn with_groups_of(
    data: &[u8],
    footer_of: &[u8],
    groups: impl Fn(RowGroupMetaData) -> Vec<RowGroupMetaData>,
) -> Vec<u8> {
    let footer = u32::from_le_bytes(data[data.len() - 8..data.len() - 4].try_into().unwrap()) as usize;
    let rewritten = with_groups(footer_of, groups);
    let own =
        u32::from_le_bytes(rewritten[rewritten.len() - 8..rewritten.len() - 4].try_into().unwrap()) as usize;
    [&data[..data.len() - 8 - footer], &rewritten[rewritten.len() - 8 - own..]].concat()
}

#[test]
fn a_column_outside_the_file_is_refused() {
    for size in [1 << 20, i64::MAX] {
        let bomb = with_groups(&numbers(), |group| {
            let column =
                group.column(0).clone().into_builder().set_total_compressed_size(size).build().unwrap();
            vec![group.into_builder().set_column_metadata(vec![column]).build().unwrap()]
        });
        assert_eq!(reason(&bomb), "a column lies outside the file");
    }
}

/// Q1: a list of 2^31 - 1 row groups in a few bytes.
#[test]
fn a_footer_that_lists_more_than_it_has_is_refused() {
    let footer = [0x49, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07, 0x00];
    let bomb = [&b"PAR1"[..], &footer, &8_u32.to_le_bytes(), b"PAR1"].concat();
    assert_eq!(reason(&bomb), "the footer is damaged");
    let long = [&b"PAR1"[..], &footer, &9_u32.to_le_bytes(), b"PAR1"].concat();
    assert_eq!(reason(&long), "its footer is longer than the file");
}

/// Q5: what has no rows, no footer or no key.
#[test]
fn empty_unfinished_and_encrypted_files_are_told_apart() {
    let nobody: ArrayRef = Arc::new(Int64Array::from_iter_values(0..0));
    assert_eq!(refused(&written(vec![nobody], Compression::SNAPPY)).fault, Fault::EmptyTable);
    let mut unfinished = numbers();
    unfinished.truncate(unfinished.len() - 20);
    assert!(reason(&unfinished).contains("no footer"));
    let encrypted = [&b"PARE"[..], &[0; 20], b"PARE"].concat();
    assert_eq!(reason(&encrypted), "it is encrypted");
    assert_eq!(refused(b"<html></html>").value.as_deref(), Some("HTML"));
}

/// Q7: a few bytes of a dictionary that stand for more than the memory of a small file may hold.
#[test]
fn values_that_fill_the_memory_are_refused() {
    // 40 million times true.
    let yes: ArrayRef = Arc::new(BooleanArray::from(vec![true; 40_000_000]));
    let bytes = written(vec![yes], Compression::SNAPPY);
    assert!(bytes.len() < 1 << 20);
    let Fault::TooLarge { amount, .. } = refused(&bytes).fault else { panic!() };
    assert_eq!(amount, Amount::TableBytes);
    // 8,192 times the same 64 KiB.
    let long = "x".repeat(1 << 16);
    let piece: ArrayRef = Arc::new(StringArray::from_iter_values(vec![&long; 512]));
    let bytes = written(vec![piece; 16], Compression::UNCOMPRESSED);
    assert!(bytes.len() < 1 << 20, "{}", bytes.len());
    let Fault::TooLarge { amount, .. } = refused(&bytes).fault else { panic!() };
    assert_eq!(amount, Amount::TableBytes);
}

/// Q8: a file that is another at the end of reading.
#[test]
fn a_file_that_changes_while_it_is_read_is_told() {
    let folder = Folder::new();
    let path = folder.write(&numbers());
    let file = File::open(&path).unwrap();
    let stamp = Stamp::of(&file).unwrap();
    assert!(stamp.check(&file, &path).is_ok());
    std::fs::write(&path, &numbers()[..50]).unwrap();
    assert!(stamp.check(&file, &path).unwrap_err().to_string().contains("changed while it was read"));
    // Another file of the same name, put in place in one step.
    let other = folder.0.path().join("other");
    std::fs::write(&other, [0; 500]).unwrap();
    std::fs::rename(&other, &path).unwrap();
    let file = File::open(&path).unwrap();
    let stamp = Stamp::of(&file).unwrap();
    std::fs::write(&other, [0; 501]).unwrap();
    std::fs::rename(&other, &path).unwrap();
    assert!(stamp.check(&file, &path).is_err());
}
