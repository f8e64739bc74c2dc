//! What can be wrong with areas and between neighbours.

use super::problem::{Bilingual, Level, both};

/// What can be wrong with an area, or between it and others. The area itself is kept and counted all the same.
#[derive(Debug, Clone, PartialEq)]
pub enum AreaFault {
    /// A level outside the three.
    UnknownLevel,
    /// The area above does not exist.
    UnknownParent,
    /// The area above is not of the next level.
    ParentLevel {
        /// The level of the area above, as the table says it.
        parent_level: String,
        /// The level that it should have.
        expected: &'static str,
    },
    /// The areas above lead back to the area.
    ParentCycle {
        /// Ids on the way round.
        cycle: String,
    },
    /// A part of the area is not in the area above.
    OutsideParent {
        /// Id of the area above.
        parent: String,
        /// Share of the area that is outside.
        share: f64,
        /// Area outside, square metres.
        area_m2: f64,
        /// People there, where they are known.
        people: Option<f64>,
    },
    /// Two areas of one level overlap.
    Overlap {
        /// Id of the other.
        neighbour: String,
        /// Area of the overlap, square metres.
        area_m2: f64,
        /// People there, where they are known.
        people: Option<f64>,
    },
    /// A gap that areas of one level leave between them.
    Gap {
        /// Ids of the other areas around it; empty for a hole within one area.
        neighbours: String,
        /// Its area, square metres.
        area_m2: f64,
        /// People there, who are in no area of the level, where they are known.
        people: Option<f64>,
    },
    /// Overlaps, gaps and parts outside the area above that are too narrow to be meant.
    Slivers {
        /// How many.
        count: usize,
        /// Their area, square metres.
        area_m2: f64,
        /// Below which mean width.
        narrower_m: f64,
    },
    /// A community without a name.
    MissingName,
    /// A name that another area under the same parent has.
    DuplicateName {
        /// Id of the other.
        first: String,
    },
    /// A code that another area has.
    DuplicateCode {
        /// Id of the other.
        first: String,
    },
    /// A code that is not made like the others of its level.
    BadCode {
        /// Digits that the others have.
        digits: usize,
    },
}

/// An area, with its people where they are known.
fn size(area_m2: f64, people: Option<f64>) -> Bilingual {
    match people {
        None => both(format!("{area_m2:.0} m²"), format!("{area_m2:.0} 平方米")),
        Some(people) => both(
            format!("{area_m2:.0} m² with {people:.0} people"),
            format!("{area_m2:.0} 平方米（{people:.0} 人）"),
        ),
    }
}

impl AreaFault {
    pub(super) const fn level(&self) -> Level {
        match self {
            Self::Slivers { .. } => Level::Note,
            _ => Level::Warning,
        }
    }

    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::UnknownLevel => "unknown_level",
            Self::UnknownParent => "unknown_parent",
            Self::ParentLevel { .. } => "parent_level",
            Self::ParentCycle { .. } => "parent_cycle",
            Self::OutsideParent { .. } => "outside_parent",
            Self::Overlap { .. } => "areas_overlap",
            Self::Gap { .. } => "gap_between_areas",
            Self::Slivers { .. } => "slivers",
            Self::MissingName => "missing_name",
            Self::DuplicateName { .. } => "duplicate_name",
            Self::DuplicateCode { .. } => "duplicate_code",
            Self::BadCode { .. } => "bad_code",
        }
    }

    pub(super) fn what(&self) -> Bilingual {
        match self {
            Self::UnknownLevel => both(
                "this level is none of estate 小区, community 社区, district 片区",
                "层级不是小区、社区、片区之一",
            ),
            Self::UnknownParent => both("no area has the id of the area above", "上级分区不存在"),
            Self::ParentLevel { parent_level, expected } => both(
                format!("the area above is of the level {parent_level}, not {expected}"),
                format!("上级分区的层级为 {parent_level}，应为 {expected}"),
            ),
            Self::ParentCycle { cycle } => both(
                format!("the areas above lead round in a circle: {cycle}"),
                format!("上下级关系成环：{cycle}"),
            ),
            Self::OutsideParent { parent, share, area_m2, people } => {
                let (size, percent) = (size(*area_m2, *people), share * 100.0);
                both(
                    format!("{} ({percent:.1} %) are outside the area above, {parent}", size.en),
                    format!("有 {}（{percent:.1}%）在上级分区 {parent} 之外", size.zh),
                )
            }
            Self::Overlap { neighbour, area_m2, people } => {
                let size = size(*area_m2, *people);
                both(
                    format!("overlaps {neighbour} of the same level on {}", size.en),
                    format!("与同级分区 {neighbour} 重叠 {}", size.zh),
                )
            }
            Self::Gap { neighbours, area_m2, people } => {
                let size = size(*area_m2, *people);
                if neighbours.is_empty() {
                    return both(
                        format!("has a hole of {} that no area of its level fills", size.en),
                        format!("内部有 {} 的空洞，没有同级分区覆盖", size.zh),
                    );
                }
                both(
                    format!("a gap of {} lies between this area and {neighbours}", size.en),
                    format!("与 {neighbours} 之间有 {} 的空隙", size.zh),
                )
            }
            Self::Slivers { count, area_m2, narrower_m } => both(
                format!("{count} overlaps or gaps narrower than {narrower_m} m, {area_m2:.0} m² in all"),
                format!("宽度小于 {narrower_m} 米的重叠或空隙 {count} 处，共 {area_m2:.0} 平方米"),
            ),
            Self::MissingName => both("the area has no name", "分区没有名称"),
            Self::DuplicateName { first } => both(
                format!("{first} under the same area above has this name"),
                format!("与同一上级下的 {first} 同名"),
            ),
            Self::DuplicateCode { first } => {
                both(format!("{first} has this code"), format!("与 {first} 的代码重复"))
            }
            Self::BadCode { digits } => both(
                format!("the codes of this level have {digits} digits and this one has not"),
                format!("同级代码均为 {digits} 位数字，此代码不是"),
            ),
        }
    }

    pub(super) fn fix(&self) -> Bilingual {
        match self {
            Self::UnknownLevel => both(
                "Use one of them where the area is a community; the area is kept",
                "若为社区层级请使用其中之一；该分区已保留",
            ),
            Self::UnknownParent | Self::ParentLevel { .. } | Self::ParentCycle { .. } => {
                both("Correct parent_id or level", "请更正 parent_id 或层级")
            }
            Self::OutsideParent { .. } | Self::Overlap { .. } | Self::Gap { .. } => both(
                "Correct the border in the GIS; each area is counted as it is drawn",
                "请在 GIS 中修正边界；目前各分区按所绘边界统计",
            ),
            Self::Slivers { .. } => both(
                "Nothing to do: this is as narrow as digitising is exact",
                "无需处理：在数字化误差范围内",
            ),
            Self::MissingName => both("Give every community its name", "请补充名称"),
            Self::DuplicateName { .. } => both("Check whether one is there twice", "请检查是否重复录入"),
            Self::DuplicateCode { .. } => both("Give every area its own code", "请保证代码唯一"),
            Self::BadCode { .. } => both(
                "Keep codes as text: spreadsheets drop zeros and round long numbers",
                "请以文本保存代码：电子表格会丢失零或改变长数字",
            ),
        }
    }
}
