//! The folder of a demo, and what may be replaced in it.

use std::path::Path;
use std::{fs, io};

/// Left in the folder of a demo, so that the next one knows what it may replace.
const MARK: &str = "made-by-duo-sentinel-demo";

/// Empties the folder of an earlier demo, or makes a new one; anything else in the way stays as it is.
pub(super) fn prepare(folder: &Path) -> io::Result<()> {
    let is_ours = folder.join(MARK).exists();
    for part in [folder.join("rows"), folder.join("state")] {
        if part.exists() && !is_ours {
            let fault = format!(
                "{} is there and not of a demo; give another --folder",
                part.display()
            );
            return Err(io::Error::other(fault));
        }
        if part.exists() {
            fs::remove_dir_all(&part)?;
        }
        fs::create_dir_all(&part)?;
    }
    fs::write(folder.join(MARK), "")
}
