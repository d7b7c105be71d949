//! What a record says, found in one walk through its text.

use std::ops::Range;

use smallvec::SmallVec;
use twox_hash::XxHash3_64;

use crate::json::{NotJson, Scanner};

/// The members of an object, in their order: names without quotation marks, names and values as they are spelled.
pub(super) type Members<'a> = SmallVec<[(&'a str, &'a str); 32]>;

/// What a value says, as a number: a hash that does not depend on the order of keys or on white space.
pub(super) type Content = u64;

/// Depth to which the keys of objects may come in any order; below, a value is what is spelled. Duo's records have four
/// levels.
const DEEPEST: usize = 8;
/// Tell objects, arrays and other values with the same bytes in them apart.
const OBJECT: Content = 1;
const ARRAY: Content = 2;

pub(super) struct Reading<'a> {
    /// `None` where the record is no object.
    pub(super) members: Option<Members<'a>>,
    pub(super) content: Content,
    /// Every `true` and `false` that is a member of an object.
    pub(super) booleans: SmallVec<[Boolean<'a>; 8]>,
}

/// A member of an object whose value is `true` or `false`.
pub(super) struct Boolean<'a> {
    /// Names of the two objects around it, the inner one last; empty for the record itself and for elements of arrays.
    pub(super) path: [&'a str; 2],
    /// Objects and arrays around it, the record itself not counted.
    pub(super) depth: usize,
    pub(super) name: &'a str,
    /// Where the value stands in the text of the scanner.
    pub(super) place: Range<usize>,
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

/// The content of a text, whether it is JSON or not.
pub(super) fn content(text: &str) -> Content {
    let mut walk = Walk { booleans: SmallVec::new() };
    let content = walk.value(&mut Scanner::new(text), ["", ""], 0);
    content.unwrap_or_else(|NotJson| hash(text))
}

struct Walk<'a> {
    booleans: SmallVec<[Boolean<'a>; 8]>,
}

impl<'a> Walk<'a> {
    /// Passes a value, which is a member of the object named last in `path` or an element, and returns its content.
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
                    // A sum does not depend on the order.
                    sum = sum.wrapping_add(self.member(scanner, path, name, depth)?);
                    Ok::<_, NotJson>(())
                })?;
                Ok(combined(OBJECT, sum))
            }
            b'[' if depth < DEEPEST => {
                let mut all = ARRAY;
                scanner.array(|scanner| {
                    all = combined(all, self.value(scanner, ["", ""], depth + 1)?);
                    Ok::<_, NotJson>(())
                })?;
                Ok(all)
            }
            _ => Ok(hash(scanner.value()?)),
        }
    }

    /// Passes the value of a member, and returns the content of both.
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
            self.booleans.push(Boolean { path, depth, name, place: begin..scanner.at() });
        }
        // Nearly always nothing but a quotation mark and a colon stands between them: one hash of both is enough.
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
