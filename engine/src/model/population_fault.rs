//! What can be wrong with people by group and by community.

use super::problem::{Bilingual, Level, both};

/// What can be wrong with counts of people, or what a planner should know of how they were read.
#[derive(Debug, Clone, PartialEq)]
pub enum PopulationFault {
    /// A group, or the number of households, is larger than the people of its row.
    MoreThanPeople {
        /// The people of the row.
        people: f64,
    },
    /// A group that has more people than there are in some cells.
    MoreThanPeopleInCells {
        /// The cells.
        cells: usize,
        /// By how many people in all.
        excess: f64,
    },
    /// Columns that should add up to this one do not.
    SumDiffers {
        /// The columns.
        parts: String,
        /// Their sum.
        sum: f64,
    },
    /// Columns of ages cut across the group.
    AgesUnfilled,
    /// The group was read from columns with other names.
    GroupFrom {
        /// The columns.
        columns: String,
    },
    /// A community that the areas do not have.
    UnknownArea,
    /// A name that several areas have.
    AmbiguousArea {
        /// Ids of the areas.
        areas: String,
    },
    /// The people of a community and of an area above it: they are in the sum twice.
    CountedTwice {
        /// Id of the area above.
        above: String,
    },
    /// An area for which the table has no row, although it has rows for others of its level.
    NoCount,
    /// Nothing to spread people by but area.
    NoHomes {
        /// The people.
        people: f64,
    },
    /// People by the evidence that placed them.
    PeopleSpread {
        /// By floor area of residential buildings.
        buildings: f64,
        /// By length of streets.
        streets: f64,
        /// By area.
        area: f64,
    },
    /// Residential buildings in the outline of no row.
    HomesOutside {
        /// How many.
        buildings: usize,
        /// Of how many.
        of: usize,
        /// Their floor area.
        floor_area_m2: f64,
    },
}

impl PopulationFault {
    pub(super) const fn level(&self) -> Level {
        match self {
            Self::UnknownArea | Self::AmbiguousArea { .. } => Level::Rejected,
            Self::MoreThanPeople { .. }
            | Self::MoreThanPeopleInCells { .. }
            | Self::SumDiffers { .. }
            | Self::CountedTwice { .. }
            | Self::NoCount
            | Self::NoHomes { .. } => Level::Warning,
            Self::AgesUnfilled
            | Self::GroupFrom { .. }
            | Self::PeopleSpread { .. }
            | Self::HomesOutside { .. } => Level::Note,
        }
    }

    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::MoreThanPeople { .. } => "more_than_people",
            Self::MoreThanPeopleInCells { .. } => "more_than_people_in_cells",
            Self::SumDiffers { .. } => "sum_differs",
            Self::AgesUnfilled => "ages_unfilled",
            Self::GroupFrom { .. } => "group_from",
            Self::UnknownArea => "unknown_area",
            Self::AmbiguousArea { .. } => "ambiguous_area",
            Self::CountedTwice { .. } => "counted_twice",
            Self::NoCount => "no_count",
            Self::NoHomes { .. } => "no_homes",
            Self::PeopleSpread { .. } => "people_spread",
            Self::HomesOutside { .. } => "homes_outside",
        }
    }

    pub(super) fn what(&self) -> Bilingual {
        match self {
            Self::MoreThanPeople { people } => {
                both(format!("more than the {people} people of the row"), format!("大于该行人口 {people}"))
            }
            Self::MoreThanPeopleInCells { cells, excess } => both(
                format!("in {cells} cells the group has more people than there are, {excess:.0} in all"),
                format!("在 {cells} 个单元中该群体人数大于总人口，共多 {excess:.0} 人"),
            ),
            Self::SumDiffers { parts, sum } => both(
                format!("the columns {parts} should add up to this one and give {sum}"),
                format!("{parts} 各列之和应等于该列，实际为 {sum}"),
            ),
            Self::AgesUnfilled => both(
                "no columns of ages fill this group exactly, so it is left out and not estimated",
                "没有恰好组成该年龄组的各列，因此不采用、也不估算",
            ),
            Self::GroupFrom { columns } => {
                both(format!("read from {columns}"), format!("由下列各列得出：{columns}"))
            }
            Self::UnknownArea => both("no area has this id, code or name", "没有该编号、代码或名称的分区"),
            Self::AmbiguousArea { areas } => {
                both(format!("several areas have this name: {areas}"), format!("多个分区同名：{areas}"))
            }
            Self::CountedTwice { above } => both(
                format!("the area above, {above}, has a row too: these people are counted twice"),
                format!("上级分区 {above} 也有人口数，人口被重复计算"),
            ),
            Self::NoCount => both(
                "the table of people has no row for this area, so nobody lives there",
                "人口表中没有该分区，视为无人居住",
            ),
            Self::NoHomes { people } => both(
                format!(
                    "no residential building and no street here: its {people:.0} people are spread by area"
                ),
                format!("此处没有住宅和道路，其 {people:.0} 人按面积分配"),
            ),
            Self::PeopleSpread { buildings, streets, area } => both(
                format!(
                    "people spread by floor area of residential buildings: {buildings:.0}; for want of them by length \
                     of streets: {streets:.0}, by area: {area:.0}"
                ),
                format!(
                    "按住宅建筑面积分配 {buildings:.0} 人；无住宅处按道路长度 {streets:.0} 人、按面积 {area:.0} 人"
                ),
            ),
            Self::HomesOutside { buildings, of, floor_area_m2 } => both(
                format!(
                    "{buildings} of {of} residential buildings ({floor_area_m2:.0} m² of floors) lie in no outline of \
                     this table and have nobody"
                ),
                format!(
                    "{of} 栋住宅中有 {buildings} 栋（建筑面积 {floor_area_m2:.0} 平方米）不在任何分区内，无人口"
                ),
            ),
        }
    }

    pub(super) fn fix(&self) -> Bilingual {
        match self {
            Self::MoreThanPeople { .. } => both(
                "Check that both are of one year and of one register; the row is kept",
                "请核对两者的年份与口径是否一致；该行已保留",
            ),
            Self::MoreThanPeopleInCells { .. } => both(
                "Check that both rasters are of one year and one method; the numbers are used as they stand",
                "请核对两个栅格的年份与方法是否一致；数值按原样使用",
            ),
            Self::SumDiffers { .. } => {
                both("Check the columns; the numbers are used as they stand", "请核对各列；数值按原样使用")
            }
            Self::AgesUnfilled => both(
                "Give a column of this name, or narrower columns of ages",
                "请提供该名称的列，或更细的年龄分列",
            ),
            Self::GroupFrom { .. } => both(
                "Nothing to do when that is what they mean; else name the columns in population.groups",
                "若含义一致则无需处理；否则请在 population.groups 中指定列",
            ),
            Self::UnknownArea => both(
                "Correct the id, or add the area; the people of the row are left out",
                "请更正编号或补充分区；该行人口未采用",
            ),
            Self::AmbiguousArea { .. } => both("Give ids or codes", "请提供编号或代码"),
            Self::CountedTwice { .. } => both("Keep the rows of one level", "请只保留一个层级的行"),
            Self::NoCount => both("Add the row, with 0 where nobody lives", "请补充该行；无人居住填 0"),
            Self::NoHomes { .. } => both(
                "Check the outline, and that the extract holds its buildings",
                "请检查边界，并确认路网数据包含该处建筑",
            ),
            Self::PeopleSpread { .. } | Self::HomesOutside { .. } => both(
                "Nothing to do when the map is known to lack buildings there",
                "若已知该处地图缺少建筑，则无需处理",
            ),
        }
    }
}
