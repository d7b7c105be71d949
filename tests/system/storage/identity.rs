//! Blob Storage with the identity of the function app, over TLS.

use std::path::PathBuf;

use simulator::{Fault, FaultKind, Simulator, Target};
use tempfile::TempDir;

use crate::common::{Azurite, FunctionsHost, Settings, events_in, temporary_folder, tenant};

#[tokio::test(flavor = "multi_thread")]
async fn a_run_works_with_the_identity_of_the_function_app() {
    let (simulator, azurite) = (Simulator::start(tenant(71, 60)).await.unwrap(), Tls::start());
    let settings = azurite.settings(&simulator);
    let mut host = FunctionsHost::start(&settings).await;
    host.deliver_all(&simulator, 0).await;
    host.stop().await;
    let container = azurite.azurite.container("identity");
    assert!(container.checkpoint("activity").await["mintime"].is_string());
    // Tokens are reused; each log may request one at first. Azurite checks their audience.
    let requests = simulator.counts().identity;
    assert!((1..=6).contains(&requests.tokens) && requests.refused.is_empty(), "{requests:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_identity_fails_with_a_hint_and_delivers_nothing() {
    let (simulator, azurite) = (Simulator::start(tenant(72, 20)).await.unwrap(), Tls::start());
    let settings = azurite.settings(&simulator).with("IDENTITY_HEADER", "another-header");
    let mut host = FunctionsHost::start(&settings).await;
    let invocation = host.fire().await;
    invocation.assert_failed();
    assert_eq!(invocation.outcomes(), ["failed"; 6]);
    host.kill().await;
    for line in host.stderr() {
        assert!(line.contains("AzureWebJobsStorage"), "no hint: {line}");
        assert!(!line.contains("another-header"), "the line contains a secret: {line}");
    }
    assert_eq!(events_in(&simulator.counts().log_analytics.rows), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_that_is_not_from_the_identity_endpoint_is_named() {
    let (simulator, azurite) = (Simulator::start(tenant(74, 20)).await.unwrap(), Tls::start());
    simulator.faults().push(Fault::always(Target::Identity, FaultKind::NotJson));
    let mut host = FunctionsHost::start(&azurite.settings(&simulator)).await;
    let invocation = host.fire().await;
    invocation.assert_failed();
    let message = invocation.message("activity");
    let reason = "the identity endpoint returned HTTP 200 with an HTML page instead of JSON";
    assert!(message.contains(reason) && message.contains("IDENTITY_ENDPOINT"), "{message}");
    simulator.faults().clear();
    host.finish(&simulator, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_untrusted_certificate_is_refused() {
    let (simulator, azurite) = (Simulator::start(tenant(73, 20)).await.unwrap(), Tls::start());
    let settings = azurite.settings(&simulator).without("SSL_CERT_FILE");
    let invocation = FunctionsHost::start(&settings).await.fire().await;
    invocation.assert_failed();
    let message = invocation.log("activity")["message"].as_str().unwrap();
    assert!(message.contains("certificate"), "{message}");
    assert_eq!(events_in(&simulator.counts().log_analytics.rows), 0);
}

/// Azurite with a self-signed certificate.
struct Tls {
    azurite: Azurite,
    certificate: PathBuf,
    _folder: TempDir,
}

impl Tls {
    fn start() -> Self {
        let folder = temporary_folder();
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
        std::fs::write(&certificate, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        Self { azurite: Azurite::with_tokens(&certificate, &key), certificate, _folder: folder }
    }

    fn settings(&self, simulator: &Simulator) -> Settings {
        Settings::of(simulator)
            .with("AzureWebJobsStorage__blobServiceUri", self.azurite.endpoint())
            .with("AzureWebJobsStorage__credential", "managedidentity")
            .with("CISCO_DUO_CONTAINER", "identity")
            .with("IDENTITY_ENDPOINT", simulator.identity_url())
            .with("IDENTITY_HEADER", &simulator.config().identity.header)
            .with("SSL_CERT_FILE", self.certificate.display().to_string())
    }
}
