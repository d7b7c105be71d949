//! Records of the authentication log (v2), with the variance seen in real ones.

use super::Event;
use super::identity::uuid;
use super::text::{APPLICATIONS, BROWSERS, PEOPLE, SYSTEMS, address, groups, key, location, phone};
use super::writer::{Digits, Object, iso_time, object};
use crate::random::Random;

/// The three states that are a truth value in one record and a text in the next.
const STATES: &[&str] = &["true", "false", "\"true\"", "\"unknown\"", "\"unknown\""];

pub(super) fn write(event: &Event<'_>, random: &mut Random, out: &mut String) {
    object(out, |record| {
        access_device(record, random);
        match random.below(8) {
            0 => {}
            1 => record.raw("adaptive_trust_assessments", "{}"),
            _ => record.object("adaptive_trust_assessments", |it| assessments(it, random)),
        }
        if let Some(bytes) = event.oversized {
            record.text("alias", &"\u{e9}x".repeat(bytes / 3));
        } else {
            record.text("alias", random.pick(&["", "unknown", "", "\u{e9}mile"]));
        }
        application(record, random);
        auth_device(record, random);
        let enrollment = random.below(25) == 0;
        let person = random.pick(PEOPLE);
        record.text_or_null(
            "email",
            random.pick(&[Some("ada@example.com"), Some(""), None]),
        );
        record.text(
            "event_type",
            if enrollment {
                "enrollment"
            } else {
                "authentication"
            },
        );
        let factors = [
            Some("duo_push"),
            Some("verified_duo_push"),
            Some("not_available"),
            Some("sms_passcode"),
            None,
        ];
        record.text_or_null("factor", random.pick(&factors));
        record.text(
            "isotimestamp",
            &iso_time(event.microsecond, Digits::Microseconds),
        );
        record.text_or_null("ood_software", random.pick(&[None, Some("")]));
        if random.below(3) > 0 {
            record.object("passport_assessment", |passport| {
                passport.raw("is_supported", random.below(2) == 0);
                passport.text("reason", "absent_health_report");
            });
        }
        attacks(record, random);
        let reasons = [
            "user_approved",
            "location_restricted",
            "no_response",
            "allow_unenrolled_user",
        ];
        record.text_or_null("reason", (!enrollment).then(|| random.pick(&reasons)));
        record.text(
            "result",
            random.pick(&["success", "success", "denied", "fraud", "error"]),
        );
        record.raw("timestamp", event.second());
        record.text(
            "trusted_endpoint_status",
            random.pick(&["not trusted", "trusted", "unknown"]),
        );
        session(record, random);
        record.text("txid", &uuid(event.id));
        record.object("user", |user| {
            user.raw("groups", groups(random));
            user.text("key", &key("DU", random.next()));
            user.text("name", person);
        });
        if random.below(64) == 0 {
            // Duo may add fields at any time.
            record.raw(
                "new_signal",
                r#"{"confidence":0.50,"notes":[1,[2,3],{"a":null}]}"#,
            );
        }
    });
}

fn access_device(record: &mut Object<'_>, random: &mut Random) {
    let browser = (random.below(6) > 0).then(|| random.pick(BROWSERS));
    let [system, version] = random.pick(SYSTEMS);
    record.object("access_device", |device| {
        device.text_or_null("browser", browser.map(|[name, _]| name));
        device.text_or_null("browser_version", browser.map(|[_, version]| version));
        if random.below(4) > 0 {
            device.text("epkey", &key("EP", random.next()));
        }
        device.text_or_null("flash_version", browser.map(|_| "uninstalled"));
        device.text_or_null("hostname", random.pick(&[None, Some("WKS01"), Some("b\u{fc}ro-7")]));
        if random.below(20) == 0 {
            device.null("ip");
        } else {
            device.text("ip", &address(random));
        }
        for state in ["is_encryption_enabled", "is_firewall_enabled", "is_password_set"] {
            device.raw(state, random.pick(STATES));
        }
        device.text_or_null("java_version", browser.map(|_| "uninstalled"));
        location(device, random);
        if random.below(2) == 0 {
            device.raw("management_agents", "[]");
        }
        device.text_or_null("os", browser.map(|_| system));
        device.text_or_null("os_version", browser.map(|_| version));
        let agents = [
            r#"[{"security_agent":"cisco-amp","version":"1.24.0"}]"#,
            r#"[{"security_agent":"cisco-amp","version":"1.24.0"},{"security_agent":"windows-defender","version":null}]"#,
            "[]",
            "null",
            "\"unknown\"",
        ];
        device.raw("security_agents", random.pick(&agents));
    });
}

fn assessments(assessments: &mut Object<'_>, random: &mut Random) {
    assessments.object("more_secure_auth", |more| {
        let detectors = [
            "[\"NOVEL_ASN\"]",
            "null",
            "[\"NOVEL_ASN\",\"UNREALISTIC_TRAVEL\"]",
            "[]",
        ];
        more.raw("detected_attack_detectors", random.pick(&detectors));
        more.text("features_version", "3.0");
        more.text("model_version", "2022.07.19.001");
        more.raw("policy_enabled", random.below(2) == 0);
        if random.below(3) > 0 {
            more.raw("preview_mode_enabled", random.below(2) == 0);
        }
        more.text(
            "reason",
            random.pick(&["Low trust", "Normal level of trust; no detection"]),
        );
        more.text("trust_level", random.pick(&["LOW", "NORMAL", "UNKNOWN"]));
    });
    assessments.object("remember_me", |remember| {
        remember.text("features_version", "3.0");
        remember.text("model_version", "2022.07.19.001");
        remember.raw("policy_enabled", random.below(2) == 0);
        remember.text("reason", random.pick(&["Known IP", "New IP; new device"]));
        remember.text("trust_level", random.pick(&["LOW", "NORMAL"]));
    });
}

/// Sources disagree on the name of the destination, so both occur, or neither.
fn application(record: &mut Object<'_>, random: &mut Random) {
    record.object("application", |application| {
        match random.below(4) {
            0 => application.text("destination_app_name", "Microsoft 365"),
            1 => {}
            _ => application.text("destination_name", "Microsoft 365"),
        }
        application.text("key", &key("DI", random.below(5)));
        application.text("name", random.pick(APPLICATIONS));
    });
}

fn auth_device(record: &mut Object<'_>, random: &mut Random) {
    record.object("auth_device", |device| {
        if random.below(5) == 0 {
            device.null("ip");
        } else {
            device.text("ip", &address(random));
        }
        let known = random.below(4) > 0;
        if known {
            device.text("key", &key("DP", random.next()));
        }
        location(device, random);
        if random.below(6) == 0 {
            device.null("name");
        } else {
            device.joined("name", &["Phone (", &phone(random), ")"]);
        }
        if known {
            device.null("serial");
            device.text_or_null(
                "type",
                random.pick(&[None, Some("Phone"), Some("Security Key")]),
            );
        }
    });
}

fn attacks(record: &mut Object<'_>, random: &mut Random) {
    if random.below(4) == 0 {
        return record.null("rbfs_triggered_attacks");
    }
    let attack = r#"[{"country_code_access":"NO","country_code_auth":null,"detected_occurrences":1,"detector":"NOVEL_ASN","shadow_mode":false,"suppressed":null,"threshold_occurrences":1,"threshold_time_frame":86400,"unrealistic_travel_velocity":null}]"#;
    record.raw(
        "rbfs_triggered_attacks",
        random.pick(&[attack, attack, "[]"]),
    );
}

/// Now and then with numbers that a detour through `f64` would spoil.
fn session(record: &mut Object<'_>, random: &mut Random) {
    if random.below(3) == 0 {
        return;
    }
    record.object("trusted_session_info", |session| {
        session.text(
            "trusted_session_uuid",
            &uuid(u128::from(random.next()) << 64 | 0x4000),
        );
        if random.below(8) == 0 {
            session.raw(
                "session_serial",
                format_args!("9007199254740993{:03}", random.below(1_000)),
            );
            session.raw(
                "session_drift",
                random.pick(&["1e-7", "1.50", "2.5E+3", "-0.0"]),
            );
        }
    });
}
