//! The folder of a demo, and what may be replaced in it.

use std::path::Path;
use std::{fs, io};

/// Marks the folder of a demo, so that the next one replaces nothing else.
const MARK: &str = "made-by-duo-sentinel-demo";

/// Empties the folder of an earlier demo, or creates a new one; anything else is left as it is.
pub(super) fn prepare(folder: &Path) -> io::Result<()> {
    let is_ours = folder.join(MARK).exists();
    for part in [folder.join("rows"), folder.join("state")] {
        if part.exists() {
            if !is_ours {
                let part = part.display();
                let error = format!("{part} exists and is not of a demo; give another --folder");
                return Err(io::Error::other(error));
            }
            fs::remove_dir_all(&part)?;
        }
        fs::create_dir_all(&part)?;
    }
    fs::write(folder.join(MARK), "")
}
