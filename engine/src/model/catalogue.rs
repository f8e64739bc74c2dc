//! The catalogue of facility classes, and which map features belong to which class.

use super::age_group::AgeGroup;
use super::name::{edit_similarity, half_width};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The catalogue: `datasets/facility_classes.toml`, or a user's own file of the same schema.
#[derive(Debug, Clone, Deserialize)]
pub struct Catalogue {
    /// Id, by which standards name it.
    #[serde(default)]
    pub id: String,
    /// Age groups that classes are planned for.
    #[serde(default)]
    pub age_group: Vec<AgeGroup>,
    /// Planning levels.
    #[serde(default)]
    pub level: Vec<PlanningLevel>,
    /// Major classes.
    #[serde(default)]
    pub major: Vec<MajorClass>,
    /// Minor classes, in the order of the file.
    #[serde(rename = "class")]
    pub classes: Vec<FacilityClass>,
}

/// A planning level: minutes, radius and people are settings of their own, and none follows from another.
#[derive(Debug, Clone, Deserialize)]
pub struct PlanningLevel {
    /// Id.
    pub id: String,
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// Minutes of the walk.
    pub walk_minutes: f64,
    /// Radius of the standard, metres.
    pub standard_radius_m: f64,
    /// Fewest and most people.
    pub population: [f64; 2],
    /// Where the numbers are from.
    pub source: String,
}

/// A major class.
#[derive(Debug, Clone, Deserialize)]
pub struct MajorClass {
    /// Id.
    pub id: String,
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
}

/// A minor class. Keys that this version does not use yet (sizes, demand, sources) are left in the file.
#[derive(Debug, Clone, Deserialize)]
pub struct FacilityClass {
    /// Id, as it stands in tables.
    pub id: String,
    /// Id of its major class.
    pub major: String,
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// Planning level.
    pub level: String,
    /// Minutes that a planner expects the walk to take.
    pub walk_minutes: f64,
    /// Tag tables; a feature matches when any table matches, a table when all its keys do.
    #[serde(default)]
    pub osm: Vec<BTreeMap<String, Wanted>>,
    /// Parts of Chinese names that confirm the class.
    #[serde(default)]
    pub name_zh_any: Vec<String>,
    /// Parts of Chinese names that rule the class out.
    #[serde(default)]
    pub name_zh_none: Vec<String>,
    /// How features of the class are drawn; any way when empty. A park that is a mere point has no gates.
    #[serde(default)]
    pub geometry: Vec<Drawn>,
    /// Whether a feature of another class counts here too.
    #[serde(default)]
    pub multi: bool,
    /// Farthest that two rows of one facility of the class lie apart, metres; for classes larger than most.
    pub duplicate_m: Option<f64>,
}

/// How a map feature is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Drawn {
    /// A point, or a line.
    Point,
    /// An outline.
    Area,
}

/// The wanted value of a tag: one, or any of several; `"*"` is any value.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Wanted {
    /// This value.
    One(String),
    /// Any of these.
    Any(Vec<String>),
}

impl Wanted {
    fn accepts(&self, value: &str) -> bool {
        let fits = |wanted: &String| wanted == "*" || wanted == value;
        match self {
            Self::One(wanted) => fits(wanted),
            Self::Any(wanted) => wanted.iter().any(fits),
        }
    }
}

/// In a tag table: this key asks for a name that confirms the class, instead of a tag.
const NAME_KEY: &str = "_name";

/// A class of a map feature, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByTags {
    /// Position in [`Catalogue::classes`].
    pub class: usize,
    /// The tags that say so, as `key=value`, and `_name` for the name, joined by `,`.
    pub tags: String,
}

/// The class of a name, and why.
#[derive(Debug, Clone)]
pub struct ByName<'a> {
    /// The class.
    pub class: &'a FacilityClass,
    /// The part of the name that says so.
    pub part: &'a str,
    /// Classes that another part, as long, speaks for, in the order of the file.
    pub others: Vec<&'a FacilityClass>,
}

/// Least likeness of a name that may have been meant (own value): two slips in five letters.
const NEAR: f64 = 0.6;

/// Most names that are offered.
const OFFERED: usize = 3;

impl FacilityClass {
    /// The first of the matching tag tables with the most keys; none when the feature is not of this class.
    fn best_table(&self, tags: &BTreeMap<&str, &str>, name: &str) -> Option<&BTreeMap<String, Wanted>> {
        if self.is_vetoed_by(name) {
            return None;
        }
        let fits = |(key, wanted): (&String, &Wanted)| match tags.get(key.as_str()) {
            _ if key == NAME_KEY => self.confirmed_by(name),
            Some(value) => wanted.accepts(value),
            None => false,
        };
        let matching = self.osm.iter().filter(|table| !table.is_empty() && table.iter().all(fits));
        matching.rev().max_by_key(|table| table.len())
    }

    fn is_vetoed_by(&self, name: &str) -> bool {
        self.name_zh_none.iter().any(|part| name.contains(part.as_str()))
    }

    /// The longest part of a name that speaks for the class, and its letters; none when another part rules it out.
    fn longest_part(&self, name: &str) -> Option<(usize, &str)> {
        let parts =
            self.name_zh_any.iter().filter(|part| !self.is_vetoed_by(name) && name.contains(part.as_str()));
        parts.map(|part| (part.chars().count(), part.as_str())).rev().max_by_key(|&(letters, _)| letters)
    }

    /// How alike a word is to the id or a name of the class; a part of one is near it.
    fn likeness(&self, word: &str) -> f64 {
        let letters: Vec<char> = word.chars().collect();
        let of = |own: &String| {
            let own = half_width(own);
            let part = if letters.len() > 1 && own.contains(word) { NEAR } else { 0.0 };
            edit_similarity(&own.chars().collect::<Vec<_>>(), &letters).max(part)
        };
        [&self.id, &self.name_zh, &self.name_en].into_iter().map(of).fold(0.0, f64::max)
    }

    fn confirmed_by(&self, name: &str) -> bool {
        self.name_zh_any.iter().any(|part| name.contains(part.as_str()))
    }
}

impl Catalogue {
    /// Whether a class of this id exists.
    pub fn has(&self, id: &str) -> bool {
        self.classes.iter().any(|class| class.id == id)
    }

    /// The ids of at most three classes whose id or name is near a word, the nearest first.
    pub fn near(&self, word: &str) -> Vec<String> {
        let word = half_width(word);
        let mut near: Vec<(f64, &str)> =
            self.classes.iter().map(|class| (class.likeness(&word), class.id.as_str())).collect();
        near.retain(|(likeness, _)| *likeness >= NEAR);
        near.sort_by(|a, b| b.0.total_cmp(&a.0));
        near.into_iter().take(OFFERED).map(|(_, id)| id.to_owned()).collect()
    }

    /// The class that a Chinese name speaks for: the one with the longest part in it; of several, the first in the file.
    pub fn classify_name(&self, name: &str) -> Option<ByName<'_>> {
        let found: Vec<(&FacilityClass, (usize, &str))> =
            self.classes.iter().filter_map(|class| Some((class, class.longest_part(name)?))).collect();
        let longest = found.iter().map(|(_, (letters, _))| *letters).max()?;
        let mut best = found.into_iter().filter(|(_, (letters, _))| *letters == longest);
        let (class, (_, part)) = best.next()?;
        Some(ByName { class, part, others: best.map(|(other, _)| other).collect() })
    }

    /// The classes of a map feature.
    ///
    /// The table with the most keys wins; then a class whose name list confirms it; then the order of the file.
    /// Classes marked `multi` are added when they match too.
    pub fn classify(&self, tags: &BTreeMap<&str, &str>, drawn: Drawn) -> Vec<ByTags> {
        let name = [tags.get("name"), tags.get("name:zh")].into_iter().flatten().copied().collect::<String>();
        let matches: Vec<(usize, &BTreeMap<String, Wanted>)> = (0..)
            .zip(&self.classes)
            .filter(|(_, class)| class.geometry.is_empty() || class.geometry.contains(&drawn))
            .filter_map(|(position, class)| Some((position, class.best_table(tags, &name)?)))
            .collect();
        let Some(&winner) = matches.iter().max_by_key(|&&(position, table)| {
            (table.len(), self.classes[position].confirmed_by(&name), usize::MAX - position)
        }) else {
            return Vec::new();
        };
        let also =
            matches.into_iter().filter(|&(position, _)| position != winner.0 && self.classes[position].multi);
        let tag = |key: &String| tags.get(key.as_str()).map_or(key.clone(), |value| format!("{key}={value}"));
        std::iter::once(winner)
            .chain(also)
            .map(|(class, table)| ByTags { class, tags: table.keys().map(tag).collect::<Vec<_>>().join(",") })
            .collect()
    }

    /// The keys that any tag table asks for, so that a reader can pass over untagged features at once.
    pub fn keys(&self) -> Vec<&str> {
        let tables = self.classes.iter().flat_map(|class| &class.osm);
        let mut keys: Vec<&str> =
            tables.flat_map(BTreeMap::keys).map(String::as_str).filter(|&key| key != NAME_KEY).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }
}

#[cfg(test)]
mod tests {
    use super::{Catalogue, Drawn};

    fn classes(tags: &[(&'static str, &'static str)], drawn: Drawn) -> Vec<String> {
        let catalogue: Catalogue = toml::from_str(
            r#"
            class = [
              { id = "station", major = "m", name_zh = "", name_en = "", level = "", walk_minutes = 10,
                osm = [{ amenity = ["clinic", "doctors"] }], name_zh_none = ["宠物"] },
              { id = "centre", major = "m", name_zh = "", name_en = "", level = "", walk_minutes = 15,
                osm = [{ amenity = "clinic", _name = "*" }], name_zh_any = ["卫生服务中心"] },
              { id = "park", major = "m", name_zh = "", name_en = "", level = "", walk_minutes = 5,
                osm = [{ leisure = "park" }], geometry = ["area"] },
              { id = "shelter", major = "m", name_zh = "", name_en = "", level = "", walk_minutes = 10,
                osm = [{ emergency = "*" }], multi = true },
            ]
            "#,
        )
        .unwrap();
        let found = catalogue.classify(&tags.iter().copied().collect(), drawn);
        found.into_iter().map(|found| catalogue.classes[found.class].id.clone()).collect()
    }

    #[test]
    fn the_name_splits_what_the_tags_do_not() {
        let clinic = |name| classes(&[("amenity", "clinic"), ("name", name)], Drawn::Point);
        assert_eq!(clinic("和平社区卫生服务中心"), ["centre"]);
        assert_eq!(clinic("李氏诊所"), ["station"]);
        assert!(clinic("宠物诊所").is_empty());
    }

    #[test]
    fn a_park_is_an_area_and_may_be_a_shelter_too() {
        let park = [("leisure", "park"), ("emergency", "assembly_point")];
        assert_eq!(classes(&park, Drawn::Area), ["park", "shelter"]);
        assert_eq!(classes(&park, Drawn::Point), ["shelter"]);
    }
}
