//! Applications outside Azure: a secret or a workload identity, and an authority that gives their tokens over TLS.

use std::path::Path;
use std::sync::Arc;

use simulator::{Config, Simulator};
use tempfile::TempDir;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::common::{FunctionsHost, Settings, temporary_folder, tenant_with_rule};

/// A tenant, its simulated authority behind a certificate of its own, and settings of an application without its proof.
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

/// A front with a certificate of its own for a service without one; its address.
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
                // A caller that does not trust the certificate goes away here.
                let mut caller = acceptor.accept(caller).await?;
                let mut service = TcpStream::connect(service).await?;
                copy_bidirectional(&mut caller, &mut service).await
            });
        }
    });
    format!("https://{address}")
}

#[tokio::test]
async fn a_wrong_secret_is_told_of_with_the_authority_s_number_and_nothing_is_sent() {
    let scene = Scene::new(62).await;
    let wrong = "not-the-secret-of-this-application";
    let settings = scene.settings.clone().with("AZURE_CLIENT_SECRET", wrong);
    let mut host = FunctionsHost::start(&settings).await;
    let invocation = host.fire().await;
    invocation.assert_failed();
    let said = invocation.message("activity");
    for text in ["no token for Azure Monitor: HTTP 401", "AZURE_CLIENT_SECRET"] {
        assert!(said.contains(text), "no \"{text}\" in {said}");
    }
    host.stop().await;
    let said = host.stdout().join("\n") + &host.stderr().join("\n") + &said;
    assert!(!said.contains(wrong), "it is a secret: {said}");
    assert_eq!(scene.simulator.calls().logs_ingestion.requests, 0);
}

#[tokio::test]
async fn an_application_gets_its_tokens_by_its_secret_or_the_text_of_its_file() {
    for (name, seed) in [("AZURE_CLIENT_SECRET", 61), ("AZURE_FEDERATED_TOKEN_FILE", 63)] {
        let scene = Scene::new(seed).await;
        let identity = scene.config().identity.clone();
        let file = scene.folder.path().join("federated-token");
        std::fs::write(&file, identity.federated_token).unwrap();
        let file = file.display().to_string();
        let proof = if name == "AZURE_CLIENT_SECRET" { identity.client_secret } else { file };
        let mut host = FunctionsHost::start(&scene.settings.clone().with(name, proof)).await;
        host.finish(&scene.simulator, 0).await;
        let identity = scene.simulator.calls().identity;
        assert!((1..=6).contains(&identity.tokens), "{identity:#?}");
    }
}

#[tokio::test]
async fn a_token_file_that_is_missing_is_named_and_taken_once_it_is_there() {
    let scene = Scene::new(64).await;
    let file = scene.folder.path().join("federated-token");
    let settings = scene.settings.clone();
    let settings = settings.with("AZURE_FEDERATED_TOKEN_FILE", file.display().to_string());
    let mut host = FunctionsHost::start(&settings).await;
    let invocation = host.fire().await;
    invocation.assert_failed();
    let said = invocation.answer.to_string();
    assert!(said.contains("AZURE_FEDERATED_TOKEN_FILE"), "{said}");
    std::fs::write(&file, &scene.config().identity.federated_token).unwrap();
    host.finish(&scene.simulator, 0).await;
}

#[tokio::test]
async fn an_authority_that_nobody_vouches_for_gets_no_secret_and_the_logs_wait() {
    let scene = Scene::new(65).await;
    let secret = scene.config().identity.client_secret.clone();
    let settings = scene.settings.clone().without("SSL_CERT_FILE");
    let mut host = FunctionsHost::start(&settings.with("AZURE_CLIENT_SECRET", &secret)).await;
    let invocation = host.fire().await;
    assert_eq!(invocation.outcomes(), ["backing_off"; 6]);
    let said = invocation.message("activity");
    assert!(said.contains("no token for Azure Monitor"), "{said}");
    host.stop().await;
    let calls = scene.simulator.calls();
    assert_eq!((calls.identity.requests, calls.logs_ingestion.requests), (0, 0));
}
