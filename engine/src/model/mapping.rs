//! A user's own table from the values and names of a source to facility classes.

use super::name::half_width;
use std::collections::HashMap;

/// One row of the table. It applies where every part that is filled in fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Row in the user's table, from 1.
    pub row: u64,
    /// The value of the class column of the source, in half width and lower case.
    pub from: Option<String>,
    /// A part of the name, in half width and lower case.
    pub name_contains: Option<String>,
    /// The class.
    pub class: String,
}

/// The rules, the most telling first: value and name, the value, the name; longer parts of names first; then by row.
#[derive(Debug, Clone, Default)]
pub struct Mapping {
    rules: Vec<Rule>,
    /// The positions of rules by their value.
    by_value: HashMap<String, Vec<usize>>,
    /// The positions of rules that ask only for a name.
    by_name: Vec<usize>,
}

/// What a mapping says of a facility.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapped<'a> {
    /// The rule that decides.
    pub rule: &'a Rule,
    /// Classes of rules that fit as well, without its own; sorted.
    pub others: Vec<&'a str>,
}

impl Rule {
    fn telling(&self) -> (bool, usize) {
        (self.from.is_some(), self.name_contains.as_ref().map_or(0, |part| part.chars().count()))
    }
}

impl Mapping {
    /// A mapping of these rules.
    pub fn new(mut rules: Vec<Rule>) -> Self {
        rules.sort_by(|a, b| b.telling().cmp(&a.telling()).then(a.row.cmp(&b.row)));
        let mut mapping = Self::default();
        for (position, rule) in rules.iter().enumerate() {
            match &rule.from {
                Some(from) => mapping.by_value.entry(from.clone()).or_default().push(position),
                None => mapping.by_name.push(position),
            }
        }
        mapping.rules = rules;
        mapping
    }

    /// The rules in the order in which they are asked.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The class of a facility with this value in the class column and this name.
    pub fn class_of(&self, value: Option<&str>, name: Option<&str>) -> Option<Mapped<'_>> {
        let name = name.map(half_width).unwrap_or_default();
        let of_value = value.and_then(|value| self.by_value.get(&half_width(value))).into_iter().flatten();
        let candidates = of_value.chain(&self.by_name).map(|&position| &self.rules[position]);
        let named = |rule: &&Rule| {
            rule.name_contains.as_ref().is_none_or(|part| !name.is_empty() && name.contains(part.as_str()))
        };
        let mut fitting = candidates.filter(named);
        let rule = fitting.next()?;
        let mut others: Vec<&str> = fitting
            .take_while(|other| other.telling() == rule.telling())
            .map(|other| other.class.as_str())
            .filter(|class| *class != rule.class)
            .collect();
        others.sort_unstable();
        others.dedup();
        Some(Mapped { rule, others })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(row: u64, from: &str, part: &str, class: &str) -> Rule {
        let filled = |text: &str| (!text.is_empty()).then(|| half_width(text));
        Rule { row, from: filled(from), name_contains: filled(part), class: class.to_owned() }
    }

    #[test]
    fn the_most_telling_rule_decides() {
        let mapping = Mapping::new(vec![
            rule(1, "", "大药房", "pharmacy"),
            rule(2, "医疗", "", "clinic"),
            rule(3, "医疗", "卫生室", "health_room"),
            rule(4, "", "房", "house"),
            rule(5, "", "超市", "supermarket"),
        ]);
        let class = |value, name| mapping.class_of(value, name).map(|mapped| mapped.rule.row);
        assert_eq!(class(Some("医疗"), Some("和平卫生室")), Some(3));
        assert_eq!(class(Some(" 医疗 "), Some("和平大药房")), Some(2));
        assert_eq!(class(Some("商业"), Some("和平大药房")), Some(1));
        assert_eq!(class(None, Some("厨房")), Some(4));
        assert_eq!(class(None, Some("学校")), None);
        assert_eq!(class(None, None), None);
        let mapped = mapping.class_of(None, Some("和平大药房超市")).unwrap();
        assert_eq!((mapped.rule.row, mapped.others.len()), (1, 0));
    }

    #[test]
    fn equally_telling_rules_are_listed() {
        let mapping = Mapping::new(vec![rule(7, "", "食堂", "canteen"), rule(3, "", "超市", "supermarket")]);
        let mapped = mapping.class_of(None, Some("食堂超市")).unwrap();
        assert_eq!((mapped.rule.row, mapped.others), (3, vec!["canteen"]));
    }
}
