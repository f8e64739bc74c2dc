//! Terrain heights from `GeoTIFF` and SRTM `.hgt` files.

use super::files::file_name;
use super::geotiff;
use super::lists::{self, Layout, list};
use crate::model::elevation::{Elevation, ElevationGrid, Voids, Window};
use crate::model::error::{Error, Result};
use crate::model::problem::{Fault, Problem};
use crate::model::projection::Projection;
use crate::model::smoothing::Smoothing;
use arrow_array::types::{Float32Type, Float64Type, UInt64Type};
use std::path::{Path, PathBuf};

/// SRTM marks voids with this value (SRTM User's Guide, section 2.1.3).
const SRTM_VOID: i16 = -32768;
/// Read rasters, in the order in which they answer; fill their voids and smooth them.
///
/// `stated_crs` (`EPSG:3763`) is the system of rasters that do not name their own; what a file says of itself counts.
///
/// # Errors
/// A problem when a file is missing, of another kind, damaged, or in a system that is unknown or unstated.
pub fn read(paths: &[PathBuf], stated_crs: Option<&str>, smoothing: Smoothing) -> Result<Elevation> {
    let stated = stated_crs.map(|crs| geotiff::epsg_code("elevation", crs)).transpose()?;
    let grids = paths.iter().map(|path| read_grid(path, stated)).collect::<Result<_>>()?;
    let mut elevation = Elevation { grids, ..Elevation::default() };
    elevation.fill_voids();
    if smoothing == Smoothing::SavitzkyGolay {
        elevation.grids.iter_mut().for_each(ElevationGrid::smooth);
    }
    Ok(elevation)
}

fn read_grid(path: &Path, stated: Option<u16>) -> Result<ElevationGrid> {
    let name = file_name(path);
    if !path.is_file() {
        return Err(Problem::of_file(path.display().to_string(), Fault::NotFound).into());
    }
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    match ending.as_deref() {
        Some("hgt") => read_hgt(path, &name),
        Some("tif" | "tiff") => read_geotiff(path, &name, stated),
        _ => {
            let known = vec!["tif".to_owned(), "tiff".to_owned(), "hgt".to_owned()];
            Err(Problem::of_file(name, Fault::UnknownName { known }).in_column("file ending").into())
        }
    }
}

/// Write heights in degrees as a `GeoTIFF` of 32-bit numbers that [`read`] reads back.
///
/// # Errors
/// When the file system refuses.
pub fn write(path: &Path, grid: &ElevationGrid) -> Result<()> {
    geotiff::write_degrees(
        path,
        [grid.left, grid.top],
        [grid.step_x, grid.step_y],
        grid.width,
        &grid.heights_m,
    )
}

const LAYOUT: Layout = Layout { version: "walkshed-elevation/1", expected: "walkshed elevation" };

/// Keep rasters as they are in memory, windows of larger ones too, for [`load`].
///
/// # Errors
/// When the file system refuses.
pub fn save(path: &Path, elevation: &Elevation) -> Result<()> {
    let grids = &elevation.grids;
    let degrees = |of: fn(&ElevationGrid) -> f64| list::<Float64Type>(grids.iter().map(of));
    let whole =
        |of: fn(&ElevationGrid) -> usize| list::<UInt64Type>(grids.iter().map(|grid| of(grid) as u64));
    let columns = vec![
        ("epsg", list::<UInt64Type>(grids.iter().map(|grid| u64::from(grid.projection.code())))),
        ("left", degrees(|grid| grid.left)),
        ("top", degrees(|grid| grid.top)),
        ("step_x", degrees(|grid| grid.step_x)),
        ("step_y", degrees(|grid| grid.step_y)),
        ("width", whole(|grid| grid.width)),
        ("height", whole(ElevationGrid::height)),
        ("column", whole(|grid| grid.whole().column)),
        ("row", whole(|grid| grid.whole().row)),
        ("columns", whole(|grid| grid.whole().columns)),
        ("rows", whole(|grid| grid.whole().rows)),
        ("height_m", list::<Float32Type>(grids.iter().flat_map(|grid| grid.heights_m.iter().copied()))),
        ("voids", list::<UInt64Type>([elevation.voids.found, elevation.voids.filled])),
    ];
    lists::save(path, LAYOUT, columns)
}

/// Read what [`save`] kept.
///
/// # Errors
/// A problem when the file is missing, something else, or damaged.
pub fn load(path: &Path) -> Result<Elevation> {
    lists::load(path, LAYOUT, |lists| {
        let wholes = |name| lists.values::<UInt64Type>(name);
        let numbers = |name| lists.values::<Float64Type>(name);
        let (epsg, width, height) = (wholes("epsg")?, wholes("width")?, wholes("height")?);
        let (left, top) = (numbers("left")?, numbers("top")?);
        let (step_x, step_y) = (numbers("step_x")?, numbers("step_y")?);
        let (column, row) = (wholes("column")?, wholes("row")?);
        let (columns, rows) = (wholes("columns")?, wholes("rows")?);
        let heights_m = lists.values::<Float32Type>("height_m")?;
        let (mut grids, mut first) = (Vec::with_capacity(epsg.len()), 0);
        for at in 0..epsg.len() {
            let last = first + usize::try_from(width[at].checked_mul(height[at])?).ok()?;
            let window = [column[at], row[at], columns[at], rows[at]].map(|number| number as usize);
            grids.push(ElevationGrid {
                projection: projection(epsg[at])?,
                left: left[at],
                top: top[at],
                step_x: step_x[at],
                step_y: step_y[at],
                width: width[at] as usize,
                heights_m: heights_m.get(first..last)?.to_vec(),
                window: Some(Window {
                    column: window[0],
                    row: window[1],
                    columns: window[2],
                    rows: window[3],
                }),
            });
            first = last;
        }
        let voids = wholes("voids")?;
        let [found, filled] = voids[..].try_into().ok()?;
        Some(Elevation { grids, voids: Voids { found, filled } })
    })
}

fn projection(code: u64) -> Option<Projection> {
    Projection::from_epsg(u16::try_from(code).ok()?)
}

/// One degree of big-endian i16 heights; the file name gives its south-west corner, the size its step.
fn read_hgt(path: &Path, name: &str) -> Result<ElevationGrid> {
    let length = std::fs::metadata(path).map_err(Error::file(path))?.len();
    let wrong = || Problem::of_file(name, Fault::WrongFormat { expected: "SRTM .hgt" });
    let (south, west) = corner_in_name(name).ok_or_else(wrong)?;
    let width = match length {
        25_934_402 => 3601,
        2_884_802 => 1201,
        _ => return Err(wrong().into()),
    };
    let bytes = std::fs::read(path).map_err(Error::file(path))?;
    if bytes.len() as u64 != length {
        return Err(Problem::of_file(name, Fault::ChangedWhileRead).into());
    }
    let height = |pair: &[u8]| match i16::from_be_bytes([pair[0], pair[1]]) {
        SRTM_VOID => f32::NAN,
        metres => f32::from(metres),
    };
    let step = 1.0 / (width - 1) as f64;
    let heights_m = bytes.chunks_exact(2).map(height).collect();
    let (projection, top) = (Projection::Degrees, south + 1.0);
    Ok(ElevationGrid {
        projection,
        left: west,
        top,
        step_x: step,
        step_y: step,
        width,
        heights_m,
        window: None,
    })
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
    let raster = geotiff::read(path, name, stated)?;
    let height = |&value: &f64| if value.is_finite() { value as f32 } else { f32::NAN };
    Ok(ElevationGrid {
        heights_m: raster.values.iter().map(height).collect(),
        projection: raster.projection,
        left: raster.left,
        top: raster.top,
        step_x: raster.step_x,
        step_y: raster.step_y,
        width: raster.width,
        window: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::geotiff::{
        GEOGRAPHIC_TYPE, MODEL_TYPE, PIXEL_IS_POINT, PROJECTED_TYPE, RASTER_TYPE, USER_DEFINED,
    };
    use crate::model::elevation::Voids;
    use crate::model::place::Place;
    use std::fs::File;
    use tiff::encoder::{TiffEncoder, colortype::GrayI16};
    use tiff::tags::Tag;

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
            assert!(refused.contains("bare.tif") && refused.contains("EPSG:4545"), "{refused}");
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
