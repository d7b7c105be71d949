//! Loopback addresses.

use reqwest::Url;

/// Parses a loopback URL without TLS and path, for tests and the demo. Other requests use TLS.
pub(crate) fn loopback(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok().filter(|url| url.scheme() == "http" && is_loopback(url))?;
    let bare = url.path() == "/" && url.query().is_none() && url.username().is_empty();
    bare.then_some(url)
}

pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}
