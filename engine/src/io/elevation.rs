//! Terrain heights from `GeoTIFF` and SRTM `.hgt` files.

use super::table::{file_name, guarded, unreadable};
use crate::model::elevation::{Elevation, ElevationGrid};
use crate::model::error::{Error, Result};
use crate::model::place::Place;
use crate::model::problem::{Fault, Problem};
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use tiff::decoder::{Decoder, DecodingResult};
use tiff::tags::Tag;

/// SRTM marks voids with this value (SRTM User's Guide, section 2.1.3).
const SRTM_VOID: i16 = -32768;
/// `GTModelTypeGeoKey`, `GTRasterTypeGeoKey`, `GeographicTypeGeoKey` (OGC `GeoTIFF` 1.1, annex B).
const MODEL_TYPE: u16 = 1024;
const RASTER_TYPE: u16 = 1025;
const GEOGRAPHIC_TYPE: u16 = 2048;
const MODEL_GEOGRAPHIC: u16 = 2;
const PIXEL_IS_POINT: u16 = 2;
/// Geographic systems that agree with WGS-84 to about a metre: WGS-84, NAD83, ETRS89, CGCS2000.
const AS_WGS84: [u16; 4] = [4326, 4269, 4258, 4490];

/// Read rasters, in the order in which they answer.
///
/// # Errors
/// A problem when a file is missing, of another kind, damaged, or not in degrees.
pub fn read(paths: &[PathBuf]) -> Result<Elevation> {
    let grids = paths.iter().map(|path| read_grid(path)).collect::<Result<_>>()?;
    Ok(Elevation { grids })
}

fn read_grid(path: &Path) -> Result<ElevationGrid> {
    let name = file_name(path);
    if !path.is_file() {
        return Err(Problem::of_file(path.display().to_string(), Fault::NotFound).into());
    }
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    match ending.as_deref() {
        Some("hgt") => read_hgt(path, &name),
        Some("tif" | "tiff") => guarded(&name, || read_geotiff(path, &name)),
        _ => {
            let known = vec!["tif".to_owned(), "tiff".to_owned(), "hgt".to_owned()];
            Err(Problem::of_file(name, Fault::UnknownName { known }).in_column("file ending").into())
        }
    }
}

/// One degree of big-endian i16 heights; the file name gives its south-west corner, the size its step.
fn read_hgt(path: &Path, name: &str) -> Result<ElevationGrid> {
    let bytes = std::fs::read(path).map_err(Error::file(path))?;
    let wrong = || Problem::of_file(name, Fault::WrongFormat { expected: "SRTM .hgt" });
    let (south, west) = corner_in_name(name).ok_or_else(wrong)?;
    let width = match bytes.len() {
        25_934_402 => 3601,
        2_884_802 => 1201,
        _ => return Err(wrong().into()),
    };
    let height = |pair: &[u8]| match i16::from_be_bytes([pair[0], pair[1]]) {
        SRTM_VOID => f32::NAN,
        metres => f32::from(metres),
    };
    let step = 1.0 / (width - 1) as f64;
    let heights_m = bytes.chunks_exact(2).map(height).collect();
    Ok(ElevationGrid { west, north: south + 1.0, step_lon: step, step_lat: step, width, heights_m })
}

/// `N29E106` → 29, 106.
fn corner_in_name(name: &str) -> Option<(f64, f64)> {
    let signed = |text: &str, plus: char, minus: char| -> Option<f64> {
        let mut letters = text.chars();
        let sign = match letters.next()?.to_ascii_uppercase() {
            letter if letter == plus => 1.0,
            letter if letter == minus => -1.0,
            _ => return None,
        };
        letters.as_str().parse::<u16>().ok().map(|degrees| sign * f64::from(degrees))
    };
    Some((signed(name.get(0..3)?, 'N', 'S')?, signed(name.get(3..7)?, 'E', 'W')?))
}

fn read_geotiff(path: &Path, name: &str) -> Result<ElevationGrid> {
    let file = BufReader::new(File::open(path).map_err(Error::file(path))?);
    let wrong = |_| Error::from(Problem::of_file(name, Fault::WrongFormat { expected: "GeoTIFF" }));
    let mut decoder = Decoder::new(file).map_err(wrong)?;
    let (width, height) = decoder.dimensions().map_err(unreadable(name))?;
    let keys = decoder.get_tag_u16_vec(Tag::GeoKeyDirectoryTag).unwrap_or_default();
    let scale = decoder.get_tag_f64_vec(Tag::ModelPixelScaleTag).map_err(unreadable(name))?;
    let tie = decoder.get_tag_f64_vec(Tag::ModelTiepointTag).map_err(unreadable(name))?;
    let void = decoder.get_tag_ascii_string(Tag::GdalNodata).ok();
    let void = void.and_then(|text| text.trim_matches(['\0', ' ']).parse::<f32>().ok());
    let (&[step_lon, step_lat, ..], &[column, row, _, lon, lat, ..]) = (scale.as_slice(), tie.as_slice())
    else {
        return Err(unreadable(name)("the raster has no position"));
    };
    check_degrees(name, &keys)?;
    let half_pixel = if geo_key(&keys, RASTER_TYPE) == Some(PIXEL_IS_POINT) { 0.0 } else { 0.5 };
    let west = lon + (half_pixel - column) * step_lon;
    let north = lat - (half_pixel - row) * step_lat;
    let heights_m = heights(name, decoder.read_image().map_err(unreadable(name))?, void)?;
    let pixels = width as usize * height as usize;
    let south_east =
        Place::new(west + (f64::from(width) - 1.0) * step_lon, north - (f64::from(height) - 1.0) * step_lat);
    if heights_m.len() != pixels || pixels == 0 || Place::new(west, north).is_none() || south_east.is_none() {
        return Err(unreadable(name)("the raster is not one band in degrees"));
    }
    Ok(ElevationGrid { west, north, step_lon, step_lat, width: width as usize, heights_m })
}

fn check_degrees(name: &str, keys: &[u16]) -> Result<()> {
    let system = geo_key(keys, GEOGRAPHIC_TYPE);
    let geographic = geo_key(keys, MODEL_TYPE) == Some(MODEL_GEOGRAPHIC);
    if geographic && system.is_some_and(|code| AS_WGS84.contains(&code)) {
        return Ok(());
    }
    let found = system.map_or_else(|| "projected or unstated".to_owned(), |code| format!("EPSG:{code}"));
    Err(Problem::of_file(name, Fault::UnsupportedCrs).with_value(found).into())
}

/// A short value in the key directory: after four header words, rows of key, place, count, value.
fn geo_key(keys: &[u16], wanted: u16) -> Option<u16> {
    keys.get(4..)?.chunks_exact(4).find(|row| row[0] == wanted && row[1] == 0).map(|row| row[3])
}

fn heights(name: &str, image: DecodingResult, void: Option<f32>) -> Result<Vec<f32>> {
    fn all<T: Copy>(values: &[T], to_metres: impl Fn(T) -> f32) -> Vec<f32> {
        values.iter().map(|&value| to_metres(value)).collect()
    }
    let mut heights = match image {
        DecodingResult::U8(values) => all(&values, f32::from),
        DecodingResult::I8(values) => all(&values, f32::from),
        DecodingResult::U16(values) => all(&values, f32::from),
        DecodingResult::I16(values) => all(&values, f32::from),
        DecodingResult::U32(values) => all(&values, |value| value as f32),
        DecodingResult::I32(values) => all(&values, |value| value as f32),
        DecodingResult::F32(values) => values,
        DecodingResult::F64(values) => all(&values, |value| value as f32),
        _ => return Err(unreadable(name)("the raster's number type is not a height")),
    };
    for height in &mut heights {
        if Some(*height) == void || !height.is_finite() {
            *height = f32::NAN;
        }
    }
    Ok(heights)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tiff::encoder::{TiffEncoder, colortype::GrayI16};

    fn at(lon: f64, lat: f64) -> Place {
        Place::new(lon, lat).unwrap()
    }

    #[test]
    fn an_hgt_tile_lies_where_its_name_says() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("N29E106.hgt");
        let mut bytes = Vec::new();
        for row in 0..1201_i16 {
            for column in 0..1201_i16 {
                let height = if (row, column) == (600, 600) { SRTM_VOID } else { 1200 - row };
                bytes.extend(height.to_be_bytes());
            }
        }
        std::fs::write(&path, bytes).unwrap();
        let elevation = read(&[path]).unwrap();
        assert_eq!(elevation.sample_m(at(106.25, 29.0)), Some(0.0));
        assert_eq!(elevation.sample_m(at(106.25, 30.0)), Some(1200.0));
        assert_eq!(elevation.sample_m(at(106.25, 29.25)), Some(300.0));
        assert_eq!(elevation.sample_m(at(106.5, 29.5)), None);
        assert_eq!(elevation.sample_m(at(108.0, 29.5)), None);
    }

    fn write_geotiff(path: &Path, system: u16, raster_type: u16) {
        let mut encoder = TiffEncoder::new(File::create(path).unwrap()).unwrap();
        let mut image = encoder.new_image::<GrayI16>(3, 2).unwrap();
        let tags = image.encoder();
        tags.write_tag(Tag::ModelPixelScaleTag, &[0.1, 0.1, 0.0][..]).unwrap();
        tags.write_tag(Tag::ModelTiepointTag, &[0.0, 0.0, 0.0, 106.0, 30.0, 0.0][..]).unwrap();
        let keys = [1_u16, 1, 0, 3, 1024, 0, 1, 2, 1025, 0, 1, raster_type, 2048, 0, 1, system];
        tags.write_tag(Tag::GeoKeyDirectoryTag, &keys[..]).unwrap();
        tags.write_tag(Tag::GdalNodata, "-9999").unwrap();
        image.write_data(&[10, 20, 30, 40, 50, -9999]).unwrap();
    }

    #[test]
    fn a_geotiff_pixel_is_an_area_or_a_point_as_it_says() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("area.tif");
        write_geotiff(&path, 4326, 1);
        let elevation = read(&[path]).unwrap();
        assert_eq!(elevation.sample_m(at(106.05, 29.95)), Some(10.0));
        assert_eq!(elevation.sample_m(at(106.1, 29.95)), Some(15.0));
        assert_eq!(elevation.sample_m(at(106.25, 29.85)), None);
        let path = folder.path().join("point.tif");
        write_geotiff(&path, 4490, PIXEL_IS_POINT);
        assert_eq!(read(&[path]).unwrap().sample_m(at(106.0, 30.0)), Some(10.0));
    }

    #[test]
    fn what_is_no_raster_in_degrees_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("utm.tif");
        write_geotiff(&path, 32648, 1);
        assert!(read(&[path]).unwrap_err().to_string().contains("EPSG:32648"));
        let path = folder.path().join("text.tif");
        std::fs::write(&path, "no raster").unwrap();
        assert!(read(&[path]).unwrap_err().to_string().contains("no GeoTIFF file"));
    }
}
