//! Reads single settings and collects their errors.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use super::catalog::{Kind, Need, Setting};
use super::environment::Environment;

pub(super) struct Reader<'a> {
    pub(super) environment: &'a Environment,
    errors: Vec<SettingError>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(environment: &'a Environment) -> Self {
        Self { environment, errors: Vec::new() }
    }

    pub(super) fn error(&mut self, setting: &Setting, problem: impl Into<String>) {
        self.errors.push(SettingError {
            setting: setting.name,
            // A value may contain line breaks, but an error is one log line.
            problem: problem.into().replace(char::is_control, "\u{fffd}"),
        });
    }

    pub(super) fn valid<T>(
        &mut self,
        setting: &Setting,
        value: Option<T>,
        problem: impl Into<String>,
    ) -> Option<T> {
        if value.is_none() {
            self.error(setting, problem);
        }
        value
    }

    pub(super) fn is_set(&self, setting: &Setting) -> bool {
        self.environment.get(setting.name).is_some()
    }

    /// The text of a setting, if set. An unresolved Key Vault reference is an error.
    pub(super) fn optional(&mut self, setting: &Setting) -> Option<&'a str> {
        let value = self.environment.get(setting.name)?;
        let is_reference = value.starts_with("@Microsoft.KeyVault(");
        self.valid(
            setting,
            Some(value).filter(|_| !is_reference),
            "is a Key Vault reference that was not resolved; check the reference, and that the function's \
             identity has the role Key Vault Secrets User",
        )
    }

    pub(super) fn required(&mut self, setting: &Setting) -> Option<&'a str> {
        if !self.is_set(setting)
            && let Need::Required(hint) | Need::Alternative(hint) = setting.need
        {
            self.error(setting, format!("is not set; {hint}"));
        }
        self.optional(setting)
    }

    /// The text of a setting with a format, or its default. Without a default it is required.
    pub(super) fn form(&mut self, setting: &Setting) -> Option<&'a str> {
        let Kind::Form(default, is_valid, problem) = setting.kind else {
            unreachable!("{} has no format", setting.name);
        };
        let text = if default.is_empty() {
            self.required(setting)?
        } else {
            self.optional(setting).unwrap_or(default)
        };
        let valid = Some(text).filter(|text| is_valid(text));
        self.valid(setting, valid, problem.replace("{}", text))
    }

    pub(super) fn owned(&mut self, setting: &Setting) -> Option<String> {
        self.optional(setting).map(str::to_owned)
    }

    /// A whole number within its bounds.
    pub(super) fn number(&mut self, setting: &Setting) -> i64 {
        let Kind::Number(least, most, default) = setting.kind else {
            unreachable!("{} is not a number", setting.name);
        };
        let Some(text) = self.optional(setting) else {
            return default;
        };
        let number = text.parse().ok();
        let within = number.filter(|number| (least..=most).contains(number));
        let problem = format!("\"{text}\" is not a whole number from {least} to {most}");
        self.valid(setting, within, problem).unwrap_or(default)
    }

    /// The value for the chosen word, in the order of the catalog; by default the first.
    pub(super) fn choice<T: Copy, const N: usize>(
        &mut self,
        setting: &Setting,
        values: [T; N],
    ) -> T {
        let Kind::Choice(words) = setting.kind else {
            unreachable!("{} is not a choice", setting.name);
        };
        assert_eq!(words.len(), N, "{}", setting.name);
        let Some(text) = self.optional(setting) else {
            return values[0];
        };
        let chosen = words.iter().position(|word| word.eq_ignore_ascii_case(text));
        let problem = format!("\"{text}\" is not known; use {}", words.join(" or "));
        values[self.valid(setting, chosen, problem).unwrap_or(0)]
    }

    pub(super) fn finish(self) -> Result<(), SettingErrors> {
        if self.errors.is_empty() { Ok(()) } else { Err(SettingErrors(self.errors)) }
    }
}

pub(super) fn parts(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let parts = text.split(separator).map(str::trim);
    parts.filter(|part| !part.is_empty())
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SettingError {
    pub(crate) setting: &'static str,
    /// The error and a hint; never the value of a secret.
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
