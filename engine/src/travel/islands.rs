//! Who lives, and what stands, on pieces of the network that one cannot leave on foot.

use super::doors::Walk;
use crate::model::error::Result;
use crate::model::facility::Facilities;
use crate::model::island::Island;
use crate::model::place::Spot;
use crate::model::progress::Progress;
use crate::network::components;
use crate::network::snap::{self, Joining};

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
    let network = walk.network;
    let (mut found, piece_of) = components::islands(network, &walk.times);
    let (times, limit_m) = (&walk.times, walk.max_snap_m());
    let joining = Joining { times, closed: None, limit_m, public: false, islands: true };
    let piece = |snap: &snap::Snap| {
        let edge = snap.anchor?.edge as usize;
        piece_of[network.edges.from[edge] as usize].map(|piece| piece as usize)
    };
    for (snap, people) in snap::snap(network, joining, homes, progress)?.iter().zip(people) {
        if let Some(piece) = piece(snap) {
            found[piece].people += people;
        }
    }
    if let Some(facilities) = facilities {
        for snap in snap::snap(network, joining, &facilities.place, progress)? {
            if let Some(piece) = piece(&snap) {
                found[piece].facilities += 1;
            }
        }
    }
    Ok(found)
}
