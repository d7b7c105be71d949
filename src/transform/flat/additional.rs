//! What has no column of its own: kept under its path in `AdditionalFields`, as far as there is room.

use bytes::BufMut as _;

use super::{Walk, write_value};
use crate::schema::RowField;
use crate::transform::quoted;

impl<'w> Walk<'w> {
    /// Keeps the value of a known field that cannot be declared.
    pub(super) fn undeclared(&mut self, place: &RowField, value: &'w str, as_text: bool) {
        if value == "\"\"" {
            return;
        }
        if !self.is_first(place.number) {
            self.taken.entry(self.path()).or_insert(1);
            return self.without_column(value, as_text);
        }
        let before = self.additional.len();
        self.additional.extend_from_slice(place.begin.as_bytes());
        if !self.add(before, value, as_text) {
            self.left_out.push(self.path());
        }
    }

    /// Keeps a value under its path among those that have no column, as a text where it has to be one.
    pub(super) fn without_column(&mut self, value: &'w str, as_text: bool) {
        if value == "\"\"" {
            return;
        }
        let name = self.free_name();
        let before = self.additional.len();
        quoted(self.additional, &name);
        self.additional.put_u8(b':');
        if !self.add(before, value, as_text) {
            self.left_out.push(name.clone());
        }
        self.without_column.push(name);
    }

    /// The path; with a number behind it where it occurs in the record more than once.
    fn free_name(&mut self) -> String {
        let path = self.path();
        let mut name = path.clone();
        while let Some(times) = self.taken.get_mut(&name) {
            *times += 1;
            // Counted where it began, so that the next one need not look at all before it.
            let next = *times;
            if name == path {
                name = format!("{path}'{next}");
            } else {
                // A name that ends like one of ours: on from here.
                name.push('\'');
            }
        }
        self.taken.insert(name.clone(), 1);
        name
    }

    /// Writes a value behind its name, which began at `before`, if there is room for both.
    fn add(&mut self, before: usize, value: &'w str, as_text: bool) -> bool {
        let cut = self.cut_of(value);
        let out = &mut *self.additional;
        write_value(out, self.text, value, cut, as_text);
        out.put_u8(b',');
        let has_room = out.len() <= self.largest;
        if !has_room {
            out.truncate(before);
        }
        has_room
    }
}
