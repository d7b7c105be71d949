//! Faults on demand: which call goes wrong, and how.

mod kind;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

pub use kind::{Fault, FaultKind, Target};

pub(crate) use kind::Call;

/// The faults in force. Thread-safe; may be changed while the simulators run.
///
/// Only calls that proved who they are meet faults: a wrong signature is always answered as such.
#[derive(Debug, Default)]
pub struct FaultPlan {
    scripted: Mutex<Vec<Fault>>,
    struck: Mutex<BTreeMap<Target, u64>>,
}

impl FaultPlan {
    /// Adds a scripted fault. Of several that match a call, the one added first strikes.
    pub fn push(&self, fault: Fault) {
        self.lock().push(fault);
    }

    /// Removes every fault.
    pub fn clear(&self) {
        self.lock().clear();
    }

    /// How many scripted faults have strikes left.
    pub fn pending(&self) -> usize {
        self.lock().len()
    }

    /// How many calls were struck so far, by endpoint (never [`Target::AnyDuo`]).
    pub fn struck(&self) -> BTreeMap<Target, u64> {
        self.struck.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The fault that this call meets, if any.
    pub(crate) fn strike(&self, call: Call<'_>) -> Option<FaultKind> {
        let mut scripted = self.lock();
        let mut struck = None;
        for fault in scripted.iter_mut().filter(|fault| fault.matches(call)) {
            if fault.after > 0 {
                fault.after -= 1;
            } else if struck.is_none() {
                struck = Some(fault.kind.clone());
                if fault.times != Fault::FOREVER {
                    fault.times = fault.times.saturating_sub(1);
                }
            }
        }
        scripted.retain(|fault| fault.times > 0);
        if struck.is_some() {
            let mut counts = self.struck.lock().unwrap_or_else(PoisonError::into_inner);
            *counts.entry(call.endpoint()).or_default() += 1;
        }
        struck
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Fault>> {
        self.scripted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LogType;

    const POST: Call<'_> = Call::LogAnalytics { body: b"[{\"txid\":\"abc\"}]" };

    fn duo(log: LogType, has_cursor: bool) -> Call<'static> {
        Call::Duo { log, has_cursor }
    }

    #[test]
    fn a_kind_that_does_not_suit_a_call_is_not_used_up() {
        let plan = FaultPlan::default();
        plan.push(Fault::once(Target::AnyDuo, FaultKind::BadCursor));
        assert_eq!(plan.strike(duo(LogType::Activity, false)), None);
        assert_eq!(plan.strike(POST), None);
        assert_eq!(plan.strike(duo(LogType::Activity, true)), Some(FaultKind::BadCursor));
        let needle = "abc".to_owned();
        plan.push(Fault::always(Target::LogAnalytics, FaultKind::InvalidRecord { needle }));
        assert_eq!(plan.strike(Call::LogAnalytics { body: b"[]" }), None);
        assert!(plan.strike(POST).is_some() && plan.strike(POST).is_some());
    }
}
