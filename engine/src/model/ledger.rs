//! What a ledger says of a facility beside class and place: service level, status with its dates, capacity, who runs it.

use super::name::half_width;
use chrono::NaiveDate;

/// A day of the calendar.
pub type Day = NaiveDate;

/// The circle that a facility is planned for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ServiceLevel {
    /// 小区, five minutes.
    Estate,
    /// 社区, ten minutes.
    Community,
    /// 片区, fifteen minutes.
    District,
}

impl ServiceLevel {
    const WORDS: [(Self, &[&str]); 3] = [
        (Self::Estate, &["estate", "小区", "小区级", "居住小区"]),
        (Self::Community, &["community", "社区", "社区级"]),
        (Self::District, &["district", "片区", "片区级"]),
    ];

    /// The name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Estate => "estate",
            Self::Community => "community",
            Self::District => "district",
        }
    }

    /// The level that a word means, English or Chinese.
    pub fn from_word(word: &str) -> Option<Self> {
        meaning(&Self::WORDS, word)
    }

    /// The words that are understood.
    pub fn words() -> Vec<String> {
        all_words(&Self::WORDS)
    }
}

/// How far a facility has come. Later stages are greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Decided or proposed, nothing built.
    Planned,
    /// Under construction.
    Building,
    /// People can go there.
    Open,
    /// Given up or shut, for good or for a time.
    Closed,
}

impl Status {
    /// All, in their order in time.
    pub const ALL: [Self; 4] = [Self::Planned, Self::Building, Self::Open, Self::Closed];

    const WORDS: [(Self, &[&str]); 4] = [
        (Self::Planned, &["planned", "proposed", "规划", "规划中", "计划", "拟建", "待建", "未建", "筹建"]),
        (
            Self::Building,
            &["building", "construction", "under construction", "在建", "建设中", "施工", "施工中"],
        ),
        (
            Self::Open,
            &[
                "open",
                "operating",
                "operational",
                "active",
                "in use",
                "运营",
                "运营中",
                "在营",
                "营业",
                "营业中",
                "开放",
                "正常",
                "建成",
                "已建",
                "已建成",
                "投用",
                "已投用",
                "在用",
                "使用中",
                "现状",
            ],
        ),
        (
            Self::Closed,
            &[
                "closed",
                "shut",
                "关停",
                "已关停",
                "关闭",
                "已关闭",
                "停业",
                "停用",
                "停运",
                "歇业",
                "暂停",
                "暂停营业",
                "注销",
                "撤销",
                "拆除",
                "已拆除",
            ],
        ),
    ];

    /// The name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Building => "building",
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }

    /// The name for Chinese readers.
    pub const fn name_zh(self) -> &'static str {
        match self {
            Self::Planned => "规划",
            Self::Building => "在建",
            Self::Open => "运营",
            Self::Closed => "关停",
        }
    }

    /// The status that a word means, English or Chinese.
    pub fn from_word(word: &str) -> Option<Self> {
        meaning(&Self::WORDS, word)
    }

    /// The words that are understood.
    pub fn words() -> Vec<String> {
        all_words(&Self::WORDS)
    }

    /// The column of the day on which it begins.
    pub const fn date_column(self) -> &'static str {
        match self {
            Self::Planned => "planned_on",
            Self::Building => "building_since",
            Self::Open => "opened_on",
            Self::Closed => "closed_on",
        }
    }
}

fn meaning<T: Copy>(words: &[(T, &[&str])], word: &str) -> Option<T> {
    let word = half_width(word);
    words.iter().find(|(_, names)| names.contains(&word.as_str())).map(|&(meant, _)| meant)
}

fn all_words<T>(words: &[(T, &[&str])]) -> Vec<String> {
    words.iter().flat_map(|(_, names)| names.iter().map(|&name| name.to_owned())).collect()
}

/// A measure of how much a facility can take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capacity {
    /// Places of children, pupils, guests or cars.
    Places,
    /// Beds.
    Beds,
    /// Floor area, square metres.
    FloorArea,
    /// Land area, square metres.
    LandArea,
    /// People who work there.
    Staff,
}

impl Capacity {
    /// All, in the order of the columns.
    pub const ALL: [Self; 5] = [Self::Places, Self::Beds, Self::FloorArea, Self::LandArea, Self::Staff];

    /// The name of the column.
    pub const fn column(self) -> &'static str {
        match self {
            Self::Places => "places",
            Self::Beds => "beds",
            Self::FloorArea => "floor_area_m2",
            Self::LandArea => "land_area_m2",
            Self::Staff => "staff",
        }
    }
}

/// The entry of one facility. What the source does not say is `None`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Entry {
    /// Which rule gave the class: `given`, `mapping:<row>`, `osm:<tags>`, `overture:<category>` or `name:<part>`.
    pub class_rule: Option<String>,
    /// Whether the source draws it as an outline.
    pub outline: bool,
    /// The circle that it is planned for.
    pub service_level: Option<ServiceLevel>,
    /// The status that the source states.
    pub status: Option<Status>,
    /// The first day of each [`Status`], in their order.
    pub since: [Option<Day>; 4],
    /// Capacities in the order of [`Capacity::ALL`].
    pub capacity: [Option<f64>; 5],
    /// Who runs it.
    pub operator: Option<String>,
    /// Where the row comes from.
    pub source: Option<String>,
    /// The rows that were merged into it, as `file id`, in their order, joined by `; `.
    pub merged_from: Option<String>,
}

impl Entry {
    /// The status on a day; without a day, when every date has passed.
    ///
    /// The stage that began last, up to that day, counts; of two on one day the later. Before the first date the facility
    /// is at the stage before: open when that date is the closing, else planned. A stated status without a date of its own
    /// counts when it is later than what the dates say, and always where no day is given; without dates it decides; without
    /// either, the facility is open.
    pub fn status_on(&self, day: Option<Day>) -> Status {
        let dated = self.dated_on(day);
        match (self.status, dated) {
            (None, None) => Status::Open,
            (Some(stated), None) => stated,
            (Some(stated), Some(_)) if day.is_none() => stated,
            (Some(stated), Some(dated)) if self.since[stated as usize].is_none() => dated.max(stated),
            (_, Some(dated)) => dated,
        }
    }

    /// What the dates alone say; `None` without dates.
    pub fn dated_on(&self, day: Option<Day>) -> Option<Status> {
        let dates = || Status::ALL.into_iter().filter_map(|stage| Some((self.since[stage as usize]?, stage)));
        let begun = dates().filter(|(since, _)| day.is_none_or(|day| *since <= day)).max();
        begun.or_else(|| dates().min()).map(|(since, stage)| match (day, stage) {
            (Some(day), Status::Closed) if since > day => Status::Open,
            (Some(day), _) if since > day => Status::Planned,
            _ => stage,
        })
    }

    /// Whether the dates contradict the order of the stages. To close and open again is no contradiction.
    pub fn is_out_of_order(&self) -> bool {
        let [planned, building, opened, closed] = self.since;
        let in_order = [planned, building, opened].into_iter().flatten().is_sorted();
        !in_order || closed.is_some() && closed < planned.max(building)
    }

    /// Take over what this entry does not say.
    pub fn fill_from(&mut self, other: &Self) {
        fn fill<T: Clone>(own: &mut Option<T>, other: Option<&T>) {
            if own.is_none() {
                *own = other.cloned();
            }
        }
        fill(&mut self.service_level, other.service_level.as_ref());
        fill(&mut self.operator, other.operator.as_ref());
        fill(&mut self.source, other.source.as_ref());
        for (own, other) in self.capacity.iter_mut().zip(&other.capacity) {
            fill(own, other.as_ref());
        }
        // Status and dates tell one story: they are not mixed from two.
        if self.status.is_none() && self.since == [None; 4] {
            (self.status, self.since) = (other.status, other.since);
        }
    }
}

/// A day as ledgers write it: `2026-03-01`, `2026/3/1`, `2026.3.1`, `2026年3月1日`; a time of day after it is passed over.
pub fn day(text: &str) -> Option<Day> {
    let text = half_width(text);
    let day = text.split(['t', ' ']).next()?.trim_end_matches('日');
    let parts: Vec<&str> = day.split(['-', '/', '.', '年', '月']).collect();
    let [year, month, day] = parts.as_slice() else { return None };
    if year.len() != 4 {
        return None;
    }
    Day::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_as_ledgers_write_them() {
        let first_of_march = Day::from_ymd_opt(2026, 3, 1);
        for text in [
            "2026-03-01",
            "2026/3/1",
            "2026.3.1",
            " 2026年3月1日",
            "2026-03-01T08:00:00",
            "２０２６－０３－０１",
        ] {
            assert_eq!(day(text), first_of_march, "{text}");
        }
        for text in ["", "2026", "2026-03", "2026-02-30", "26-03-01", "1/3/2026", "soon", "2026-03-01-02"] {
            assert_eq!(day(text), None, "{text}");
        }
    }

    #[test]
    fn words_of_both_languages_are_understood() {
        assert_eq!(Status::from_word("在建"), Some(Status::Building));
        assert_eq!(Status::from_word(" Under Construction "), Some(Status::Building));
        assert_eq!(Status::from_word("ＯＰＥＮ"), Some(Status::Open));
        assert_eq!(Status::from_word("待定"), None);
        assert_eq!(ServiceLevel::from_word("片区"), Some(ServiceLevel::District));
        for status in Status::ALL {
            assert_eq!(Status::from_word(status.name()), Some(status));
            assert_eq!(Status::from_word(status.name_zh()), Some(status));
        }
    }

    /// A school planned in 2020, built from 2021, opened in 2023, closed in 2025, opened again never.
    #[test]
    fn the_stage_that_began_last_counts() {
        let since = ["2020-05-01", "2021-05-01", "2023-09-01", "2025-07-01"].map(day);
        let school = Entry { since, ..Entry::default() };
        for (at, expected) in [
            ("2019-01-01", Status::Planned),
            ("2020-05-01", Status::Planned),
            ("2022-01-01", Status::Building),
            ("2023-08-31", Status::Building),
            ("2023-09-01", Status::Open),
            ("2025-06-30", Status::Open),
            ("2025-07-01", Status::Closed),
            ("2030-01-01", Status::Closed),
        ] {
            assert_eq!(school.status_on(day(at)), expected, "{at}");
        }
        assert_eq!(school.status_on(None), Status::Closed);
        let reopened =
            Entry { since: [None, None, day("2026-01-01"), day("2025-07-01")], ..Entry::default() };
        assert_eq!(reopened.status_on(day("2025-08-01")), Status::Closed);
        assert_eq!(reopened.status_on(day("2026-01-01")), Status::Open);
        assert!(!reopened.is_out_of_order() && !school.is_out_of_order());
    }

    #[test]
    fn one_date_tells_what_was_before_it() {
        let only = |stage: Status| {
            let mut entry = Entry::default();
            entry.since[stage as usize] = day("2025-01-01");
            entry.status_on(day("2024-01-01"))
        };
        assert_eq!(only(Status::Closed), Status::Open);
        assert_eq!(only(Status::Open), Status::Planned);
        assert_eq!(Entry::default().status_on(day("2024-01-01")), Status::Open);
    }

    #[test]
    fn a_stated_status_counts_where_it_has_no_date_of_its_own() {
        let mut clinic = Entry { status: Some(Status::Closed), ..Entry::default() };
        clinic.since[Status::Open as usize] = day("2015-01-01");
        assert_eq!(clinic.status_on(day("2026-01-01")), Status::Closed);
        clinic.status = Some(Status::Planned);
        assert_eq!(clinic.status_on(day("2026-01-01")), Status::Open);
        assert_eq!(clinic.status_on(day("2014-01-01")), Status::Planned);
        assert_eq!(clinic.status_on(None), Status::Planned);
        clinic.status = Some(Status::Open);
        assert_eq!(clinic.status_on(day("2014-01-01")), Status::Planned);
    }

    #[test]
    fn stages_out_of_order_are_told() {
        let entry = |since: [&str; 4]| Entry { since: since.map(day), ..Entry::default() };
        assert!(entry(["", "2021-01-01", "2020-01-01", ""]).is_out_of_order());
        assert!(entry(["2021-01-01", "", "2020-01-01", ""]).is_out_of_order());
        assert!(entry(["", "2021-01-01", "", "2020-01-01"]).is_out_of_order());
        assert!(!entry(["", "", "", "2020-01-01"]).is_out_of_order());
        assert!(!entry(["2019-01-01", "", "2020-01-01", ""]).is_out_of_order());
    }

    #[test]
    fn an_entry_fills_its_gaps_and_keeps_what_it_says() {
        let mut own =
            Entry { status: Some(Status::Open), operator: Some("街道办".into()), ..Entry::default() };
        let other = Entry {
            status: Some(Status::Closed),
            since: [None, None, None, day("2020-01-01")],
            capacity: [Some(30.0), None, None, None, Some(4.0)],
            operator: Some("somebody".into()),
            source: Some("OpenStreetMap".into()),
            ..Entry::default()
        };
        own.capacity[4] = Some(9.0);
        own.fill_from(&other);
        assert_eq!((own.status, own.since), (Some(Status::Open), [None; 4]));
        assert_eq!(own.capacity, [Some(30.0), None, None, None, Some(9.0)]);
        assert_eq!(own.operator.as_deref(), Some("街道办"));
        assert_eq!(own.source.as_deref(), Some("OpenStreetMap"));
    }
}
