//! What each rule of a standard finds in a community.

use crate::model::problem::{Bilingual, both};
use crate::model::scorecard::{Answer, Facts, Gap, KIND_KEY, Outcome, PeopleCovered, Score, Unit};
use crate::model::standard::{Applies, Ramp, Rule, Scale, Together, Within, amount, union_name};
use crate::model::study::minutes_to_ds;

/// Facilities that are named one by one; of more the number is enough.
const NAMED: usize = 5;

/// One community and what is known of it.
pub struct Judge<'a> {
    /// Everything.
    pub facts: &'a Facts,
    /// Row of the community.
    pub area: usize,
    /// Rows of the facilities in its outline.
    pub inside: &'a [u32],
}

/// An outcome without facilities and gap.
fn found(score: Score, value: Option<f64>, evidence: Bilingual) -> Outcome {
    Outcome { applies: true, score, value, evidence, facilities: vec![], gap: None }
}

fn unknown(en: impl Into<String>, zh: impl Into<String>) -> Outcome {
    found(Score::UNKNOWN, None, both(en, zh))
}

/// There is nobody or nothing that the rule could ask for.
fn not_for_it(en: impl Into<String>, zh: impl Into<String>) -> Outcome {
    Outcome { applies: false, ..unknown(en, zh) }
}

/// The gap to a target, where there is one; people, places and facilities are whole.
fn gap(amount: f64, unit: Unit) -> Option<Gap> {
    // A hair above a whole number is rounding.
    let amount = if unit.is_whole() { (amount - 1e-9).ceil() } else { amount };
    (amount > 0.0).then_some(Gap { amount, unit })
}

/// A sum; that of nothing is 0 and not −0.
fn total(numbers: impl Iterator<Item = f64>) -> f64 {
    numbers.fold(0.0, |sum, number| sum + number)
}

fn at_most_one(score: f64) -> f64 {
    score.clamp(0.0, 1.0)
}

impl Judge<'_> {
    /// Whether the community is new.
    pub fn kind(&self) -> Applies {
        match self.answer(KIND_KEY).map(|answer| answer.value.trim().to_lowercase()).as_deref() {
            Some("new" | "新建") => Applies::New,
            Some("existing" | "既有") => Applies::Existing,
            _ => self.facts.applies,
        }
    }

    fn answer(&self, key: &str) -> Option<&Answer> {
        self.facts.answers[self.area].get(key)
    }

    /// An amount of the community, as `households`.
    fn amount(&self, key: &str) -> Option<f64> {
        amount(&self.answer(key)?.value)
    }

    /// What a rule finds; `key` is that of the answer that it may wait for.
    pub fn outcome(&self, rule: &Rule, key: &str) -> Outcome {
        match rule {
            Rule::Presence { classes, min, within, min_floor_area_m2 } => {
                self.presence(classes, *min, *within, *min_floor_area_m2)
            }
            Rule::Variety { kinds, min_share, within } => self.variety(kinds, *min_share, *within),
            Rule::Per { classes, attribute, base, per, target } => {
                self.per(classes, attribute.as_deref(), base, *per, *target)
            }
            Rule::CoverageShare { classes, group, profile, minutes, ramp } => {
                self.coverage(classes, group, profile.as_deref(), *minutes, *ramp)
            }
            Rule::Area { classes, attribute, together, ramp } => {
                self.size(classes, attribute, *together, *ramp)
            }
            Rule::Attribute { classes, attribute, min } => self.attribute(classes, attribute, *min),
            Rule::Ratio { num, den, ramp } => self.ratio(num, den, *ramp),
            Rule::Manual { ask, scale } => self.manual(key, ask, scale),
            Rule::Survey { ask, ramp } => self.survey(key, ask, *ramp),
            Rule::AnyOf(rules) => self.several(rules, key, true),
            Rule::AllOf(rules) => self.several(rules, key, false),
        }
    }

    /// Facilities of the classes in the outline; none where the table knows none of the classes.
    fn rows(&self, classes: &[String]) -> Option<Vec<u32>> {
        let known = classes.iter().any(|class| self.facts.known.contains(class));
        let of_class = |row: &&u32| classes.contains(&self.facts.facilities.class[**row as usize]);
        known.then(|| self.inside.iter().filter(of_class).copied().collect())
    }

    fn not_listed(&self, classes: &[String]) -> Outcome {
        let (en, zh) = (self.names(classes, false), self.names(classes, true));
        unknown(
            format!("the facility table holds no {en} anywhere, so it does not tell whether there is one"),
            format!("设施表中全市均无{zh}，无法判断有无"),
        )
    }

    fn column(&self, attribute: &str, row: u32) -> Option<f64> {
        self.facts.attributes.get(attribute)?[row as usize]
    }

    fn presence(&self, classes: &[String], min: u32, within: Within, least_m2: Option<f64>) -> Outcome {
        let Within::Boundary = within else { return self.presence_in_reach(classes, min, within) };
        let Some(rows) = self.rows(classes) else { return self.not_listed(classes) };
        let size = |row: &u32| self.column("floor_area_m2", *row);
        let large: Vec<u32> = match least_m2 {
            None => rows.clone(),
            Some(least_m2) => {
                rows.iter().filter(|row| size(row).is_some_and(|m2| m2 >= least_m2)).copied().collect()
            }
        };
        let unsized_rows =
            if least_m2.is_some() { rows.iter().filter(|row| size(row).is_none()).count() } else { 0 };
        let (count, most) = (large.len(), large.len() + unsized_rows);
        let score = |count: usize| at_most_one(count as f64 / f64::from(min));
        let (en, zh) = (self.names(classes, false), self.names(classes, true));
        let (list_en, list_zh) = self.list(&large);
        let (of_en, of_zh) = match least_m2 {
            Some(m2) => (
                format!(" of {m2:.0} m² or more ({unsized_rows} of unknown size)"),
                format!("（面积不小于 {m2:.0} 平方米，另有 {unsized_rows} 处面积未知）"),
            ),
            None => (String::new(), String::new()),
        };
        let evidence = both(
            format!("{count} {en}{of_en} inside, {min} asked for{list_en}"),
            format!("边界内{zh}{of_zh} {count} 处，要求 {min} 处{list_zh}"),
        );
        Outcome {
            facilities: large,
            gap: gap(f64::from(min) - count as f64, Unit::Facilities),
            ..found(Score { low: score(count), high: score(most) }, Some(count as f64), evidence)
        }
    }

    /// Coverage tells whether anybody reaches one, not how many: more than one is not known.
    fn presence_in_reach(&self, classes: &[String], min: u32, within: Within) -> Outcome {
        let Within::Reach { minutes } = within else { return self.not_listed(classes) };
        let Some((_, low, high)) = self.covered(classes, "all", None, minutes) else {
            return self.not_covered(classes, "all", self.facts.profile.as_str(), minutes);
        };
        let one = at_most_one(1.0 / f64::from(min));
        let (en, zh) = (self.names(classes, false), self.names(classes, true));
        let score =
            Score { low: if low > 0.0 { one } else { 0.0 }, high: if high > 0.0 { 1.0 } else { 0.0 } };
        let evidence = both(
            format!("{low:.0} people reach a {en} within {minutes} min; {min} facilities asked for"),
            format!("{low:.0} 人可在 {minutes} 分钟内到达{zh}；要求可达 {min} 处"),
        );
        let missing = if low > 0.0 { 0.0 } else { f64::from(min) };
        Outcome { gap: gap(missing, Unit::Facilities), ..found(score, None, evidence) }
    }

    fn variety(&self, kinds: &[String], min_share: f64, within: Within) -> Outcome {
        let (mut here, mut not_known, mut rows) = (Vec::new(), Vec::new(), Vec::new());
        for kind in kinds {
            let of_kind = |row: &&u32| {
                let row = **row as usize;
                self.facts.facilities.class[row] == *kind || self.facts.subtype[row].as_deref() == Some(kind)
            };
            let reached = match within {
                Within::Boundary => self.inside.iter().any(|row| of_kind(&row)),
                Within::Reach { minutes } => self
                    .covered(std::slice::from_ref(kind), "all", None, minutes)
                    .is_some_and(|(_, low, _)| low > 0.0),
            };
            if reached {
                here.push(kind.clone());
                rows.extend(self.inside.iter().filter(of_kind));
            } else if !self.facts.known.contains(kind) {
                not_known.push(kind.clone());
            }
        }
        let wanted = min_share * kinds.len() as f64;
        let score = |count: usize| at_most_one(count as f64 / wanted);
        let missing: Vec<String> =
            kinds.iter().filter(|kind| !here.contains(kind) && !not_known.contains(kind)).cloned().collect();
        let evidence = both(
            format!(
                "{} of {} kinds: {}; missing: {}; nothing known of: {}",
                here.len(),
                kinds.len(),
                self.names(&here, false),
                self.names(&missing, false),
                self.names(&not_known, false)
            ),
            format!(
                "{} 类中有 {} 类：{}；缺：{}；情况不明：{}",
                kinds.len(),
                here.len(),
                self.names(&here, true),
                self.names(&missing, true),
                self.names(&not_known, true)
            ),
        );
        let score = Score { low: score(here.len()), high: score(here.len() + not_known.len()) };
        Outcome {
            facilities: rows,
            gap: gap(wanted - here.len() as f64, Unit::Kinds),
            ..found(score, Some(here.len() as f64 / kinds.len() as f64), evidence)
        }
    }

    /// People of a group, or an amount of the community.
    fn base(&self, base: &str) -> Option<f64> {
        let people = self.facts.covered.people.get(base).and_then(|people| people[self.area]);
        people.or_else(|| self.amount(base))
    }

    fn per(&self, classes: &[String], attribute: Option<&str>, base: &str, per: f64, target: f64) -> Outcome {
        let Some(rows) = self.rows(classes) else { return self.not_listed(classes) };
        let (group_en, group_zh) = self.group(base);
        let Some(whole) = self.base(base) else {
            return unknown(format!("the number of {group_en} is not known"), format!("{group_zh}数量未知"));
        };
        if whole <= 0.0 {
            return not_for_it(format!("there is no {group_en}"), format!("无{group_zh}"));
        }
        let held = |row: &u32| attribute.map_or(Some(1.0), |attribute| self.column(attribute, *row));
        let sum = total(rows.iter().filter_map(held));
        let silent = rows.iter().filter(|row| held(row).is_none()).count();
        let wanted = target * whole / per;
        let (ratio, score) = (sum / (whole / per), at_most_one(sum / wanted));
        let (unit, (what_en, what_zh)) = Self::unit_of(attribute);
        let (en, zh) = (self.names(classes, false), self.names(classes, true));
        let (list_en, list_zh) = self.list(&rows);
        let evidence = both(
            format!(
                "{} {what_en} of {en} for {whole:.0} {group_en}: {} for {per:.0}, {target} asked for; \
                 {silent} facilities do not say{list_en}",
                tidy(sum),
                tidy(ratio)
            ),
            format!(
                "{zh}共 {} {what_zh}，{group_zh} {whole:.0}，每 {per:.0} 为 {}，要求 {target}；{silent} 处未填报{list_zh}",
                tidy(sum),
                tidy(ratio)
            ),
        );
        let high = if silent > 0 { 1.0 } else { score };
        Outcome {
            facilities: rows,
            gap: gap(wanted - sum, unit),
            ..found(Score { low: score, high }, Some(ratio), evidence)
        }
    }

    /// People of the group, and how many of them are covered, at least and at most. Several classes are covered together only
    /// where the table has them together; else between the most that one covers and all that they cover.
    fn covered(
        &self,
        classes: &[String],
        group: &str,
        profile: Option<&str>,
        minutes: f64,
    ) -> Option<(f64, f64, f64)> {
        let of = |class: &str| -> Option<PeopleCovered> {
            let profile = profile.unwrap_or(&self.facts.profile).to_owned();
            let key = (class.to_owned(), group.to_owned(), profile, minutes_to_ds(minutes)?);
            self.facts.covered.of.get(&key).and_then(|of| of[self.area])
        };
        if let Some((people, covered)) = of(&union_name(classes)) {
            return Some((people, covered, covered));
        }
        let each: Vec<PeopleCovered> = classes.iter().filter_map(|class| of(class)).collect();
        let people = each.first()?.0;
        let most_one = each.iter().map(|(_, covered)| *covered).fold(0.0, f64::max);
        let all = total(each.iter().map(|(_, covered)| *covered));
        // A class without row has no facility anywhere, or was not asked about.
        let silent = classes.iter().any(|class| of(class).is_none() && !self.facts.known.contains(class));
        let most = if silent { people } else { all.min(people) };
        Some((people, most_one, most))
    }

    fn not_covered(&self, classes: &[String], group: &str, profile: &str, minutes: f64) -> Outcome {
        let (group_en, group_zh) = self.group(group);
        unknown(
            format!(
                "the coverage table has no row of {} for {group_en}, {profile}, {minutes} min",
                self.names(classes, false)
            ),
            format!("覆盖表中无{}（{group_zh}，{profile}，{minutes} 分钟）", self.names(classes, true)),
        )
    }

    fn coverage(
        &self,
        classes: &[String],
        group: &str,
        profile: Option<&str>,
        minutes: f64,
        ramp: Ramp,
    ) -> Outcome {
        let who = profile.unwrap_or(&self.facts.profile);
        let Some((people, low, high)) = self.covered(classes, group, profile, minutes) else {
            return self.not_covered(classes, group, who, minutes);
        };
        let (group_en, group_zh) = self.group(group);
        if people <= 0.0 {
            return not_for_it(format!("nobody of {group_en} lives here"), format!("无{group_zh}居住"));
        }
        let (en, zh) = (self.names(classes, false), self.names(classes, true));
        let (from, to) = (low / people, high / people);
        let span = |between: &str| {
            if high > low {
                format!("{:.1}{between}{:.1} %", 100.0 * from, 100.0 * to)
            } else {
                format!("{:.1} %", 100.0 * from)
            }
        };
        let wanted = (ramp.full_at * people - low).max(0.0);
        let evidence = both(
            format!(
                "{} of {people:.0} ({group_en}) reach {en} within {minutes} min ({who}); full at {:.0} %, nothing at {:.0} %; \
                 {:.0} people are not covered",
                span(" to "),
                100.0 * ramp.full_at,
                100.0 * ramp.zero_at,
                people - low
            ),
            format!(
                "{group_zh} {people:.0} 人中 {} 可在 {minutes} 分钟内步行到达{zh}（{who}）；{:.0}% 满分，{:.0}% 零分；未覆盖 {:.0} 人",
                span("～"),
                100.0 * ramp.full_at,
                100.0 * ramp.zero_at,
                people - low
            ),
        );
        Outcome {
            gap: gap(wanted, Unit::People),
            ..found(Score { low: ramp.score(from), high: ramp.score(to) }, Some(from), evidence)
        }
    }

    fn size(&self, classes: &[String], attribute: &str, together: Together, ramp: Ramp) -> Outcome {
        let Some(rows) = self.rows(classes) else { return self.not_listed(classes) };
        let sizes = || rows.iter().filter_map(|row| self.column(attribute, *row));
        let silent = rows.iter().filter(|row| self.column(attribute, **row).is_none()).count();
        let known = match together {
            Together::Max => sizes().fold(0.0, f64::max),
            Together::Sum => total(sizes()),
        };
        let (en, zh) = (self.names(classes, false), self.names(classes, true));
        let (list_en, list_zh) = self.list(&rows);
        let (how_en, how_zh) = match together {
            Together::Max => ("largest", "最大"),
            Together::Sum => ("together", "合计"),
        };
        let evidence = both(
            format!(
                "{en} inside: {}, {how_en} {known:.0} m², {:.0} m² asked for; {silent} of unknown size{list_en}",
                rows.len(),
                ramp.full_at
            ),
            format!(
                "边界内{zh} {} 处，{how_zh} {known:.0} 平方米，要求 {:.0} 平方米；{silent} 处面积未知{list_zh}",
                rows.len(),
                ramp.full_at
            ),
        );
        let low = ramp.score(known);
        Outcome {
            facilities: rows,
            gap: gap(ramp.full_at - known, Unit::SquareMetres),
            ..found(Score { low, high: if silent > 0 { 1.0 } else { low } }, Some(known), evidence)
        }
    }

    fn attribute(&self, classes: &[String], attribute: &str, min: f64) -> Outcome {
        let Some(rows) = self.rows(classes) else { return self.not_listed(classes) };
        let best = rows.iter().filter_map(|row| self.column(attribute, *row)).reduce(f64::max);
        let silent = rows.iter().filter(|row| self.column(attribute, **row).is_none()).count();
        let enough = best.is_some_and(|best| best >= min);
        let (en, zh) = (self.names(classes, false), self.names(classes, true));
        let (list_en, list_zh) = self.list(&rows);
        let shown = best.map_or("–".to_owned(), tidy);
        let evidence = both(
            format!(
                "best {attribute} of {} {en}: {shown}, {min} asked for; {silent} do not say{list_en}",
                rows.len()
            ),
            format!(
                "{zh} {} 处，{attribute} 最高 {shown}，要求 {min}；{silent} 处未填报{list_zh}",
                rows.len()
            ),
        );
        let low = if enough { 1.0 } else { 0.0 };
        Outcome {
            facilities: rows,
            gap: gap(min - best.unwrap_or(0.0), Unit::Named(attribute.to_owned())),
            ..found(Score { low, high: if silent > 0 { 1.0 } else { low } }, best, evidence)
        }
    }

    fn ratio(&self, num: &str, den: &str, ramp: Ramp) -> Outcome {
        let (Some(part), Some(whole)) = (self.amount(num), self.amount(den)) else {
            let missing: Vec<&str> =
                [num, den].into_iter().filter(|key| self.amount(key).is_none()).collect();
            let missing = missing.join(", ");
            return unknown(format!("not known: {missing}"), format!("数据缺失：{missing}"));
        };
        if whole <= 0.0 {
            return not_for_it(format!("there is no {den}"), format!("{den} 为 0"));
        }
        let ratio = part / whole;
        let (from_en, from_zh) = self.from([num, den]);
        let evidence = both(
            format!(
                "{num} {} of {den} {}: {:.3}, {} asked for{from_en}",
                tidy(part),
                tidy(whole),
                ratio,
                ramp.full_at
            ),
            format!(
                "{num} {} / {den} {} = {:.3}，要求 {}{from_zh}",
                tidy(part),
                tidy(whole),
                ratio,
                ramp.full_at
            ),
        );
        Outcome {
            gap: gap(ramp.full_at * whole - part, Unit::Named(num.to_owned())),
            ..found(Score::known(ramp.score(ratio)), Some(ratio), evidence)
        }
    }

    fn manual(&self, key: &str, ask: &str, scale: &Scale) -> Outcome {
        let answered = self.answer(key).and_then(|answer| Some((answer, scale.share_of(&answer.value)?)));
        let Some((answer, share)) = answered else {
            return unknown(
                format!("to be looked at in place (key {key}): {ask}"),
                format!("待现场核查（键 {key}）：{ask}"),
            );
        };
        let (from_en, from_zh) = self.from([key]);
        let (asked_en, asked_zh, missing) = match scale {
            Scale::Checklist(entries) => {
                let list = entries.join("、");
                let missing = gap((entries.len() as f64 * (1.0 - share)).round(), Unit::Entries);
                (format!(" [{list}]"), format!("［{list}］"), missing)
            }
            _ => (String::new(), String::new(), gap(100.0 * (1.0 - share), Unit::Percent)),
        };
        let evidence = both(
            format!("{ask}{asked_en}: {}{from_en}", answer.value),
            format!("{ask}{asked_zh}：{}{from_zh}", answer.value),
        );
        Outcome { gap: missing, ..found(Score::known(share), Some(share), evidence) }
    }

    fn survey(&self, key: &str, ask: &str, ramp: Ramp) -> Outcome {
        let share = self.answer(key).and_then(|answer| Scale::Share.share_of(&answer.value));
        let Some(share) = share else {
            return unknown(
                format!("to be asked of residents (key {key}): {ask}"),
                format!("待居民调查（键 {key}）：{ask}"),
            );
        };
        let (from_en, from_zh) = self.from([key]);
        let evidence = both(
            format!(
                "{ask}: {:.1} % are content, {:.0} % asked for{from_en}",
                100.0 * share,
                100.0 * ramp.full_at
            ),
            format!("{ask}：满意率 {:.1}%，要求 {:.0}%{from_zh}", 100.0 * share, 100.0 * ramp.full_at),
        );
        Outcome {
            gap: gap(100.0 * (ramp.full_at - share), Unit::Percent),
            ..found(Score::known(ramp.score(share)), Some(share), evidence)
        }
    }

    /// The best or the worst of those that apply; what would make it pass is the gap of the one that is nearest to it, or farthest.
    fn several(&self, rules: &[Rule], key: &str, any: bool) -> Outcome {
        let each: Vec<Outcome> = (1..)
            .zip(rules)
            .map(|(number, rule): (usize, _)| self.outcome(rule, &format!("{key}.{number}")))
            .collect();
        let (mut facilities, mut en, mut zh) = (Vec::new(), Vec::new(), Vec::new());
        for outcome in &each {
            facilities.extend(&outcome.facilities);
            en.push(format!("({})", outcome.evidence.en));
            zh.push(format!("（{}）", outcome.evidence.zh));
        }
        let evidence = if any {
            both(format!("any of: {}", en.join(" or ")), format!("任一：{}", zh.join("或")))
        } else {
            both(format!("all of: {}", en.join(" and ")), format!("全部：{}", zh.join("且")))
        };
        let better = |a: f64, b: f64| if any { a > b } else { a < b };
        let applying = || each.iter().filter(|each| each.applies);
        let best = |of: fn(&Outcome) -> f64| {
            applying().map(of).reduce(|a, b| if better(b, a) { b } else { a }).unwrap_or_default()
        };
        let deciding = applying().reduce(|a, b| if better(b.score.low, a.score.low) { b } else { a });
        let Some(deciding) = deciding else { return not_for_it(evidence.en, evidence.zh) };
        let score = Score { low: best(|each| each.score.low), high: best(|each| each.score.high) };
        let gap = deciding.gap.clone().filter(|_| score.low < 1.0);
        Outcome { applies: true, score, value: deciding.value, evidence, facilities, gap }
    }
}

/// Texts of evidence.
impl Judge<'_> {
    fn names(&self, classes: &[String], zh: bool) -> String {
        if classes.is_empty() {
            return if zh { "无".to_owned() } else { "none".to_owned() };
        }
        let name = |class: &String| {
            let known = self.facts.catalogue.classes.iter().find(|known| known.id == *class);
            known.filter(|_| zh).map_or_else(|| class.clone(), |known| known.name_zh.clone())
        };
        classes.iter().map(name).collect::<Vec<_>>().join(if zh { "、" } else { " / " })
    }

    fn group(&self, id: &str) -> (String, String) {
        let known = self.facts.catalogue.age_group.iter().find(|group| group.id == id);
        match (known, id) {
            (Some(group), _) => (id.to_owned(), group.name_zh.clone()),
            (None, "households") => ("households".to_owned(), "户数".to_owned()),
            (None, _) => (id.to_owned(), id.to_owned()),
        }
    }

    fn unit_of(attribute: Option<&str>) -> (Unit, (&'static str, &'static str)) {
        match attribute {
            None => (Unit::Facilities, ("facilities", "处")),
            Some("places") => (Unit::Named("places".to_owned()), ("places", "个位子")),
            Some("beds") => (Unit::Named("beds".to_owned()), ("beds", "张床位")),
            Some(area) if area.ends_with("_m2") => (Unit::SquareMetres, ("m²", "平方米")),
            Some(other) => (Unit::Named(other.to_owned()), ("units", "单位")),
        }
    }

    /// The first facilities by id and name.
    fn list(&self, rows: &[u32]) -> (String, String) {
        if rows.is_empty() {
            return (String::new(), String::new());
        }
        let facilities = &self.facts.facilities;
        let one = |row: &u32| {
            let row = *row as usize;
            let id = facilities.id.text(row);
            facilities.name[row].as_ref().map_or_else(|| id.clone(), |name| format!("{id} {name}"))
        };
        let mut list = rows.iter().take(NAMED).map(one).collect::<Vec<_>>().join("; ");
        if rows.len() > NAMED {
            list = format!("{list}; … {}", rows.len());
        }
        (format!(" [{list}]"), format!("［{list}］"))
    }

    /// Where answers are from, and of when.
    fn from<const N: usize>(&self, keys: [&str; N]) -> (String, String) {
        let said = |key: &str| {
            let answer = self.answer(key)?;
            let date = answer.date.map(|date| date.to_string());
            let parts: Vec<String> = answer.source.clone().into_iter().chain(date).collect();
            (!parts.is_empty()).then(|| parts.join(", "))
        };
        let mut said: Vec<String> = keys.into_iter().filter_map(said).collect();
        said.dedup();
        if said.is_empty() {
            return (String::new(), String::new());
        }
        (format!(" [{}]", said.join("; ")), format!("［{}］", said.join("; ")))
    }
}

/// A number as people write it.
fn tidy(number: f64) -> String {
    let text = format!("{number:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
