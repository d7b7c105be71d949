//! Programs that tools/setup installs, and temporary folders.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

/// Path below `.tools/`. Panics with an installation hint if it does not exist.
pub(crate) fn tool(path: &str) -> PathBuf {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(".tools").join(path);
    assert!(file.exists(), "{} is missing; run tools/setup", file.display());
    file
}

/// A folder that is removed when dropped, on the same disk as the binary, for hard links.
pub(crate) fn temporary_folder() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder for the test")
}

/// The rows of a table that the simulated Azure Monitor accepted, from the folder with its rows.
pub(crate) fn accepted_rows(folder: &Path, table: &str) -> Vec<Value> {
    let rows = fs::read_to_string(folder.join(format!("{table}.ndjson"))).unwrap_or_default();
    rows.lines().map(|row| serde_json::from_str(row).expect("a row is JSON")).collect()
}

/// Every file below a folder, by relative path.
pub(crate) fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let paths = fs::read_dir(folder).into_iter().flatten();
    let paths = paths.map(|entry| entry.expect("the folder can be listed").path());
    let files = paths.flat_map(|path| {
        let name = path.file_name().expect("a file has a name").to_string_lossy().into_owned();
        if path.is_dir() {
            let below = files(&path).into_iter();
            below.map(|(inner, content)| (format!("{name}/{inner}"), content)).collect()
        } else {
            vec![(name, fs::read(&path).expect("the file can be read"))]
        }
    });
    files.collect()
}

/// The dead-lettered originals in the state folder, by path.
pub(crate) fn originals(state: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut originals = files(&state.join("dead-letter"));
    originals.retain(|path, _| Path::new(path).extension().is_some_and(|kind| kind == "json"));
    originals
}
