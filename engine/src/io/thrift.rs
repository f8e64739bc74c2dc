//! The compact protocol of Thrift (<https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md>),
//! as far as a look at Parquet before it is decoded needs it: where values end, and numbers.

/// Structures and lists inside each other; Parquet needs six.
const DEEPEST: usize = 16;

/// Kinds of values.
pub const NUMBER_32: u8 = 5;
pub const LIST: u8 = 9;
pub const SET: u8 = 10;
pub const MAP: u8 = 11;
pub const STRUCT: u8 = 12;

/// Bytes still to be read. Every answer is `None` where they end too early or are none of the protocol.
#[derive(Debug, Clone, Copy)]
pub struct Compact<'a>(pub &'a [u8]);

impl<'a> Compact<'a> {
    fn take(&mut self, length: u64) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(usize::try_from(length).ok()?)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|byte| byte[0])
    }

    fn unsigned(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    /// A number of any width.
    pub fn number(&mut self) -> Option<i64> {
        let number = self.unsigned()?;
        Some((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }

    /// Visit the fields of a structure: number, kind and the bytes that begin with the value.
    ///
    /// What `visit` does with a copy of the bytes does not matter: the value is passed over here.
    pub fn fields(&mut self, mut visit: impl FnMut(i64, u8, Self) -> Option<()>) -> Option<()> {
        self.fields_at(0, &mut visit)
    }

    fn fields_at(&mut self, depth: usize, visit: &mut dyn FnMut(i64, u8, Self) -> Option<()>) -> Option<()> {
        let mut number = 0_i64;
        loop {
            let head = self.byte()?;
            let kind = head & 0x0f;
            if kind == 0 {
                return Some(());
            }
            number = match i64::from(head >> 4) {
                0 => self.number()?,
                step => number.checked_add(step)?,
            };
            visit(number, kind, *self)?;
            self.pass(kind, depth, false)?;
        }
    }

    /// Number of entries of a list and their kind; there cannot be more than bytes.
    pub fn list(&mut self) -> Option<(u64, u8)> {
        let head = self.byte()?;
        let length = match u64::from(head >> 4) {
            15 => self.unsigned()?,
            short => short,
        };
        (length <= self.0.len() as u64).then_some((length, head & 0x0f))
    }

    /// Pass over a value.
    fn pass(&mut self, kind: u8, depth: usize, in_list: bool) -> Option<()> {
        if depth > DEEPEST {
            return None;
        }
        match kind {
            // Whether it is true is said by the kind, but in a list.
            1 | 2 => {
                if in_list {
                    self.byte().map(|_| ())
                } else {
                    Some(())
                }
            }
            3 => self.take(1).map(|_| ()),
            4..=6 => self.unsigned().map(|_| ()),
            7 => self.take(8).map(|_| ()),
            8 => {
                let length = self.unsigned()?;
                self.take(length).map(|_| ())
            }
            LIST | SET => {
                let (length, kind) = self.list()?;
                (0..length).try_for_each(|_| self.pass(kind, depth + 1, true))
            }
            MAP => self.pass_map(depth),
            STRUCT => self.fields_at(depth + 1, &mut |_, _, _| Some(())),
            13 => self.take(16).map(|_| ()),
            _ => None,
        }
    }

    fn pass_map(&mut self, depth: usize) -> Option<()> {
        let length = self.unsigned()?;
        if length == 0 {
            return Some(());
        }
        let kinds = self.byte()?;
        if length > self.0.len() as u64 {
            return None;
        }
        for _ in 0..length {
            self.pass(kinds >> 4, depth + 1, true)?;
            self.pass(kinds & 0x0f, depth + 1, true)?;
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::Compact;

    #[test]
    fn numbers_and_fields_are_what_the_protocol_says() {
        // Field 1, an i32 of 150 (zigzag 300); field 3, a binary of two bytes; the end; one byte more.
        let mut bytes = Compact(&[0x15, 0xac, 0x02, 0x28, 0x02, b'h', b'i', 0x00, 0xff]);
        let mut seen = Vec::new();
        bytes.fields(|number, kind, mut value| {
            seen.push((number, kind, if kind == super::NUMBER_32 { value.number()? } else { 0 }));
            Some(())
        });
        assert_eq!(seen, [(1, 5, 150), (3, 8, 0)]);
        assert_eq!(bytes.0, [0xff]);
    }

    #[test]
    fn a_list_of_more_entries_than_bytes_is_none() {
        // Field 1, a list of 2^31 - 1 structures.
        let bomb = [0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07, 0x00, 0x00];
        assert!(Compact(&bomb).fields(|_, _, _| Some(())).is_none());
    }

    #[test]
    fn structures_without_end_are_none() {
        assert!(Compact(&[0x1c; 1000]).fields(|_, _, _| Some(())).is_none());
    }
}
