//! The catalogue of facility classes, and which map features belong to which class.

use serde::Deserialize;
use std::collections::BTreeMap;

/// The catalogue: `datasets/facility_classes.toml`, or a user's own file of the same schema.
#[derive(Debug, Clone, Deserialize)]
pub struct Catalogue {
    /// Major classes.
    #[serde(default)]
    pub major: Vec<MajorClass>,
    /// Minor classes, in the order of the file.
    #[serde(rename = "class")]
    pub classes: Vec<FacilityClass>,
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

impl FacilityClass {
    /// How many keys of the best matching tag table the feature fulfils; 0 when it is not of this class.
    fn strength(&self, tags: &BTreeMap<&str, &str>, name: &str) -> usize {
        if self.name_zh_none.iter().any(|part| name.contains(part.as_str())) {
            return 0;
        }
        let fits = |(key, wanted): (&String, &Wanted)| match tags.get(key.as_str()) {
            _ if key == NAME_KEY => self.confirmed_by(name),
            Some(value) => wanted.accepts(value),
            None => false,
        };
        self.osm.iter().filter(|table| table.iter().all(fits)).map(BTreeMap::len).max().unwrap_or(0)
    }

    fn confirmed_by(&self, name: &str) -> bool {
        self.name_zh_any.iter().any(|part| name.contains(part.as_str()))
    }
}

impl Catalogue {
    /// The classes of a map feature, as positions in [`Catalogue::classes`].
    ///
    /// The table with the most keys wins; then a class whose name list confirms it; then the order of the file.
    /// Classes marked `multi` are added when they match too.
    pub fn classify(&self, tags: &BTreeMap<&str, &str>, drawn: Drawn) -> Vec<usize> {
        let name = [tags.get("name"), tags.get("name:zh")].into_iter().flatten().copied().collect::<String>();
        let matches: Vec<(usize, usize)> = (0..)
            .zip(&self.classes)
            .filter(|(_, class)| class.geometry.is_empty() || class.geometry.contains(&drawn))
            .map(|(position, class)| (position, class.strength(tags, &name)))
            .filter(|&(_, strength)| strength > 0)
            .collect();
        let Some(&(winner, _)) = matches.iter().max_by_key(|&&(position, strength)| {
            (strength, self.classes[position].confirmed_by(&name), usize::MAX - position)
        }) else {
            return Vec::new();
        };
        let also = matches.iter().map(|&(position, _)| position);
        std::iter::once(winner)
            .chain(also.filter(|&position| position != winner && self.classes[position].multi))
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
        found.into_iter().map(|position| catalogue.classes[position].id.clone()).collect()
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
