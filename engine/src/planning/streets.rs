//! Edits of streets → an overlay: every end of a link joined to a street, every way found that is closed or takes another time.

use crate::model::edit::{Change, LinkKind, LonLat, NewLink, RetimeLink, Ways, WhichLink};
use crate::model::edit_fault::EditFault;
use crate::model::error::{Error, Result};
use crate::model::place::Place;
use crate::model::problem::{Fault, Problem};
use crate::model::scenario::Scenario;
use crate::model::street::{Directions, WayKind};
use crate::model::times::Deciseconds;
use crate::network::build::{CABLEWAY_MPS, INCLINED_LIFT_MPS};
use crate::network::graph::{HeightSource, Network, Ride, height_at};
use crate::network::heights::STEEPEST_STAIRS;
use crate::network::line::Line;
use crate::network::overlay::{End, Link, Overlay, Retimed};
use crate::network::snap::attach;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Farthest that the end of a link may be from a street, metres (own default: across a wide road, not to the next one).
pub const LINK_SNAP_M: f64 = 50.0;

/// Farthest that a way may be from the place that tells which one is meant, metres (own default).
const WHICH_M: f64 = 50.0;

/// The edits of a scenario that change streets, laid over a network.
///
/// # Errors
/// Every fault of every edit.
pub fn overlay(base: &Arc<Network>, scenario: &Scenario) -> Result<Arc<Overlay>> {
    let mut resolving = Resolving::new(base, scenario);
    for (number, edit) in (1..).zip(&scenario.edits) {
        resolving.take(number, &edit.change);
    }
    resolving.tell_lonely_joints();
    let Resolving { links, closed, retimed, mut problems, rows, .. } = resolving;
    if problems.is_empty() {
        let overlay = Overlay::lay(base, &links, closed, retimed);
        let first = overlay.first_new_edge() as u32;
        for (edge, row) in (first..).zip(rows) {
            let [from, to] = overlay.ends(edge);
            if from == to {
                problems.push(
                    Problem::of_file(&scenario.file, EditFault::NoLength.into()).at_row(row).in_column("to"),
                );
            }
        }
        if problems.is_empty() {
            return Ok(Arc::new(overlay));
        }
    }
    Err(Error::Input(problems))
}

/// Edits on their way into an overlay.
struct Resolving<'a> {
    base: &'a Network,
    scenario: &'a Scenario,
    links: Vec<Link>,
    /// The edit that adds each link.
    rows: Vec<u64>,
    closed: BTreeSet<u32>,
    retimed: BTreeMap<u32, Retimed>,
    problems: Vec<Problem>,
    row: u64,
}

impl<'a> Resolving<'a> {
    fn new(base: &'a Network, scenario: &'a Scenario) -> Self {
        Self {
            base,
            scenario,
            links: vec![],
            rows: vec![],
            closed: BTreeSet::new(),
            retimed: BTreeMap::new(),
            problems: vec![],
            row: 0,
        }
    }

    fn take(&mut self, row: u64, change: &Change) {
        self.row = row;
        match change {
            Change::AddLink(link) => self.add(link),
            Change::CloseLink(which) => self.close(which),
            Change::OpenLink(which) => self.open(which),
            Change::RetimeLink(retimed) => self.retime(retimed),
            _ => {}
        }
    }

    fn tell(&mut self, key: &str, value: String, fault: Fault) {
        let problem = Problem::of_file(&self.scenario.file, fault).at_row(self.row).in_column(key);
        self.problems.push(problem.with_value(value));
    }

    fn add(&mut self, link: &NewLink) {
        if self.links.iter().any(|other| other.id == link.id) {
            self.tell("id", link.id.clone(), EditFault::LinkExists.into());
        }
        let corners = [link.from].into_iter().chain(link.via.iter().copied()).chain([link.to]);
        let corners: Option<Vec<Place>> = corners.map(place).collect();
        // The reader has told of places that are none.
        let Some(corners) = corners else { return };
        let ends = [
            ("from", link.from, corners[0], &link.from_joint),
            ("to", link.to, corners[corners.len() - 1], &link.to_joint),
        ];
        let ends = ends.map(|(key, at, place, joint)| self.end(key, at, place, joint.as_ref()));
        let [Some(from), Some(to)] = ends else { return };
        let rise_m = link.rise_m.or_else(|| Some(self.height_m(&to)? - self.height_m(&from)?));
        let made = made(link, corners, [from, to], rise_m);
        if link.forward_s.is_some() || link.backward_s.is_some() {
            let edge = (self.base.edge_count() + self.links.len()) as u32;
            let [forward, backward] = [link.forward_s, link.backward_s].map(|given| given.map(tenths));
            self.retimed.insert(edge, [forward.or(backward), backward.or(forward)]);
        }
        self.links.push(made);
        self.rows.push(self.row);
    }

    /// What an end of a link is joined to; told where that is nothing.
    fn end(&mut self, key: &str, at: LonLat, place: Place, joint: Option<&String>) -> Option<End> {
        if let Some(joint) = joint {
            return Some(End::Joint(joint.clone()));
        }
        let snap = attach(self.base, place, &self.closed, LINK_SNAP_M);
        if snap.anchor.is_none() {
            let fault = EditFault::NoStreetNear { nearest_m: snap.nearest_m, limit_m: LINK_SNAP_M };
            self.tell(key, format!("{at:?}"), fault.into());
        }
        snap.anchor.map(End::Street)
    }

    /// A joint of one link leads nowhere.
    fn tell_lonely_joints(&mut self) {
        let mut links: BTreeMap<&String, Vec<usize>> = BTreeMap::new();
        for (number, link) in self.links.iter().enumerate() {
            for end in &link.ends {
                if let End::Joint(name) = end {
                    links.entry(name).or_default().push(number);
                }
            }
        }
        let lonely = links.into_iter().filter(|(_, ends)| ends.len() == 1);
        let lonely: Vec<(String, usize)> = lonely.map(|(name, ends)| (name.clone(), ends[0])).collect();
        for (name, link) in lonely {
            self.row = self.rows[link];
            self.tell("joint", name, EditFault::LonelyJoint.into());
        }
    }

    /// The height of a street, where the terrain tells it.
    fn height_m(&self, end: &End) -> Option<f64> {
        let End::Street(anchor) = end else { return None };
        let edge = anchor.edge as usize;
        let from_terrain =
            matches!(self.base.heights.source[edge], HeightSource::Sampled | HeightSource::Interpolated);
        height_at(self.base.heights_of(edge), anchor.share).filter(|_| from_terrain)
    }

    fn close(&mut self, which: &WhichLink) {
        let found = self.find(which);
        let open: Vec<u32> = found.iter().copied().filter(|edge| !self.closed.contains(edge)).collect();
        if open.is_empty() && !found.is_empty() {
            self.tell("id", told(which), EditFault::LinkClosed.into());
        }
        self.closed.extend(open);
    }

    fn open(&mut self, which: &WhichLink) {
        let found = self.find(which);
        let closed: Vec<u32> = found.iter().copied().filter(|edge| self.closed.contains(edge)).collect();
        if closed.is_empty() && !found.is_empty() {
            self.tell("id", told(which), EditFault::LinkOpen.into());
        }
        for edge in closed {
            self.closed.remove(&edge);
        }
    }

    /// The seconds are of all the edges that are meant together, shared by their lengths.
    fn retime(&mut self, retimed: &RetimeLink) {
        let found = self.find(&retimed.which());
        let first = self.base.edge_count() as u32;
        let length_m = |edge: u32| match edge.checked_sub(first) {
            Some(link) => self.links[link as usize].length_m,
            None => self.base.edges.length_m[edge as usize],
        };
        let whole_m: f64 = found.iter().map(|&edge| length_m(edge)).sum();
        let shares: Vec<(u32, f64)> = found
            .iter()
            .map(|&edge| {
                (edge, if whole_m > 0.0 { length_m(edge) / whole_m } else { 1.0 / found.len() as f64 })
            })
            .collect();
        for (edge, share) in shares {
            let given = [retimed.forward_s, retimed.backward_s].map(|given| given.map(|s| tenths(s * share)));
            let before = self.retimed.get(&edge).copied().unwrap_or_default();
            self.retimed.insert(edge, [given[0].or(before[0]), given[1].or(before[1])]);
        }
    }

    /// The edges that are meant, and told where there are none.
    fn find(&mut self, which: &WhichLink) -> Vec<u32> {
        let found = match (&which.id, which.at) {
            (None, None) => {
                self.tell("id", String::new(), EditFault::WhichLink.into());
                return vec![];
            }
            (Some(id), at) => self.of_id(id, at),
            (None, Some(at)) => {
                let snap = place(at).map(|place| attach(self.base, place, &BTreeSet::new(), WHICH_M));
                snap.and_then(|snap| snap.anchor).map(|anchor| anchor.edge).into_iter().collect()
            }
        };
        if found.is_empty() {
            self.tell("id", told(which), EditFault::NoSuchLink.into());
        }
        found
    }

    fn of_id(&self, id: &str, at: Option<LonLat>) -> Vec<u32> {
        let first = self.base.edge_count() as u32;
        if let Some(link) = self.links.iter().position(|link| link.id == id) {
            return vec![first + link as u32];
        }
        let edges = self.base.edge_id.find(id).into_iter().map(|edge| edge as u32);
        let Some(at) = at.and_then(place) else { return edges.collect() };
        let away = |edge: u32| {
            let line = Line::of(self.base, edge as usize);
            let along = [0.0, 0.25, 0.5, 0.75, 1.0].map(|share| line.at(share));
            along.into_iter().map(|point| point.distance_m(at)).fold(f64::INFINITY, f64::min)
        };
        edges
            .map(|edge| (away(edge), edge))
            .min_by(|a, b| a.0.total_cmp(&b.0))
            .map(|near| near.1)
            .into_iter()
            .collect()
    }
}

fn place(at: LonLat) -> Option<Place> {
    Place::new(at[0], at[1])
}

fn told(which: &WhichLink) -> String {
    match (&which.id, which.at) {
        (Some(id), _) => id.clone(),
        (None, Some(at)) => format!("{at:?}"),
        (None, None) => String::new(),
    }
}

fn tenths(seconds: f64) -> Deciseconds {
    (seconds * 10.0).round() as Deciseconds
}

fn made(wanted: &NewLink, line: Vec<Place>, ends: [End; 2], rise_m: Option<f64>) -> Link {
    let kind = match wanted.kind {
        LinkKind::Path | LinkKind::Footbridge => WayKind::Footway,
        LinkKind::Crossing => WayKind::Crossing,
        LinkKind::Steps => WayKind::Steps,
        LinkKind::Escalator => WayKind::Escalator,
        LinkKind::Lift => WayKind::Lift,
        LinkKind::Cableway => WayKind::Cableway,
    };
    let drawn_m: f64 = line.windows(2).map(|pair| pair[0].distance_m(pair[1])).sum();
    let steep_m = rise_m
        .filter(|_| kind == WayKind::Steps)
        .map_or(0.0, |rise_m| rise_m.abs() / f64::from(STEEPEST_STAIRS));
    let directions = match wanted.directions {
        Some(Ways::Forward) => Directions::Forward,
        Some(Ways::Backward) => Directions::Backward,
        None if kind == WayKind::Escalator => Directions::Forward,
        None | Some(Ways::Both) => Directions::Both,
    };
    Link {
        id: wanted.id.clone(),
        kind,
        ends,
        length_m: wanted.length_m.unwrap_or(drawn_m.max(steep_m)),
        rise_m,
        ride: ride(wanted, kind, drawn_m, rise_m),
        directions,
        wheelchair: wanted.wheelchair,
        ramps: [wanted.wheelchair_ramp, wanted.stroller_ramp],
        handrail: wanted.handrail,
        line,
    }
}

/// A lift by its floors, else by its height; a cableway by its length.
fn ride(link: &NewLink, kind: WayKind, drawn_m: f64, rise_m: Option<f64>) -> Option<Ride> {
    let (floors, ride_s) = match kind {
        WayKind::Lift => match (link.floors, rise_m) {
            (Some(floors), _) => (floors, 0.0),
            (None, Some(rise_m)) => (0.0, rise_m.abs().hypot(drawn_m) / INCLINED_LIFT_MPS),
            (None, None) => (1.0, 0.0),
        },
        WayKind::Cableway => (0.0, link.length_m.unwrap_or(drawn_m) / CABLEWAY_MPS),
        _ => return None,
    };
    Some(Ride { edge: 0, wait_share: 1.0, floors: floors as f32, ride_s: ride_s as f32 })
}
