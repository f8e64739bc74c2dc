//! Communities on three levels: estates (小区) in communities (社区) in districts (片区), along the lines of the lattice.

use super::buildings::{Building, People};
use super::chance::Chance;
use super::lattice::{ESTATE, Lattice};
use super::names;
use geo::{LineString, MultiPolygon, Polygon};
use std::collections::{BTreeMap, BTreeSet};

/// Name of the kind of names, by level.
const NAMES: u64 = 10;
/// Estates along a side of a community, and communities along a side of a district.
const ESTATES: usize = 2;
const COMMUNITIES: usize = 4;

/// The three levels, smallest first, by the catalogue's names of levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AreaLevel {
    /// 小区
    Estate,
    /// 社区
    Community,
    /// 片区
    District,
}

impl AreaLevel {
    /// All levels, largest first, so that every parent comes before what it holds.
    pub const ALL: [Self; 3] = [Self::District, Self::Community, Self::Estate];

    /// The catalogue's name of the level.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Estate => "estate",
            Self::Community => "community",
            Self::District => "district",
        }
    }

    const fn name_zh(self) -> &'static str {
        match self {
            Self::Estate => "小区",
            Self::Community => "社区",
            Self::District => "片区",
        }
    }

    /// Junctions along a side.
    const fn side(self) -> usize {
        match self {
            Self::Estate => ESTATE,
            Self::Community => ESTATE * ESTATES,
            Self::District => ESTATE * ESTATES * COMMUNITIES,
        }
    }
}

/// An area, its outline, and who lives in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Area {
    /// Id; that of its parent is its beginning.
    pub id: String,
    /// Level.
    pub level: AreaLevel,
    /// Id of the area above.
    pub parent: Option<String>,
    /// Name.
    pub name: String,
    /// Twelve digits like those of the national code; no province has the number 99.
    pub code: String,
    /// The square of the lattice that it is, by row and column of squares of this size.
    pub square: (usize, usize),
    /// Buildings of homes.
    pub buildings: u32,
    /// Households.
    pub households: u32,
    /// People.
    pub people: [u32; 8],
}

/// All areas that hold a junction, districts first.
#[derive(Debug, Clone)]
pub struct Communities {
    /// The areas.
    pub areas: Vec<Area>,
    position: BTreeMap<(AreaLevel, usize, usize), usize>,
    columns: usize,
}

impl Communities {
    /// Divide the city, and count its people.
    pub fn new(lattice: &Lattice, buildings: &[Building], chance: Chance) -> Self {
        let mut new = Self { areas: vec![], position: BTreeMap::new(), columns: lattice.columns };
        let mut squares: BTreeSet<(AreaLevel, usize, usize)> = BTreeSet::new();
        for &point in &lattice.point {
            for level in AreaLevel::ALL {
                let (row, column) = new.square(point as usize, level);
                squares.insert((level, row, column));
            }
        }
        for level in AreaLevel::ALL {
            let of_level = squares.iter().filter(|(other, ..)| *other == level);
            for (number, &(_, row, column)) in of_level.enumerate() {
                new.add(level, (row, column), number, chance);
            }
        }
        for building in buildings {
            for level in AreaLevel::ALL {
                let at = new.of_point(building.mesh, level);
                new.areas[at].count(building);
            }
        }
        new
    }

    fn add(&mut self, level: AreaLevel, (row, column): (usize, usize), number: usize, chance: Chance) {
        let parent = match level {
            AreaLevel::District => None,
            AreaLevel::Community => Some((AreaLevel::District, COMMUNITIES)),
            AreaLevel::Estate => Some((AreaLevel::Community, ESTATES)),
        };
        let above = parent.map(|(level, side)| {
            let at = self.position[&(level, row / side, column / side)];
            (&self.areas[at], row % side * side + column % side + 1)
        });
        let id = match above {
            None => format!("S{:04}", number + 1),
            Some((above, part)) => format!("{}{part:02}", above.id),
        };
        let name = names::name(chance, NAMES + level as u64, number as u64);
        let area = Area {
            code: format!("99{:0<10}", &id[1..]),
            parent: above.map(|(above, _)| above.id.clone()),
            id,
            level,
            name: format!("{name}{}", level.name_zh()),
            square: (row, column),
            buildings: 0,
            households: 0,
            people: [0; 8],
        };
        self.position.insert((level, row, column), self.areas.len());
        self.areas.push(area);
    }

    fn square(&self, point: usize, level: AreaLevel) -> (usize, usize) {
        // Points on the last row and column belong to the squares before them.
        let last = self.columns - 2;
        let (row, column) = (point / self.columns, point % self.columns);
        (row.min(last) / level.side(), column.min(last) / level.side())
    }

    /// Position of the area of a level that holds a point or mesh.
    pub fn of_point(&self, point: usize, level: AreaLevel) -> usize {
        let (row, column) = self.square(point, level);
        self.position[&(level, row, column)]
    }

    /// The outline of an area, degrees: through every point of the lattice on its border, so that neighbours, parents and
    /// children share their corners and leave no gap.
    pub fn outline(&self, area: &Area, lattice: &Lattice) -> MultiPolygon {
        let last = self.columns - 1;
        let side = area.level.side();
        let (south, west) = (area.square.0 * side, area.square.1 * side);
        let (north, east) = ((south + side).min(last), (west + side).min(last));
        let mut border: Vec<(usize, usize)> = (west..east).map(|column| (south, column)).collect();
        border.extend((south..north).map(|row| (row, east)));
        border.extend((west + 1..=east).rev().map(|column| (north, column)));
        border.extend((south + 1..=north).rev().map(|row| (row, west)));
        border.extend(border.first().copied());
        let corner = |(row, column): (usize, usize)| {
            let place = lattice.place(lattice.at(row * self.columns + column));
            geo::Coord { x: place.lon(), y: place.lat() }
        };
        let ring: LineString = border.into_iter().map(corner).collect();
        MultiPolygon::new(vec![Polygon::new(ring, vec![])])
    }
}

impl Area {
    fn count(&mut self, building: &Building) {
        self.buildings += 1;
        self.households += building.households;
        self.people[0] += building.people.all;
        for (sum, count) in self.people[1..].iter_mut().zip(building.people.counts()) {
            *sum += count;
        }
    }

    /// The names of [`Area::people`].
    pub fn people_columns() -> impl Iterator<Item = &'static str> {
        std::iter::once("people").chain(People::GROUPS)
    }
}
