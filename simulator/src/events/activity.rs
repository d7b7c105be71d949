//! Records of the activity log (v2): user actions, directory syncs, and the form of 2022.

use super::Event;
use super::identity::uuid;
use super::text::{APPLICATIONS, BROWSERS, PEOPLE, SYSTEMS, address, key, location};
use super::writer::{Digits, Object, iso_time, object};
use crate::random::Random;

pub(super) fn write(event: &Event<'_>, random: &mut Random, out: &mut String) {
    let sync = random.below(6) == 0;
    let old_form = random.below(40) == 0;
    object(out, |record| {
        if sync {
            record.null("access_device");
        } else {
            access_device(record, random);
        }
        action(record, random, event, sync, old_form);
        record.text("activity_id", &uuid(event.id));
        actor(record, random, sync);
        record.text("akey", "DAFAKE00000000000001");
        if sync {
            record.null("application");
        } else {
            record.object("application", |application| {
                application.text("key", &key("DI", random.below(5)));
                application.text("name", random.pick(APPLICATIONS));
                application.text("type", "websdk");
            });
        }
        if !old_form {
            record.null("old_target");
            let result = random.pick(&["SUCCESS", "SUCCESS", "FAILURE"]);
            record.object("outcome", |outcome| outcome.text("result", result));
        }
        target(record, random, sync);
        record.text("ts", &iso_time(event.microsecond, Digits::Microseconds));
    });
}

fn access_device(record: &mut Object<'_>, random: &mut Random) {
    let [browser, browser_version] = random.pick(BROWSERS);
    let [system, version] = random.pick(SYSTEMS);
    record.object("access_device", |device| {
        device.text("browser", browser);
        device.text("browser_version", browser_version);
        device.text("epkey", &key("EP", random.next()));
        device.object("ip", |ip| ip.text("address", &address(random)));
        location(device, random);
        device.text("os", system);
        device.text("os_version", version);
    });
}

fn action(
    record: &mut Object<'_>,
    random: &mut Random,
    event: &Event<'_>,
    sync: bool,
    old_form: bool,
) {
    let names = [
        "webauthncredential_create",
        "user_update",
        "phone_delete",
        "bypass_code_create",
    ];
    let name = if sync {
        "ad_sync_finish"
    } else {
        random.pick(&names)
    };
    if old_form {
        return record.text("action", name);
    }
    record.object("action", |action| {
        if let Some(bytes) = event.oversized {
            action.text("details", &"\u{e9}x".repeat(bytes / 3));
        } else if sync {
            action.json_text("details", |details| {
                details.raw(
                    "sync_ref_code",
                    format_args!("\"{:02x}\"", random.below(256)),
                );
                details.text("duration", "0:00:07");
            });
        } else {
            action.null("details");
        }
        action.text("name", name);
    });
}

fn actor(record: &mut Object<'_>, random: &mut Random, sync: bool) {
    record.object("actor", |actor| {
        if sync {
            actor.json_text("details", |details| {
                details.null("created");
                details.null("email");
                details.null("role");
            });
            actor.null("key");
            actor.text("name", "Active Directory User Sync: Corp");
            actor.text("type", "ldap_sync");
        } else {
            if random.below(10) == 0 {
                actor.null("details");
            } else {
                actor.json_text("details", |details| {
                    details.text("created", "2024-01-02T03:04:05.000000+00:00");
                    details.null("last_login");
                    details.text(
                        "status",
                        random.pick(&["Active", "Bypass", "Gesperrt \u{2717}"]),
                    );
                    details.raw(
                        "groups",
                        r#"[{"name":"Staff","key":"DGFAKE00000000000001"}]"#,
                    );
                });
            }
            actor.text("key", &key("DU", random.next()));
            actor.text("name", random.pick(PEOPLE));
            actor.text("type", random.pick(&["user", "admin", "api"]));
        }
    });
}

fn target(record: &mut Object<'_>, random: &mut Random, sync: bool) {
    if sync {
        return record.object("target", |target| {
            target.json_text("details", |details| details.text("ldname", "Corp"));
            target.text("key", "DSFAKE00000000000001");
            target.text("name", "Corp");
            target.text("type", "ldap_directory");
        });
    }
    if random.below(8) == 0 {
        return record.null("target");
    }
    let target_key = key("WA", random.next());
    record.object("target", |target| {
        if random.below(4) == 0 {
            target.null("details");
        } else {
            target.json_text("details", |details| {
                details.text("credential_name", "Security key");
            });
        }
        target.text("key", &target_key);
        target.text("name", &target_key);
        target.text("type", "webauthn_credential");
    });
}
