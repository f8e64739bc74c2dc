//! Which buildings people live in and how many floors they have: `datasets/building_rules.toml`, applied.

use super::walking::Tags;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The rules as they stand in the file.
#[derive(Debug, Clone, Deserialize)]
pub struct BuildingRules {
    residential_floors: BTreeMap<String, f64>,
    unstated: Unstated,
    levels: Levels,
}

#[derive(Debug, Clone, Deserialize)]
struct Unstated {
    values: Vec<String>,
    floors: f64,
    other_use_keys: Vec<String>,
    home_uses: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct Levels {
    least: f64,
    most: f64,
}

impl BuildingRules {
    /// Floors of a building that people live in; `None` for any other feature.
    pub fn home_floors(&self, tags: &Tags<'_>) -> Option<f64> {
        let building = *tags.get("building")?;
        let usual = match self.residential_floors.get(building) {
            Some(&floors) => floors,
            None if self.unstated_home(building, tags) => self.unstated.floors,
            None => return None,
        };
        let tagged = tags.get("building:levels").and_then(|text| text.trim().parse::<f64>().ok());
        Some(tagged.filter(|floors| (self.levels.least..=self.levels.most).contains(floors)).unwrap_or(usual))
    }

    fn unstated_home(&self, building: &str, tags: &Tags<'_>) -> bool {
        let other_use = |key: &String| match (key.as_str(), tags.get(key.as_str())) {
            (_, None) => false,
            ("building:use", Some(value)) => !self.unstated.home_uses.iter().any(|home| home == value),
            _ => true,
        };
        self.unstated.values.iter().any(|value| value == building)
            && !self.unstated.other_use_keys.iter().any(other_use)
    }
}

#[cfg(test)]
mod tests {
    use crate::io::defaults;

    #[test]
    fn homes_and_their_floors() {
        let floors = |tags: &[(&'static str, &'static str)]| {
            defaults::building_rules().home_floors(&tags.iter().copied().collect())
        };
        assert_eq!(floors(&[("building", "apartments"), ("building:levels", "7")]), Some(7.0));
        assert_eq!(floors(&[("building", "apartments")]), Some(5.0));
        assert_eq!(floors(&[("building", "apartments"), ("building:levels", "900")]), Some(5.0));
        assert_eq!(floors(&[("building", "yes")]), Some(3.0));
        assert_eq!(floors(&[("building", "yes"), ("amenity", "school")]), None);
        assert_eq!(floors(&[("building", "yes"), ("building:use", "residential")]), Some(3.0));
        assert_eq!(floors(&[("building", "office")]), None);
        assert_eq!(floors(&[("highway", "service")]), None);
    }
}
