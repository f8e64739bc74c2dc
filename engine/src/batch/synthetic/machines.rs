//! Lifts and escalators, each beside the stairs that it spares.

use super::chance::{Chance, Purpose};
use super::streets::{STEP_M, Street};

/// Share of the longer stairs that have a lift, and that have an escalator.
const SHARE: f64 = 0.02;
/// Stairs of fewer steps than this are walked, unless there are no longer ones.
const LONG: i16 = 30;

/// A machine beside the stairs of a street.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Machine {
    /// Position of the stairs among the streets.
    pub street: usize,
    /// What it is.
    pub kind: MachineKind,
}

/// What carries people uphill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MachineKind {
    /// A moving stair, upwards only.
    Escalator,
    /// A cabin on the slope, drawn as a way.
    InclinedLift,
    /// A tower and a footbridge from its upper floor to the street above.
    Lift {
        /// How many floors higher.
        floors: u16,
    },
}

/// Choose the stairs that have a machine; a city has at least one of each kind if it has stairs enough.
pub fn place(streets: &[Street], chance: Chance) -> Vec<Machine> {
    let steps = |street: usize| streets[street].kind.public_steps().map_or(0, i16::abs);
    let mut stairs: Vec<usize> = (0..streets.len()).filter(|&street| steps(street) > 1).collect();
    let long = stairs.iter().filter(|&&street| steps(street) >= LONG).count();
    if long >= 3 {
        stairs.retain(|&street| steps(street) >= LONG);
    }
    stairs.sort_by_cached_key(|&street| (chance.of(Purpose::Machine, street as u64).bits(), street));
    let each = ((stairs.len() as f64 * SHARE) as usize).max(1);
    let lift = |street: usize| {
        let floors = (f64::from(steps(street)) * STEP_M / 3.5).round().max(1.0) as u16;
        MachineKind::Lift { floors }
    };
    let kind = |(at, street): (usize, usize)| match at / each {
        0 => Machine { street, kind: MachineKind::Escalator },
        1 => Machine { street, kind: MachineKind::InclinedLift },
        _ => Machine { street, kind: lift(street) },
    };
    let mut machines: Vec<Machine> = stairs.into_iter().take(3 * each).enumerate().map(kind).collect();
    machines.sort_by_key(|machine| machine.street);
    machines
}
