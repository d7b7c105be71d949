//! Duo's fields with columns, by log.
//!
//! Other fields have no column of their own: Duo may add fields at any time. Some of the fields
//! listed here have none either, because the column name would be too long.

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
    /// Whether Duo sends booleans and texts; both are sent as text.
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

/// The column name would exceed 45 characters and cannot be declared.
const TOO_LONG: &[ColumnType] = &[];
const TEXT: &[ColumnType] = &[Text];
const GUID: &[ColumnType] = &[Guid];
const TIME: &[ColumnType] = &[DateTime];
const NUMBER: &[ColumnType] = &[Real];
const TRUTH: &[ColumnType] = &[Boolean];

const ACTIVITY: &[LogType] = &[Activity];
const WITH_TS: &[LogType] = &[Telephony, Activity];
const V1: &[LogType] = &[Administrator, OfflineEnrollment];
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
    field("access_device.browser", TEXT, SIGN_INS_AND_ACTIVITY, "Browser"),
    field("access_device.browser_version", TEXT, SIGN_INS_AND_ACTIVITY, "Browser version"),
    field("access_device.epkey", TEXT, SIGN_INS_AND_ACTIVITY, "Duo key of the endpoint"),
    field("access_device.flash_version", TEXT, SIGN_INS, "Flash version"),
    field("access_device.hostname", TEXT, SIGN_INS, "Hostname of the device"),
    field("access_device.ip", TEXT, SIGN_INS, "IP address of the device"),
    field("access_device.ip.address", TEXT, ACTIVITY, "IP address of the device"),
    varying(field("access_device.is_encryption_enabled", TEXT, SIGN_INS, "Whether the disk of the device is encrypted: true, false or unknown")),
    varying(field("access_device.is_firewall_enabled", TEXT, SIGN_INS, "Whether the firewall of the device is on: true, false or unknown")),
    varying(field("access_device.is_password_set", TEXT, SIGN_INS, "Whether the device has a password: true, false or unknown")),
    field("access_device.java_version", TEXT, SIGN_INS, "Java version"),
    field("access_device.location.city", TEXT, SIGN_INS_AND_ACTIVITY, "City of the IP address"),
    field("access_device.location.country", TEXT, SIGN_INS_AND_ACTIVITY, "Country of the IP address"),
    field("access_device.location.state", TEXT, SIGN_INS_AND_ACTIVITY, "State or province of the IP address"),
    field("access_device.management_agents", TEXT, SIGN_INS, "Management agents on the device, as JSON"),
    field("access_device.os", TEXT, SIGN_INS_AND_ACTIVITY, "Operating system"),
    field("access_device.os_version", TEXT, SIGN_INS_AND_ACTIVITY, "Operating system version"),
    field("access_device.security_agents", TEXT, SIGN_INS, "Security agents on the device, as JSON"),
    field("action", TEXT, WITH_ACTION, "Action; in the activity log, its older form"),
    field("action.details", TEXT, ACTIVITY, "Details of the action, as JSON"),
    field("action.name", TEXT, ACTIVITY, "Name of the action"),
    field("activity_id", GUID, ACTIVITY, "Duo id of the activity"),
    field("actor.details", TEXT, ACTIVITY, "Details of the actor, as JSON"),
    field("actor.key", TEXT, ACTIVITY, "Duo key of the actor"),
    field("actor.name", TEXT, ACTIVITY, "Name of the actor"),
    field("actor.type", TEXT, ACTIVITY, "Type of the actor"),
    field("akey", TEXT, ACTIVITY, "Duo key of the account"),
    field("adaptive_trust_assessments.more_secure_auth.detected_attack_detectors", TOO_LONG, SIGN_INS, "Step-up assessment: detected attack patterns, as JSON"),
    field("adaptive_trust_assessments.more_secure_auth.features_version", TOO_LONG, SIGN_INS, "Step-up assessment: version of the features"),
    field("adaptive_trust_assessments.more_secure_auth.model_version", TOO_LONG, SIGN_INS, "Step-up assessment: version of the model"),
    field("adaptive_trust_assessments.more_secure_auth.policy_enabled", TOO_LONG, SIGN_INS, "Step-up assessment: whether a policy enables it"),
    field("adaptive_trust_assessments.more_secure_auth.preview_mode_enabled", TOO_LONG, SIGN_INS, "Step-up assessment: whether it is in preview mode"),
    field("adaptive_trust_assessments.more_secure_auth.reason", TOO_LONG, SIGN_INS, "Step-up assessment: reason"),
    field("adaptive_trust_assessments.more_secure_auth.trust_level", TOO_LONG, SIGN_INS, "Step-up assessment: trust level, LOW, NORMAL or UNKNOWN"),
    field("adaptive_trust_assessments.remember_me.features_version", TOO_LONG, SIGN_INS, "Remembered-device assessment: version of the features"),
    field("adaptive_trust_assessments.remember_me.model_version", TOO_LONG, SIGN_INS, "Remembered-device assessment: version of the model"),
    field("adaptive_trust_assessments.remember_me.policy_enabled", TOO_LONG, SIGN_INS, "Remembered-device assessment: whether a policy enables it"),
    field("adaptive_trust_assessments.remember_me.reason", TOO_LONG, SIGN_INS, "Remembered-device assessment: reason"),
    field("adaptive_trust_assessments.remember_me.trust_level", TOO_LONG, SIGN_INS, "Remembered-device assessment: trust level, LOW, NORMAL or UNKNOWN"),
    field("alias", TEXT, SIGN_INS, "Alias used to sign in"),
    field("application.destination_app_name", TEXT, SIGN_INS, "Application behind the identity provider, in some accounts"),
    field("application.destination_name", TEXT, SIGN_INS, "Application behind the identity provider"),
    field("application.key", TEXT, SIGN_INS_AND_ACTIVITY, "Integration key of the application"),
    field("application.name", TEXT, SIGN_INS_AND_ACTIVITY, "Name of the application"),
    field("application.type", TEXT, ACTIVITY, "Type of the application"),
    field("auth_device.ip", TEXT, SIGN_INS, "IP address of the second-factor device"),
    field("auth_device.key", TEXT, SIGN_INS, "Duo key of the second-factor device"),
    field("auth_device.location.city", TEXT, SIGN_INS, "City of the second-factor device"),
    field("auth_device.location.country", TEXT, SIGN_INS, "Country of the second-factor device"),
    field("auth_device.location.state", TEXT, SIGN_INS, "State or province of the second-factor device"),
    field("auth_device.name", TEXT, SIGN_INS, "Name or number of the second-factor device"),
    field("auth_device.serial", TEXT, SIGN_INS, "Serial number of the second-factor device"),
    field("auth_device.type", TEXT, SIGN_INS, "Type of the second-factor device"),
    field("bypass_status_enabled", NUMBER, TRUST_MONITOR, "Time at which the bypass was enabled, in milliseconds since 1970"),
    field("context", TEXT, TELEPHONY, "Purpose of the message or call"),
    field("credits", NUMBER, TELEPHONY, "Telephony credits used"),
    field("description", TEXT, V1, "Details of the action, as JSON or text"),
    field("email", TEXT, SIGN_INS, "Email address of the user"),
    field("enabled_by.key", TEXT, TRUST_MONITOR, "Duo key of the actor that enabled the bypass"),
    field("enabled_by.name", TEXT, TRUST_MONITOR, "Name of the actor that enabled the bypass"),
    field("enabled_for.key", TEXT, TRUST_MONITOR, "Duo key of the user with the bypass"),
    field("enabled_for.name", TEXT, TRUST_MONITOR, "Name of the user with the bypass"),
    field("event_type", TEXT, SIGN_INS, "Type of the event: authentication or enrollment"),
    field("explanations", TEXT, TRUST_MONITOR, "Reasons why Trust Monitor surfaced the event, as JSON"),
    field("factor", TEXT, SIGN_INS, "Second factor"),
    field("from_common_netblock", TRUTH, TRUST_MONITOR, "Whether the IP address is from a common netblock"),
    field("from_new_user", TRUTH, TRUST_MONITOR, "Whether the user is new"),
    field("isotimestamp", TIME, WITH_TIMESTAMP, "Time of the event"),
    field("low_risk_ip", TRUTH, TRUST_MONITOR, "Whether the IP address has a low risk"),
    field("object", TEXT, V1, "Object of the action"),
    field("old_target.details", TEXT, ACTIVITY, "Details of the previous target, as JSON"),
    field("old_target.key", TEXT, ACTIVITY, "Duo key of the previous target"),
    field("old_target.name", TEXT, ACTIVITY, "Name of the previous target"),
    field("old_target.type", TEXT, ACTIVITY, "Type of the previous target"),
    field("ood_software", TEXT, SIGN_INS, "Out-of-date software"),
    field("outcome.result", TEXT, ACTIVITY, "Result: SUCCESS or FAILURE"),
    field("passport_assessment.is_supported", TRUTH, SIGN_INS, "Whether Duo Passport is supported on the device"),
    field("passport_assessment.reason", TEXT, SIGN_INS, "Reason why Duo Passport is supported or not"),
    field("phone", TEXT, TELEPHONY, "Phone number of the message or call"),
    field("priority_event", TRUTH, TRUST_MONITOR, "Whether the event matches the risk profile"),
    field("priority_reasons", TEXT, TRUST_MONITOR, "Reasons for priority_event, as JSON"),
    field("rbfs_triggered_attacks", TEXT, SIGN_INS, "Attack patterns that required a stronger factor, as JSON"),
    field("reason", TEXT, SIGN_INS, "Reason for the result"),
    field("result", TEXT, SIGN_INS, "Result: success, denied, fraud or error"),
    field("sekey", TEXT, TRUST_MONITOR, "Duo key of the surfaced event"),
    field("state", TEXT, TRUST_MONITOR, "Triage state of the surfaced event"),
    field("state_updated_timestamp", NUMBER, TRUST_MONITOR, "Time of the last change of the state, in milliseconds since 1970"),
    field("surfaced_auth.access_device.browser", TEXT, TRUST_MONITOR, "Surfaced sign-in: browser"),
    field("surfaced_auth.access_device.browser_version", TEXT, TRUST_MONITOR, "Surfaced sign-in: browser version"),
    field("surfaced_auth.access_device.epkey", TEXT, TRUST_MONITOR, "Surfaced sign-in: Duo key of the endpoint"),
    field("surfaced_auth.access_device.flash_version", TEXT, TRUST_MONITOR, "Surfaced sign-in: Flash version"),
    field("surfaced_auth.access_device.hostname", TEXT, TRUST_MONITOR, "Surfaced sign-in: hostname of the device"),
    field("surfaced_auth.access_device.ip", TEXT, TRUST_MONITOR, "Surfaced sign-in: IP address of the device"),
    varying(field("surfaced_auth.access_device.is_encryption_enabled", TOO_LONG, TRUST_MONITOR, "Surfaced sign-in: whether the disk of the device is encrypted: true, false or unknown")),
    varying(field("surfaced_auth.access_device.is_firewall_enabled", TOO_LONG, TRUST_MONITOR, "Surfaced sign-in: whether the firewall of the device is on: true, false or unknown")),
    varying(field("surfaced_auth.access_device.is_password_set", TEXT, TRUST_MONITOR, "Surfaced sign-in: whether the device has a password: true, false or unknown")),
    field("surfaced_auth.access_device.java_version", TEXT, TRUST_MONITOR, "Surfaced sign-in: Java version"),
    field("surfaced_auth.access_device.location.city", TEXT, TRUST_MONITOR, "Surfaced sign-in: city of the IP address"),
    field("surfaced_auth.access_device.location.country", TOO_LONG, TRUST_MONITOR, "Surfaced sign-in: country of the IP address"),
    field("surfaced_auth.access_device.location.state", TEXT, TRUST_MONITOR, "Surfaced sign-in: state or province of the IP address"),
    field("surfaced_auth.access_device.os", TEXT, TRUST_MONITOR, "Surfaced sign-in: operating system"),
    field("surfaced_auth.access_device.os_version", TEXT, TRUST_MONITOR, "Surfaced sign-in: operating system version"),
    field("surfaced_auth.access_device.security_agents", TEXT, TRUST_MONITOR, "Surfaced sign-in: security agents on the device, as JSON"),
    field("surfaced_auth.alias", TEXT, TRUST_MONITOR, "Surfaced sign-in: alias"),
    field("surfaced_auth.application.key", TEXT, TRUST_MONITOR, "Surfaced sign-in: integration key of the application"),
    field("surfaced_auth.application.name", TEXT, TRUST_MONITOR, "Surfaced sign-in: name of the application"),
    field("surfaced_auth.auth_device.ip", TEXT, TRUST_MONITOR, "Surfaced sign-in: IP address of the second-factor device"),
    field("surfaced_auth.auth_device.key", TEXT, TRUST_MONITOR, "Surfaced sign-in: Duo key of the second-factor device"),
    field("surfaced_auth.auth_device.location.city", TEXT, TRUST_MONITOR, "Surfaced sign-in: city of the second-factor device"),
    field("surfaced_auth.auth_device.location.country", TEXT, TRUST_MONITOR, "Surfaced sign-in: country of the second-factor device"),
    field("surfaced_auth.auth_device.location.state", TEXT, TRUST_MONITOR, "Surfaced sign-in: state or province of the second-factor device"),
    field("surfaced_auth.auth_device.name", TEXT, TRUST_MONITOR, "Surfaced sign-in: name or number of the second-factor device"),
    field("surfaced_auth.email", TEXT, TRUST_MONITOR, "Surfaced sign-in: email address of the user"),
    field("surfaced_auth.event_type", TEXT, TRUST_MONITOR, "Surfaced sign-in: type of the event"),
    field("surfaced_auth.factor", TEXT, TRUST_MONITOR, "Surfaced sign-in: second factor"),
    field("surfaced_auth.isotimestamp", TIME, TRUST_MONITOR, "Surfaced sign-in: time of the event"),
    field("surfaced_auth.ood_software", TEXT, TRUST_MONITOR, "Surfaced sign-in: out-of-date software"),
    field("surfaced_auth.reason", TEXT, TRUST_MONITOR, "Surfaced sign-in: reason for the result"),
    field("surfaced_auth.result", TEXT, TRUST_MONITOR, "Surfaced sign-in: result"),
    field("surfaced_auth.timestamp", NUMBER, TRUST_MONITOR, "Surfaced sign-in: time of the event, in seconds since 1970"),
    field("surfaced_auth.trusted_endpoint_status", TEXT, TRUST_MONITOR, "Surfaced sign-in: whether the endpoint is trusted"),
    field("surfaced_auth.txid", GUID, TRUST_MONITOR, "Surfaced sign-in: Duo id"),
    field("surfaced_auth.user.groups", TEXT, TRUST_MONITOR, "Surfaced sign-in: groups of the user, as JSON"),
    field("surfaced_auth.user.key", TEXT, TRUST_MONITOR, "Surfaced sign-in: Duo key of the user"),
    field("surfaced_auth.user.name", TEXT, TRUST_MONITOR, "Surfaced sign-in: name of the user"),
    field("surfaced_timestamp", NUMBER, TRUST_MONITOR, "Time at which Trust Monitor surfaced the event, in milliseconds since 1970"),
    field("target.details", TEXT, ACTIVITY, "Details of the target, as JSON"),
    field("target.key", TEXT, ACTIVITY, "Duo key of the target"),
    field("target.name", TEXT, ACTIVITY, "Name of the target"),
    field("target.type", TEXT, ACTIVITY, "Type of the target"),
    field("telephony_id", GUID, TELEPHONY, "Duo id of the message or call"),
    field("timestamp", NUMBER, WITH_TIMESTAMP, "Time of the event, in seconds since 1970"),
    field("triage_event_uri", TEXT, TRUST_MONITOR, "URL of the surfaced event in the Duo Admin Panel"),
    field("triaged_as_interesting", TRUTH, TRUST_MONITOR, "Whether the surfaced event was marked as interesting"),
    field("trusted_endpoint_status", TEXT, SIGN_INS, "Whether the endpoint is trusted"),
    field("trusted_session_info.trusted_session_uuid", GUID, SIGN_INS, "Id of the trusted session"),
    field("ts", TIME, WITH_TS, "Time of the event"),
    field("txid", GUID, WITH_TXID, "Duo id of the sign-in"),
    field("type", TEXT, WITH_TYPE, "sms or phone; in Trust Monitor, the type of the event"),
    field("user.groups", TEXT, SIGN_INS, "Groups of the user, as JSON"),
    field("user.key", TEXT, SIGN_INS, "Duo key of the user"),
    field("user.name", TEXT, SIGN_INS, "Name of the user"),
    field("username", TEXT, V1, "Name of the actor"),
];
