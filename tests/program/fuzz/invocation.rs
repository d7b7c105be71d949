//! The body and headers of an invocation.

use axum::body::Body;
use axum::extract::Request;
use duo_sentinel::functions::Invocation;

use crate::fuzz::drive::fuzz;

const TIMER: &[u8] = br#"{"Data":{"myTimer":{"Schedule":{"AdjustForDST":true},"ScheduleStatus":
    {"Last":"0001-01-01T00:00:00","Next":"2026-11-22T10:10:00+00:00","LastUpdated":"0001-01-01T00:00:00+00:00"},
    "IsPastDue":true}},"Metadata":{"sys":{"MethodName":"CiscoDuoTimer","UtcNow":"2026-11-22T10:10:00.0153312Z"}}}"#;
/// As for triggers other than timers: a string that contains JSON.
const TEXT: &[u8] =
    br#"{"Data":{"myTimer":"{\"Schedule\":{},\"IsPastDue\":\"True\"}"},"Metadata":{}}"#;

#[test]
fn invocations() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    fuzz("invocation", &[TIMER, TEXT, b"5f3c9d0e-3a2e-4f43-9a0c-0b6a3a9d6f11"], |bytes| {
        let mut request = Request::new(Body::from(bytes.to_vec()));
        if let Ok(id) = axum::http::HeaderValue::from_bytes(bytes) {
            request.headers_mut().insert("x-azure-functions-invocationid", id);
        }
        let invocation = runtime.block_on(Invocation::read(request));
        let id = &invocation.id;
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        assert!((1..=64).contains(&id.len()) && id.bytes().all(allowed), "{id}");
    });
}
