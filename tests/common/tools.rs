//! Programs that tools/setup installs, and folders that end with a test.

use std::path::PathBuf;

use tempfile::TempDir;

/// A program or file below `.tools/`; a test without it fails and says how to install it.
pub(crate) fn tool(path: &str) -> PathBuf {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(".tools").join(path);
    assert!(file.exists(), "{} is missing; run tools/setup", file.display());
    file
}

/// A folder that is removed when dropped, on the disk of the binary so that the binary can be linked into it.
pub(crate) fn temporary_folder() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder for the test")
}
