//! Estates behind a wall: their ways are private, and gates lead in.

use super::chance::{Chance, Purpose};
use super::lattice::{ESTATE, Lattice, NONE};

/// Share of the fully built tiles that are walled.
const WALLED: f64 = 0.22;

/// Which tiles of the lattice are walled estates. The streets around a tile belong to the city.
pub struct Estates {
    tiles: usize,
    walled: Vec<bool>,
}

impl Estates {
    /// Choose among the tiles on which every point is built.
    pub fn new(lattice: &Lattice, chance: Chance) -> Self {
        let tiles = lattice.columns / ESTATE;
        let built = |tile: usize| {
            let (row, column) = (tile / tiles * ESTATE, tile % tiles * ESTATE);
            let mut points = (0..=ESTATE).flat_map(|north| (0..=ESTATE).map(move |east| (north, east)));
            points.all(|(north, east)| {
                let point = (row + north) * lattice.columns + column + east;
                lattice.junction[point] != NONE && !lattice.terrain.on_islet(lattice.at(point))
            })
        };
        let choose = |tile| chance.of(Purpose::Estate, tile as u64).happens(WALLED) && built(tile);
        Self { tiles, walled: (0..tiles * tiles).map(choose).collect() }
    }

    /// The walled estate that a point lies inside of, as the number of its tile.
    pub fn of_point(&self, columns: usize, point: usize) -> Option<usize> {
        let (row, column) = (point / columns, point % columns);
        if row % ESTATE == 0 || column % ESTATE == 0 {
            return None;
        }
        self.of_mesh(columns, point)
    }

    /// The walled estate that a mesh lies in, as the number of its tile.
    pub fn of_mesh(&self, columns: usize, point: usize) -> Option<usize> {
        let (row, column) = (point / columns / ESTATE, point % columns / ESTATE);
        let tile = row * self.tiles + column;
        (row < self.tiles && column < self.tiles && self.walled[tile]).then_some(tile)
    }

    /// The walled tiles.
    pub fn walled(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.walled.len()).filter(|&tile| self.walled[tile])
    }

    /// The wall of an estate, anticlockwise from its south-west corner: each of its posts by the mesh that it stands in,
    /// and the street that passes through it (outer and inner point) where one may.
    pub fn wall(&self, lattice: &Lattice, tile: usize) -> Vec<Post> {
        let columns = lattice.columns;
        let start = tile / self.tiles * ESTATE * columns + tile % self.tiles * ESTATE;
        let at = |east: usize, north: usize| start + north * columns + east;
        let last = ESTATE - 1;
        let corner = |east: usize, north: usize, shares: [f64; 2]| Post::Corner(at(east, north), shares);
        let street = |outer: [usize; 2], inner: [usize; 2]| {
            Post::Street(at(outer[0], outer[1]), at(inner[0], inner[1]))
        };
        let mut posts = vec![corner(0, 0, [SETBACK, SETBACK])];
        posts.extend((1..ESTATE).map(|east| street([east, 0], [east, 1])));
        posts.push(corner(last, 0, [1.0 - SETBACK, SETBACK]));
        posts.extend((1..ESTATE).map(|north| street([ESTATE, north], [last, north])));
        posts.push(corner(last, last, [1.0 - SETBACK, 1.0 - SETBACK]));
        posts.extend((1..ESTATE).rev().map(|east| street([east, ESTATE], [east, last])));
        posts.push(corner(0, last, [SETBACK, 1.0 - SETBACK]));
        posts.extend((1..ESTATE).rev().map(|north| street([0, north], [1, north])));
        posts
    }
}

/// A wall stands this share of a mesh from the street outside.
pub const SETBACK: f64 = 0.25;

/// A post of a wall.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Post {
    /// In a mesh, by its shares east and north.
    Corner(usize, [f64; 2]),
    /// On the line from a point outside to one inside, where a gate may be.
    Street(usize, usize),
}
