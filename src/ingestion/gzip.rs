//! Compression of request bodies.

use std::io::Write as _;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

/// Measured: see "Logs Ingestion" in docs/benchmarks.md.
const LEVEL: u32 = 1;
/// Lowest compression ratio expected; determines the initial capacity.
const EXPECTED: usize = 8;

pub(super) fn gzip(body: &[u8]) -> Bytes {
    let buffer = Vec::with_capacity(body.len() / EXPECTED + 64);
    let mut encoder = GzEncoder::new(buffer, Compression::new(LEVEL));
    let written = encoder.write_all(body).and_then(|()| encoder.finish());
    written.expect("writing to memory cannot fail").into()
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::gzip;

    #[test]
    fn a_compressed_body_is_smaller_and_decompresses_unchanged() {
        let body = br#"{"eventtype_s":"authentication","result_s":"success"},"#.repeat(1000);
        let compressed = gzip(&body);
        assert!(compressed.len() < body.len() / 10, "{} bytes", compressed.len());
        let mut decompressed = Vec::new();
        let mut decoder = flate2::read::GzDecoder::new(&compressed[..]);
        decoder.read_to_end(&mut decompressed).unwrap();
        assert!(decompressed == body);
    }
}
