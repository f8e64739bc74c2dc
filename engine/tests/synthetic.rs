//! The synthetic city, read back by the doors that real cities use.

use std::fs;
use std::path::{Path, PathBuf};
use walkshed::batch::synthetic;
use walkshed::model::progress::Progress;
use walkshed::model::synthetic::Wanted;

fn city(folder: &Path, name: &str, nodes: i64, seed: i64) -> PathBuf {
    let out = folder.join(name);
    let wanted = Wanted::new(nodes, seed).expect("the numbers are in their ranges");
    synthetic::write(wanted, &out, &Progress::default()).expect("a city");
    out
}

/// Every file with its bytes, by name.
fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<(String, Vec<u8>)> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .map(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            (name, fs::read(&path).expect("a file"))
        })
        .collect();
    files.sort();
    files
}

#[test]
fn a_seed_is_a_city_on_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let on = |threads: usize, name: &str, seed: i64| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        contents(&pool.install(|| city(folder.path(), name, 3000, seed)))
    };
    let one = on(1, "one", 1);
    assert!(one == on(3, "three", 1));
    let other = on(2, "two", 2);
    let differs = one.iter().zip(&other).filter(|(a, b)| a != b).count();
    assert_eq!(differs, one.len(), "every file of another seed is another");
}
