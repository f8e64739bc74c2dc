//! Degrees as people write them: `106.55`, `106,55`, `106°33′5.8″E`, `东经106度33分5.8秒`.

/// An axis of longitude and latitude.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Axis {
    /// East and west.
    Lon,
    /// North and south.
    Lat,
}

/// The number of degrees that a text states in degrees, minutes and seconds; `None` where it states none, or names the
/// other axis.
pub fn parse(text: &str, axis: Axis) -> Option<f64> {
    let mut sign: Option<f64> = None;
    let mut numbers: Vec<f64> = Vec::new();
    let mut units: Vec<Unit> = Vec::new();
    let mut digits = String::new();
    let mut letters = text.trim().chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '0'..='9' | '.' => digits.push(letter),
            '-' if digits.is_empty() && numbers.is_empty() && sign.is_none() => sign = Some(-1.0),
            ' ' | '\u{3000}' | '经' | '纬' => {}
            _ => {
                if let Some(half) = half(letter, axis) {
                    // A sign beside a letter of the compass, or two letters, could mean either.
                    if sign.replace(half?).is_some() {
                        return None;
                    }
                    continue;
                }
                // Two apostrophes are seconds.
                let twice = letter == '\'' && letters.next_if_eq(&'\'').is_some();
                units.push(if twice { Unit::Second } else { unit(letter)? });
                numbers.push(std::mem::take(&mut digits).parse().ok()?);
            }
        }
    }
    if !digits.is_empty() {
        return None;
    }
    degrees(&units, &numbers).map(|degrees| sign.unwrap_or(1.0) * degrees)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Degree,
    Minute,
    Second,
}

fn unit(letter: char) -> Option<Unit> {
    match letter {
        '°' | '度' | 'º' => Some(Unit::Degree),
        '′' | '\'' | '’' | '分' => Some(Unit::Minute),
        '″' | '"' | '”' | '秒' => Some(Unit::Second),
        _ => None,
    }
}

/// For a letter of the compass: the sign that it gives, or `None` inside when it belongs to the other axis.
#[expect(
    clippy::option_option,
    reason = "no letter, a letter of the other axis, and a sign are three things"
)]
fn half(letter: char, axis: Axis) -> Option<Option<f64>> {
    let (of, sign) = match letter {
        'E' | 'e' | '东' => (Axis::Lon, 1.0),
        'W' | 'w' | '西' => (Axis::Lon, -1.0),
        'N' | 'n' | '北' => (Axis::Lat, 1.0),
        'S' | 's' | '南' => (Axis::Lat, -1.0),
        _ => return None,
    };
    Some((of == axis).then_some(sign))
}

fn degrees(units: &[Unit], numbers: &[f64]) -> Option<f64> {
    let wanted = [Unit::Degree, Unit::Minute, Unit::Second];
    if units.is_empty()
        || units != wanted.get(..units.len())?
        || numbers[1..].iter().any(|&part| part >= 60.0)
    {
        return None;
    }
    Some(numbers.iter().zip([1.0, 60.0, 3600.0]).map(|(number, parts)| number / parts).sum())
}

#[cfg(test)]
mod tests {
    use super::{Axis, parse};

    #[test]
    fn degrees_minutes_and_seconds_are_read_as_people_write_them() {
        let wanted = 106.0 + 33.0 / 60.0 + 5.8 / 3600.0;
        for text in [
            "106°33′5.8″",
            "106°33'5.8\"E",
            "E106°33'5.8''",
            "106度33分5.8秒",
            "东经106度33分5.8秒",
            " 106° 33′ 5.8″ e ",
        ] {
            let found = parse(text, Axis::Lon).unwrap_or_else(|| panic!("{text}"));
            assert!((found - wanted).abs() < 1e-12, "{text}: {found}");
        }
        assert_eq!(parse("北纬29度30分", Axis::Lat), Some(29.5));
        assert_eq!(parse("30°15′S", Axis::Lat), Some(-30.25));
        assert_eq!(parse("-51°30′", Axis::Lon), Some(-51.5));
    }

    #[test]
    fn what_is_no_angle_of_the_axis_is_none() {
        for text in [
            "",
            "106",
            "106°60′",
            "106′",
            "33′106°",
            "29°33′N",
            "106°33",
            "about 106°",
            "°",
            "--1°",
            "-106°W",
            "E106°W",
        ] {
            assert_eq!(parse(text, Axis::Lon), None, "{text}");
        }
    }
}
