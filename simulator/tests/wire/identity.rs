//! Tokens: which clients get them, and their lifetime.

use std::time::Duration;

use chrono::TimeDelta;
use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};
use simulator::{ColumnType, Config, IdentityConfig, LogsIngestionConfig, Simulator};

use crate::caller::Caller;
use crate::tables::stream;

const AUDIENCE: &str = "https://monitor.azure.com";

async fn start(token_lifetime: Duration) -> Caller {
    let stream = stream(&[("eventtype_s", ColumnType::String)]);
    Caller::start(Config {
        identity: IdentityConfig { token_lifetime, ..IdentityConfig::default() },
        logs_ingestion: LogsIngestionConfig {
            streams: vec![stream],
            ..LogsIngestionConfig::default()
        },
        ..crate::tenant::config(5)
    })
    .await
}

async fn json_of(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap())
}

async fn ingest(caller: &Caller, token: &str) -> u16 {
    let response = caller.ingest(token, "[{}]").send().await.unwrap();
    response.status().as_u16()
}

/// A request to `IDENTITY_ENDPOINT` like that of a function app.
fn managed(simulator: &Simulator, header: &str, query: &str) -> RequestBuilder {
    let url = format!("{}?{query}", simulator.identity_url());
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = http.get(url).header("x-identity-header", header);
    request.header("metadata", "true")
}

#[tokio::test]
async fn a_function_app_gets_a_token_in_the_documented_form() {
    let caller = start(Duration::from_secs(3_600)).await;
    let simulator = &caller.simulator;
    let identity = simulator.config().identity.clone();
    let query = "api-version=2019-08-01&resource=https%3A%2F%2Fmonitor.azure.com";
    let before = simulator.clock().now().timestamp();
    let (status, body) = json_of(managed(simulator, &identity.header, query)).await;
    assert_eq!((status, &body["token_type"]), (200, &json!("Bearer")));
    assert_eq!(body["resource"], AUDIENCE);
    let expires: i64 = body["expires_on"].as_str().unwrap().parse().unwrap();
    assert!((before + 3_600..before + 3_620).contains(&expires));
    assert_eq!(ingest(&caller, body["access_token"].as_str().unwrap()).await, 204);
    let with_client = format!("{query}&client_id={}", identity.managed_client_id);
    let (status, _) = json_of(managed(simulator, &identity.header, &with_client)).await;
    assert_eq!(status, 200);
    let other_client = format!("{query}&client_id={}", identity.client_id);
    for (header, query, expected) in [
        ("another header", query, 401),
        ("", query, 401),
        (&identity.header, "resource=https%3A%2F%2Fmonitor.azure.com", 400),
        (&identity.header, "api-version=2017-09-01&resource=https%3A%2F%2Fmonitor.azure.com", 400),
        (&identity.header, "api-version=2019-08-01", 400),
        (&identity.header, &other_client, 400),
    ] {
        let (status, body) = json_of(managed(simulator, header, query)).await;
        assert_eq!(status, expected, "{query}");
        assert!(body.get("access_token").is_none() && body["statusCode"] == expected);
    }
    let counts = simulator.counts().identity;
    assert_eq!((counts.requests, counts.tokens), (8, 2));
    assert_eq!(counts.refused["Unauthorized"], 2);
}

#[tokio::test]
async fn entra_issues_tokens_for_a_secret_or_a_federated_token() {
    let caller = start(Duration::from_secs(3_600)).await;
    let identity = caller.simulator.config().identity.clone();
    let form = |tenant: &str, pairs: &[(&str, &str)]| caller.entra(tenant, pairs);
    let grant = ("grant_type", "client_credentials");
    let scope = ("scope", "https://monitor.azure.com/.default");
    let client = ("client_id", identity.client_id.as_str());
    let secret = ("client_secret", identity.client_secret.as_str());
    let bearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    let assertion_type = ("client_assertion_type", bearer);
    let assertion = ("client_assertion", identity.federated_token.as_str());
    let tenant = identity.tenant_id.as_str();
    for credential in [vec![secret], vec![assertion_type, assertion]] {
        let pairs = [vec![grant, scope, client], credential].concat();
        let (status, body) = json_of(form(tenant, &pairs)).await;
        assert_eq!((status, &body["token_type"]), (200, &json!("Bearer")), "{body}");
        assert_eq!(body["expires_in"], 3_600);
        assert_eq!(ingest(&caller, body["access_token"].as_str().unwrap()).await, 204);
    }
    for (tenant, pairs, status, error) in [
        (tenant, vec![grant, scope, client, ("client_secret", "x")], 401, "invalid_client"),
        (tenant, vec![grant, scope, client, assertion], 401, "invalid_client"),
        (tenant, vec![grant, scope, client], 401, "invalid_client"),
        (tenant, vec![grant, scope, secret], 400, "unauthorized_client"),
        (tenant, vec![grant, client, secret], 400, "invalid_scope"),
        (tenant, vec![scope, client, secret], 400, "unsupported_grant_type"),
        ("common", vec![grant, scope, client, secret], 400, "invalid_request"),
    ] {
        let (found, body) = json_of(form(tenant, &pairs)).await;
        assert_eq!((found, body["error"].as_str()), (status, Some(error)));
        assert!(body["error_description"].is_string());
    }
}

#[tokio::test]
async fn a_token_is_valid_only_for_its_lifetime_and_audience() {
    let caller = start(Duration::from_secs(60)).await;
    let clock = caller.simulator.clock();
    let token = caller.token().await;
    clock.advance(TimeDelta::seconds(55));
    assert_eq!(ingest(&caller, &token).await, 204);
    clock.advance(TimeDelta::seconds(5));
    assert_eq!(ingest(&caller, &token).await, 401);
    let fresh = caller.token().await;
    assert_eq!(ingest(&caller, &fresh).await, 204);
    caller.simulator.revoke_tokens();
    assert_eq!(ingest(&caller, &fresh).await, 401);
    let token = caller.token().await;
    assert_eq!(ingest(&caller, &token).await, 204);
    // The scope of Blob Storage, and the audience of another cloud.
    for audience in ["https://storage.azure.com", "https://monitor.azure.us"] {
        let other = caller.token_for(audience).await;
        assert_eq!(ingest(&caller, &other).await, 401, "{audience}");
    }
    let with_slash = caller.token_for("https://monitor.azure.com/").await;
    assert_eq!(ingest(&caller, &with_slash).await, 204);
    let (start, end) = token.split_at(token.len() - 2);
    let changed = format!("{start}{}", if end == "AA" { "BA" } else { "AA" });
    for bad in [changed.as_str(), "", "a.b.c", "x"] {
        assert_eq!(ingest(&caller, bad).await, 401, "{bad}");
    }
    let request = caller.ingest(&token, "[]").build().unwrap();
    let mut without = request.try_clone().unwrap();
    without.headers_mut().remove("authorization");
    assert_eq!(caller.execute(without).await.status(), StatusCode::UNAUTHORIZED);
    let mut shared_key = request;
    let key = format!("SharedKey {token}").parse().unwrap();
    shared_key.headers_mut().insert("authorization", key);
    assert_eq!(caller.execute(shared_key).await.status(), StatusCode::UNAUTHORIZED);
}
