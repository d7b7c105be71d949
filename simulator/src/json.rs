//! A JSON reader that loses nothing: numbers keep their spelling, strings may hold lone surrogates.
//!
//! It reads what `serde_json` has checked before, or what was written here; on anything else it
//! gives up with `None`.

use std::borrow::Cow;
use std::hash::{Hash, Hasher};

/// More objects and arrays in each other are not followed: the stack would not hold them.
const DEEPEST: usize = 500;

/// A JSON value; texts are WTF-8, that is UTF-8 which may hold a lone surrogate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Json<'a> {
    Null,
    Truth(bool),
    Number(&'a str),
    Text(Cow<'a, [u8]>),
    Array(Array<'a>),
    Object(Members<'a>),
}

/// An array, with its own JSON.
#[derive(Clone, Debug, Eq)]
pub(crate) struct Array<'a> {
    pub(crate) values: Vec<Json<'a>>,
    pub(crate) text: &'a str,
}

impl PartialEq for Array<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.values == other.values
    }
}

/// The members of an object in their order.
pub(crate) type Members<'a> = Vec<(Cow<'a, [u8]>, Json<'a>)>;

impl<'a> Json<'a> {
    /// Reads a text that is one JSON value.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        Reader { text, place: 0, depth: 0 }.value()
    }

    pub(crate) fn as_text(&self) -> Option<&str> {
        let Self::Text(text) = self else { return None };
        std::str::from_utf8(text).ok()
    }

    /// Hashes the value; the order of an object's members does not matter.
    pub(crate) fn hash_into(&self, hasher: &mut impl Hasher) {
        std::mem::discriminant(self).hash(hasher);
        match self {
            Self::Null => {}
            Self::Truth(truth) => truth.hash(hasher),
            Self::Number(number) => number.hash(hasher),
            Self::Text(text) => text.hash(hasher),
            Self::Array(Array { values, .. }) => {
                values.len().hash(hasher);
                for value in values {
                    value.hash_into(hasher);
                }
            }
            Self::Object(members) => {
                let mut sorted: Vec<_> = members.iter().collect();
                sorted.sort_by(|left, right| left.0.cmp(&right.0));
                sorted.len().hash(hasher);
                for (name, value) in sorted {
                    name.hash(hasher);
                    value.hash_into(hasher);
                }
            }
        }
    }
}

/// The member of this name.
pub(crate) fn member<'j, 'a>(members: &'j Members<'a>, name: &str) -> Option<&'j Json<'a>> {
    members.iter().find(|(key, _)| key.as_ref() == name.as_bytes()).map(|(_, value)| value)
}

/// Calls `each` with every row of a body, an array of objects or one object, and its text; whether there was nothing else.
pub(crate) fn each_row<'a>(body: &'a str, mut each: impl FnMut(&'a str, Members<'a>)) -> bool {
    let mut reader = Reader { text: body, place: 0, depth: 0 };
    let several = reader.take(b'[').is_some();
    while reader.next_is(b'{') {
        let start = reader.place;
        let Some(Json::Object(members)) = reader.value() else {
            return false;
        };
        each(&body[start..reader.place], members);
        if !several {
            return true;
        }
        if reader.take(b',').is_none() {
            break;
        }
    }
    several && reader.next_is(b']')
}

struct Reader<'a> {
    text: &'a str,
    place: usize,
    /// Objects and arrays around the place.
    depth: usize,
}

impl<'a> Reader<'a> {
    /// Whether this byte comes next, blanks aside.
    fn next_is(&mut self, byte: u8) -> bool {
        let blanks = self.text.as_bytes()[self.place..]
            .iter()
            .take_while(|byte| byte.is_ascii_whitespace())
            .count();
        self.place += blanks;
        self.text.as_bytes().get(self.place) == Some(&byte)
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        self.next_is(byte).then(|| self.place += 1)
    }

    fn value(&mut self) -> Option<Json<'a>> {
        if self.depth > DEEPEST {
            return None;
        }
        if self.next_is(b'{') {
            self.depth += 1;
            let members = self.object()?;
            self.depth -= 1;
            return Some(Json::Object(members));
        }
        if self.next_is(b'[') {
            self.depth += 1;
            let array = self.array()?;
            self.depth -= 1;
            return Some(Json::Array(array));
        }
        if self.next_is(b'"') {
            return self.string().map(Json::Text);
        }
        let rest = &self.text[self.place..];
        let ends = |byte: u8| byte.is_ascii_whitespace() || b",]}".contains(&byte);
        let end = rest.bytes().position(ends).unwrap_or(rest.len());
        self.place += end;
        match &rest[..end] {
            "" => None,
            "null" => Some(Json::Null),
            "true" => Some(Json::Truth(true)),
            "false" => Some(Json::Truth(false)),
            number => Some(Json::Number(number)),
        }
    }

    fn object(&mut self) -> Option<Members<'a>> {
        self.take(b'{')?;
        let mut members = Vec::new();
        while !self.next_is(b'}') {
            if !members.is_empty() {
                self.take(b',')?;
            }
            self.next_is(b'"');
            let name = self.string()?;
            self.take(b':')?;
            members.push((name, self.value()?));
        }
        self.place += 1;
        Some(members)
    }

    fn array(&mut self) -> Option<Array<'a>> {
        let start = self.place;
        self.take(b'[')?;
        let mut values = Vec::new();
        while !self.next_is(b']') {
            if !values.is_empty() {
                self.take(b',')?;
            }
            values.push(self.value()?);
        }
        self.place += 1;
        let text = &self.text[start..self.place];
        Some(Array { values, text })
    }

    fn string(&mut self) -> Option<Cow<'a, [u8]>> {
        self.take(b'"')?;
        let rest = &self.text.as_bytes()[self.place..];
        let plain = rest.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
        if rest[plain] == b'"' {
            self.place += plain + 1;
            return Some(Cow::Borrowed(&rest[..plain]));
        }
        let mut text = rest[..plain].to_vec();
        self.place += plain;
        loop {
            let byte = self.byte()?;
            match byte {
                b'"' => return Some(Cow::Owned(text)),
                b'\\' => self.escape(&mut text)?,
                _ => text.push(byte),
            }
        }
    }

    fn byte(&mut self) -> Option<u8> {
        let byte = self.text.as_bytes().get(self.place).copied()?;
        self.place += 1;
        Some(byte)
    }

    fn escape(&mut self, text: &mut Vec<u8>) -> Option<()> {
        match self.byte()? {
            b'b' => text.push(8),
            b'f' => text.push(12),
            b'n' => text.push(b'\n'),
            b'r' => text.push(b'\r'),
            b't' => text.push(b'\t'),
            b'u' => {
                let mut code = self.hexadecimal()?;
                let rest = &self.text[self.place..];
                if (0xD800..0xDC00).contains(&code) && rest.starts_with("\\u") {
                    let before = self.place;
                    self.place += 2;
                    match self.hexadecimal()? {
                        low @ 0xDC00..0xE000 => {
                            code = 0x1_0000 + ((code - 0xD800) << 10) + (low - 0xDC00);
                        }
                        // Another character of its own: to be read again as such.
                        _ => self.place = before,
                    }
                }
                push_wtf8(text, code);
            }
            byte => text.push(byte),
        }
        Some(())
    }

    fn hexadecimal(&mut self) -> Option<u32> {
        let digits = self.text.get(self.place..self.place + 4)?;
        self.place += 4;
        u32::from_str_radix(digits, 16).ok()
    }
}

/// Appends a code point; a lone surrogate gets the three bytes UTF-8 would give it.
fn push_wtf8(text: &mut Vec<u8>, code: u32) {
    if let Some(character) = char::from_u32(code) {
        text.extend(character.encode_utf8(&mut [0; 4]).bytes());
    } else {
        let part = |shift: u32| u8::try_from((code >> shift) & 0x3F).expect("it has six bits");
        text.extend([0xE0 | part(12), 0x80 | part(6), 0x80 | part(0)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_mean_the_same_as_their_characters_but_numbers_keep_their_spelling() {
        let parse = |text| Json::parse(text).unwrap();
        assert_eq!(
            parse(r#" {"\u0061" : ["\ud83d\ude00","\/"] } "#),
            parse("{\"a\":[\"\u{1f600}\",\"/\"]}")
        );
        assert_ne!(parse("1.50"), parse("1.5"));
        assert_eq!(parse("90071992547409931230"), Json::Number("90071992547409931230"));
        assert_ne!(parse(r#""\ud800x""#), parse("\"\u{fffd}x\""));
        assert_eq!(parse(r#""\ud800\n""#), parse("\"\\uD800\\u000a\""));
    }

    #[test]
    fn rows_come_with_their_text() {
        let mut rows = Vec::new();
        each_row(" [ {\"a\":1}, {\"b\" : [{}]} ] ", |text, members| {
            rows.push((text, members.len()));
        });
        assert_eq!(rows, [("{\"a\":1}", 1), ("{\"b\" : [{}]}", 1)]);
        let mut rows = 0;
        each_row("{\"a\":1}", |_, _| rows += 1);
        each_row("[]", |_, _| rows += 1);
        assert_eq!(rows, 1);
    }
}
