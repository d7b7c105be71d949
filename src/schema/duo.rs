//! Duo's fields that have columns, by log.
//!
//! A field that is not here has no column of its own: Duo may add fields at any time. Some that are here have none either,
//! because their names would be too long to be declared.

use super::ColumnType::{self, Boolean, DateTime, Guid, Real, Text};
use super::{Column, Source};
use crate::model::LogType::{
    self, Activity, Administrator, Authentication, OfflineEnrollment, Telephony, TrustMonitor,
};

#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    pub(super) path: &'static str,
    pub(super) types: &'static [ColumnType],
    pub(super) logs: &'static [LogType],
    /// Whether it is a boolean in one record and a text in the next; it is always sent as text then.
    pub(super) varies: bool,
    pub(super) about: &'static str,
}

impl Field {
    pub(super) fn columns(&'static self) -> impl Iterator<Item = Column> {
        self.types.iter().map(|column_type| Column {
            name: self.path.replace('.', "_") + column_type.suffix(),
            column_type: *column_type,
            source: Source::Duo { path: self.path, logs: self.logs, is_text: self.varies },
            about: self.about,
        })
    }
}

const fn field(
    path: &'static str,
    types: &'static [ColumnType],
    logs: &'static [LogType],
    about: &'static str,
) -> Field {
    let varies = false;
    Field { path, types, logs, varies, about }
}

const fn varying(field: Field) -> Field {
    Field { varies: true, ..field }
}

/// The name of the column would have more than 45 characters, so that it cannot be declared.
const TOO_LONG: &[ColumnType] = &[];
const TEXT: &[ColumnType] = &[Text];
const GUID: &[ColumnType] = &[Guid];
const TIME: &[ColumnType] = &[DateTime];
const NUMBER: &[ColumnType] = &[Real];
const TRUTH: &[ColumnType] = &[Boolean];

const ACTIVITY: &[LogType] = &[Activity];
const NEWER: &[LogType] = &[Telephony, Activity];
const OLDER: &[LogType] = &[Administrator, OfflineEnrollment];
const SIGN_INS: &[LogType] = &[Authentication];
const SIGN_INS_AND_ACTIVITY: &[LogType] = &[Authentication, Activity];
const TELEPHONY: &[LogType] = &[Telephony];
const TRUST_MONITOR: &[LogType] = &[TrustMonitor];
const WITH_ACTION: &[LogType] = &[Administrator, OfflineEnrollment, Activity];
const WITH_TIMESTAMP: &[LogType] = &[Authentication, Administrator, Telephony, OfflineEnrollment];
const WITH_TXID: &[LogType] = &[Authentication, Telephony];
const WITH_TYPE: &[LogType] = &[Telephony, TrustMonitor];

#[rustfmt::skip]
pub(super) const FIELDS: &[Field] = &[
    field("access_device.browser", TEXT, SIGN_INS_AND_ACTIVITY, "Browser that signed in"),
    field("access_device.browser_version", TEXT, SIGN_INS_AND_ACTIVITY, "Its version"),
    field("access_device.epkey", TEXT, SIGN_INS_AND_ACTIVITY, "Duo's key of the endpoint"),
    field("access_device.flash_version", TEXT, SIGN_INS, "Version of Flash"),
    field("access_device.hostname", TEXT, SIGN_INS, "Name of the device"),
    field("access_device.ip", TEXT, SIGN_INS, "Address that was signed in from"),
    field("access_device.ip.address", TEXT, ACTIVITY, "Address that acted"),
    varying(field("access_device.is_encryption_enabled", TEXT, SIGN_INS, "Whether its disk is encrypted: true, false or unknown")),
    varying(field("access_device.is_firewall_enabled", TEXT, SIGN_INS, "Whether its firewall is on: true, false or unknown")),
    varying(field("access_device.is_password_set", TEXT, SIGN_INS, "Whether it has a password: true, false or unknown")),
    field("access_device.java_version", TEXT, SIGN_INS, "Version of Java"),
    field("access_device.location.city", TEXT, SIGN_INS_AND_ACTIVITY, "City of its address"),
    field("access_device.location.country", TEXT, SIGN_INS_AND_ACTIVITY, "Country of its address"),
    field("access_device.location.state", TEXT, SIGN_INS_AND_ACTIVITY, "State or province of its address"),
    field("access_device.management_agents", TEXT, SIGN_INS, "Management agents found on it, as JSON"),
    field("access_device.os", TEXT, SIGN_INS_AND_ACTIVITY, "Its operating system"),
    field("access_device.os_version", TEXT, SIGN_INS_AND_ACTIVITY, "Version of its operating system"),
    field("access_device.security_agents", TEXT, SIGN_INS, "Security agents found on it, as JSON"),
    field("action", TEXT, WITH_ACTION, "What was done; for the activity log its older form"),
    field("action.details", TEXT, ACTIVITY, "More about what was done, as JSON"),
    field("action.name", TEXT, ACTIVITY, "What was done"),
    field("activity_id", GUID, ACTIVITY, "Duo's id of the activity"),
    field("actor.details", TEXT, ACTIVITY, "Who did it: details, as JSON"),
    field("actor.key", TEXT, ACTIVITY, "Who did it: Duo's key"),
    field("actor.name", TEXT, ACTIVITY, "Who did it: name"),
    field("actor.type", TEXT, ACTIVITY, "Who did it: kind"),
    field("akey", TEXT, ACTIVITY, "Duo's key of the account"),
    field("adaptive_trust_assessments.more_secure_auth.detected_attack_detectors", TOO_LONG, SIGN_INS, "Whether a stronger factor was asked for: attack patterns that were found, as JSON"),
    field("adaptive_trust_assessments.more_secure_auth.features_version", TOO_LONG, SIGN_INS, "Whether a stronger factor was asked for: version of what was looked at"),
    field("adaptive_trust_assessments.more_secure_auth.model_version", TOO_LONG, SIGN_INS, "Whether a stronger factor was asked for: version of the model"),
    field("adaptive_trust_assessments.more_secure_auth.policy_enabled", TOO_LONG, SIGN_INS, "Whether a stronger factor was asked for: whether a policy asks for it"),
    field("adaptive_trust_assessments.more_secure_auth.preview_mode_enabled", TOO_LONG, SIGN_INS, "Whether a stronger factor was asked for: whether it was looked at only"),
    field("adaptive_trust_assessments.more_secure_auth.reason", TOO_LONG, SIGN_INS, "Whether a stronger factor was asked for: why"),
    field("adaptive_trust_assessments.more_secure_auth.trust_level", TOO_LONG, SIGN_INS, "Whether a stronger factor was asked for: LOW, NORMAL or UNKNOWN"),
    field("adaptive_trust_assessments.remember_me.features_version", TOO_LONG, SIGN_INS, "Whether the device was remembered: version of what was looked at"),
    field("adaptive_trust_assessments.remember_me.model_version", TOO_LONG, SIGN_INS, "Whether the device was remembered: version of the model"),
    field("adaptive_trust_assessments.remember_me.policy_enabled", TOO_LONG, SIGN_INS, "Whether the device was remembered: whether a policy asks for it"),
    field("adaptive_trust_assessments.remember_me.reason", TOO_LONG, SIGN_INS, "Whether the device was remembered: why"),
    field("adaptive_trust_assessments.remember_me.trust_level", TOO_LONG, SIGN_INS, "Whether the device was remembered: LOW, NORMAL or UNKNOWN"),
    field("alias", TEXT, SIGN_INS, "Alias that was signed in with"),
    field("application.destination_app_name", TEXT, SIGN_INS, "Application behind the identity provider, as some accounts have it"),
    field("application.destination_name", TEXT, SIGN_INS, "Application behind the identity provider"),
    field("application.key", TEXT, SIGN_INS_AND_ACTIVITY, "Integration key of the application"),
    field("application.name", TEXT, SIGN_INS_AND_ACTIVITY, "Name of the application"),
    field("application.type", TEXT, ACTIVITY, "Kind of the application"),
    field("auth_device.ip", TEXT, SIGN_INS, "Address of the second factor's device"),
    field("auth_device.key", TEXT, SIGN_INS, "Duo's key of the second factor's device"),
    field("auth_device.location.city", TEXT, SIGN_INS, "City of the second factor's device"),
    field("auth_device.location.country", TEXT, SIGN_INS, "Country of the second factor's device"),
    field("auth_device.location.state", TEXT, SIGN_INS, "State or province of the second factor's device"),
    field("auth_device.name", TEXT, SIGN_INS, "Name or number of the second factor's device"),
    field("auth_device.serial", TEXT, SIGN_INS, "Serial number of the second factor's device"),
    field("auth_device.type", TEXT, SIGN_INS, "Kind of the second factor's device"),
    field("bypass_status_enabled", NUMBER, TRUST_MONITOR, "When the bypass was switched on, in milliseconds since 1970"),
    field("context", TEXT, TELEPHONY, "What the message or call was for"),
    field("credits", NUMBER, TELEPHONY, "Telephony credits that it cost"),
    field("description", TEXT, OLDER, "More about the action, as JSON or text"),
    field("email", TEXT, SIGN_INS, "The user's e-mail address"),
    field("enabled_by.key", TEXT, TRUST_MONITOR, "Who switched the bypass on: Duo's key"),
    field("enabled_by.name", TEXT, TRUST_MONITOR, "Who switched the bypass on: name"),
    field("enabled_for.key", TEXT, TRUST_MONITOR, "Whom the bypass is for: Duo's key"),
    field("enabled_for.name", TEXT, TRUST_MONITOR, "Whom the bypass is for: name"),
    field("event_type", TEXT, SIGN_INS, "authentication or enrollment"),
    field("explanations", TEXT, TRUST_MONITOR, "Why Trust Monitor surfaced the event, as JSON"),
    field("factor", TEXT, SIGN_INS, "Second factor"),
    field("from_common_netblock", TRUTH, TRUST_MONITOR, "Whether the address is one that is often seen"),
    field("from_new_user", TRUTH, TRUST_MONITOR, "Whether the user is new"),
    field("isotimestamp", TIME, WITH_TIMESTAMP, "When the event happened"),
    field("low_risk_ip", TRUTH, TRUST_MONITOR, "Whether the address is of low risk"),
    field("object", TEXT, OLDER, "What the action was done to"),
    field("old_target.details", TEXT, ACTIVITY, "What the target was before: details, as JSON"),
    field("old_target.key", TEXT, ACTIVITY, "What the target was before: Duo's key"),
    field("old_target.name", TEXT, ACTIVITY, "What the target was before: name"),
    field("old_target.type", TEXT, ACTIVITY, "What the target was before: kind"),
    field("ood_software", TEXT, SIGN_INS, "Software that is out of date"),
    field("outcome.result", TEXT, ACTIVITY, "SUCCESS or FAILURE"),
    field("passport_assessment.is_supported", TRUTH, SIGN_INS, "Whether Duo Passport is supported on the device"),
    field("passport_assessment.reason", TEXT, SIGN_INS, "Why Duo Passport is supported or not"),
    field("phone", TEXT, TELEPHONY, "Number that was texted or called"),
    field("priority_event", TRUTH, TRUST_MONITOR, "Whether the event matches the risk profile"),
    field("priority_reasons", TEXT, TRUST_MONITOR, "Why it does, as JSON"),
    field("rbfs_triggered_attacks", TEXT, SIGN_INS, "Attack patterns that asked for a stronger factor, as JSON"),
    field("reason", TEXT, SIGN_INS, "Why the sign-in ended as it did"),
    field("result", TEXT, SIGN_INS, "success, denied, fraud or error"),
    field("sekey", TEXT, TRUST_MONITOR, "Duo's key of the surfaced event"),
    field("state", TEXT, TRUST_MONITOR, "How far the surfaced event was looked at"),
    field("state_updated_timestamp", NUMBER, TRUST_MONITOR, "When that was last changed, in milliseconds since 1970"),
    field("surfaced_auth.access_device.browser", TEXT, TRUST_MONITOR, "Surfaced sign-in: browser"),
    field("surfaced_auth.access_device.browser_version", TEXT, TRUST_MONITOR, "Surfaced sign-in: its version"),
    field("surfaced_auth.access_device.epkey", TEXT, TRUST_MONITOR, "Surfaced sign-in: Duo's key of the endpoint"),
    field("surfaced_auth.access_device.flash_version", TEXT, TRUST_MONITOR, "Surfaced sign-in: version of Flash"),
    field("surfaced_auth.access_device.hostname", TEXT, TRUST_MONITOR, "Surfaced sign-in: name of the device"),
    field("surfaced_auth.access_device.ip", TEXT, TRUST_MONITOR, "Surfaced sign-in: address"),
    varying(field("surfaced_auth.access_device.is_encryption_enabled", TOO_LONG, TRUST_MONITOR, "Surfaced sign-in: whether the device's disk is encrypted: true, false or unknown")),
    varying(field("surfaced_auth.access_device.is_firewall_enabled", TOO_LONG, TRUST_MONITOR, "Surfaced sign-in: whether the device's firewall is on: true, false or unknown")),
    varying(field("surfaced_auth.access_device.is_password_set", TEXT, TRUST_MONITOR, "Surfaced sign-in: whether the device has a password: true, false or unknown")),
    field("surfaced_auth.access_device.java_version", TEXT, TRUST_MONITOR, "Surfaced sign-in: version of Java"),
    field("surfaced_auth.access_device.location.city", TEXT, TRUST_MONITOR, "Surfaced sign-in: city of its address"),
    field("surfaced_auth.access_device.location.country", TOO_LONG, TRUST_MONITOR, "Surfaced sign-in: country of its address"),
    field("surfaced_auth.access_device.location.state", TEXT, TRUST_MONITOR, "Surfaced sign-in: state or province of its address"),
    field("surfaced_auth.access_device.os", TEXT, TRUST_MONITOR, "Surfaced sign-in: operating system"),
    field("surfaced_auth.access_device.os_version", TEXT, TRUST_MONITOR, "Surfaced sign-in: version of the operating system"),
    field("surfaced_auth.access_device.security_agents", TEXT, TRUST_MONITOR, "Surfaced sign-in: security agents found on it, as JSON"),
    field("surfaced_auth.alias", TEXT, TRUST_MONITOR, "Surfaced sign-in: alias"),
    field("surfaced_auth.application.key", TEXT, TRUST_MONITOR, "Surfaced sign-in: integration key of the application"),
    field("surfaced_auth.application.name", TEXT, TRUST_MONITOR, "Surfaced sign-in: name of the application"),
    field("surfaced_auth.auth_device.ip", TEXT, TRUST_MONITOR, "Surfaced sign-in: address of the second factor's device"),
    field("surfaced_auth.auth_device.key", TEXT, TRUST_MONITOR, "Surfaced sign-in: Duo's key of the second factor's device"),
    field("surfaced_auth.auth_device.location.city", TEXT, TRUST_MONITOR, "Surfaced sign-in: city of the second factor's device"),
    field("surfaced_auth.auth_device.location.country", TEXT, TRUST_MONITOR, "Surfaced sign-in: country of the second factor's device"),
    field("surfaced_auth.auth_device.location.state", TEXT, TRUST_MONITOR, "Surfaced sign-in: state or province of the second factor's device"),
    field("surfaced_auth.auth_device.name", TEXT, TRUST_MONITOR, "Surfaced sign-in: name or number of the second factor's device"),
    field("surfaced_auth.email", TEXT, TRUST_MONITOR, "Surfaced sign-in: e-mail address"),
    field("surfaced_auth.event_type", TEXT, TRUST_MONITOR, "Surfaced sign-in: kind"),
    field("surfaced_auth.factor", TEXT, TRUST_MONITOR, "Surfaced sign-in: second factor"),
    field("surfaced_auth.isotimestamp", TIME, TRUST_MONITOR, "Surfaced sign-in: when it happened"),
    field("surfaced_auth.ood_software", TEXT, TRUST_MONITOR, "Surfaced sign-in: software that is out of date"),
    field("surfaced_auth.reason", TEXT, TRUST_MONITOR, "Surfaced sign-in: why it ended as it did"),
    field("surfaced_auth.result", TEXT, TRUST_MONITOR, "Surfaced sign-in: how it ended"),
    field("surfaced_auth.timestamp", NUMBER, TRUST_MONITOR, "Surfaced sign-in: when it happened, in seconds since 1970"),
    field("surfaced_auth.trusted_endpoint_status", TEXT, TRUST_MONITOR, "Surfaced sign-in: whether the endpoint is trusted"),
    field("surfaced_auth.txid", GUID, TRUST_MONITOR, "Surfaced sign-in: Duo's id of it"),
    field("surfaced_auth.user.groups", TEXT, TRUST_MONITOR, "Surfaced sign-in: groups of the user, as JSON"),
    field("surfaced_auth.user.key", TEXT, TRUST_MONITOR, "Surfaced sign-in: Duo's key of the user"),
    field("surfaced_auth.user.name", TEXT, TRUST_MONITOR, "Surfaced sign-in: name of the user"),
    field("surfaced_timestamp", NUMBER, TRUST_MONITOR, "When Trust Monitor surfaced the event, in milliseconds since 1970"),
    field("target.details", TEXT, ACTIVITY, "What it was done to: details, as JSON"),
    field("target.key", TEXT, ACTIVITY, "What it was done to: Duo's key"),
    field("target.name", TEXT, ACTIVITY, "What it was done to: name"),
    field("target.type", TEXT, ACTIVITY, "What it was done to: kind"),
    field("telephony_id", GUID, TELEPHONY, "Duo's id of the message or call"),
    field("timestamp", NUMBER, WITH_TIMESTAMP, "When the event happened, in seconds since 1970"),
    field("triage_event_uri", TEXT, TRUST_MONITOR, "Where the surfaced event stands in the Duo Admin Panel"),
    field("triaged_as_interesting", TRUTH, TRUST_MONITOR, "Whether it was marked as interesting"),
    field("trusted_endpoint_status", TEXT, SIGN_INS, "Whether the endpoint is trusted"),
    field("trusted_session_info.trusted_session_uuid", GUID, SIGN_INS, "Id of the trusted session"),
    field("ts", TIME, NEWER, "When the event happened"),
    field("txid", GUID, WITH_TXID, "Duo's id of the sign-in"),
    field("type", TEXT, WITH_TYPE, "sms or phone; for Trust Monitor the kind of event"),
    field("user.groups", TEXT, SIGN_INS, "Groups of the user, as JSON"),
    field("user.key", TEXT, SIGN_INS, "Duo's key of the user"),
    field("user.name", TEXT, SIGN_INS, "Name of the user"),
    field("username", TEXT, OLDER, "Who did it"),
];
