//! The nodes of an extract that ways and outlines need.

use crate::model::level::Level;
use crate::model::place::Place;
use crate::model::street::Barrier;
use rayon::prelude::*;
use std::collections::HashMap;

/// Where the needed nodes are and what they say, sorted by id.
#[derive(Default)]
pub struct NodeTable {
    pub id: Vec<i64>,
    place: Vec<Option<Place>>,
    marks: Vec<Mark>,
    ele_m: HashMap<usize, f32>,
    lift_levels: HashMap<usize, Vec<Level>>,
}

/// What stands at a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Mark {
    pub barrier: Barrier,
    pub lift: bool,
    /// A door or gate through which a feature with an outline is entered.
    pub entrance: bool,
}

impl NodeTable {
    /// A table of these ids, whose nodes are still to come.
    pub fn of(mut ids: Vec<i64>) -> Self {
        ids.par_sort_unstable();
        ids.dedup();
        let count = ids.len();
        Self { id: ids, place: vec![None; count], marks: vec![Mark::default(); count], ..Self::default() }
    }

    /// Position of a needed node, whether it has come or not.
    pub fn wanted(&self, id: i64) -> Option<usize> {
        self.id.binary_search(&id).ok()
    }

    /// Position of a node that the extract holds.
    pub fn position(&self, id: i64) -> Option<usize> {
        self.wanted(id).filter(|&position| self.place[position].is_some())
    }

    pub fn place(&self, id: i64) -> Option<Place> {
        self.wanted(id).and_then(|position| self.place[position])
    }

    pub fn place_at(&self, position: usize) -> Option<Place> {
        self.place[position]
    }

    pub fn mark(&self, position: usize) -> Mark {
        self.marks[position]
    }

    pub fn ele_m(&self, position: usize) -> Option<f32> {
        self.ele_m.get(&position).copied()
    }

    /// Floors of lifts, by position.
    pub fn lift_levels(&self) -> impl Iterator<Item = (usize, &Vec<Level>)> {
        self.lift_levels.iter().map(|(&position, levels)| (position, levels))
    }

    /// Place a node, unless it is placed already; whether it was not.
    pub fn set(&mut self, position: usize, place: Place, mark: Mark) -> bool {
        let new = self.place[position].is_none();
        if new {
            self.place[position] = Some(place);
            self.marks[position] = mark;
        }
        new
    }

    /// Note heights, and floors of lifts, by position.
    pub fn note(&mut self, ele_m: Vec<(usize, f32)>, lift_levels: Vec<(usize, Vec<Level>)>) {
        self.ele_m.extend(ele_m);
        self.lift_levels.extend(lift_levels.into_iter().filter(|(_, levels)| !levels.is_empty()));
    }
}
