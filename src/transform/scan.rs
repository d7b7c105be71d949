//! Walks once through the text of a JSON object without building a tree of it.
//!
//! serde has checked the syntax of every record with its page, so only the ends of names and values are searched for.
//! Invalid JSON ends the walk early.

use std::borrow::Cow;

use bytes::Bytes;
use memchr::memchr2;
use smallvec::SmallVec;
use twox_hash::XxHash3_64;

/// The members of an object, in their order: names without quotation marks, names and values as they are spelled.
pub(super) type Members<'a> = SmallVec<[(&'a str, &'a str); 32]>;

/// What a value says, as a number: a hash that does not depend on the order of keys or on white space.
pub(super) type Content = u64;

/// Depth to which the keys of objects may come in any order. Duo's records have four levels.
const DEEPEST: usize = 8;
/// Tell objects, arrays and other values with the same bytes in them apart.
const OBJECT: Content = 1;
const ARRAY: Content = 2;

/// The members of an object, `None` for any other value, and the content of the value.
pub(super) fn members_and_content(text: &str) -> (Option<Members<'_>>, Content) {
    if !text.starts_with('{') {
        return (None, content(text));
    }
    let mut scanner = Scanner::of_container(text);
    let mut members = Members::new();
    let mut sum: Content = 0;
    while let Some(name) = scanner.member() {
        let begin = scanner.at;
        let value = scanner.content(DEEPEST);
        sum = sum.wrapping_add(of_member(name, value));
        members.push((name, &text[begin..scanner.at]));
    }
    (Some(members), combined(OBJECT, sum))
}

/// The content of a value.
pub(super) fn content(text: &str) -> Content {
    Scanner { text, at: 0 }.content(DEEPEST)
}

/// The content of text that is no JSON.
pub(super) fn content_of_bytes(text: &str) -> Content {
    XxHash3_64::oneshot(text.as_bytes())
}

fn of_member(name: &str, value: Content) -> Content {
    XxHash3_64::oneshot_with_seed(value, name.as_bytes())
}

fn combined(one: Content, other: Content) -> Content {
    XxHash3_64::oneshot_with_seed(one, &other.to_le_bytes())
}

/// The members of an object; `None` for any other value.
pub(super) fn members(text: &str) -> Option<Members<'_>> {
    let mut scanner = text.starts_with('{').then(|| Scanner::of_container(text))?;
    let mut members = Members::new();
    while let Some(name) = scanner.member() {
        members.push((name, scanner.value()));
    }
    Some(members)
}

/// The bytes of a name or text between quotation marks without its escapes: UTF-8 except for lone surrogates.
pub(super) fn unescaped(inside: &str) -> Cow<'_, [u8]> {
    if inside.contains('\\') {
        let bytes: Bytes = serde_json::from_str(&format!("\"{inside}\"")).unwrap_or_default();
        Cow::Owned(bytes.into())
    } else {
        Cow::Borrowed(inside.as_bytes())
    }
}

/// A position in the text of an object.
#[derive(Debug)]
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    /// At the beginning of an object or array, behind its bracket.
    pub(super) fn of_container(text: &'a str) -> Self {
        Self { text, at: 1 }
    }

    /// Passes the value at hand and returns its content. Below `depth` a value is what is spelled.
    fn content(&mut self, depth: usize) -> Content {
        match self.first_byte() {
            b'{' if depth > 0 => {
                self.enter();
                let mut sum: Content = 0;
                while let Some(name) = self.member() {
                    let value = self.content(depth - 1);
                    // A sum does not depend on the order.
                    sum = sum.wrapping_add(of_member(name, value));
                }
                combined(OBJECT, sum)
            }
            b'[' if depth > 0 => {
                self.enter();
                let mut all = ARRAY;
                while self.has_element() {
                    all = combined(all, self.content(depth - 1));
                }
                all
            }
            _ => content_of_bytes(self.value()),
        }
    }

    /// Goes to the next element of an array; `false` behind the end of the array.
    fn has_element(&mut self) -> bool {
        while let Some(byte) = self.byte() {
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' | b',' => self.at += 1,
                b']' => {
                    self.at += 1;
                    return false;
                }
                b'}' | b':' => break,
                _ => return true,
            }
        }
        self.at = self.text.len();
        false
    }

    /// Goes to the value of the next member and returns its name as it is spelled, without quotation marks; `None` behind
    /// the end of the object.
    pub(super) fn member(&mut self) -> Option<&'a str> {
        loop {
            match self.byte()? {
                b' ' | b'\t' | b'\n' | b'\r' | b',' => self.at += 1,
                b'"' => break,
                b'}' => {
                    self.at += 1;
                    return None;
                }
                _ => {
                    self.at = self.text.len();
                    return None;
                }
            }
        }
        let begin = self.at + 1;
        self.at = self.end_of_text(begin);
        let name = self.text.get(begin..self.at - 1)?;
        while matches!(self.byte()?, b' ' | b'\t' | b'\n' | b'\r' | b':') {
            self.at += 1;
        }
        Some(name)
    }

    /// The first byte of the value at hand.
    pub(super) fn first_byte(&self) -> u8 {
        self.byte().unwrap_or(b'n')
    }

    /// Goes into the object at hand.
    pub(super) fn enter(&mut self) {
        self.at += 1;
    }

    /// Passes the value at hand and returns it as it is spelled.
    pub(super) fn value(&mut self) -> &'a str {
        let begin = self.at;
        match self.first_byte() {
            b'"' => self.at = self.end_of_text(begin + 1),
            b'{' | b'[' => self.pass_nested(),
            _ => {
                let is_end =
                    |byte: u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r');
                while self.byte().is_some_and(|byte| !is_end(byte)) {
                    self.at += 1;
                }
            }
        }
        &self.text[begin..self.at]
    }

    /// Passes an object or array with all that is in it, however deep.
    fn pass_nested(&mut self) {
        let mut depth = 0_usize;
        while let Some(byte) = self.byte() {
            self.at += 1;
            match byte {
                b'"' => self.at = self.end_of_text(self.at),
                b'{' | b'[' => depth += 1,
                b'}' | b']' => {
                    depth -= 1;
                    if depth == 0 {
                        return;
                    }
                }
                _ => {}
            }
        }
    }

    /// The position behind the quotation mark that ends a text.
    fn end_of_text(&self, begin: usize) -> usize {
        let bytes = self.text.as_bytes();
        let mut at = begin;
        while let Some(found) = bytes.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
            at += found + 1;
            if bytes[at - 1] == b'"' {
                return at;
            }
            at += 1;
        }
        bytes.len()
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::Scanner;

    /// Names and values, those of inner objects too.
    fn walk(text: &str) -> Vec<(String, String)> {
        let mut scanner = Scanner::of_container(text);
        let mut found = Vec::new();
        let mut depth = 1;
        while depth > 0 {
            match scanner.member() {
                None => depth -= 1,
                Some(_) if scanner.first_byte() == b'{' => {
                    scanner.enter();
                    depth += 1;
                }
                Some(name) => found.push((name.to_owned(), scanner.value().to_owned())),
            }
        }
        found
    }

    #[test]
    fn every_name_and_value_is_found_as_it_is_spelt() {
        let text = "{ \"a\" : 1 ,\"b\":\"x\\\"}\\\\\",\n\"c\":{\"d\":[1,{\"e\":\"]\\\"\"},[]] , \"f\":{}}, \"g\\u00e9\":null,\"h\":-1.5e3}";
        let found = walk(text);
        let found: Vec<(&str, &str)> =
            found.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(
            found,
            [
                ("a", "1"),
                ("b", "\"x\\\"}\\\\\""),
                ("d", "[1,{\"e\":\"]\\\"\"},[]]"),
                ("g\\u00e9", "null"),
                ("h", "-1.5e3"),
            ]
        );
        assert!(walk("{}").is_empty() && walk("{ }").is_empty());
        assert_eq!(walk("{\"é\":\"日本\"}"), [("é".to_owned(), "\"日本\"".to_owned())]);
    }

    #[test]
    fn a_text_that_is_no_json_ends_the_walk() {
        for text in [
            "{",
            "{\"",
            "{\"a",
            "{\"a\"",
            "{\"a\":",
            "{\"a\":\"",
            "{\"a\":\"\\",
            "{\"a\":[",
            "{\"a\":{",
            "{\"a\":[\"x",
            "{]",
            "{\"a\":1]",
            "{\"a\" \"b\"}",
            "{x}",
        ] {
            assert!(walk(text).len() <= 2, "{text}");
        }
    }
}
