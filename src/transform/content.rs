//! The content of a record, read in one pass through its text.

use twox_hash::XxHash3_64;

use super::Parts;
use super::fields::Fields;
use super::nested::is_declared;
use crate::json::{NotJson, Scanner};
use crate::schema::Node;

/// A hash of a value that does not depend on the order of keys or on white space.
pub(super) type Content = u64;

/// Depth up to which key order is ignored; deeper values are hashed as text. Duo has four levels.
const DEEPEST: usize = 8;
/// Distinguish objects, arrays and other values with equal bytes.
const OBJECT: Content = 1;
const ARRAY: Content = 2;

pub(super) struct Reading<'a> {
    /// `None` if the record is not an object.
    pub(super) fields: Option<Fields<'a>>,
    pub(super) content: Content,
    /// Ranges in the record of the values `true` and `false` that are sent as text; empty without
    /// a schema.
    pub(super) truths: Parts,
    /// Whether every value has a declared column.
    pub(super) is_declared: bool,
}

impl Reading<'_> {
    /// The reading of a text that is not JSON.
    pub(super) fn of_text(text: &str) -> Self {
        Self { fields: None, content: content(text), truths: Parts::new(), is_declared: true }
    }
}

/// Reads a record and fills `fields`. Without a schema, every value counts as declared.
pub(super) fn read<'a>(
    scanner: &mut Scanner<'a>,
    mut fields: Fields<'a>,
    schema: Option<&'static Node>,
) -> Result<Reading<'a>, NotJson> {
    let mut walk = Walk::from(scanner.at());
    if scanner.peek()? != b'{' {
        let content = walk.value(scanner, None, 0)?;
        return Ok(Reading { fields: None, content, truths: walk.truths, is_declared: true });
    }
    let mut sum: Content = 0;
    scanner.object(|scanner, name| {
        let begin = scanner.at();
        sum = sum.wrapping_add(walk.member(scanner, schema, name, 0)?);
        fields.add(name, scanner.since(begin));
        Ok::<_, NotJson>(())
    })?;
    let content = combined(OBJECT, sum);
    let Walk { truths, is_declared, .. } = walk;
    Ok(Reading { fields: Some(fields), content, truths, is_declared })
}

/// The content hash of a text, whether it is JSON or not.
pub(super) fn content(text: &str) -> Content {
    let content = Walk::from(0).value(&mut Scanner::new(text), None, 0);
    content.unwrap_or_else(|NotJson| hash(text))
}

struct Walk {
    /// Position of the record.
    begin: usize,
    truths: Parts,
    is_declared: bool,
}

impl Walk {
    fn from(begin: usize) -> Self {
        Self { begin, truths: Parts::new(), is_declared: true }
    }

    /// Consumes a value; returns its content hash. `node` is the node of an object in the schema.
    fn value(
        &mut self,
        scanner: &mut Scanner<'_>,
        node: Option<&'static Node>,
        depth: usize,
    ) -> Result<Content, NotJson> {
        match scanner.peek()? {
            b'{' if depth < DEEPEST => {
                let mut sum: Content = 0;
                scanner.object(|scanner, name| {
                    // A sum is independent of the order.
                    sum = sum.wrapping_add(self.member(scanner, node, name, depth)?);
                    Ok::<_, NotJson>(())
                })?;
                Ok(combined(OBJECT, sum))
            }
            b'[' if depth < DEEPEST => {
                let mut hash_so_far = ARRAY;
                scanner.array(|scanner| {
                    hash_so_far = combined(hash_so_far, self.value(scanner, None, depth + 1)?);
                    Ok::<_, NotJson>(())
                })?;
                Ok(hash_so_far)
            }
            _ => Ok(hash(scanner.value()?)),
        }
    }

    /// Consumes the value of a member, and returns the content hash of name and value. `object` is
    /// the node of the object; arrays and unknown objects have none.
    fn member(
        &mut self,
        scanner: &mut Scanner<'_>,
        object: Option<&'static Node>,
        name: &str,
        depth: usize,
    ) -> Result<Content, NotJson> {
        let node = object.and_then(|object| object.member(name));
        let columns = node.and_then(Node::columns);
        let first = scanner.peek()?;
        if object.is_some() {
            self.is_declared &= match first {
                b'{' => node.is_some(),
                b'n' => true,
                _ => columns.is_some_and(|columns| is_declared(columns, first)),
            };
        }
        if matches!(first, b'{' | b'[') {
            let node = node.filter(|_| first == b'{');
            let value = self.value(scanner, node, depth + 1)?;
            return Ok(XxHash3_64::oneshot_with_seed(value, name.as_bytes()));
        }
        let begin = scanner.at();
        let value = scanner.value()?;
        if matches!(first, b't' | b'f') && columns.is_some_and(|columns| columns.is_text) {
            self.truths.push(begin - self.begin..scanner.at() - self.begin);
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

#[cfg(test)]
mod tests {
    use super::{Fields, Reading, read};
    use crate::json::Scanner;
    use crate::model::LogType;
    use crate::schema::Node;

    fn reading(text: &str) -> Reading<'_> {
        let fields = Fields::of(LogType::Authentication);
        read(&mut Scanner::new(text), fields, Some(Node::root())).unwrap()
    }

    #[test]
    fn only_values_with_a_declared_column_count_as_declared() {
        for text in [
            "{}",
            r#"{"alias":"a","timestamp":1,"new":null,"user":{"groups":[{"new":1}],"name":"a","new":null}}"#,
            r#"{"access_device":{"is_password_set":true,"location":{}},"auth_device":{"location":{"city":"a"}}}"#,
            r#"{"surfaced_auth":{"access_device":{"is_encryption_enabled":false}}}"#,
        ] {
            assert!(reading(text).is_declared, "{text}");
        }
        for text in [
            r#"{"new":"a","alias":"a"}"#,
            r#"{"new":[],"alias":"a"}"#,
            r#"{"new":{"a":1},"alias":"a"}"#,
            r#"{"alias":{"a":1},"reason":"a"}"#,
            r#"{"alias":1,"reason":"a"}"#,
            r#"{"user":"a","reason":"a"}"#,
            r#"{"user":{"new":true,"name":"a"}}"#,
        ] {
            assert!(!reading(text).is_declared, "{text}");
        }
    }
}
