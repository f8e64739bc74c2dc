//! The container of an OSM PBF file: blobs, one after the other, each packed by itself.

use super::wire::{Decoded, Fields};
use super::write::SYNTHETIC_WRITER;
use crate::io::files::{file_name, known_by};
use crate::model::damage::Damage;
use crate::model::error::{Error, Result};
use crate::model::limits::Amount;
use crate::model::problem::{Fault, Problem};
use flate2::read::ZlibDecoder;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

/// Where a blob lies.
#[derive(Debug, Clone, Copy)]
pub struct BlobPlace {
    /// First byte, that of the header's length: what messages name.
    pub at_byte: u64,
    /// First byte of its data.
    pub data_at: u64,
    /// Number of bytes of its data.
    pub size: u32,
    /// Whether it is the header of a file, elements, or neither.
    pub role: BlobRole,
}

/// What a blob holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlobRole {
    Header,
    Data,
    /// A kind that the format lets readers pass over.
    Other,
}

/// Walk over the frame of a file without unpacking it.
///
/// The format has no trailer: every byte is accounted for here, so that a file that ends inside a blob is known.
///
/// # Errors
/// A problem when the file does not begin like an OSM PBF, or ends inside a blob.
pub fn frame(file: &File, length: u64, path: &Path) -> Result<Vec<BlobPlace>> {
    let name = file_name(path);
    let mut reader = BufReader::new(file);
    let truncated = |at_byte| Err(Problem::of_file(&name, Fault::Truncated { at_byte }).into());
    let mut first = Vec::new();
    reader.by_ref().take(512).read_to_end(&mut first).map_err(Error::file(path))?;
    reader.rewind().map_err(Error::file(path))?;
    let wrong = || {
        let mut problem = Problem::of_file(&name, Fault::WrongFormat { expected: "OpenStreetMap PBF" });
        problem.value = known_by(&first).map(str::to_owned);
        Err(problem.into())
    };
    let mut blobs: Vec<BlobPlace> = Vec::new();
    let mut at = 0;
    while at < length {
        let mut size = [0; 4];
        let header_size = if length - at < 4 {
            u64::MAX / 2
        } else {
            reader.read_exact(&mut size).map_err(Error::file(path))?;
            u64::from(u32::from_be_bytes(size))
        };
        if header_size > Amount::BlobHeaderBytes.most() || at + 4 + header_size > length {
            return if blobs.is_empty() { wrong() } else { truncated(at) };
        }
        let mut header = vec![0; header_size as usize];
        reader.read_exact(&mut header).map_err(Error::file(path))?;
        let data_at = at + 4 + header_size;
        let blob = match blob_header(&header) {
            Ok((role, size)) if u64::from(size) <= Amount::BlobBytes.most() => {
                BlobPlace { at_byte: at, data_at, size, role }
            }
            _ if blobs.is_empty() => return wrong(),
            _ => return truncated(at),
        };
        if blobs.is_empty() && blob.role != BlobRole::Header {
            return wrong();
        }
        let end = data_at + u64::from(blob.size);
        if end > length {
            return truncated(at);
        }
        reader.seek(SeekFrom::Start(end)).map_err(Error::file(path))?;
        at = end;
        blobs.push(blob);
    }
    if blobs.is_empty() { wrong() } else { Ok(blobs) }
}

/// Role and data size of a `BlobHeader` message: field 1 is the kind, field 3 the size.
fn blob_header(message: &[u8]) -> Decoded<(BlobRole, u32)> {
    let (mut role, mut size) = (None, None);
    for field in Fields(message) {
        match field? {
            (1, kind) => {
                role = Some(match kind.bytes()? {
                    b"OSMHeader" => BlobRole::Header,
                    b"OSMData" => BlobRole::Data,
                    _ => BlobRole::Other,
                });
            }
            (3, number) => size = Some(u32::try_from(number.number()?).map_err(|_| Damage::Size)?),
            _ => {}
        }
    }
    Ok((role.ok_or(Damage::MissingField)?, size.ok_or(Damage::MissingField)?))
}

/// How a blob is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Codec {
    Plain,
    Zlib,
    Other(&'static str),
}

/// The data of a blob, still packed.
#[derive(Debug)]
pub struct PackedBlob(Vec<u8>);

/// Read the data of a blob.
pub fn read(mut file: &File, blob: &BlobPlace) -> std::io::Result<PackedBlob> {
    let mut message = vec![0; blob.size as usize];
    file.seek(SeekFrom::Start(blob.data_at))?;
    file.read_exact(&mut message)?;
    Ok(PackedBlob(message))
}

impl PackedBlob {
    /// Bytes that it takes with what is in it, going by what it says of itself.
    pub fn memory(&self) -> u64 {
        let stated = self.parts().ok().and_then(|(_, _, stated)| stated).unwrap_or_default();
        self.0.len() as u64 + stated.min(Amount::BlobBytes.most())
    }

    fn parts(&self) -> Decoded<(Codec, &[u8], Option<u64>)> {
        let (mut found, mut stated) = (None, None);
        for field in Fields(&self.0) {
            let (number, value) = field?;
            let codec = match number {
                1 => Codec::Plain,
                2 => {
                    stated = Some(value.number()?);
                    continue;
                }
                3 => Codec::Zlib,
                4 => Codec::Other("lzma"),
                5 => Codec::Other("bzip2"),
                6 => Codec::Other("lz4"),
                7 => Codec::Other("zstd"),
                _ => Codec::Other("unknown"),
            };
            if found.replace((codec, value.bytes()?)).is_some() {
                return Err(Damage::RepeatedField);
            }
        }
        let (codec, data) = found.ok_or(Damage::MissingField)?;
        Ok((codec, data, stated))
    }

    /// The message inside.
    ///
    /// # Errors
    /// A fault when it is packed in a way that is not read, is larger than the format allows, or is not as large as it
    /// says.
    pub fn unpack(&self, at_byte: u64) -> std::result::Result<Vec<u8>, Fault> {
        let damaged = |damage| Fault::DamagedBlob { at_byte, damage };
        let (codec, data, stated) = self.parts().map_err(damaged)?;
        let most = Amount::BlobBytes.most();
        if let Some(found) = stated.filter(|&size| size > most) {
            return Err(Fault::TooLarge { amount: Amount::BlobBytes, found, most });
        }
        let unpacked = match codec {
            Codec::Plain => data.to_vec(),
            Codec::Zlib => {
                let size = stated.ok_or(Damage::MissingField).map_err(damaged)?;
                inflate(data, size).map_err(damaged)?
            }
            Codec::Other(codec) => return Err(Fault::UnknownCodec { at_byte, codec }),
        };
        if stated.is_some_and(|size| size != unpacked.len() as u64) {
            return Err(damaged(Damage::Size));
        }
        Ok(unpacked)
    }
}

/// Deflate packs at most 1,032 bytes into one (<https://zlib.net/zlib_tech.html>): more is not asked for in advance.
const DEFLATE_RATIO: u64 = 1032;

/// Inflate to at most one byte more than stated, so that a longer stream is known.
fn inflate(data: &[u8], size: u64) -> Decoded<Vec<u8>> {
    let mut inflated = Vec::with_capacity(size.min(data.len() as u64 * DEFLATE_RATIO) as usize + 1);
    let read = ZlibDecoder::new(data).take(size + 1).read_to_end(&mut inflated);
    read.map_err(|_| Damage::Compression)?;
    Ok(inflated)
}

/// Features that a file needs and this reader knows.
const KNOWN_FEATURES: [&[u8]; 2] = [b"OsmSchema-V0.6", b"DenseNodes"];
const HISTORY: &[u8] = b"HistoricalInformation";
const LOCATIONS: &[u8] = b"LocationsOnWays";

/// What the header of a file says of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FileHeader {
    /// Whether ways carry the places of their nodes.
    pub locations_on_ways: bool,
    /// Whether the program that wrote the file says that it made everything up.
    pub synthetic: bool,
}

impl FileHeader {
    /// What either says.
    pub fn or(self, other: Self) -> Self {
        Self {
            locations_on_ways: self.locations_on_ways | other.locations_on_ways,
            synthetic: self.synthetic | other.synthetic,
        }
    }
}

/// Read a `HeaderBlock` message.
///
/// # Errors
/// A fault when the file needs a feature that is not known.
pub fn read_header(message: &[u8], at_byte: u64) -> std::result::Result<FileHeader, Fault> {
    let damaged = |damage| Fault::DamagedBlob { at_byte, damage };
    let mut header = FileHeader::default();
    for field in Fields(message) {
        let (number, value) = field.map_err(damaged)?;
        if number == 16 {
            header.synthetic |= value.bytes().map_err(damaged)?.ends_with(SYNTHETIC_WRITER.as_bytes());
        }
        if ![4, 5].contains(&number) {
            continue;
        }
        let feature = value.bytes().map_err(damaged)?;
        header.locations_on_ways |= feature == LOCATIONS;
        if number == 4 && feature == HISTORY {
            return Err(Fault::HistoryFile);
        }
        if number == 4 && feature != LOCATIONS && !KNOWN_FEATURES.contains(&feature) {
            return Err(Fault::UnknownFeature { feature: String::from_utf8_lossy(feature).into_owned() });
        }
    }
    Ok(header)
}
