//! What the rules of a segment mean to somebody who walks: said in tags of OpenStreetMap, from which Overture makes its
//! segments, so that `datasets/walking_rules.toml` judges both.

use crate::io::nested::Nested;
use crate::io::osm::walking::{Judgement, Tags, WalkingRules};
use crate::io::table::Table;
use crate::model::error::Result;
use crate::model::problem::Problem;
use serde::Deserialize;

/// The columns of segments that are read.
pub struct Columns<'a> {
    subtype: Vec<Option<String>>,
    class: Vec<Option<String>>,
    subclass: Nested<'a>,
    flags: Nested<'a>,
    levels: Nested<'a>,
    access: Nested<'a>,
}

impl<'a> Columns<'a> {
    /// Those of a table.
    pub fn of(table: &'a Table) -> Result<Self> {
        Ok(Self {
            subtype: table.text("subtype")?,
            class: table.text("class")?,
            subclass: Nested::of(table, "subclass_rules")?,
            flags: Nested::of(table, "road_flags")?,
            levels: Nested::of(table, "level_rules")?,
            access: Nested::of(table, "access_restrictions")?,
        })
    }

    /// What a row says.
    ///
    /// # Errors
    /// A problem when a rule is not as the schema has it.
    pub fn segment(&self, row: usize) -> std::result::Result<Segment, Box<Problem>> {
        Ok(Segment {
            subtype: self.subtype[row].clone().unwrap_or_default(),
            class: self.class[row].clone().unwrap_or_default(),
            subclass: self.subclass.get(row)?,
            flags: self.flags.get(row)?,
            levels: self.levels.get(row)?,
            access: self.access.get(row)?,
        })
    }
}

/// A segment without its line.
#[derive(Debug, Default)]
pub struct Segment {
    subtype: String,
    class: String,
    subclass: Vec<Rule<String>>,
    flags: Vec<Flags>,
    levels: Vec<Rule<f64>>,
    access: Vec<Access>,
}

/// Shares of the length between which a rule holds; the whole segment when absent.
type Between = Option<[f64; 2]>;

#[derive(Debug, Deserialize)]
struct Rule<T> {
    value: T,
    #[serde(default)]
    between: Between,
}

#[derive(Debug, Deserialize)]
struct Flags {
    #[serde(default)]
    values: Option<Vec<String>>,
    #[serde(default)]
    between: Between,
}

#[derive(Debug, Deserialize)]
struct Access {
    #[serde(rename = "access_type")]
    kind: String,
    #[serde(default)]
    when: Option<When>,
    #[serde(default)]
    between: Between,
}

#[derive(Debug, Default, Deserialize)]
struct When {
    #[serde(default)]
    during: Option<String>,
    #[serde(default)]
    heading: Option<String>,
    #[serde(default)]
    using: Option<Vec<String>>,
    #[serde(default)]
    recognized: Option<Vec<String>>,
    #[serde(default)]
    mode: Option<Vec<String>>,
    #[serde(default)]
    vehicle: Option<Vec<serde_json::Value>>,
}

fn holds(between: Between, at: f64) -> bool {
    between.is_none_or(|[from, to]| (from..=to).contains(&at))
}

impl Segment {
    /// The shares of the length at which a rule begins or ends, in order, without the ends of the segment.
    pub fn cuts(&self) -> Vec<f64> {
        let all = self.subclass.iter().map(|rule| rule.between);
        let all = all.chain(self.flags.iter().map(|rule| rule.between));
        let all = all.chain(self.levels.iter().map(|rule| rule.between));
        let all = all.chain(self.access.iter().map(|rule| rule.between));
        let mut cuts: Vec<f64> = all.flatten().flatten().filter(|&at| at > 0.0 && at < 1.0).collect();
        cuts.sort_by(f64::total_cmp);
        cuts.dedup();
        cuts
    }

    /// What the walking rules say at a position.
    pub fn judge(&self, at: f64, rules: &WalkingRules) -> Judgement {
        let mut tags = Tags::new();
        let class = match self.class.as_str() {
            "unknown" => "road",
            "parking_aisle" | "driveway" | "alley" => "service",
            "sidewalk" | "crosswalk" => "footway",
            class => class,
        };
        let mut key = "highway";
        match self.subtype.as_str() {
            "road" => {}
            "water" => key = "route",
            _ => return Judgement::NotAWay,
        }
        let subclass = self.subclass.iter().rev().find(|rule| holds(rule.between, at));
        let subclass = subclass.map_or(self.class.as_str(), |rule| rule.value.as_str());
        let link = format!("{class}_link");
        let mut value = if subclass == "link" { link.as_str() } else { class };
        if key == "route" {
            value = "ferry";
        }
        if subclass == "crosswalk" {
            tags.insert("footway", "crossing");
        }
        for flag in
            self.flags.iter().filter(|rule| holds(rule.between, at)).flat_map(|rule| &rule.values).flatten()
        {
            match flag.as_str() {
                "is_bridge" => drop(tags.insert("bridge", "yes")),
                "is_tunnel" => drop(tags.insert("tunnel", "yes")),
                "is_covered" => drop(tags.insert("covered", "yes")),
                "is_indoor" => drop(tags.insert("indoor", "yes")),
                "is_under_construction" => value = "construction",
                "is_abandoned" => value = "abandoned",
                _ => {}
            }
        }
        tags.insert(key, value);
        let level = self.levels.iter().rev().find(|rule| holds(rule.between, at));
        let layer = level.filter(|rule| rule.value != 0.0).map(|rule| format!("{:.0}", rule.value));
        if let Some(layer) = &layer {
            tags.insert("layer", layer);
        }
        self.access_at(at, rules, &mut tags);
        rules.judge(&tags)
    }

    /// What is told of segments that are no ways at all.
    pub fn kind(&self) -> &str {
        &self.subtype
    }

    /// Why they are none.
    pub fn reason(&self) -> String {
        format!("subtype={}, class={}", self.subtype, self.class)
    }

    /// Rules of access, in their order: a later one is an exception to those before.
    ///
    /// A rule of one heading is a one-way street for vehicles unless it names people on foot. A rule for vehicles of some
    /// size, or for other modes, is none for them. Who is let in only by a status or for a purpose decides who may pass.
    fn access_at(&self, at: f64, rules: &WalkingRules, tags: &mut Tags<'_>) {
        let blank = When::default();
        let mut one_way = [false, false];
        for rule in self.access.iter().filter(|rule| holds(rule.between, at)) {
            let when = rule.when.as_ref().unwrap_or(&blank);
            let on_foot = when.mode.as_ref().is_some_and(|modes| modes.iter().any(|mode| mode == "foot"));
            let for_others = when.mode.as_ref().is_some_and(|modes| !modes.is_empty()) && !on_foot;
            let for_vehicles = when.vehicle.as_ref().is_some_and(|vehicles| !vehicles.is_empty());
            let now = when.during.as_deref().is_none_or(|hours| rules.is_within(hours));
            if for_others || for_vehicles || !now {
                continue;
            }
            let denied = rule.kind == "denied";
            if let Some(heading) = &when.heading {
                if on_foot {
                    one_way[usize::from(heading == "forward")] = denied;
                }
                continue;
            }
            let key = if on_foot { "foot" } else { "access" };
            match (denied, when.only()) {
                (true, None) => {
                    tags.remove("foot");
                    tags.insert(key, "no");
                }
                (false, None) if on_foot => drop(tags.insert("foot", "yes")),
                (false, None) => {
                    tags.remove("access");
                    tags.remove("foot");
                }
                // Denied to some who are let in otherwise: nobody is shut out by it who walks without a status.
                (true, Some(_)) => {}
                (false, Some(only)) => {
                    let closed = [tags.get("foot"), tags.get("access")].contains(&Some(&"no"));
                    if closed {
                        tags.remove("foot");
                        tags.insert("access", only);
                    }
                }
            }
        }
        match one_way {
            [true, true] => drop(tags.insert("foot", "no")),
            [true, false] => drop(tags.insert("oneway:foot", "yes")),
            [false, true] => drop(tags.insert("oneway:foot", "-1")),
            [false, false] => {}
        }
    }
}

impl When {
    /// For whom alone the rule is, as a value of `access`: those who live there, or customers.
    fn only(&self) -> Option<&'static str> {
        let using = self.using.as_deref().unwrap_or_default();
        let recognized = self.recognized.as_deref().unwrap_or_default();
        if using.iter().any(|purpose| purpose == "as_customer") {
            return Some("customers");
        }
        (!using.is_empty() || !recognized.is_empty()).then_some("private")
    }
}
