//! Facilities and homes of an extract: outlines put together, doors found.

use super::block::Kind;
use super::nodes::NodeTable;
use super::outlines;
use crate::model::catalogue::{ByTags, Catalogue};
use crate::model::facility::Facilities;
use crate::model::ids::Ids;
use crate::model::ledger::Entry;
use crate::model::level::Level;
use crate::model::place::Place;
use crate::model::population::Dwellings;
use crate::model::street::{Barrier, StreetNode};
use geo::{Centroid, InteriorPoint, MultiPolygon};
use rayon::prelude::*;
use std::collections::HashMap;

/// A feature with an outline or a line: a facility, a home, or both.
pub struct RawFeature {
    pub kind: Kind,
    pub id: i64,
    pub classes: Vec<ByTags>,
    pub entry: Entry,
    pub name: Option<String>,
    pub level: Option<Level>,
    pub floors: Option<f64>,
    pub outer: Vec<Part>,
    pub inner: Vec<Part>,
}

/// A piece of an outline: known node ids, or the way that holds them.
pub enum Part {
    Nodes(Vec<i64>),
    Way(i64),
}

/// A facility drawn as a node.
pub struct RawPoint {
    pub id: i64,
    pub class: ByTags,
    pub entry: Entry,
    pub name: Option<String>,
    pub level: Option<Level>,
    pub place: Place,
}

impl Part {
    /// The node ids of the piece.
    pub fn refs<'s>(&'s self, member_ways: &'s HashMap<i64, Vec<i64>>) -> &'s [i64] {
        match self {
            Self::Nodes(refs) => refs,
            Self::Way(way) => member_ways.get(way).map_or(&[], Vec::as_slice),
        }
    }
}

/// Turns features into facilities and homes.
pub struct Placing<'a> {
    pub nodes: &'a NodeTable,
    pub member_ways: &'a HashMap<i64, Vec<i64>>,
    /// Nodes of streets, by id.
    pub on_street: &'a [StreetNode],
}

/// What features have become.
#[derive(Default)]
pub struct Placed {
    /// Centre and floor area of homes.
    pub dwellings: Dwellings,
    pub rows: Vec<FacilityRow>,
    pub broken_outlines: u64,
}

impl Placing<'_> {
    /// Place features side by side; their order stays.
    pub fn place_all(&self, features: &[RawFeature]) -> Placed {
        let mut all = Placed::default();
        let placed: Vec<Placed> = features.par_iter().map(|feature| self.place(feature)).collect();
        for placed in placed {
            all.dwellings.place.extend(placed.dwellings.place);
            all.dwellings.weight.extend(placed.dwellings.weight);
            all.rows.extend(placed.rows);
            all.broken_outlines += placed.broken_outlines;
        }
        all
    }

    fn place(&self, feature: &RawFeature) -> Placed {
        let mut placed = Placed::default();
        let Some(shape) = self.shape(feature, &mut placed.broken_outlines) else {
            placed.broken_outlines += 1;
            return placed;
        };
        if let (Some(floors), Some(outline)) = (feature.floors, &shape.outline) {
            let area_m2 = outlines::area_m2(outline);
            if let Some(centre) = outline.centroid().and_then(|centre| Place::new(centre.x(), centre.y())) {
                placed.dwellings.place.push(centre);
                placed.dwellings.weight.push(area_m2 * floors);
            }
        }
        if feature.classes.is_empty() {
            return placed;
        }
        let doors = self.doors(&shape);
        for found in &feature.classes {
            let outline = shape.outline.is_some();
            placed.rows.push(FacilityRow {
                class: found.class,
                entry: Entry { outline, ..of_class(found, &feature.entry) },
                id: format!("{}/{}", feature.kind.name(), feature.id),
                name: feature.name.clone(),
                level: feature.level,
                place: shape.place,
                doors: doors.clone(),
            });
        }
        placed
    }

    /// Where a feature is; `None` when its outline does not close or its nodes are missing.
    fn shape(&self, feature: &RawFeature, broken_outlines: &mut u64) -> Option<Shape> {
        if let ([Part::Nodes(refs)], []) = (feature.outer.as_slice(), feature.inner.as_slice())
            && refs.first() != refs.last()
        {
            let place = self.nodes.place(refs[refs.len() / 2])?;
            return Some(Shape { place, outline: None, corners: vec![] });
        }
        let rings = |parts: &[Part]| {
            outlines::close_rings(parts.iter().map(|part| part.refs(self.member_ways).to_vec()).collect())
        };
        let (outer, outer_left) = rings(&feature.outer);
        let (inner, inner_left) = rings(&feature.inner);
        *broken_outlines += u64::from(!outer.is_empty() && outer_left + inner_left > 0);
        let places =
            |ring: &Vec<i64>| ring.iter().map(|&id| self.nodes.place(id)).collect::<Option<Vec<_>>>();
        let outer_places = outer.iter().map(places).collect::<Option<Vec<_>>>()?;
        let inner_places = inner.iter().map(places).collect::<Option<Vec<_>>>()?;
        let outline = outlines::polygons(outer_places, inner_places);
        let inside = outline.interior_point()?;
        let place = Place::new(inside.x(), inside.y())?;
        Some(Shape { place, outline: Some(outline), corners: outer.concat() })
    }

    /// Whether a street that nothing bars leads over a node.
    fn is_on_street(&self, id: i64) -> bool {
        let at = self.on_street.binary_search_by_key(&id, |node| node.id);
        at.is_ok_and(|at| matches!(self.on_street[at].barrier, Barrier::None | Barrier::Gate))
    }

    /// Entrances and gates on the outline; else where a street meets it; else the place inside.
    fn doors(&self, shape: &Shape) -> Vec<Place> {
        let is_entrance =
            |id: &i64| self.nodes.position(*id).is_some_and(|position| self.nodes.mark(position).entrance);
        let mut corners = shape.corners.clone();
        corners.sort_unstable();
        corners.dedup();
        let mut doors: Vec<i64> = corners.iter().copied().filter(is_entrance).collect();
        if doors.is_empty() {
            doors = corners.into_iter().filter(|id| self.is_on_street(*id)).collect();
        }
        if doors.is_empty() {
            return vec![shape.place];
        }
        doors.into_iter().filter_map(|id| self.nodes.place(id)).collect()
    }
}

/// Where a feature is and what bounds it.
struct Shape {
    place: Place,
    outline: Option<MultiPolygon>,
    corners: Vec<i64>,
}

/// What the map says of a feature, with the rule of one of its classes.
pub fn of_class(found: &ByTags, entry: &Entry) -> Entry {
    Entry { class_rule: Some(format!("osm:{}", found.tags)), ..entry.clone() }
}

/// One row in the making.
pub struct FacilityRow {
    pub class: usize,
    pub entry: Entry,
    pub id: String,
    pub name: Option<String>,
    pub level: Option<Level>,
    pub place: Place,
    pub doors: Vec<Place>,
}

/// The facilities, by class and id.
pub fn sorted(mut rows: Vec<FacilityRow>, catalogue: &Catalogue, file: &str) -> Facilities {
    rows.sort_by(|a, b| (a.class, &a.id).cmp(&(b.class, &b.id)));
    // Unsaved edits may repeat an id; the class list of one element never repeats a class.
    rows.dedup_by(|a, b| (a.class, &a.id) == (b.class, &b.id));
    let mut facilities = Facilities::new(file, Ids::Text(vec![]), vec![], vec![]);
    facilities.file = vec![file.into(); rows.len()];
    facilities.row = vec![None; rows.len()];
    let mut ids = Vec::with_capacity(rows.len());
    for FacilityRow { class, entry, id, name, level, place, doors } in rows {
        ids.push(id);
        facilities.class.push(catalogue.classes[class].id.clone());
        facilities.name.push(name);
        facilities.place.push(place);
        facilities.level.push(level);
        facilities.doors.push(doors);
        facilities.entry.push(entry);
    }
    facilities.id = Ids::Text(ids);
    facilities
}
