//! Compressed responses.

use std::io::Write as _;

use axum::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::response::respond;

/// Bytes of one member of a bomb after decompression, and the number of members.
const MEMBER: usize = 16 << 20;
const MEMBERS: usize = 64;

pub(super) fn is_accepted(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT_ENCODING).iter();
    let mut accepted = accepted.filter_map(|value| value.to_str().ok());
    accepted.any(|value| value.split(',').any(|encoding| encoding.trim() == "gzip"))
}

/// 200 with this body, compressed.
pub(super) fn page(body: &[u8]) -> Response {
    respond_gzip(compress(body).into())
}

/// A body of a megabyte that is 1 GiB after decompression.
pub(super) fn bomb() -> Response {
    let member = compress(&vec![b' '; MEMBER]);
    respond_gzip(member.repeat(MEMBERS).into())
}

fn respond_gzip(body: Bytes) -> Response {
    let mut response = respond(StatusCode::OK, "application/json", body);
    response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    response
}

fn compress(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content).expect("memory can be written");
    encoder.finish().expect("memory can be written")
}
