//! The version of this program and the SHA-256 of its file, to compare with a release.

use std::fs::File;
use std::io::{self, Read as _};
use std::sync::OnceLock;

use sha2::{Digest as _, Sha256};

pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// SHA-256 of the running program's file in hexadecimal, listed as `handler` in `SHA256SUMS`. The
/// first call reads the file. `None` if the operating system does not provide it.
pub(crate) fn sha256() -> Option<&'static str> {
    static DIGEST: OnceLock<Option<String>> = OnceLock::new();
    DIGEST.get_or_init(|| digest().ok()).as_deref()
}

fn digest() -> io::Result<String> {
    let mut program = File::open(std::env::current_exe()?)?;
    let mut hash = Sha256::new();
    let mut part = vec![0; 64 * 1024];
    loop {
        match program.read(&mut part)? {
            0 => return Ok(hex::encode(hash.finalize())),
            length => hash.update(&part[..length]),
        }
    }
}
