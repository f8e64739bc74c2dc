//! Age groups, and the columns of a table of people that they are counted in.

use serde::Deserialize;
use std::collections::BTreeMap;

/// An age group of the catalogue.
#[derive(Debug, Clone, Deserialize)]
pub struct AgeGroup {
    /// Id, as it stands in tables.
    pub id: String,
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    #[serde(default)]
    pub name_en: String,
    /// First and last year of age; empty for a group that is not one of ages.
    ages: Vec<u16>,
    /// Headings of columns that mean the group.
    #[serde(default)]
    pub headings: Vec<String>,
}

/// Years of age, both counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ages {
    /// The first.
    pub first: u16,
    /// The last; [`Ages::NO_END`] when there is none.
    pub last: u16,
}

/// A group and the columns that are added up to it: one of its own, or columns of ages that fill it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupColumns {
    /// Id of the group.
    pub id: String,
    /// The columns.
    pub columns: Vec<String>,
}

/// A column whose numbers are the sum of others'.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sum {
    /// The column.
    pub whole: String,
    /// Those that add up to it.
    pub parts: Vec<String>,
}

/// What the headings of a table say of age groups.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The groups that can be counted.
    pub groups: Vec<GroupColumns>,
    /// Groups that columns of ages touch and do not fill: numbers for them would be guessed.
    pub unfilled: Vec<String>,
    /// Columns that should add up.
    pub sums: Vec<Sum>,
}

impl AgeGroup {
    /// Its ages, where it is a group of ages.
    pub fn ages(&self) -> Option<Ages> {
        match *self.ages.as_slice() {
            [first, last] if first <= last => Some(Ages { first, last }),
            _ => None,
        }
    }
}

/// What may stand behind the ages in a heading.
const TAILS: [&str; 12] =
    ["", "人口", "人口数", "人数", "人", "老人", "老年人", "老年人口", "儿童", "婴幼儿", "幼儿", "(人)"];

/// What may stand between two ages.
const DASHES: [&str; 9] = ["-", "–", "—", "－", "~", "～", "至", "到", "_"];

impl Ages {
    /// The last year of a group that has none.
    pub const NO_END: u16 = 200;
    /// Everybody.
    pub const ALL: Self = Self { first: 0, last: Self::NO_END };

    /// The ages that a heading names as a census does: `0岁`, `5-9岁`, `85岁及以上`, `3岁以下` (under 3), `age_0_4`,
    /// `age_85_plus`; `None` for anything else.
    pub fn from_heading(heading: &str) -> Option<Self> {
        let text: String =
            heading.chars().filter(|sign| !sign.is_whitespace()).collect::<String>().to_lowercase();
        let (text, english) = match text.strip_prefix("aged").or_else(|| text.strip_prefix("age")) {
            Some(rest) => (rest.trim_start_matches('_'), true),
            None => (text.as_str(), false),
        };
        let (first, rest) = number(text)?;
        let (rest, years) = without(rest, &["岁"]);
        if let (rest, true) = without(rest, &DASHES)
            && let Some((last, rest)) = number(rest)
        {
            let (rest, years_too) = without(rest, &["岁"]);
            let known = (english || years || years_too) && TAILS.contains(&rest);
            return (known && first <= last).then_some(Self { first, last });
        }
        if !(english || years) {
            return None;
        }
        let (rest, open) = without(rest, &["及以上", "以上", "及其以上", "+", "_plus", "plus"]);
        let (rest, to) = without(rest, &["及以下"]);
        let (rest, under) = without(rest, &["以下"]);
        let ages = match (open, to, under) {
            (true, _, _) => Self { first, last: Self::NO_END },
            (_, true, _) => Self { first: 0, last: first },
            (_, _, true) => Self { first: 0, last: first.checked_sub(1)? },
            _ => Self { first, last: first },
        };
        TAILS.contains(&rest).then_some(ages)
    }

    /// Whether all of these are among those.
    const fn within(self, other: Self) -> bool {
        other.first <= self.first && self.last <= other.last
    }

    const fn meets(self, other: Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

fn number(text: &str) -> Option<(u16, &str)> {
    let end = text.find(|sign: char| !sign.is_ascii_digit()).unwrap_or(text.len());
    Some((text[..end].parse().ok().filter(|age| *age < Ages::NO_END)?, &text[end..]))
}

fn without<'t>(text: &'t str, starts: &[&str]) -> (&'t str, bool) {
    match starts.iter().find_map(|start| text.strip_prefix(start)) {
        Some(rest) => (rest, true),
        None => (text, false),
    }
}

/// A column with the ages that it counts.
#[derive(Debug, Clone, Copy)]
struct Band<'t> {
    column: &'t str,
    ages: Ages,
}

/// Look for age groups in the headings of a table; `people` is the column of everybody.
pub fn find(columns: &[String], people: &str, known: &[AgeGroup]) -> Found {
    let starts: Vec<u16> =
        columns.iter().filter_map(|name| Ages::from_heading(name)).map(|ages| ages.first).collect();
    let own = |group: &AgeGroup| {
        let names = |column: &&String| {
            let ages = Ages::from_heading(column);
            let goes_on = ages.is_some_and(|ages| starts.contains(&(ages.last + 1)));
            let listed = |heading: &String| {
                heading == *column || (ages.is_some() && Ages::from_heading(heading) == ages)
            };
            **column == group.id || (group.headings.iter().any(listed) && !goes_on)
        };
        columns.iter().find(names)
    };
    let groups: Vec<(&AgeGroup, Option<&String>)> = known
        .iter()
        .filter(|group| group.ages() != Some(Ages::ALL))
        .map(|group| (group, own(group).filter(|column| *column != people)))
        .collect();
    let is_own = |column: &String| column == people || groups.iter().any(|(_, own)| *own == Some(column));
    let mut bands: Vec<Band> = columns
        .iter()
        .filter(|column| !is_own(column))
        .filter_map(|column| Ages::from_heading(column).map(|ages| Band { column, ages }))
        .collect();
    let stated = groups.iter().filter_map(|(group, own)| Some(Band { column: (*own)?, ages: group.ages()? }));
    bands.extend(stated);
    let mut found = Found::default();
    for (group, own) in &groups {
        let filled = group.ages().and_then(|ages| fill(ages, &bands));
        let columns = own.map(|column| vec![column.clone()]).or(filled);
        let touched = |ages: Ages| bands.iter().any(|band| band.ages.meets(ages));
        match columns {
            Some(columns) => found.groups.push(GroupColumns { id: group.id.clone(), columns }),
            None if group.ages().is_some_and(touched) => found.unfilled.push(group.id.clone()),
            None => {}
        }
    }
    let everybody = Band { column: people, ages: Ages::ALL };
    for whole in bands.iter().chain(std::iter::once(&everybody)) {
        let narrower: Vec<Band> = bands.iter().filter(|band| band.ages != whole.ages).copied().collect();
        if let Some(parts) = fill(whole.ages, &narrower) {
            found.sums.push(Sum { whole: whole.column.to_owned(), parts });
        }
    }
    found
}

/// Columns, the widest that there are, that fill these ages without gap and without overlap.
fn fill(ages: Ages, bands: &[Band<'_>]) -> Option<Vec<String>> {
    let mut fitting: Vec<&Band> = bands.iter().filter(|band| band.ages.within(ages)).collect();
    fitting.sort_by_key(|band| (band.ages.first, std::cmp::Reverse(band.ages.last)));
    // From every age from which there is a way to the end: the columns of it.
    let mut ways: BTreeMap<u16, Vec<String>> = BTreeMap::new();
    ways.insert(ages.last + 1, Vec::new());
    for band in fitting.into_iter().rev() {
        if let Some(rest) = ways.get(&(band.ages.last + 1)) {
            let way = std::iter::once(band.column.to_owned()).chain(rest.iter().cloned()).collect();
            ways.insert(band.ages.first, way);
        }
    }
    ways.remove(&ages.first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Vec<AgeGroup> {
        let group = |id: &str, ages: &[u16], headings: &[&str]| AgeGroup {
            id: id.to_owned(),
            name_zh: String::new(),
            name_en: String::new(),
            ages: ages.to_vec(),
            headings: headings.iter().map(|&heading| heading.to_owned()).collect(),
        };
        vec![
            group("all", &[0, 200], &[]),
            group("infant_0_2", &[0, 2], &["0-3岁"]),
            group("preschool_3_5", &[3, 5], &["3-6岁"]),
            group("child_0_14", &[0, 14], &[]),
            group("senior_60_plus", &[60, 200], &[]),
            group("mobility_limited", &[], &["行动不便"]),
        ]
    }

    fn look(columns: &[&str]) -> (Vec<(String, String)>, Vec<String>, Vec<String>) {
        let columns: Vec<String> = columns.iter().map(|&column| column.to_owned()).collect();
        let found = find(&columns, "people", &known());
        let groups = found.groups.into_iter().map(|group| (group.id, group.columns.join(" ")));
        let sums = found.sums.into_iter().map(|sum| format!("{} = {}", sum.whole, sum.parts.join(" ")));
        (groups.collect(), found.unfilled, sums.collect())
    }

    #[test]
    fn headings_say_ages_as_a_census_does() {
        let ages = |heading| Ages::from_heading(heading).map(|ages| (ages.first, ages.last));
        for (heading, expected) in [
            ("0岁", (0, 0)),
            ("0-4岁", (0, 4)),
            ("5～9岁人口", (5, 9)),
            ("15岁至59岁", (15, 59)),
            ("60岁以上", (60, 200)),
            ("65岁及以上人口", (65, 200)),
            ("85 岁及以上", (85, 200)),
            ("3岁以下", (0, 2)),
            ("14岁及以下", (0, 14)),
            ("age_0_4", (0, 4)),
            ("Age_85_plus", (85, 200)),
            ("age7", (7, 7)),
        ] {
            assert_eq!(ages(heading), Some(expected), "{heading}");
        }
        for heading in [
            "0_4",
            "12",
            "人口",
            "60岁以上占比",
            "9-5岁",
            "岁",
            "agency",
            "x0-4岁",
            "0-4",
            "300岁",
            "0岁以下",
        ] {
            assert_eq!(ages(heading), None, "{heading}");
        }
    }

    #[test]
    fn a_group_is_its_own_column_or_the_ages_that_fill_it() {
        let (groups, unfilled, sums) =
            look(&["area_id", "people", "0-4岁", "5-9岁", "10-14岁", "60岁及以上", "行动不便"]);
        assert_eq!(
            groups,
            [
                ("child_0_14".to_owned(), "0-4岁 5-9岁 10-14岁".to_owned()),
                ("senior_60_plus".to_owned(), "60岁及以上".to_owned()),
                ("mobility_limited".to_owned(), "行动不便".to_owned()),
            ]
        );
        assert_eq!(unfilled, ["infant_0_2", "preschool_3_5"]);
        assert!(sums.is_empty(), "{sums:?}");
    }

    #[test]
    fn nursery_ages_end_before_the_birthday_unless_the_table_goes_on_after_it() {
        let (groups, ..) = look(&["people", "0-3岁", "3-6岁"]);
        assert_eq!(groups[0], ("infant_0_2".to_owned(), "0-3岁".to_owned()));
        assert_eq!(groups[1], ("preschool_3_5".to_owned(), "3-6岁".to_owned()));
        let (groups, unfilled, _) = look(&["people", "0-3岁", "4-6岁"]);
        assert!(groups.is_empty());
        assert_eq!(unfilled, ["infant_0_2", "preschool_3_5", "child_0_14"]);
    }

    #[test]
    fn what_should_add_up_is_found() {
        let (groups, _, sums) = look(&["people", "0-14岁", "15-59岁", "60岁及以上", "0-6岁", "7-14岁"]);
        assert_eq!(groups.len(), 2);
        assert_eq!(sums, ["0-14岁 = 0-6岁 7-14岁", "people = 0-14岁 15-59岁 60岁及以上"]);
        let single: Vec<String> = (0..15).map(|age| format!("{age}岁")).collect();
        let single: Vec<&str> = single.iter().map(String::as_str).collect();
        let (groups, unfilled, _) = look(&single);
        assert_eq!(groups[0], ("infant_0_2".to_owned(), "0岁 1岁 2岁".to_owned()));
        assert_eq!((groups.len(), unfilled.len()), (3, 0));
    }
}
