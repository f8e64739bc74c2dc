//! The wire format of protocol buffers, as far as OSM PBF uses it
//! (<https://protobuf.dev/programming-guides/encoding>): every length is checked against the bytes that are there.

use crate::model::damage::Damage;

/// The result of decoding.
pub type Decoded<T> = Result<T, Damage>;

/// The value of a field.
#[derive(Debug, Clone, Copy)]
pub enum Value<'a> {
    /// A number, still without meaning: plain, signed or zigzag.
    Number(u64),
    /// Text, a message or packed numbers.
    Bytes(&'a [u8]),
    /// Four or eight bytes, which OSM PBF uses nowhere.
    Fixed,
}

impl<'a> Value<'a> {
    /// The number of the field.
    pub fn number(self) -> Decoded<u64> {
        if let Self::Number(number) = self { Ok(number) } else { Err(Damage::FieldKind) }
    }

    /// The bytes of the field.
    pub fn bytes(self) -> Decoded<&'a [u8]> {
        if let Self::Bytes(bytes) = self { Ok(bytes) } else { Err(Damage::FieldKind) }
    }

    /// The bytes of a field that may come once.
    ///
    /// The format lets packed numbers come in pieces; no writer does so, and the pieces would have to be joined.
    pub fn only(self, earlier: &mut &'a [u8]) -> Decoded<()> {
        let bytes = self.bytes()?;
        if !earlier.is_empty() {
            return Err(Damage::RepeatedField);
        }
        *earlier = bytes;
        Ok(())
    }
}

/// The fields of a message, in their order.
#[derive(Debug, Clone)]
pub struct Fields<'a>(pub &'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = Decoded<(u64, Value<'a>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = field(&mut self.0);
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}

fn field<'a>(bytes: &mut &'a [u8]) -> Decoded<(u64, Value<'a>)> {
    let key = varint(bytes)?;
    let value = match key & 7 {
        0 => Value::Number(varint(bytes)?),
        1 => take(bytes, 8).map(|_| Value::Fixed)?,
        2 => {
            let length = varint(bytes)?;
            Value::Bytes(take(bytes, length)?)
        }
        5 => take(bytes, 4).map(|_| Value::Fixed)?,
        _ => return Err(Damage::FieldKind),
    };
    Ok((key >> 3, value))
}

fn take<'a>(bytes: &mut &'a [u8], length: u64) -> Decoded<&'a [u8]> {
    let taken = usize::try_from(length).ok().and_then(|length| bytes.split_at_checked(length));
    let (taken, rest) = taken.ok_or(Damage::FieldTooLong)?;
    *bytes = rest;
    Ok(taken)
}

/// Seven bits a byte, the lowest first; the top bit says that more follow.
pub fn varint(bytes: &mut &[u8]) -> Decoded<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first().ok_or(Damage::FieldTooLong)?;
        *bytes = rest;
        let bits = u64::from(byte & 0x7f);
        if shift == 63 && byte > 1 {
            break;
        }
        value |= bits << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err(Damage::NumberTooLong)
}

/// The sign of a zigzag number is its lowest bit.
pub const fn zigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

/// Packed numbers.
#[derive(Debug, Clone)]
pub struct Packed<'a>(pub &'a [u8]);

impl Packed<'_> {
    /// How many there are: each ends with a byte without the top bit.
    pub fn count(self) -> usize {
        self.0.iter().filter(|&&byte| byte < 0x80).count()
    }

    /// The sums of zigzag differences.
    pub fn sums(self) -> impl Iterator<Item = Decoded<i64>> {
        let mut sum = 0_i64;
        self.map(move |difference| {
            sum = sum.checked_add(zigzag(difference?)).ok_or(Damage::Overflow)?;
            Ok(sum)
        })
    }
}

impl Iterator for Packed<'_> {
    type Item = Decoded<u64>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let number = varint(&mut self.0);
        if number.is_err() {
            self.0 = &[];
        }
        Some(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_what_the_format_says() {
        // The example of the format's own page: 150 is 96 01.
        assert_eq!(varint(&mut &[0x96, 0x01][..]), Ok(150));
        let largest = [[0xff; 9].as_slice(), &[0x01]].concat();
        assert_eq!(varint(&mut largest.as_slice()), Ok(u64::MAX));
        for (number, signed) in [(0, 0), (1, -1), (2, 1), (u64::MAX, i64::MIN), (u64::MAX - 1, i64::MAX)] {
            assert_eq!(zigzag(number), signed);
        }
    }

    #[test]
    fn a_number_that_does_not_end_or_does_not_fit_is_damage() {
        assert_eq!(varint(&mut &[0x80, 0x80][..]), Err(Damage::FieldTooLong));
        assert_eq!(varint(&mut &[0x80; 11][..]), Err(Damage::NumberTooLong));
        let too_large = [[0xff; 9].as_slice(), &[0x02]].concat();
        assert_eq!(varint(&mut too_large.as_slice()), Err(Damage::NumberTooLong));
    }

    #[test]
    fn a_field_longer_than_its_message_is_damage() {
        for bytes in [&[0x0a, 0x05, 0x00][..], &[0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f], &[0x09, 0x00]] {
            assert_eq!(Fields(bytes).next().map(|field| field.map(|_| ())), Some(Err(Damage::FieldTooLong)));
        }
        assert!(matches!(Fields(&[0x0b]).next(), Some(Err(Damage::FieldKind))));
    }

    #[test]
    fn differences_that_add_up_beyond_the_number_are_damage() {
        // i64::MAX as a difference, twice.
        let most = [[0xfe].as_slice(), &[0xff; 8], &[0x01]].concat();
        let sums: Vec<_> = Packed(&most.repeat(2)).sums().collect();
        assert_eq!(sums, [Ok(i64::MAX), Err(Damage::Overflow)]);
    }
}
