//! A function app with stored results, and HTTP requests to it.

use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::Value;
use simulator::Simulator;

use super::history::Log;
use super::{Azurite, Container, FunctionsHost, Settings, client, tenant};

/// Path of the status page.
pub(crate) const PATH: &str = "/api/CiscoDuoStatus";

/// A running function app with its storage and the simulated services.
pub(crate) struct App {
    pub(crate) simulator: Simulator,
    pub(crate) settings: Settings,
    pub(crate) host: FunctionsHost,
    pub(crate) web: String,
    pub(crate) container: Container,
}

/// An HTTP response.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl App {
    /// Starts an app whose storage contains the state of `logs`.
    pub(crate) async fn start(container: &str, logs: &[Log]) -> Self {
        let simulator = Simulator::start(tenant(41, 40)).await.expect("a port is free");
        Self::of(simulator, container, logs).await
    }

    /// Like [`App::start`], with the given simulated services.
    pub(crate) async fn of(simulator: Simulator, container: &str, logs: &[Log]) -> Self {
        let azurite = Azurite::shared();
        let settings = Settings::in_storage(&simulator, &azurite.connection_string(), container);
        let container = azurite.container(container);
        container.create().await;
        for (name, content) in logs.iter().flat_map(Log::files) {
            container.write(&name, content).await;
        }
        let host = FunctionsHost::start(&settings).await;
        let web = host.address();
        Self { simulator, settings, host, web, container }
    }

    /// Requests the status page.
    pub(crate) async fn page(&self) -> Response {
        page(&self.web).await
    }

    /// Requests the status JSON.
    pub(crate) async fn json(&self) -> Value {
        json(&self.web).await
    }
}

/// Requests the status page of the app at `web`.
pub(crate) async fn page(web: &str) -> Response {
    let response = send(web, Method::GET, PATH).await;
    assert_eq!(response.status, 200, "{}", response.body);
    response
}

/// Requests the status JSON of the app at `web`.
pub(crate) async fn json(web: &str) -> Value {
    let path = format!("{PATH}?format=json");
    let response = send(web, Method::GET, &path).await;
    assert_eq!(response.status, 200, "{}", response.body);
    serde_json::from_str(&response.body).expect("the response is JSON")
}

/// Sends a request to the app at `web`.
pub(crate) async fn send(web: &str, method: Method, path: &str) -> Response {
    let request = client().request(method, format!("{web}{path}"));
    let response = request.send().await.expect("the app responds");
    Response {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        body: response.text().await.expect("the whole response"),
    }
}

impl Response {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("a header is text"))
    }
}
