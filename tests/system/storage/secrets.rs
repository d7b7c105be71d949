//! The output of a handler contains no secret, however a run fails and at any log level.

use simulator::{Fault, FaultKind, LogType, Simulator, Target};

use crate::common::{
    ACCOUNT, ACCOUNT_KEY, Azurite, FunctionsHost, Settings, account_signature, tenant,
};

#[tokio::test(flavor = "multi_thread")]
async fn no_log_line_and_no_response_shows_a_secret() {
    let azurite = Azurite::shared();
    let endpoint = azurite.endpoint();
    let unreachable = "http://127.0.0.1:9/devstoreaccount1";
    let good = account_signature(ACCOUNT, ACCOUNT_KEY, "rwdlac");
    let read_only = account_signature(ACCOUNT, ACCOUNT_KEY, "r");
    let wrong_key = "d3Jvbmcga2V5IHRoYXQgaXMgbG9uZyBlbm91Z2ggdG8gYmUgb25l";
    let with_signature = |endpoint: &str, signature: &str| {
        format!("BlobEndpoint={endpoint};SharedAccessSignature={signature}")
    };
    let connections = [
        ("succeeds", with_signature(&endpoint, &good)),
        ("forbidden", with_signature(&endpoint, &read_only)),
        ("unreachable", with_signature(unreachable, &good)),
        (
            "wrong key",
            format!("AccountName={ACCOUNT};AccountKey={wrong_key};BlobEndpoint={endpoint}"),
        ),
        // One part is invalid, so that the settings are refused.
        ("malformed", format!("BlobEndpoint={endpoint};SharedAccessSignature={good};invalid")),
    ];
    for (what, connection) in connections {
        let simulator = Simulator::start(tenant(61, 20)).await.unwrap();
        add_faults(&simulator);
        let settings = Settings::in_storage(&simulator, &connection, "secrets")
            .with("CISCO_DUO_RUN_TIME_LIMIT_SECONDS", "2");
        let mut host =
            FunctionsHost::start_with_arguments(&settings, &["serve", "--verbose"]).await;
        let invocation = host.fire().await;
        host.kill().await;
        let mut output = host.stdout();
        if what == "succeeds" {
            let is_verbose = output.iter().any(|line| line.contains("DEBUG"));
            assert!(is_verbose, "no debug lines: {output:#?}");
        }
        invocation.assert_failed();
        assert!(!host.stderr().is_empty(), "{what}: no error was logged");
        output.extend(host.stderr());
        output.push(invocation.response.to_string());
        let config = simulator.config();
        let secrets = ["sig=", ACCOUNT_KEY, wrong_key, &config.secret_key, &config.shared_key];
        let signatures = [&good, &read_only].map(|query| signature(query));
        let signatures = signatures.iter().flatten().map(String::as_str);
        for secret in secrets.into_iter().chain(signatures) {
            let shown = output.iter().find(|line| line.contains(secret));
            assert_eq!(shown, None, "{what} shows {secret}");
        }
    }
}

/// Makes requests fail whose errors describe the request.
fn add_faults(simulator: &Simulator) {
    for (target, kind) in [
        (Target::Duo(LogType::Activity), FaultKind::Status(400)),
        (Target::Duo(LogType::Telephony), FaultKind::Reset),
        (Target::Duo(LogType::Authentication), FaultKind::NotJson),
        (Target::Duo(LogType::Administrator), FaultKind::Status(401)),
        (Target::LogAnalytics, FaultKind::Status(403)),
    ] {
        simulator.faults().push(Fault::always(target, kind));
    }
}

/// The signature in a query, encoded and decoded.
fn signature(query: &str) -> [String; 2] {
    let encoded = query.split("sig=").nth(1).unwrap().to_owned();
    let decoded = url::form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "sig")
        .map(|(_, value)| value.into_owned());
    [encoded, decoded.unwrap()]
}
