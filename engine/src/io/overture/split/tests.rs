//! Files of tiles against the whole file, both read.

use super::*;
use crate::io::defaults;
use crate::io::geoparquet;
use crate::io::overture::{Overture, read};
use arrow_array::{ArrayRef, Float64Array, ListArray, StringArray, StructArray};
use arrow_buffer::OffsetBuffer;
use geo::{Geometry, LineString, Point};
use proptest::prelude::*;

/// Numbers by chance, the same for a seed (own choice of Knuth's constants).
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

/// A column of lists of connectors: id and position.
fn connector_lists(rows: &[Vec<(String, f64)>]) -> ArrayRef {
    let ids: Vec<&str> = rows.iter().flatten().map(|(id, _)| id.as_str()).collect();
    let at: Vec<f64> = rows.iter().flatten().map(|(_, at)| *at).collect();
    let fields = vec![
        Arc::new(Field::new("connector_id", DataType::Utf8, false)),
        Arc::new(Field::new("at", DataType::Float64, false)),
    ];
    let items = StructArray::new(
        fields.clone().into(),
        vec![Arc::new(StringArray::from(ids)), Arc::new(Float64Array::from(at))],
        None,
    );
    let item = Arc::new(Field::new("item", DataType::Struct(fields.into()), false));
    let lengths = OffsetBuffer::from_lengths(rows.iter().map(Vec::len));
    Arc::new(ListArray::new(item, lengths, Arc::new(items), None))
}

fn write(path: &Path, columns: Vec<(&str, ArrayRef)>, geometry: ArrayRef) {
    let mut fields: Vec<Field> =
        columns.iter().map(|(name, column)| Field::new(*name, column.data_type().clone(), true)).collect();
    fields.push(geometry::wkb_field("geometry"));
    let mut arrays: Vec<ArrayRef> = columns.into_iter().map(|(_, column)| column).collect();
    arrays.push(geometry);
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap();
    geoparquet::write(path, &batch, &Progress::default()).unwrap();
}

/// Segments between connectors on a grid of about 200 m, which do not agree on where a connector is; some are wrong, and on
/// some nobody may walk.
fn write_segments(path: &Path, rows: u64, chance: &mut Chance) {
    let (mut ids, mut kinds, mut lists, mut lines) = (vec![], vec![], vec![], vec![]);
    let side = 4 + (rows / 40).min(12);
    for row in 0..rows {
        let mut corner = || [chance.below(side), chance.below(12)];
        let (from, middle, to) = (corner(), corner(), corner());
        let mut name =
            |[x, y]: [u64; 2], at: f64| (chance.below(9) > 0).then(|| (format!("connector {x} {y}"), at));
        let mut named: Vec<(String, f64)> = [name(from, 0.0), name(to, 1.0)].into_iter().flatten().collect();
        let mut place = |[x, y]: [u64; 2]| {
            let off = chance.below(3) as f64 * 1e-7;
            (x as f64 * 0.002 + off, y as f64 * 0.002 + off)
        };
        let line = LineString::from(vec![place(from), place(middle), place(to)]);
        let line = match chance.below(30) {
            0 => None,
            1 => Some(Geometry::Point(Point::new(0.0, 0.0))),
            _ => Some(Geometry::LineString(line)),
        };
        if chance.below(30) == 0 {
            named.push(("nowhere".to_owned(), 1.5));
        }
        ids.push(format!("segment {row}"));
        kinds.push(["footway", "residential", "steps", "motorway"][chance.below(4) as usize]);
        lists.push(named);
        lines.push(line);
    }
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(StringArray::from(ids))),
        ("subtype", Arc::new(StringArray::from(vec!["road"; rows as usize]))),
        ("class", Arc::new(StringArray::from(kinds))),
        ("connectors", connector_lists(&lists)),
    ];
    write(path, columns, geometry::encode_some(lines.into_iter()));
}

/// A table of some of the connectors, one of them twice.
fn write_connectors(path: &Path, chance: &mut Chance) {
    let mut rows: Vec<[u64; 2]> = (0..60).map(|_| [chance.below(8), chance.below(12)]).collect();
    rows.push(rows[0]);
    let ids = rows.iter().map(|[x, y]| format!("connector {x} {y}"));
    let places = rows.iter().map(|&[x, y]| {
        Geometry::Point(Point::new(x as f64 * 0.002 + 3e-7, y as f64 * 0.002 + chance.below(2) as f64 * 1e-7))
    });
    let ids: ArrayRef = Arc::new(StringArray::from_iter_values(ids));
    write(path, vec![("id", ids)], geometry::encode(places));
}

fn read_files(segments: &Path, connectors: Option<&Path>) -> Result<Overture> {
    let connectors = connectors.map(|path| Table::read(path).unwrap());
    read(&Table::read(segments)?, connectors.as_ref(), &defaults::walking_rules(), &Progress::default())
}

/// Ways with a node in a block of a tile, as text; nodes by their rank, for their numbers differ and their order may not.
fn touching(found: &Overture, wishes: &Wishes, tile: u32) -> Vec<String> {
    let streets = &found.streets;
    let holds = |&number: &u32| {
        let block = cell::at(streets.nodes[number as usize].place, wishes.resolution);
        wishes.tiles_of.get(&block).is_some_and(|tiles| tiles.contains(&tile))
    };
    let touch = || streets.ways.iter().filter(|way| streets.refs[way.nodes.clone()].iter().any(holds));
    let mut numbers: Vec<u32> = touch().flat_map(|way| streets.refs[way.nodes.clone()].to_vec()).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let node = |number: &u32| {
        let place = streets.nodes[*number as usize].place;
        (numbers.binary_search(number).unwrap(), place.lon().to_bits(), place.lat().to_bits())
    };
    let line = |way: &crate::model::street::Street| -> Vec<_> {
        streets.refs[way.nodes.clone()].iter().map(node).collect()
    };
    touch().map(|way| format!("{} {:?} {:?}", way.id, way.way, line(way))).collect()
}

/// Split a file and hold every tile against the whole; how many tiles there are.
fn check(rows: u64, seed: u64, with_connectors: bool, memory_bytes: u64) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let (segments, connectors) = (at("segment.parquet"), at("connector.parquet"));
    let mut chance = Chance(seed);
    write_segments(&segments, rows, &mut chance);
    write_connectors(&connectors, &mut chance);
    let connectors = with_connectors.then_some(connectors.as_path());
    let source = Source { segments: &segments, connectors };
    let (rules, progress) = (defaults::walking_rules(), Progress::default());
    let grid = (Resolution::Nine, AnalysisCrs::Wgs84);
    let counts = survey(source, &rules, grid, &at("spool"), memory_bytes, &progress);
    let whole = match read_files(&segments, connectors) {
        Ok(whole) => whole,
        Err(error) => {
            assert_eq!(counts.unwrap_err().to_string(), error.to_string());
            return 0;
        }
    };
    let counts = counts.unwrap();
    let mut slow: BTreeMap<CellIndex, u64> = BTreeMap::new();
    for node in &whole.streets.nodes {
        *slow.entry(cell::at(node.place, Resolution::Nine)).or_default() += 1;
    }
    assert_eq!(counts, slow);
    let parents: std::collections::BTreeSet<_> =
        counts.keys().map(|block| block.parent(Resolution::Eight).unwrap()).collect();
    let mut tiles_of: std::collections::HashMap<CellIndex, Vec<u32>> = std::collections::HashMap::new();
    for (tile, parent) in (0..).zip(&parents).filter(|(tile, _)| tile % 5 != 4) {
        let around = parent.children(Resolution::Nine).flat_map(|block| block.grid_disk::<Vec<_>>(1));
        for block in around.collect::<std::collections::BTreeSet<_>>() {
            tiles_of.entry(block).or_default().push(tile);
        }
    }
    let wishes = Wishes { resolution: Resolution::Nine, system: AnalysisCrs::Wgs84, tiles_of };
    let done = split(source, &rules, &wishes, &at("spool"), &at("tiles"), memory_bytes, &progress).unwrap();
    assert_eq!((&done.left_out, &done.rejected), (&whole.left_out, &whole.rejected));
    for tile in (0..parents.len() as u32).filter(|tile| tile % 5 != 4) {
        let expected = touching(&whole, &wishes, tile);
        let Some([segments, _]) = done.tiles.get(&tile) else {
            assert!(expected.is_empty());
            continue;
        };
        let own = connectors_path(&at("tiles"), tile);
        let own = Some(own.as_path()).filter(|path| path.exists());
        let part = read_files(&segments_path(&at("tiles"), tile), own).unwrap();
        assert_eq!(touching(&part, &wishes, tile), expected, "tile {tile}");
        assert!(*segments <= rows);
    }
    let all = |path: fn(&Path, u32) -> PathBuf| -> Vec<Table> {
        let paths = done.tiles.keys().rev().map(|&tile| path(&at("tiles"), tile));
        paths.filter(|path| path.exists()).map(|path| Table::read(&path).unwrap()).collect()
    };
    let together =
        crate::io::overture::read_pieces(&all(segments_path), &all(connectors_path), &rules, &progress)
            .unwrap();
    for &tile in done.tiles.keys() {
        assert_eq!(touching(&together, &wishes, tile), touching(&whole, &wishes, tile), "tile {tile} of all");
    }
    done.tiles.len()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn tiles_of_segments_hold_what_the_whole_holds(
        rows in 1_u64..60, seed in any::<u64>(), with_connectors in any::<bool>(), memory_bytes in 0_u64..40_000,
    ) {
        check(rows, seed, with_connectors, memory_bytes);
    }
}

#[test]
fn segments_that_come_in_several_pieces_are_the_same() {
    for with_connectors in [false, true] {
        assert!(check(17_000, 7, with_connectors, 1 << 20) > 5);
    }
}
