//! The corpus of the fuzz targets, replayed by the same readers in the main build: what a fuzzer once found stays mended.

#[path = "../fuzz/src/readers.rs"]
mod readers;

use std::path::Path;

/// One reader and the folder of its files.
type Target = (&'static str, fn(&[u8]));

const TARGETS: [Target; 14] = [
    ("pbf", readers::pbf),
    ("parquet", readers::parquet),
    ("overture", readers::overture),
    ("geojson", readers::geojson),
    ("csv", readers::csv),
    ("wkb", readers::wkb),
    ("geotiff", readers::geotiff),
    ("hgt", readers::hgt),
    ("store", readers::store),
    ("study_toml", readers::study_toml),
    ("standard_toml", readers::standard_toml),
    ("scenario_toml", readers::scenario_toml),
    ("delta_log", readers::delta_log),
    ("polygon_to_cells", readers::polygon_to_cells),
];

fn files(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut paths: Vec<_> =
        std::fs::read_dir(folder).expect("the corpus").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).expect("a file of the corpus")).collect()
}

#[test]
fn every_file_of_the_corpus_is_answered() {
    for (target, read) in TARGETS {
        let files = files(target);
        assert!(!files.is_empty(), "{target} has no corpus");
        for bytes in &files {
            read(bytes);
        }
    }
}

/// A short smoke without a fuzzer: every file of the corpus cut off, and with other bytes, by a fixed rule.
#[test]
fn every_file_of_the_corpus_is_answered_when_it_is_damaged() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move || {
        // xorshift64 (Marsaglia 2003, "Xorshift RNGs", page 4).
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as usize
    };
    for (target, read) in TARGETS {
        for bytes in files(target) {
            for _ in 0..60 {
                let mut damaged = bytes.clone();
                for _ in 0..=random() % 4 {
                    let at = random() % damaged.len();
                    damaged[at] = random() as u8;
                }
                if random() % 4 == 0 {
                    damaged.truncate(random() % damaged.len());
                }
                read(&damaged);
            }
        }
    }
}
