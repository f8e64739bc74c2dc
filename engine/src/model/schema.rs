//! What the columns of each table must hold, declared in one place: readers, checks and documents take it from here.

/// What the values of a column must be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rule {
    /// Whole numbers or text, none missing.
    Id,
    /// Any text.
    Text,
    /// A finite number within bounds.
    Number {
        /// The least that is believed.
        least: f64,
        /// The most that is believed.
        most: f64,
        /// The bounds as text.
        range: &'static str,
    },
    /// A day, `2026-11-25`.
    Date,
    /// An H3 cell: a whole number, or hexadecimal text.
    Cell,
}

/// One column of a table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Column {
    /// Its name, unless the user calls it otherwise.
    pub name: &'static str,
    /// What its values must be.
    pub rule: Rule,
    /// Whether the table must have it and every row a value.
    pub needed: bool,
}

impl Column {
    const fn needed(name: &'static str, rule: Rule) -> Self {
        Self { name, rule, needed: true }
    }

    const fn optional(name: &'static str, rule: Rule) -> Self {
        Self { name, rule, needed: false }
    }
}

/// A table that users bring. Its places (`lon` + `lat`, `geometry`, `cell`) follow one rule for all tables: `io::table`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TableRules {
    /// What the table is called in a study.
    pub name: &'static str,
    /// Its columns; others are left alone.
    pub columns: &'static [Column],
}

impl Rule {
    /// Whether a number is believed; rules of other things ask nothing of it.
    pub fn allows(self, number: f64) -> bool {
        !matches!(self, Self::Number { least, most, .. } if !(least..=most).contains(&number))
    }
}

impl TableRules {
    /// A column by its declared name.
    ///
    /// # Panics
    /// When no such column is declared; readers name only declared ones, which the tests of each reader run through.
    pub fn column(&self, name: &str) -> Column {
        let column = self.columns.iter().find(|column| column.name == name);
        *column.unwrap_or_else(|| panic!("{} declares {name}", self.name))
    }
}

/// More than this in one row is no count; sums of such rows would lose the others.
pub const COUNT: Rule = Rule::Number { least: 0.0, most: 1e12, range: "0..1e12" };
/// Money, which may be owed.
const ANY: Rule = Rule::Number { least: -1e15, most: 1e15, range: "-1e15..1e15" };
/// Larger than the largest building or park of any city.
const AREA_M2: Rule = Rule::Number { least: 0.0, most: 1e9, range: "0..1e9" };
/// Places, beds or staff of one facility: beyond the largest hospital or school by far (own bound).
const CAPACITY: Rule = Rule::Number { least: 0.0, most: 1e6, range: "0..1000000" };
/// Longest edge and longest time that are believed; both far beyond any walk.
const LENGTH_M: Rule = Rule::Number { least: 0.0, most: 1e6, range: "0..1000000" };
const SECONDS: Rule = Rule::Number { least: 0.0, most: 1e6, range: "0..1000000" };
/// Degrees.
const LON: Rule = Rule::Number { least: -180.0, most: 180.0, range: "-180..180" };
const LAT: Rule = Rule::Number { least: -90.0, most: 90.0, range: "-90..90" };
/// From the shore of the Dead Sea to above the highest summit.
const HEIGHT_M: Rule = Rule::Number { least: -450.0, most: 9000.0, range: "-450..9000" };

/// What people walk to.
pub const FACILITIES: TableRules = TableRules {
    name: "facilities",
    columns: &[
        Column::needed("id", Rule::Id),
        Column::optional("class", Rule::Text),
        Column::optional("name", Rule::Text),
        Column::optional("level", Rule::Text),
        Column::optional("service_level", Rule::Text),
        Column::optional("status", Rule::Text),
        Column::optional("planned_on", Rule::Date),
        Column::optional("building_since", Rule::Date),
        Column::optional("opened_on", Rule::Date),
        Column::optional("closed_on", Rule::Date),
        Column::optional("places", CAPACITY),
        Column::optional("beds", CAPACITY),
        Column::optional("floor_area_m2", AREA_M2),
        Column::optional("land_area_m2", AREA_M2),
        Column::optional("staff", CAPACITY),
        Column::optional("operator", Rule::Text),
        Column::optional("source", Rule::Text),
        Column::optional("class_rule", Rule::Text),
        Column::optional("merged_from", Rule::Text),
        Column::optional("outline", Rule::Text),
    ],
};

/// Walks from origins to facilities; pairs that are not there are out of reach.
pub const PAIRS: TableRules = TableRules {
    name: "pairs",
    columns: &[
        Column::needed("origin_id", Rule::Id),
        Column::needed("facility_id", Rule::Id),
        Column::needed("time_s", SECONDS),
        Column::optional("class", Rule::Text),
    ],
};

/// People who share what they reach.
pub const DEMAND: TableRules = TableRules {
    name: "demand",
    columns: &[Column::needed("origin_id", Rule::Id), Column::needed("people", COUNT)],
};

/// What facilities hold, in whatever the user counts.
pub const SUPPLY: TableRules = TableRules {
    name: "supply",
    columns: &[Column::needed("facility_id", Rule::Id), Column::needed("capacity", COUNT)],
};

/// What it costs to get from origins to sites, in any unit; pairs that are not there are out of reach.
pub const SITE_COSTS: TableRules = TableRules {
    name: "costs",
    columns: &[
        Column::needed("origin_id", Rule::Id),
        Column::needed("site_id", Rule::Id),
        Column::needed("cost", COUNT),
        Column::optional("class", Rule::Text),
    ],
};

/// Where something stands or may be built.
pub const SITES: TableRules = TableRules {
    name: "sites",
    columns: &[
        Column::needed("site_id", Rule::Id),
        Column::optional("class", Rule::Text),
        Column::optional("cost_yuan", COUNT),
        Column::optional("capacity", COUNT),
        Column::optional("area_id", Rule::Text),
        Column::optional("lon", LON),
        Column::optional("lat", LAT),
    ],
};

/// Values that are spread over people.
pub const VALUES: TableRules = TableRules {
    name: "values",
    columns: &[
        Column::needed("value", COUNT),
        Column::needed("weight", COUNT),
        Column::optional("income", ANY),
        Column::optional("group", Rule::Text),
    ],
};

/// How many people of each area reach what.
pub const COVERAGE: TableRules = TableRules {
    name: "coverage",
    columns: &[
        Column::needed("area_id", Rule::Id),
        Column::needed("class", Rule::Text),
        Column::needed("group", Rule::Text),
        Column::optional("profile", Rule::Text),
        Column::needed("minutes", SECONDS),
        Column::needed("people", COUNT),
        Column::needed("people_covered", COUNT),
    ],
};

/// What people in place say of communities.
pub const ANSWERS: TableRules = TableRules {
    name: "survey",
    columns: &[
        Column::needed("community_id", Rule::Id),
        Column::needed("key", Rule::Text),
        Column::needed("value", Rule::Text),
        Column::optional("source", Rule::Text),
        Column::optional("date", Rule::Date),
    ],
};

/// A user's own rules from values and names to classes.
pub const CLASSES: TableRules = TableRules {
    name: "classes",
    columns: &[
        Column::needed("class", Rule::Text),
        Column::optional("from", Rule::Text),
        Column::optional("name_contains", Rule::Text),
    ],
};

/// Who lives where; columns of groups follow the rule of `people`.
pub const POPULATION: TableRules = TableRules {
    name: "population",
    columns: &[
        Column::needed("people", COUNT),
        Column::optional("households", COUNT),
        Column::optional("cell", Rule::Cell),
        Column::optional("area_id", Rule::Text),
    ],
};

/// Planning areas.
pub const AREAS: TableRules = TableRules {
    name: "areas",
    columns: &[
        Column::needed("area_id", Rule::Id),
        Column::optional("name", Rule::Text),
        Column::optional("level", Rule::Text),
        Column::optional("parent_id", Rule::Text),
        Column::optional("code", Rule::Text),
    ],
};

/// The nodes of a surveyed network.
pub const NODES: TableRules = TableRules {
    name: "nodes",
    columns: &[Column::needed("id", Rule::Id), Column::optional("ele_m", HEIGHT_M)],
};

/// The edges of a surveyed network.
pub const EDGES: TableRules = TableRules {
    name: "edges",
    columns: &[
        Column::needed("from", Rule::Id),
        Column::needed("to", Rule::Id),
        Column::needed("length_m", LENGTH_M),
        Column::optional("id", Rule::Id),
        Column::optional("kind", Rule::Text),
        Column::optional("residents", Rule::Text),
        Column::optional("forward_s", SECONDS),
        Column::optional("backward_s", SECONDS),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_declared_once_and_bounds_are_what_their_text_says() {
        for schema in [FACILITIES, CLASSES, POPULATION, AREAS, NODES, EDGES, SITE_COSTS, SITES] {
            let mut names: Vec<&str> = schema.columns.iter().map(|column| column.name).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), schema.columns.len(), "{}", schema.name);
            for column in schema.columns {
                if let Rule::Number { least, most, range } = column.rule {
                    let (low, high) = range.split_once("..").unwrap();
                    assert_eq!((low.parse(), high.parse()), (Ok(least), Ok(most)), "{}", column.name);
                }
            }
        }
    }
}
