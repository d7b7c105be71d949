//! Fault injection.

mod kind;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

pub use kind::{Fault, FaultKind, Target};

pub(crate) use kind::Incoming;

/// The active faults. Thread-safe; may be changed while the simulators run.
///
/// Faults apply only to authenticated requests: a wrong signature always gets its own response.
#[derive(Debug, Default)]
pub struct FaultPlan {
    scripted: Mutex<Vec<Fault>>,
    hits: Mutex<BTreeMap<Target, u64>>,
}

impl FaultPlan {
    /// Adds a fault. If several match a request, the one added first applies.
    pub fn push(&self, fault: Fault) {
        self.lock().push(fault);
    }

    /// Removes every fault.
    pub fn clear(&self) {
        self.lock().clear();
    }

    /// Number of faults that can still occur.
    pub fn pending(&self) -> usize {
        self.lock().len()
    }

    /// Number of requests that a fault was applied to, by endpoint (never [`Target::AnyDuo`]).
    pub fn hits(&self) -> BTreeMap<Target, u64> {
        self.hits.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The fault that applies to this request, if any.
    pub(crate) fn apply(&self, request: Incoming<'_>) -> Option<FaultKind> {
        let mut scripted = self.lock();
        let mut hits = None;
        for fault in scripted.iter_mut().filter(|fault| fault.matches(request)) {
            if fault.after > 0 {
                fault.after -= 1;
            } else if hits.is_none() {
                hits = Some(fault.kind.clone());
                if fault.times != Fault::FOREVER {
                    fault.times = fault.times.saturating_sub(1);
                }
            }
        }
        scripted.retain(|fault| fault.times > 0);
        if hits.is_some() {
            let mut counts = self.hits.lock().unwrap_or_else(PoisonError::into_inner);
            *counts.entry(request.endpoint()).or_default() += 1;
        }
        hits
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Fault>> {
        self.scripted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LogType;

    const POST: Incoming<'_> = Incoming::LogAnalytics { body: b"[{\"txid\":\"abc\"}]" };

    fn duo(log: LogType, has_cursor: bool) -> Incoming<'static> {
        Incoming::Duo { log, has_cursor }
    }

    #[test]
    fn a_kind_that_does_not_apply_to_a_request_is_not_used_up() {
        let plan = FaultPlan::default();
        plan.push(Fault::once(Target::AnyDuo, FaultKind::BadCursor));
        assert_eq!(plan.apply(duo(LogType::Activity, false)), None);
        assert_eq!(plan.apply(POST), None);
        assert_eq!(plan.apply(duo(LogType::Activity, true)), Some(FaultKind::BadCursor));
        let needle = "abc".to_owned();
        plan.push(Fault::always(Target::LogAnalytics, FaultKind::InvalidRecord { needle }));
        assert_eq!(plan.apply(Incoming::LogAnalytics { body: b"[]" }), None);
        assert!(plan.apply(POST).is_some() && plan.apply(POST).is_some());
    }
}
