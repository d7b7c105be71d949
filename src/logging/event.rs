//! The log events: every line of the log stream has a name in its field `event`.

use strum::{Display, EnumIter, EnumMessage, EnumProperty};

/// Log events, in the order of the documentation, which contains each comment, level and message.
///
/// DEBUG lines (`--verbose`) report single requests and have no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Display, EnumIter, EnumMessage, EnumProperty)]
#[strum(serialize_all = "snake_case")]
#[rustfmt::skip]
pub enum LogEvent {
    /// The handler listens for the Functions host, and the settings are valid.
    #[strum(props(level = "INFO"), message = "No action needed.")]
    Ready,
    /// Version and SHA-256 of the program, once after each start.
    #[strum(props(level = "INFO"), message = "No action needed.")]
    Startup,
    /// The settings are invalid or cannot be used; each error with its setting and a hint. Nothing is collected.
    #[strum(props(level = "ERROR"), message = "Correct them; the app restarts after a change of its settings.")]
    Settings,
    /// Another process uses the port that the host assigned.
    #[strum(props(level = "ERROR"), message = "Restart the function app.")]
    PortInUse,
    /// The server ended although no shutdown was requested.
    #[strum(props(level = "ERROR"), message = "The host restarts it. If it recurs, report an issue of this project with the line.")]
    ServerEnded,
    /// Shutdown was requested: a deployment, or the host scales in.
    #[strum(props(level = "INFO"), message = "No action needed.")]
    Shutdown,
    /// The host calls a function that this package does not have.
    #[strum(props(level = "ERROR"), message = "Deploy the package again: its function folders and its program are not from one release.")]
    UnknownFunction,
    /// The timer fired while the previous run was still active.
    #[strum(props(level = "INFO"), message = "No action needed; if it appears every minute, see why runs take so long: [lag](#lag).")]
    AlreadyRunning,
    /// The host missed ticks of the timer before this one.
    #[strum(props(level = "INFO"), message = "No action needed; if it lasts for hours, check whether the app is stopped or throttled by its plan.")]
    PastDue,
    /// Outcome (`outcome`, `code`) and counts of a run; one line per log and run. INFO: the run succeeded, or the log
    /// is unavailable (one line per day). WARN: the log backs off, nothing is lost. ERROR: an operator must act.
    #[strum(props(level = "INFO, WARN, ERROR"), message = "See `code` in [codes](#codes).")]
    LogRun,
    /// Events of this span were not collected: Duo no longer has them, or the checkpoint was deleted and the start time in the settings is later.
    #[strum(props(level = "WARN"), message = "See [gap](#gap).")]
    Gap,
    /// More records share one second than the endpoint returns; some may be missing.
    #[strum(props(level = "WARN"), message = "See [gap](#gap).")]
    PageLimitExceeded,
    /// Duo counts more records in this span than it returns.
    #[strum(props(level = "WARN"), message = "See [unknown hours](#unknown-hours).")]
    CountDisagrees,
    /// The checkpoint was deleted; collection continues after the last settled hour in the ledger.
    #[strum(props(level = "WARN"), message = "No action needed if you deleted it. Otherwise check which process or lifecycle rule deletes blobs in the state container.")]
    CheckpointRestored,
    /// Duo returned a full page without a cursor, and all its records share one millisecond; some may be missing.
    #[strum(props(level = "WARN"), message = "See [unknown hours](#unknown-hours).")]
    CursorMissing,
    /// A window was read again, because Duo's pages contradicted each other.
    #[strum(props(level = "WARN"), message = "No action needed; if it lasts for hours, report it to Duo with the time.")]
    WindowRestarted,
    /// Rows went to another workspace, endpoint or API before, and go to this one from here on.
    #[strum(props(level = "WARN"), message = "No action needed if the settings were changed on purpose.")]
    DestinationChanged,
    /// The clock of this machine is ahead of Duo's.
    #[strum(props(level = "WARN"), message = "Synchronize the clock of the machine; until then windows are closed by Duo's clock.")]
    ClockAhead,
    /// A process ended while it held the lease of this log; the lease was taken over.
    #[strum(props(level = "WARN"), message = "No action needed.")]
    LeaseTakenOver,
    /// Rows have truncated values, or records were refused when sent alone; the originals are kept.
    #[strum(props(level = "WARN"), message = "See [dead letters](#dead-letters).")]
    DeadLetters,
    /// A part of the ledger is damaged; it was quarantined, and its hours are read in full.
    #[strum(props(level = "WARN"), message = "See [unknown hours](#unknown-hours).")]
    LedgerDamaged,
    /// Azure Monitor refuses rows of `CiscoDuoHealth_CL`.
    #[strum(props(level = "WARN"), message = "See [health rows are missing](#health-rows-are-missing).")]
    HealthRefused,
    /// What the hourly check found. WARN: an error that no run reports.
    #[strum(props(level = "INFO, WARN"), message = "Open the status page, or run `duo-sentinel check`.")]
    DiagnosticsCompleted,
}
