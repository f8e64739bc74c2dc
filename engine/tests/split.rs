//! The synthetic city, cut into tiles by a stream: every tile has the streets of the whole.

use h3o::{CellIndex, Resolution};
use std::collections::{BTreeSet, HashMap};
use std::fmt::Write;
use walkshed::batch::synthetic;
use walkshed::io::defaults;
use walkshed::io::osm::split::{Wishes, split, survey, tile_path};
use walkshed::io::osm::{Wanted, read};
use walkshed::model::analysis_crs::AnalysisCrs;
use walkshed::model::cell;
use walkshed::model::progress::Progress;
use walkshed::model::street::Streets;

/// Streets with a node in these blocks, as text, in their order.
fn touching(streets: &Streets, blocks: &BTreeSet<CellIndex>, resolution: Resolution) -> String {
    let mut text = String::new();
    for way in &streets.ways {
        let nodes = || streets.refs[way.nodes.clone()].iter().map(|&number| &streets.nodes[number as usize]);
        if nodes().any(|node| blocks.contains(&cell::at(node.place, resolution))) {
            writeln!(text, "{} {:?} {:?}", way.id, way.way, nodes().collect::<Vec<_>>()).expect("text");
        }
    }
    text
}

#[test]
fn tiles_of_a_synthetic_city_have_the_streets_of_the_whole() {
    let (folder, progress) = (tempfile::tempdir().unwrap(), Progress::default());
    let city = folder.path().join("city");
    let size = walkshed::model::synthetic::Wanted::new(20_000, 3).expect("the numbers are in their ranges");
    synthetic::write(size, &city, &progress).expect("a city");
    let path = city.join("streets.osm.pbf");
    let (rules, catalogue, buildings) =
        (defaults::walking_rules(), defaults::catalogue(), defaults::building_rules());
    let wanted = Wanted { rules: &rules, catalogue: Some(&catalogue), buildings: Some(&buildings) };
    let (spool, tiles) = (folder.path().join("spool"), folder.path().join("tiles"));
    let resolution = Resolution::Nine;
    let counts = survey(&path, wanted, (resolution, AnalysisCrs::Wgs84), &spool, 1 << 20, &progress)
        .expect("a survey");
    let parents: BTreeSet<CellIndex> =
        counts.keys().filter_map(|block| block.parent(Resolution::Seven)).collect();
    let around: Vec<BTreeSet<CellIndex>> = parents
        .iter()
        .map(|tile| tile.children(resolution).flat_map(|block| block.grid_disk::<Vec<_>>(1)).collect())
        .collect();
    let mut tiles_of: HashMap<CellIndex, Vec<u32>> = HashMap::new();
    for (number, blocks) in (0..).zip(&around) {
        for &block in blocks {
            tiles_of.entry(block).or_default().push(number);
        }
    }
    let wishes = Wishes { resolution, system: AnalysisCrs::Wgs84, tiles_of };
    let done = split(&path, wanted, &wishes, &spool, &tiles, 1 << 20, &progress).expect("a split");
    let whole = read(&path, wanted, &progress).expect("the city");
    assert_eq!((&done.left_out, &done.findings), (&whole.left_out, &whole.findings));
    assert!(done.synthetic && done.tiles.len() > 3, "{} tiles", done.tiles.len());
    for file in &done.tiles {
        let part = read(&tile_path(&tiles, file.number), wanted, &progress).expect("a tile");
        let blocks = &around[file.number as usize];
        let expected = touching(&whole.streets, blocks, resolution);
        assert!(!expected.is_empty() && part.streets.synthetic);
        assert!(touching(&part.streets, blocks, resolution) == expected, "tile {}", file.number);
    }
}
