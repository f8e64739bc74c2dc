//! Who lives, and what stands, on pieces of the network that one cannot leave on foot.

use super::doors::Walk;
use crate::model::error::Result;
use crate::model::facility::Facilities;
use crate::model::island::Island;
use crate::model::place::Spot;
use crate::model::progress::Progress;
use crate::network::components;
use crate::network::snap::{self, Joining};

/// The pieces of a profile's network, the longest first, and on which of them everybody lives and everything stands.
#[derive(Debug)]
pub struct Inhabited {
    /// The pieces.
    pub pieces: Vec<Island>,
    /// The piece of each home, whether places are joined there or past it; none where no street is near.
    pub home: Vec<Option<u32>>,
    /// The piece of each facility.
    pub facility: Vec<Option<u32>>,
}

/// Find the pieces, and who is on them.
///
/// # Errors
/// [`crate::model::error::Error::Cancelled`] when the user stopped.
pub fn on_pieces(
    walk: &Walk<'_>,
    homes: &[Spot],
    facilities: Option<&Facilities>,
    progress: &Progress,
) -> Result<Inhabited> {
    let (pieces, piece_of) = components::islands(walk.network, &walk.times);
    let home = pieces_of(walk, &piece_of, homes, progress)?;
    let facility = match facilities {
        Some(facilities) => pieces_of(walk, &piece_of, &facilities.place, progress)?,
        None => Vec::new(),
    };
    Ok(Inhabited { pieces, home, facility })
}

/// The piece of the street that is nearest to each place.
///
/// # Errors
/// [`crate::model::error::Error::Cancelled`] when the user stopped.
pub fn pieces_of(
    walk: &Walk<'_>,
    piece_of_node: &[Option<u32>],
    places: &[impl Into<Spot> + Copy + Sync],
    progress: &Progress,
) -> Result<Vec<Option<u32>>> {
    let (times, limit_m) = (&walk.times, walk.max_snap_m());
    let joining = Joining { times, closed: None, limit_m, public: false, islands: true };
    let piece = |snap: snap::Snap| {
        let edge = snap.anchor?.edge as usize;
        piece_of_node[walk.network.edges.from[edge] as usize]
    };
    Ok(snap::snap(walk.network, joining, places, progress)?.into_iter().map(piece).collect())
}

/// The pieces of a profile's network, the longest first, with the people and facilities whose nearest street is on each,
/// whether places are joined there or past it.
///
/// # Errors
/// [`crate::model::error::Error::Cancelled`] when the user stopped.
pub fn inhabited(
    walk: &Walk<'_>,
    homes: &[Spot],
    people: &[f64],
    facilities: Option<&Facilities>,
    progress: &Progress,
) -> Result<Vec<Island>> {
    let Inhabited { pieces: mut found, home, facility } = on_pieces(walk, homes, facilities, progress)?;
    for (piece, people) in home.iter().zip(people).filter_map(|(piece, people)| Some(((*piece)?, people))) {
        found[piece as usize].people += people;
    }
    for piece in facility.into_iter().flatten() {
        found[piece as usize].facilities += 1;
    }
    Ok(found)
}
