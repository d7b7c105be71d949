//! Log lines as the Functions host takes them: one line an event, each stream a level.
//!
//! The host turns every line of stdout into an Information entry and every line of stderr into an Error entry,
//! except those with the word "warn" in them, which become warnings. So INFO and below go to stdout, WARN and
//! ERROR to stderr, and WARN lines say so.

mod event;

use std::io;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::time::ChronoUtc;
use tracing_subscriber::fmt::writer::MakeWriterExt as _;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

pub use event::LogEvent;

/// RFC 3339 UTC to the millisecond.
const TIME: &str = "%Y-%m-%dT%H:%M:%S%.3fZ";

/// Only our own lines: what libraries log may hold URLs and headers.
fn ours(level: LevelFilter) -> Targets {
    Targets::new().with_target(env!("CARGO_CRATE_NAME"), level)
}

/// Starts logging for the Functions host.
pub fn start_for_host(verbose: bool) {
    let level = if verbose {
        LevelFilter::DEBUG
    } else {
        LevelFilter::INFO
    };
    let streams = io::stderr
        .with_max_level(tracing::Level::WARN)
        .or_else(io::stdout);
    let lines = tracing_subscriber::fmt::layer()
        .compact()
        .with_ansi(false)
        .with_target(false)
        .with_timer(ChronoUtc::new(TIME.to_owned()))
        .with_writer(streams);
    tracing_subscriber::registry()
        .with(lines)
        .with(ours(level))
        .init();
}

/// Starts logging for the command line: stdout is data, so everything goes to stderr, and only what went wrong
/// unless more is asked for.
pub fn start_for_command_line(verbose: bool) {
    let level = if verbose {
        LevelFilter::DEBUG
    } else {
        LevelFilter::ERROR
    };
    let lines = tracing_subscriber::fmt::layer()
        .compact()
        .with_ansi(io::IsTerminal::is_terminal(&io::stderr()))
        .with_target(false)
        .with_timer(ChronoUtc::new(TIME.to_owned()))
        .with_writer(io::stderr);
    tracing_subscriber::registry()
        .with(lines)
        .with(ours(level))
        .init();
}
