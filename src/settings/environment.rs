use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

/// The text of every setting. `Debug` shows only the names.
#[derive(Clone, Default, derive_more::Debug)]
#[debug("{:?}", values.keys())]
pub struct Environment {
    values: BTreeMap<String, String>,
    pub(super) host_json: Option<String>,
}

impl Environment {
    /// The environment variables, and `host.json` of the application folder of the Functions host.
    pub fn of_process() -> Self {
        #[expect(clippy::disallowed_methods, reason = "the only code that reads the environment")]
        let values: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let folder = values.get("FUNCTIONS_APP_ROOT_PATH").map_or(Path::new("."), Path::new);
        let host_json = std::fs::read_to_string(folder.join("host.json")).ok();
        Self { values, host_json }
    }

    /// Adds unset `Values` of a `local.settings.json`; returns whether the file exists.
    pub fn add_local_settings(&mut self, file: &Path) -> Result<bool, String> {
        #[derive(Deserialize)]
        struct LocalSettings {
            #[serde(rename = "IsEncrypted", default)]
            is_encrypted: bool,
            #[serde(rename = "Values")]
            values: BTreeMap<String, Value>,
        }
        let shown = file.display();
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(format!("{shown} cannot be read: {error}")),
        };
        // Windows editors add a byte order mark.
        let text = text.trim_start_matches('\u{feff}').trim_start();
        let wrong_format = format!(
            "{shown} is not of the form {{\"IsEncrypted\": false, \"Values\": {{\"NAME\": \"value\"}}}}"
        );
        // serde would also accept an array for the two fields.
        if text.starts_with('[') {
            return Err(wrong_format);
        }
        let settings: LocalSettings = serde_json::from_str(text).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            if error.is_data() {
                wrong_format
            } else {
                format!("{shown} is not valid JSON (line {line}, column {column})")
            }
        })?;
        if settings.is_encrypted {
            return Err(format!("{shown} is encrypted; run \"func settings decrypt\""));
        }
        for (name, value) in settings.values {
            let value = match value {
                Value::String(text) => text,
                Value::Null => continue,
                other => other.to_string(),
            };
            self.values.entry(name).or_insert(value);
        }
        Ok(true)
    }

    /// The trimmed text of a setting; an empty one is not set.
    pub fn get(&self, name: &str) -> Option<&str> {
        let value = self.values.get(name)?.trim();
        (!value.is_empty()).then_some(value)
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Environment {
    fn from(values: [(&str, &str); N]) -> Self {
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Self { values: values.map(owned).into(), host_json: None }
    }
}

#[cfg(test)]
impl Environment {
    /// Changes one setting; an empty text unsets it.
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.values.insert(name.to_owned(), value.to_owned());
        self
    }
}
