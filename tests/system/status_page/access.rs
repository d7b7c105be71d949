//! Accepted requests, spellings and sizes. The host checks the function key.

use std::time::{Duration, Instant};

use reqwest::Method;

use crate::common::{get, request};
use crate::status_page::app::{App, PATH, Response, send};
use crate::status_page::history::{every_state, now};

/// Time limit for a refusal.
const AT_ONCE: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread")]
async fn get_and_head_return_the_same_private_headers() {
    let app = App::start("access-head", &every_state(now())).await;
    for (query, kind) in [
        ("", "text/html; charset=utf-8"),
        ("?format=html&clientId=default", "text/html; charset=utf-8"),
        // The host forwards the key, in any spelling of its name.
        (
            "?Code=u8mXnU0Ht%2FvG%2B7aTq2Wc5Lr9Zy1KbEdJfPsAzFuQ3xNw%3D%3D",
            "text/html; charset=utf-8",
        ),
        ("?format=json", "application/json"),
    ] {
        let path = format!("{PATH}{query}");
        let get = send(&app.web, Method::GET, &path).await;
        assert_private(&get, kind);
        let head = send(&app.web, Method::HEAD, &path).await;
        assert_private(&head, kind);
        assert_eq!(head.body, "");
        let of = |response: &Response| {
            let mut headers = response.headers.clone();
            headers.remove("date");
            headers
        };
        assert_eq!(of(&head), of(&get), "{query}");
        assert_eq!(head.header("content-length").unwrap(), get.body.len().to_string());
    }
}

/// Asserts that the response is not cached, and that a browser runs and loads nothing.
fn assert_private(response: &Response, kind: &str) {
    assert_eq!(response.status, 200);
    assert_eq!(response.header("content-type"), Some(kind));
    assert_eq!(response.header("cache-control"), Some("no-store"));
    assert_eq!(response.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(response.header("x-content-type-options"), Some("nosniff"));
    let policy = response.header("content-security-policy").unwrap();
    let parts: Vec<&str> = policy.split("; ").collect();
    for part in
        ["default-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"]
    {
        assert!(parts.contains(&part), "{part} is not in {policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    assert!(response.header("set-cookie").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn other_methods_are_refused() {
    let app = App::start("access-methods", &[]).await;
    for name in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        let response = at_the_handler(&app, name, PATH, "").await;
        assert_eq!(response, Some(405), "{name}");
    }
    assert_no_requests(&app);
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_queries_are_refused_at_once() {
    let app = App::start("access-queries", &[]).await;
    for query in [
        "format=xml",
        "format=",
        "format",
        "format=json&format=exe",
        "log=activity",
        "%00=1",
        "%ff%fe",
        "&&x",
        "format=json%0d%0aSet-Cookie:a=b",
        &format!("x={}", "a".repeat(3_000)),
    ] {
        let began = Instant::now();
        let path = format!("{PATH}?{query}");
        let response = send(&app.web, Method::GET, &path).await;
        assert_eq!(response.status, 400, "{query:.80}");
        assert!(began.elapsed() < AT_ONCE, "{query:.80}");
        // The hint does not repeat the query.
        assert!(response.body.starts_with("unsupported query parameter; use format=json"));
        assert_eq!(response.header("cache-control"), Some("no-store"));
        assert_eq!(response.header("x-content-type-options"), Some("nosniff"));
    }
    for path in ["/api/CiscoDuoStatu", "/api/CiscoDuoStatus/x", "/status"] {
        assert_eq!(at_the_handler(&app, "GET", path, "").await, Some(404), "{path}");
    }
    assert_no_requests(&app);
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_are_case_insensitive() {
    // The host compares paths without regard to case, and forwards them unchanged.
    let app = App::start("access-spelling", &[]).await;
    for path in ["/api/ciscoduostatus", "/API/CISCODUOSTATUS?FORMAT=json", "/api/CiscoDuoStatus/"] {
        let response = send(&app.web, Method::GET, path).await;
        assert_eq!(response.status, 200, "{path}: {}", response.body);
    }
    assert_eq!(app.host.stderr(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn oversized_requests_are_refused_at_once() {
    let app = App::start("access-sizes", &[]).await;
    let began = Instant::now();
    let many = "x: 1\r\n".repeat(200);
    assert_eq!(at_the_handler(&app, "GET", PATH, &many).await, Some(431));
    let longer = format!("{PATH}?code={}", "a".repeat(100_000));
    assert_eq!(at_the_handler(&app, "GET", &longer, "").await, Some(414));
    let long = format!("{PATH}?code={}", "a".repeat(10_000));
    assert_eq!(at_the_handler(&app, "GET", &long, "").await, Some(400));
    let largest = format!("x: {}\r\n", "h".repeat(4_000_000));
    let status = at_the_handler(&app, "GET", PATH, &largest).await;
    // The connection may be closed before the response is read.
    assert!(status.is_none_or(|status| status == 431), "{status:?}");
    assert!(began.elapsed() < 5 * AT_ONCE, "{:?}", began.elapsed());
    assert_eq!(get(app.host.port(), "/").await.unwrap().status, 200);
}

/// The status of the handler's own response, or none if it closed the connection.
async fn at_the_handler(app: &App, method: &str, path: &str, headers: &str) -> Option<u16> {
    let head = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n");
    Some(request(app.host.port(), &head, b"").await.ok()?.status)
}

/// Asserts that no request reached Duo or Azure Monitor.
fn assert_no_requests(app: &App) {
    let counts = app.simulator.counts();
    assert!(counts.duo.is_empty(), "{counts:?}");
    assert_eq!(counts.log_analytics.requests, 0);
}
