//! Places inside a text.

use std::ops::Range;

/// The place of a part of a text in it. The part must be borrowed from the whole, as what serde reads without
/// copying is; for another text the answer is some range that means nothing.
pub(crate) fn position(whole: &str, part: &str) -> Range<usize> {
    let start = (part.as_ptr() as usize).wrapping_sub(whole.as_ptr() as usize);
    start..start.wrapping_add(part.len())
}

#[cfg(test)]
mod tests {
    use super::position;

    #[test]
    fn a_part_is_found_where_it_was_borrowed() {
        let whole = "true true";
        assert_eq!(position(whole, &whole[5..]), 5..9);
    }
}
