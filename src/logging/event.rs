//! Every line of the log stream has a name, in its field `event`: what it says, and what to do about it.

use std::fmt;

/// Names of the lines, in the order of the documentation.
///
/// At level DEBUG, which `--verbose` shows, more is told of single calls; those lines have no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogEvent {
    /// The server listens.
    Ready,
    /// Which program it is.
    Program,
    /// The settings cannot be used.
    Settings,
    /// The port that the host names is taken.
    Port,
    /// The server ended by itself.
    ServerEnded,
    /// The process was asked to end.
    Ending,
    /// The host calls a function that is not here.
    UnknownFunction,
    /// A run is at work already.
    AlreadyRunning,
    /// The host missed ticks.
    PastDue,
    /// How the run of a log ended.
    LogRun,
    /// Events that Duo does not keep any more were never collected.
    Gap,
    /// A second holds more than Duo shows.
    CrowdedSecond,
    /// Duo counts more than it shows.
    CountDisagrees,
    /// A window was started again.
    WindowRestarted,
    /// Rows go to another workspace, endpoint or API from here on.
    DestinationChanged,
    /// The local clock is ahead of Duo's.
    ClockAhead,
    /// The work of a process that ended is taken over.
    ClaimTakenOver,
    /// Originals of records are kept as dead letters.
    DeadLetters,
    /// A part of the ledger is damaged.
    LedgerDamaged,
    /// Rows about the connector itself are not accepted.
    HealthRefused,
    /// What the hourly check found.
    Checked,
}

impl LogEvent {
    /// Every name.
    pub const ALL: [Self; 21] = [
        Self::Ready,
        Self::Program,
        Self::Settings,
        Self::Port,
        Self::ServerEnded,
        Self::Ending,
        Self::UnknownFunction,
        Self::AlreadyRunning,
        Self::PastDue,
        Self::LogRun,
        Self::Gap,
        Self::CrowdedSecond,
        Self::CountDisagrees,
        Self::WindowRestarted,
        Self::DestinationChanged,
        Self::ClockAhead,
        Self::ClaimTakenOver,
        Self::DeadLetters,
        Self::LedgerDamaged,
        Self::HealthRefused,
        Self::Checked,
    ];

    /// The name as lines have it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Program => "program",
            Self::Settings => "settings",
            Self::Port => "port",
            Self::ServerEnded => "server_ended",
            Self::Ending => "ending",
            Self::UnknownFunction => "unknown_function",
            Self::AlreadyRunning => "already_running",
            Self::PastDue => "past_due",
            Self::LogRun => "log_run",
            Self::Gap => "gap",
            Self::CrowdedSecond => "crowded_second",
            Self::CountDisagrees => "count_disagrees",
            Self::WindowRestarted => "window_restarted",
            Self::DestinationChanged => "destination_changed",
            Self::ClockAhead => "clock_ahead",
            Self::ClaimTakenOver => "claim_taken_over",
            Self::DeadLetters => "dead_letters",
            Self::LedgerDamaged => "ledger_damaged",
            Self::HealthRefused => "health_refused",
            Self::Checked => "checked",
        }
    }

    /// The levels it comes at.
    pub const fn levels(self) -> &'static str {
        match self {
            Self::Ready | Self::Program | Self::Ending | Self::AlreadyRunning | Self::PastDue => {
                "INFO"
            }
            Self::Settings | Self::Port | Self::ServerEnded | Self::UnknownFunction => "ERROR",
            Self::LogRun => "INFO, WARN, ERROR",
            Self::Checked => "INFO, WARN",
            _ => "WARN",
        }
    }

    /// What it says.
    pub const fn about(self) -> &'static str {
        match self {
            Self::Ready => {
                "The handler listens for the Functions host, and the settings can be used."
            }
            Self::Program => "Version and SHA-256 of the program, once after each start.",
            Self::Settings => {
                "The settings cannot be used, or what they name cannot be reached at all; each fault with setting and remedy. \
                 Nothing is collected."
            }
            Self::Port => "The port that the host names is taken by somebody else.",
            Self::ServerEnded => "The server ended without being asked to.",
            Self::Ending => "The process was asked to end: a deployment, or the host scales in.",
            Self::UnknownFunction => "The host calls a function that this package does not have.",
            Self::AlreadyRunning => "The timer fired while the run before was still at work.",
            Self::PastDue => "The host missed ticks of the timer before this one.",
            Self::LogRun => {
                "How the run of a log ended (`outcome`, `code`), and what it did. One line a log and run. INFO: done, or a log \
                 that Duo does not give, once a day. WARN: it waits, and nothing is lost. ERROR: somebody must act."
            }
            Self::Gap => {
                "Events of this span are older than what Duo keeps and were never collected."
            }
            Self::CrowdedSecond => {
                "More records share one second than the endpoint shows at once; some may be hidden."
            }
            Self::CountDisagrees => "Duo counts more records in this span than it shows.",
            Self::WindowRestarted => {
                "A window was read anew, because Duo's pages contradicted one another."
            }
            Self::DestinationChanged => {
                "Rows went to another workspace, endpoint or API before, and go to this one from here on."
            }
            Self::ClockAhead => "The clock of this machine is ahead of Duo's.",
            Self::ClaimTakenOver => {
                "A process ended in the middle of this log; its work is taken over."
            }
            Self::DeadLetters => {
                "Rows lack a part of their record, or records were refused even alone; the originals are kept."
            }
            Self::LedgerDamaged => {
                "A part of the ledger is damaged; it was set aside, and its hours are read in full."
            }
            Self::HealthRefused => "Azure Monitor does not take rows of `CiscoDuoHealth_CL`.",
            Self::Checked => {
                "What the hourly check of everything found. WARN: something that no run tells of by itself."
            }
        }
    }

    /// What to do about it.
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::Ready | Self::Program | Self::Ending | Self::ClaimTakenOver => "Nothing.",
            Self::Settings => "Mend the settings it names; the app restarts by itself.",
            Self::Port => "Restart the function app.",
            Self::ServerEnded => "The host starts it again. If it comes back, report the line.",
            Self::UnknownFunction => {
                "Deploy the package again: its function folders and its program are not from one release."
            }
            Self::AlreadyRunning => {
                "Nothing; if it is there every minute, see why runs take so long: [lag](#lag)."
            }
            Self::PastDue => {
                "Nothing; if it is there for hours, see whether the app is stopped or throttled by its plan."
            }
            Self::LogRun => "See `code` in [codes](#codes).",
            Self::Gap | Self::CrowdedSecond => "See [gap](#gap).",
            Self::WindowRestarted => {
                "Nothing; if it stays for hours, report it to Duo with the time."
            }
            Self::DestinationChanged => "Nothing, if the settings were changed on purpose.",
            Self::ClockAhead => {
                "Set the clock of the machine; windows are closed by Duo's clock meanwhile."
            }
            Self::DeadLetters => "See [dead letters](#dead-letters).",
            Self::CountDisagrees | Self::LedgerDamaged => "See [unknown hours](#unknown-hours).",
            Self::HealthRefused => "See [health rows are missing](#health-rows-are-missing).",
            Self::Checked => "Open the status page, or run `duo-sentinel check`.",
        }
    }
}

impl fmt::Display for LogEvent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
