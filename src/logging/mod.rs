//! Logging in the format of the Functions host: one line per event, levels by stream.
//!
//! The host logs every line of stdout as Information and every line of stderr as Error, except
//! lines with the word "warn", which become warnings. So INFO and below go to stdout, WARN and
//! ERROR to stderr, and WARN lines contain their level.

mod event;

use std::io::{self, IsTerminal as _};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::time::ChronoUtc;
use tracing_subscriber::fmt::writer::{BoxMakeWriter, MakeWriterExt as _};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

pub use event::LogEvent;

/// RFC 3339 UTC with milliseconds.
const TIME: &str = "%Y-%m-%dT%H:%M:%S%.3fZ";

/// Starts logging for the Functions host.
pub fn start_for_host(verbose: bool) {
    let streams = io::stderr.with_max_level(tracing::Level::WARN);
    let streams = BoxMakeWriter::new(streams.or_else(io::stdout));
    start(verbose, LevelFilter::INFO, false, streams);
}

/// Starts logging for commands: to stderr, since stdout is data; only errors unless `verbose`.
pub fn start_for_command_line(verbose: bool) {
    let (color, stderr) = (io::stderr().is_terminal(), BoxMakeWriter::new(io::stderr));
    start(verbose, LevelFilter::ERROR, color, stderr);
}

fn start(verbose: bool, level: LevelFilter, color: bool, writer: BoxMakeWriter) {
    let level = if verbose { LevelFilter::DEBUG } else { level };
    let lines = tracing_subscriber::fmt::layer()
        .compact()
        .with_ansi(color)
        .with_target(false)
        .with_timer(ChronoUtc::new(TIME.to_owned()))
        .with_writer(writer);
    // Only lines of this crate: libraries may log URLs and headers.
    let ours = Targets::new().with_target(env!("CARGO_CRATE_NAME"), level);
    tracing_subscriber::registry().with(lines).with(ours).init();
}
