//! The container of an OSM PBF file: is it one, is it whole, and its blocks in order.

use crate::io::files::{file_name, guarded, unreadable};
use crate::model::error::{Error, Result};
use crate::model::problem::{Fault, Problem};
use crate::model::progress::Progress;
use osmpbf::{BlobDecode, BlobReader, PrimitiveBlock};
use rayon::prelude::*;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

/// Limits of the format: <https://wiki.openstreetmap.org/wiki/PBF_Format>, "Encoding".
const HEADER_LIMIT: u64 = 64 * 1024;
const BLOB_LIMIT: u64 = 32 * 1024 * 1024;

/// Blocks decoded side by side; bounds the memory of a pass.
const BLOCKS_AT_ONCE: usize = 16;

/// Walk over the frame of the file without decoding it.
///
/// The format has no trailer, and the decoder takes a file that ends inside the four bytes of a length for a whole
/// one; here every byte is accounted for.
///
/// # Returns
/// The number of blobs.
///
/// # Errors
/// A problem when the file does not begin like an OSM PBF, or ends inside a blob.
pub fn check_frame(path: &Path) -> Result<usize> {
    let name = file_name(path);
    if !path.is_file() {
        return Err(Problem::of_file(path.display().to_string(), Fault::NotFound).into());
    }
    let file = File::open(path).map_err(Error::file(path))?;
    let length = file.metadata().map_err(Error::file(path))?.len();
    let mut reader = BufReader::new(file);
    let truncated = |at_byte| Err(Problem::of_file(&name, Fault::Truncated { at_byte }).into());
    let wrong = || Err(Problem::of_file(&name, Fault::WrongFormat { expected: "OpenStreetMap PBF" }).into());
    let (mut at, mut blobs) = (0, 0);
    while at < length {
        let mut size = [0; 4];
        let header_size = if length - at < 4 {
            HEADER_LIMIT + 1
        } else {
            reader.read_exact(&mut size).map_err(Error::file(path))?;
            u64::from(u32::from_be_bytes(size))
        };
        if blobs == 0 && (header_size > HEADER_LIMIT || at + 4 + header_size > length) {
            return wrong();
        }
        if header_size > HEADER_LIMIT || at + 4 + header_size > length {
            return truncated(at);
        }
        let mut header = vec![0; header_size as usize];
        reader.read_exact(&mut header).map_err(Error::file(path))?;
        let data_size = match blob_header(&header) {
            Some((kind, size)) if size <= BLOB_LIMIT && (blobs > 0 || kind == b"OSMHeader") => size,
            _ if blobs == 0 => return wrong(),
            _ => return truncated(at),
        };
        let end = at + 4 + header_size + data_size;
        if end > length {
            return truncated(at);
        }
        reader.seek(SeekFrom::Start(end)).map_err(Error::file(path))?;
        at = end;
        blobs += 1;
    }
    if blobs == 0 { wrong() } else { Ok(blobs) }
}

/// Kind and data size of a `BlobHeader` message: field 1 is the kind, field 3 the size.
fn blob_header(mut bytes: &[u8]) -> Option<(&[u8], u64)> {
    let (mut kind, mut size) = (None, None);
    while !bytes.is_empty() {
        let key = varint(&mut bytes)?;
        match key & 7 {
            0 => {
                let value = varint(&mut bytes)?;
                size = if key >> 3 == 3 { Some(value) } else { size };
            }
            2 => {
                let length = usize::try_from(varint(&mut bytes)?).ok()?;
                let field = bytes.get(..length)?;
                kind = if key >> 3 == 1 { Some(field) } else { kind };
                bytes = &bytes[length..];
            }
            _ => return None,
        }
    }
    Some((kind?, size?))
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

/// Visit every data block in the order of the file; decoding runs in parallel, visiting does not.
pub fn visit(path: &Path, progress: &Progress, mut visit: impl FnMut(&PrimitiveBlock)) -> Result<()> {
    let name = file_name(path);
    let mut blobs = BlobReader::from_path(path).map_err(unreadable(&name))?;
    loop {
        let batch: Vec<_> = blobs.by_ref().take(BLOCKS_AT_ONCE).collect();
        if batch.is_empty() {
            return Ok(());
        }
        let decoded: Vec<Result<Option<PrimitiveBlock>>> =
            batch.into_par_iter().map(|blob| guarded(&name, || decode(&name, blob))).collect();
        for block in decoded {
            if let Some(block) = block? {
                guarded(&name, || {
                    visit(&block);
                    Ok(())
                })?;
            }
            progress.step(1)?;
        }
    }
}

fn decode(name: &str, blob: osmpbf::Result<osmpbf::Blob>) -> Result<Option<PrimitiveBlock>> {
    let blob = blob.map_err(unreadable(name))?;
    match blob.decode().map_err(unreadable(name))? {
        BlobDecode::OsmHeader(header) => {
            let known = ["OsmSchema-V0.6", "DenseNodes"];
            let unknown =
                header.required_features().iter().find(|feature| !known.contains(&feature.as_str()));
            match unknown {
                None => Ok(None),
                Some(feature) => Err(unreadable(name)(format!(
                    "the file needs the feature {feature}; export the current state without history"
                ))),
            }
        }
        BlobDecode::OsmData(block) => Ok(Some(block)),
        BlobDecode::Unknown(_) => Ok(None),
    }
}
