//! A function app with stored results, and how the tests ask it.

use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::Value;
use simulator::Simulator;

use super::history::Log;
use super::{Azurite, Container, FunctionsHost, Settings, client, tenant};

/// Where the page is.
pub(crate) const PATH: &str = "/api/CiscoDuoStatus";

/// A function app that runs, with its storage and the simulated services.
pub(crate) struct App {
    pub(crate) simulator: Simulator,
    pub(crate) settings: Settings,
    pub(crate) host: FunctionsHost,
    pub(crate) web: String,
    pub(crate) container: Container,
}

/// An answer over HTTP.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl App {
    /// One whose storage holds what these logs left behind.
    pub(crate) async fn start(container: &str, logs: &[Log]) -> Self {
        let simulator = Simulator::start(tenant(41, 40)).await.expect("a port is free");
        Self::of(simulator, container, logs).await
    }

    /// The same with these simulated services.
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

    /// The page.
    pub(crate) async fn page(&self) -> Response {
        page(&self.web).await
    }

    /// The JSON.
    pub(crate) async fn json(&self) -> Value {
        json(&self.web).await
    }
}

/// The page of an app.
pub(crate) async fn page(web: &str) -> Response {
    let answer = ask(web, Method::GET, PATH).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer
}

/// The JSON of an app.
pub(crate) async fn json(web: &str) -> Value {
    let path = format!("{PATH}?format=json");
    let answer = ask(web, Method::GET, &path).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    serde_json::from_str(&answer.body).expect("an answer is JSON")
}

/// Asks an app.
pub(crate) async fn ask(web: &str, method: Method, path: &str) -> Response {
    let request = client().request(method, format!("{web}{path}"));
    let answer = request.send().await.expect("the app answers");
    Response {
        status: answer.status().as_u16(),
        headers: answer.headers().clone(),
        body: answer.text().await.expect("the whole answer"),
    }
}

impl Response {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("a header is a text"))
    }
}
