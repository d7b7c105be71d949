//! Every line of the log stream has a name, in its field `event`: what it says, and what to do about it.

use strum::{Display, EnumIter, EnumMessage, EnumProperty};

/// Names of the lines, in the order of the documentation, which has each comment, level and action below.
///
/// Lines at level DEBUG, which `--verbose` shows, report single requests and have no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Display, EnumIter, EnumMessage, EnumProperty)]
#[strum(serialize_all = "snake_case")]
pub enum LogEvent {
    /// The handler listens for the Functions host, and the settings are valid.
    #[strum(message = "No action needed.", props(level = "INFO"))]
    Ready,
    /// Version and SHA-256 of the program, once after each start.
    #[strum(message = "No action needed.", props(level = "INFO"))]
    Program,
    /// The settings are not valid, or a service that they name is unreachable; each error with its setting and a hint.
    /// Nothing is collected.
    #[strum(
        message = "Correct the settings it names; the app restarts by itself.",
        props(level = "ERROR")
    )]
    Settings,
    /// Another process uses the port that the host assigned.
    #[strum(message = "Restart the function app.", props(level = "ERROR"))]
    Port,
    /// The server ended although no shutdown was requested.
    #[strum(
        message = "The host restarts it. If it recurs, report the line.",
        props(level = "ERROR")
    )]
    ServerEnded,
    /// Shutdown was requested: a deployment, or the host scales in.
    #[strum(message = "No action needed.", props(level = "INFO"))]
    Ending,
    /// The host calls a function that this package does not have.
    #[strum(
        message = "Deploy the package again: its function folders and its program are not from one release.",
        props(level = "ERROR")
    )]
    UnknownFunction,
    /// The timer fired while the previous run was still active.
    #[strum(
        message = "No action needed; if it appears every minute, see why runs take so long: [lag](#lag).",
        props(level = "INFO")
    )]
    AlreadyRunning,
    /// The host missed ticks of the timer before this one.
    #[strum(
        message = "No action needed; if it lasts for hours, check whether the app is stopped or throttled by its plan.",
        props(level = "INFO")
    )]
    PastDue,
    /// How the run of a log ended (`outcome`, `code`), and what it did; one line per log and run. INFO: done, or once a day
    /// a log that is unavailable. WARN: the log backs off, nothing is lost. ERROR: an operator must act.
    #[strum(
        message = "See `code` in [codes](#codes).",
        props(level = "INFO, WARN, ERROR")
    )]
    LogRun,
    /// Events of this span are older than Duo's retention and were never collected.
    #[strum(message = "See [gap](#gap).", props(level = "WARN"))]
    Gap,
    /// More records share one second than the endpoint returns; some may be missing.
    #[strum(message = "See [gap](#gap).", props(level = "WARN"))]
    CrowdedSecond,
    /// Duo counts more records in this span than it returns.
    #[strum(
        message = "See [unknown hours](#unknown-hours).",
        props(level = "WARN")
    )]
    CountDisagrees,
    /// A window was read again, because Duo's pages contradicted each other.
    #[strum(
        message = "No action needed; if it lasts for hours, report it to Duo with the time.",
        props(level = "WARN")
    )]
    WindowRestarted,
    /// Rows went to another workspace, endpoint or API before, and go to this one from here on.
    #[strum(
        message = "No action needed if the settings were changed on purpose.",
        props(level = "WARN")
    )]
    DestinationChanged,
    /// The clock of this machine is ahead of Duo's.
    #[strum(
        message = "Set the clock of the machine; until then windows are closed by Duo's clock.",
        props(level = "WARN")
    )]
    ClockAhead,
    /// A process ended while it held the lease of this log; the lease was taken over.
    #[strum(message = "No action needed.", props(level = "WARN"))]
    ClaimTakenOver,
    /// Rows have truncated values, or records were refused one by one; the originals are kept.
    #[strum(message = "See [dead letters](#dead-letters).", props(level = "WARN"))]
    DeadLetters,
    /// A part of the ledger is damaged; it was quarantined, and its hours are read in full.
    #[strum(
        message = "See [unknown hours](#unknown-hours).",
        props(level = "WARN")
    )]
    LedgerDamaged,
    /// Azure Monitor refuses rows of `CiscoDuoHealth_CL`.
    #[strum(
        message = "See [health rows are missing](#health-rows-are-missing).",
        props(level = "WARN")
    )]
    HealthRefused,
    /// What the hourly check found. WARN: an error that no run reports.
    #[strum(
        message = "Open the status page, or run `duo-sentinel check`.",
        props(level = "INFO, WARN")
    )]
    Checked,
}
