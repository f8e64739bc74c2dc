//! A good choice and a bound on all others, side by side: each climb of the bound proposes choices, each better choice tells the climb
//! how long its steps may be.

use super::capacitated;
use super::greedy::{Per, fill};
use super::halt::Halt;
use super::instance::Instance;
use super::interchange::improve;
use super::lagrange::{Bound, Climb};
use super::rules::Choice;
use super::served::Served;

/// A choice and what it costs, penalties included.
#[derive(Debug, Clone, PartialEq)]
pub struct Best {
    /// The choice.
    pub choice: Choice,
    /// Its cost.
    pub cost: f64,
    /// Demands that may not be left and are.
    pub missed: usize,
}

/// What a search has found and proved.
#[derive(Debug, Clone)]
pub struct Found {
    /// The best choice; none where not even one was made before the search was stopped.
    pub best: Best,
    /// The bound at the best multipliers, with what proves it.
    pub bound: Bound,
    /// What is proved: no choice costs less.
    pub proved: f64,
    /// Whether it was stopped before its end.
    pub stopped: bool,
}

/// How much is tried, by the size of the instance and never by the clock: the same inputs give the same answer.
#[derive(Debug, Clone, Copy)]
struct Effort {
    /// Steps of the climb.
    steps: usize,
    /// Steps between two choices that are made of the multipliers.
    every: usize,
    /// Searches from a disturbed choice.
    kicks: usize,
}

impl Effort {
    fn of(instance: &Instance) -> Self {
        if instance.room.is_some() {
            return Self { steps: 300, every: 15, kicks: 0 };
        }
        match instance.rows.pairs() {
            0..=20_000 => Self { steps: 1500, every: 10, kicks: 200 },
            20_001..=300_000 => Self { steps: 1000, every: 20, kicks: 60 },
            300_001..=1_500_000 => Self { steps: 500, every: 40, kicks: 10 },
            _ => Self { steps: 300, every: 60, kicks: 0 },
        }
    }
}

/// What is enough to end a search.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Until {
    /// A choice that is proved to be the best.
    Proved,
    /// A choice of no cost, or the proof that every choice costs something.
    Decided,
}

/// A search under way.
struct Search<'a> {
    instance: &'a Instance,
    halt: &'a Halt<'a>,
    best: Best,
}

/// Search an instance.
pub fn search(instance: &Instance, until: Until, halt: &Halt<'_>) -> Found {
    let effort = Effort::of(instance);
    let (mut search, start) = Search::begin(instance, halt);
    let mut climb = Climb::new(instance, start);
    halt.tell("siting", effort.steps);
    let done = |search: &Search<'_>, climb: &Climb<'_>| {
        let bound = instance.rounded_up(climb.best.cost);
        bound >= search.best.cost || (until == Until::Decided && bound > 0.0)
    };
    let mut tried = Vec::new();
    for step in 1..=effort.steps {
        climb.step(search.best.cost);
        halt.step(1);
        if done(&search, &climb) || climb.ended() || halt.asked() {
            break;
        }
        if step % effort.every == 0 {
            let wanted = climb.wanted();
            if wanted != tried {
                search.try_out(&wanted, &climb.ranking());
                tried = wanted;
            }
        }
    }
    if !done(&search, &climb) && !halt.asked() {
        search.try_out(&climb.best.chosen.clone(), &climb.ranking());
        search.settle();
        search.disturb(effort.kicks);
    }
    let stopped = halt.asked() && !done(&search, &climb);
    let proved = instance.rounded_up(climb.best.cost).min(search.best.cost);
    Found { best: search.best, bound: climb.best, proved, stopped }
}

impl<'a> Search<'a> {
    /// Greedy choices, the best of them improved, and the multipliers that it suggests.
    fn begin(instance: &'a Instance, halt: &'a Halt<'a>) -> (Self, Vec<f64>) {
        let mut ways = vec![Per::Site];
        if instance.rules.budget.is_some() {
            ways.push(Per::Yuan);
        }
        if instance.fixed.iter().any(|&fixed| fixed > 0.0) {
            ways.push(Per::Fixed);
        }
        let mut begun: Option<(f64, Choice, Served)> = None;
        for per in ways {
            let mut choice = Choice::none(&instance.rules);
            let mut served = Served::under(instance, &choice);
            fill(instance, &mut choice, &mut served, per, halt);
            improve(instance, &mut choice, &mut served, halt);
            let total = served.total(instance, &choice);
            if begun.as_ref().is_none_or(|(least, ..)| total < *least) {
                begun = Some((total, choice, served));
            }
        }
        let (_, choice, served) = begun.expect("there is at least one way");
        let start = served.cost.iter().zip(&served.next_cost).map(|(now, next)| 0.5 * (now + next)).collect();
        let best = judged(instance, choice, Some(&served));
        (Self { instance, halt, best }, start)
    }

    fn keep(&mut self, found: Best) {
        if (found.missed, found.cost) < (self.best.missed, self.best.cost) {
            self.best = found;
        }
    }

    /// Make a choice of the sites that multipliers want, and better it.
    fn try_out(&mut self, wanted: &[u32], ranking: &[u32]) {
        let instance = self.instance;
        if let Some(room) = &instance.room {
            let choice = capacitated::complete(instance, room, wanted, ranking, self.halt);
            self.keep(judged(instance, choice, None));
            return;
        }
        let choice = Choice::of(&instance.rules, wanted);
        self.better(choice);
    }

    /// Swaps are judged one by one where sites can be full, so only the best choice is bettered by them.
    fn settle(&mut self) {
        if let Some(room) = &self.instance.room {
            let choice = capacitated::improve(self.instance, room, self.best.choice.clone(), self.halt);
            self.keep(judged(self.instance, choice, None));
        }
    }

    fn better(&mut self, mut choice: Choice) {
        let instance = self.instance;
        let mut served = Served::under(instance, &choice);
        fill(instance, &mut choice, &mut served, Per::Site, self.halt);
        improve(instance, &mut choice, &mut served, self.halt);
        self.keep(judged(instance, choice, Some(&served)));
    }

    /// Put a few sites of the best choice aside, fill up in another way, and search on from there.
    fn disturb(&mut self, kicks: usize) {
        if self.instance.room.is_some() {
            return;
        }
        let rules = &self.instance.rules;
        let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
        let candidates: Vec<u32> =
            (0..self.instance.sites() as u32).filter(|&site| rules.candidate[site as usize]).collect();
        self.halt.tell("siting: other choices", kicks);
        for kick in 0..kicks {
            if self.halt.asked() || self.best.choice.list.is_empty() || candidates.is_empty() {
                return;
            }
            let mut choice = self.best.choice.clone();
            for _ in 0..=(kick % 3) {
                let out = choice.list[dice.below(choice.list.len())] as usize;
                let into = candidates[dice.below(candidates.len())] as usize;
                if !choice.inside[into] && choice.can_swap(rules, into, out) {
                    choice.drop(rules, out);
                    choice.add(rules, into);
                }
            }
            self.better(choice);
            self.halt.step(1);
        }
    }
}

/// A choice with its cost; `served` is how it serves without capacities.
pub fn judged(instance: &Instance, choice: Choice, served: Option<&Served>) -> Best {
    if let Some(room) = &instance.room {
        let (cost, missed) = capacitated::cost(instance, room, &choice.list);
        return Best { choice, cost, missed };
    }
    let anew = served.is_none().then(|| Served::under(instance, &choice));
    let served = served.or(anew.as_ref()).expect("one of the two is there");
    let (cost, missed) = (served.total(instance, &choice), served.missed(instance).count());
    Best { choice, cost, missed }
}

/// Numbers that look thrown and are the same in every run: xorshift (G. Marsaglia 2003).
struct Dice(u64);

impl Dice {
    fn below(&mut self, count: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % count as u64) as usize
    }
}
