//! Records of the offline enrollment log (v1).

use super::Event;
use super::text::{APPLICATIONS, PEOPLE};
use super::writer::{Digits, iso_time, object};
use crate::random::Random;

pub(super) fn write(event: &Event<'_>, random: &mut Random, out: &mut String) {
    let actions = [
        "o2fa_user_provisioned",
        "o2fa_user_deprovisioned",
        "o2fa_user_reenrolled",
    ];
    object(out, |record| {
        record.text("action", random.pick(&actions));
        record.json_text("description", |details| {
            details.text("user_agent", "DuoCredProv/4.3.1 (Windows NT 10.0; x64)");
            details.raw("hostname", format_args!("\"WKS{:02}\"", random.below(30)));
            details.text("factor", random.pick(&["duo_otp", "security_key"]));
        });
        record.text("isotimestamp", &iso_time(event.microsecond, Digits::None));
        record.text("object", random.pick(APPLICATIONS));
        record.raw("timestamp", event.second());
        record.text("username", random.pick(PEOPLE));
    });
}
