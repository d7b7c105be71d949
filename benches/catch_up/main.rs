//! Speed and memory of a catch-up; `docs/benchmarks.md` says how to run it.
//!
//! The program under measurement is the real binary, a process of its own; the simulators run in this one. Each
//! figure is a ratio of two things measured in the same run, or a bound that does not depend on the machine.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark prints what it measured"
)]

mod bare;
mod child;
mod day;
mod figures;
mod table;
mod tenant;

// The settings and the rule of the integration tests, of which a part is used here.
#[path = "../../tests/common/settings.rs"]
#[expect(dead_code, reason = "a part of it is used")]
mod settings;
#[path = "../../tests/common/tenant.rs"]
#[expect(dead_code, reason = "a part of it is used")]
mod small_tenant;

use std::process::ExitCode;

use figures::Sizes;

/// What can keep a figure from being measured.
type Fault = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let names: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match names[..] {
        // This program starts itself in these two roles.
        [child::ROLE, program, ref rest @ ..] => child::measure(program, rest),
        [bare::ROLE, ref rest @ ..] => bare::run(rest),
        _ => {
            let sizes = if names.contains(&"--quick") { Sizes::QUICK } else { Sizes::FULL };
            // Cargo adds `--bench`.
            let wanted: Vec<&str> =
                names.into_iter().filter(|name| !name.starts_with('-')).collect();
            measure(&sizes, &wanted)
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("not measured: {fault}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn measure(sizes: &Sizes, wanted: &[&str]) -> Result<(), Fault> {
    figures::measure(sizes, wanted).await
}
