//! Numbers and texts from environment variables that control how long a test runs.

pub(crate) fn number(name: &str) -> Option<u64> {
    text(name)?.parse().ok()
}

pub(crate) fn text(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "test duration is not a setting of the program")]
    std::env::var(name).ok()
}
