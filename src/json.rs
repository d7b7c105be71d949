//! A single-pass JSON scanner that checks the grammar and builds no tree.
//!
//! Rows contain a record's text unchanged, so only the positions of names and values are needed;
//! `serde_json` would have to parse a page twice: to split it, and inside each record.
//!
//! The grammar is RFC 8259. The scanner accepts exactly the texts that `serde_json` accepts; a test
//! compares the two. Escapes of lone surrogates are accepted, because one invalid record must not
//! fail a page; [`unescaped`] returns their bytes.

use std::borrow::Cow;

use bytes::Bytes;
use smallvec::SmallVec;

/// The text is not JSON, or ends too early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotJson;

/// A position in a JSON text. A consuming method advances from the beginning of an item to its end,
/// but not past white space after it; it fails if no such item follows.
#[derive(Clone, Debug)]
pub struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    /// Starts at the first value of a text.
    pub fn new(text: &'a str) -> Self {
        let mut scanner = Self { text, at: 0 };
        scanner.skip_space();
        scanner
    }

    /// The position in bytes.
    pub fn at(&self) -> usize {
        self.at
    }

    /// The text from `begin`, an earlier position, to the current one.
    pub fn since(&self, begin: usize) -> &'a str {
        &self.text[begin..self.at]
    }

    /// Consumes white space up to the end of the text; fails if anything else follows.
    pub fn end(&mut self) -> Result<(), NotJson> {
        self.skip_space();
        if self.at == self.text.len() { Ok(()) } else { Err(NotJson) }
    }

    /// The next byte.
    pub fn peek(&self) -> Result<u8, NotJson> {
        self.text.as_bytes().get(self.at).copied().ok_or(NotJson)
    }

    /// Consumes an object. `member` is called with the escaped name of each member, without
    /// quotation marks, and must consume the value. Its error is returned.
    pub fn object<E: From<NotJson>>(
        &mut self,
        mut member: impl FnMut(&mut Self, &'a str) -> Result<(), E>,
    ) -> Result<(), E> {
        self.expect(b'{')?;
        if self.is_next(b'}') {
            return Ok(());
        }
        loop {
            let name = self.name()?;
            member(self, name)?;
            if !self.has_more(b'}')? {
                return Ok(());
            }
        }
    }

    /// Consumes an array; `element` must consume each element. Its error is returned.
    pub fn array<E: From<NotJson>>(
        &mut self,
        mut element: impl FnMut(&mut Self) -> Result<(), E>,
    ) -> Result<(), E> {
        self.expect(b'[')?;
        if self.is_next(b']') {
            return Ok(());
        }
        loop {
            element(self)?;
            if !self.has_more(b']')? {
                return Ok(());
            }
        }
    }

    /// Consumes any value and returns its text. Only memory limits the depth.
    pub fn value(&mut self) -> Result<&'a str, NotJson> {
        let begin = self.at;
        let mut closing: SmallVec<[u8; 32]> = SmallVec::new();
        loop {
            let close = match self.peek()? {
                b'{' => b'}',
                b'[' => b']',
                _ => 0,
            };
            if close == 0 {
                self.scalar()?;
            } else {
                self.at += 1;
                if !self.is_next(close) {
                    closing.push(close);
                    if close == b'}' {
                        self.name()?;
                    }
                    continue;
                }
            }
            // After a value: go to the next one, out of all containers that end here.
            loop {
                let Some(&close) = closing.last() else {
                    return Ok(self.since(begin));
                };
                if self.has_more(close)? {
                    if close == b'}' {
                        self.name()?;
                    }
                    break;
                }
                closing.pop();
            }
        }
    }

    /// Consumes the name of a member, its colon and white space; returns the name.
    fn name(&mut self) -> Result<&'a str, NotJson> {
        let begin = self.at + 1;
        self.string()?;
        let name = &self.text[begin..self.at - 1];
        self.skip_space();
        self.expect(b':')?;
        self.skip_space();
        Ok(name)
    }

    /// After a value: consumes a comma or the closing character. Returns whether it is a comma.
    fn has_more(&mut self, close: u8) -> Result<bool, NotJson> {
        self.skip_space();
        let next = self.peek()?;
        self.at += 1;
        if next == b',' {
            self.skip_space();
            return Ok(true);
        }
        if next == close { Ok(false) } else { Err(NotJson) }
    }

    fn scalar(&mut self) -> Result<(), NotJson> {
        match self.peek()? {
            b'"' => self.string(),
            b't' => self.literal("true"),
            b'f' => self.literal("false"),
            b'n' => self.literal("null"),
            _ => self.number(),
        }
    }

    fn literal(&mut self, literal: &str) -> Result<(), NotJson> {
        if !self.text.as_bytes()[self.at..].starts_with(literal.as_bytes()) {
            return Err(NotJson);
        }
        self.at += literal.len();
        Ok(())
    }

    fn number(&mut self) -> Result<(), NotJson> {
        self.at += usize::from(self.peek()? == b'-');
        let leading = self.peek()?;
        let digits = self.digits()?;
        if leading == b'0' && digits > 1 {
            return Err(NotJson);
        }
        if self.peek() == Ok(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Ok(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.peek()?, b'+' | b'-'));
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<usize, NotJson> {
        let begin = self.at;
        while self.peek().is_ok_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == begin { Err(NotJson) } else { Ok(self.at - begin) }
    }

    fn string(&mut self) -> Result<(), NotJson> {
        self.expect(b'"')?;
        loop {
            self.at += plain_bytes(&self.text.as_bytes()[self.at..]);
            match self.peek()? {
                b'"' => {
                    self.at += 1;
                    return Ok(());
                }
                b'\\' => self.escape()?,
                _ => return Err(NotJson),
            }
        }
    }

    fn escape(&mut self) -> Result<(), NotJson> {
        self.at += 1;
        let length = match self.peek()? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => 1,
            b'u' => {
                let digits = self.text.as_bytes().get(self.at + 1..self.at + 5).ok_or(NotJson)?;
                if !digits.iter().all(u8::is_ascii_hexdigit) {
                    return Err(NotJson);
                }
                5
            }
            _ => return Err(NotJson),
        };
        self.at += length;
        Ok(())
    }

    fn expect(&mut self, byte: u8) -> Result<(), NotJson> {
        if self.peek()? == byte {
            self.at += 1;
            Ok(())
        } else {
            Err(NotJson)
        }
    }

    /// Consumes white space, and `byte` if it follows.
    fn is_next(&mut self, byte: u8) -> bool {
        self.skip_space();
        let is_next = self.peek() == Ok(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Ok(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }
}

/// The number of bytes before a quotation mark, a backslash or a control character. For short names
/// and values, eight bytes at a time inline are faster than a call of memchr.
fn plain_bytes(bytes: &[u8]) -> usize {
    const LOWEST: u64 = u64::MAX / 255;
    const HIGHEST: u64 = LOWEST << 7;
    // Only the lowest bit set is reliable: it belongs to the first match.
    let below =
        |word: u64, limit: u8| word.wrapping_sub(LOWEST * u64::from(limit)) & !word & HIGHEST;
    let (words, rest) = bytes.as_chunks();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let quote = below(word ^ (LOWEST * u64::from(b'"')), 1);
        let backslash = below(word ^ (LOWEST * u64::from(b'\\')), 1);
        let found = quote | backslash | below(word, b' ');
        if found != 0 {
            return 8 * index + found.trailing_zeros() as usize / 8;
        }
    }
    let is_plain = |byte: &&u8| !matches!(byte, b'"' | b'\\' | 0..b' ');
    bytes.len() - rest.len() + rest.iter().take_while(is_plain).count()
}

/// The unescaped bytes of a JSON string without its quotes: UTF-8 except for lone surrogates.
pub fn unescaped(inside: &str) -> Cow<'_, [u8]> {
    if inside.contains('\\') {
        let bytes: Bytes = serde_json::from_str(&format!("\"{inside}\"")).unwrap_or_default();
        Cow::Owned(bytes.into())
    } else {
        Cow::Borrowed(inside.as_bytes())
    }
}

#[cfg(test)]
mod tests;
