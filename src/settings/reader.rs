//! Reading single settings while collecting what is wrong with them.

use std::ops::RangeInclusive;

use super::environment::Environment;
use super::fault::{SettingFault, SettingFaults};

/// Reads settings and remembers their faults.
pub(super) struct Reader<'a> {
    pub(super) environment: &'a Environment,
    faults: Vec<SettingFault>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(environment: &'a Environment) -> Self {
        Self {
            environment,
            faults: Vec::new(),
        }
    }

    pub(super) fn fault(&mut self, setting: &'static str, problem: impl Into<String>) {
        self.faults.push(SettingFault {
            setting,
            problem: problem.into(),
        });
    }

    /// A setting that may be missing. An unresolved Key Vault reference counts as a fault, not as a value.
    pub(super) fn optional(&mut self, name: &'static str) -> Option<&'a str> {
        let value = self.environment.get(name)?;
        if value.starts_with("@Microsoft.KeyVault(") {
            self.fault(
                name,
                "is a Key Vault reference that was not resolved; check the reference, and that the function's \
                 identity has the role Key Vault Secrets User",
            );
            return None;
        }
        Some(value)
    }

    /// A setting that must be there; `remedy` says where its value is found.
    pub(super) fn required(&mut self, name: &'static str, remedy: &str) -> Option<&'a str> {
        if self.environment.get(name).is_none() {
            self.fault(name, format!("is not set; {remedy}"));
        }
        self.optional(name)
    }

    /// A whole number within bounds.
    pub(super) fn number(
        &mut self,
        name: &'static str,
        bounds: RangeInclusive<i64>,
        default: i64,
    ) -> i64 {
        let Some(text) = self.optional(name) else {
            return default;
        };
        match text.parse() {
            Ok(number) if bounds.contains(&number) => number,
            _ => {
                let (least, most) = bounds.into_inner();
                self.fault(
                    name,
                    format!("\"{text}\" is not a whole number from {least} to {most}"),
                );
                default
            }
        }
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(
        &mut self,
        name: &'static str,
        choices: &[(&str, T)],
        default: T,
    ) -> T {
        let Some(text) = self.optional(name) else {
            return default;
        };
        if let Some((_, choice)) = choices
            .iter()
            .find(|(word, _)| word.eq_ignore_ascii_case(text))
        {
            return *choice;
        }
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        self.fault(
            name,
            format!("\"{text}\" is not known; use {}", words.join(" or ")),
        );
        default
    }

    pub(super) fn finish(self) -> Result<(), SettingFaults> {
        if self.faults.is_empty() {
            Ok(())
        } else {
            Err(SettingFaults(self.faults))
        }
    }
}
