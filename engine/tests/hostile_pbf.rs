//! Hostile and damaged street files, by the numbers of docs/design/2026-11-hostile-input.md (P1 to P15): each is one error
//! that says what is wrong and where, or is read with what was left out counted.
//!
//! **Every file here is made up**, byte by byte where it is wrong.

mod towns;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use std::io::Write;
use std::path::{Path, PathBuf};
use towns::pbf::{Message, deltas, push_blob, zigzag};
use towns::study::StudyFolder;
use walkshed::io::defaults;
use walkshed::io::osm::{self, Extract, Wanted};
use walkshed::model::damage::Damage;
use walkshed::model::error::{Error, Result};
use walkshed::model::limits::Amount;
use walkshed::model::problem::{Fault, Problem};
use walkshed::model::progress::Progress;

// ------------------------------------------------------------------ files, byte by byte

const TEXTS: [&[u8]; 5] = [b"", b"highway", b"footway", b"name", b"steps"];

/// A block of these texts and groups.
fn block(texts: &[&[u8]], groups: &[Message]) -> Message {
    let (mut table, mut block) = (Message::default(), Message::default());
    for text in texts {
        table.bytes(1, text);
    }
    block.bytes(1, &table.0);
    for group in groups {
        block.bytes(2, &group.0);
    }
    block
}

/// A message of one field that is a message.
fn holding(field: u64, message: &Message) -> Message {
    let mut outer = Message::default();
    outer.bytes(field, &message.0);
    outer
}

/// Dense nodes without tags, in steps of 1e-7 degrees.
fn dense(nodes: &[(i64, i64, i64)]) -> Message {
    let mut dense = Message::default();
    dense.packed(1, deltas(nodes.iter().map(|node| node.0)));
    dense.packed(8, deltas(nodes.iter().map(|node| node.2)));
    dense.packed(9, deltas(nodes.iter().map(|node| node.1)));
    dense
}

/// A footway through these nodes, of a version when one is given.
fn footway(id: i64, refs: &[i64], version: Option<u64>) -> Message {
    let mut way = Message::default();
    way.varint(1, id.cast_unsigned());
    way.packed(2, [1]);
    way.packed(3, [2]);
    if let Some(version) = version {
        let mut info = Message::default();
        info.varint(1, version);
        way.bytes(4, &info.0);
    }
    way.packed(8, deltas(refs.iter().copied()));
    way
}

fn header(features: &[(u64, &str)]) -> Message {
    let mut header = Message::default();
    for (field, feature) in features {
        header.bytes(*field, feature.as_bytes());
    }
    header
}

const PLAIN: [(u64, &str); 2] = [(4, "OsmSchema-V0.6"), (4, "DenseNodes")];

fn file_of(header: &Message, blocks: &[Message]) -> Vec<u8> {
    let mut file = Vec::new();
    push_blob(&mut file, "OSMHeader", &header.0).expect("a test file");
    for block in blocks {
        push_blob(&mut file, "OSMData", &block.0).expect("a test file");
    }
    file
}

/// Three nodes in a row, 100 steps of 1e-7 degrees apart.
const THREE: [(i64, i64, i64); 3] =
    [(1, 1_065_500_000, 295_600_000), (2, 1_065_510_000, 295_600_000), (3, 1_065_520_000, 295_600_000)];

fn nodes_block() -> Message {
    block(&TEXTS, &[holding(2, &dense(&THREE))])
}

fn ways_block(ways: &[Message]) -> Message {
    let groups: Vec<Message> = ways.iter().map(|way| holding(3, way)).collect();
    block(&TEXTS, &groups)
}

/// A file of the three nodes and one way, with other blocks between.
fn small_file(between: &[Message]) -> Vec<u8> {
    let mut blocks = vec![nodes_block(), ways_block(&[footway(10, &[1, 2, 3], None)])];
    blocks.extend(between.iter().map(|block| Message(block.0.clone())));
    file_of(&header(&PLAIN), &blocks)
}

/// A blob whose message is written by hand.
fn push_raw(file: &mut Vec<u8>, kind: &str, blob: &Message) {
    let mut header = Message::default();
    header.bytes(1, kind.as_bytes());
    header.varint(3, blob.0.len() as u64);
    file.extend((header.0.len() as u32).to_be_bytes());
    file.extend(&header.0);
    file.extend(&blob.0);
}

fn zlib(content: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content).expect("a test file");
    encoder.finish().expect("a test file")
}

fn zlib_blob(content: &[u8], stated: u64) -> Message {
    let mut blob = Message::default();
    blob.varint(2, stated);
    blob.bytes(3, &zlib(content));
    blob
}

// ------------------------------------------------------------------ reading them

fn read_path(path: &Path) -> Result<Extract> {
    let rules = defaults::walking_rules();
    osm::read(path, Wanted { rules: &rules, catalogue: None, buildings: None }, &Progress::default())
}

fn read(bytes: &[u8]) -> Result<Extract> {
    let folder = StudyFolder::empty();
    read_path(&folder.write("made.osm.pbf", bytes))
}

#[track_caller]
fn refused(bytes: &[u8]) -> Problem {
    match read(bytes) {
        Err(Error::Input(problems)) => {
            assert_eq!((problems.len(), problems[0].file.as_str()), (1, "made.osm.pbf"), "{problems:?}");
            problems[0].clone()
        }
        other => panic!("{other:?}"),
    }
}

/// The damage of a file whose third block is wrong, and that the message says where it is.
#[track_caller]
fn damage(wrong: Message) -> Damage {
    let good = small_file(&[]);
    let problem = refused(&small_file(&[wrong]));
    let Fault::DamagedBlob { at_byte, damage } = problem.fault else { panic!("{problem}") };
    assert_eq!(at_byte, good.len() as u64, "{problem}");
    assert!(problem.to_string().contains(&format!("byte {at_byte}")), "{problem}");
    damage
}

fn shared_data() -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    std::env::var_os("WALKSHED_DATA").map_or_else(beside, PathBuf::from)
}

/// Real extracts, where they are there.
fn real_extracts() -> Vec<PathBuf> {
    let names = [
        "helsinki/centre",
        "munich/centre",
        "portland/streets",
        "porto_alegre/streets",
        "heidelberg/streets",
    ];
    let paths = names.map(|name| shared_data().join(format!("{name}.osm.pbf")));
    let there: Vec<PathBuf> = paths.into_iter().filter(|path| path.is_file()).collect();
    if there.is_empty() {
        eprintln!("skipped: no extracts in {}", shared_data().display());
    }
    there
}

// ------------------------------------------------------------------ the file as a whole

#[test]
fn the_file_that_the_other_tests_spoil_can_be_read() {
    let extract = read(&small_file(&[])).expect("a test file");
    assert_eq!((extract.streets.nodes.len(), extract.streets.ways.len()), (3, 1));
    assert!((extract.streets.nodes[1].place.lon() - 106.551).abs() < 1e-9);
    assert!(extract.findings.is_empty());
}

/// P1: cut off anywhere but between blobs.
#[test]
fn a_real_extract_cut_off_inside_a_blob_is_refused() {
    let Some(path) = real_extracts().into_iter().next() else { return };
    let bytes = std::fs::read(path).expect("a test file");
    let folder = StudyFolder::empty();
    let mut borders = vec![0];
    while let Some(&at) = borders.last().filter(|&&at| at < bytes.len()) {
        borders.push(at + blob_length(&bytes[at..]));
    }
    let mut told = 0;
    for cut in (1..bytes.len()).step_by(bytes.len() / 1000).filter(|cut| !borders.contains(cut)) {
        let Err(Error::Input(problems)) = read_path(&folder.write("cut.osm.pbf", &bytes[..cut])) else {
            panic!("cut at {cut}")
        };
        assert!(matches!(problems[0].fault, Fault::Truncated { .. } | Fault::WrongFormat { .. }), "{cut}");
        told += 1;
    }
    assert!(told >= 900, "{told}");
}

/// P2: cut off between blobs, where the format has no sign of it.
#[test]
fn real_extracts_cut_off_between_blobs_are_refused_or_told() {
    let folder = StudyFolder::empty();
    let (mut cuts, mut told, mut silent) = (0, 0, Vec::new());
    for path in real_extracts() {
        let bytes = std::fs::read(&path).expect("a test file");
        let cut_codes = |bytes: &[u8]| match read_path(&folder.write("cut.osm.pbf", bytes)) {
            Ok(extract) => extract.findings.iter().map(|finding| finding.fault.code()).collect::<Vec<_>>(),
            Err(_) => vec!["refused"],
        };
        assert!(!cut_codes(&bytes).contains(&"looks_cut"), "{} is whole", path.display());
        let mut at = blob_length(&bytes);
        while at < bytes.len() {
            cuts += 1;
            let codes = cut_codes(&bytes[..at]);
            if codes.contains(&"refused") || codes.contains(&"looks_cut") {
                told += 1;
            } else {
                silent.push((path.clone(), at, bytes.len()));
            }
            at += blob_length(&bytes[at..]);
        }
    }
    assert!(told * 100 >= cuts * 90, "{told} of {cuts}: {silent:?}");
}

/// Bytes of the blob that begins here, by the fixed layout that its writer uses.
fn blob_length(bytes: &[u8]) -> usize {
    let header = u32::from_be_bytes(bytes[..4].try_into().expect("a test file")) as usize;
    let mut size = 0;
    let sizes = &bytes[4..4 + header];
    let at = sizes.iter().rposition(|&byte| byte == 0x18).expect("a test file");
    for (shift, byte) in (0..).step_by(7).zip(&sizes[at + 1..]) {
        size |= usize::from(byte & 0x7f) << shift;
    }
    4 + header + size
}

/// P2: the sum beside a file.
#[test]
fn an_md5_beside_the_file_is_held_against_it() {
    let folder = StudyFolder::empty();
    let path = folder.write("town.osm.pbf", b"abc");
    // RFC 1321, appendix A.5: MD5 ("abc") = 900150983cd24fb0d6963f7d28e17f72.
    folder.write("town.osm.pbf.md5", "900150983cd24fb0d6963f7d28e17f72  town.osm.pbf\n");
    assert!(walkshed::io::files::check_sidecar(&path, &Progress::default()).is_ok());
    let bytes = small_file(&[]);
    folder.write("town.osm.pbf", &bytes);
    let told = read_path(&path).unwrap_err().to_string();
    assert!(told.contains("900150983cd24fb0d6963f7d28e17f72") && told.contains("MD5"), "{told}");
    folder.write("town.osm.pbf.md5", "not found");
    assert!(read_path(&path).unwrap_err().to_string().contains("town.osm.pbf.md5"));
}

/// P3: references to nodes that are not there.
#[test]
fn missing_nodes_are_counted_and_split_the_way() {
    let ways = [footway(10, &[1, 2, 9, 3, 2], None), footway(11, &[8, 9], None)];
    let extract = read(&file_of(&header(&PLAIN), &[nodes_block(), ways_block(&ways)])).expect("a test file");
    assert_eq!(extract.left_out.missing_nodes, 3);
    assert_eq!(extract.streets.refs, [0, 1, 2, 1]);
    assert_eq!(extract.findings[0].fault, Fault::MissingNodes { missing: 3, of: 7 });
}

/// P4: lengths beyond the format's own limits, and lengths that are not true.
#[test]
fn a_header_or_blob_beyond_the_format_is_refused_at_once() {
    let mut long_header = small_file(&[]);
    long_header.extend(70_000_u32.to_be_bytes());
    long_header.extend(vec![0; 70_000]);
    assert_eq!(refused(&long_header).fault.code(), "truncated");
    let mut huge = small_file(&[]);
    push_raw(&mut huge, "OSMData", &zlib_blob(b"", 33 << 20));
    let Fault::TooLarge { amount, found, most } = refused(&huge).fault else { panic!() };
    assert_eq!((amount, found, most), (Amount::BlobBytes, 33 << 20, 32 << 20));
}

#[test]
fn a_blob_that_is_not_as_large_as_it_says_is_damaged() {
    let content = &nodes_block().0;
    for stated in [0, content.len() as u64 - 1, content.len() as u64 + 1, 30 << 20] {
        let mut file = small_file(&[]);
        let at = file.len() as u64;
        push_raw(&mut file, "OSMData", &zlib_blob(content, stated));
        assert_eq!(
            refused(&file).fault,
            Fault::DamagedBlob { at_byte: at, damage: Damage::Size },
            "{stated}"
        );
    }
    // 20 MiB of zeros that say they are one byte.
    let mut bomb = small_file(&[]);
    push_raw(&mut bomb, "OSMData", &zlib_blob(&vec![0; 20 << 20], 1));
    assert_eq!(refused(&bomb).fault.code(), "damaged_blob");
}

#[test]
fn compressed_data_with_a_flipped_bit_are_damaged() {
    let content = nodes_block().0;
    let packed = zlib(&content);
    let mut unseen = 0;
    for at in 0..packed.len() {
        let mut spoilt = packed.clone();
        spoilt[at] ^= 0x10;
        let mut blob = Message::default();
        blob.varint(2, content.len() as u64);
        blob.bytes(3, &spoilt);
        let mut file = small_file(&[]);
        push_raw(&mut file, "OSMData", &blob);
        match read(&file) {
            Err(error) => {
                assert!(error.to_string().contains("is damaged"), "byte {at}: {error}");
            }
            Ok(_) => unseen += 1,
        }
    }
    // Bits that fill up the last byte before the checksum say nothing.
    assert!(unseen <= 1, "{unseen} of {}", packed.len());
}

/// P5: many blobs that are sound and large, and too many of them.
#[test]
fn the_bytes_of_all_blobs_together_are_limited() {
    // A text of 31 MiB in every block; packed, a block is 31 KiB.
    let text = vec![b'a'; 31 << 20];
    let block = block(&[b"", &text], &[]);
    let mut file = small_file(&[]);
    for _ in 0..8 {
        push_raw(&mut file, "OSMData", &zlib_blob(&block.0, block.0.len() as u64));
    }
    let Fault::TooLarge { amount, found, most } = refused(&file).fault else { panic!() };
    assert_eq!((amount, most), (Amount::InflatedRatio, 200));
    assert!(found > 200, "{found}");
    // Whoever knows better may say so.
    let folder = StudyFolder::empty();
    let path = folder.write("made.osm.pbf", &file);
    let rules = defaults::walking_rules();
    let wanted = Wanted { rules: &rules, catalogue: None, buildings: None };
    assert!(osm::read_within(&path, wanted, 1100, &Progress::default()).is_ok());
}

/// P6: ways of packing, and features, that are not read.
#[test]
fn a_codec_that_is_not_read_is_named_with_the_way_out() {
    for (field, codec) in [(4, "lzma"), (5, "bzip2"), (6, "lz4"), (7, "zstd"), (9, "unknown")] {
        let mut file = small_file(&[]);
        let at_byte = file.len() as u64;
        let mut blob = Message::default();
        blob.varint(2, 10);
        blob.bytes(field, b"0123456789");
        push_raw(&mut file, "OSMData", &blob);
        let problem = refused(&file);
        assert_eq!(problem.fault, Fault::UnknownCodec { at_byte, codec });
        assert!(problem.to_string().contains("osmium cat -f pbf,pbf_compression=zlib"), "{problem}");
    }
}

#[test]
fn an_uncompressed_blob_is_read() {
    let mut file = file_of(&header(&PLAIN), &[nodes_block()]);
    let mut blob = Message::default();
    blob.bytes(1, &ways_block(&[footway(10, &[1, 2], None)]).0);
    push_raw(&mut file, "OSMData", &blob);
    assert_eq!(read(&file).expect("a test file").streets.ways.len(), 1);
}

#[test]
fn a_feature_that_is_needed_and_unknown_is_named() {
    let needs = |feature| refused(&file_of(&header(&[PLAIN[0], (4, feature)]), &[nodes_block()])).fault;
    assert_eq!(needs("Teleporters"), Fault::UnknownFeature { feature: "Teleporters".to_owned() });
    assert_eq!(needs("HistoricalInformation"), Fault::HistoryFile);
    let optional = file_of(
        &header(&[PLAIN[0], PLAIN[1], (5, "Sort.Type_then_ID"), (5, "Teleporters")]),
        &[nodes_block(), ways_block(&[footway(10, &[1, 2], None)])],
    );
    assert!(read(&optional).is_ok());
}

// ------------------------------------------------------------------ blocks

/// P7: one file for every fault that a decoder can pass over or fall over.
#[test]
fn every_damage_of_a_block_is_told() {
    let way = |keys: &[u64], values: &[u64], refs: &[u64]| {
        let mut way = Message::default();
        way.varint(1, 50);
        way.packed(2, keys.iter().copied());
        way.packed(3, values.iter().copied());
        way.packed(8, refs.iter().copied());
        ways_block(&[way])
    };
    assert_eq!(damage(way(&[1], &[99], &[2])), Damage::TextIndex);
    assert_eq!(damage(way(&[u64::MAX], &[1], &[2])), Damage::TextIndex);
    assert_eq!(damage(way(&[1, 3], &[2], &[2])), Damage::UnequalColumns);
    assert_eq!(damage(way(&[1], &[2], &[zigzag(i64::MAX), zigzag(i64::MAX)])), Damage::Overflow);
    let nameless = Message::default();
    assert_eq!(damage(ways_block(&[nameless])), Damage::MissingField);
    assert_eq!(damage(Message(vec![0x0a, 0x7f])), Damage::FieldTooLong);
    assert_eq!(damage(Message(vec![0x0b])), Damage::FieldKind);
    assert_eq!(damage(Message([&[0x88, 0x01][..], &[0xff; 11]].concat())), Damage::NumberTooLong);
    let mut twice = Message(nodes_block().0);
    twice.bytes(1, b"");
    twice.bytes(1, &[0x0a, 0x00]);
    assert_eq!(damage(twice), Damage::RepeatedField);
    for granularity in [0, (-100_i64).cast_unsigned()] {
        let mut block = nodes_block();
        block.varint(17, granularity);
        assert_eq!(damage(block), Damage::Granularity);
    }
}

#[test]
fn dense_nodes_of_unequal_columns_are_damaged() {
    for (ids, lats, lons, tags) in
        [(2, 3, 3, 0), (3, 2, 3, 0), (3, 3, 2, 0), (3, 3, 3, 2), (3, 3, 3, 4), (3, 0, 0, 0)]
    {
        let mut dense = Message::default();
        dense.packed(1, vec![2; ids]);
        dense.packed(8, vec![2; lats]);
        dense.packed(9, vec![2; lons]);
        dense.packed(10, vec![0; tags]);
        assert_eq!(
            damage(block(&TEXTS, &[holding(2, &dense)])),
            Damage::UnequalColumns,
            "{ids} {lats} {lons} {tags}"
        );
    }
    let mut odd = dense(&THREE);
    odd.packed(10, [1, 2, 0, 0, 1]);
    assert_eq!(damage(block(&TEXTS, &[holding(2, &odd)])), Damage::UnequalColumns);
}

#[test]
fn coordinates_that_add_up_beyond_the_number_are_damaged() {
    let most = i64::MAX / 2;
    for nodes in [[(1, 0, most), (2, 0, most)], [(1, most, 0), (2, most, 0)]] {
        // Times the granularity of 100 they do not fit.
        assert_eq!(damage(block(&TEXTS, &[holding(2, &dense(&nodes))])), Damage::Overflow);
    }
    let mut offset = nodes_block();
    offset.varint(19, i64::MAX.cast_unsigned());
    assert_eq!(damage(offset), Damage::Overflow);
}

#[test]
fn a_relation_with_an_unknown_kind_of_member_or_unequal_columns_is_damaged() {
    let relation = |roles: &[u64], ids: &[u64], kinds: &[u64]| {
        let mut relation = Message::default();
        relation.varint(1, 7);
        relation.packed(8, roles.iter().copied());
        relation.packed(9, ids.iter().copied());
        relation.packed(10, kinds.iter().copied());
        block(&TEXTS, &[holding(4, &relation)])
    };
    assert_eq!(damage(relation(&[0], &[2], &[3])), Damage::MemberKind);
    assert_eq!(damage(relation(&[9], &[2], &[1])), Damage::TextIndex);
    assert_eq!(damage(relation(&[0], &[2, 2], &[1, 1])), Damage::UnequalColumns);
    assert_eq!(damage(relation(&[0, 0], &[2, 2], &[1])), Damage::UnequalColumns);
}

#[test]
fn a_text_that_is_no_utf8_is_read_with_a_sign_and_counted() {
    let texts: [&[u8]; 4] = [b"", b"highway", b"footway", b"\xff\xfe"];
    let mut way = footway(10, &[1, 2], None);
    way.packed(9, []);
    let extract = read(&file_of(&header(&PLAIN), &[nodes_block(), block(&texts, &[holding(3, &way)])]))
        .expect("a test file");
    assert_eq!((extract.left_out.garbled_texts, extract.streets.ways.len()), (1, 1));
}

/// P8: what was.
#[test]
fn deleted_elements_are_a_history_and_refused() {
    let mut info = Message::default();
    info.varint(1, 3);
    info.varint(6, 0);
    let mut way = footway(11, &[1, 2], None);
    way.bytes(4, &info.0);
    assert_eq!(refused(&small_file(&[ways_block(&[way])])).fault, Fault::HistoryFile);
    let mut nodes = dense(&THREE);
    let mut info = Message::default();
    info.packed(1, [1, 1, 2]);
    info.packed(6, [1, 1, 0]);
    nodes.bytes(5, &info.0);
    let problem = refused(&small_file(&[block(&TEXTS, &[holding(2, &nodes)])]));
    assert!(problem.fault == Fault::HistoryFile && problem.to_string().contains("osmium time-filter"));
}

#[test]
fn places_on_ways_stand_for_nodes_that_are_left_out() {
    let with_places = |refs: &[i64]| {
        let mut way = footway(10, refs, None);
        way.packed(9, deltas(THREE.iter().map(|node| node.2)));
        way.packed(10, deltas(THREE.iter().map(|node| node.1)));
        ways_block(&[way])
    };
    let located = header(&[PLAIN[0], PLAIN[1], (5, "LocationsOnWays")]);
    let only_ways = read(&file_of(&located, &[with_places(&[1, 2, 3])])).expect("a test file");
    let usual = read(&small_file(&[])).expect("a test file");
    let places = |extract: &Extract| {
        extract.streets.nodes.iter().map(|node| (node.id, node.place)).collect::<Vec<_>>()
    };
    assert_eq!(places(&only_ways), places(&usual));
    assert_eq!(only_ways.left_out.missing_nodes, 0);
    // Fewer places than references.
    let problem = refused(&file_of(&located, &[with_places(&[1, 2])]));
    assert!(matches!(problem.fault, Fault::DamagedBlob { damage: Damage::UnequalColumns, .. }), "{problem}");
}

/// P9: the order of a file does not matter, and of one element the last version counts.
#[test]
fn blocks_in_any_order_are_the_same_streets() {
    let ways = ways_block(&[footway(10, &[1, 2, 3], None), footway(-4, &[3, 1], None)]);
    let sorted =
        read(&file_of(&header(&PLAIN), &[nodes_block(), Message(ways.0.clone())])).expect("a test file");
    let turned = read(&file_of(&header(&PLAIN), &[ways, nodes_block()])).expect("a test file");
    assert_eq!(format!("{:?}", sorted.streets.nodes), format!("{:?}", turned.streets.nodes));
    assert_eq!(sorted.streets.refs, turned.streets.refs);
    assert_eq!(sorted.left_out.repeated_elements, 0);
}

#[test]
fn of_one_element_the_highest_version_counts_wherever_it_stands() {
    let version = |version, refs: &[i64]| footway(10, refs, Some(version));
    for order in [[1, 2, 3], [3, 1, 2], [2, 3, 1]] {
        let ways: Vec<Message> = order.iter().map(|&of| version(of, &[1, of.cast_signed()])).collect();
        let blocks: Vec<Message> = std::iter::once(nodes_block())
            .chain(ways.iter().map(|way| ways_block(&[Message(way.0.clone())])))
            .collect();
        let extract = read(&file_of(&header(&PLAIN), &blocks)).expect("a test file");
        assert_eq!((extract.streets.ways.len(), extract.left_out.repeated_elements), (1, 2), "{order:?}");
        assert_eq!(extract.streets.nodes.iter().map(|node| node.id).collect::<Vec<_>>(), [1, 3]);
    }
    // Without versions the last in the file.
    let moved = block(&TEXTS, &[holding(2, &dense(&[(2, 1_065_515_000, 295_600_000)]))]);
    let extract = read(&small_file(&[moved])).expect("a test file");
    assert_eq!(extract.left_out.repeated_elements, 1);
    assert!((extract.streets.nodes[1].place.lon() - 106.5515).abs() < 1e-9);
}

#[test]
fn ids_may_be_negative_or_larger_than_a_float_can_tell_apart() {
    let large = 1_i64 << 60;
    let nodes =
        [(-5, THREE[0].1, THREE[0].2), (large, THREE[1].1, THREE[1].2), (large + 1, THREE[2].1, THREE[2].2)];
    let blocks = [
        block(&TEXTS, &[holding(2, &dense(&nodes))]),
        ways_block(&[footway(large, &[-5, large, large + 1], None)]),
    ];
    let extract = read(&file_of(&header(&PLAIN), &blocks)).expect("a test file");
    assert_eq!(extract.streets.nodes.iter().map(|node| node.id).collect::<Vec<_>>(), [-5, large, large + 1]);
    assert_eq!(extract.streets.ways[0].id, large);
}

/// P10: ways that lead nowhere or back.
#[test]
fn ways_of_no_length_are_counted_and_ways_that_repeat_a_node_are_kept() {
    let ways = [
        footway(10, &[], None),
        footway(11, &[1], None),
        footway(12, &[1, 1], None),
        footway(13, &[1, 2, 1, 3], None),
    ];
    let extract = read(&file_of(&header(&PLAIN), &[nodes_block(), ways_block(&ways)])).expect("a test file");
    assert_eq!(extract.left_out.short_ways, 2);
    assert_eq!(extract.streets.ways.iter().map(|way| way.id).collect::<Vec<_>>(), [12, 13]);
}

/// P14: places that are none, and the one where missing positions end up.
#[test]
fn nodes_outside_the_world_are_counted_and_those_at_zero_told() {
    let nodes = [THREE[0], THREE[1], (3, 1_810_000_000, 0), (4, 0, 910_000_000), (5, 0, 0)];
    let blocks =
        [block(&TEXTS, &[holding(2, &dense(&nodes))]), ways_block(&[footway(10, &[1, 2, 3, 4, 5], None)])];
    let extract = read(&file_of(&header(&PLAIN), &blocks)).expect("a test file");
    let left_out = &extract.left_out;
    assert_eq!((left_out.misplaced_nodes, left_out.missing_nodes, left_out.nodes_at_zero), (2, 2, 1));
}

/// P15: what was downloaded instead.
#[test]
fn another_kind_of_file_is_named() {
    for (bytes, kind) in [
        (&b""[..], Some("empty")),
        (b"<?xml version='1.0'?><osm/>", Some("XML")),
        (b"\n<!DOCTYPE html><html>", Some("HTML")),
        (b"\x1f\x8b\x08\0", Some("gzip")),
        (b"BZh91AY", Some("bzip2")),
        (b"PK\x03\x04", Some("zip")),
        (b"PAR1", Some("Parquet")),
        (b"{\"type\":1}", Some("JSON")),
        (b"lon,lat\n1,2\n", None),
    ] {
        let problem = refused(bytes);
        assert_eq!((problem.fault.code(), problem.value.as_deref()), ("wrong_format", kind));
    }
    let folder = StudyFolder::empty();
    std::fs::create_dir(folder.path("a.osm.pbf")).expect("a test file");
    let told = read_path(&folder.path("a.osm.pbf")).unwrap_err().to_string();
    assert!(told.contains("this is no file"), "{told}");
}
