//! The HTTP clients that every call goes through.

use std::time::Duration;

use chrono::TimeDelta;
use hyper_util::client::proxy::matcher::Matcher;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::redirect::Policy;

use reqwest::{Client, ClientBuilder, Url};

use crate::model::is_loopback;
use crate::release;

/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest silence inside an answer.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// Two clients: one that honours `HTTPS_PROXY` and `NO_PROXY`, and one that asks directly.
#[derive(Clone, Debug)]
pub struct Transport {
    outside: Client,
    direct: Client,
}

impl Transport {
    /// Builds the clients. TLS is rustls with ring and the roots of the operating system; redirects are never
    /// followed, because a signed request is meant for one host.
    ///
    /// # Errors
    ///
    /// When the operating system's certificates cannot be loaded, or a proxy setting is malformed.
    pub fn new() -> reqwest::Result<Self> {
        // Fails only when another part of the process installed one before: then that one serves.
        rustls::crypto::ring::default_provider()
            .install_default()
            .ok();
        let builder = || -> ClientBuilder {
            Client::builder()
                .user_agent(format!("duo-sentinel/{}", release::VERSION))
                .redirect(Policy::none())
                .connect_timeout(CONNECT_TIMEOUT)
                .read_timeout(READ_TIMEOUT)
        };
        Ok(Self {
            outside: builder().build()?,
            direct: builder().no_proxy().build()?,
        })
    }

    /// The client for an address: never through a proxy to this machine.
    pub fn client_for(&self, origin: &str) -> Client {
        if Url::parse(origin).is_ok_and(|url| is_loopback(&url)) {
            self.direct()
        } else {
            self.outside()
        }
    }

    /// The client that goes through the proxy where one is set.
    pub fn outside(&self) -> Client {
        self.outside.clone()
    }

    /// The client that uses no proxy, as identity endpoints need.
    pub fn direct(&self) -> Client {
        self.direct.clone()
    }
}

/// The proxy that the environment names for an address, host and port without user and password; none where calls go
/// directly. The same code decides here and for the calls themselves.
pub(crate) fn proxy_for(origin: &str) -> Option<String> {
    if Url::parse(origin).is_ok_and(|url| is_loopback(&url)) {
        return None;
    }
    let proxy = Matcher::from_env().intercept(&origin.parse().ok()?)?;
    let (host, port) = (proxy.uri().host()?, proxy.uri().port_u16());
    Some(match port {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

/// The causes of a transport error in one line. The URL must have been removed: it carries cursors.
pub(crate) fn transport_reason(fault: &reqwest::Error) -> String {
    if fault.is_timeout() {
        return "no answer in time".to_owned();
    }
    let mut reason = fault.to_string();
    let mut source = std::error::Error::source(fault);
    while let Some(cause) = source {
        let text = cause.to_string();
        if !reason.contains(&text) {
            reason = format!("{reason}: {text}");
        }
        source = cause.source();
    }
    reason
}

/// `Retry-After`; as a date it is not read: neither Duo nor Azure Monitor is known to send one.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<TimeDelta> {
    let seconds: i64 = headers
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()?;
    TimeDelta::try_seconds(seconds).filter(|pause| *pause >= TimeDelta::zero())
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderMap, HeaderValue, RETRY_AFTER};

    use super::{TimeDelta, retry_after};

    #[test]
    fn retry_after_is_read_in_seconds_and_nothing_else() {
        let read = |value: &'static str| {
            retry_after(&HeaderMap::from_iter([(
                RETRY_AFTER,
                HeaderValue::from_static(value),
            )]))
        };
        assert_eq!(read("7"), Some(TimeDelta::seconds(7)));
        assert_eq!(read("-1"), None);
        assert_eq!(read("Sun, 22 Nov 2026 12:00:00 GMT"), None);
        assert_eq!(read("9223372036854775807"), None);
    }
}
