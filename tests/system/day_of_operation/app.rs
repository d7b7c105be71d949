//! The handler as a process whose clock can be set, which the deployed package does not have.

use chrono::TimeDelta;
use serde_json::Value;
use tokio::process::{Child, Command};

use crate::common::{Settings, binary, get, post};

/// The running handler.
pub(crate) struct App {
    child: Child,
    port: u16,
}

impl App {
    /// Starts the handler with its clock so far ahead of this machine's.
    pub(crate) async fn start(settings: &Settings, clock_ahead: TimeDelta) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new(binary())
            .arg("serve")
            .env_clear()
            .envs(settings.iter())
            .env("CISCO_DUO_DEMO_CLOCK_SECONDS", clock_ahead.num_seconds().to_string())
            .env("FUNCTIONS_CUSTOMHANDLER_PORT", port.to_string())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        for _ in 0..400 {
            if get(port, "/").await.is_ok() {
                return Self { child, port };
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        panic!("the handler does not get ready");
    }

    /// Fires the timer; each log's outcome by its name.
    pub(crate) async fn fire(&self) -> Value {
        let body = br#"{"Data":{"myTimer":{"IsPastDue":false}},"Metadata":{}}"#;
        let headers = [("Content-Type", "application/json")];
        let answer = post(self.port, "/CiscoDuoTimer", &headers, body).await;
        answer.unwrap().json()["ReturnValue"]["logs"].clone()
    }

    /// Fires the timer without waiting for the answer.
    pub(crate) fn begin(&self) {
        let port = self.port;
        tokio::spawn(async move {
            let body = br#"{"Data":{"myTimer":{}},"Metadata":{}}"#;
            post(port, "/CiscoDuoTimer", &[], body).await.ok();
        });
    }

    /// The status page, or its JSON.
    pub(crate) async fn status(&self, query: &str) -> String {
        let path = format!("/api/CiscoDuoStatus{query}");
        let answer = get(self.port, &path).await.unwrap();
        assert_eq!(answer.status, 200);
        String::from_utf8(answer.body).unwrap()
    }

    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }
}
