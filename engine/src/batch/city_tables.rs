//! The tables of a city, cut into parts, each with a fingerprint of what its rows are computed from.

use super::parts::{self, Part, Table};
use super::prepare::Prepared;
use super::refresh::CODE;
use crate::io;
use crate::io::hash;
use crate::metrics::apportion::Part as CellPart;
use crate::metrics::coverage::{NearestOf, coverage};
use crate::model::cell;
use crate::model::error::{Error, Result};
use crate::model::place::Place;
use crate::model::progress::Progress;
use crate::model::release::FORMAT;
use crate::model::study::Study;
use crate::model::times::{Found, Nearest, Reason};
use crate::travel::nearest::NearestTimes;
use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_select::concat::concat_batches;
use geo::Centroid;
use h3o::{CellIndex, Resolution};
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A city whose tables are made, with what their fingerprints are made from.
pub(super) struct City<'a> {
    study: &'a Study,
    pub(super) prepared: &'a Prepared,
    times: &'a [NearestTimes],
    progress: &'a Progress,
    tile: Resolution,
    pub(super) tile_of_cell: Vec<Option<i64>>,
    pub(super) tile_of_area: Vec<Option<i64>>,
    pub(super) tile_of_facility: Vec<Option<i64>>,
    /// A hash of the people of each cell, groups in order.
    people: Vec<[u8; 16]>,
    /// A hash of the id of each facility.
    facility: Vec<[u8; 16]>,
    /// What all fingerprints begin with.
    salt: String,
}

impl<'a> City<'a> {
    pub(super) fn new(
        study: &'a Study,
        prepared: &'a Prepared,
        times: &'a [NearestTimes],
        progress: &'a Progress,
    ) -> Result<Self> {
        let tile = cell::resolution(study.tile_resolution())
            .ok_or_else(|| Error::Internal("the resolution is checked at the door".to_owned()))?;
        let place = |&place: &Place| Some(tile_at(place, tile));
        let cells = &prepared.cells;
        let people = (0..cells.cell.len()).map(|row| {
            let mut hasher = Sha256::new();
            hasher.update(cells.people[row].to_bits().to_le_bytes());
            for group in &cells.groups {
                hasher.update(group.people[row].to_bits().to_le_bytes());
            }
            half(hasher)
        });
        let groups: Vec<&str> = cells.groups.iter().map(|group| group.name.as_str()).collect();
        let coverage =
            serde_json::to_string(&study.coverage).map_err(|error| Error::Internal(error.to_string()))?;
        let facilities = &prepared.facilities;
        Ok(Self {
            people: people.collect(),
            facility: (0..facilities.len())
                .map(|row| half(Sha256::new_with_prefix(facilities.id.text(row))))
                .collect(),
            tile_of_cell: cells.cell.iter().map(|&cell| tile_of(cell, tile)).collect(),
            tile_of_area: prepared
                .areas
                .outline
                .iter()
                .map(|outline| tile_of_outline(outline.as_ref(), tile))
                .collect(),
            tile_of_facility: prepared.ledger.place.iter().map(place).collect(),
            salt: format!("{CODE} {FORMAT} {coverage} {groups:?}"),
            study,
            prepared,
            times,
            progress,
            tile,
        })
    }

    /// The tiles that rows are in, each with its rows.
    fn by_tile(tiles: &[Option<i64>]) -> BTreeMap<Option<i64>, Vec<usize>> {
        let mut rows: BTreeMap<Option<i64>, Vec<usize>> = BTreeMap::new();
        for (row, &tile) in tiles.iter().enumerate() {
            rows.entry(tile).or_default().push(row);
        }
        rows
    }

    /// Nearest times: a file for each tile.
    pub(super) fn times(&'a self) -> Table<'a> {
        let parts = Self::by_tile(&self.tile_of_cell).into_iter().map(|(tile, rows)| {
            let fingerprint = self.fingerprint("times", |hasher| {
                for &row in &rows {
                    hasher.update(u64::from(self.prepared.cells.cell[row]).to_le_bytes());
                    for it in self.times {
                        let classes = it.times.class.len();
                        for nearest in &it.times.nearest[row * classes..(row + 1) * classes] {
                            hasher.update(time_code(*nearest).to_le_bytes());
                            if let Ok(found) = nearest {
                                hasher.update(self.facility[found.facility() as usize]);
                            }
                        }
                    }
                }
            });
            let make = Box::new(move || Ok(self.times_of(&rows)));
            Part { tile: Some(tile), name: String::new(), fingerprint, make }
        });
        let schema = self.times_of(&[]).schema().as_ref().clone();
        Table { name: "times".to_owned(), schema, tiled: true, distinct: &[], parts: parts.collect() }
    }

    /// Rows of cells: cell by cell, classes in order, in each the profiles.
    fn times_of(&self, rows: &[usize]) -> RecordBatch {
        let classes = &self.times[0].times.class;
        let of_cell = |&row: &usize| {
            (0..classes.len()).flat_map(move |class| {
                let entry = row * classes.len() + class;
                self.times.iter().map(move |it| (row, class, it, it.times.nearest[entry]))
            })
        };
        let entries = || rows.iter().flat_map(of_cell);
        let cell: Int64Array =
            entries().map(|(row, ..)| Some(u64::from(self.prepared.cells.cell[row]) as i64)).collect();
        let class: StringArray = entries().map(|(_, class, ..)| Some(classes[class].as_str())).collect();
        let profile: StringArray = entries().map(|(_, _, it, _)| Some(it.times.profile.as_str())).collect();
        let time_s: Float64Array = entries()
            .map(|(.., nearest)| nearest.ok().map(|found| f64::from(found.time_ds) / 10.0))
            .collect();
        let facility = |found: Found| self.prepared.facilities.id.text(found.facility() as usize);
        let facility: StringArray = entries().map(|(.., nearest)| nearest.ok().map(facility)).collect();
        let reason: StringArray = entries().map(|(.., nearest)| nearest.err().map(Reason::name)).collect();
        RecordBatch::try_from_iter_with_nullable([
            ("cell", Arc::new(cell) as ArrayRef, false),
            ("class", Arc::new(class), false),
            ("profile", Arc::new(profile), false),
            ("time_s", Arc::new(time_s), true),
            ("facility_id", Arc::new(facility), true),
            ("reason", Arc::new(reason), true),
        ])
        .expect("all columns have one value per entry")
    }

    /// Coverage: a file for each class of each tile, so that what is asked of one class reads little.
    pub(super) fn coverage(&'a self) -> Result<Table<'a>> {
        let classes = &self.times[0].times.class;
        let tiles = Self::by_tile(&self.tile_of_area);
        let of_class = tiles.iter().flat_map(|(tile, areas)| {
            classes.iter().enumerate().map(move |(class, name)| (*tile, areas.clone(), class, name))
        });
        let of_class: Vec<_> = of_class.collect();
        let part = |(tile, areas, class, name): (Option<i64>, Vec<usize>, usize, &String)| {
            let fingerprint = self.fingerprint(name, |hasher| self.hash_coverage(hasher, &areas, class));
            let make = Box::new(move || self.coverage_of(&areas, class));
            Part { tile: Some(tile), name: name.clone(), fingerprint, make }
        };
        let schema = self.coverage_of(&[], 0)?.schema().as_ref().clone();
        let parts = of_class.into_par_iter().map(part).collect();
        let distinct = &io::coverage::DISTINCT;
        Ok(Table { name: "coverage".to_owned(), schema, tiled: true, distinct, parts })
    }

    fn hash_coverage(&self, hasher: &mut Sha256, areas: &[usize], class: usize) {
        let classes = self.times[0].times.class.len();
        for &area in areas {
            hasher.update(&self.prepared.areas.id[area]);
            hasher.update([0]);
            for part in &self.prepared.parts[area] {
                hasher.update(self.people[part.cell as usize]);
                hasher.update(part.share.to_bits().to_le_bytes());
                for it in self.times {
                    let nearest = it.times.nearest[part.cell as usize * classes + class];
                    hasher.update(time_code(nearest).to_le_bytes());
                }
            }
        }
    }

    fn coverage_of(&self, areas: &[usize], class: usize) -> Result<RecordBatch> {
        let ids: Vec<String> = areas.iter().map(|&area| self.prepared.areas.id[area].clone()).collect();
        let parts: Vec<Vec<CellPart>> = areas.iter().map(|&area| self.prepared.parts[area].clone()).collect();
        let settings = &self.study.coverage;
        let batches = self.times.iter().map(|it| {
            let one = OneClass { times: it, class };
            let found =
                coverage(&one, &self.prepared.cells, &ids, &parts, &settings.minutes, &Progress::default())?;
            let profile = &it.times.profile;
            parts::plain(&io::coverage::to_batch(&found.of_groups(|group| settings.walks_as(group, profile))))
        });
        let batches = batches.collect::<Result<Vec<_>>>()?;
        self.progress.check()?;
        concat_batches(&batches[0].schema(), &batches).map_err(|error| Error::Internal(error.to_string()))
    }

    /// A table with a row or several for areas, cut as these are.
    pub(super) fn of_areas(&self, name: &str, batch: &RecordBatch) -> Result<Table<'a>> {
        let batch = parts::plain(batch)?;
        let known: BTreeMap<&str, Option<i64>> = self
            .prepared
            .areas
            .id
            .iter()
            .map(String::as_str)
            .zip(self.tile_of_area.iter().copied())
            .collect();
        let ids = batch.column_by_name("area_id").map(AsArray::as_string::<i32>);
        let tiles = ids.into_iter().flatten().map(|id| id.and_then(|id| known.get(id).copied().flatten()));
        parts::tiled(name, &batch, &tiles.collect::<Vec<_>>())
    }

    /// A table that was handed over, cut by the places that it has.
    pub(super) fn placed(&self, name: &str, batch: &RecordBatch) -> Result<Table<'a>> {
        let batch = parts::plain(batch)?;
        let number = |name: &str| batch.column_by_name(name)?.as_primitive_opt::<Float64Type>();
        let (Some(lon), Some(lat)) = (number("lon"), number("lat")) else {
            return parts::whole(name, &batch);
        };
        let place = |(lon, lat): (Option<f64>, Option<f64>)| Place::new(lon?, lat?);
        let tiles = lon.iter().zip(lat).map(|at| place(at).map(|place| tile_at(place, self.tile)));
        parts::tiled(name, &batch, &tiles.collect::<Vec<_>>())
    }

    fn fingerprint(&self, of: &str, feed: impl FnOnce(&mut Sha256)) -> String {
        let mut hasher = Sha256::new_with_prefix(format!("{} {of}\n", self.salt));
        feed(&mut hasher);
        hash::hex(&half(hasher))
    }
}

/// One class of a table of times.
struct OneClass<'a> {
    times: &'a NearestTimes,
    class: usize,
}

impl NearestOf for OneClass<'_> {
    fn profile(&self) -> &str {
        &self.times.times.profile
    }

    fn classes(&self) -> Vec<String> {
        vec![self.times.times.class[self.class].clone()]
    }

    fn nearest(&self, cell: usize, _class: usize) -> Nearest {
        self.times.times.nearest[cell * self.times.times.class.len() + self.class]
    }
}

/// A time, or why there is none, as one number.
fn time_code(nearest: Nearest) -> u32 {
    match nearest {
        Ok(found) => found.time_ds,
        Err(reason) => u32::MAX - reason as u32,
    }
}

/// 128 bits of a hash: two things that differ do not meet in one.
fn half(hasher: Sha256) -> [u8; 16] {
    std::array::from_fn({
        let whole = hasher.finalize();
        move |at| whole[at]
    })
}

/// The tile of a cell; a cell coarser than tiles is none of theirs, and the door sees to it that there is none.
fn tile_of(cell: CellIndex, tile: Resolution) -> Option<i64> {
    cell.parent(tile).map(|parent| u64::from(parent) as i64)
}

fn tile_at(place: Place, tile: Resolution) -> i64 {
    u64::from(cell::at(place, tile)) as i64
}

/// The tile of the middle of an outline; what is everywhere is in none.
fn tile_of_outline(outline: Option<&geo::MultiPolygon>, tile: Resolution) -> Option<i64> {
    let middle = outline?.centroid()?;
    Place::new(middle.x(), middle.y()).map(|place| tile_at(place, tile))
}
