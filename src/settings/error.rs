use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SettingError {
    pub(crate) setting: &'static str,
    /// What is wrong and what to do; never the value of a secret.
    pub(crate) problem: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SettingErrors(pub Vec<SettingError>);

impl SettingErrors {
    /// All errors in one line, for the error stream of the Functions host.
    pub fn one_line(&self) -> String {
        let errors: Vec<String> =
            self.0.iter().map(|error| format!("{} {}", error.setting, error.problem)).collect();
        format!("{}: {}", self.headline(), errors.join(" | "))
    }

    fn headline(&self) -> String {
        let settings: BTreeSet<&str> = self.0.iter().map(|error| error.setting).collect();
        match settings.len() {
            1 => "1 setting needs attention".to_owned(),
            count => format!("{count} settings need attention"),
        }
    }
}

impl fmt::Display for SettingErrors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.headline())?;
        let width = self.0.iter().map(|error| error.setting.len()).max();
        let width = width.unwrap_or(0);
        for error in &self.0 {
            write!(formatter, "\n  {:width$}  {}", error.setting, error.problem)?;
        }
        Ok(())
    }
}

impl std::error::Error for SettingErrors {}
