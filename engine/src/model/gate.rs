//! Gates: why a release is not published, though everything could be computed.

use super::problem::{Bilingual, both};
use super::release::{Release, ReleaseInput};
use serde::{Deserialize, Serialize};

/// How much may change from one release to the next.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReleaseGates {
    /// Greatest share of its rows that a table may lose, 0..1.
    pub rows_shrink_share: f64,
    /// How much the share of people or facilities that no street is near enough to may rise, 0..1.
    pub unjoined_rise_share: f64,
    /// How far the number of people may move, 0..1.
    pub people_move_share: f64,
    /// How far the covered share of a class, profile and number of minutes may move, 0..1.
    pub coverage_move_share: f64,
}

impl Default for ReleaseGates {
    /// Proposals: a nightly change beyond them is more often a fault of a delivery than of a city.
    fn default() -> Self {
        Self {
            rows_shrink_share: 0.05,
            unjoined_rise_share: 0.02,
            people_move_share: 0.10,
            coverage_move_share: 0.10,
        }
    }
}

/// The gates by name.
pub const GATES: [&str; 6] =
    ["rows_shrink", "unjoined_rise", "people_conserved", "people_move", "coverage_move", "older_input"];

/// Why a gate stays shut.
#[derive(Debug, Clone, PartialEq)]
pub enum GateFault {
    /// A table lost rows.
    RowsShrink {
        /// Rows in the release before.
        before: u64,
        /// Rows now.
        after: u64,
        /// What it may lose.
        most_share: f64,
    },
    /// More people or facilities than before are near no street.
    UnjoinedRise {
        /// Their share in the release before, 0..1.
        before: f64,
        /// Now.
        after: f64,
        /// How much it may rise.
        most_share: f64,
    },
    /// Cells hold another number of people than the source states.
    NotConserved {
        /// People of the source.
        stated: f64,
        /// People in cells.
        in_cells: f64,
    },
    /// There are far more or fewer people.
    PeopleMove {
        /// People before.
        before: f64,
        /// Now.
        after: f64,
        /// How far they may move.
        most_share: f64,
    },
    /// Coverage of a class moved far.
    CoverageMove {
        /// Who walks.
        profile: String,
        /// Within so many minutes.
        minutes: f64,
        /// Covered share before, 0..1.
        before: f64,
        /// Now.
        after: f64,
        /// How far it may move.
        most_share: f64,
    },
    /// An input was last written before the one that it replaces.
    OlderInput {
        /// When the earlier was written, milliseconds since 1970.
        before_ms: u64,
        /// When this one was.
        after_ms: u64,
    },
    /// An input is the one of a release before the last again.
    EarlierInput {
        /// That release.
        release: u64,
    },
}

impl GateFault {
    /// The gate, by the name under which it is passed over.
    pub const fn gate(&self) -> &'static str {
        match self {
            Self::RowsShrink { .. } => GATES[0],
            Self::UnjoinedRise { .. } => GATES[1],
            Self::NotConserved { .. } => GATES[2],
            Self::PeopleMove { .. } => GATES[3],
            Self::CoverageMove { .. } => GATES[4],
            Self::OlderInput { .. } | Self::EarlierInput { .. } => GATES[5],
        }
    }

    pub(super) fn what(&self) -> Bilingual {
        match self {
            Self::RowsShrink { before, after, most_share } => both(
                format!("{after} rows after {before}: it lost more than {}", percent(*most_share)),
                format!("由 {before} 行减为 {after} 行，减少超过 {}", percent(*most_share)),
            ),
            Self::UnjoinedRise { before, after, most_share } => both(
                format!(
                    "{} are near no street, after {}: more than {} more",
                    percent(*after),
                    percent(*before),
                    percent(*most_share)
                ),
                format!(
                    "未接入路网的比例由 {} 升至 {}，上升超过 {}",
                    percent(*before),
                    percent(*after),
                    percent(*most_share)
                ),
            ),
            Self::NotConserved { stated, in_cells } => both(
                format!("the source states {stated} people and the cells hold {in_cells}"),
                format!("数据源人口为 {stated}，单元合计为 {in_cells}"),
            ),
            Self::PeopleMove { before, after, most_share } => both(
                format!("{after:.0} people after {before:.0}: a move of more than {}", percent(*most_share)),
                format!("人口由 {before:.0} 变为 {after:.0}，变动超过 {}", percent(*most_share)),
            ),
            Self::CoverageMove { profile, minutes, before, after, most_share } => both(
                format!(
                    "{} of the people are covered within {minutes} min ({profile}), after {}: a move of more than {}",
                    percent(*after),
                    percent(*before),
                    percent(*most_share)
                ),
                format!(
                    "{minutes} 分钟覆盖率（{profile}）由 {} 变为 {}，变动超过 {}",
                    percent(*before),
                    percent(*after),
                    percent(*most_share)
                ),
            ),
            Self::OlderInput { .. } => both(
                "this file was last written before the one that it replaces",
                "该文件的修改时间早于它所替换的文件",
            ),
            Self::EarlierInput { release } => both(
                format!("this file is that of release {release} again; a newer one was used since"),
                format!("该文件与第 {release} 版所用的相同，而之后已用过更新的文件"),
            ),
        }
    }

    pub(super) fn fix(&self) -> Bilingual {
        let gate = self.gate();
        both(
            format!(
                "Correct the input; or, if it is right, publish with --override {gate}=REASON, which is recorded. \
                 The tables stay as they were"
            ),
            format!(
                "请更正输入；如确实无误，可用 --override {gate}=原因 发布（原因将被记录）。数据表保持原状"
            ),
        )
    }
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// What is wrong, and of which file, table or class.
pub type Shut = (String, GateFault);

/// Hold a release against the one before, and against those before that: every gate that stays shut.
pub fn shut(gates: ReleaseGates, now: &Release, before: Option<&Release>, earlier: &[Release]) -> Vec<Shut> {
    let mut found = Vec::new();
    let (stated, in_cells) = (now.facts.people_stated, now.facts.people_in_cells);
    // The tolerance of the whole line: sums of floating numbers in another order (docs/design/2026-11-measures.md).
    if (stated - in_cells).abs() > 1e-9 * stated.abs().max(1.0) {
        found.push(("cells".to_owned(), GateFault::NotConserved { stated, in_cells }));
    }
    if let Some(before) = before {
        rows(gates, now, before, &mut found);
        people(gates, now, before, &mut found);
        unjoined(gates, now, before, &mut found);
        moved(gates, now, before, &mut found);
        inputs(now, before, earlier, &mut found);
    }
    found
}

fn rows(gates: ReleaseGates, now: &Release, before: &Release, found: &mut Vec<Shut>) {
    for (name, counts) in &before.tables {
        let (before, after) = (counts.rows, now.tables.get(name).map_or(0, |counts| counts.rows));
        let most_share = gates.rows_shrink_share;
        if name != "rejected" && (after as f64) < before as f64 * (1.0 - most_share) {
            found.push((name.clone(), GateFault::RowsShrink { before, after, most_share }));
        }
    }
}

fn people(gates: ReleaseGates, now: &Release, before: &Release, found: &mut Vec<Shut>) {
    let (before, after) = (before.facts.people_in_cells, now.facts.people_in_cells);
    let most_share = gates.people_move_share;
    // Of the greater of the two, so that 1 lets everything pass.
    if (after - before).abs() > before.max(after) * most_share {
        found.push(("cells".to_owned(), GateFault::PeopleMove { before, after, most_share }));
    }
}

fn unjoined(gates: ReleaseGates, now: &Release, before: &Release, found: &mut Vec<Shut>) {
    let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
    let people = |it: &Release| share(it.facts.people_not_snapped, it.facts.people_in_cells);
    let facilities = |it: &Release| share(it.facts.facilities_not_snapped as f64, it.facts.facilities as f64);
    let pairs = [("cells", people(before), people(now)), ("facilities", facilities(before), facilities(now))];
    for (table, before, after) in pairs {
        let most_share = gates.unjoined_rise_share;
        if after - before > most_share {
            found.push((table.to_owned(), GateFault::UnjoinedRise { before, after, most_share }));
        }
    }
}

/// A class that is new or gone moved from or to nobody.
fn moved(gates: ReleaseGates, now: &Release, before: &Release, found: &mut Vec<Shut>) {
    let most_share = gates.coverage_move_share;
    for was in &before.total {
        let same = |is: &&super::release::Total| {
            (&is.class, &is.profile) == (&was.class, &was.profile)
                && is.minutes.total_cmp(&was.minutes).is_eq()
        };
        let Some(is) = now.total.iter().find(same) else { continue };
        let (Some(before), Some(after)) = (was.share(), is.share()) else { continue };
        if (after - before).abs() > most_share {
            let (profile, minutes) = (was.profile.clone(), was.minutes);
            let fault = GateFault::CoverageMove { profile, minutes, before, after, most_share };
            found.push((was.class.clone(), fault));
        }
    }
}

fn inputs(now: &Release, before: &Release, earlier: &[Release], found: &mut Vec<Shut>) {
    for input in &now.inputs {
        let same_path = |other: &&ReleaseInput| other.path == input.path;
        let Some(was) = before.inputs.iter().find(same_path) else { continue };
        if was.sha256 == input.sha256 {
            continue;
        }
        let has_it = |release: &&Release| release.inputs.iter().any(|old| old.sha256 == input.sha256);
        if let Some(old) = earlier.iter().rev().find(has_it) {
            found.push((input.path.clone(), GateFault::EarlierInput { release: old.release }));
        } else if let (Some(before_ms), Some(after_ms)) = (was.modified_ms, input.modified_ms)
            && after_ms < before_ms
        {
            found.push((input.path.clone(), GateFault::OlderInput { before_ms, after_ms }));
        }
    }
}
