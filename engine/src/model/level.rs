//! Floors: the `level` of ways and places in buildings, stations and footbridges.

/// A floor, kept in tenths because half floors exist; 0 is the street.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Level(pub i16);

/// Most floors that a range such as `0-40` may name; more is a slip of the pen.
const LONGEST_RANGE: i32 = 200;

impl Level {
    /// The street.
    pub const GROUND: Self = Self(0);

    /// The level of this number, or `None` when it is none (±3000 floors).
    pub fn from_number(number: f64) -> Option<Self> {
        (number.abs() <= 3000.0).then(|| Self((number * 10.0).round() as i16))
    }

    /// How many floors lie between two levels.
    pub fn floors_to(self, other: Self) -> f32 {
        f32::from(self.0.abs_diff(other.0)) / 10.0
    }

    /// The levels that a tag names (`0`, `-1;0`, `0-3`, `-3--1`), sorted; what is no number is passed over.
    ///
    /// Source: OpenStreetMap wiki, "Key:level".
    pub fn parse_list(text: &str) -> Vec<Self> {
        let mut levels: Vec<Self> = text.split([';', ',']).flat_map(|part| range(part.trim())).collect();
        levels.sort_unstable();
        levels.dedup();
        levels
    }

    /// The level so many tenths of a floor higher.
    pub fn shifted(self, tenths: i16) -> Option<Self> {
        self.0.checked_add(tenths).map(Self)
    }
}

fn range(text: &str) -> Vec<Level> {
    if let Ok(number) = text.parse::<f64>() {
        return Level::from_number(number).into_iter().collect();
    }
    let dash = text.char_indices().skip(1).find(|(_, letter)| *letter == '-').map(|(at, _)| at);
    let ends = dash.map(|at| (text[..at].trim().parse::<i32>(), text[at + 1..].trim().parse::<i32>()));
    match ends {
        Some((Ok(low), Ok(high))) if (0..=LONGEST_RANGE).contains(&high.saturating_sub(low)) => {
            (low..=high).filter_map(|number| Level::from_number(f64::from(number))).collect()
        }
        _ => vec![],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_numbers_lists_and_ranges() {
        let tenths = |text| Level::parse_list(text).into_iter().map(|level| level.0).collect::<Vec<_>>();
        assert_eq!(tenths("0"), [0]);
        assert_eq!(tenths("0;-1"), [-10, 0]);
        assert_eq!(tenths("-0.5"), [-5]);
        assert_eq!(tenths("0-2"), [0, 10, 20]);
        assert_eq!(tenths("-3--1"), [-30, -20, -10]);
        assert_eq!(tenths("-1;-3;-4;-1"), [-40, -30, -10]);
        assert!(tenths("G").is_empty() && tenths("").is_empty() && tenths("0-99999999").is_empty());
    }
}
