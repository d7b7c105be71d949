//! Speed and memory of a catch-up; see `docs/benchmarks.md`.
//!
//! The measured program is the real binary in a separate process; the simulators run in this one.
//! CPU and wall time of a catch-up are ratios of two measurements of one run. The times of an idle
//! invocation and of the start depend on the machine.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints its results")]

mod bare;
mod child;
mod day;
mod figures;
mod idle;
mod table;
mod tenant;

// The settings and the rule of the integration tests.
#[path = "../../tests/common/settings.rs"]
#[expect(dead_code, reason = "only a part is used")]
mod settings;
#[path = "../../tests/common/tenant.rs"]
#[expect(dead_code, reason = "only a part is used")]
mod small_tenant;

use std::process::ExitCode;

use figures::Sizes;

/// An error that prevents a measurement.
type Fault = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let names: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match names[..] {
        // The program starts itself in these two roles.
        [child::ROLE, program, ref rest @ ..] => child::measure(program, rest),
        [bare::ROLE, ref rest @ ..] => bare::run(rest),
        _ => {
            let sizes = if names.contains(&"--quick") { Sizes::QUICK } else { Sizes::FULL };
            // Cargo adds `--bench`.
            let selected: Vec<&str> =
                names.into_iter().filter(|name| !name.starts_with('-')).collect();
            measure(&sizes, &selected)
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("not measured: {error}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn measure(sizes: &Sizes, selected: &[&str]) -> Result<(), Fault> {
    figures::measure(sizes, selected).await
}
