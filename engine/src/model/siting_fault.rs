//! Why no sites can be chosen as asked, and what would have to change.

use super::problem::{Bilingual, both};

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq)]
pub enum SitingFault {
    /// Somebody who has to be served has no site within reach.
    Unreached {
        /// How many rows of demand.
        origins: usize,
        /// People there.
        people: f64,
        /// The first ids.
        ids: String,
    },
    /// More sites are needed than may be built.
    TooFewSites {
        /// How many may be built.
        most: usize,
        /// How many are needed at least, where that was found.
        needed: Option<usize>,
        /// Of which class, where there are several.
        class: Option<String>,
    },
    /// More areas lack a site than may be built.
    TooManyAreas {
        /// How many may be built.
        most: usize,
        /// How many areas lack one.
        areas: usize,
        /// The first of them.
        ids: String,
    },
    /// Even the cheapest choice costs more than the budget.
    BudgetTooSmall {
        /// The budget.
        budget_yuan: f64,
        /// What it takes at least.
        needed_yuan: f64,
    },
    /// All that may be built holds fewer people than have to be served.
    CapacityTooSmall {
        /// What there is room for, at most.
        capacity: f64,
        /// People who have to be served.
        people: f64,
    },
    /// No choice was found that serves everybody, and none was proved impossible.
    NoneFound {
        /// Rows of demand that the best choice left out.
        origins: usize,
        /// People there.
        people: f64,
        /// The first ids.
        ids: String,
    },
    /// It is proved that no choice serves everybody.
    Impossible {
        /// Rows of demand that the best choice found leaves out.
        origins: usize,
        /// People there.
        people: f64,
        /// The first ids.
        ids: String,
    },
    /// A site that is said to exist is in no table.
    UnknownSite,
    /// The tables name classes that do not meet.
    NoClassInCommon {
        /// Classes of the sites.
        sites: String,
    },
}

impl SitingFault {
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::Unreached { .. } => "unreached",
            Self::TooFewSites { .. } => "too_few_sites",
            Self::TooManyAreas { .. } => "too_many_areas",
            Self::BudgetTooSmall { .. } => "budget_too_small",
            Self::CapacityTooSmall { .. } => "capacity_too_small",
            Self::NoneFound { .. } => "no_choice_found",
            Self::Impossible { .. } => "no_choice_possible",
            Self::UnknownSite => "unknown_site",
            Self::NoClassInCommon { .. } => "no_class_in_common",
        }
    }

    pub(super) fn what(&self) -> Bilingual {
        match self {
            Self::Unreached { origins, people, ids } => both(
                format!("no site reaches {origins} origin(s) with {people:.0} people: {ids}"),
                format!("有 {origins} 个起点（{people:.0} 人）没有任何候选点可达：{ids}"),
            ),
            Self::TooFewSites { most, needed, class } => {
                let (of_en, of_zh) = class
                    .as_ref()
                    .map_or_else(Default::default, |c| (format!(" of {c}"), format!("（{c}）")));
                match needed {
                    Some(needed) => both(
                        format!("{most} site(s){of_en} may be built and at least {needed} are needed"),
                        format!("最多可建 {most} 处{of_zh}，而至少需要 {needed} 处"),
                    ),
                    None => both(
                        format!("{most} site(s){of_en} may be built, and it is proved that more are needed"),
                        format!("最多可建 {most} 处{of_zh}，已证明不足"),
                    ),
                }
            }
            Self::TooManyAreas { most, areas, ids } => both(
                format!("{areas} areas lack a site and {most} may be built: {ids}"),
                format!("有 {areas} 个分区尚无设施，而最多可建 {most} 处：{ids}"),
            ),
            Self::BudgetTooSmall { budget_yuan, needed_yuan } => both(
                format!("the budget is {budget_yuan} yuan and at least {needed_yuan} are needed"),
                format!("预算为 {budget_yuan} 元，而至少需要 {needed_yuan} 元"),
            ),
            Self::CapacityTooSmall { capacity, people } => both(
                format!(
                    "{people:.0} people have to be served and what may be built holds at most {capacity:.0}"
                ),
                format!("需服务 {people:.0} 人，而可建设施最多容纳 {capacity:.0} 人"),
            ),
            Self::NoneFound { origins, people, ids } => both(
                format!(
                    "no choice was found that serves everybody, and none was proved impossible; the best leaves out \
                     {origins} origin(s) with {people:.0} people: {ids}"
                ),
                format!(
                    "未找到能服务所有人的方案，也未能证明其不存在；最好的方案仍遗漏 {origins} 个起点（{people:.0} 人）：{ids}"
                ),
            ),
            Self::Impossible { origins, people, ids } => both(
                format!(
                    "no choice serves everybody, which is proved; the best found leaves out {origins} origin(s) with \
                     {people:.0} people: {ids}"
                ),
                format!(
                    "已证明没有能服务所有人的方案；找到的最好方案仍遗漏 {origins} 个起点（{people:.0} 人）：{ids}"
                ),
            ),
            Self::UnknownSite => both(
                "this site is said to exist and stands neither in the costs nor in the table of sites",
                "该现状设施既不在费用表中，也不在候选点表中",
            ),
            Self::NoClassInCommon { sites } => both(
                format!("no site is of this class; the classes of sites are {sites}"),
                format!("没有该类别的候选点；候选点的类别有：{sites}"),
            ),
        }
    }

    pub(super) fn fix(&self) -> Bilingual {
        match self {
            Self::Unreached { .. } => both(
                "Add candidates near them, allow longer ways, leave them out of the demand, or (p-median) give unserved_cost",
                "请在其附近增加候选点、放宽费用上限、从需求中去除，或（p-中位）给出 unserved_cost",
            ),
            Self::TooFewSites { .. } | Self::TooManyAreas { .. } => {
                both("Raise k, or ask for less", "请增大 k，或减少要求")
            }
            Self::BudgetTooSmall { .. } => {
                both("Raise the budget, or ask for less", "请提高预算，或减少要求")
            }
            Self::CapacityTooSmall { .. } => both(
                "Raise capacities or k, or (p-median) give unserved_cost",
                "请提高容量或 k，或（p-中位）给出 unserved_cost",
            ),
            Self::NoneFound { .. } => both(
                "Raise k or the limits, use solver=\"exact\", or (p-median) give unserved_cost",
                "请增大 k 或放宽上限、使用 solver=\"exact\"，或（p-中位）给出 unserved_cost",
            ),
            Self::Impossible { .. } => both(
                "Raise k, the budget or the limits, or (p-median) give unserved_cost",
                "请增大 k、预算或放宽上限，或（p-中位）给出 unserved_cost",
            ),
            Self::UnknownSite => both(
                "Correct the id, or add the site to the table of sites",
                "请更正编号，或将其加入候选点表",
            ),
            Self::NoClassInCommon { .. } => {
                both("Use one name for a class in all tables", "请在各表中使用相同的类别名称")
            }
        }
    }
}
