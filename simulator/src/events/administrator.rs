//! Records of the administrator log (v1): a description may be JSON text, plain, null or absent.

use super::Event;
use super::text::{PEOPLE, address, phone};
use super::writer::{Digits, iso_time, object};
use crate::random::Random;

pub(super) fn write(event: &Event<'_>, random: &mut Random, out: &mut String) {
    let actions = [
        "admin_login",
        "user_update",
        "integration_create",
        "ad_sync_finish",
        "phone_associate",
    ];
    object(out, |record| {
        record.text("action", random.pick(&actions));
        match random.below(6) {
            0 => {}
            1 => record.null("description"),
            2 => record.text(
                "description",
                "Changed by hand, see ticket \\\"42\\\" \u{2014} ok",
            ),
            3 => record.json_text("description", |details| {
                details.raw("Users seen", random.below(500));
                details.raw(
                    "Sync Ref. Code",
                    format_args!("\"{:02x}\"", random.below(256)),
                );
            }),
            _ => record.json_text("description", |details| {
                details.text("ip_address", &address(random));
                details.text(
                    "role",
                    random.pick(&["Owner", "Administrator", "Read-only"]),
                );
                details.text("device", &phone(random));
                details.text("factor", "push");
                details.text("primary_auth_method", "Password");
            }),
        }
        let time = iso_time(event.microsecond, Digits::None);
        if random.below(200) == 0 {
            // Blanks inside the time were seen once; the number beside it is what to trust.
            record.text("isotimestamp", &time.replace(':', ": "));
        } else {
            record.text("isotimestamp", &time);
        }
        record.text_or_null(
            "object",
            random.pick(&[None, Some("ada"), Some("Example VPN")]),
        );
        record.raw("timestamp", event.second());
        let systems = ["", "API", "API (Terraform)", "System", "AD Sync: Corp"];
        let person = random.below(3) > 0;
        record.text(
            "username",
            if person {
                random.pick(PEOPLE)
            } else {
                random.pick(&systems)
            },
        );
    });
}
