//! What is damaged in a block of an OSM PBF file, in two languages.

/// Why a block cannot be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    /// A number of more than 64 bits.
    NumberTooLong,
    /// A field that is longer than the message that holds it.
    FieldTooLong,
    /// A field of another kind than the format says.
    FieldKind,
    /// A field twice that may come once.
    RepeatedField,
    /// An element without its id, or another field that is needed.
    MissingField,
    /// An index beyond the table of texts.
    TextIndex,
    /// Ids, latitudes, longitudes or tags of different number.
    UnequalColumns,
    /// Differences that add up beyond 64 bits.
    Overflow,
    /// A member that is neither node, way nor relation.
    MemberKind,
    /// A unit of coordinates that is none.
    Granularity,
    /// Compressed data that cannot be inflated.
    Compression,
    /// Not as many bytes as the block says.
    Size,
}

impl Damage {
    /// In English and Chinese.
    pub const fn what(self) -> [&'static str; 2] {
        match self {
            Self::NumberTooLong => ["a number has more than 64 bits", "数值超过 64 位"],
            Self::FieldTooLong => ["a field is longer than its message", "字段长度超出所在消息"],
            Self::FieldKind => ["a field is of the wrong kind", "字段类型错误"],
            Self::RepeatedField => ["a field that comes once comes again", "单一字段重复出现"],
            Self::MissingField => ["a field that is needed is missing", "缺少必需字段"],
            Self::TextIndex => ["an index is beyond the table of texts", "文本索引超出字符串表"],
            Self::UnequalColumns => {
                ["ids, coordinates or tags are not of one number", "编号、坐标或标签数量不一致"]
            }
            Self::Overflow => ["numbers add up beyond 64 bits", "数值累加溢出"],
            Self::MemberKind => {
                ["a member is neither node, way nor relation", "关系成员既非节点、路径也非关系"]
            }
            Self::Granularity => ["the unit of coordinates is not positive", "坐标粒度不是正数"],
            Self::Compression => ["its compressed data are damaged", "压缩数据已损坏"],
            Self::Size => ["it does not hold as many bytes as it says", "实际字节数与声明不符"],
        }
    }
}
