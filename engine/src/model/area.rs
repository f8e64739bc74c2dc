//! Planning areas: communities, districts, or H3 parents. A community is an area with a level.

use super::problem::{Fault, Problem};
use geo::MultiPolygon;
use std::collections::HashMap;

/// Areas and their outlines. Areas may overlap (levels), and need not cover every cell.
#[derive(Debug, Clone, Default)]
pub struct Areas {
    /// The file or table; empty when they come from none.
    pub file: String,
    /// The row of each area there, from 1.
    pub row: Vec<Option<u64>>,
    /// Id of each area, unique.
    pub id: Vec<String>,
    /// Name of each area, where given.
    pub name: Vec<Option<String>>,
    /// Level of each area (小区, 社区, 片区, …), where given.
    pub level: Vec<Option<String>>,
    /// Id of the area above, where given.
    pub parent_id: Vec<Option<String>>,
    /// Official code, where given: text, because it has leading zeros and is never counted with.
    pub code: Vec<Option<String>>,
    /// Outline of each area, degrees; `None` means everywhere.
    pub outline: Vec<Option<MultiPolygon>>,
}

/// The three levels of communities, from the smallest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CommunityLevel {
    /// 小区
    Estate,
    /// 社区
    Community,
    /// 片区
    District,
}

impl CommunityLevel {
    /// All of them, from the smallest.
    pub const ALL: [Self; 3] = [Self::Estate, Self::Community, Self::District];

    /// The words that tables have for the level; the first is its name.
    pub const fn words(self) -> [&'static str; 2] {
        match self {
            Self::Estate => ["estate", "小区"],
            Self::Community => ["community", "社区"],
            Self::District => ["district", "片区"],
        }
    }

    /// The name that results have for it.
    pub const fn name(self) -> &'static str {
        self.words()[0]
    }

    /// The level above.
    pub const fn above(self) -> Option<Self> {
        match self {
            Self::Estate => Some(Self::Community),
            Self::Community => Some(Self::District),
            Self::District => None,
        }
    }

    /// The level that a word of a table means.
    pub fn from_word(word: &str) -> Option<Self> {
        let word = word.trim().to_lowercase();
        Self::ALL.into_iter().find(|level| level.words().contains(&word.as_str()))
    }
}

impl Areas {
    /// The one area that holds every cell.
    pub fn everywhere() -> Self {
        let mut one = Self::default();
        one.push_bare("all".to_owned(), None);
        one
    }

    /// Add an area of which nothing but id and outline is known.
    pub fn push_bare(&mut self, id: String, outline: Option<MultiPolygon>) {
        self.row.push(None);
        self.id.push(id);
        self.name.push(None);
        self.level.push(None);
        self.parent_id.push(None);
        self.code.push(None);
        self.outline.push(outline);
    }

    /// These areas, in this order.
    #[must_use]
    pub fn pick(&self, rows: &[usize]) -> Self {
        fn of<T: Clone>(column: &[T], rows: &[usize]) -> Vec<T> {
            rows.iter().map(|&row| column[row].clone()).collect()
        }
        Self {
            file: self.file.clone(),
            row: of(&self.row, rows),
            id: of(&self.id, rows),
            name: of(&self.name, rows),
            level: of(&self.level, rows),
            parent_id: of(&self.parent_id, rows),
            code: of(&self.code, rows),
            outline: of(&self.outline, rows),
        }
    }

    /// The level of an area of communities.
    pub fn community_level(&self, area: usize) -> Option<CommunityLevel> {
        CommunityLevel::from_word(self.level[area].as_deref()?)
    }

    /// The level of an area, one name for all words that mean it.
    pub fn level_name(&self, area: usize) -> Option<String> {
        let known = self.community_level(area).map(|level| level.name().to_owned());
        known.or_else(|| self.level[area].clone())
    }

    /// The row of each area's parent; `None` where it has none or none is known.
    pub fn parents(&self) -> Vec<Option<usize>> {
        let rows: HashMap<&str, usize> = self.id.iter().map(String::as_str).zip(0..).collect();
        self.parent_id.iter().map(|id| rows.get(id.as_deref()?).copied()).collect()
    }

    /// A problem of an area, with the row and id that the user knows it by.
    pub fn problem(&self, area: usize, fault: Fault) -> Problem {
        let mut problem = Problem::of_file(&self.file, fault).with_id(&self.id[area]);
        problem.row = self.row[area];
        problem
    }

    /// What a text calls an area by: its name where it has one, else its id.
    pub fn label(&self, area: usize) -> String {
        match &self.name[area] {
            Some(name) => format!("{} ({name})", self.id[area]),
            None => self.id[area].clone(),
        }
    }
}

/// The areas above one, nearest first; parents that lead round in a circle are told once.
pub fn above(parents: &[Option<usize>], area: usize) -> Vec<usize> {
    let mut found = Vec::new();
    let mut next = parents[area];
    while let Some(here) = next.filter(|here| *here != area && !found.contains(here)) {
        found.push(here);
        next = parents[here];
    }
    found
}
