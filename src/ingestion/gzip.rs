//! Compressing the body of a request.

use std::io::Write as _;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

/// By measurement: see "Logs Ingestion" in docs/benchmarks.md.
const LEVEL: u32 = 1;
/// What rows come to at the most, as a part of their bytes: room that is taken at once.
const EXPECTED: usize = 8;

pub(super) fn gzip(body: &[u8]) -> Bytes {
    let room = Vec::with_capacity(body.len() / EXPECTED + 64);
    let mut encoder = GzEncoder::new(room, Compression::new(LEVEL));
    let written = encoder.write_all(body).and_then(|()| encoder.finish());
    written.expect("memory takes everything").into()
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::gzip;

    #[test]
    fn what_is_compressed_is_smaller_and_comes_back_whole() {
        let body = br#"{"eventtype_s":"authentication","result_s":"success"},"#.repeat(1000);
        let compressed = gzip(&body);
        assert!(compressed.len() < body.len() / 10, "{} bytes", compressed.len());
        let mut back = Vec::new();
        let mut decoder = flate2::read::GzDecoder::new(&compressed[..]);
        decoder.read_to_end(&mut back).unwrap();
        assert!(back == body);
    }
}
