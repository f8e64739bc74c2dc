//! `GeoTIFF`: one band of numbers and where it lies.

use super::files::{self, guarded, unreadable};
use crate::model::error::{Error, Result};
use crate::model::limits::Amount;
use crate::model::place::Place;
use crate::model::problem::{Fault, Problem};
use crate::model::projection::Projection;
use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::Path;
use tiff::decoder::{Decoder, DecodingResult, Limits};
use tiff::encoder::colortype::Gray32Float;
use tiff::encoder::{Compression, DeflateLevel, TiffEncoder};
use tiff::tags::Tag;

/// `GTModelTypeGeoKey`, `GTRasterTypeGeoKey`, `GeographicTypeGeoKey`, `ProjectedCSTypeGeoKey` and their values
/// (OGC `GeoTIFF` 1.1, annex B).
pub(super) const MODEL_TYPE: u16 = 1024;
pub(super) const RASTER_TYPE: u16 = 1025;
pub(super) const GEOGRAPHIC_TYPE: u16 = 2048;
pub(super) const PROJECTED_TYPE: u16 = 3072;
pub(super) const MODEL_GEOGRAPHIC: u16 = 2;
pub(super) const PIXEL_IS_POINT: u16 = 2;
pub(super) const UNDEFINED: u16 = 0;
pub(super) const USER_DEFINED: u16 = 32767;

/// Pixels that one byte of a file may stand for (Deflate packs 1,032 bytes into one), and that even the smallest may have.
const PACKED_PIXELS: u64 = 1032;
const PIXEL_FLOOR: u64 = 16 << 20;

/// What the decoder may ask memory for: the whole band at eight bytes a pixel, a strip or tile, a list of tags.
fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.decoding_buffer_size = Amount::Pixels.most() as usize * 8;
    limits.intermediate_buffer_size = 128 << 20;
    limits.ifd_value_size = 16 << 20;
    limits
}

/// One band of a raster.
#[derive(Debug)]
pub struct Raster {
    /// The system of x and y.
    pub projection: Projection,
    /// x of the centre of the first column.
    pub left: f64,
    /// y of the centre of the first row.
    pub top: f64,
    /// From column to column.
    pub step_x: f64,
    /// From row to row, positive although y falls.
    pub step_y: f64,
    /// Number of columns.
    pub width: usize,
    /// Row by row from the north; infinite where the file says that it knows nothing, NaN where it says NaN.
    pub values: Vec<f64>,
}

impl Raster {
    /// The place at a column and row, whole numbers being the centres of pixels; `None` where the system has none.
    pub fn place(&self, column: f64, row: f64) -> Option<Place> {
        self.projection.place(self.left + column * self.step_x, self.top - row * self.step_y)
    }
}

/// `EPSG:3763` → 3763.
///
/// # Errors
/// A problem of the setting of `source` when it is no EPSG code.
pub fn epsg_code(source: &str, stated: &str) -> Result<u16> {
    let code = stated.trim().split_once(':').filter(|(register, _)| register.eq_ignore_ascii_case("EPSG"));
    code.and_then(|(_, code)| code.parse().ok()).ok_or_else(|| {
        let fault = Fault::Setting { expected: "an EPSG code, for example \"EPSG:3763\"".to_owned() };
        Problem::of_file(source, fault).in_column("crs").with_value(stated).into()
    })
}

/// Read a raster; `stated` is the EPSG code of one that does not name its own.
///
/// # Errors
/// A problem when the file is of another kind, damaged, of several bands, or in a system that is unknown or unstated.
pub fn read(path: &Path, name: &str, stated: Option<u16>) -> Result<Raster> {
    guarded(name, || decode(path, name, stated))
}

/// Write one band of WGS-84 degrees, row by row from the north-west pixel's centre.
///
/// # Errors
/// When the file system refuses.
pub fn write_degrees(
    path: &Path,
    corner: [f64; 2],
    step: [f64; 2],
    width: usize,
    values: &[f32],
) -> Result<()> {
    const WGS84: u16 = 4326;
    let file = File::create(path).map_err(Error::file(path))?;
    let keys = [
        [1, 1, 0, 3],
        [MODEL_TYPE, 0, 1, MODEL_GEOGRAPHIC],
        [RASTER_TYPE, 0, 1, PIXEL_IS_POINT],
        [GEOGRAPHIC_TYPE, 0, 1, WGS84],
    ];
    let encode = || -> tiff::TiffResult<()> {
        let deflate = Compression::Deflate(DeflateLevel::Balanced);
        let mut encoder = TiffEncoder::new(BufWriter::new(&file))?.with_compression(deflate);
        let mut image = encoder.new_image::<Gray32Float>(width as u32, (values.len() / width) as u32)?;
        let tags = image.encoder();
        tags.write_tag(Tag::ModelPixelScaleTag, &[step[0], step[1], 0.0][..])?;
        tags.write_tag(Tag::ModelTiepointTag, &[0.0, 0.0, 0.0, corner[0], corner[1], 0.0][..])?;
        tags.write_tag(Tag::GeoKeyDirectoryTag, &keys.concat()[..])?;
        image.write_data(values)
    };
    encode().map_err(|error| Error::file(path)(std::io::Error::other(error)))?;
    file.sync_all().map_err(Error::file(path))
}

fn decode(path: &Path, name: &str, stated: Option<u16>) -> Result<Raster> {
    let file = files::open(path)?;
    let length = file.metadata().map_err(Error::file(path))?.len();
    let wrong = |_| Error::from(Problem::of_file(name, Fault::WrongFormat { expected: "GeoTIFF" }));
    let mut decoder = Decoder::new(BufReader::new(file)).map_err(wrong)?.with_limits(limits());
    let (width, height) = decoder.dimensions().map_err(unreadable(name))?;
    let pixels = u64::from(width) * u64::from(height);
    let most = (length.saturating_mul(PACKED_PIXELS)).clamp(PIXEL_FLOOR, Amount::Pixels.most());
    if pixels > most {
        return Err(
            Problem::of_file(name, Fault::TooLarge { amount: Amount::Pixels, found: pixels, most }).into()
        );
    }
    let keys = decoder.get_tag_u16_vec(Tag::GeoKeyDirectoryTag).unwrap_or_default();
    let scale = decoder.get_tag_f64_vec(Tag::ModelPixelScaleTag).map_err(unreadable(name))?;
    let tie = decoder.get_tag_f64_vec(Tag::ModelTiepointTag).map_err(unreadable(name))?;
    let void = decoder.get_tag_ascii_string(Tag::GdalNodata).ok();
    let void = void.and_then(|text| text.trim_matches(['\0', ' ']).parse::<f64>().ok());
    let (&[step_x, step_y, ..], &[column, row, _, x, y, ..]) = (scale.as_slice(), tie.as_slice()) else {
        return Err(unreadable(name)("the raster has no position"));
    };
    let projection = projection(name, &keys, stated)?;
    let half_pixel = if geo_key(&keys, RASTER_TYPE) == Some(PIXEL_IS_POINT) { 0.0 } else { 0.5 };
    let left = x + (half_pixel - column) * step_x;
    let top = y - (half_pixel - row) * step_y;
    let values = values(name, decoder.read_image().map_err(unreadable(name))?, void)?;
    let (columns, rows) = (width as usize, height as usize);
    if values.len() != columns * rows || values.is_empty() {
        return Err(unreadable(name)("the raster is not one band"));
    }
    let raster = Raster { projection, left, top, step_x, step_y, width: columns, values };
    let last = (columns as f64 - 1.0, rows as f64 - 1.0);
    let on_earth = raster.place(0.0, 0.0).is_some() && raster.place(last.0, last.1).is_some();
    if !(step_x > 0.0 && step_y > 0.0 && on_earth) {
        return Err(unreadable(name)("the raster does not lie on the earth in its system"));
    }
    Ok(raster)
}

/// The system that the file names, else the one that the user states.
fn projection(name: &str, keys: &[u16], stated: Option<u16>) -> Result<Projection> {
    let geographic = geo_key(keys, MODEL_TYPE) == Some(MODEL_GEOGRAPHIC);
    let own = geo_key(keys, if geographic { GEOGRAPHIC_TYPE } else { PROJECTED_TYPE });
    let own = own.filter(|code| ![UNDEFINED, USER_DEFINED].contains(code));
    let code = own.or(stated).ok_or_else(|| Problem::of_file(name, Fault::MissingCrs))?;
    let known = Projection::from_epsg(code);
    // The two keys number different things: a projected code under the geographic key is no system of degrees.
    let fits = own.is_none() || geographic == matches!(known, Some(Projection::Degrees));
    known.filter(|_| fits).ok_or_else(|| {
        Problem::of_file(name, Fault::UnsupportedCrs).with_value(format!("EPSG:{code}")).into()
    })
}

/// A short value in the key directory: after four header words, rows of key, place, count, value.
fn geo_key(keys: &[u16], wanted: u16) -> Option<u16> {
    keys.get(4..)?.chunks_exact(4).find(|row| row[0] == wanted && row[1] == 0).map(|row| row[3])
}

fn values(name: &str, image: DecodingResult, void: Option<f64>) -> Result<Vec<f64>> {
    fn all<T: Copy>(values: &[T], number: impl Fn(T) -> f64) -> Vec<f64> {
        values.iter().map(|&value| number(value)).collect()
    }
    let mut numbers = match image {
        DecodingResult::U8(values) => all(&values, f64::from),
        DecodingResult::I8(values) => all(&values, f64::from),
        DecodingResult::U16(values) => all(&values, f64::from),
        DecodingResult::I16(values) => all(&values, f64::from),
        DecodingResult::U32(values) => all(&values, f64::from),
        DecodingResult::I32(values) => all(&values, f64::from),
        DecodingResult::F32(values) => all(&values, f64::from),
        DecodingResult::F64(values) => values,
        _ => return Err(unreadable(name)("the raster's numbers are of no plain type")),
    };
    // The text of a void may be rounded to what an f32 needs: it is compared as one.
    let void = void.map(|void| void as f32);
    for value in numbers.iter_mut().filter(|value| Some(**value as f32) == void) {
        *value = f64::INFINITY;
    }
    Ok(numbers)
}
