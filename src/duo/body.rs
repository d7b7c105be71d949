//! Reads the body of a response, decompressed and within a bound.

use std::io::{self, Write};

use flate2::write::MultiGzDecoder;
use reqwest::Response;
use reqwest::header::{CONTENT_ENCODING, HeaderMap};

use crate::http;

/// The only encoding that requests accept.
pub(super) const ACCEPTED_ENCODING: &str = "gzip";

#[derive(Debug)]
pub(super) enum BodyError {
    Transport(reqwest::Error),
    TooLarge,
    /// Not in an accepted encoding, or damaged.
    Encoding(&'static str),
}

impl From<reqwest::Error> for BodyError {
    fn from(error: reqwest::Error) -> Self {
        Self::Transport(error)
    }
}

/// Reads a body of at most `most` bytes, counted after decompression.
pub(super) async fn read_body(response: &mut Response, most: usize) -> Result<Vec<u8>, BodyError> {
    if !is_gzip(response.headers())? {
        return http::read_body(response, most).await?.ok_or(BodyError::TooLarge);
    }
    let mut decoder = decoder(most);
    while let Some(chunk) = response.chunk().await? {
        decoder.write_all(&chunk).map_err(|error| of_decoder(&error))?;
    }
    Ok(decoder.finish().map_err(|error| of_decoder(&error))?.content)
}

fn is_gzip(headers: &HeaderMap) -> Result<bool, BodyError> {
    let Some(encoding) = headers.get(CONTENT_ENCODING) else {
        return Ok(false);
    };
    match encoding.as_bytes().to_ascii_lowercase().as_slice() {
        b"" | b"identity" => Ok(false),
        b"gzip" | b"x-gzip" => Ok(true),
        _ => Err(BodyError::Encoding("the Content-Encoding is not gzip")),
    }
}

/// Content that grows while it is decompressed.
struct Bounded {
    content: Vec<u8>,
    most: usize,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() > self.most - self.content.len() {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.content.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn decoder(most: usize) -> MultiGzDecoder<Bounded> {
    MultiGzDecoder::new(Bounded { content: Vec::new(), most })
}

fn of_decoder(error: &io::Error) -> BodyError {
    match error.kind() {
        io::ErrorKind::FileTooLarge => BodyError::TooLarge,
        _ => BodyError::Encoding("the gzip body is damaged"),
    }
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use reqwest::header::HeaderValue;

    use super::*;

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    /// Decompresses in pieces of this size.
    fn decompress(body: &[u8], piece: usize, most: usize) -> Result<Vec<u8>, BodyError> {
        let mut decoder = decoder(most);
        for piece in body.chunks(piece) {
            decoder.write_all(piece).map_err(|error| of_decoder(&error))?;
        }
        Ok(decoder.finish().map_err(|error| of_decoder(&error))?.content)
    }

    #[test]
    fn a_body_is_decompressed_whatever_its_pieces_are() {
        let content: Vec<u8> = (0..=255).cycle().take(100_000).collect();
        let two_members = [gzip(&content[..70_000]), gzip(&content[70_000..])].concat();
        for body in [gzip(&content), two_members] {
            for piece in [1, 7, 4_096, usize::MAX] {
                assert_eq!(decompress(&body, piece, content.len()).unwrap(), content);
            }
        }
    }

    #[test]
    fn a_bomb_is_refused_once_it_exceeds_the_bound() {
        let bomb = gzip(&vec![b' '; 1_000_000]);
        for most in [0, 1, 999_999] {
            assert!(matches!(decompress(&bomb, 64, most), Err(BodyError::TooLarge)), "{most}");
        }
        assert_eq!(decompress(&bomb, 64, 1_000_000).unwrap().len(), 1_000_000);
    }

    #[test]
    fn a_damaged_body_is_refused() {
        let body = gzip(b"some content that is long enough to be cut anywhere");
        for end in 1..body.len() {
            let cut = decompress(&body[..end], 5, 1_000);
            assert!(matches!(cut, Err(BodyError::Encoding(_))), "{end}: {cut:?}");
        }
        assert!(matches!(decompress(b"{\"stat\":\"OK\"}", 5, 1_000), Err(BodyError::Encoding(_))));
        let mut flipped = body;
        let middle = flipped.len() / 2;
        flipped[middle] ^= 0x55;
        assert!(matches!(decompress(&flipped, 5, 1_000), Err(BodyError::Encoding(_))));
    }

    #[test]
    fn only_gzip_is_accepted() {
        let is_gzip = |encoding: &'static str| {
            let encoding = HeaderValue::from_static(encoding);
            is_gzip(&HeaderMap::from_iter([(CONTENT_ENCODING, encoding)]))
        };
        assert!(is_gzip("gzip").unwrap() && is_gzip("X-GZip").unwrap());
        assert!(!is_gzip("identity").unwrap());
        for other in ["br", "deflate", "gzip, gzip"] {
            assert!(matches!(is_gzip(other), Err(BodyError::Encoding(_))), "{other}");
        }
    }
}
