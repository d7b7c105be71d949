//! Numbers and texts from the environment that say how long a test runs.

pub(crate) fn number(name: &str) -> Option<u64> {
    text(name)?.parse().ok()
}

pub(crate) fn text(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "how long a test runs is no setting")]
    std::env::var(name).ok()
}
