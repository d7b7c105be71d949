//! The content of a record, read in one pass through its text.

use std::ops::Range;

use smallvec::SmallVec;
use twox_hash::XxHash3_64;

use crate::json::{NotJson, Scanner};

/// The members of an object in order: names without quotation marks, names and values unparsed.
pub(super) type Members<'a> = SmallVec<[(&'a str, &'a str); 32]>;

/// A hash of a value that does not depend on the order of keys or on white space.
pub(super) type Content = u64;

/// Depth up to which key order is ignored; deeper values are hashed as text. Duo has four levels.
const DEEPEST: usize = 8;
/// Distinguish objects, arrays and other values with equal bytes.
const OBJECT: Content = 1;
const ARRAY: Content = 2;

pub(super) struct Reading<'a> {
    /// `None` if the record is not an object.
    pub(super) members: Option<Members<'a>>,
    pub(super) content: Content,
    /// Every object member with the value `true` or `false`.
    pub(super) booleans: SmallVec<[Boolean<'a>; 8]>,
}

/// A member of an object whose value is `true` or `false`.
pub(super) struct Boolean<'a> {
    /// Names of the two enclosing objects, inner one last; empty for the record and array elements.
    pub(super) path: [&'a str; 2],
    /// Number of enclosing objects and arrays, without the record itself.
    pub(super) depth: usize,
    pub(super) name: &'a str,
    /// Range of the value in the scanner's text.
    pub(super) range: Range<usize>,
}

pub(super) fn read<'a>(scanner: &mut Scanner<'a>) -> Result<Reading<'a>, NotJson> {
    let mut walk = Walk { booleans: SmallVec::new() };
    if scanner.peek()? != b'{' {
        let content = walk.value(scanner, ["", ""], 0)?;
        return Ok(Reading { members: None, content, booleans: SmallVec::new() });
    }
    let mut members = Members::new();
    let mut sum: Content = 0;
    scanner.object(|scanner, name| {
        let begin = scanner.at();
        sum = sum.wrapping_add(walk.member(scanner, ["", ""], name, 0)?);
        members.push((name, scanner.since(begin)));
        Ok::<_, NotJson>(())
    })?;
    let content = combined(OBJECT, sum);
    Ok(Reading { members: Some(members), content, booleans: walk.booleans })
}

/// The content hash of a text, whether it is JSON or not.
pub(super) fn content(text: &str) -> Content {
    let mut walk = Walk { booleans: SmallVec::new() };
    let content = walk.value(&mut Scanner::new(text), ["", ""], 0);
    content.unwrap_or_else(|NotJson| hash(text))
}

struct Walk<'a> {
    booleans: SmallVec<[Boolean<'a>; 8]>,
}

impl<'a> Walk<'a> {
    /// Consumes an element, or a member of the last object in `path`; returns its content hash.
    fn value(
        &mut self,
        scanner: &mut Scanner<'a>,
        path: [&'a str; 2],
        depth: usize,
    ) -> Result<Content, NotJson> {
        match scanner.peek()? {
            b'{' if depth < DEEPEST => {
                let mut sum: Content = 0;
                scanner.object(|scanner, name| {
                    // A sum is independent of the order.
                    sum = sum.wrapping_add(self.member(scanner, path, name, depth)?);
                    Ok::<_, NotJson>(())
                })?;
                Ok(combined(OBJECT, sum))
            }
            b'[' if depth < DEEPEST => {
                let mut hash_so_far = ARRAY;
                scanner.array(|scanner| {
                    hash_so_far = combined(hash_so_far, self.value(scanner, ["", ""], depth + 1)?);
                    Ok::<_, NotJson>(())
                })?;
                Ok(hash_so_far)
            }
            _ => Ok(hash(scanner.value()?)),
        }
    }

    /// Consumes the value of a member, and returns the content hash of name and value.
    fn member(
        &mut self,
        scanner: &mut Scanner<'a>,
        path: [&'a str; 2],
        name: &'a str,
        depth: usize,
    ) -> Result<Content, NotJson> {
        if matches!(scanner.peek()?, b'{' | b'[') {
            let value = self.value(scanner, [path[1], name], depth + 1)?;
            return Ok(XxHash3_64::oneshot_with_seed(value, name.as_bytes()));
        }
        let begin = scanner.at();
        let value = scanner.value()?;
        if matches!(value, "true" | "false") {
            self.booleans.push(Boolean { path, depth, name, range: begin..scanner.at() });
        }
        // Usually only a quotation mark and a colon are between them, so that one hash covers both.
        let is_dense = value.as_ptr() as usize - name.as_ptr() as usize == name.len() + 2;
        Ok(if is_dense {
            hash(scanner.since(begin - 2 - name.len()))
        } else {
            hash(&format!("{name}\":{value}"))
        })
    }
}

fn hash(text: &str) -> Content {
    XxHash3_64::oneshot(text.as_bytes())
}

fn combined(one: Content, other: Content) -> Content {
    XxHash3_64::oneshot_with_seed(one, &other.to_le_bytes())
}
