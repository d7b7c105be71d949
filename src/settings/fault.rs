//! What is wrong with the settings, and what to do about it.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

/// One setting that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SettingFault {
    /// Name of the setting.
    pub setting: &'static str,
    /// What is wrong and what to do; never the value of a secret.
    pub problem: String,
}

/// Every setting that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SettingFaults(pub Vec<SettingFault>);

impl SettingFaults {
    /// All faults in one line, for the error stream of the Functions host.
    pub fn one_line(&self) -> String {
        let faults: Vec<String> = self
            .0
            .iter()
            .map(|fault| format!("{} {}", fault.setting, fault.problem))
            .collect();
        format!("{}: {}", self.headline(), faults.join(" | "))
    }

    fn headline(&self) -> String {
        let settings: BTreeSet<&str> = self.0.iter().map(|fault| fault.setting).collect();
        match settings.len() {
            1 => "1 setting needs attention".to_owned(),
            count => format!("{count} settings need attention"),
        }
    }
}

impl fmt::Display for SettingFaults {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.headline())?;
        let width = self
            .0
            .iter()
            .map(|fault| fault.setting.len())
            .max()
            .unwrap_or(0);
        for fault in &self.0 {
            write!(formatter, "\n  {:width$}  {}", fault.setting, fault.problem)?;
        }
        Ok(())
    }
}

impl std::error::Error for SettingFaults {}
