//! Faults on demand: which call goes wrong, and how.

mod kind;

use crate::random::Random;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

pub use kind::{Fault, FaultKind, Target};

pub(crate) use kind::Call;

/// The faults in force. Thread-safe; may be changed while the simulators run.
///
/// Only calls that proved who they are meet faults: a wrong signature is always answered as such.
#[derive(Debug, Default)]
pub struct FaultPlan {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    scripted: Vec<Fault>,
    random: Option<RandomFaults>,
    struck: BTreeMap<Target, u64>,
}

#[derive(Debug)]
struct RandomFaults {
    seed: u64,
    per_mille: u32,
    kinds: Vec<FaultKind>,
    /// Calls seen by each endpoint, so that the order between endpoints does not matter.
    calls: BTreeMap<Target, u64>,
}

impl FaultPlan {
    /// Adds a scripted fault. Of several that match a call, the one added first strikes.
    pub fn push(&self, fault: Fault) {
        self.lock().scripted.push(fault);
    }

    /// Lets each call go wrong with a chance of `per_mille` thousandths, in one of `kinds`.
    ///
    /// Each endpoint draws from its own sequence, fixed by `seed`: its n-th call always meets the
    /// same fate. Scripted faults go first.
    pub fn random(&self, seed: u64, per_mille: u32, kinds: Vec<FaultKind>) {
        let calls = BTreeMap::new();
        self.lock().random = Some(RandomFaults {
            seed,
            per_mille,
            kinds,
            calls,
        });
    }

    /// Ends the random mode; scripted faults stay.
    pub fn stop_random(&self) {
        self.lock().random = None;
    }

    /// Removes every fault, scripted and random.
    pub fn clear(&self) {
        let mut state = self.lock();
        state.scripted.clear();
        state.random = None;
    }

    /// Removes the scripted faults whose target is exactly `target`.
    pub fn clear_target(&self, target: Target) {
        self.lock().scripted.retain(|fault| fault.target != target);
    }

    /// How many scripted faults have strikes left.
    pub fn pending(&self) -> usize {
        self.lock().scripted.len()
    }

    /// How many calls were struck so far, by endpoint (never [`Target::AnyDuo`]).
    pub fn struck(&self) -> BTreeMap<Target, u64> {
        self.lock().struck.clone()
    }

    /// The fault that this call meets, if any.
    pub(crate) fn strike(&self, call: Call<'_>) -> Option<FaultKind> {
        let mut state = self.lock();
        // Both are asked on every call, so that neither sequence depends on the other.
        let drawn = state.random.as_mut().and_then(|random| random.draw(call));
        let struck = take_scripted(&mut state.scripted, call).or(drawn)?;
        *state.struck.entry(call.endpoint()).or_default() += 1;
        Some(struck)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn take_scripted(scripted: &mut Vec<Fault>, call: Call<'_>) -> Option<FaultKind> {
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
    struck
}

impl RandomFaults {
    fn draw(&mut self, call: Call<'_>) -> Option<FaultKind> {
        let endpoint = call.endpoint();
        let number = self.calls.entry(endpoint).or_default();
        *number += 1;
        let place = match endpoint {
            Target::Duo(log) => log as u64,
            Target::AnyDuo | Target::LogAnalytics => 99,
            Target::LogsIngestion => 98,
            Target::Identity => 97,
        };
        let mut random = Random::new(self.seed, place, *number);
        let strikes = random.chance(self.per_mille);
        let suited: Vec<_> = self.kinds.iter().filter(|kind| kind.suits(call)).collect();
        (strikes && !suited.is_empty()).then(|| random.pick(&suited).clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LogType;

    const POST: Call<'_> = Call::LogAnalytics {
        body: b"[{\"txid\":\"abc\"}]",
    };

    fn duo(log: LogType, has_cursor: bool) -> Call<'static> {
        Call::Duo { log, has_cursor }
    }

    #[test]
    fn a_scripted_fault_skips_then_strikes_then_ends() {
        let plan = FaultPlan::default();
        plan.push(
            Fault::once(Target::LogAnalytics, FaultKind::Reset)
                .after(1)
                .times(2),
        );
        let fates: Vec<_> = (0..4).map(|_| plan.strike(POST).is_some()).collect();
        assert_eq!(fates, [false, true, true, false]);
        assert_eq!(plan.pending(), 0);
        assert_eq!(plan.struck(), BTreeMap::from([(Target::LogAnalytics, 2)]));
    }

    #[test]
    fn a_kind_that_does_not_suit_a_call_is_not_used_up() {
        let plan = FaultPlan::default();
        plan.push(Fault::once(Target::AnyDuo, FaultKind::BadCursor));
        assert_eq!(plan.strike(duo(LogType::Activity, false)), None);
        assert_eq!(plan.strike(POST), None);
        assert_eq!(
            plan.strike(duo(LogType::Activity, true)),
            Some(FaultKind::BadCursor)
        );
        let needle = "abc".to_owned();
        plan.push(Fault::always(
            Target::LogAnalytics,
            FaultKind::InvalidRecord { needle },
        ));
        assert_eq!(plan.strike(Call::LogAnalytics { body: b"[]" }), None);
        assert!(plan.strike(POST).is_some() && plan.strike(POST).is_some());
    }

    #[test]
    fn random_faults_depend_on_the_endpoint_s_own_call_number_alone() {
        let fates = |interleaved: bool| -> Vec<bool> {
            let plan = FaultPlan::default();
            plan.random(7, 300, vec![FaultKind::Reset]);
            let strike = |_| {
                if interleaved {
                    plan.strike(duo(LogType::Telephony, false));
                }
                plan.strike(duo(LogType::Activity, false)).is_some()
            };
            (0..50).map(strike).collect()
        };
        assert_eq!(fates(false), fates(true));
        let struck = fates(false).iter().filter(|struck| **struck).count();
        assert!((5..30).contains(&struck), "{struck}");
    }
}
