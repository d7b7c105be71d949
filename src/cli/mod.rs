//! The command-line interface.
//!
//! Data goes to stdout, messages to stderr. Exit codes: 0 done, 1 work failed, 2 settings or usage.

mod backfill;
mod check;
mod dead_letters;
#[cfg(feature = "demo")]
mod demo;
mod output;
mod run;
mod serve;
#[cfg(feature = "demo")]
mod simulate;
#[cfg(feature = "demo")]
mod simulated;
mod status;

use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::collector::Collector;
use crate::settings::{Environment, Settings};

const FAILED: u8 = 1;
const USAGE: u8 = 2;

/// Delivers every Cisco Duo log to Microsoft Sentinel and verifies that no event is missing.
#[derive(Debug, Parser)]
#[command(version, about, disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Log each request, at level DEBUG
    #[arg(long, short, global = true)]
    verbose: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the Functions host (the default)
    Serve(serve::Arguments),
    /// Collect every configured log once, now
    Run(Format),
    /// Check settings, clock, permissions, storage and Azure Monitor; collects nothing
    Check(Format),
    /// Show the stored status of each log; sends no request to Duo or Azure Monitor
    Status(Format),
    /// Read whole hours of the past again, and deliver missing events
    Backfill(backfill::Arguments),
    /// List, resend or delete dead letters: originals of records that were not stored whole
    DeadLetters(dead_letters::Arguments),
    /// Run the connector against a simulated Duo and Azure Monitor; needs no account
    #[cfg(feature = "demo")]
    Demo(demo::Arguments),
    /// Serve the simulated Duo and Azure Monitor on fixed ports, for manual tests
    #[cfg(feature = "demo")]
    Simulate(simulate::Arguments),
}

#[derive(Clone, Copy, Debug, clap::Args)]
struct Format {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let command = arguments.command.unwrap_or(Command::Serve(serve::Arguments::default()));
    match command {
        Command::Serve(_) => crate::logging::start_for_host(arguments.verbose),
        _ => crate::logging::start_for_command_line(arguments.verbose),
    }
    // Collection mostly waits for other services: a second thread would not help.
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    #[cfg(feature = "demo")]
    if matches!(command, Command::Demo(_) | Command::Simulate(_)) {
        // The simulators create and compare every event in this process.
        runtime = tokio::runtime::Builder::new_multi_thread();
    }
    let runtime = runtime.enable_all().build().expect("the runtime can be created");
    let code = runtime.block_on(async {
        match command {
            Command::Serve(arguments) => return serve::serve(&arguments).await,
            Command::Run(format) => run::run(format).await,
            Command::Check(format) => Box::pin(check::check(format)).await,
            Command::Status(format) => status::status(format).await,
            Command::Backfill(arguments) => backfill::backfill(&arguments).await,
            Command::DeadLetters(arguments) => dead_letters::dead_letters(&arguments).await,
            #[cfg(feature = "demo")]
            Command::Demo(arguments) => demo::demo(&arguments).await,
            #[cfg(feature = "demo")]
            Command::Simulate(arguments) => simulate::simulate(&arguments).await,
        }
        .err()
        .unwrap_or(0)
    });
    // A hanging file operation must not block the exit.
    runtime.shutdown_background();
    ExitCode::from(code)
}

/// The exit code of a command that did all or some of its work.
const fn failed_unless(is_done: bool) -> Result<(), u8> {
    if is_done { Ok(()) } else { Err(FAILED) }
}

/// Creates the collector. With `json`, settings errors are also printed on stdout.
fn collector(json: bool) -> Result<Collector, u8> {
    let mut environment = Environment::of_process();
    if let Err(error) = environment.add_local_settings(Path::new("local.settings.json")) {
        output::error(&error, None);
        return Err(USAGE);
    }
    let settings = Settings::read(&environment).map_err(|errors| {
        if json {
            output::json(&errors);
        }
        let hint = "set them in the environment or in local.settings.json";
        output::error(&errors.to_string(), Some(hint));
        USAGE
    })?;
    Collector::new(settings).map_err(|error| {
        output::error(&error.to_string(), error.hint());
        FAILED
    })
}
