//! The largest inputs that are taken, all in one place: what a file may ask for is bounded before it is believed.
//!
//! Why these values: docs/design/2026-11-hostile-input.md.

use super::problem::{Bilingual, both};

/// What is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Amount {
    /// Bytes of the header of a blob of an OSM PBF file (the format's own limit).
    BlobHeaderBytes,
    /// Bytes of a blob, packed or inflated (the format's own limit).
    BlobBytes,
    /// Inflated bytes of a whole OSM PBF file, for each byte of the file.
    InflatedRatio,
    /// Packed bytes of a page of a Parquet file.
    PageBytes,
    /// Inflated bytes of a page of a Parquet file.
    InflatedPageBytes,
    /// Inflated bytes of a column of a Parquet file, for each of its bytes.
    ParquetRatio,
    /// Inflated bytes of a Parquet file.
    TableBytes,
    /// Bytes of the footer of a Parquet file.
    FooterBytes,
    /// Rows of a table.
    Rows,
    /// Columns of a table.
    Columns,
    /// Bytes of a delimited text or a `GeoJSON` file.
    TextBytes,
    /// Geometries inside each other in WKB.
    WkbDepth,
    /// Pixels of a raster.
    Pixels,
    /// Bytes of a TOML file.
    SettingsBytes,
    /// Cells of one outline.
    Cells,
}

impl Amount {
    /// The largest amount that is taken.
    #[expect(clippy::match_same_arms, reason = "equal by chance; each limit has a reason of its own")]
    pub const fn most(self) -> u64 {
        const KIB: u64 = 1 << 10;
        const MIB: u64 = 1 << 20;
        const GIB: u64 = 1 << 30;
        match self {
            Self::BlobHeaderBytes => 64 * KIB,
            Self::BlobBytes => 32 * MIB,
            Self::InflatedRatio => 200,
            Self::PageBytes => 64 * MIB,
            Self::InflatedPageBytes => 256 * MIB,
            Self::ParquetRatio => 1000,
            Self::TableBytes => 16 * GIB,
            Self::FooterBytes => 64 * MIB,
            Self::Rows => 100_000_000,
            Self::Columns => 10_000,
            Self::TextBytes => 4 * GIB,
            Self::WkbDepth => 32,
            Self::Pixels => 400_000_000,
            Self::SettingsBytes => 16 * MIB,
            Self::Cells => 50_000_000,
        }
    }

    /// Its name and unit.
    pub fn name(self) -> Bilingual {
        match self {
            Self::BlobHeaderBytes => both("bytes of a blob header", "数据块头字节数"),
            Self::BlobBytes => both("bytes of a blob", "数据块字节数"),
            Self::InflatedRatio => both("inflated bytes for each byte of the file", "文件解压比"),
            Self::PageBytes => both("bytes of a page", "页字节数"),
            Self::InflatedPageBytes => both("inflated bytes of a page", "页解压后字节数"),
            Self::ParquetRatio => both("inflated bytes for each byte of a column", "列解压比"),
            Self::TableBytes => both("inflated bytes of the table", "表解压后字节数"),
            Self::FooterBytes => both("bytes of the footer", "文件尾字节数"),
            Self::Rows => both("rows", "行数"),
            Self::Columns => both("columns", "列数"),
            Self::TextBytes => both("bytes of text", "文本字节数"),
            Self::WkbDepth => both("geometries inside each other", "几何嵌套层数"),
            Self::Pixels => both("pixels", "像元数"),
            Self::SettingsBytes => both("bytes of settings", "设置文件字节数"),
            Self::Cells => both("cells of one outline", "单个轮廓的单元数"),
        }
    }
}
