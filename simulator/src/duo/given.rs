//! Records that a test gives, instead of the generated events of a log.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::parameters::Parameters;
use super::records::Page;
use super::response::Refusal;
use crate::LogType;

/// A record with its time in milliseconds since 1970.
type Given = (i64, String);

/// The records of each log that has given ones.
#[derive(Debug, Default)]
pub(crate) struct GivenRecords(Mutex<BTreeMap<LogType, Vec<Given>>>);

impl GivenRecords {
    /// Replaces the records of a log.
    pub(crate) fn set(&self, log: LogType, mut records: Vec<Given>) {
        records.sort_by_key(|(time, _)| *time);
        self.lock().insert(log, records);
    }

    /// The records of a window as one page; `None` if the log has generated events.
    pub(super) fn page(
        &self,
        log: LogType,
        parameters: &Parameters,
        now: i64,
    ) -> Option<Result<Page, Refusal>> {
        let given = self.lock();
        let records = given.get(&log)?;
        Some(parameters.window(now).and_then(|window| {
            let limit = parameters.limit(100, 1_000)?;
            let visible = window.mintime..=window.maxtime.min(now - 120_000);
            let of_window = records.iter().filter(|(time, _)| visible.contains(time));
            let texts: Vec<&str> = of_window.map(|(_, text)| text.as_str()).collect();
            let (key, total) = match log {
                LogType::Authentication => ("authlogs", texts.len().to_string()),
                LogType::TrustMonitor => ("events", String::new()),
                _ => ("items", format!(r#"{{"relation":"eq","value":{}}}"#, texts.len())),
            };
            let metadata = match log {
                LogType::TrustMonitor => String::new(),
                _ => format!(r#""next_offset":null,"total_objects":{total}"#),
            };
            let texts = &texts[..texts.len().min(limit)];
            let list = texts.join(",");
            let response = format!(r#"{{"{key}":[{list}],"metadata":{{{metadata}}}}}"#);
            Ok(Page { response, records: texts.len() })
        }))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<LogType, Vec<Given>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
