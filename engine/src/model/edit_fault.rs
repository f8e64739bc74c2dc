//! What can be wrong with an edit of a scenario.

use super::problem::{Bilingual, Fault, Level, both};

/// A fault of one edit.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum EditFault {
    /// No such change.
    UnknownChange {
        /// Those that there are.
        known: Vec<String>,
    },
    /// The edit cannot be read; the reader's own words.
    Unreadable {
        /// The words.
        reason: String,
    },
    /// The baseline, with the edits before this one, has no facility of this id.
    NoSuchFacility {
        /// Ids that it may have meant.
        near: Vec<String>,
    },
    /// Another plan has the same edits.
    SameScenario {
        /// Its file.
        file: String,
    },
    /// A facility of this id is open already.
    FacilityOpen,
    /// A facility of this id is closed already.
    FacilityClosed,
    /// A new facility without a class or a place.
    NewFacilityLacks {
        /// What it lacks.
        key: &'static str,
    },
    /// Facilities are known by whole numbers, and this is none.
    IdNotANumber,
    /// No way of this id, or none near the place.
    NoSuchLink,
    /// Neither an id nor a place.
    WhichLink,
    /// Nothing to open: no edit before this one closed it.
    LinkOpen,
    /// Closed already.
    LinkClosed,
    /// An edit before this one adds a link of this id.
    LinkExists,
    /// No street is near enough to an end of a link.
    NoStreetNear {
        /// Distance to the nearest street, when one was found.
        nearest_m: Option<f64>,
        /// The greatest distance allowed.
        limit_m: f64,
    },
    /// No other link has the joint that an end of this one names.
    LonelyJoint,
    /// The link begins and ends at one point of the streets.
    NoLength,
    /// The population has no such group.
    NoSuchGroup {
        /// The groups that it has.
        known: Vec<String>,
    },
    /// An outline that is none.
    BadOutline {
        /// Why not.
        reason: String,
    },
}

impl EditFault {
    /// A short name that stays the same over versions.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownChange { .. } => "unknown_change",
            Self::Unreadable { .. } => "unreadable_edit",
            Self::NoSuchFacility { .. } => "no_such_facility",
            Self::SameScenario { .. } => "same_scenario",
            Self::FacilityOpen => "facility_open",
            Self::FacilityClosed => "facility_closed",
            Self::NewFacilityLacks { .. } => "new_facility_lacks",
            Self::IdNotANumber => "id_not_a_number",
            Self::NoSuchLink => "no_such_link",
            Self::WhichLink => "which_link",
            Self::LinkOpen => "link_open",
            Self::LinkClosed => "link_closed",
            Self::LinkExists => "link_exists",
            Self::NoStreetNear { .. } => "no_street_near",
            Self::LonelyJoint => "lonely_joint",
            Self::NoLength => "no_length",
            Self::NoSuchGroup { .. } => "no_such_group",
            Self::BadOutline { .. } => "bad_outline",
        }
    }

    /// What it means for the work: a scenario is taken whole or not at all.
    pub const fn level(&self) -> Level {
        Level::Error
    }

    /// What is wrong.
    pub fn what(&self) -> Bilingual {
        match self {
            Self::UnknownChange { known } => {
                let known = known.join(", ");
                both(format!("no such change; known: {known}"), format!("没有这种编辑；可用：{known}"))
            }
            Self::Unreadable { reason } => {
                both(format!("the edit cannot be read: {reason}"), format!("无法读取该编辑：{reason}"))
            }
            Self::NoSuchFacility { near } if near.is_empty() => {
                both("no facility has this id", "没有该编号的设施")
            }
            Self::NoSuchFacility { near } => {
                let near = near.join(", ");
                both(
                    format!("no facility has this id; did you mean {near}?"),
                    format!("没有该编号的设施；是否指 {near}？"),
                )
            }
            Self::SameScenario { file } => {
                both(format!("{file} has the same edits"), format!("与 {file} 的编辑完全相同"))
            }
            Self::FacilityOpen => both("a facility of this id is open already", "该编号的设施已在运营"),
            Self::FacilityClosed => both("the facility is closed already", "该设施已关停"),
            Self::NewFacilityLacks { key } => {
                both(format!("a new facility has no {key}"), format!("新设施缺少 {key}"))
            }
            Self::IdNotANumber => both(
                "the facilities have whole numbers as ids, and this is none",
                "设施编号为整数，而此处不是",
            ),
            Self::NoSuchLink => both(
                "no way has this id, or none is near the place",
                "没有该编号的道路，或该位置附近没有道路",
            ),
            Self::WhichLink => both("neither id nor place tells which way is meant", "未说明是哪条道路"),
            Self::LinkOpen => both("no edit before this one closed it", "此前没有编辑将其关闭"),
            Self::LinkClosed => both("it is closed already", "该道路已关闭"),
            Self::LinkExists => both("an edit before this one adds it", "此前的编辑已新增该编号"),
            Self::NoStreetNear { nearest_m, limit_m } => {
                let (away, away_zh) = nearest_m.map_or_else(
                    || ("there is no street".to_owned(), "附近没有道路".to_owned()),
                    |away_m| {
                        (
                            format!("the nearest street is {away_m:.0} m away"),
                            format!("最近道路距 {away_m:.0} 米"),
                        )
                    },
                );
                both(
                    format!("{away}, the limit is {limit_m:.0} m"),
                    format!("{away_zh}，上限 {limit_m:.0} 米"),
                )
            }
            Self::LonelyJoint => both("no other link ends at this joint", "没有其他连接以该接点为端点"),
            Self::NoLength => {
                both("it begins and ends at one point of the streets", "起点与终点为道路上的同一点")
            }
            Self::NoSuchGroup { known } => {
                let known = known.join(", ");
                both(
                    format!("the population has no such group; known: {known}"),
                    format!("人口数据没有该群体；可用：{known}"),
                )
            }
            Self::BadOutline { reason } => {
                both(format!("the outline is none: {reason}"), format!("范围线无效：{reason}"))
            }
        }
    }

    /// What to do about it.
    pub fn fix(&self) -> Bilingual {
        match self {
            Self::Unreadable { .. } => {
                both("Correct it; docs/scenarios.md lists all keys", "请更正；全部键见 docs/scenarios.md")
            }
            Self::NoSuchFacility { .. } => {
                both("Correct the id, or open the facility first", "请更正编号，或先新增该设施")
            }
            Self::SameScenario { .. } => both("Leave one of them out", "请去掉其中一个"),
            Self::FacilityOpen => both("Give the new one another id", "请为新设施另取编号"),
            Self::FacilityClosed | Self::LinkClosed | Self::LinkOpen => {
                both("Remove the edit", "请删除该编辑")
            }
            Self::NewFacilityLacks { .. } => both("Add it", "请补充"),
            Self::IdNotANumber => both("Give it a whole number", "请使用整数编号"),
            Self::NoSuchLink => both("Correct the id or the place", "请更正编号或位置"),
            Self::WhichLink => both("Give id, at, or both", "请给出 id 或 at"),
            Self::LinkExists => both("Give it another id", "请另取编号"),
            Self::NoStreetNear { .. } => both(
                "Move the end to a street, or give it a joint with another link",
                "请将端点移至道路处，或以接点与其他连接相连",
            ),
            Self::LonelyJoint => {
                both("Name the joint at both links, or remove it", "请在两条连接上使用同一接点名，或删除")
            }
            Self::NoLength => both("Move one of its ends", "请移动其中一端"),
            Self::UnknownChange { .. } | Self::NoSuchGroup { .. } => {
                both("Use one of these", "请使用其中之一")
            }
            Self::BadOutline { .. } => both("Correct the outline", "请更正范围线"),
        }
    }
}

impl From<EditFault> for Fault {
    fn from(fault: EditFault) -> Self {
        Self::Edit(fault)
    }
}
