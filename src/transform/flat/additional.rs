//! Unmapped fields, stored by path in `AdditionalFields` up to its size limit.

use bytes::{BufMut as _, BytesMut};
use rustc_hash::FxHashMap;

use super::write_value;
use crate::model::{Truncation, position};
use crate::transform::quoted;

/// The values of a record without a column.
pub(in crate::transform) struct Additional<'w> {
    text: &'w str,
    truncations: &'w [Truncation],
    /// Members, each followed by a comma.
    members: &'w mut BytesMut,
    /// Maximum size of the members, in bytes.
    largest: usize,
    /// Names and their number of occurrences.
    names_used: FxHashMap<String, u32>,
    unmapped: Vec<String>,
    left_out: Vec<String>,
}

impl<'w> Additional<'w> {
    /// The values of the record `text`, written to `members` up to `largest` bytes.
    pub(in crate::transform) fn of(
        text: &'w str,
        truncations: &'w [Truncation],
        members: &'w mut BytesMut,
        largest: usize,
    ) -> Self {
        members.clear();
        let (unmapped, left_out) = (Vec::new(), Vec::new());
        let names_used = FxHashMap::default();
        Self { text, truncations, members, largest, names_used, unmapped, left_out }
    }

    /// The members without the last comma (`None` if there are none), and the names of all unmapped
    /// fields and of those that did not fit.
    pub(in crate::transform) fn finish(self) -> (Option<&'w [u8]>, Vec<String>, Vec<String>) {
        let members = self.members.split_last().map(|(_, members)| members);
        (members, self.unmapped, self.left_out)
    }

    /// Stores the value of a known field without a declared column; `begin` is its name in a row.
    pub(super) fn known(
        &mut self,
        begin: &str,
        value: &str,
        as_text: bool,
        path: impl FnOnce() -> String,
    ) {
        if value == "\"\"" {
            return;
        }
        let before = self.members.len();
        self.members.extend_from_slice(begin.as_bytes());
        if !self.add(before, value, as_text) {
            self.left_out.push(path());
        }
    }

    /// Reserves a name that a known field has.
    pub(super) fn reserve(&mut self, path: String) {
        self.names_used.entry(path).or_insert(1);
    }

    /// Stores the value of an unmapped field; `as_text` if it must be quoted.
    pub(in crate::transform) fn unmapped(&mut self, path: &str, value: &str, as_text: bool) {
        if value == "\"\"" {
            return;
        }
        let name = self.free_name(path);
        let before = self.members.len();
        quoted(self.members, &name);
        self.members.put_u8(b':');
        if !self.add(before, value, as_text) {
            self.left_out.push(name.clone());
        }
        self.unmapped.push(name);
    }

    /// The path, with a number appended from its second occurrence in the record on.
    fn free_name(&mut self, path: &str) -> String {
        let mut name = path.to_owned();
        while let Some(times) = self.names_used.get_mut(&name) {
            *times += 1;
            // The count avoids trying every earlier number again.
            let next = *times;
            if name == path {
                name = format!("{path}'{next}");
            } else {
                // The name itself ends like a numbered one: append to it.
                name.push('\'');
            }
        }
        self.names_used.insert(name.clone(), 1);
        name
    }

    /// Writes a value after its name, which begins at `before`, if both fit.
    fn add(&mut self, before: usize, value: &str, as_text: bool) -> bool {
        let truncation = self.truncation_of(value);
        let out = &mut *self.members;
        write_value(out, self.text, value, truncation, as_text);
        out.put_u8(b',');
        let has_room = out.len() <= self.largest;
        if !has_room {
            out.truncate(before);
        }
        has_room
    }

    /// The truncation of a value, if any.
    pub(in crate::transform) fn truncation_of(&self, value: &str) -> Option<&'w Truncation> {
        if self.truncations.is_empty() {
            return None;
        }
        let range = position(self.text, value);
        self.truncations.iter().find(|truncation| truncation.range == range)
    }
}
