//! An OSM PBF file read in passes: one over everything to learn what is where, then one for each kind of element over the
//! blobs that hold it.

use super::blob::{self, BlobPlace, BlobRole, FileHeader};
use super::block::{self, Block, Kind};
use super::wire::Decoded;
use crate::io::files::{Stamp, check_sidecar, file_name, guarded, open};
use crate::model::error::{Error, Result};
use crate::model::limits::Amount;
use crate::model::problem::{Fault, Problem};
use crate::model::progress::Progress;
use rayon::prelude::*;
use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};

/// Blobs unpacked side by side, and the bytes that they may take together: both bound the memory of a pass.
const BLOBS_AT_ONCE: usize = 16;
const BYTES_AT_ONCE: u64 = 32 << 20;

/// Of two ids at most so far from 0 the difference is a number, too, as which a file holds ids.
const LARGEST_ID: u64 = 1 << 62;

/// Inflated bytes that even the smallest file may have.
const INFLATED_FLOOR: u64 = 64 << 20;

/// A file whose frame is whole and whose blobs have been looked into.
#[derive(Debug)]
pub struct Pbf {
    source: Source,
    stamp: Stamp,
    /// How many elements of each kind each blob holds.
    counts: Vec<[u64; 3]>,
    /// Of ids that come more than once, which element counts, by its place among those of its kind.
    latest: [HashMap<i64, u64>; 3],
    /// What the file says of itself.
    pub header: FileHeader,
    /// Elements that a later version of themselves stands for.
    pub repeated_elements: u64,
    /// Texts that are no UTF-8.
    pub garbled_texts: u64,
}

#[derive(Debug)]
struct Source {
    path: PathBuf,
    name: String,
    file: File,
    blobs: Vec<BlobPlace>,
}

impl Pbf {
    /// Open a file and look into all of it; `inflated_ratio` is how many bytes may come out of one.
    ///
    /// # Errors
    /// A problem when it is missing, another kind of file, cut off, damaged, a history, packed in a way that is not read,
    /// larger when unpacked than allowed, or not the file that its `.md5` describes.
    pub fn open(path: &Path, inflated_ratio: u64, progress: &Progress) -> Result<Self> {
        let (mut pbf, orders) = Self::check(path, inflated_ratio, progress)?;
        for kind in Kind::ALL.into_iter().filter(|&kind| orders[kind as usize].falls) {
            pbf.find_latest(kind, progress)?;
        }
        Ok(pbf)
    }

    /// Open a file that is read as a stream: of each kind ids must rise.
    ///
    /// # Errors
    /// As [`Self::open`], and a problem when the file is not sorted.
    pub fn open_sorted(path: &Path, inflated_ratio: u64, progress: &Progress) -> Result<Self> {
        let (pbf, orders) = Self::check(path, inflated_ratio, progress)?;
        for (kind, order) in ["node", "way", "relation"].into_iter().zip(orders) {
            if order.falls {
                return Err(Problem::of_file(pbf.source.name, Fault::NotSorted { kind }).into());
            }
            let ends = [order.first, order.last].into_iter().flatten();
            if let Some(id) = ends.into_iter().find(|id| id.unsigned_abs() > LARGEST_ID) {
                let fault = Fault::OutOfRange { range: "-2^62..2^62" };
                return Err(Problem::of_file(pbf.source.name, fault).with_id(format!("{kind}/{id}")).into());
            }
        }
        Ok(pbf)
    }

    /// Open a file, look into all of it, and tell of each kind whether ids only rise.
    fn check(path: &Path, inflated_ratio: u64, progress: &Progress) -> Result<(Self, [Order; 3])> {
        let file = open(path)?;
        let stamp = Stamp::of(&file).map_err(Error::file(path))?;
        let blobs = blob::frame(&file, stamp.length(), path)?;
        progress.begin("checking streets", blobs.len())?;
        check_sidecar(path, progress)?;
        let counts = vec![[0; 3]; blobs.len()];
        let source = Source { path: path.to_owned(), name: file_name(path), file, blobs };
        let mut pbf = Self {
            source,
            stamp,
            counts,
            latest: Default::default(),
            header: FileHeader::default(),
            repeated_elements: 0,
            garbled_texts: 0,
        };
        let orders = pbf.survey(inflated_ratio, progress)?;
        Ok((pbf, orders))
    }

    /// Number of blobs.
    pub fn blobs(&self) -> usize {
        self.source.blobs.len()
    }

    /// Look into every blob; the answer is, of each kind, whether ids only rise: else some may come again.
    fn survey(&mut self, ratio: u64, progress: &Progress) -> Result<[Order; 3]> {
        let length = self.stamp.length();
        let most = length.saturating_mul(ratio).max(INFLATED_FLOOR);
        let (mut inflated, mut orders) = (0, [Order::default(); 3]);
        let Self { source, counts, header, garbled_texts, .. } = self;
        let wanted = (0..source.blobs.len()).filter(|&at| source.blobs[at].role != BlobRole::Other);
        source.each(wanted, progress, look_into, |at, found| {
            inflated += found.inflated;
            if inflated > most {
                let amount = Amount::InflatedRatio;
                let fault = Fault::TooLarge { amount, found: inflated / length, most: ratio };
                return Err(Problem::of_file(&source.name, fault).into());
            }
            *header = header.or(found.header);
            *garbled_texts += found.garbled_texts;
            counts[at] = found.counts;
            for (order, of_blob) in orders.iter_mut().zip(found.orders) {
                order.append(of_blob);
            }
            Ok(())
        })?;
        Ok(orders)
    }

    /// Of elements of one id the highest version counts, and of one version the last in the file.
    fn find_latest(&mut self, kind: Kind, progress: &Progress) -> Result<()> {
        let mut all = Vec::new();
        progress.begin("looking for repeated elements", self.blobs())?;
        let decode = |_, message: &[u8]| versions(message, kind);
        self.source.each(self.holding(kind), progress, or_damaged(decode), |_, found| {
            let first = all.len() as u64;
            all.extend(found.into_iter().zip(first..).map(|((id, version), at)| (id, version, at)));
            Ok(())
        })?;
        all.sort_unstable();
        for same in all.chunk_by(|a, b| a.0 == b.0).filter(|same| same.len() > 1) {
            self.repeated_elements += same.len() as u64 - 1;
            self.latest[kind as usize].extend(same.last().map(|&(id, _, at)| (id, at)));
        }
        Ok(())
    }

    fn holding(&self, kind: Kind) -> impl Iterator<Item = usize> {
        (0..self.blobs()).filter(move |&at| self.counts[at][kind as usize] > 0)
    }

    /// Look at every block that holds elements of a kind, with these elements only: side by side, the answers in the order of
    /// the file.
    ///
    /// # Errors
    /// A problem when a block is damaged or the file is no longer the one that was opened.
    pub fn look<T: Send>(
        &self,
        kind: Kind,
        progress: &Progress,
        look: impl Fn(&Block) -> T + Sync,
    ) -> Result<Vec<T>> {
        let mut looks = Vec::new();
        self.stream(kind, progress, look, |found| {
            looks.push(found);
            Ok(())
        })?;
        Ok(looks)
    }

    /// The same, with each answer taken when it is its turn, so that they need not be in memory together.
    ///
    /// # Errors
    /// As [`Self::look`], and what taking says.
    pub fn stream<T: Send>(
        &self,
        kind: Kind,
        progress: &Progress,
        look: impl Fn(&Block) -> T + Sync,
        mut take: impl FnMut(T) -> Result<()>,
    ) -> Result<()> {
        let latest = &self.latest[kind as usize];
        let first: Vec<u64> = self
            .counts
            .iter()
            .scan(0, |before, counts| Some(std::mem::replace(before, *before + counts[kind as usize])))
            .collect();
        let decode = |at: usize, message: &[u8]| {
            let mut block = block::decode(message, kind)?;
            if !latest.is_empty() {
                let mut place = first[at]..;
                block.keep(|id| {
                    let place = place.next();
                    latest.get(&id).is_none_or(|&counts| place == Some(counts))
                });
            }
            Ok(look(&block))
        };
        self.source.each(self.holding(kind), progress, or_damaged(decode), |_, found| take(found))?;
        progress.step(self.blobs() - self.holding(kind).count())?;
        self.stamp.check(&self.source.file, &self.source.path)
    }
}

impl Source {
    /// Unpack some blobs in parallel, and take what `decode` makes of each in their order.
    fn each<T: Send>(
        &self,
        mut which: impl Iterator<Item = usize>,
        progress: &Progress,
        decode: impl Fn(usize, &BlobPlace, &[u8]) -> std::result::Result<T, Fault> + Sync,
        mut take: impl FnMut(usize, T) -> Result<()>,
    ) -> Result<()> {
        let problem = |fault| Error::from(Problem::of_file(&self.name, fault));
        loop {
            let (mut batch, mut bytes) = (Vec::new(), 0);
            while bytes < BYTES_AT_ONCE
                && batch.len() < BLOBS_AT_ONCE
                && let Some(at) = which.next()
            {
                let packed = blob::read(&self.file, &self.blobs[at]).map_err(Error::file(&self.path))?;
                bytes += packed.memory();
                batch.push((at, packed));
            }
            if batch.is_empty() {
                return Ok(());
            }
            let unpack = |(at, packed): (usize, blob::PackedBlob)| {
                let blob = &self.blobs[at];
                let read = || {
                    packed
                        .unpack(blob.at_byte)
                        .and_then(|message| decode(at, blob, &message))
                        .map_err(problem)
                };
                (at, guarded(&self.name, read))
            };
            let decoded: Vec<(usize, Result<T>)> = batch.into_par_iter().map(unpack).collect();
            for (at, found) in decoded {
                take(at, found?)?;
                progress.step(1)?;
            }
        }
    }
}

/// Whether ids only rise, so that none comes twice.
#[derive(Debug, Clone, Copy, Default)]
struct Order {
    first: Option<i64>,
    last: Option<i64>,
    falls: bool,
}

impl Order {
    fn add(&mut self, id: i64) {
        self.append(Self { first: Some(id), last: Some(id), falls: false });
    }

    fn append(&mut self, next: Self) {
        self.falls |= next.falls || next.first.zip(self.last).is_some_and(|(first, last)| first <= last);
        self.first = self.first.or(next.first);
        self.last = next.last.or(self.last);
    }
}

/// What one blob holds.
#[derive(Debug, Default)]
struct Contents {
    inflated: u64,
    counts: [u64; 3],
    orders: [Order; 3],
    header: FileHeader,
    garbled_texts: u64,
}

fn look_into(_: usize, blob: &BlobPlace, message: &[u8]) -> std::result::Result<Contents, Fault> {
    let mut contents = Contents { inflated: message.len() as u64, ..Contents::default() };
    if blob.role == BlobRole::Header {
        contents.header = blob::read_header(message, blob.at_byte)?;
        return Ok(contents);
    }
    let mut history = false;
    let headers = block::headers(message, |header| {
        contents.counts[header.kind as usize] += 1;
        contents.orders[header.kind as usize].add(header.id);
        history |= !header.visible;
    });
    let damaged = |damage| Fault::DamagedBlob { at_byte: blob.at_byte, damage };
    headers.map_err(damaged)?;
    contents.garbled_texts = block::garbled_texts(message).map_err(damaged)?;
    if history { Err(Fault::HistoryFile) } else { Ok(contents) }
}

/// What a decoder makes of a blob, with the place of a damaged one.
fn or_damaged<T>(
    decode: impl Fn(usize, &[u8]) -> Decoded<T>,
) -> impl Fn(usize, &BlobPlace, &[u8]) -> std::result::Result<T, Fault> {
    move |at, blob, message| {
        decode(at, message).map_err(|damage| Fault::DamagedBlob { at_byte: blob.at_byte, damage })
    }
}

/// Ids and versions of the elements of a kind.
fn versions(message: &[u8], kind: Kind) -> Decoded<Vec<(i64, u64)>> {
    let mut all = Vec::new();
    block::headers(message, |header| {
        if header.kind == kind {
            all.push((header.id, header.version));
        }
    })?;
    Ok(all)
}
