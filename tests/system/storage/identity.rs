//! Blob Storage by the identity of the function app, over TLS.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Utc;
use serde_json::json;
use simulator::Simulator;
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::common::{
    Azurite, FunctionsHost, Settings, assert_nothing_lost, events_in, temporary_folder, tenant,
};

const SECRET_HEADER: &str = "853b9a84-5bfa-4b22-a3f3-0b9a43d9ad8a";

#[tokio::test(flavor = "multi_thread")]
async fn a_run_works_by_the_identity_of_the_function_app() {
    let (simulator, azurite) = (Simulator::start(tenant(71, 60)).await.unwrap(), Tls::start());
    let identity = Identity::start().await;
    let settings = azurite.settings(&simulator, &identity, SECRET_HEADER);
    let mut host = FunctionsHost::start(&settings).await;
    host.catch_up(3).await;
    assert_nothing_lost(&simulator, 0).await;
    host.stop().await;
    let container = azurite.azurite.container("identity");
    assert!(container.checkpoint("activity").await["mintime"].is_string());
    let asked = identity.asked.lock().unwrap().clone();
    // Kept and used again; at most one for each log that asks before the first one has come.
    assert!((1..=6).contains(&asked.len()), "{asked:#?}");
    for request in asked {
        assert_eq!(request, "2019-08-01 https://storage.azure.com");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_identity_fails_with_advice_and_delivers_nothing() {
    let (simulator, azurite) = (Simulator::start(tenant(72, 20)).await.unwrap(), Tls::start());
    let identity = Identity::start().await;
    let settings = azurite.settings(&simulator, &identity, "another-header");
    let mut host = FunctionsHost::start(&settings).await;
    let invocation = host.fire().await;
    invocation.assert_failed();
    assert_eq!(invocation.outcomes(), ["failed"; 6]);
    host.kill().await;
    for line in host.stderr() {
        assert!(line.contains("AzureWebJobsStorage"), "no advice: {line}");
        assert!(!line.contains("another-header"), "it is a secret: {line}");
    }
    assert_eq!(events_in(&simulator.calls().log_analytics.rows), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_nobody_vouches_for_is_refused() {
    let (simulator, azurite) = (Simulator::start(tenant(73, 20)).await.unwrap(), Tls::start());
    let identity = Identity::start().await;
    let settings = azurite.settings(&simulator, &identity, SECRET_HEADER).without("SSL_CERT_FILE");
    let invocation = FunctionsHost::start(&settings).await.fire().await;
    invocation.assert_failed();
    let message = invocation.log("activity")["message"].as_str().unwrap();
    assert!(message.contains("certificate"), "{message}");
    assert_eq!(events_in(&simulator.calls().log_analytics.rows), 0);
}

/// Azurite behind a certificate of its own.
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

    fn settings(&self, simulator: &Simulator, identity: &Identity, header: &str) -> Settings {
        Settings::of(simulator)
            .with("AzureWebJobsStorage__blobServiceUri", self.azurite.endpoint())
            .with("AzureWebJobsStorage__credential", "managedidentity")
            .with("CISCO_DUO_CONTAINER", "identity")
            .with("IDENTITY_ENDPOINT", &identity.url)
            .with("IDENTITY_HEADER", header)
            .with("SSL_CERT_FILE", self.certificate.display().to_string())
    }
}

/// The endpoint by which a function app gets tokens.
/// <https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference>
struct Identity {
    url: String,
    /// `api-version resource` of each request that proved where it came from.
    asked: Arc<Mutex<Vec<String>>>,
}

type Asked = Arc<Mutex<Vec<String>>>;

impl Identity {
    async fn start() -> Self {
        let asked = Asked::default();
        let router = axum::Router::new()
            .route("/msi/token", axum::routing::get(token))
            .with_state(Arc::clone(&asked));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/msi/token", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, asked }
    }
}

async fn token(State(asked): State<Asked>, uri: Uri, headers: HeaderMap) -> Response {
    if headers.get("x-identity-header").map(HeaderValue::as_bytes) != Some(SECRET_HEADER.as_bytes())
    {
        return (StatusCode::UNAUTHORIZED, Json(json!({"statusCode": 401}))).into_response();
    }
    let query = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let query: BTreeMap<_, _> = query.collect();
    let resource = query["resource"].trim_end_matches('/').to_owned();
    let version = &query["api-version"];
    asked.lock().unwrap().push(format!("{version} {resource}"));
    #[expect(clippy::disallowed_methods, reason = "a token ends in real time")]
    let now = Utc::now().timestamp();
    let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    // Azurite looks at the claims, not at the signature.
    let claims = json!({
        "aud": resource, "iss": "https://sts.windows.net/11111111-2222-3333-4444-555555555555/",
        "iat": now, "nbf": now - 60, "exp": now + 3600,
    });
    let header = json!({"typ": "JWT", "alg": "RS256"});
    let token = format!("{}.{}.c2ln", part(header), part(claims));
    Json(json!({
        "access_token": token, "expires_on": (now + 3600).to_string(),
        "resource": resource, "token_type": "Bearer",
    }))
    .into_response()
}
