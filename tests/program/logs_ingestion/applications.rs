//! Applications outside Azure: a secret or a workload identity, and an authority behind TLS.

use std::path::Path;
use std::sync::Arc;

use simulator::{Config, Fault, FaultKind, Simulator, Target};
use tempfile::TempDir;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::common::{FunctionsHost, Settings, temporary_folder, tenant_with_rule};

/// A tenant, its authority behind TLS, and settings of an application without credentials.
pub(crate) struct Scene {
    simulator: Simulator,
    pub(crate) settings: Settings,
    pub(crate) folder: TempDir,
}

impl Scene {
    pub(crate) async fn new(seed: u64) -> Self {
        let simulator = Simulator::start(tenant_with_rule(seed, 60)).await.unwrap();
        let folder = temporary_folder();
        let certificate = folder.path().join("authority.pem");
        let authority = over_tls(&simulator.authority_url(), &certificate).await;
        let identity = simulator.config().identity.clone();
        let settings = Settings::in_folder(&simulator, &folder.path().join("state"))
            .by_logs_ingestion(&simulator)
            .without("IDENTITY_ENDPOINT")
            .without("IDENTITY_HEADER")
            .with("AZURE_TENANT_ID", identity.tenant_id)
            .with("AZURE_CLIENT_ID", identity.client_id)
            .with("AZURE_AUTHORITY_HOST", authority)
            .with("SSL_CERT_FILE", certificate.display().to_string());
        Self { simulator, settings, folder }
    }

    pub(crate) fn config(&self) -> &Config {
        self.simulator.config()
    }
}

/// Starts a TLS front with a self-signed certificate for a service, and returns its URL.
async fn over_tls(service: &str, certificate: &Path) -> String {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    std::fs::write(certificate, made.cert.pem()).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let chain = vec![CertificateDer::from(made.cert.der().to_vec())];
    let config = ServerConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = service.trim_start_matches("http://").to_owned();
    tokio::spawn(async move {
        while let Ok((caller, _)) = listener.accept().await {
            let (acceptor, service) = (acceptor.clone(), service.clone());
            tokio::spawn(async move {
                // A client that does not trust the certificate closes the connection here.
                let mut caller = acceptor.accept(caller).await?;
                let mut service = TcpStream::connect(service).await?;
                copy_bidirectional(&mut caller, &mut service).await
            });
        }
    });
    format!("https://{address}")
}

#[tokio::test]
async fn a_wrong_secret_is_reported_and_nothing_is_sent() {
    let scene = Scene::new(62).await;
    let wrong = "not-the-secret-of-this-application";
    let settings = scene.settings.clone().with("AZURE_CLIENT_SECRET", wrong);
    let mut host = FunctionsHost::start(&settings).await;
    let invocation = host.fire().await;
    invocation.assert_failed();
    let message = invocation.message("activity");
    for text in ["no token for Azure Monitor: HTTP 401", "AZURE_CLIENT_SECRET"] {
        assert!(message.contains(text), "no \"{text}\" in {message}");
    }
    host.stop().await;
    let output = host.stdout().join("\n") + &host.stderr().join("\n") + &message;
    assert!(!output.contains(wrong), "the output contains the secret: {output}");
    assert_eq!(scene.simulator.counts().logs_ingestion.requests, 0);
}

#[tokio::test]
async fn an_application_gets_tokens_with_a_secret_or_a_token_file() {
    for (name, seed) in [("AZURE_CLIENT_SECRET", 61), ("AZURE_FEDERATED_TOKEN_FILE", 63)] {
        let scene = Scene::new(seed).await;
        let identity = scene.config().identity.clone();
        let file = scene.folder.path().join("federated-token");
        std::fs::write(&file, identity.federated_token).unwrap();
        let file = file.display().to_string();
        let credential = if name == "AZURE_CLIENT_SECRET" { identity.client_secret } else { file };
        let mut host = FunctionsHost::start(&scene.settings.clone().with(name, credential)).await;
        host.finish(&scene.simulator, 0).await;
        let identity = scene.simulator.counts().identity;
        assert!((1..=6).contains(&identity.tokens), "{identity:#?}");
    }
}

#[tokio::test]
async fn a_missing_token_file_is_reported_and_used_once_it_exists() {
    let scene = Scene::new(64).await;
    let file = scene.folder.path().join("federated-token");
    let settings = scene.settings.clone();
    let settings = settings.with("AZURE_FEDERATED_TOKEN_FILE", file.display().to_string());
    let mut host = FunctionsHost::start(&settings).await;
    let invocation = host.fire().await;
    invocation.assert_failed();
    let output = invocation.response.to_string();
    assert!(output.contains("AZURE_FEDERATED_TOKEN_FILE"), "{output}");
    std::fs::write(&file, &scene.config().identity.federated_token).unwrap();
    host.finish(&scene.simulator, 0).await;
}

#[tokio::test]
async fn an_untrusted_authority_gets_no_secret_and_the_logs_back_off() {
    let scene = Scene::new(65).await;
    let secret = scene.config().identity.client_secret.clone();
    let settings = scene.settings.clone().without("SSL_CERT_FILE");
    let mut host = FunctionsHost::start(&settings.with("AZURE_CLIENT_SECRET", &secret)).await;
    let invocation = host.fire().await;
    assert_eq!(invocation.outcomes(), ["backing_off"; 6]);
    let message = invocation.message("activity");
    assert!(message.contains("no token for Azure Monitor"), "{message}");
    host.stop().await;
    let counts = scene.simulator.counts();
    assert_eq!((counts.identity.requests, counts.logs_ingestion.requests), (0, 0));
}

#[tokio::test]
async fn a_response_that_is_not_from_the_authority_fails_at_once_and_names_the_proxy() {
    for (name, seed) in [("AZURE_CLIENT_SECRET", 66), ("AZURE_FEDERATED_TOKEN_FILE", 67)] {
        let scene = Scene::new(seed).await;
        let identity = scene.config().identity.clone();
        let file = scene.folder.path().join("federated-token");
        std::fs::write(&file, identity.federated_token).unwrap();
        let file = file.display().to_string();
        let credential = if name == "AZURE_CLIENT_SECRET" { identity.client_secret } else { file };
        let mut host = FunctionsHost::start(&scene.settings.clone().with(name, credential)).await;
        for (kind, expected) in [
            (FaultKind::NotJson, "HTTP 200 with an HTML page instead of JSON"),
            (FaultKind::WrongEnvelope, "HTTP 200 without access_token"),
        ] {
            scene.simulator.faults().push(Fault::always(Target::Identity, kind));
            let invocation = host.fire().await;
            invocation.assert_failed();
            let message = invocation.message("activity");
            let expected =
                format!("no token for Azure Monitor: the token endpoint returned {expected}");
            assert!(message.contains(&expected) && message.contains("HTTPS_PROXY"), "{message}");
            scene.simulator.faults().clear();
        }
        host.finish(&scene.simulator, 0).await;
    }
}
