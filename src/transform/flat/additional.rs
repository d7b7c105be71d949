//! Unmapped fields, stored by path in `AdditionalFields` up to its size limit.

use bytes::BufMut as _;

use super::{Walk, write_value};
use crate::schema::RowField;
use crate::transform::quoted;

impl<'w> Walk<'w> {
    /// Stores the value of a known field without a declared column.
    pub(super) fn undeclared(&mut self, field: &RowField, value: &'w str, as_text: bool) {
        if value == "\"\"" {
            return;
        }
        if !self.is_first(field.number) {
            self.names_used.entry(self.path()).or_insert(1);
            return self.without_column(value, as_text);
        }
        let before = self.additional.len();
        self.additional.extend_from_slice(field.begin.as_bytes());
        if !self.add(before, value, as_text) {
            self.left_out.push(self.path());
        }
    }

    /// Stores the value of an unmapped field; `as_text` if it must be quoted.
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

    /// The path, with a number appended from its second occurrence in the record on.
    fn free_name(&mut self) -> String {
        let path = self.path();
        let mut name = path.clone();
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
    fn add(&mut self, before: usize, value: &'w str, as_text: bool) -> bool {
        let truncation = self.truncation_of(value);
        let out = &mut *self.additional;
        write_value(out, self.text, value, truncation, as_text);
        out.put_u8(b',');
        let has_room = out.len() <= self.largest;
        if !has_room {
            out.truncate(before);
        }
        has_room
    }
}
