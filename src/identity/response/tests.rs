use azure_core::http::StatusCode;
use azure_core::http::headers::{CONTENT_TYPE, Headers};
use serde_json::{Value, json};

use super::{Endpoint, checked};

/// The checked body of a response, `Value::Null` if it is the original one.
fn check(
    endpoint: Endpoint,
    status: StatusCode,
    content_type: &'static str,
    body: &str,
) -> Result<Value, &'static str> {
    let mut headers = Headers::new();
    headers.insert(CONTENT_TYPE, content_type);
    let checked = checked(endpoint, status, &headers, body.as_bytes())?;
    Ok(checked.map_or(Value::Null, Value::Object))
}

/// The `expires_on` that a managed identity's token gets.
fn expires_on(expires_on: &Value) -> Result<Value, &'static str> {
    let body = json!({"access_token": "x", "expires_on": expires_on}).to_string();
    let ok = StatusCode::Ok;
    let checked = check(Endpoint::ManagedIdentity, ok, "application/json", &body)?;
    Ok(checked["expires_on"].clone())
}

#[test]
fn every_form_of_expires_on_is_unix_seconds_as_text() {
    for (form, expected) in [
        (json!("1795885200"), "1795885200"),
        (json!(1_795_885_200), "1795885200"),
        (json!("11/28/2026 18:18:31 +00:00"), "1795889911"),
        (json!("11/28/2026 6:18:31 PM +00:00"), "1795889911"),
        (json!("1/6/2026 5:24:12 AM +00:00"), "1767677052"),
        (json!("2026-11-28T18:18:31Z"), "1795889911"),
    ] {
        assert_eq!(expires_on(&form), Ok(json!(expected)), "{form}");
    }
    for invalid in [json!(null), json!(true), json!(""), json!("soon"), json!("28/11/2026")] {
        assert_eq!(expires_on(&invalid), Err("with an expires_on that is not a time"), "{invalid}");
    }
}

#[test]
fn a_token_needs_no_resource_and_no_type() {
    let body = r#"{"access_token":"x","expires_on":"1795885200","client_id":"c"}"#;
    let ok = StatusCode::Ok;
    let checked = check(Endpoint::ManagedIdentity, ok, "application/json", body).unwrap();
    let expected = json!({"access_token": "x", "expires_on": "1795885200", "client_id": "c",
        "resource": "", "token_type": ""});
    assert_eq!(checked, expected);
    let body = r#"{"access_token":"x","expires_in":"3599","token_type":7}"#;
    let checked = check(Endpoint::Entra, ok, "application/json", body).unwrap();
    assert_eq!(checked, json!({"access_token": "x", "expires_in": 3599}));
}

#[test]
fn a_success_without_a_token_is_refused_by_name() {
    for (content_type, body, expected) in [
        ("text/html", "{}", "with an HTML page instead of JSON"),
        ("application/json", "\u{feff} <!DOCTYPE html>", "with an HTML page instead of JSON"),
        ("text/plain", "blocked", "with text instead of JSON"),
        ("application/json", " ", "without a body"),
        ("application/json", "[1]", "with JSON that is not an object"),
        ("application/json", "{}", "without access_token"),
        ("application/json", r#"{"access_token":""}"#, "without access_token"),
        ("application/json", r#"{"access_token":1}"#, "without access_token"),
        (
            "application/json",
            r#"{"access_token":"a\nb"}"#,
            "with an access_token that is not a token",
        ),
    ] {
        for endpoint in [Endpoint::ManagedIdentity, Endpoint::Entra] {
            let checked = check(endpoint, StatusCode::Ok, content_type, body);
            assert_eq!(checked, Err(expected), "{endpoint}: {body}");
        }
    }
    let body = r#"{"access_token":"x"}"#;
    let check = |endpoint| check(endpoint, StatusCode::Ok, "application/json", body);
    assert_eq!(check(Endpoint::ManagedIdentity), Err("without expires_on"));
    assert_eq!(check(Endpoint::Entra), Err("without expires_in"));
}

#[test]
fn an_error_is_left_to_its_status_unless_a_proxy_sent_it() {
    for endpoint in [Endpoint::ManagedIdentity, Endpoint::Entra] {
        let check = |content_type, body| check(endpoint, StatusCode::Forbidden, content_type, body);
        assert_eq!(check("application/json", r#"{"error":"denied"}"#), Ok(Value::Null));
        let html = check("text/html", "<html>blocked</html>");
        assert_eq!(html, Err("with an HTML page instead of JSON"));
    }
    let text = |endpoint| check(endpoint, StatusCode::NotFound, "text/plain", "not found");
    assert_eq!(text(Endpoint::ManagedIdentity), Ok(Value::Null));
    assert_eq!(text(Endpoint::Entra), Err("with text instead of JSON"));
}
