//! What is wrong with an input, where it is, and what to do: the text that planners read, in English and Chinese.
//!
//! A problem that stops the work is in [`Error::Input`](super::error::Error); a problem of one row is a row of
//! `rejected.parquet`. Both are the same type, so both always name file, row, value and the way out.

use super::area_fault::AreaFault;
use super::damage::Damage;
use super::edit_fault::EditFault;
use super::facility_fault::FacilityFault;
use super::gate::GateFault;
use super::limits::Amount;
use super::population_fault::PopulationFault;
use super::siting_fault::SitingFault;
use std::fmt;

/// One fault of an input.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// File name, or the name of the argument that held the table.
    pub file: String,
    /// Row of the table, counted from 1 without the header; line of a TOML file.
    pub row: Option<u64>,
    /// Id of the row as the user wrote it, or of the OSM element (`node/1`, `way/2`).
    pub id: Option<String>,
    /// Column or key.
    pub column: Option<String>,
    /// The value found.
    pub value: Option<String>,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What can be wrong.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Fault {
    /// The file does not exist.
    NotFound,
    /// The file is not of the kind its name says.
    WrongFormat {
        /// The kind expected.
        expected: &'static str,
    },
    /// The file ends too early.
    Truncated {
        /// Byte at which the incomplete part begins.
        at_byte: u64,
    },
    /// The file cannot be decoded; the decoder's own words.
    Unreadable {
        /// The decoder's words.
        reason: String,
    },
    /// Text in none of the encodings that are read.
    UnknownEncoding,
    /// Text whose encoding nothing states, read in the one that its bytes point to.
    GuessedEncoding {
        /// The encoding.
        encoding: String,
    },
    /// An archive that could do harm, or is none of those that are read.
    UnsafeArchive(ArchiveRisk),
    /// A file that belongs to this one is not beside it.
    MissingPart {
        /// Its name.
        part: String,
    },
    /// A format that a Python library reads, which is not there.
    MissingLibrary {
        /// What to install.
        install: String,
    },
    /// A saved file fails its checksum.
    Corrupt,
    /// A folder, or something else that is no file.
    NotAFile,
    /// The file was rewritten while it was read.
    ChangedWhileRead,
    /// The file has another MD5 sum than the `.md5` beside it.
    OtherSum {
        /// The sum that is stated.
        expected: String,
    },
    /// The file asks for more than is taken.
    TooLarge {
        /// What there is too much of.
        amount: Amount,
        /// How much the file asks for.
        found: u64,
        /// How much is taken.
        most: u64,
    },
    /// A job would take more memory than it may.
    Memory {
        /// What it would take, with what the process holds.
        needed_bytes: u64,
        /// What it may.
        limit_bytes: u64,
    },
    /// The disk has less room than a job may need.
    DiskSpace {
        /// What it may need.
        needed_bytes: u64,
        /// What is free.
        free_bytes: u64,
    },
    /// A block of an OSM PBF file is damaged.
    DamagedBlob {
        /// First byte of the block.
        at_byte: u64,
        /// What is damaged.
        damage: Damage,
    },
    /// A block of an OSM PBF file is packed in a way that is not read.
    UnknownCodec {
        /// First byte of the block.
        at_byte: u64,
        /// The way of packing.
        codec: &'static str,
    },
    /// An OSM PBF file needs a feature that is not known.
    UnknownFeature {
        /// Its name.
        feature: String,
    },
    /// An OSM file of past versions.
    HistoryFile,
    /// An OSM file that is read as a stream, whose ids do not rise.
    NotSorted {
        /// Of which elements: node, way or relation.
        kind: &'static str,
    },
    /// A file that a run keeps for itself while it works is no longer what it wrote.
    DamagedSpool,
    /// An extract seems to end too early: what it holds is used by nothing that it holds.
    LooksCut {
        /// Ways without a relation, else nodes without a way.
        ways: bool,
        /// How many of a sample.
        lonely: u64,
        /// The sample.
        of: u64,
    },
    /// An outline or a coarse cell has more cells of the study than are taken.
    TooManyCells {
        /// How many, about.
        cells: u64,
        /// How many are taken.
        most: u64,
        /// The resolution of the study.
        resolution: u8,
        /// The finest resolution at which there are few enough.
        coarser: Option<u8>,
    },
    /// An outline across the 180th meridian or around a pole, in one piece.
    CrossesAntimeridian,
    /// Ways of an extract refer to nodes that it does not hold, more than at the rim of one.
    MissingNodes {
        /// References to nodes that are missing.
        missing: u64,
        /// All references of walkable ways.
        of: u64,
    },
    /// No rows.
    EmptyTable,
    /// Nothing in the street file may be walked on.
    NoWalkableWay,
    /// What a tile needs hangs on streets farther and farther away.
    TileUnbounded {
        /// How often more was looked at.
        rounds: u32,
    },
    /// No piece of the streets is long enough to be no island, so that tiles cannot tell islands.
    NoMainland,
    /// Two long pieces of the streets that gates alone hold together: tile by tile nobody can say which is the town.
    TwoTowns {
        /// How long both are at least, metres.
        length_m: f64,
    },
    /// A column that is needed is not there.
    MissingColumn {
        /// The columns that are there.
        found: Vec<String>,
    },
    /// A value that is needed is not there.
    MissingValue,
    /// Not a number.
    NotANumber,
    /// Not a date.
    NotADate,
    /// A number outside its range.
    OutOfRange {
        /// The range, as text.
        range: &'static str,
    },
    /// Longitude and latitude look exchanged.
    SwappedLonLat,
    /// Easting and northing are exchanged: Chinese survey sheets call the northing x.
    SwappedXy,
    /// Not an H3 cell.
    NotACell,
    /// A geometry that cannot be used.
    BadGeometry {
        /// Why not.
        reason: String,
    },
    /// An id that an earlier row has.
    DuplicateId {
        /// The earlier row.
        first_row: u64,
    },
    /// A fault of a facility's entry in a ledger.
    Facility(FacilityFault),
    /// A fault of an edit of a scenario.
    Edit(EditFault),
    /// An edge names a node that does not exist.
    UnknownNode,
    /// A name outside a fixed list.
    UnknownName {
        /// The names that exist.
        known: Vec<String>,
    },
    /// No street near enough to join to.
    NotSnapped {
        /// Distance to the nearest street, when one was found.
        nearest_m: Option<f64>,
        /// The greatest distance allowed.
        limit_m: f64,
    },
    /// A coordinate reference system that this version does not read.
    UnsupportedCrs,
    /// The file states another coordinate reference system than the user.
    CrsContradicts {
        /// What the user says.
        said: String,
    },
    /// The places of a source lie to the streets as those of another system would; see `network/offset.rs`.
    OffsetSuspected {
        /// The system that the source states, or was taken to be in.
        stated: String,
        /// The system that it looks like; `None` when no known one explains the offset.
        looks_like: Option<&'static str>,
        /// How far the places lie east of where the streets put them, metres.
        east_m: f64,
        /// How far north, metres.
        north_m: f64,
        /// 0..1, how sure that is.
        confidence: f64,
    },
    /// A raster or a table that does not name its coordinate reference system, and has to.
    MissingCrs,
    /// Lines and outlines are stated to follow great circles; they are taken straight in degrees.
    SphericalEdges,
    /// Every row of the table was rejected.
    AllRejected {
        /// The first rejected row's own text.
        first: String,
    },
    /// A setting that is missing, or that another setting rules out.
    Setting {
        /// What is expected.
        expected: String,
    },
    /// Pixels of a raster without a value.
    NoData {
        /// How many.
        pixels: u64,
        /// Of how many.
        of: u64,
    },
    /// A table whose columns fit no input of a study.
    UnknownUse {
        /// The columns that are there.
        found: Vec<String>,
    },
    /// A folder stands where the results should go and is not an earlier result.
    OutputExists,
    /// Of people by group and by community.
    Population(PopulationFault),
    /// Of areas and between neighbours.
    Area(AreaFault),
    /// Of a choice of sites.
    Siting(SitingFault),
    /// Of a release that is not published.
    Gate(GateFault),
}

impl From<PopulationFault> for Fault {
    fn from(fault: PopulationFault) -> Self {
        Self::Population(fault)
    }
}

impl From<GateFault> for Fault {
    fn from(fault: GateFault) -> Self {
        Self::Gate(fault)
    }
}

impl From<SitingFault> for Fault {
    fn from(fault: SitingFault) -> Self {
        Self::Siting(fault)
    }
}

impl From<AreaFault> for Fault {
    fn from(fault: AreaFault) -> Self {
        Self::Area(fault)
    }
}

/// What a problem means for the work, gravest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The work cannot be done.
    Error,
    /// The row is left out.
    Rejected,
    /// The row is used; somebody should look at it.
    Warning,
    /// Worth knowing.
    Note,
}

impl Level {
    /// All of them, gravest first.
    pub const ALL: [Self; 4] = [Self::Error, Self::Rejected, Self::Warning, Self::Note];

    /// The name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Rejected => "rejected",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// Why an archive is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArchiveRisk {
    /// More members than any table has.
    ManyMembers,
    /// Larger unpacked than any table that fits in memory, or far larger than packed.
    Bomb,
    /// A member that would lie outside the archive's folder, or is a link.
    Outside,
    /// Members are encrypted.
    Encrypted,
    /// An archive in the archive.
    Nested,
    /// No table that is read.
    NoTable,
}

impl ArchiveRisk {
    const ALL: [(&'static str, Self); 6] = [
        ("many_members", Self::ManyMembers),
        ("bomb", Self::Bomb),
        ("outside", Self::Outside),
        ("encrypted", Self::Encrypted),
        ("nested", Self::Nested),
        ("no_table", Self::NoTable),
    ];

    /// The risk of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(known, _)| *known == name).map(|(_, risk)| risk)
    }

    fn text(self) -> Bilingual {
        match self {
            Self::ManyMembers => both("it holds more than 1,000 files", "文件数超过 1,000"),
            Self::Bomb => both(
                "unpacked it has more than 2 GiB, or more than 100 times its size",
                "解压后超过 2 GiB，或超过压缩包的 100 倍",
            ),
            Self::Outside => both(
                "a file in it leads outside its folder, or is a link",
                "其中有文件指向目录之外，或为符号链接",
            ),
            Self::Encrypted => both("it is encrypted", "已加密"),
            Self::Nested => both("it holds another archive", "内含另一个压缩包"),
            Self::NoTable => both("it holds no shapefile", "其中没有 Shapefile"),
        }
    }
}

/// A text in the two languages of the product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bilingual {
    /// English.
    pub en: String,
    /// Chinese.
    pub zh: String,
}

/// A text from its two languages.
pub fn both(en: impl Into<String>, zh: impl Into<String>) -> Bilingual {
    Bilingual { en: en.into(), zh: zh.into() }
}

impl Problem {
    /// A problem of a whole file.
    pub fn of_file(file: impl Into<String>, fault: Fault) -> Self {
        Self { file: file.into(), row: None, id: None, column: None, value: None, fault }
    }

    /// The same problem at a row, counted from 1.
    #[must_use]
    pub fn at_row(mut self, row: u64) -> Self {
        self.row = Some(row);
        self
    }

    /// The same problem of the row with this id.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// The same problem in a column or under a key.
    #[must_use]
    pub fn in_column(mut self, column: impl Into<String>) -> Self {
        self.column = Some(column.into());
        self
    }

    /// The same problem with the value that was found.
    #[must_use]
    pub fn with_value(mut self, value: impl Into<String>) -> Self {
        self.value = Some(value.into());
        self
    }

    /// Where, what and what to do, in one line each language.
    pub fn message(&self) -> Bilingual {
        let (what, fix) = (self.fault.what(), self.fault.fix());
        both(
            format!("{}: {}. {}", self.place(["row", "column", "value"]), what.en, fix.en),
            format!("{}：{}。{}", self.place(["行", "列", "值"]), what.zh, fix.zh),
        )
    }

    fn place(&self, [row, column, value]: [&str; 3]) -> String {
        let parts = [
            Some(self.file.clone()),
            self.row.map(|number| format!("{row} {number}")),
            self.id.as_ref().map(|id| format!("id {id}")),
            self.column.as_ref().map(|name| format!("{column} \"{name}\"")),
            self.value.as_ref().map(|found| format!("{value} \"{found}\"")),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message().en)
    }
}

impl Fault {
    /// A short name that stays the same over versions, for filters and joins.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::WrongFormat { .. } => "wrong_format",
            Self::Truncated { .. } => "truncated",
            Self::Unreadable { .. } => "unreadable",
            Self::UnknownEncoding => "unknown_encoding",
            Self::GuessedEncoding { .. } => "guessed_encoding",
            Self::UnsafeArchive(_) => "unsafe_archive",
            Self::MissingPart { .. } => "missing_part",
            Self::MissingLibrary { .. } => "missing_library",
            Self::Corrupt => "corrupt",
            Self::NotAFile => "not_a_file",
            Self::ChangedWhileRead => "changed_while_read",
            Self::OtherSum { .. } => "other_sum",
            Self::TooLarge { .. } => "too_large",
            Self::Memory { .. } => "memory",
            Self::DiskSpace { .. } => "disk_space",
            Self::DamagedBlob { .. } => "damaged_blob",
            Self::UnknownCodec { .. } => "unknown_codec",
            Self::UnknownFeature { .. } => "unknown_feature",
            Self::HistoryFile => "history_file",
            Self::NotSorted { .. } => "not_sorted",
            Self::DamagedSpool => "damaged_spool",
            Self::LooksCut { .. } => "looks_cut",
            Self::TooManyCells { .. } => "too_many_cells",
            Self::CrossesAntimeridian => "crosses_antimeridian",
            Self::MissingNodes { .. } => "missing_nodes",
            Self::EmptyTable => "empty_table",
            Self::NoWalkableWay => "no_walkable_way",
            Self::TileUnbounded { .. } => "tile_unbounded",
            Self::NoMainland => "no_mainland",
            Self::TwoTowns { .. } => "two_towns",
            Self::MissingColumn { .. } => "missing_column",
            Self::MissingValue => "missing_value",
            Self::NotANumber => "not_a_number",
            Self::NotADate => "not_a_date",
            Self::OutOfRange { .. } => "out_of_range",
            Self::SwappedLonLat => "swapped_lon_lat",
            Self::SwappedXy => "swapped_x_y",
            Self::NotACell => "not_a_cell",
            Self::BadGeometry { .. } => "bad_geometry",
            Self::DuplicateId { .. } => "duplicate_id",
            Self::Facility(fault) => fault.code(),
            Self::Edit(fault) => fault.code(),
            Self::UnknownNode => "unknown_node",
            Self::UnknownName { .. } => "unknown_name",
            Self::NotSnapped { .. } => "not_snapped",
            Self::UnsupportedCrs => "unsupported_crs",
            Self::CrsContradicts { .. } => "crs_contradicts",
            Self::OffsetSuspected { .. } => "offset_suspected",
            Self::MissingCrs => "missing_crs",
            Self::SphericalEdges => "spherical_edges",
            Self::AllRejected { .. } => "all_rejected",
            Self::Setting { .. } => "setting",
            Self::NoData { .. } => "no_data",
            Self::UnknownUse { .. } => "unknown_use",
            Self::OutputExists => "output_exists",
            Self::Population(fault) => fault.code(),
            Self::Area(fault) => fault.code(),
            Self::Siting(fault) => fault.code(),
            Self::Gate(fault) => fault.gate(),
        }
    }

    /// What it means when it does not stop the work: whether the row is left out, or used with a warning.
    pub const fn level(&self) -> Level {
        match self {
            Self::Facility(fault) => fault.level(),
            Self::Edit(fault) => fault.level(),
            Self::MissingNodes { .. } | Self::LooksCut { .. } | Self::OffsetSuspected { .. } => {
                Level::Warning
            }
            Self::GuessedEncoding { .. }
            | Self::SphericalEdges
            | Self::NoData { .. }
            | Self::UnknownUse { .. } => Level::Note,
            Self::Population(fault) => fault.level(),
            Self::Area(fault) => fault.level(),
            _ => Level::Rejected,
        }
    }

    /// What is wrong.
    #[expect(clippy::too_many_lines, reason = "one text for each fault")]
    pub fn what(&self) -> Bilingual {
        match self {
            Self::NotFound => both("the file does not exist", "文件不存在"),
            Self::WrongFormat { expected } => {
                both(format!("this is no {expected} file"), format!("这不是 {expected} 文件"))
            }
            Self::Truncated { at_byte } => both(
                format!("the file is cut off: the part that begins at byte {at_byte} is incomplete"),
                format!("文件不完整：从第 {at_byte} 字节开始的数据块被截断"),
            ),
            Self::Unreadable { reason } => {
                both(format!("cannot be read: {reason}"), format!("无法读取：{reason}"))
            }
            Self::UnknownEncoding => both(
                "the text is in an encoding that is not read; UTF-8, UTF-16 and GB 18030 (GBK) are",
                "文本编码无法识别；可读取 UTF-8、UTF-16 和 GB 18030（GBK）",
            ),
            Self::GuessedEncoding { encoding } => both(
                format!("nothing states the encoding of the text; it was read as {encoding}"),
                format!("未注明文本编码，已按 {encoding} 读取"),
            ),
            Self::UnsafeArchive(risk) => {
                let text = risk.text();
                both(format!("the archive is refused: {}", text.en), format!("压缩包被拒绝：{}", text.zh))
            }
            Self::MissingPart { part } => both(
                format!("{part}, which belongs to it, is not beside it"),
                format!("缺少其组成文件 {part}"),
            ),
            Self::MissingLibrary { install } => both(
                format!("reading this needs a Python library that is not there: {install}"),
                format!("读取该文件需要尚未安装的 Python 库：{install}"),
            ),
            Self::Corrupt => both("the checksum does not match the contents", "校验和与内容不符"),
            Self::NotAFile => both("this is no file", "不是文件"),
            Self::ChangedWhileRead => both("the file changed while it was read", "读取过程中文件被修改"),
            Self::OtherSum { expected } => both(
                format!("the MD5 sum is not {expected}, which the .md5 beside it states"),
                format!("MD5 值与旁边 .md5 文件中的 {expected} 不符"),
            ),
            Self::Memory { needed_bytes, limit_bytes } => {
                let gib = |bytes: u64| bytes as f64 / f64::from(1 << 30);
                let (needed, limit) = (gib(*needed_bytes), gib(*limit_bytes));
                both(
                    format!("would take about {needed:.3} GiB of memory, the limit is {limit:.3} GiB"),
                    format!("约需内存 {needed:.3} GiB，上限为 {limit:.3} GiB"),
                )
            }
            Self::DiskSpace { needed_bytes, free_bytes } => {
                let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
                let (needed, free) = (mib(*needed_bytes), mib(*free_bytes));
                both(
                    format!("may need {needed:.1} MiB of disk, {free:.1} MiB are free"),
                    format!("可能需要磁盘空间 {needed:.1} MiB，剩余 {free:.1} MiB"),
                )
            }
            Self::TooLarge { amount, found, most } => {
                let name = amount.name();
                both(
                    format!("too large: {found} {}, at most {most} are taken", name.en),
                    format!("过大：{}为 {found}，上限为 {most}", name.zh),
                )
            }
            Self::DamagedBlob { at_byte, damage } => {
                let [en, zh] = damage.what();
                both(
                    format!("the block that begins at byte {at_byte} is damaged: {en}"),
                    format!("从第 {at_byte} 字节开始的数据块已损坏：{zh}"),
                )
            }
            Self::UnknownCodec { at_byte, codec } => both(
                format!(
                    "the block that begins at byte {at_byte} uses {codec} compression, which is not read"
                ),
                format!("从第 {at_byte} 字节开始的数据块使用 {codec} 压缩，无法读取"),
            ),
            Self::UnknownFeature { feature } => both(
                format!("the file needs a reader that knows the feature {feature}"),
                format!("读取该文件需要支持 {feature} 特性"),
            ),
            Self::HistoryFile => both(
                "the file holds past versions and deleted elements of the map",
                "该文件包含历史版本和已删除的要素",
            ),
            Self::NotSorted { kind } => {
                let kind_zh = match *kind {
                    "node" => "节点",
                    "way" => "路径",
                    _ => "关系",
                };
                both(
                    format!(
                        "cannot be read tile by tile: the ids of its {kind}s do not rise, or one comes twice"
                    ),
                    format!("无法分块读取：{kind_zh}编号未按升序排列，或有重复"),
                )
            }
            Self::DamagedSpool => both(
                "this temporary file is not what the run wrote into it",
                "该临时文件的内容与运行时写入的不一致",
            ),
            Self::LooksCut { ways, lonely, of } => {
                let [en, zh] = if *ways { ["ways", "路径"] } else { ["nodes", "节点"] };
                both(
                    format!(
                        "the extract looks cut off: {lonely} of {of} {en} without tags are used by nothing"
                    ),
                    format!("数据似乎不完整：抽查的 {of} 个无标签{zh}中有 {lonely} 个未被引用"),
                )
            }
            Self::TooManyCells { cells, most, resolution, .. } => both(
                format!("about {cells} cells at resolution {resolution}, at most {most} are taken"),
                format!("分辨率 {resolution} 下约有 {cells} 个单元，上限为 {most}"),
            ),
            Self::CrossesAntimeridian => both(
                "the outline spans more than 180 degrees: it crosses the antimeridian or holds a pole",
                "轮廓跨度超过 180 度：跨越了 180 度经线或包含极点",
            ),
            Self::MissingNodes { missing, of } => both(
                format!("{missing} of {of} references of ways are to nodes that the extract does not hold"),
                format!("道路的 {of} 处节点引用中有 {missing} 处在数据中缺失"),
            ),
            Self::EmptyTable => both("the table has no rows", "表中没有任何行"),
            Self::NoWalkableWay => {
                both("the extract holds no way that people may walk on", "路网数据中没有可步行的道路")
            }
            Self::TileUnbounded { rounds: 0 } => {
                both("its outline is larger than what a tile sees", "其轮廓超出单个图块的可见范围")
            }
            Self::TileUnbounded { rounds } => both(
                format!("the streets of this tile hang on others farther away, {rounds} times over"),
                format!("该图块的道路与更远的道路相互依赖，已扩大范围 {rounds} 次"),
            ),
            Self::NoMainland => both(
                "no piece of the streets is 1 km long or longer",
                "没有任何一片相连道路的长度达到 1 公里",
            ),
            Self::TwoTowns { length_m } => {
                let km = length_m / 1000.0;
                both(
                    format!(
                        "nothing but gates holds this piece of the streets and another together, of {km} km or more each; \
                         tile by tile nobody can say which of them is the town and which lies behind its gates"
                    ),
                    format!(
                        "此处路网与另一片路网仅以大门相连，两者均不短于 {km} 千米；分块计算无法判断何者为门内"
                    ),
                )
            }
            Self::MissingColumn { found } => {
                let found = found.join(", ");
                both(format!("column not found; found: {found}"), format!("缺少该列；现有列：{found}"))
            }
            Self::MissingValue => both("the value is missing", "缺少数值"),
            Self::NotANumber => both("this is not a number", "不是数字"),
            Self::NotADate => both("this is not a date of the form 2026-11-25", "不是 2026-11-25 形式的日期"),
            Self::OutOfRange { range } => {
                both(format!("outside the range {range}"), format!("超出范围 {range}"))
            }
            Self::SwappedXy => both("easting and northing look swapped", "东坐标与北坐标似乎颠倒"),
            Self::SwappedLonLat => both("longitude and latitude look swapped", "经度和纬度似乎颠倒"),
            Self::NotACell => both("this is not an H3 cell", "不是有效的 H3 单元"),
            Self::BadGeometry { reason } => {
                both(format!("the geometry cannot be used: {reason}"), format!("几何数据不可用：{reason}"))
            }
            Self::DuplicateId { first_row } => {
                both(format!("row {first_row} has the same id"), format!("与第 {first_row} 行的编号重复"))
            }
            Self::Facility(fault) => fault.what(),
            Self::Edit(fault) => fault.what(),
            Self::UnknownNode => both("no node has this id", "没有该编号的节点"),
            Self::UnknownName { known } => {
                let known = known.join(", ");
                both(format!("unknown name; known: {known}"), format!("未知名称；可用：{known}"))
            }
            Self::NotSnapped { nearest_m: Some(nearest_m), limit_m } => both(
                format!("the nearest walkable street is {nearest_m:.0} m away, the limit is {limit_m:.0} m"),
                format!("最近的可步行道路距离 {nearest_m:.0} 米，超过上限 {limit_m:.0} 米"),
            ),
            Self::NotSnapped { nearest_m: None, .. } => {
                both("there is no walkable street to join to", "没有可接入的步行道路")
            }
            Self::UnsupportedCrs => both(
                "this coordinate reference system is unknown, or its datum cannot be placed",
                "未知的坐标参考系，或无法确定其基准",
            ),
            Self::CrsContradicts { said } => both(
                format!("the file states this coordinate reference system, not {said}"),
                format!("文件注明的坐标参考系与 {said} 不符"),
            ),
            Self::OffsetSuspected { stated, looks_like, east_m, north_m, confidence } => {
                let (there_en, there_zh) = compass(*east_m, *north_m);
                let percent = confidence * 100.0;
                match looks_like {
                    Some(system) => both(
                        format!(
                            "read as {stated}, the places lie {there_en} of where the streets put them, as places in \
                             {system} would ({percent:.0} % sure)"
                        ),
                        format!(
                            "按 {stated} 读取时，点位相对道路偏{there_zh}，与 {system} 坐标的偏移一致（把握 {percent:.0}%）"
                        ),
                    ),
                    None => both(
                        format!(
                            "read as {stated}, the places lie {there_en} of where the streets put them, which no known \
                             system explains ({percent:.0} % sure)"
                        ),
                        format!(
                            "按 {stated} 读取时，点位相对道路偏{there_zh}，与已知坐标系的偏移均不符（把握 {percent:.0}%）"
                        ),
                    ),
                }
            }
            Self::MissingCrs => {
                both("the file does not name its coordinate reference system", "文件未注明坐标参考系")
            }
            Self::SphericalEdges => both(
                "its lines follow great circles; they are taken straight in degrees",
                "其线段按大圆定义；此处按经纬度直线处理",
            ),
            Self::AllRejected { first } => both(
                format!("every row was rejected; the first: {first}"),
                format!("所有行均被拒绝；第一条：{first}"),
            ),
            Self::Setting { expected } => both(format!("expected {expected}"), format!("应为 {expected}")),
            Self::NoData { pixels, of } => both(
                format!("{pixels} of {of} pixels have no value"),
                format!("{of} 个像元中有 {pixels} 个没有数值"),
            ),
            Self::UnknownUse { found } => {
                let found = found.join(", ");
                both(
                    format!(
                        "the columns fit no input of a study, so only places were checked; found: {found}"
                    ),
                    format!("各列不符合任何一种输入数据，仅检查了位置；现有列：{found}"),
                )
            }
            Self::OutputExists => {
                both("the folder exists and holds no walkshed result", "文件夹已存在且不是 walkshed 的结果")
            }
            Self::Population(fault) => fault.what(),
            Self::Area(fault) => fault.what(),
            Self::Siting(fault) => fault.what(),
            Self::Gate(fault) => fault.what(),
        }
    }

    /// What to do about it.
    #[expect(clippy::too_many_lines, reason = "one text for each fault")]
    pub fn fix(&self) -> Bilingual {
        match self {
            Self::NotFound => both(
                "Check the path; paths in a study are relative to the study file",
                "请检查路径；研究文件中的路径相对于该文件",
            ),
            Self::WrongFormat { .. } => both(
                "Check that the download is complete and the file name is right",
                "请确认下载完整、文件名正确",
            ),
            Self::Truncated { .. } | Self::DamagedBlob { .. } => {
                both("Download or copy the file again", "请重新下载或复制文件")
            }
            Self::Unreadable { .. } => {
                both("Open the file in another program, or export it again", "请用其他程序打开检查或重新导出")
            }
            Self::UnknownEncoding => both(
                "Save it as UTF-8, or state the encoding (a .cpg file beside a shapefile)",
                "请另存为 UTF-8，或注明编码（Shapefile 旁的 .cpg 文件）",
            ),
            Self::GuessedEncoding { .. } => both(
                "Look at the names; if they are wrong, save the file as UTF-8",
                "请检查名称；如有乱码，请另存为 UTF-8",
            ),
            Self::UnsafeArchive(_) => {
                both("Unpack it yourself and give the file in it", "请自行解压后提供其中的文件")
            }
            Self::MissingPart { .. } => {
                both("Copy all files of the shapefile together", "请将 Shapefile 的全部文件一并复制")
            }
            Self::MissingLibrary { .. } => both(
                "Install it with pip, or convert the file to GeoParquet or CSV",
                "请用 pip 安装，或将文件转换为 GeoParquet 或 CSV",
            ),
            Self::Corrupt => both("Build and save the network again", "请重新构建并保存路网"),
            Self::NotAFile => both("Give the path of a file", "请提供文件路径"),
            Self::ChangedWhileRead => both(
                "Run again when nothing writes to it; write new versions beside it and rename them",
                "请在没有程序写入该文件时重新运行；新版本应写到旁边再改名",
            ),
            Self::OtherSum { .. } => {
                both("Download the file and its .md5 again", "请重新下载该文件及其 .md5 文件")
            }
            Self::Memory { .. } => both(
                "Raise the memory limit, ask for fewer origins, facilities or minutes, or take pairs as a stream (reach_batches)",
                "请提高内存上限，减少起点、设施或分钟数，或以流的方式取结果（reach_batches）",
            ),
            Self::DiskSpace { .. } => both(
                "Free some space, or keep fewer releases ([refresh] keep_releases, keep_days)",
                "请释放磁盘空间，或减少保留的版本（[refresh] keep_releases、keep_days）",
            ),
            Self::TooLarge { .. } => both(
                "Check where the file comes from; cut it to the study area when it is what it says",
                "请核实文件来源；如内容无误，请裁剪到研究范围",
            ),
            Self::UnknownCodec { .. } => both(
                "Pack it anew: osmium cat -f pbf,pbf_compression=zlib",
                "请重新编码：osmium cat -f pbf,pbf_compression=zlib",
            ),
            Self::UnknownFeature { .. } => {
                both("Export it anew: osmium cat -f pbf", "请重新导出：osmium cat -f pbf")
            }
            Self::HistoryFile => both(
                "Export the state of one day: osmium time-filter",
                "请导出某一时刻的数据：osmium time-filter",
            ),
            Self::NotSorted { .. } => both(
                "Sort it by type and id (osmium sort); where an element comes twice, keep one, or run the study without tiles",
                "请按类型和编号排序（osmium sort）；如有重复要素，请只保留一个，或不分块运行",
            ),
            Self::DamagedSpool => {
                both("Delete the folder of temporary files and run again", "请删除临时文件目录后重新运行")
            }
            Self::LooksCut { .. } => both(
                "Download the file again, and its .md5 beside it",
                "请重新下载该文件，并将 .md5 文件放在旁边",
            ),
            Self::TooManyCells { coarser: Some(coarser), .. } => both(
                format!("Use resolution {coarser} or coarser, or a smaller outline"),
                format!("请使用分辨率 {coarser} 或更粗，或缩小轮廓"),
            ),
            Self::TooManyCells { coarser: None, .. } => {
                both("Use a coarser resolution or a smaller outline", "请使用更粗的分辨率或缩小轮廓")
            }
            Self::CrossesAntimeridian => both(
                "Split the outline at the 180th meridian (RFC 7946, section 3.1.9)",
                "请在 180 度经线处拆分轮廓（RFC 7946 第 3.1.9 节）",
            ),
            Self::MissingNodes { .. } => both(
                "Check that the download is complete; cut extracts with complete ways (osmium extract)",
                "请确认下载完整；裁剪时请保留完整道路（osmium extract）",
            ),
            Self::EmptyTable => both("Give a table with at least one row", "请提供至少一行数据"),
            Self::NoWalkableWay => both(
                "Use an unfiltered OpenStreetMap extract of the study area",
                "请使用研究范围内未经筛选的 OpenStreetMap 数据",
            ),
            Self::TileUnbounded { .. } => both(
                "Use larger tiles (--tile-resolution one lower), or run without tiles",
                "请使用更大的图块（将 --tile-resolution 减一），或不分块运行",
            ),
            Self::NoMainland => both("Run without tiles", "请不分块运行"),
            Self::TwoTowns { .. } => both(
                "Run the study without tiles, or with gates = \"open\"",
                "请不分块运行，或设置 gates = \"open\"",
            ),
            Self::MissingColumn { .. } => {
                both("Rename the column, or name yours in the study", "请重命名该列，或在研究文件中指定列名")
            }
            Self::MissingValue | Self::NotANumber | Self::NotADate | Self::OutOfRange { .. } => {
                both("Correct the value or remove the row", "请更正该值或删除该行")
            }
            Self::SwappedXy => both(
                "x is east and y is north: exchange the two columns",
                "x 为东坐标，y 为北坐标：请交换两列",
            ),
            Self::SwappedLonLat => both("Exchange the two columns", "请交换两列"),
            Self::NotACell => {
                both("Give H3 cells as numbers or hexadecimal text", "请以数字或十六进制文本提供 H3 单元")
            }
            Self::BadGeometry { .. } => both(
                "Repair the geometry, for example with buffer(0), and export it again",
                "请修复几何（如 buffer(0)）后重新导出",
            ),
            Self::DuplicateId { .. } => {
                both("Give every row its own id; the first row is kept", "请保证编号唯一；已保留第一行")
            }
            Self::Facility(fault) => fault.fix(),
            Self::Edit(fault) => fault.fix(),
            Self::UnknownNode => both("Add the node or correct the edge", "请补充节点或更正边"),
            Self::UnknownName { .. } => both("Use one of the known names", "请使用可用名称之一"),
            Self::NotSnapped { .. } => {
                both("Check the place, or raise max_snap_m", "请检查位置，或增大 max_snap_m")
            }
            Self::UnsupportedCrs => both(
                "State an EPSG code, \"gcj02\" or \"bd09\", or convert to WGS-84 longitude and latitude (EPSG:4326)",
                "请注明 EPSG 代码、\"gcj02\" 或 \"bd09\"，或转换为 WGS-84 经纬度（EPSG:4326）",
            ),
            Self::CrsContradicts { .. } => {
                both("Leave the setting away, or correct the file", "请删除该设置，或更正文件")
            }
            Self::OffsetSuspected { looks_like: Some(system), .. } => {
                let crs = if *system == "wgs84" { "EPSG:4326" } else { system };
                both(
                    format!("Ask whoever gave the data; if so, state crs = \"{crs}\". Nothing was changed"),
                    format!("请向数据提供方核实；如属实，请注明 crs = \"{crs}\"。数据未作任何改动"),
                )
            }
            Self::OffsetSuspected { looks_like: None, .. } => both(
                "Ask whoever gave the data for its system, or correct the places. Nothing was changed",
                "请向数据提供方核实坐标系，或更正点位。数据未作任何改动",
            ),
            Self::MissingCrs => both(
                "State it, for example \"EPSG:4545\", or write it into the file: gdal_edit.py -a_srs EPSG:4545, or a .prj beside \
                 a shapefile",
                "请指定坐标参考系（例如 \"EPSG:4545\"），或写入文件：gdal_edit.py -a_srs EPSG:4545，Shapefile 则为 .prj",
            ),
            Self::SphericalEdges => both(
                "Nothing, where corners are less than a kilometre apart: the two differ by centimetres; else add corners",
                "若顶点间距小于一公里则无需处理（相差仅厘米级）；否则请加密顶点",
            ),
            Self::AllRejected { .. } => both(
                "Correct the table; every row is listed with its reason",
                "请更正该表；每一行的原因均已列出",
            ),
            Self::Setting { .. } => both("Correct the setting", "请更正该设置"),
            Self::NoData { .. } => both(
                "Nothing, where that is the sea or lies outside the city; else look for a raster that covers it",
                "若为海域或城市以外则无需处理；否则请换用覆盖该处的栅格",
            ),
            Self::UnknownUse { .. } => both(
                "Name the columns in a study, or call them id and class, people, or area_id",
                "请在研究文件中指定列名，或将列命名为 id 与 class、people 或 area_id",
            ),
            Self::OutputExists => {
                both("Choose another folder or remove it yourself", "请另选文件夹或自行删除")
            }
            Self::Population(fault) => fault.fix(),
            Self::Area(fault) => fault.fix(),
            Self::Siting(fault) => fault.fix(),
            Self::Gate(fault) => fault.fix(),
        }
    }
}

/// An offset in words: `366 m east and 315 m south`.
fn compass(east_m: f64, north_m: f64) -> (String, String) {
    let (east_en, east_zh) = if east_m < 0.0 { ("west", "西") } else { ("east", "东") };
    let (north_en, north_zh) = if north_m < 0.0 { ("south", "南") } else { ("north", "北") };
    let (east_m, north_m) = (east_m.abs(), north_m.abs());
    (
        format!("{east_m:.0} m {east_en} and {north_m:.0} m {north_en}"),
        format!("{east_zh} {east_m:.0} 米、偏{north_zh} {north_m:.0} 米"),
    )
}

#[cfg(test)]
mod tests {
    use super::{Fault, Problem};

    #[test]
    fn a_message_names_file_row_value_and_the_way_out() {
        let problem = Problem::of_file("shops.csv", Fault::SwappedLonLat)
            .at_row(3)
            .with_id("a7")
            .in_column("lat")
            .with_value("106.5");
        let message = problem.message();
        assert_eq!(
            message.en,
            "shops.csv, row 3, id a7, column \"lat\", value \"106.5\": longitude and latitude look swapped. \
             Exchange the two columns"
        );
        assert!(message.zh.contains("颠倒") && message.zh.contains("shops.csv"));
    }
}
