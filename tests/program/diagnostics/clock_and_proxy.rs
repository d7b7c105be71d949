//! The clock, and requests through a proxy.

use chrono::TimeDelta;
use simulator::{Fault, FaultKind, Simulator, Target};

use crate::common::{Settings, temporary_folder, tenant, tenant_with_rule};
use crate::diagnostics::{about, check};

/// User and password of a proxy.
const USER: &str = "someone";
const PASSWORD: &str = "hunter2";

#[tokio::test]
async fn a_wrong_clock_is_reported_and_is_an_error_from_one_minute() {
    let simulator = Simulator::start(tenant(32, 5)).await.unwrap();
    let state = temporary_folder();
    let settings = Settings::in_folder(&simulator, state.path());
    let of = async |seconds: i64| {
        simulator.faults().clear();
        let offset = Some(TimeDelta::seconds(seconds));
        let wrong = FaultKind::BadDate { offset };
        simulator.faults().push(Fault::always(Target::AnyDuo, wrong));
        let (code, findings) = check(&settings).await;
        (code, about(&findings, "clock").unwrap().clone())
    };
    // Duo's times have whole seconds.
    let about_seconds = |finding: &serde_json::Value, expected: i64, direction: &str| {
        let message = finding["message"].as_str().unwrap();
        let near = (expected - 1..=expected + 1)
            .any(|seconds| message == format!("{seconds} s {direction} Duo's"));
        assert!(near, "{message}");
    };
    for (seconds, direction) in [(-300, "ahead of"), (300, "behind")] {
        let (code, finding) = of(seconds).await;
        assert_eq!((code, &finding["code"]), (Some(1), &"clock".into()), "{finding}");
        about_seconds(&finding, 300, direction);
        let hint = finding["hint"].as_str().unwrap();
        assert!(hint.contains("synchronize the clock of this machine"), "{hint}");
    }
    let (code, finding) = of(-10).await;
    assert_eq!((code, &finding["ok"]), (Some(0), &true.into()), "{finding}");
    about_seconds(&finding, 10, "ahead of");
    let (code, finding) = of(0).await;
    assert_eq!((code, &finding["message"]), (Some(0), &"agrees with Duo's".into()));
}

#[tokio::test]
async fn a_proxy_is_reported_without_its_password() {
    let simulator = Simulator::start(tenant_with_rule(33, 0)).await.unwrap();
    // Without a token, no request is sent to the address of Azure Monitor.
    let no_token = Fault::always(Target::Identity, FaultKind::Status(400));
    simulator.faults().push(no_token);
    let state = temporary_folder();
    let settings = Settings::in_folder(&simulator, state.path())
        .by_logs_ingestion(&simulator)
        .with("CISCO_DUO_API_HOSTNAME", "api-12345678.duosecurity.com")
        .with("CISCO_DUO_LOG_TYPES", "activity")
        .with("LOGS_INGESTION_ENDPOINT", "https://duo-abcd.westeurope-1.ingest.monitor.azure.com")
        // No process listens on this port.
        .with("HTTPS_PROXY", format!("http://{USER}:{PASSWORD}@127.0.0.1:9"));
    for (except, expected) in [
        ("", "Duo through the proxy 127.0.0.1:9, Azure Monitor through the proxy 127.0.0.1:9"),
        (
            "example.com,.ingest.monitor.azure.com",
            "Duo through the proxy 127.0.0.1:9, Azure Monitor directly",
        ),
    ] {
        let (code, findings) = check(&settings.clone().with("NO_PROXY", except)).await;
        assert_eq!(code, Some(1));
        let network = about(&findings, "network").unwrap();
        assert_eq!((&network["ok"], &network["message"]), (&true.into(), &expected.into()));
        let duo = about(&findings, "Duo activity").unwrap();
        assert_eq!(duo["code"], "duo_unreachable", "{duo}");
        assert!(duo["hint"].as_str().unwrap().contains("HTTPS_PROXY"), "{duo}");
        let everything = serde_json::to_string(&findings).unwrap();
        for secret in [USER, PASSWORD] {
            assert!(!everything.contains(secret), "{everything}");
        }
    }
}

#[tokio::test]
async fn requests_to_this_machine_bypass_the_proxy() {
    let simulator = Simulator::start(tenant(34, 5)).await.unwrap();
    let state = temporary_folder();
    let settings = Settings::in_folder(&simulator, state.path());
    let proxy = format!("http://{USER}:{PASSWORD}@127.0.0.1:9");
    let names = ["HTTPS_PROXY", "https_proxy", "http_proxy", "HTTP_PROXY", "ALL_PROXY"];
    let settings = names.into_iter().fold(settings, |settings, name| settings.with(name, &proxy));
    let (code, findings) = check(&settings).await;
    assert_eq!(code, Some(0), "{findings:#?}");
    assert_eq!(about(&findings, "network"), None);
}
