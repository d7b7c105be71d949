//! What may be asked for, in which spelling, and how large a question may be. Who is let in is for the host to say.

use std::time::{Duration, Instant};

use reqwest::Method;

use crate::common::{get, request};
use crate::status_page::app::{App, PATH, Response, ask};
use crate::status_page::history::{every_state, now};

/// Longest time that a refusal takes.
const AT_ONCE: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread")]
async fn get_and_head_answer_alike_and_with_the_headers_that_keep_it_private() {
    let app = App::start("access-head", &every_state(now())).await;
    for (query, kind) in [
        ("", "text/html; charset=utf-8"),
        ("?format=html&clientId=default", "text/html; charset=utf-8"),
        // The host forwards the key, whatever the case of its name.
        (
            "?Code=u8mXnU0Ht%2FvG%2B7aTq2Wc5Lr9Zy1KbEdJfPsAzFuQ3xNw%3D%3D",
            "text/html; charset=utf-8",
        ),
        ("?format=json", "application/json"),
    ] {
        let path = format!("{PATH}{query}");
        let get = ask(&app.web, Method::GET, &path).await;
        assert_private(&get, kind);
        let head = ask(&app.web, Method::HEAD, &path).await;
        assert_private(&head, kind);
        assert_eq!(head.body, "");
        let of = |answer: &Response| {
            let mut headers = answer.headers.clone();
            headers.remove("date");
            headers
        };
        assert_eq!(of(&head), of(&get), "{query}");
        assert_eq!(head.header("content-length").unwrap(), get.body.len().to_string());
    }
}

/// Asserts that nobody on the way keeps the answer, and that a browser runs and loads nothing for it.
fn assert_private(answer: &Response, kind: &str) {
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some(kind));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    let policy = answer.header("content-security-policy").unwrap();
    let parts: Vec<&str> = policy.split("; ").collect();
    for part in
        ["default-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"]
    {
        assert!(parts.contains(&part), "{part} is not in {policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    assert!(answer.header("set-cookie").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn other_methods_are_refused() {
    let app = App::start("access-methods", &[]).await;
    for name in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        let answer = at_the_handler(&app, name, PATH, "").await;
        assert_eq!(answer, Some(405), "{name}");
    }
    assert_nothing_was_asked(&app);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_understands_is_refused_at_once() {
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
        let answer = ask(&app.web, Method::GET, &path).await;
        assert_eq!(answer.status, 400, "{query:.80}");
        assert!(began.elapsed() < AT_ONCE, "{query:.80}");
        // The advice repeats nothing of it.
        assert!(answer.body.starts_with("the address takes format=json"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    }
    for path in ["/api/CiscoDuoStatu", "/api/CiscoDuoStatus/x", "/status"] {
        assert_eq!(at_the_handler(&app, "GET", path, "").await, Some(404), "{path}");
    }
    assert_nothing_was_asked(&app);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_spelling_of_an_address_does_not_matter() {
    // The host compares paths without regard to case, and forwards them as they were typed.
    let app = App::start("access-spelling", &[]).await;
    for path in ["/api/ciscoduostatus", "/API/CISCODUOSTATUS?FORMAT=json", "/api/CiscoDuoStatus/"] {
        let answer = ask(&app.web, Method::GET, path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    }
    assert_eq!(app.host.stderr(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_is_refused_at_once() {
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
    // The connection may be closed before its answer is read.
    assert!(status.is_none_or(|status| status == 431), "{status:?}");
    assert!(began.elapsed() < 5 * AT_ONCE, "{:?}", began.elapsed());
    assert_eq!(get(app.host.port(), "/").await.unwrap().status, 200);
}

/// The status of an answer of the handler itself, with these headers; none where it broke off.
async fn at_the_handler(app: &App, method: &str, path: &str, headers: &str) -> Option<u16> {
    let head = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n");
    Some(request(app.host.port(), &head, b"").await.ok()?.status)
}

/// Asserts that neither Duo nor Azure Monitor heard of it.
fn assert_nothing_was_asked(app: &App) {
    let calls = app.simulator.calls();
    assert!(calls.duo.is_empty(), "{calls:?}");
    assert_eq!(calls.log_analytics.requests, 0);
}
