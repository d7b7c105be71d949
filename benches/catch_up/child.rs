//! Resource usage of a child process: CPU, memory, time.
//!
//! The kernel reports the usage of all children of a process together, and the peak of a new child
//! starts with the memory of its parent. So each child gets a small parent, this program.

use std::io::{self, Write as _};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::Fault;

/// First argument with which this program runs as the parent of one measured child.
pub(crate) const ROLE: &str = "measure-child";

/// The resource usage of a child.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Usage {
    /// CPU time, user and system.
    pub(crate) cpu: Duration,
    /// Peak resident memory in bytes: `VmHWM`.
    pub(crate) peak_memory: u64,
    /// Wall time.
    pub(crate) wall: Duration,
}

/// Runs a program to its end, with only `environment`.
pub(crate) async fn run(
    program: &str,
    arguments: &[&str],
    environment: impl Iterator<Item = (&str, &str)>,
) -> Result<Usage, Fault> {
    let output = tokio::process::Command::new(std::env::current_exe()?)
        .arg(ROLE)
        .arg(program)
        .args(arguments)
        .env_clear()
        .envs(environment)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{program} {arguments:?}: {}: {stderr}", output.status).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Runs as the small parent: starts the program, waits for its end and prints its usage.
pub(crate) fn measure(program: &str, arguments: &[&str]) -> Result<(), Fault> {
    let started = Instant::now();
    let status = Command::new(program).args(arguments).stdout(Stdio::null()).status()?;
    let wall = started.elapsed();
    if !status.success() {
        return Err(status.to_string().into());
    }
    let (cpu, peak_memory) = used_by_children()?;
    let usage = Usage { cpu, peak_memory, wall };
    serde_json::to_writer(io::stdout(), &usage)?;
    Ok(io::stdout().flush()?)
}

#[cfg(target_os = "linux")]
fn used_by_children() -> Result<(Duration, u64), Fault> {
    use nix::sys::resource::{UsageWho, getrusage};
    use nix::sys::time::TimeValLike as _;

    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let cpu = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    let kibibytes = u64::try_from(usage.max_rss())?;
    Ok((Duration::from_micros(u64::try_from(cpu)?), kibibytes * 1_024))
}

#[cfg(not(target_os = "linux"))]
fn used_by_children() -> Result<(Duration, u64), Fault> {
    Err("the usage of a child is available only on Linux".into())
}
