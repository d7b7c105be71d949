//! Forms of texts that settings take.

/// Whether a text is groups of hexadecimal digits, as an ID of Azure is.
pub(super) fn is_uuid(text: &str) -> bool {
    let groups: Vec<usize> = text.split('-').map(str::len).collect();
    let is_digit = |byte: u8| byte == b'-' || byte.is_ascii_hexdigit();
    groups == [8, 4, 4, 4, 12] && text.bytes().all(is_digit)
}

pub(super) fn is_rule_id(text: &str) -> bool {
    let digits = text.strip_prefix("dcr-").unwrap_or_default();
    digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

pub(super) fn is_stream_name(text: &str) -> bool {
    let name = text.strip_prefix("Custom-").unwrap_or_default();
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    !name.is_empty() && name.bytes().all(allowed)
}

pub(super) fn is_container_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let has_edges = text.starts_with('-') || text.ends_with('-') || text.contains("--");
    (3..=63).contains(&text.len()) && text.bytes().all(allowed) && !has_edges
}
