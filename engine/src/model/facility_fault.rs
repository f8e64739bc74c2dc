//! What can be wrong with a facility of a ledger, beside what can be wrong with any row.

use super::ledger::Status;
use super::problem::{Bilingual, Fault, Level, both};

/// A fault, or something worth knowing, of one facility.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum FacilityFault {
    /// A service level that is not understood; the row is kept without it.
    UnknownServiceLevel {
        /// The words that are understood.
        known: Vec<String>,
    },
    /// Neither a column, a mapping nor the name gives a class.
    Unclassified,
    /// The mapping or the name speaks for several classes equally; the first was taken.
    AmbiguousClass {
        /// The one taken.
        taken: String,
        /// The others.
        others: Vec<String>,
    },
    /// A class that the catalogue does not hold: the user's own, or a slip.
    UnknownClass {
        /// Rows of this class.
        rows: u64,
        /// Classes of the catalogue that it may have meant.
        near: Vec<String>,
    },
    /// A rule of a mapping that no row needed.
    UnusedRule,
    /// The days of the stages contradict their order.
    DatesOutOfOrder,
    /// The stated status is of an earlier stage than the days tell.
    StatusContradicted {
        /// What the days tell.
        dated: Status,
    },
    /// Not open, so nobody walks there.
    NotOpen {
        /// The status on the day of the study.
        status: Status,
    },
    /// No facility is open.
    NoneOpen,
    /// Probably the same facility as a row of another source.
    PossibleDuplicate(Likeness),
    /// The same facility as a row of a better source, and merged into it.
    Merged(Likeness),
}

/// How like a row is to another.
#[derive(Debug, Clone, PartialEq)]
pub struct Likeness {
    /// File, row, id and name of the other row.
    pub other: String,
    /// Metres between them.
    pub distance_m: f64,
    /// How alike the names are, 0..1.
    pub similarity: f64,
}

impl FacilityFault {
    /// A short name that stays the same over versions.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownServiceLevel { .. } => "unknown_service_level",
            Self::Unclassified => "unclassified",
            Self::AmbiguousClass { .. } => "ambiguous_class",
            Self::UnknownClass { .. } => "unknown_class",
            Self::UnusedRule => "unused_rule",
            Self::DatesOutOfOrder => "dates_out_of_order",
            Self::StatusContradicted { .. } => "status_contradicted",
            Self::NotOpen { .. } => "not_open",
            Self::NoneOpen => "none_open",
            Self::PossibleDuplicate(_) => "possible_duplicate",
            Self::Merged(_) => "merged",
        }
    }

    /// What it means for the row.
    pub const fn level(&self) -> Level {
        match self {
            Self::NoneOpen => Level::Error,
            Self::Unclassified => Level::Rejected,
            Self::UnknownServiceLevel { .. }
            | Self::AmbiguousClass { .. }
            | Self::DatesOutOfOrder
            | Self::StatusContradicted { .. }
            | Self::PossibleDuplicate(_) => Level::Warning,
            Self::UnknownClass { .. } | Self::UnusedRule | Self::NotOpen { .. } | Self::Merged(_) => {
                Level::Note
            }
        }
    }

    /// What is wrong.
    pub fn what(&self) -> Bilingual {
        match self {
            Self::UnknownServiceLevel { known } => {
                let known = known.join(", ");
                both(
                    format!("unknown service level; known: {known}"),
                    format!("未知的服务层级；可用：{known}"),
                )
            }
            Self::Unclassified => {
                both("no column, mapping or name gives it a class", "类别列、对照表和名称均无法确定设施类别")
            }
            Self::AmbiguousClass { taken, others } => {
                let others = others.join(", ");
                both(
                    format!("it may be {taken} or {others}; {taken} was taken"),
                    format!("可能属于 {taken} 或 {others}；已取 {taken}"),
                )
            }
            Self::UnknownClass { rows, near } => unknown_class(*rows, &near.join(", ")),
            Self::UnusedRule => both("no row needed this rule", "没有任何行用到该对照规则"),
            Self::DatesOutOfOrder => {
                both("the days of its stages are out of order", "规划、开工、开放、关停日期先后矛盾")
            }
            Self::StatusContradicted { dated } => both(
                format!("the days say that it is {}; the days were taken", dated.name()),
                format!("按日期应为“{}”；已以日期为准", dated.name_zh()),
            ),
            Self::NotOpen { status } => both(
                format!("it is {}, not open, and nobody walks there", status.name()),
                format!("状态为“{}”，未开放，不计入步行可达", status.name_zh()),
            ),
            Self::NoneOpen => both("no facility is open", "没有处于运营状态的设施"),
            Self::PossibleDuplicate(like) => both(
                format!("probably the same as {}", like.text()),
                format!("可能与 {} 为同一设施", like.text_zh()),
            ),
            Self::Merged(like) => {
                both(format!("merged into {}", like.text()), format!("已合并入 {}", like.text_zh()))
            }
        }
    }

    /// What to do about it.
    pub fn fix(&self) -> Bilingual {
        match self {
            Self::UnknownServiceLevel { .. } => both(
                "Use one of these words; the row is kept without it",
                "请使用上述词语；该行已保留，但不含此项",
            ),
            Self::Unclassified => both(
                "Give it a class, or add its name to a mapping ([facilities] classes)",
                "请填写类别，或在对照表（[facilities] classes）中加入其名称",
            ),
            Self::AmbiguousClass { .. } => {
                both("Give it a class, or a mapping that tells them apart", "请填写类别，或用对照表加以区分")
            }
            Self::UnknownClass { .. } => both(
                "Nothing to do if the class is your own; else correct it, or map it",
                "若为自定义类别则无需处理；否则请更正或用对照表转换",
            ),
            Self::UnusedRule => both("Check its spelling, or remove it", "请检查写法，或删除该规则"),
            Self::DatesOutOfOrder => both("Correct the days", "请更正日期"),
            Self::StatusContradicted { .. } => both("Correct the status or the days", "请更正状态或日期"),
            Self::NotOpen { .. } => both(
                "Nothing to do if this is right; else correct status, days, or as_of",
                "若属实则无需处理；否则请更正状态、日期或 as_of",
            ),
            Self::NoneOpen => {
                both("Check the column status, the days, and as_of", "请检查 status 列、日期和 as_of")
            }
            Self::PossibleDuplicate(_) => both(
                "Remove one of them, or set merge_duplicates = true",
                "请删除其中之一，或设置 merge_duplicates = true",
            ),
            Self::Merged(_) => both("Nothing to do if this is right", "若属实则无需处理"),
        }
    }
}

impl From<FacilityFault> for Fault {
    fn from(fault: FacilityFault) -> Self {
        Self::Facility(fault)
    }
}

fn unknown_class(rows: u64, near: &str) -> Bilingual {
    let (meant, meant_zh) = if near.is_empty() {
        (String::new(), String::new())
    } else {
        (format!("; did you mean {near}?"), format!("；是否指 {near}？"))
    };
    both(
        format!("the catalogue does not hold this class of {rows} row(s){meant}"),
        format!("设施目录中没有该类别（共 {rows} 行）{meant_zh}"),
    )
}

impl Likeness {
    fn text(&self) -> String {
        let Self { other, distance_m, similarity } = self;
        format!("{other}: {distance_m:.0} m away, names alike {similarity:.2}")
    }

    fn text_zh(&self) -> String {
        let Self { other, distance_m, similarity } = self;
        format!("{other}（相距 {distance_m:.0} 米，名称相似度 {similarity:.2}）")
    }
}
