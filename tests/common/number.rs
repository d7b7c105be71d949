//! Numbers that say how long a test runs.

/// A number from the environment, if there is one.
pub(crate) fn number(name: &str) -> Option<u64> {
    text(name)?.parse().ok()
}

/// A text from the environment, if there is one.
pub(crate) fn text(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "how long a test runs is no setting")]
    std::env::var(name).ok()
}
