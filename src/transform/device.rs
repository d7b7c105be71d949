//! The fields of a device whose type wavers between true, false and "unknown".

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::Parts;
use crate::model::position;

/// An `access_device`.
#[derive(Debug, Deserialize)]
#[expect(clippy::struct_field_names, reason = "the names are Duo's")]
pub struct AccessDevice<'a> {
    #[serde(borrow)]
    is_encryption_enabled: Option<&'a RawValue>,
    #[serde(borrow)]
    is_firewall_enabled: Option<&'a RawValue>,
    #[serde(borrow)]
    is_password_set: Option<&'a RawValue>,
}

/// The authentication that trust monitor brings to attention.
#[derive(Debug, Deserialize)]
pub struct SurfacedAuth<'a> {
    #[serde(borrow)]
    access_device: Option<AccessDevice<'a>>,
}

/// Where the fields stand whose type wavers.
pub trait Wavering {
    /// Adds the places of those that are true or false in the whole record.
    fn add_to(&self, parts: &mut Parts, text: &str);
}

impl Wavering for AccessDevice<'_> {
    fn add_to(&self, parts: &mut Parts, text: &str) {
        let values = [
            self.is_encryption_enabled,
            self.is_firewall_enabled,
            self.is_password_set,
        ];
        let truths = values
            .into_iter()
            .flatten()
            .filter(|value| matches!(value.get(), "true" | "false"));
        parts.extend(truths.map(|value| position(text, value.get())));
    }
}

impl Wavering for SurfacedAuth<'_> {
    fn add_to(&self, parts: &mut Parts, text: &str) {
        if let Some(device) = &self.access_device {
            device.add_to(parts, text);
        }
    }
}

impl Wavering for IgnoredAny {
    fn add_to(&self, _parts: &mut Parts, _text: &str) {}
}
