//! The Functions host toward the world: the functions with an HTTP trigger, each behind its key, forwarded to the handler.
//!
//! Behaviour is that of azure-functions-host: a path or method that no function has is 404 with an empty body, before any key
//! is looked at (<https://github.com/Azure/azure-functions-host/issues/10098>); paths are compared without regard to case and
//! to a slash at the end, as ASP.NET Core does; a key is taken from `x-functions-key` and, only where that is absent, from
//! `code` (`AuthenticationLevelHandler`); the request goes on with its own path and query (`DefaultHttpWorkerService`); and
//! what is too large is refused by Kestrel (`MaxRequestLineSize`, `MaxRequestHeadersTotalSize`).

use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use reqwest::Client;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use url::form_urlencoded;

use super::package;

/// The key of the functions: with characters that have to be escaped in an address.
pub(crate) const FUNCTION_KEY: &str = "u8mXnU0Ht/vG+7aTq2Wc5Lr9Zy1KbEdJfPsAzFuQ3xNw==";

/// Kestrel's limits, in bytes: of method, path and query with the spaces between them, and of all headers.
const LONGEST_LINE: usize = 8 * 1024;
const LONGEST_HEADERS: usize = 32 * 1024;
/// More than any answer of the handler.
const LARGEST_BODY: usize = 10 * 1024 * 1024;

/// A function with an HTTP trigger.
#[derive(Clone, Debug)]
struct Function {
    name: String,
    route: String,
    methods: Vec<String>,
    needs_key: bool,
}

/// The listening host; it closes when dropped.
#[derive(Debug)]
pub(crate) struct WebHost {
    address: String,
    serving: JoinHandle<()>,
}

struct App {
    functions: Vec<Function>,
    handler: String,
    http: Client,
}

impl WebHost {
    /// Opens the app in this folder, whose handler listens on this port.
    pub(super) async fn open(app: &Path, handler: u16) -> Self {
        let host = package::host(app);
        assert_eq!(
            host["customHandler"]["enableForwardingHttpRequest"], true,
            "this host forwards requests and does nothing else"
        );
        assert!(
            host["extensions"]["http"].is_null(),
            "this host knows no other prefix than api"
        );
        let app = App {
            functions: http_functions(app),
            handler: format!("http://127.0.0.1:{handler}"),
            http: super::storage::client(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let router = Router::new().fallback(answer).with_state(Arc::new(app));
        let serving = tokio::spawn(async move {
            axum::serve(listener, router)
                .await
                .expect("it listens for as long as the test lasts");
        });
        Self {
            address: format!("http://127.0.0.1:{port}"),
            serving,
        }
    }

    /// Where it is: `http://127.0.0.1:PORT`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for WebHost {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn http_functions(app: &Path) -> Vec<Function> {
    let function = |(name, function): (String, serde_json::Value)| {
        let bindings = function["bindings"].as_array()?;
        let trigger = bindings
            .iter()
            .find(|binding| binding["type"] == "httpTrigger")?;
        // Only such a function gets the request itself (`IsHttpInAndOutFunction`).
        assert_eq!(bindings.len(), 2, "{name}: one way in and one way out");
        assert!(
            bindings
                .iter()
                .any(|binding| binding["type"] == "http" && binding["direction"] == "out"),
            "{name}: no way out"
        );
        assert!(trigger["route"].is_null(), "{name}: its name is its route");
        let methods = trigger["methods"].as_array().expect("methods are listed");
        let level = trigger["authLevel"].as_str().unwrap_or("function");
        assert!(["function", "anonymous"].contains(&level), "{level}");
        Some(Function {
            route: format!("/api/{name}"),
            methods: methods
                .iter()
                .map(|method| method.as_str().expect("a method is a text").to_uppercase())
                .collect(),
            needs_key: level == "function",
            name,
        })
    };
    package::functions(app)
        .into_iter()
        .filter_map(function)
        .collect()
}

async fn answer(State(app): State<Arc<App>>, request: Request) -> Response {
    let line = request.method().as_str().len() + request.uri().to_string().len() + 12;
    let headers: usize = request
        .headers()
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 4)
        .sum();
    if line > LONGEST_LINE {
        return StatusCode::URI_TOO_LONG.into_response();
    }
    if headers > LONGEST_HEADERS {
        return StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE.into_response();
    }
    let path = request.uri().path().trim_end_matches('/');
    let function = app.functions.iter().find(|function| {
        function.route.eq_ignore_ascii_case(path)
            && function
                .methods
                .iter()
                .any(|method| method == request.method().as_str())
    });
    let Some(function) = function else {
        return StatusCode::NOT_FOUND.into_response();
    };
    if function.needs_key && key(&request).as_deref() != Some(FUNCTION_KEY) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    forward(&app, request)
        .await
        .unwrap_or_else(|fault| panic!("{} does not answer: {fault}", function.name))
}

fn key(request: &Request) -> Option<String> {
    if let Some(key) = request.headers().get("x-functions-key") {
        return key.to_str().ok().map(str::to_owned);
    }
    let query = request.uri().query().unwrap_or_default();
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let (_, key) = pairs.find(|(name, _)| name.eq_ignore_ascii_case("code"))?;
    Some(key.into_owned())
}

async fn forward(app: &App, request: Request) -> reqwest::Result<Response> {
    let (parts, body) = request.into_parts();
    let to = format!("{}{}", app.handler, parts.uri);
    let length = parts.headers.get(header::CONTENT_LENGTH);
    let has_body = length.is_some_and(|length| length != "0");
    let body = to_bytes(body, LARGEST_BODY).await.expect("a small body");
    let asked = app
        .http
        .request(parts.method, to)
        .headers(passed_on(&parts.headers))
        .header("X-Azure-Functions-HostVersion", "4.1044.400.0")
        .header(
            "X-Azure-Functions-InvocationId",
            "5f3c9d0e-3a2e-4f43-9a0c-5a7e00000000",
        );
    let asked = if has_body { asked.body(body) } else { asked };
    let given = asked.send().await?;
    let mut answer = Response::builder().status(given.status());
    *answer.headers_mut().expect("nothing is wrong yet") = passed_on(given.headers());
    let body = Body::from(given.bytes().await?);
    Ok(answer.body(body).expect("an answer is an answer"))
}

/// The headers without those of one connection.
fn passed_on(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    for name in [header::CONNECTION, header::TRANSFER_ENCODING] {
        headers.remove(name);
    }
    headers
}
