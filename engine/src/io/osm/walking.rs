//! Which ways and nodes people may walk on: the rules of `datasets/walking_rules.toml`, applied.

use crate::model::street::{Directions, Incline, WayKind};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;

/// Tags of one map feature.
pub type Tags<'a> = BTreeMap<&'a str, &'a str>;

/// The rules as they stand in the file.
#[derive(Debug, Clone, Deserialize)]
pub struct WalkingRules {
    way: Vec<WayRule>,
    foot: YesNo,
    access: No,
    sidewalk: Sidewalk,
    barrier: Barrier,
    off_ground: OffGround,
}

#[derive(Debug, Clone, Deserialize)]
struct WayRule {
    key: String,
    values: Vec<String>,
    #[serde(deserialize_with = "kind")]
    kind: WayKind,
    walk: Walk,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Walk {
    Yes,
    No,
    IfFoot,
    IfSidewalk,
}

#[derive(Debug, Clone, Deserialize)]
struct YesNo {
    yes: Vec<String>,
    no: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct No {
    no: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct Sidewalk {
    keys: Vec<String>,
    yes: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct Barrier {
    closed: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct OffGround {
    keys: Vec<String>,
    no_values: Vec<String>,
}

/// What the rules say about a way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    /// The tags do not speak of a way at all.
    NotAWay,
    /// A way, but not for people on foot; the tag that decided.
    LeftOut(String),
    /// People walk here.
    Walk(Walkway),
}

/// A way for people, as its tags describe it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Walkway {
    /// What it is to somebody who walks.
    pub kind: WayKind,
    /// In which directions it may be walked.
    pub directions: Directions,
    /// Which end is higher.
    pub incline: Incline,
    /// On a bridge or in a tunnel.
    pub off_ground: bool,
}

impl WalkingRules {
    /// What the rules say about a way with these tags.
    pub fn judge(&self, tags: &Tags<'_>) -> Judgement {
        let Some(rule) = self.way.iter().find(|rule| has(tags, &rule.key, &rule.values)) else {
            return Judgement::NotAWay;
        };
        match self.closed_by(rule, tags) {
            Some(reason) => Judgement::LeftOut(reason),
            None => Judgement::Walk(self.describe(rule.kind, tags)),
        }
    }

    /// The tag that keeps people out, if any.
    fn closed_by(&self, rule: &WayRule, tags: &Tags<'_>) -> Option<String> {
        let named = |key: &str| tags.get(key).map(|value| format!("{key}={value}"));
        if has(tags, "foot", &self.foot.yes) {
            return None;
        }
        if has(tags, "foot", &self.foot.no) {
            return named("foot");
        }
        let sidewalk = || self.sidewalk.keys.iter().any(|key| has(tags, key, &self.sidewalk.yes));
        let open = match rule.walk {
            Walk::Yes => true,
            Walk::No | Walk::IfFoot => false,
            Walk::IfSidewalk => sidewalk(),
        };
        if !open {
            return named(&rule.key);
        }
        if has(tags, "access", &self.access.no) { named("access") } else { None }
    }

    fn describe(&self, kind: WayKind, tags: &Tags<'_>) -> Walkway {
        let conveying = tags.get("conveying").copied().filter(|&value| value != "no");
        let kind = match kind {
            WayKind::Steps | WayKind::Footway if conveying.is_some() => WayKind::Escalator,
            WayKind::Footway if tags.get("footway") == Some(&"crossing") => WayKind::Crossing,
            kind => kind,
        };
        let directions = match conveying.or(tags.get("oneway:foot").copied()) {
            Some("forward") => Directions::Forward,
            Some("yes") if conveying.is_none() => Directions::Forward,
            Some("backward" | "-1") => Directions::Backward,
            _ => Directions::Both,
        };
        let incline = match tags.get("incline").copied().unwrap_or_default() {
            "up" => Incline::Up,
            "down" => Incline::Down,
            slope if slope.starts_with('-') => Incline::Down,
            slope if slope.starts_with(|first: char| first.is_ascii_digit()) && slope != "0" => Incline::Up,
            _ => Incline::Unknown,
        };
        let off_ground = self.off_ground.keys.iter().any(|key| {
            tags.get(key.as_str())
                .is_some_and(|value| !self.off_ground.no_values.iter().any(|no| no == value))
        });
        Walkway { kind, directions, incline, off_ground }
    }

    /// Whether a node stops people on foot: a closed barrier, or a gate that is not for them.
    pub fn stops(&self, tags: &Tags<'_>) -> bool {
        if !tags.contains_key("barrier") || has(tags, "foot", &self.foot.yes) {
            return false;
        }
        has(tags, "barrier", &self.barrier.closed)
            || has(tags, "foot", &self.foot.no)
            || has(tags, "access", &self.access.no)
    }
}

fn has(tags: &Tags<'_>, key: &str, values: &[String]) -> bool {
    tags.get(key).is_some_and(|value| values.iter().any(|wanted| wanted == value))
}

fn kind<'de, D: Deserializer<'de>>(deserializer: D) -> Result<WayKind, D::Error> {
    let name = String::deserialize(deserializer)?;
    WayKind::from_name(&name).ok_or_else(|| serde::de::Error::custom(format!("unknown way kind {name}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::defaults;

    fn judge(tags: &[(&'static str, &'static str)]) -> Judgement {
        defaults::walking_rules().judge(&tags.iter().copied().collect())
    }

    fn kind_of(tags: &[(&'static str, &'static str)]) -> Option<WayKind> {
        match judge(tags) {
            Judgement::Walk(way) => Some(way.kind),
            _ => None,
        }
    }

    #[test]
    fn each_kind_of_way_is_its_own() {
        assert_eq!(kind_of(&[("highway", "footway")]), Some(WayKind::Footway));
        assert_eq!(kind_of(&[("highway", "residential")]), Some(WayKind::Street));
        assert_eq!(kind_of(&[("highway", "steps")]), Some(WayKind::Steps));
        assert_eq!(kind_of(&[("highway", "steps"), ("conveying", "yes")]), Some(WayKind::Escalator));
        assert_eq!(kind_of(&[("highway", "steps"), ("conveying", "no")]), Some(WayKind::Steps));
        assert_eq!(kind_of(&[("highway", "elevator")]), Some(WayKind::Lift));
        assert_eq!(kind_of(&[("highway", "footway"), ("footway", "crossing")]), Some(WayKind::Crossing));
        assert_eq!(kind_of(&[("railway", "platform")]), Some(WayKind::Platform));
    }

    #[test]
    fn what_is_not_for_people_is_left_out_with_its_reason() {
        let left_out = |tags: &[(&'static str, &'static str)]| match judge(tags) {
            Judgement::LeftOut(reason) => reason,
            other => panic!("{tags:?} gave {other:?}"),
        };
        assert_eq!(left_out(&[("highway", "motorway")]), "highway=motorway");
        assert_eq!(left_out(&[("highway", "construction")]), "highway=construction");
        assert_eq!(left_out(&[("highway", "footway"), ("access", "private")]), "access=private");
        assert_eq!(left_out(&[("highway", "residential"), ("foot", "use_sidepath")]), "foot=use_sidepath");
        assert_eq!(left_out(&[("highway", "cycleway")]), "highway=cycleway");
        assert_eq!(left_out(&[("highway", "trunk")]), "highway=trunk");
        assert_eq!(judge(&[("building", "yes")]), Judgement::NotAWay);
    }

    #[test]
    fn a_permitting_tag_opens_what_the_kind_closes() {
        assert!(kind_of(&[("highway", "motorway"), ("foot", "yes")]).is_some());
        assert!(kind_of(&[("highway", "cycleway"), ("foot", "designated")]).is_some());
        assert!(kind_of(&[("highway", "trunk"), ("sidewalk", "right")]).is_some());
        assert!(kind_of(&[("highway", "service"), ("access", "private"), ("foot", "permissive")]).is_some());
    }

    #[test]
    fn an_escalator_goes_one_way() {
        let directions = |value: &'static str| match judge(&[("highway", "steps"), ("conveying", value)]) {
            Judgement::Walk(way) => way.directions,
            other => panic!("{other:?}"),
        };
        assert_eq!(directions("forward"), Directions::Forward);
        assert_eq!(directions("backward"), Directions::Backward);
        assert_eq!(directions("reversible"), Directions::Both);
    }

    #[test]
    fn a_gate_stops_only_when_it_is_closed_to_people() {
        let rules = defaults::walking_rules();
        let stops = |tags: &[(&'static str, &'static str)]| rules.stops(&tags.iter().copied().collect());
        assert!(!stops(&[("barrier", "gate")]));
        assert!(stops(&[("barrier", "gate"), ("access", "private")]));
        assert!(!stops(&[("barrier", "gate"), ("access", "private"), ("foot", "yes")]));
        assert!(stops(&[("barrier", "wall")]));
        assert!(!stops(&[("access", "private")]));
    }
}
