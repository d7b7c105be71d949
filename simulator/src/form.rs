//! Query strings and form bodies: `key=value&key=value`, percent-encoded.

/// The decoded pairs in their order; a key without `=` has an empty value.
pub(crate) fn pairs(form: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(form.as_bytes()).into_owned().collect()
}

/// The value of the first pair with this key.
pub(crate) fn value<'p>(pairs: &'p [(String, String)], key: &str) -> Option<&'p str> {
    pairs.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
}
