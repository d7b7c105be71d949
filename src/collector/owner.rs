//! The owner of a lease, and detection of owners that have ended.
//!
//! A killed process cannot release its leases, and waiting for their expiry would stall its logs
//! for 90 seconds. If the kernel proves that the process has ended, they are taken over at once.

use std::fs;

use sha2::{Digest as _, Sha256};

/// Identity of a process, unique across machines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    /// The process id namespace of one boot of one kernel; `-` if unknown.
    namespace: String,
    process: u32,
    /// Start of the process in clock ticks since boot, because process ids are reused.
    started: u64,
    random: u64,
}

impl Owner {
    pub(super) fn of_process() -> Self {
        let process = std::process::id();
        Self {
            namespace: namespace().unwrap_or_else(|| "-".to_owned()),
            process,
            started: started(process).unwrap_or(0),
            random: fastrand::u64(..),
        }
    }

    pub(super) fn name(&self) -> String {
        format!("{}:{}:{}:{:016x}", self.namespace, self.process, self.started, self.random)
    }

    /// The first digits of `ingest_batch` for the batches of this process.
    pub(super) fn batch_prefix(&self) -> String {
        format!("{:012x}", self.random >> 16)
    }

    /// Whether the process has provably ended: same namespace, no process with its id and start.
    pub(super) fn is_dead(&self, name: &str) -> bool {
        let mut parts = name.split(':');
        let mut part = || parts.next().unwrap_or_default();
        let (namespace, process, began) = (part(), part().parse(), part().parse());
        let (Ok(process), Ok(began)) = (process, began) else {
            return false;
        };
        namespace == self.namespace
            && self.namespace != "-"
            && began != 0
            && started(process) != Some(began)
    }
}

/// Identifies one boot of one kernel and a process id namespace in it.
fn namespace() -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let ids = fs::read_link("/proc/self/ns/pid").ok()?;
    // Machines resumed from one snapshot share the boot id.
    let host = fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    let hash = Sha256::digest(format!("{boot}{host}{}", ids.display()));
    Some(hex::encode(&hash[..8]))
}

/// Start of a process in clock ticks since boot; `None` if it has ended or is a zombie.
/// <https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html>
fn started(process: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The process name is in parentheses and may contain any character.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    if matches!(fields.first(), Some(&("Z" | "X"))) {
        return None;
    }
    fields.get(19)?.parse().ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::Owner;

    #[test]
    fn only_a_process_that_has_ended_is_dead() {
        let ours = Owner::of_process();
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let theirs = Owner {
            process: child.id(),
            started: super::started(child.id()).unwrap(),
            ..ours.clone()
        };
        assert!(!ours.is_dead(&theirs.name()));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(ours.is_dead(&theirs.name()));
    }

    #[test]
    fn owners_on_other_machines_and_invalid_names_are_not_dead() {
        let ours = Owner::of_process();
        let elsewhere =
            Owner { namespace: "0000000000000000".to_owned(), process: 4_000_000, ..ours.clone() };
        for name in [elsewhere.name().as_str(), "", "a:b:c", ":::", "-:1:2:3"] {
            assert!(!ours.is_dead(name), "{name}");
        }
    }

    #[test]
    fn a_reused_process_id_does_not_keep_a_dead_lease_alive() {
        let ours = Owner::of_process();
        let before = Owner { started: ours.started - 1, ..ours.clone() };
        assert!(ours.is_dead(&before.name()));
    }
}
