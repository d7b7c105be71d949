//! The place of each log, which never moves back.

use std::collections::BTreeMap;

use serde_json::Value;
use simulator::LogType;

use crate::common::{Container, checkpoint_name};

/// How far each log has come, as its checkpoints say.
#[derive(Debug, Default)]
pub(crate) struct Places(
    /// `mintime` of each log. Times of one form are in the order of their texts.
    BTreeMap<LogType, String>,
);

impl Places {
    /// Judges the checkpoints that were stored since this was last called, in the order in which they were stored.
    pub(crate) fn follow(&mut self, stored: Vec<(String, Vec<u8>)>) -> Result<(), String> {
        for (path, content) in stored {
            let is_of =
                |log: &LogType| path.ends_with(&checkpoint_name(log.name()).replace('/', "%2F"));
            let log = LogType::ALL.into_iter().find(is_of);
            let log = log.ok_or_else(|| format!("{path} is the checkpoint of no log"))?;
            self.move_to(log, &content)?;
        }
        Ok(())
    }

    /// Judges what is stored between two runs.
    pub(crate) async fn compare(&mut self, container: &Container) -> Result<(), String> {
        for log in LogType::ALL {
            match container.read(&checkpoint_name(log.name())).await {
                Some(content) => self.move_to(log, &content)?,
                None if self.0.contains_key(&log) => {
                    return Err(format!("the checkpoint of {log} is gone"));
                }
                None => {}
            }
        }
        Ok(())
    }

    fn move_to(&mut self, log: LogType, content: &[u8]) -> Result<(), String> {
        let checkpoint: Value =
            serde_json::from_slice(content).map_err(|fault| format!("{log}: {fault}"))?;
        let mintime = checkpoint["mintime"].as_str();
        let mintime = mintime.ok_or_else(|| format!("{log} has no place"))?.to_owned();
        if let Some(before) = self.0.get(&log)
            && *before > mintime
        {
            return Err(format!("{log} went back from {before} to {mintime}"));
        }
        self.0.insert(log, mintime);
        Ok(())
    }
}
