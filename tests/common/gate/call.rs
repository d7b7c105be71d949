//! A call as it passes a gate.

use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A call as it came.
pub(super) struct Call {
    head: String,
    body: Vec<u8>,
}

impl Call {
    /// Reads a whole call; `None` where the caller ends before.
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
        assert_eq!(header("transfer-encoding"), None, "a body in chunks");
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

    /// Method and path, without the query: it may carry a signature.
    pub(super) fn name(&self) -> String {
        let mut words = self.head.split([' ', '?']);
        let (method, path) = (words.next(), words.next());
        [method, path].map(Option::unwrap_or_default).join(" ")
    }

    /// The whole answer of the service. Each call has a connection of its own, here and there: its end is the answer's.
    pub(super) async fn ask(&self, upstream: &str) -> io::Result<Vec<u8>> {
        let lines = self.head.trim_end().split("\r\n");
        let kept = lines.filter(|line| !line.to_ascii_lowercase().starts_with("connection:"));
        let mut head = kept.collect::<Vec<_>>().join("\r\n");
        head.push_str("\r\nConnection: close\r\n\r\n");
        let mut service = TcpStream::connect(upstream).await?;
        service.write_all(head.as_bytes()).await?;
        service.write_all(&self.body).await?;
        let mut answer = Vec::new();
        service.read_to_end(&mut answer).await?;
        Ok(answer)
    }
}

/// The middle of the body, or of the head where there is no body to cut.
pub(super) fn middle(answer: &[u8]) -> usize {
    let end = head_end(answer).unwrap_or(answer.len());
    match answer.len() - end {
        0 | 1 => end / 2,
        body => end + body / 2,
    }
}

/// Where the head of a message ends, with its empty line.
fn head_end(bytes: &[u8]) -> Option<usize> {
    let place = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    Some(place + 4)
}
