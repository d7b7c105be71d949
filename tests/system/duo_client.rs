//! Duo's own client against the simulated Admin API: the simulator must accept the requests and
//! signatures of a client that is right by definition.

use std::collections::BTreeSet;

use crate::common::{run_script, tenant, tool};
use serde_json::{Value, json};
use simulator::{LogType, Simulator};

const EVENTS: u64 = 200;

/// Reads all events of a log with `tests/system/duo_client_pull.py` and returns its output.
async fn pull(simulator: &Simulator, log: LogType, signature: u8, secret_key: &str) -> Value {
    let config = simulator.config();
    let port: u16 = simulator.duo_url().rsplit(':').next().unwrap().parse().unwrap();
    let input = json!({
        "port": port,
        "integration_key": config.integration_key,
        "secret_key": secret_key,
        "signature": signature,
        "log": log.name(),
        "mintime": config.from.timestamp_millis(),
        "maxtime": config.to.timestamp_millis() + 1,
    });
    let output = tokio::task::spawn_blocking(move || {
        let python = tool("python/bin/python");
        run_script(python, "tests/system/duo_client_pull.py", [""; 0], &input)
    });
    output.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn duo_s_own_client_reads_every_event_of_every_log_with_either_signature() {
    let simulator = Simulator::start(tenant(81, EVENTS)).await.unwrap();
    for signature in [5, 2] {
        for log in LogType::ALL {
            let secret_key = simulator.config().secret_key.clone();
            let output = pull(&simulator, log, signature, &secret_key).await;
            let ids = output["ids"].as_array().unwrap_or_else(|| panic!("{log}: {output}"));
            let shown = simulator.report().await.logs[&log].shown;
            assert_eq!(shown, EVENTS);
            let read = ids.len() as u64;
            assert_eq!(read, shown, "{log}, signature version {signature}");
            // Two events without an id in one second may be identical.
            if !log.is_v1() {
                let distinct: BTreeSet<&str> = ids.iter().filter_map(Value::as_str).collect();
                assert_eq!(distinct.len(), ids.len(), "{log} has duplicates");
            }
            let counts = simulator.counts().duo[&log];
            assert_eq!((counts.unauthorized, counts.refused), (0, 0), "{log}");
            assert!(counts.pages > 3, "{log} was read without paging: {counts:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_key_is_refused_like_by_duo() {
    let simulator = Simulator::start(tenant(82, 1)).await.unwrap();
    let wrong = "0123456789012345678901234567890123456789";
    for signature in [5, 2] {
        for log in LogType::ALL {
            let output = pull(&simulator, log, signature, wrong).await;
            assert_eq!(output["status"], 401, "{log}: {output}");
            assert_eq!(output["body"]["code"], 40103, "{log}: {output}");
            assert_eq!(output["body"]["stat"], "FAIL", "{log}: {output}");
        }
    }
}
