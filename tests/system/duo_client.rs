//! The simulated Admin API as Duo's own client sees it: what our client is tested against is what Duo's client,
//! whose requests and signatures are right by definition, gets its answers from too.

use std::collections::BTreeSet;

use crate::common::{ask, tenant, tool};
use serde_json::{Value, json};
use simulator::{LogType, Simulator};

const EVENTS: u64 = 200;

/// Asks for everything of a log and returns what `tests/system/duo_client_pull.py` says.
async fn pull(simulator: &Simulator, log: LogType, signature: u8, secret_key: &str) -> Value {
    let config = simulator.config();
    let port: u16 = simulator.duo_url().rsplit(':').next().unwrap().parse().unwrap();
    let question = json!({
        "port": port,
        "integration_key": config.integration_key,
        "secret_key": secret_key,
        "signature": signature,
        "log": log.name(),
        "mintime": config.from.timestamp_millis(),
        "maxtime": config.to.timestamp_millis() + 1,
    });
    let asked = tokio::task::spawn_blocking(move || {
        let python = tool("python/bin/python");
        ask(python, "tests/system/duo_client_pull.py", [""; 0], &question)
    });
    asked.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn duo_s_own_client_reads_every_event_of_every_log_with_either_signature() {
    let simulator = Simulator::start(tenant(81, EVENTS)).await.unwrap();
    for signature in [5, 2] {
        for log in LogType::ALL {
            let secret_key = simulator.config().secret_key.clone();
            let answer = pull(&simulator, log, signature, &secret_key).await;
            let ids = answer["ids"].as_array().unwrap_or_else(|| panic!("{log}: {answer}"));
            let shown = simulator.report().await.logs[&log].shown;
            assert_eq!(shown, EVENTS);
            let read = ids.len() as u64;
            assert_eq!(read, shown, "{log}, signature version {signature}");
            // Without an id two events of one second may be the same, word for word.
            if !log.is_v1() {
                let distinct: BTreeSet<&str> = ids.iter().filter_map(Value::as_str).collect();
                assert_eq!(distinct.len(), ids.len(), "{log} was read twice");
            }
            let calls = simulator.calls().duo[&log];
            assert_eq!((calls.unauthorized, calls.refused), (0, 0), "{log}");
            assert!(calls.pages > 3, "{log} came without paging: {calls:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_key_is_refused_as_duo_refuses_it() {
    let simulator = Simulator::start(tenant(82, 1)).await.unwrap();
    let wrong = "0123456789012345678901234567890123456789";
    for signature in [5, 2] {
        for log in LogType::ALL {
            let answer = pull(&simulator, log, signature, wrong).await;
            assert_eq!(answer["status"], 401, "{log}: {answer}");
            assert_eq!(answer["body"]["code"], 40103, "{log}: {answer}");
            assert_eq!(answer["body"]["stat"], "FAIL", "{log}: {answer}");
        }
    }
}
