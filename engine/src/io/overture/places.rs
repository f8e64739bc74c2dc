//! Places of Overture Maps as a table of facilities: their categories are matched with our classes, nothing is guessed.

use crate::io::nested::Nested;
use crate::io::table::Table;
use crate::model::error::{Error, Result};
use crate::model::problem::Problem;
use arrow_array::{ArrayRef, StringArray};
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// The column of [`facilities`] with every name of a place's category, the most telling first.
pub const CATEGORIES: &str = "overture_categories";
/// Between two names in it.
const BETWEEN: char = ';';
/// The rule of a class that a category gave, before the name of the category.
const RULE: &str = "overture:";

/// Which categories of Overture belong to which class.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(from = "File")]
pub struct Categories {
    exact: HashMap<String, Listed>,
    endings: Vec<(String, Listed)>,
}

/// What the list says of a category.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Listed {
    Class(String),
    /// Below a category that counts, but no facility of its class.
    NoFacility,
}

/// The list as it is written.
#[derive(Deserialize)]
struct File {
    class: BTreeMap<String, Vec<String>>,
    none: NoFacility,
}

#[derive(Deserialize)]
struct NoFacility {
    names: Vec<String>,
}

impl From<File> for Categories {
    fn from(file: File) -> Self {
        let of_class = |(class, names): (String, Vec<String>)| {
            names.into_iter().map(move |name| (name, Listed::Class(class.clone())))
        };
        let none = file.none.names.into_iter().map(|name| (name, Listed::NoFacility));
        let mut categories = Self::default();
        for (name, listed) in file.class.into_iter().flat_map(of_class).chain(none) {
            match name.strip_prefix('*') {
                Some(ending) => categories.endings.push((ending.to_owned(), listed)),
                None => drop(categories.exact.insert(name, listed)),
            }
        }
        categories
    }
}

impl Categories {
    /// The class of these categories, and the name that decided: the first that is listed. A name in the list may begin with
    /// `*` for any beginning; one without goes before it.
    pub fn class_of<'a>(&'a self, categories: &'a str) -> Option<(&'a str, String)> {
        match categories.split(BETWEEN).find_map(|name| Some((self.listed(name)?, name)))? {
            (Listed::Class(class), name) => Some((class, format!("{RULE}{name}"))),
            (Listed::NoFacility, _) => None,
        }
    }

    fn listed(&self, name: &str) -> Option<&Listed> {
        let by_ending = || self.endings.iter().find(|(ending, _)| name.ends_with(ending.as_str()));
        self.exact.get(name).or_else(|| by_ending().map(|(_, listed)| listed))
    }

    /// The classes that are spoken of.
    pub fn classes(&self) -> impl Iterator<Item = &str> {
        fn class(listed: &Listed) -> Option<&str> {
            match listed {
                Listed::Class(class) => Some(class),
                Listed::NoFacility => None,
            }
        }
        self.exact.values().chain(self.endings.iter().map(|(_, listed)| listed)).filter_map(class)
    }
}

/// A record whose main value alone is looked at: `names`, and `categories`, the older vocabulary.
#[derive(Debug, Default, Deserialize)]
struct Main {
    primary: Option<String>,
}

/// The newer vocabulary; `hierarchy` goes from the most general to the most specific, which is `primary`.
#[derive(Debug, Default, Deserialize)]
struct Taxonomy {
    primary: Option<String>,
    hierarchy: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
struct Brand {
    names: Option<Main>,
}

/// Whether a table has the columns of Overture's places.
pub fn are_places(table: &Table) -> bool {
    table.is_record("names") && (table.is_record("taxonomy") || table.is_record("categories"))
}

/// The columns that facilities have, from those of Overture's places; nothing for another table. Rows keep their numbers.
///
/// `class` is the category itself, for mappings of a user; [`CATEGORIES`] is what [`Categories`] looks at. A place that is
/// closed for a time is closed. `confidence` is not looked at: who wants only what is sure filters the table.
///
/// # Errors
/// A problem of the first row whose records are not those of the schema.
pub fn facilities(table: &Table) -> Result<Option<Table>> {
    if !are_places(table) {
        return Ok(None);
    }
    let (names, brand) = (Nested::of(table, "names")?, Nested::of(table, "brand")?);
    let (taxonomy, older) = (Nested::of(table, "taxonomy")?, Nested::of(table, "categories")?);
    let status = if table.has("operating_status") {
        table.text("operating_status")?
    } else {
        vec![None; table.rows()]
    };
    let mut columns: [Vec<Option<String>>; 5] = Default::default();
    let unlike = |problem: Box<Problem>| Error::from(*problem);
    for (row, status) in status.into_iter().enumerate() {
        let categories = categories(
            taxonomy.get::<Taxonomy>(row).map_err(unlike)?,
            older.get::<Main>(row).map_err(unlike)?,
        );
        let name = names.get::<Main>(row).map_err(unlike)?;
        let brand = brand.get::<Brand>(row).map_err(unlike)?;
        let category = categories.first().cloned();
        let listed = (!categories.is_empty()).then(|| categories.join(&BETWEEN.to_string()));
        let operator = brand.names.and_then(|names| names.primary);
        for (column, value) in
            columns.iter_mut().zip([name.primary, category, listed, status.map(stage), operator])
        {
            column.push(value);
        }
    }
    let titles = ["name", "class", CATEGORIES, "status", "operator"];
    let columns = titles.into_iter().zip(columns);
    let added = columns.map(|(title, values)| (title, Arc::new(StringArray::from(values)) as ArrayRef));
    table.with_columns(&["id", "geometry"], added.collect()).map(Some)
}

fn categories(taxonomy: Taxonomy, older: Main) -> Vec<String> {
    let mut categories: Vec<String> = taxonomy.primary.into_iter().collect();
    categories.extend(taxonomy.hierarchy.into_iter().flatten().rev());
    categories.extend(older.primary);
    let mut seen = HashSet::new();
    categories.retain(|name| seen.insert(name.clone()));
    categories
}

/// Our word for a status of Overture.
fn stage(status: String) -> String {
    match status.as_str() {
        "permanently_closed" | "temporarily_closed" => "closed".to_owned(),
        _ => status,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed() -> Categories {
        let text = r#"
            [class]
            dining = ["restaurant", "*_restaurant"]
            pharmacy = ["pharmacy"]
            [none]
            names = ["hotel_restaurant", "bar"]
        "#;
        toml::from_str(text).unwrap()
    }

    #[test]
    fn the_most_telling_category_that_is_listed_decides() {
        let categories = listed();
        let class = |names| categories.class_of(names);
        assert_eq!(class("pharmacy;health_care"), Some(("pharmacy", "overture:pharmacy".to_owned())));
        assert_eq!(class("sushi_bar;restaurant;food"), Some(("dining", "overture:restaurant".to_owned())));
        assert_eq!(class("thai_restaurant"), Some(("dining", "overture:thai_restaurant".to_owned())));
        // What is no facility stays none, whatever stands above it; exact names go before endings.
        assert_eq!(class("bar;restaurant"), None);
        assert_eq!(class("hotel_restaurant"), None);
        assert_eq!(class("law_firm;professional_service"), None);
        assert_eq!(class(""), None);
    }

    #[test]
    fn categories_stand_from_the_most_telling_to_the_most_general_and_once() {
        let taxonomy = Taxonomy {
            primary: Some("pharmacy".to_owned()),
            hierarchy: Some(["health_care", "pharmacy"].map(str::to_owned).to_vec()),
        };
        let older = Main { primary: Some("drugstore".to_owned()) };
        assert_eq!(categories(taxonomy, older), ["pharmacy", "health_care", "drugstore"]);
    }
}
