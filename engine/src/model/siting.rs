//! Where the next facilities go: the question as plain data, and the answer.
//!
//! Demand, sites and pairs stand in the order of their ids, so that an answer does not depend on the order of rows, and ties
//! go to the smaller id.

use super::ids::Ids;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Aim {
    /// The least people × cost (Hakimi 1964; `ReVelle` and Swain 1970). What one person costs who is served by nobody; none
    /// where everybody has to be served.
    PMedian {
        /// Cost of a person who is not served.
        unserved_cost: Option<f64>,
    },
    /// The most people within a limit (Church and `ReVelle` 1974).
    MaximalCovering {
        /// The greatest cost that counts.
        limit: f64,
    },
    /// The fewest sites, or the cheapest, that have everybody within a limit (Toregas and others 1971).
    SetCovering {
        /// The greatest cost that counts.
        limit: f64,
        /// Whether yuan are counted instead of sites.
        by_yuan: bool,
    },
    /// The least cost within which everybody is served (Hakimi 1964).
    PCenter,
}

impl Aim {
    /// Costs above it do not serve.
    pub fn limit(self) -> f64 {
        match self {
            Self::MaximalCovering { limit } | Self::SetCovering { limit, .. } => limit,
            Self::PMedian { .. } | Self::PCenter => f64::INFINITY,
        }
    }
}

/// How many sites may be built.
#[derive(Debug, Clone, PartialEq)]
pub enum Most {
    /// As many as it takes, or as the budget allows.
    Any,
    /// So many in all.
    InAll(usize),
    /// So many of each class.
    OfClass(Vec<usize>),
}

/// Who is to be served; one row for each origin and class.
#[derive(Debug, Clone, PartialEq)]
pub struct Demand {
    /// The origin of each.
    pub id: Ids,
    /// Class of the sites that serve it, a position in [`Question::classes`].
    pub class: Vec<u32>,
    /// Persons.
    pub people: Vec<f64>,
    /// What they count for; the people where no other column is named.
    pub weight: Vec<f64>,
}

/// Where facilities stand or may be built.
#[derive(Debug, Clone, PartialEq)]
pub struct Sites {
    /// Id of each.
    pub id: Ids,
    /// Class of each, a position in [`Question::classes`].
    pub class: Vec<u32>,
    /// Those that are there already and stay.
    pub existing: Vec<bool>,
    /// What building costs.
    pub cost_yuan: Vec<Option<f64>>,
    /// How many people each can serve, where that is limited.
    pub capacity: Vec<Option<f64>>,
    /// The area of each.
    pub area: Vec<Option<String>>,
    /// Longitude and latitude, as they were given.
    pub place: Vec<Option<[f64; 2]>>,
}

/// Which sites serve which demand at what cost: for each row of demand its sites, cheapest first, then by id.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reach {
    /// Where the pairs of each row of demand begin, and where the last ends.
    pub first: Vec<usize>,
    /// Row of the site.
    pub site: Vec<u32>,
    /// Cost of the way, in the unit of the user.
    pub cost: Vec<f64>,
}

impl Reach {
    /// Sites of a row of demand with their costs, cheapest first.
    pub fn of(&self, demand: usize) -> impl Iterator<Item = (u32, f64)> + '_ {
        let pairs = self.first[demand]..self.first[demand + 1];
        self.site[pairs.clone()].iter().copied().zip(self.cost[pairs].iter().copied())
    }
}

/// One question.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// What is asked for.
    pub aim: Aim,
    /// Names of the classes, sorted.
    pub classes: Vec<String>,
    /// Who is to be served.
    pub demand: Demand,
    /// Where.
    pub sites: Sites,
    /// At what cost.
    pub reach: Reach,
    /// How many may be built.
    pub most: Most,
    /// Yuan that may be spent.
    pub budget_yuan: Option<f64>,
    /// Whether every area that has a site of a class gets one of that class.
    pub one_per_area: bool,
    /// Whether sites serve no more people than their capacity.
    pub capacitated: bool,
}

/// A part of a row of demand that a site serves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Service {
    /// Row of the demand.
    pub demand: u32,
    /// Row of the site.
    pub site: u32,
    /// Cost of the way.
    pub cost: f64,
    /// Share of the row, above 0, at most 1.
    pub share: f64,
}

/// Why somebody is not served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unserved {
    /// No site at all is within reach.
    NoSite,
    /// Those within reach are not built.
    NotChosen,
    /// Those within reach that are built are full.
    Full,
}

impl Unserved {
    /// The name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoSite => "no_site_in_reach",
            Self::NotChosen => "not_chosen",
            Self::Full => "full",
        }
    }
}

/// What is reached after so many sites were built.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Row of the site that was built; none for what is there before.
    pub site: Option<u32>,
    /// The objective; none while somebody who has to be served is not.
    pub objective: Option<f64>,
    /// People served.
    pub people: f64,
    /// Their weight.
    pub weight: f64,
    /// Yuan spent so far.
    pub cost_yuan: f64,
}

/// An answer, with what is proved about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Siting {
    /// Rows of the sites that are built, in the order in which they gain most.
    pub built: Vec<u32>,
    /// Who is served where, by demand, then by cost.
    pub service: Vec<Service>,
    /// Who is not: row of the demand, share of it, why.
    pub unserved: Vec<(u32, f64, Unserved)>,
    /// What the aim counts.
    pub objective: f64,
    /// What no choice of sites can better.
    pub bound: f64,
    /// The way there, the state before first.
    pub steps: Vec<Step>,
    /// Whether the search was asked to stop before its end.
    pub stopped: bool,
}

impl Siting {
    /// How far objective and bound are apart, as a share of the larger one: 0..1.
    pub fn gap(&self) -> f64 {
        let apart = (self.objective - self.bound).abs();
        if apart == 0.0 { 0.0 } else { apart / self.objective.abs().max(self.bound.abs()) }
    }
}
