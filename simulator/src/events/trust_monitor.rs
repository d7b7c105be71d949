//! Records of Trust Monitor: a suspicious login, a bypass, a registered device.

use super::Event;
use super::identity::{sekey, uuid};
use super::text::{APPLICATIONS, PEOPLE, address, groups, key, location};
use super::writer::{Digits, Object, iso_time, object};
use crate::random::Random;

pub(super) fn write(event: &Event<'_>, random: &mut Random, out: &mut String) {
    object(out, |record| match random.below(4) {
        0 => bypass(event, random, record),
        1 => device(event, random, record),
        _ => login(event, random, record),
    });
}

fn login(event: &Event<'_>, random: &mut Random, record: &mut Object<'_>) {
    let summary =
        r#"[{"summary":"ada has not logged in from this IP recently.","type":"NEW_NETBLOCK"}]"#;
    record.raw("explanations", summary);
    record.raw("from_common_netblock", random.below(2) == 0);
    record.raw("from_new_user", random.below(2) == 0);
    record.raw("low_risk_ip", random.below(2) == 0);
    record.raw("priority_event", true);
    record.raw("priority_reasons", r#"[{"label":"CN","type":"country"}]"#);
    state(event, random, record);
    surfaced_login(event, random, record);
    surfaced(event, record);
    record.joined(
        "triage_event_uri",
        &[
            "https://",
            event.host,
            "/trust-monitor?sekey=",
            &sekey(event.id),
        ],
    );
    record.raw("triaged_as_interesting", false);
    record.text("type", "auth");
}

/// Shaped like an authentication record with gaps; it happened hours before it was surfaced.
fn surfaced_login(event: &Event<'_>, random: &mut Random, record: &mut Object<'_>) {
    let hours = i64::try_from(1 + random.below(20)).expect("it is at most 20");
    let time = event.microsecond - hours * 3_600_000_000;
    record.object("surfaced_auth", |login| {
        login.object("access_device", |device| {
            device.text("browser", "Chrome");
            device.text("browser_version", "142.0.0.0");
            device.text("epkey", &key("EP", random.next()));
            device.null("flash_version");
            device.null("hostname");
            device.text("ip", &address(random));
            for state in ["is_encryption_enabled", "is_firewall_enabled", "is_password_set"] {
                device.raw(state, random.pick(&["\"unknown\"", "true", "false"]));
            }
            device.null("java_version");
            location(device, random);
            device.text("os", "Windows");
            device.text("os_version", "11");
            device.text("security_agents", "unknown");
        });
        login.text("alias", "unknown");
        login.object("application", |application| {
            application.text("key", &key("DI", random.below(5)));
            application.text("name", random.pick(APPLICATIONS));
        });
        login.raw(
            "auth_device",
            r#"{"ip":null,"key":null,"location":{"city":null,"country":null,"state":null},"name":null}"#,
        );
        login.text("email", "");
        login.null("event_type");
        login.text("factor", "not_available");
        let digits =
            if random.below(2) == 0 { Digits::Milliseconds } else { Digits::Microseconds };
        login.text("isotimestamp", &iso_time(time, digits));
        login.text("ood_software", "");
        login.text("reason", "location_restricted");
        login.text("result", "denied");
        login.raw("timestamp", time.div_euclid(1_000_000));
        login.null("trusted_endpoint_status");
        login.text("txid", &uuid(u128::from(random.next()) << 64 | u128::from(random.next())));
        login.object("user", |user| {
            user.raw("groups", groups(random));
            user.text("key", &key("DU", random.next()));
            user.text("name", random.pick(PEOPLE));
        });
    });
}

fn bypass(event: &Event<'_>, random: &mut Random, record: &mut Object<'_>) {
    record.raw("bypass_status_enabled", event.second() * 1_000 - 60_000);
    for (field, prefix) in [("enabled_by", "DE"), ("enabled_for", "DU")] {
        record.object(field, |person| {
            person.text("key", &key(prefix, random.next()));
            person.text("name", random.pick(PEOPLE));
        });
    }
    record.raw("priority_event", false);
    record.raw("priority_reasons", "[]");
    state(event, random, record);
    surfaced(event, record);
    record.raw("triaged_as_interesting", false);
    record.text("type", "bypass_status");
}

fn device(event: &Event<'_>, random: &mut Random, record: &mut Object<'_>) {
    let summary =
        r#"[{"summary":"Outdated OS on registered device.","type":"REGISTER_OS_OUTDATED"}]"#;
    record.raw("explanations", summary);
    record.raw("from_new_user", random.below(2) == 0);
    record.raw("priority_event", false);
    record.raw("priority_reasons", "[]");
    state(event, random, record);
    surfaced(event, record);
    record.raw("triaged_as_interesting", false);
    record.text("type", "device_registration");
}

fn state(event: &Event<'_>, random: &mut Random, record: &mut Object<'_>) {
    record.text("sekey", &sekey(event.id));
    record.text("state", random.pick(&["new", "new", "processed"]));
    record.null("state_updated_timestamp");
}

fn surfaced(event: &Event<'_>, record: &mut Object<'_>) {
    record.raw("surfaced_timestamp", event.microsecond.div_euclid(1_000));
}
