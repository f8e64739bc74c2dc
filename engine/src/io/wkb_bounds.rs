//! A look at WKB before it is decoded: every count is held against the bytes that are there, and geometries may lie inside
//! each other only so deep (OGC 06-103r4, part 8; the flags of extended WKB as `PostGIS` writes it).

use crate::model::limits::Amount;

/// Codes of the plain types.
const POINT: u32 = 1;
const LINE: u32 = 2;
const POLYGON: u32 = 3;
const MULTI_POINT: u32 = 4;
const COLLECTION: u32 = 7;

/// Flags of extended WKB.
const HAS_Z: u32 = 0x8000_0000;
const HAS_M: u32 = 0x4000_0000;
const HAS_SRID: u32 = 0x2000_0000;

/// Why some bytes are no WKB; `None` when they can be decoded.
pub fn fault(bytes: &[u8]) -> Option<String> {
    let mut rest = bytes;
    match geometry(&mut rest, 0) {
        Err(why) => Some(why.to_owned()),
        Ok(()) if !rest.is_empty() => Some("bytes follow its end".to_owned()),
        Ok(()) => None,
    }
}

type Checked<T> = Result<T, &'static str>;

const ENDS: &str = "it ends too early";

fn geometry(bytes: &mut &[u8], depth: u64) -> Checked<()> {
    if depth > Amount::WkbDepth.most() {
        return Err("geometries lie too deep inside each other");
    }
    let little = match take(bytes, 1)? {
        [0] => false,
        [1] => true,
        _ => return Err("its order of bytes is unknown"),
    };
    let code = number(bytes, little)?;
    if code & HAS_SRID != 0 {
        take(bytes, 4)?;
    }
    let plain = code & !(HAS_Z | HAS_M | HAS_SRID);
    let iso = plain / 1000;
    if iso > 3 {
        return Err("its type is unknown");
    }
    let extra = u64::from(code & HAS_Z != 0) + u64::from(code & HAS_M != 0);
    let numbers = 2 + extra + [0, 1, 1, 2][iso as usize];
    match plain % 1000 {
        POINT => coordinates(bytes, little, numbers, 1, true),
        LINE => line(bytes, little, numbers),
        POLYGON => {
            for _ in 0..count(bytes, little, 4)? {
                line(bytes, little, numbers)?;
            }
            Ok(())
        }
        MULTI_POINT..=COLLECTION => {
            for _ in 0..count(bytes, little, 9)? {
                geometry(bytes, depth + 1)?;
            }
            Ok(())
        }
        _ => Err("its type is unknown"),
    }
}

fn line(bytes: &mut &[u8], little: bool, numbers: u64) -> Checked<()> {
    let points = count(bytes, little, numbers * 8)?;
    coordinates(bytes, little, numbers, points, false)
}

/// A point without a place is one of NaN: the only coordinates that may be.
fn coordinates(
    bytes: &mut &[u8],
    little: bool,
    numbers: u64,
    points: u64,
    may_be_empty: bool,
) -> Checked<()> {
    for _ in 0..points {
        let point = take(bytes, numbers * 8)?;
        let value = |at: usize| {
            let bytes = point[at * 8..at * 8 + 8].try_into().unwrap_or_default();
            if little { f64::from_le_bytes(bytes) } else { f64::from_be_bytes(bytes) }
        };
        let (x, y) = (value(0), value(1));
        let empty = may_be_empty && x.is_nan() && y.is_nan();
        if !(empty || x.is_finite() && y.is_finite()) {
            return Err("a coordinate is no number");
        }
    }
    Ok(())
}

/// A count of parts, each of at least so many bytes.
fn count(bytes: &mut &[u8], little: bool, least: u64) -> Checked<u64> {
    let count = u64::from(number(bytes, little)?);
    if count * least > bytes.len() as u64 { Err("it counts more parts than it has") } else { Ok(count) }
}

fn number(bytes: &mut &[u8], little: bool) -> Checked<u32> {
    let bytes = take(bytes, 4)?.try_into().map_err(|_| ENDS)?;
    Ok(if little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
}

fn take<'a>(bytes: &mut &'a [u8], length: u64) -> Checked<&'a [u8]> {
    let (taken, rest) =
        usize::try_from(length).ok().and_then(|length| bytes.split_at_checked(length)).ok_or(ENDS)?;
    *bytes = rest;
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use super::fault;
    use geo::{Geometry, LineString, MultiPolygon, Point, polygon};

    fn encoded(geometry: impl Into<Geometry>) -> Vec<u8> {
        let mut bytes = Vec::new();
        wkb::writer::write_geometry(&mut bytes, &geometry.into(), &wkb::writer::WriteOptions::default())
            .unwrap();
        bytes
    }

    #[test]
    fn what_a_writer_writes_is_sound_and_cut_off_anywhere_it_is_not() {
        let square = polygon![(x: 0.0, y: 0.0), (x: 1.0, y: 0.0), (x: 1.0, y: 1.0), (x: 0.0, y: 0.0)];
        for geometry in [
            Geometry::from(Point::new(106.5, 29.5)),
            LineString::from(vec![(0.0, 0.0), (1.0, 2.0)]).into(),
            square.clone().into(),
            MultiPolygon::new(vec![square.clone(), square]).into(),
        ] {
            let bytes = encoded(geometry);
            assert_eq!(fault(&bytes), None);
            for cut in 0..bytes.len() {
                assert!(fault(&bytes[..cut]).is_some(), "{cut}");
            }
            assert!(fault(&[bytes, vec![0]].concat()).is_some());
        }
    }

    #[test]
    fn counts_beyond_the_bytes_are_told_without_asking_for_memory() {
        for kind in 2..=7_u8 {
            let bomb = [&[1, kind, 0, 0, 0][..], &[0xff; 4], &[0; 64]].concat();
            assert_eq!(fault(&bomb).as_deref(), Some("it counts more parts than it has"), "{kind}");
        }
    }

    #[test]
    fn collections_lie_inside_each_other_only_so_deep() {
        let nested = |depth: usize| {
            let mut bytes = [1, 7, 0, 0, 0, 1, 0, 0, 0].repeat(depth);
            bytes.extend(encoded(Point::new(1.0, 2.0)));
            bytes
        };
        assert_eq!(fault(&nested(32)), None);
        assert!(fault(&nested(33)).unwrap().contains("deep"));
        assert!(fault(&nested(100_000)).unwrap().contains("deep"));
    }

    #[test]
    fn heights_measures_and_empty_geometries_are_sound() {
        let point =
            |code: u32, numbers: usize| [vec![1], code.to_le_bytes().to_vec(), vec![0; numbers * 8]].concat();
        for (code, numbers) in [(1, 2), (1001, 3), (2001, 3), (3001, 4), (0x8000_0001, 3), (0xc000_0001, 4)] {
            assert_eq!(fault(&point(code, numbers)), None, "{code}");
        }
        let empty = [vec![1, 1, 0, 0, 0], [f64::NAN.to_le_bytes(); 2].concat()].concat();
        assert_eq!(fault(&empty), None);
        for kind in 2..=7_u8 {
            assert_eq!(fault(&[1, kind, 0, 0, 0, 0, 0, 0, 0]), None);
        }
        let nowhere = [&[1, 2, 0, 0, 0, 1, 0, 0, 0][..], &f64::NAN.to_le_bytes(), &[0; 8]].concat();
        assert_eq!(fault(&nowhere).as_deref(), Some("a coordinate is no number"));
    }
}
