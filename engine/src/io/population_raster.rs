//! People from a raster: a number of people in every pixel.

use super::files::file_name;
use super::geotiff::{self, Raster};
use super::table::out_of_range;
use crate::model::error::Result;
use crate::model::population::{Home, Pixels, Residents};
use crate::model::problem::{Fault, Problem};
use crate::model::schema::COUNT;
use geo::{Coord, LineString, MultiPolygon, Polygon};
use std::path::Path;

/// Whether a source of people is a raster, by the ending of its name.
pub fn is_raster(path: &Path) -> bool {
    path.extension()
        .is_some_and(|ending| ["tif", "tiff"].iter().any(|known| ending.eq_ignore_ascii_case(known)))
}

/// Read people: each pixel with people is an outline. Pixels without data, with NaN or with nobody are counted; those with
/// numbers that are no people are added to `rejected`, their row being the row of pixels from the north.
///
/// `stated_crs` (`EPSG:3763`) is the system of a raster that does not name its own.
///
/// # Errors
/// A problem when the file cannot be read, or no pixel has people.
pub fn read(
    path: &Path,
    stated_crs: Option<&str>,
    rejected: &mut Vec<Problem>,
) -> Result<(Residents, Pixels)> {
    let name = file_name(path);
    let stated = stated_crs.map(|crs| geotiff::epsg_code("population", crs)).transpose()?;
    let raster = geotiff::read(path, &name, stated)?;
    let mut residents = Residents { file: name.clone(), ..Residents::default() };
    let mut pixels = Pixels { all: raster.values.len() as u64, ..Pixels::default() };
    for (at, &value) in raster.values.iter().enumerate() {
        let (column, row) = (at % raster.width, at / raster.width);
        if value.is_nan() {
            pixels.nan += 1;
        } else if value == f64::INFINITY {
            pixels.no_data += 1;
        } else if value == 0.0 {
            pixels.nobody += 1;
        } else if let (true, Some(outline)) = (COUNT.allows(value), outline(&raster, column, row)) {
            residents.home.push(Home::Outline(outline));
            residents.source.push((Some(row as u64 + 1), Some(format!("pixel {}", column + 1))));
            residents.people.push(value);
        } else {
            pixels.rejected += 1;
            let fault = out_of_range(COUNT, value).unwrap_or(Fault::BadGeometry {
                reason: "the pixel lies outside longitude and latitude".to_owned(),
            });
            let problem = Problem::of_file(&name, fault).at_row(row as u64 + 1);
            rejected.push(problem.in_column(format!("pixel {}", column + 1)).with_value(value.to_string()));
        }
    }
    if residents.home.is_empty() {
        return Err(Problem::of_file(name, Fault::EmptyTable).in_column("people").into());
    }
    Ok((residents, pixels))
}

fn outline(raster: &Raster, column: usize, row: usize) -> Option<MultiPolygon> {
    let corners = [(-0.5, -0.5), (-0.5, 0.5), (0.5, 0.5), (0.5, -0.5), (-0.5, -0.5)];
    let corner = |(right, down): (f64, f64)| {
        let place = raster.place(column as f64 + right, row as f64 + down)?;
        Some(Coord { x: place.lon(), y: place.lat() })
    };
    let ring: Option<Vec<Coord>> = corners.into_iter().map(corner).collect();
    Some(MultiPolygon::new(vec![Polygon::new(LineString::new(ring?), vec![])]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::geotiff::{MODEL_TYPE, PROJECTED_TYPE, RASTER_TYPE};
    use crate::model::place::Place;
    use geo::Centroid;
    use std::fs::File;
    use std::path::PathBuf;
    use tiff::encoder::{TiffEncoder, colortype::Gray32Float};
    use tiff::tags::Tag;

    /// Pixels of 100 m in UTM 48N; the north-west corner is pyproj's x and y of 106.55 E, 29.56 N.
    fn write(folder: &Path, people: &[f32; 6]) -> PathBuf {
        let path = folder.join("people.tif");
        let mut encoder = TiffEncoder::new(File::create(&path).unwrap()).unwrap();
        let mut image = encoder.new_image::<Gray32Float>(3, 2).unwrap();
        let keys = [1_u16, 1, 0, 3, MODEL_TYPE, 0, 1, 1, RASTER_TYPE, 0, 1, 1, PROJECTED_TYPE, 0, 1, 32648];
        let tags = image.encoder();
        tags.write_tag(Tag::ModelPixelScaleTag, &[100.0, 100.0, 0.0][..]).unwrap();
        tags.write_tag(Tag::ModelTiepointTag, &[0.0, 0.0, 0.0, 650_158.451, 3_271_033.576, 0.0][..]).unwrap();
        tags.write_tag(Tag::GeoKeyDirectoryTag, &keys[..]).unwrap();
        tags.write_tag(Tag::GdalNodata, "-3.40282346638529e+38").unwrap();
        image.write_data(people).unwrap();
        path
    }

    #[test]
    fn every_pixel_is_people_or_counted_or_rejected() {
        let folder = tempfile::tempdir().unwrap();
        let path = write(folder.path(), &[12.5, f32::MIN, f32::NAN, 0.0, -7.0, 30.0]);
        let mut rejected = Vec::new();
        let (residents, pixels) = read(&path, None, &mut rejected).unwrap();
        assert_eq!(residents.people, [12.5, 30.0]);
        assert_eq!(pixels, Pixels { all: 6, nobody: 1, no_data: 1, nan: 1, rejected: 1 });
        let told: Vec<String> = rejected.iter().map(ToString::to_string).collect();
        assert!(told.len() == 1 && told[0].starts_with("people.tif, row 2"), "{told:?}");
        assert!(told[0].contains("pixel 2") && told[0].contains("\"-7\""), "{told:?}");
    }

    #[test]
    fn people_of_pixels_stay_where_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let path = write(folder.path(), &[10.0, 20.0, 30.0, 40.0, 50.0, 60.5]);
        let (residents, _) = read(&path, None, &mut Vec::new()).unwrap();
        let Home::Outline(first) = &residents.home[0] else { panic!("a pixel is an outline") };
        let corner = Place::new(106.55, 29.56).unwrap();
        let middle = first.centroid().unwrap();
        let away_m = Place::new(middle.x(), middle.y()).unwrap().distance_m(corner);
        assert!((away_m - 50.0 * f64::sqrt(2.0)).abs() < 0.1, "{away_m}");
    }

    #[test]
    fn a_raster_of_nobody_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = write(folder.path(), &[0.0; 6]);
        assert!(read(&path, None, &mut Vec::new()).unwrap_err().to_string().contains("people.tif"));
    }
}
