//! The fields of a record that its identity, time and shape depend on.

use std::borrow::Cow;

use crate::json::unescaped;
use crate::model::LogType;

/// The unparsed values of the fields.
#[derive(Default)]
pub(super) struct Fields<'a> {
    /// The name of Duo's id, if the log has one.
    pub(super) id_field: Option<&'static str>,
    pub(super) id: Option<&'a str>,
    pub(super) isotimestamp: Option<&'a str>,
    pub(super) ts: Option<&'a str>,
    pub(super) timestamp: Option<&'a str>,
    pub(super) surfaced_timestamp: Option<&'a str>,
    pub(super) action: [Option<&'a str>; 4],
    /// Whether a name is reserved for an added field or by Azure Monitor.
    pub(super) has_reserved: bool,
    /// Whether one of these fields occurs twice, or any name is not valid Unicode.
    pub(super) is_ambiguous: bool,
}

impl<'a> Fields<'a> {
    pub(super) fn of(log_type: LogType) -> Self {
        Self { id_field: log_type.spec().id_field, ..Self::default() }
    }

    /// Stores the value if the member of the record is one of the fields.
    pub(super) fn add(&mut self, name: &str, value: &'a str) {
        let Some(name) = unicode(name) else {
            self.is_ambiguous = true;
            return;
        };
        let field = match &*name {
            name if self.id_field == Some(name) => &mut self.id,
            "isotimestamp" => &mut self.isotimestamp,
            "ts" => &mut self.ts,
            "timestamp" => &mut self.timestamp,
            "surfaced_timestamp" => &mut self.surfaced_timestamp,
            "action" => &mut self.action[0],
            "username" => &mut self.action[1],
            "object" => &mut self.action[2],
            "description" => &mut self.action[3],
            "eventtype" | "host" | "event_uid" | "event_content" | "event_replaces"
            | "event_time" | "ingest_kind" | "ingest_batch" | "truncated_fields" | "tenant"
            | "TimeGenerated" | "RawData" => {
                self.has_reserved = true;
                return;
            }
            _ => return,
        };
        self.is_ambiguous |= field.replace(value).is_some();
    }
}

/// An unescaped name; `None` if it is not valid Unicode.
fn unicode(name: &str) -> Option<Cow<'_, str>> {
    if name.contains('\\') {
        String::from_utf8(unescaped(name).into()).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(name))
    }
}
