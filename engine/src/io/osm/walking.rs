//! Which ways and nodes people may walk on, and what they are: the rules of `datasets/walking_rules.toml`, applied.

use crate::model::level::Level;
use crate::model::street::{Barrier, Directions, Incline, Passage, StairTags, Walkway, WayKind};
use chrono::NaiveDateTime;
use opening_hours::OpeningHours;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;

/// Tags of one map feature.
pub type Tags<'a> = BTreeMap<&'a str, &'a str>;

/// The rules as they stand in the file.
#[derive(Debug, Clone, Deserialize)]
pub struct WalkingRules {
    way: Vec<WayRule>,
    foot: Foot,
    access: Access,
    sidewalk: Sidewalk,
    barrier: BarrierRules,
    status: Status,
    opening_hours: Hours,
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
    Never,
    IfFoot,
    IfSidewalk,
}

#[derive(Debug, Clone, Deserialize)]
struct Foot {
    yes: Vec<String>,
    no: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct Access {
    closed: Vec<String>,
    residents: Vec<String>,
    customers: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct Sidewalk {
    keys: Vec<String>,
    yes: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct BarrierRules {
    closed: Vec<String>,
    gates: Vec<String>,
    walls: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct Status {
    keys: Vec<String>,
    closed: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct Hours {
    at: OpenAt,
}

#[derive(Debug, Clone, Deserialize)]
struct OffGround {
    keys: Vec<String>,
    no_values: Vec<String>,
    not_joinable: Vec<String>,
}

/// When ways with opening hours are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenAt {
    /// Hours do not count.
    Always,
    /// At this local time.
    Moment(NaiveDateTime),
}

impl OpenAt {
    /// `always`, or a local time such as `2026-06-16T10:00`.
    pub fn parse(text: &str) -> Option<Self> {
        if text == "always" {
            return Some(Self::Always);
        }
        NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M").ok().map(Self::Moment)
    }
}

impl<'de> Deserialize<'de> for OpenAt {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text)
            .ok_or_else(|| serde::de::Error::custom(format!("{text}: use always or 2026-06-16T10:00")))
    }
}

/// What the rules say about a way.
#[derive(Debug, Clone, PartialEq)]
pub enum Judgement {
    /// The tags do not speak of a way at all.
    NotAWay,
    /// A way, but nobody walks on it: what it would be, and the tag that decided.
    LeftOut(WayKind, String),
    /// People walk here.
    Walk(Walkway),
}

impl WalkingRules {
    /// The rules with opening hours looked at at another time.
    #[must_use]
    pub fn at(mut self, at: OpenAt) -> Self {
        self.opening_hours.at = at;
        self
    }

    /// Whether opening hours hold at the moment at which they are looked at; never where hours do not count, or cannot be
    /// read.
    pub fn is_within(&self, hours: &str) -> bool {
        match self.opening_hours.at {
            OpenAt::Always => false,
            OpenAt::Moment(now) => hours.parse::<OpeningHours>().is_ok_and(|hours| hours.is_open(now)),
        }
    }

    /// What the rules say about a way with these tags.
    pub fn judge(&self, tags: &Tags<'_>) -> Judgement {
        let Some(rule) = self.way.iter().find(|rule| has(tags, &rule.key, &rule.values)) else {
            return Judgement::NotAWay;
        };
        let kind = kind_of(rule.kind, tags);
        match self.closed_by(rule, tags) {
            Some(reason) => Judgement::LeftOut(kind, reason),
            None => Judgement::Walk(self.describe(kind, tags)),
        }
    }

    /// The tag that keeps everybody out, if any.
    fn closed_by(&self, rule: &WayRule, tags: &Tags<'_>) -> Option<String> {
        let named = |key: &str| tags.get(key).map(|value| format!("{key}={value}"));
        if rule.walk == Walk::Never {
            return named(&rule.key);
        }
        if let Some(reason) = self.out_of_order(tags) {
            return Some(reason);
        }
        if has(tags, "foot", &self.foot.yes) {
            return None;
        }
        if has(tags, "foot", &self.foot.no) {
            return named("foot");
        }
        let sidewalk = || self.sidewalk.keys.iter().any(|key| has(tags, key, &self.sidewalk.yes));
        let open = match rule.walk {
            Walk::Yes => true,
            Walk::No | Walk::Never | Walk::IfFoot => false,
            Walk::IfSidewalk => sidewalk(),
        };
        if !open {
            return named(&rule.key);
        }
        if has(tags, "access", &self.access.closed) { named("access") } else { None }
    }

    /// A tag that says that it does not work, or not now.
    fn out_of_order(&self, tags: &Tags<'_>) -> Option<String> {
        let broken = self.status.keys.iter().find(|key| has(tags, key, &self.status.closed));
        if let Some(key) = broken {
            return tags.get(key.as_str()).map(|value| format!("{key}={value}"));
        }
        let hours = *tags.get("opening_hours")?;
        let OpenAt::Moment(now) = self.opening_hours.at else { return None };
        // Hours that cannot be read do not close anything.
        let open = hours.parse::<OpeningHours>().is_ok_and(|hours| hours.is_closed(now));
        open.then(|| "opening_hours".to_owned())
    }

    fn passage(&self, tags: &Tags<'_>) -> Passage {
        let says = |values: &[String]| {
            has(tags, "foot", values) || !has(tags, "foot", &self.foot.yes) && has(tags, "access", values)
        };
        if says(&self.access.residents) {
            Passage::Residents
        } else if says(&self.access.customers) {
            Passage::Customers
        } else {
            Passage::Open
        }
    }

    fn describe(&self, kind: WayKind, tags: &Tags<'_>) -> Walkway {
        let levels = tags.get("level").map_or(vec![], |text| Level::parse_list(text));
        let off_floor = levels.iter().any(|level| *level != Level::GROUND);
        let on_street = levels.is_empty() || levels.contains(&Level::GROUND);
        let layer = tags.get("layer").and_then(|layer| layer.parse::<i8>().ok());
        let is = |key: &String| {
            tags.get(key.as_str())
                .is_some_and(|value| !self.off_ground.no_values.iter().any(|no| no == value))
        };
        let off_ground = self.off_ground.keys.iter().any(is)
            || layer.is_some_and(|layer| layer != 0)
            || off_floor
            || kind == WayKind::Corridor;
        let has = |key| tags.get(key).is_some_and(|value| *value != "no");
        let usual_layer = i8::from(has("bridge")) - i8::from(has("tunnel"));
        Walkway {
            kind,
            directions: directions(tags),
            incline: incline(tags),
            on_ground: !off_ground,
            layer: layer.unwrap_or(usual_layer),
            joinable: on_street && !self.off_ground.not_joinable.iter().any(is),
            passage: self.passage(tags),
            stairs: stairs(tags),
            wheelchair: match tags.get("wheelchair") {
                Some(&"no") => Some(false),
                Some(&"yes" | &"designated") => Some(true),
                _ => None,
            },
            duration_s: tags.get("duration").and_then(|text| duration_s(text)),
            levels,
        }
    }

    /// Whether a way is a wall.
    pub fn is_wall(&self, tags: &Tags<'_>) -> bool {
        has(tags, "barrier", &self.barrier.walls)
    }

    /// What stops people at a node.
    pub fn barrier(&self, tags: &Tags<'_>) -> Barrier {
        if !tags.contains_key("barrier") {
            return Barrier::None;
        }
        if self.out_of_order(tags).is_some() {
            return Barrier::Closed;
        }
        if has(tags, "foot", &self.foot.yes) {
            return Barrier::None;
        }
        let closed = has(tags, "foot", &self.foot.no) || has(tags, "access", &self.access.closed);
        if closed || has(tags, "barrier", &self.barrier.closed) {
            return Barrier::Closed;
        }
        match self.passage(tags) {
            Passage::Residents => Barrier::PrivateGate,
            _ if has(tags, "barrier", &self.barrier.gates) => Barrier::Gate,
            _ => Barrier::None,
        }
    }

    /// Whether a lift node may be used by everybody.
    pub fn lift_works(&self, tags: &Tags<'_>) -> bool {
        let closed = has(tags, "access", &self.access.closed) || has(tags, "foot", &self.foot.no);
        self.out_of_order(tags).is_none() && !closed && self.passage(tags) != Passage::Residents
    }
}

fn conveying<'a>(tags: &Tags<'a>) -> Option<&'a str> {
    tags.get("conveying").copied().filter(|&value| value != "no")
}

fn kind_of(kind: WayKind, tags: &Tags<'_>) -> WayKind {
    match kind {
        WayKind::Steps | WayKind::Footway | WayKind::Corridor if conveying(tags).is_some() => {
            WayKind::Escalator
        }
        WayKind::Footway if tags.get("footway") == Some(&"crossing") => WayKind::Crossing,
        WayKind::Footway if tags.get("indoor").is_some_and(|value| *value != "no") => WayKind::Corridor,
        kind => kind,
    }
}

fn directions(tags: &Tags<'_>) -> Directions {
    let moving = conveying(tags);
    match moving.or(tags.get("oneway:foot").copied()) {
        Some("forward") => Directions::Forward,
        Some("yes") if moving.is_none() => Directions::Forward,
        Some("backward" | "-1") => Directions::Backward,
        _ => Directions::Both,
    }
}

/// `up`, `down`, `10%`, `-5°` (OpenStreetMap wiki, "Key:incline"); what else is written says nothing.
fn incline(tags: &Tags<'_>) -> Incline {
    let text = tags.get("incline").copied().unwrap_or_default().trim();
    let number =
        |ending: char| text.strip_suffix(ending).and_then(|number| number.trim().parse::<f32>().ok());
    let grade = number('%').map(|percent| percent / 100.0);
    let grade = grade
        .or_else(|| number('°').filter(|angle| angle.abs() < 80.0).map(|angle| angle.to_radians().tan()));
    match text {
        "up" => Incline::Up,
        "down" => Incline::Down,
        // A number without a unit is a percentage by the wiki's count of uses, but some write ratios: only its sign is
        // believed.
        _ => match grade.filter(|grade| grade.is_finite()) {
            Some(grade) => Incline::Grade(grade),
            None => match text.parse::<f32>() {
                Ok(number) if number > 0.0 => Incline::Up,
                Ok(number) if number < 0.0 => Incline::Down,
                Ok(_) => Incline::Grade(0.0),
                Err(_) => Incline::Unknown,
            },
        },
    }
}

fn stairs(tags: &Tags<'_>) -> StairTags {
    let ramp = |key: &str, values: &[&str]| tags.get(key).is_some_and(|value| values.contains(value));
    let wheelchair_ramp = ramp("ramp:wheelchair", &["yes"]) || ramp("ramp", &["wheelchair"]);
    StairTags {
        step_count: tags
            .get("step_count")
            .and_then(|text| text.parse().ok())
            .filter(|count| (1..=5000).contains(count)),
        wheelchair_ramp,
        stroller_ramp: wheelchair_ramp
            || ramp("ramp:stroller", &["yes"])
            || ramp("ramp", &["yes", "stroller"]),
        handrail: tags.get("handrail").map(|value| *value != "no"),
    }
}

/// `mm`, `hh:mm` or `hh:mm:ss` (OpenStreetMap wiki, "Key:duration"), as seconds.
fn duration_s(text: &str) -> Option<f32> {
    let parts: Vec<f32> = text.split(':').map(|part| part.trim().parse().ok()).collect::<Option<_>>()?;
    let seconds = match parts.as_slice() {
        [minutes] => minutes * 60.0,
        [hours, minutes] => hours * 3600.0 + minutes * 60.0,
        [hours, minutes, seconds] => hours * 3600.0 + minutes * 60.0 + seconds,
        _ => return None,
    };
    (0.0..=86_400.0).contains(&seconds).then_some(seconds)
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
            Judgement::LeftOut(_, reason) => reason,
            other => panic!("{tags:?} gave {other:?}"),
        };
        assert_eq!(left_out(&[("highway", "motorway")]), "highway=motorway");
        assert_eq!(left_out(&[("highway", "construction"), ("foot", "yes")]), "highway=construction");
        assert_eq!(left_out(&[("highway", "footway"), ("access", "no")]), "access=no");
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
    fn a_gate_is_open_private_or_closed() {
        let rules = defaults::walking_rules();
        let barrier = |tags: &[(&'static str, &'static str)]| rules.barrier(&tags.iter().copied().collect());
        assert_eq!(barrier(&[("barrier", "gate")]), Barrier::Gate);
        assert_eq!(barrier(&[("barrier", "bollard")]), Barrier::None);
        assert_eq!(barrier(&[("barrier", "gate"), ("access", "private")]), Barrier::PrivateGate);
        assert_eq!(barrier(&[("barrier", "gate"), ("access", "no")]), Barrier::Closed);
        assert_eq!(barrier(&[("barrier", "gate"), ("access", "private"), ("foot", "yes")]), Barrier::None);
        assert_eq!(barrier(&[("barrier", "wall")]), Barrier::Closed);
        assert_eq!(barrier(&[("access", "private")]), Barrier::None);
    }

    fn walkway(tags: &[(&'static str, &'static str)]) -> Walkway {
        match judge(tags) {
            Judgement::Walk(way) => way,
            other => panic!("{tags:?} gave {other:?}"),
        }
    }

    #[test]
    fn private_ways_are_for_residents_unless_foot_says_more() {
        let passage = |key, value| walkway(&[("highway", "service"), (key, value)]).passage;
        assert_eq!(passage("access", "private"), Passage::Residents);
        assert_eq!(passage("foot", "private"), Passage::Residents);
        assert_eq!(passage("access", "residents"), Passage::Residents);
        assert_eq!(passage("access", "customers"), Passage::Customers);
        assert_eq!(passage("access", "destination"), Passage::Open);
        let foot = walkway(&[("highway", "service"), ("access", "private"), ("foot", "yes")]);
        assert_eq!(foot.passage, Passage::Open);
    }

    #[test]
    fn steepness_is_a_word_a_percentage_or_an_angle() {
        let incline = |value| walkway(&[("highway", "footway"), ("incline", value)]).incline;
        assert_eq!(incline("up"), Incline::Up);
        assert_eq!(incline("-10%"), Incline::Grade(-0.10));
        assert_eq!(incline("0"), Incline::Grade(0.0));
        assert_eq!(incline("8"), Incline::Up);
        assert!(matches!(incline("45°"), Incline::Grade(grade) if (grade - 1.0).abs() < 1e-6));
        assert_eq!(incline("steep"), Incline::Unknown);
    }

    #[test]
    fn stairs_know_their_steps_ramps_and_handrail() {
        let stairs = |tags: &[(&'static str, &'static str)]| {
            let mut all = vec![("highway", "steps")];
            all.extend(tags);
            walkway(&all).stairs
        };
        assert_eq!(stairs(&[("step_count", "104")]).step_count, Some(104));
        assert_eq!(stairs(&[("step_count", "many")]).step_count, None);
        assert!(stairs(&[("ramp:stroller", "yes")]).stroller_ramp);
        assert!(!stairs(&[("ramp:stroller", "yes")]).wheelchair_ramp);
        assert!(stairs(&[("ramp:wheelchair", "yes")]).wheelchair_ramp);
        assert!(!stairs(&[("ramp", "no")]).stroller_ramp);
        assert_eq!(stairs(&[("handrail", "left")]).handrail, Some(true));
        assert_eq!(stairs(&[("handrail", "no")]).handrail, Some(false));
    }

    #[test]
    fn what_hangs_or_lies_under_a_roof_is_not_on_the_ground() {
        let ground = |key, value| walkway(&[("highway", "footway"), (key, value)]).on_ground;
        for (key, value) in [
            ("bridge", "yes"),
            ("tunnel", "building_passage"),
            ("covered", "yes"),
            ("indoor", "yes"),
            ("layer", "1"),
            ("level", "-1"),
        ] {
            assert!(!ground(key, value), "{key}={value}");
        }
        for (key, value) in [("bridge", "no"), ("layer", "0"), ("level", "0"), ("surface", "asphalt")] {
            assert!(ground(key, value), "{key}={value}");
        }
        assert!(!walkway(&[("highway", "footway"), ("level", "2")]).joinable);
        assert!(walkway(&[("highway", "footway"), ("covered", "yes")]).joinable);
    }

    #[test]
    fn a_lift_that_is_broken_or_shut_is_left_out() {
        let lift = |tags: &[(&'static str, &'static str)]| {
            let mut all = vec![("highway", "elevator")];
            all.extend(tags);
            judge(&all)
        };
        assert!(matches!(lift(&[]), Judgement::Walk(_)));
        assert!(matches!(lift(&[("opening_hours", "06:00-23:30")]), Judgement::Walk(_)));
        let shut = Judgement::LeftOut(WayKind::Lift, "opening_hours".to_owned());
        assert_eq!(lift(&[("opening_hours", "Sa-Su 10:00-18:00")]), shut);
        assert!(matches!(lift(&[("opening_hours", "ask Mr Wang")]), Judgement::Walk(_)));
        let broken = Judgement::LeftOut(WayKind::Lift, "operational_status=out_of_order".to_owned());
        assert_eq!(lift(&[("operational_status", "out_of_order")]), broken);
        let always = defaults::walking_rules().at(OpenAt::Always);
        let tags = [("highway", "elevator"), ("opening_hours", "Sa-Su 10:00-18:00")].into_iter().collect();
        assert!(matches!(always.judge(&tags), Judgement::Walk(_)));
    }

    #[test]
    fn rides_state_how_long_they_take() {
        let duration = |value| walkway(&[("route", "ferry"), ("duration", value)]).duration_s;
        assert_eq!(duration("5"), Some(300.0));
        assert_eq!(duration("00:04"), Some(240.0));
        assert_eq!(duration("0:02:30"), Some(150.0));
        assert_eq!(duration("soon"), None);
    }
}
