//! Log output: the host takes each line of stdout as information and each line of stderr as an
//! error, unless it contains "warn".

use std::fs;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use simulator::{Fault, FaultKind, LogType, Target};

use crate::common::{FunctionsHost, running, tenant};

#[tokio::test(flavor = "multi_thread")]
async fn each_line_is_on_the_stream_of_its_level_with_the_invocation_id() {
    let (simulator, mut host, _folder) = running(tenant(4, 20)).await;
    let (throttled, refused) = (Target::Duo(LogType::Telephony), Target::Duo(LogType::Activity));
    let too_many = FaultKind::TooManyRequests { retry_after: None };
    simulator.faults().push(Fault::always(throttled, too_many));
    simulator.faults().push(Fault::always(refused, FaultKind::Status(400)));
    logs_version_and_hash(&host).await;
    let (out_before, err_before) = (host.stdout().len(), host.stderr().len());
    assert_eq!(err_before, 0, "{:#?}", host.stderr());
    let invocation = host.fire().await;
    invocation.assert_failed();
    host.kill().await;
    let (stdout, stderr) = (host.stdout(), host.stderr());
    for line in &stdout {
        assert!(line.contains(" INFO "), "not the level of stdout: {line}");
    }
    let (warnings, errors): (Vec<_>, Vec<_>) =
        stderr.iter().partition(|line| line.contains(" WARN "));
    let [warning] = &warnings[..] else {
        panic!("expected one warning: {stderr:#?}");
    };
    let [error] = &errors[..] else {
        panic!("expected one error: {stderr:#?}");
    };
    assert!(warning.contains("telephony"), "{warning}");
    assert!(error.contains("ERROR") && error.contains("activity"), "{error}");
    assert!(
        !error.to_ascii_lowercase().contains("warn"),
        "the host would take it as a warning: {error}"
    );
    // Four logs that caught up, and the hourly check.
    assert_eq!(stdout[out_before..].len(), 5, "{stdout:#?}");
    for line in stdout[out_before..].iter().chain(&stderr) {
        assert!(line.contains(&invocation.id), "no invocation id: {line}");
    }
}

/// A line soon after the start has version and SHA-256, for comparison with a release.
async fn logs_version_and_hash(host: &FunctionsHost) {
    let handler = fs::read(host.app_root().join("handler")).expect("the package has a handler");
    let sum = format!("sha256=\"{}\"", hex::encode(Sha256::digest(handler)));
    let version = format!("version=\"{}\"", env!("CARGO_PKG_VERSION"));
    for _ in 0..200 {
        let stdout = host.stdout();
        if let Some(line) = stdout.iter().find(|line| line.contains("sha256")) {
            assert!(line.contains(&sum) && line.contains(&version), "{line}");
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("no line with version and hash: {:#?}", host.stdout());
}
