//! The encoding of delimited text: what its first bytes state, else what its bytes can only be.

use crate::model::problem::Fault;
use encoding_rs::{Encoding, GB18030, UTF_8, UTF_16BE, UTF_16LE};
use std::borrow::Cow;

/// Among texts of two-byte characters, at least this share must lie where GB 2312 has its characters: Latin letters with
/// accents, read as GB 18030, are characters too, but nearly all elsewhere (own threshold; plain Chinese is above 0.99).
const LEAST_COMMON: f64 = 0.9;

/// Text of a file, and the name of its encoding where that was guessed.
///
/// # Errors
/// A fault when the bytes are neither Unicode nor Chinese of the GB family.
pub fn decode(bytes: &[u8]) -> Result<(Cow<'_, str>, Option<&'static str>), Fault> {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return Ok((strictly(encoding, &bytes[mark..])?, None));
    }
    if let Some(encoding) = utf16_without_mark(bytes) {
        return Ok((strictly(encoding, bytes)?, Some(encoding.name())));
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Ok((Cow::Borrowed(text), None));
    }
    if is_gb(bytes)
        && let Some(text) = GB18030.decode_without_bom_handling_and_without_replacement(bytes)
    {
        return Ok((text, Some("GB18030")));
    }
    Err(Fault::UnknownEncoding)
}

fn strictly<'a>(encoding: &'static Encoding, bytes: &'a [u8]) -> Result<Cow<'a, str>, Fault> {
    if encoding == UTF_8 {
        return std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|_| Fault::UnknownEncoding);
    }
    encoding.decode_without_bom_handling_and_without_replacement(bytes).ok_or(Fault::UnknownEncoding)
}

/// UTF-16 text that begins with ASCII has a zero beside each of its first letters.
fn utf16_without_mark(bytes: &[u8]) -> Option<&'static Encoding> {
    match bytes {
        [a, 0, b, 0, ..] if a.is_ascii() && b.is_ascii() && *a != 0 => Some(UTF_16LE),
        [0, a, 0, b, ..] if a.is_ascii() && b.is_ascii() && *a != 0 => Some(UTF_16BE),
        _ => None,
    }
}

/// Whether bytes beyond ASCII can only be Chinese of the GB family.
pub fn is_gb(bytes: &[u8]) -> bool {
    common_share(bytes) >= LEAST_COMMON
}

/// Of the two-byte characters, the share whose bytes both lie where GB 2312 has characters.
fn common_share(bytes: &[u8]) -> f64 {
    let (mut all, mut common, mut at) = (0_u64, 0_u64, 0);
    while at + 1 < bytes.len() {
        if bytes[at].is_ascii() {
            at += 1;
            continue;
        }
        all += 1;
        common += u64::from((0xA1..=0xF7).contains(&bytes[at]) && bytes[at + 1] >= 0xA1);
        at += 2;
    }
    if all == 0 { 0.0 } else { common as f64 / all as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes from Python 3.11: `"编号,名称\n1,重庆".encode(name)`.
    #[test]
    fn chinese_is_read_in_each_of_its_encodings() {
        let text = "编号,名称\n1,重庆";
        let gb = b"\xb1\xe0\xba\xc5,\xc3\xfb\xb3\xc6\n1,\xd6\xd8\xc7\xec";
        assert_eq!(decode(gb).unwrap(), (Cow::Borrowed(text), Some("GB18030")));
        assert_eq!(decode(text.as_bytes()).unwrap(), (Cow::Borrowed(text), None));
        let marked = [b"\xef\xbb\xbf", text.as_bytes()].concat();
        assert_eq!(decode(&marked).unwrap().0, text);
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(decode(&[b"\xff\xfe", &little[..]].concat()).unwrap().0, text);
        assert_eq!(decode(&[b"\xfe\xff", &big[..]].concat()).unwrap().0, text);
        let plain: Vec<u8> = "id,名".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(decode(&plain).unwrap(), (Cow::Borrowed("id,名"), Some("UTF-16LE")));
    }

    /// A rare character that only GB 18030 has, in four bytes: `"𠮷".encode("gb18030")`.
    #[test]
    fn four_byte_characters_are_read() {
        let gb = [&b"\xd6\xd8\xc7\xec\xbd\xad\xb1\xb1"[..], &[b"\xb1\xb1\xbe\xa9".as_slice(); 10].concat()]
            .concat();
        let gb = [gb.as_slice(), b"\x95\x32\xaf\x32"].concat();
        let (text, encoding) = decode(&gb).unwrap();
        assert!(text.starts_with("重庆江北") && encoding == Some("GB18030"), "{text}");
    }

    #[test]
    fn latin_letters_with_accents_are_not_taken_for_chinese() {
        // "Käpylä;Töölö;Håkansböle" in Windows-1252.
        let latin = b"K\xe4pyl\xe4;T\xf6\xf6l\xf6;H\xe5kansb\xf6le";
        assert_eq!(decode(latin), Err(Fault::UnknownEncoding));
    }

    #[test]
    fn a_damaged_text_is_refused() {
        assert_eq!(decode(b"\xef\xbb\xbfid\xff\xff"), Err(Fault::UnknownEncoding));
        assert_eq!(decode(b"\xff\xfe\x00\xd8a\x00"), Err(Fault::UnknownEncoding));
    }
}
