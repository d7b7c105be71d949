//! The `duo-sentinel` program; deployed under the name `handler`.

use std::process::ExitCode;

fn main() -> ExitCode {
    duo_sentinel::cli::main()
}
