//! What a child process uses: CPU, memory, time.
//!
//! The kernel tells what all children of a process used together, and begins the peak of a new child with the
//! memory of the process that it was forked from. So each child gets a small parent of its own: this program in
//! another role.

use std::io::{self, Write as _};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::Fault;

/// First argument that makes this program the parent of one measured child.
pub(crate) const ROLE: &str = "measure-child";

/// What a child used from start to end.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Usage {
    /// CPU time, user and system.
    pub(crate) cpu: Duration,
    /// Most memory that was resident at once, in bytes: what `VmHWM` shows.
    pub(crate) peak_memory: u64,
    /// From start to end.
    pub(crate) wall: Duration,
}

/// Runs a program to its end with nothing but `environment` around it.
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
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{program} {arguments:?}: {}: {said}", output.status).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// The small parent: starts the program, waits for its end and prints what it used.
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
    Err("what a child used is read on Linux only".into())
}
