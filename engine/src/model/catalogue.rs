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
    /// Whether a feature of another class counts here too.
    #[serde(default)]
    pub multi: bool,
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
    pub fn classify(&self, tags: &BTreeMap<&str, &str>) -> Vec<usize> {
        let name = [tags.get("name"), tags.get("name:zh")].into_iter().flatten().copied().collect::<String>();
        let matches: Vec<(usize, usize)> = (0..)
            .zip(&self.classes)
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
