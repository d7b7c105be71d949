//! A request that passes through the proxy.

use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A request as received.
pub(super) struct Request {
    head: String,
    body: Vec<u8>,
}

impl Request {
    /// Reads a whole request; `None` if the client closes the connection first.
    pub(super) async fn read(caller: &mut TcpStream) -> io::Result<Option<Self>> {
        let mut bytes = Vec::new();
        let end = loop {
            if let Some(end) = head_end(&bytes) {
                break end;
            }
            if caller.read_buf(&mut bytes).await? == 0 {
                return Ok(None);
            }
        };
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let mut body = bytes.split_off(end);
        let header = |name: &str| {
            let lines = head.lines().filter_map(|line| line.split_once(':'));
            let mut found = lines.filter(|(header, _)| header.eq_ignore_ascii_case(name));
            found.next().map(|(_, value)| value.trim().to_owned())
        };
        assert_eq!(header("transfer-encoding"), None, "a chunked body");
        let length = header("content-length");
        let length: usize =
            length.map_or(0, |length| length.parse().expect("a length is a number"));
        while body.len() < length {
            if caller.read_buf(&mut body).await? == 0 {
                return Ok(None);
            }
        }
        Ok(Some(Self { head, body }))
    }

    /// Method and path, without the query, which may carry a signature.
    pub(super) fn name(&self) -> String {
        let mut words = self.head.split([' ', '?']);
        let (method, path) = (words.next(), words.next());
        [method, path].map(Option::unwrap_or_default).join(" ")
    }

    /// Sends the request and returns the response. Each request has its own connections, so that
    /// the end of the connection is the end of the response.
    pub(super) async fn ask(&self, upstream: &str) -> io::Result<Vec<u8>> {
        let lines = self.head.trim_end().split("\r\n");
        let kept = lines.filter(|line| !line.to_ascii_lowercase().starts_with("connection:"));
        let mut head = kept.collect::<Vec<_>>().join("\r\n");
        head.push_str("\r\nConnection: close\r\n\r\n");
        let mut service = TcpStream::connect(upstream).await?;
        service.write_all(head.as_bytes()).await?;
        service.write_all(&self.body).await?;
        let mut response = Vec::new();
        service.read_to_end(&mut response).await?;
        Ok(response)
    }
}

/// The middle of the body, or of the head if there is no body to truncate.
pub(super) fn middle(response: &[u8]) -> usize {
    let end = head_end(response).unwrap_or(response.len());
    match response.len() - end {
        0 | 1 => end / 2,
        body => end + body / 2,
    }
}

/// Offset of the end of the head, including its empty line.
fn head_end(bytes: &[u8]) -> Option<usize> {
    let position = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    Some(position + 4)
}
