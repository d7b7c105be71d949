//! Output that is compared with `tests/expected/`; `UPDATE_EXPECTED=1` rewrites it.

use std::fs;

/// Asserts that `actual` equals the content of the file `name`.
#[track_caller]
pub(crate) fn assert_expected(name: &str, actual: &str) {
    let file = format!("{}/tests/expected/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        fs::write(&file, actual).expect("the sources can be written");
    }
    let expected = fs::read_to_string(&file).unwrap_or_default();
    assert!(expected == actual, "{name} is:\n{actual}\nexpected:\n{expected}");
}
