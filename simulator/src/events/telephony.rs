//! Records of the telephony log (v2).

use super::Event;
use super::identity::uuid;
use super::text::phone;
use super::writer::{Digits, iso_time, object};
use crate::random::Random;

pub(super) fn write(event: &Event<'_>, random: &mut Random, out: &mut String) {
    let contexts = [
        "authentication",
        "enrollment",
        "administrator login",
        "verify",
    ];
    object(out, |record| {
        record.text("context", random.pick(&contexts));
        record.raw("credits", random.below(4));
        record.text("phone", &phone(random));
        record.text("telephony_id", &uuid(event.id));
        record.text("ts", &iso_time(event.microsecond, Digits::Microseconds));
        record.text(
            "txid",
            &uuid(u128::from(random.next()) << 64 | u128::from(random.next())),
        );
        record.text("type", random.pick(&["sms", "phone"]));
    });
}
