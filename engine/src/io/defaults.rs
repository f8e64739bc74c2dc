//! The project's own data files, read at compile time so that a wheel needs nothing beside it.

use super::osm::buildings::BuildingRules;
use super::osm::walking::WalkingRules;
use super::overture::places::Categories;
use crate::model::catalogue::Catalogue;
use crate::model::profile::Profile;
use serde::Deserialize;

const CATALOGUE: &str = include_str!("../../../datasets/facility_classes.toml");
const WALKING_RULES: &str = include_str!("../../../datasets/walking_rules.toml");
const BUILDING_RULES: &str = include_str!("../../../datasets/building_rules.toml");
const OVERTURE_PLACES: &str = include_str!("../../../datasets/overture_places.toml");
const PROFILES: &str = include_str!("../../../datasets/profiles.toml");

/// The standards that come with the project: the name of each and its text.
pub const STANDARDS: [(&str, &str); 2] = [
    ("mohurd_2020", include_str!("../../../datasets/standards/mohurd_2020.toml")),
    ("chongqing_illustrative", include_str!("../../../datasets/standards/chongqing_illustrative.toml")),
];

/// The catalogue of 6 major and 30 minor classes.
pub fn catalogue() -> Catalogue {
    toml::from_str(CATALOGUE).expect("datasets/facility_classes.toml is tested")
}

/// What people may walk on.
pub fn walking_rules() -> WalkingRules {
    toml::from_str(WALKING_RULES).expect("datasets/walking_rules.toml is tested")
}

/// Which buildings people live in.
pub fn building_rules() -> BuildingRules {
    toml::from_str(BUILDING_RULES).expect("datasets/building_rules.toml is tested")
}

/// Which categories of Overture's places belong to which class.
pub fn overture_places() -> Categories {
    toml::from_str(OVERTURE_PLACES).expect("datasets/overture_places.toml is tested")
}

/// The profiles known by name: adult, senior, child, stroller, wheelchair.
pub fn profiles() -> Vec<Profile> {
    #[derive(Deserialize)]
    struct File {
        profile: Vec<Profile>,
    }
    let file: File = toml::from_str(PROFILES).expect("datasets/profiles.toml is tested");
    file.profile
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_files_are_readable_and_complete() {
        let catalogue = catalogue();
        assert_eq!((catalogue.major.len(), catalogue.classes.len()), (6, 30));
        for class in &catalogue.classes {
            assert!(catalogue.major.iter().any(|major| major.id == class.major), "{}", class.id);
        }
        let names: Vec<String> = profiles().into_iter().map(|profile| profile.name).collect();
        assert_eq!(names, ["adult", "senior", "child", "stroller", "wheelchair"]);
        assert!(profiles().iter().all(|profile| profile.fault().is_none()));
        walking_rules();
        building_rules();
        let places = overture_places();
        let unknown: Vec<&str> = places.classes().filter(|class| !catalogue.has(class)).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }
}
