//! Terrain heights from `GeoTIFF` and SRTM `.hgt` files.

use super::files::{file_name, guarded, unreadable};
use crate::model::elevation::{Elevation, ElevationGrid};
use crate::model::error::{Error, Result};
use crate::model::problem::{Fault, Problem};
use crate::model::projection::Projection;
use crate::model::smoothing::Smoothing;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use tiff::decoder::{Decoder, DecodingResult};
use tiff::tags::Tag;

/// SRTM marks voids with this value (SRTM User's Guide, section 2.1.3).
const SRTM_VOID: i16 = -32768;
/// `GTModelTypeGeoKey`, `GTRasterTypeGeoKey`, `GeographicTypeGeoKey`, `ProjectedCSTypeGeoKey` and their values
/// (OGC `GeoTIFF` 1.1, annex B).
const MODEL_TYPE: u16 = 1024;
const RASTER_TYPE: u16 = 1025;
const GEOGRAPHIC_TYPE: u16 = 2048;
const PROJECTED_TYPE: u16 = 3072;
const MODEL_GEOGRAPHIC: u16 = 2;
const PIXEL_IS_POINT: u16 = 2;
const UNDEFINED: u16 = 0;
const USER_DEFINED: u16 = 32767;

/// Read rasters, in the order in which they answer; fill their voids and smooth them.
///
/// `stated_crs` (`EPSG:3763`) is the system of rasters that do not name their own; what a file says of itself counts.
///
/// # Errors
/// A problem when a file is missing, of another kind, damaged, or in a system that is unknown or unstated.
pub fn read(paths: &[PathBuf], stated_crs: Option<&str>, smoothing: Smoothing) -> Result<Elevation> {
    let stated = stated_crs.map(epsg_code).transpose()?;
    let grids = paths.iter().map(|path| read_grid(path, stated)).collect::<Result<_>>()?;
    let mut elevation = Elevation { grids, ..Elevation::default() };
    elevation.fill_voids();
    if smoothing == Smoothing::SavitzkyGolay {
        elevation.grids.iter_mut().for_each(ElevationGrid::smooth);
    }
    Ok(elevation)
}

/// `EPSG:3763` → 3763.
fn epsg_code(stated: &str) -> Result<u16> {
    let code = stated.trim().split_once(':').filter(|(register, _)| register.eq_ignore_ascii_case("EPSG"));
    code.and_then(|(_, code)| code.parse().ok()).ok_or_else(|| {
        let fault = Fault::Setting { expected: "an EPSG code, for example \"EPSG:3763\"".to_owned() };
        Problem::of_file("elevation", fault).in_column("crs").with_value(stated).into()
    })
}

fn read_grid(path: &Path, stated: Option<u16>) -> Result<ElevationGrid> {
    let name = file_name(path);
    if !path.is_file() {
        return Err(Problem::of_file(path.display().to_string(), Fault::NotFound).into());
    }
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    match ending.as_deref() {
        Some("hgt") => read_hgt(path, &name),
        Some("tif" | "tiff") => guarded(&name, || read_geotiff(path, &name, stated)),
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
    let (projection, top) = (Projection::Degrees, south + 1.0);
    Ok(ElevationGrid { projection, left: west, top, step_x: step, step_y: step, width, heights_m })
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

fn read_geotiff(path: &Path, name: &str, stated: Option<u16>) -> Result<ElevationGrid> {
    let file = BufReader::new(File::open(path).map_err(Error::file(path))?);
    let wrong = |_| Error::from(Problem::of_file(name, Fault::WrongFormat { expected: "GeoTIFF" }));
    let mut decoder = Decoder::new(file).map_err(wrong)?;
    let (width, height) = decoder.dimensions().map_err(unreadable(name))?;
    let keys = decoder.get_tag_u16_vec(Tag::GeoKeyDirectoryTag).unwrap_or_default();
    let scale = decoder.get_tag_f64_vec(Tag::ModelPixelScaleTag).map_err(unreadable(name))?;
    let tie = decoder.get_tag_f64_vec(Tag::ModelTiepointTag).map_err(unreadable(name))?;
    let void = decoder.get_tag_ascii_string(Tag::GdalNodata).ok();
    let void = void.and_then(|text| text.trim_matches(['\0', ' ']).parse::<f32>().ok());
    let (&[step_x, step_y, ..], &[column, row, _, x, y, ..]) = (scale.as_slice(), tie.as_slice()) else {
        return Err(unreadable(name)("the raster has no position"));
    };
    let projection = projection(name, &keys, stated)?;
    let half_pixel = if geo_key(&keys, RASTER_TYPE) == Some(PIXEL_IS_POINT) { 0.0 } else { 0.5 };
    let left = x + (half_pixel - column) * step_x;
    let top = y - (half_pixel - row) * step_y;
    let heights_m = heights(name, decoder.read_image().map_err(unreadable(name))?, void)?;
    let (columns, rows) = (width as usize, height as usize);
    if heights_m.len() != columns * rows || heights_m.is_empty() {
        return Err(unreadable(name)("the raster is not one band"));
    }
    let grid = ElevationGrid { projection, left, top, step_x, step_y, width: columns, heights_m };
    let last = (columns as f64 - 1.0, rows as f64 - 1.0);
    let on_earth = grid.centre(0.0, 0.0).is_some() && grid.centre(last.0, last.1).is_some();
    if !(step_x > 0.0 && step_y > 0.0 && on_earth) {
        return Err(unreadable(name)("the raster does not lie on the earth in its system"));
    }
    Ok(grid)
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
    use crate::model::elevation::Voids;
    use crate::model::place::Place;
    use tiff::encoder::{TiffEncoder, colortype::GrayI16};

    fn read_raw(path: PathBuf) -> Result<Elevation> {
        read(&[path], None, Smoothing::None)
    }

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
                let void = (575..=625).contains(&row) && (575..=625).contains(&column);
                let height = if void { SRTM_VOID } else { 1200 - row };
                bytes.extend(height.to_be_bytes());
            }
        }
        std::fs::write(&path, bytes).unwrap();
        let elevation = read_raw(path).unwrap();
        assert_eq!(elevation.sample_m(at(106.25, 29.0)), Some(0.0));
        assert_eq!(elevation.sample_m(at(106.25, 30.0)), Some(1200.0));
        assert_eq!(elevation.sample_m(at(106.25, 29.25)), Some(300.0));
        assert_eq!(elevation.sample_m(at(106.5, 29.5)), None);
        // A square of 51 pixels; 16 from each side are filled.
        assert_eq!(elevation.voids, Voids { found: 51 * 51, filled: 51 * 51 - 19 * 19 });
        assert_eq!(elevation.sample_m(at(108.0, 29.5)), None);
    }

    fn write_geotiff(path: &Path, [scale, x, y]: [f64; 3], keys: &[u16], heights: &[i16; 6]) {
        let mut encoder = TiffEncoder::new(File::create(path).unwrap()).unwrap();
        let mut image = encoder.new_image::<GrayI16>(3, 2).unwrap();
        let tags = image.encoder();
        tags.write_tag(Tag::ModelPixelScaleTag, &[scale, scale, 0.0][..]).unwrap();
        tags.write_tag(Tag::ModelTiepointTag, &[0.0, 0.0, 0.0, x, y, 0.0][..]).unwrap();
        if !keys.is_empty() {
            tags.write_tag(Tag::GeoKeyDirectoryTag, keys).unwrap();
        }
        tags.write_tag(Tag::GdalNodata, "-9999").unwrap();
        image.write_data(heights).unwrap();
    }

    const IN_DEGREES: [f64; 3] = [0.1, 106.0, 30.0];
    const HEIGHTS: [i16; 6] = [10, 20, 30, 40, 50, -9999];

    fn degrees(system: u16, raster_type: u16) -> [u16; 16] {
        [1, 1, 0, 3, MODEL_TYPE, 0, 1, 2, RASTER_TYPE, 0, 1, raster_type, GEOGRAPHIC_TYPE, 0, 1, system]
    }

    fn projected(system: u16) -> [u16; 16] {
        [1, 1, 0, 3, MODEL_TYPE, 0, 1, 1, RASTER_TYPE, 0, 1, 1, PROJECTED_TYPE, 0, 1, system]
    }

    #[test]
    fn a_geotiff_pixel_is_an_area_or_a_point_as_it_says() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("area.tif");
        write_geotiff(&path, IN_DEGREES, &degrees(4326, 1), &HEIGHTS);
        let elevation = read_raw(path).unwrap();
        assert_eq!(elevation.sample_m(at(106.05, 29.95)), Some(10.0));
        assert_eq!(elevation.sample_m(at(106.1, 29.95)), Some(15.0));
        // The void is the mean of 20, 30 and 50.
        assert_eq!(elevation.sample_m(at(106.25, 29.85)), Some(100.0 / 3.0));
        assert_eq!(elevation.voids, Voids { found: 1, filled: 1 });
        let path = folder.path().join("point.tif");
        write_geotiff(&path, IN_DEGREES, &degrees(4490, PIXEL_IS_POINT), &HEIGHTS);
        assert_eq!(read_raw(path).unwrap().sample_m(at(106.0, 30.0)), Some(10.0));
    }

    /// The corner of the raster is pyproj's x and y of 106.55° E, 29.56° N in UTM 48N (`model/projection.rs`).
    const IN_UTM: [f64; 3] = [30.0, 650_158.451 - 15.0, 3_271_033.576 + 15.0];

    #[test]
    fn a_projected_geotiff_is_sampled_in_its_own_system() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("utm.tif");
        write_geotiff(&path, IN_UTM, &projected(32648), &HEIGHTS);
        let elevation = read_raw(path.clone()).unwrap();
        assert!((elevation.sample_m(at(106.55, 29.56)).unwrap() - 10.0).abs() < 1e-3);
        assert_eq!(elevation.sample_m(at(106.56, 29.56)), None);
        // What the file says of itself stands.
        let stated = read(&[path], Some("EPSG:3763"), Smoothing::None).unwrap();
        assert_eq!(stated.sample_m(at(106.55, 29.56)), elevation.sample_m(at(106.55, 29.56)));
    }

    #[test]
    fn a_geotiff_without_a_system_needs_one_stated() {
        let folder = tempfile::tempdir().unwrap();
        for keys in [&[][..], &projected(USER_DEFINED)] {
            let path = folder.path().join("bare.tif");
            write_geotiff(&path, IN_UTM, keys, &HEIGHTS);
            let refused = read_raw(path.clone()).unwrap_err().to_string();
            assert!(refused.contains("bare.tif") && refused.contains("EPSG:3763"), "{refused}");
            let elevation = read(&[path], Some("epsg:32648"), Smoothing::None).unwrap();
            assert!((elevation.sample_m(at(106.55, 29.56)).unwrap() - 10.0).abs() < 1e-3);
        }
        let wrong = read(&[], Some("UTM 48N"), Smoothing::None).unwrap_err().to_string();
        assert!(wrong.contains("\"UTM 48N\"") && wrong.contains("EPSG:3763"), "{wrong}");
    }

    #[test]
    fn what_is_no_raster_in_a_known_system_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mixed.tif");
        let refused = |path: &Path| read_raw(path.to_owned()).unwrap_err().to_string();
        for (keys, code) in [(degrees(32648, 1), "EPSG:32648"), (projected(26710), "EPSG:26710")] {
            write_geotiff(&path, IN_UTM, &keys, &HEIGHTS);
            assert!(refused(&path).contains(code), "{code}");
        }
        write_geotiff(&path, IN_UTM, &degrees(4326, 1), &HEIGHTS);
        assert!(refused(&path).contains("on the earth"));
        let path = folder.path().join("text.tif");
        std::fs::write(&path, "no raster").unwrap();
        assert!(refused(&path).contains("no GeoTIFF file"));
    }
}
