//! A child process and the lines it writes.

use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::Command;
use tokio::task::JoinHandle;

/// Longest wait for a process to end.
const END: Duration = Duration::from_secs(40);

/// Lines of a stream, read as they arrive.
#[derive(Clone, Debug, Default)]
pub(super) struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    pub(super) fn all(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn read(&self, stream: impl AsyncRead + Send + Unpin + 'static) -> JoinHandle<()> {
        let lines = self.clone();
        tokio::spawn(async move {
            let mut stream = BufReader::new(stream).lines();
            while let Ok(Some(line)) = stream.next_line().await {
                let mut lines = lines.0.lock().unwrap_or_else(PoisonError::into_inner);
                lines.push(line);
            }
        })
    }
}

/// A process that is killed when dropped.
#[derive(Debug)]
pub(super) struct Child {
    process: tokio::process::Child,
    readers: [JoinHandle<()>; 2],
}

impl Child {
    pub(super) fn start(command: &mut Command, stdout: &Lines, stderr: &Lines) -> Self {
        let mut process = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?} cannot be started: {error}"));
        let readers = [
            stdout.read(process.stdout.take().expect("the stream is piped")),
            stderr.read(process.stderr.take().expect("the stream is piped")),
        ];
        Self { process, readers }
    }

    /// The exit status, if the process has ended.
    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        self.process.try_wait().expect("the child can be waited for")
    }

    /// Peak memory in bytes; 0 if the system does not report it.
    pub(super) fn peak_memory(&self) -> u64 {
        let path = format!("/proc/{}/status", self.process.id().expect("the child runs"));
        let status = std::fs::read_to_string(path).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok());
        kib.unwrap_or_default() * 1_024
    }

    pub(super) async fn kill(&mut self) {
        // The process may already have ended.
        self.process.start_kill().ok();
        self.wait().await;
    }

    /// Sends a signal: `TERM` or `INT`.
    pub(super) async fn signal(&self, name: &str) {
        let id = self.process.id().expect("the process is running").to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status().await;
        assert!(sent.expect("kill is installed").success(), "no process {id}");
    }

    /// Waits until the process has ended and its last line is read.
    pub(super) async fn wait(&mut self) -> ExitStatus {
        let end = async {
            let status = self.process.wait().await.expect("the child can be waited for");
            for reader in &mut self.readers {
                if !reader.is_finished() {
                    reader.await.expect("reading lines cannot fail");
                }
            }
            status
        };
        tokio::time::timeout(END, end).await.expect("the process did not end")
    }
}
