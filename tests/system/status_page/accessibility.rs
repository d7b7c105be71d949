//! The page in a browser: light and dark, on desktop and phone, with screen reader and keyboard.
//!
//! Screenshots are in `target/status-page/`. docs/status-page.png is updated by
//! `UPDATE_EXPECTED=1 tests/run --test system usual_page`.

use std::path::PathBuf;

use serde_json::Value;
use tokio::process::Command;

use crate::common::{Azurite, Failure, FunctionsHost, Proxy, Settings, StorageFault, tool};
use crate::status_page::app::{App, PATH};
use crate::status_page::history::{every_state, now, usual};

/// Maximum size of the page, in bytes.
const LARGEST: u64 = 100 * 1024;
/// Maximum time to the first paint, in milliseconds: a bound against a hanging page, not a target.
const LONGEST_PAINT: f64 = 5_000.0;

#[tokio::test(flavor = "multi_thread")]
async fn the_page_with_every_state_is_accessible() {
    let app = App::start("page-every", &every_state(now())).await;
    let views = examine(&app.web, "every-state").await;
    // Six links, and the details and scroll areas of each section.
    let stops = views[0]["stops"].as_array().unwrap().len();
    assert!(stops > 20, "{stops} elements can be focused");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_before_the_first_run_is_accessible() {
    let app = App::start("page-fresh", &[]).await;
    examine(&app.web, "fresh").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_without_storage_is_accessible() {
    let app = App::start("page-storage", &[]).await;
    let azurite = Azurite::shared();
    let proxy = Proxy::to(&azurite.endpoint()).await;
    proxy.begin(StorageFault::every(Failure::Storage(403, "AuthorizationFailure")));
    let storage = proxy.instead_of(&azurite.connection_string());
    let settings = app.settings.clone().with("AzureWebJobsStorage", storage);
    examine(&open(&settings).await.1, "no-storage").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_with_wrong_settings_is_accessible() {
    let app = App::start("page-settings", &[]).await;
    let settings = app
        .settings
        .clone()
        .without("CISCO_DUO_SECRET_KEY")
        .with("WORKSPACE_ID", "my-workspace")
        .with("CISCO_DUO_LOG_TYPES", "authentication,users");
    examine(&open(&settings).await.1, "wrong-settings").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_usual_page_is_accessible() {
    let app = App::start("page-usual", &usual(now())).await;
    examine(&app.web, "usual").await;
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        let sources = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let screenshot = sources.join("docs/status-page.png");
        std::fs::copy(screenshots().join("usual-light-top.png"), screenshot).unwrap();
    }
}

async fn open(settings: &Settings) -> (FunctionsHost, String) {
    let host = FunctionsHost::start(settings).await;
    let web = host.address();
    (host, web)
}

fn screenshots() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("../status-page")
}

/// Opens the page in a browser, takes screenshots and asserts what holds for every page.
#[expect(clippy::print_stdout, reason = "the paint time is printed for information")]
async fn examine(web: &str, name: &str) -> Vec<Value> {
    std::fs::create_dir_all(screenshots()).unwrap();
    let output = Command::new("node")
        .arg(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tools/look_at_page.cjs"))
        .arg(format!("{web}{PATH}"))
        .arg(screenshots().join(name))
        .env("NODE_PATH", tool("node/node_modules/playwright-core"))
        .output()
        .await
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let views: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(views.len(), 4);
    for view in &views {
        assert_is_accessible(view);
    }
    let paints = views.iter().map(|view| view["paint"].as_f64().unwrap());
    println!(
        "{name}: {} bytes, first contentful paint after {:.0} ms at most",
        views[0]["bytes"],
        paints.fold(0.0, f64::max)
    );
    views
}

#[track_caller]
fn assert_is_accessible(view: &Value) {
    let which = format!("{} on a {}", view["scheme"], view["size"]);
    let nothing = |what: &str| {
        assert_eq!(view[what], serde_json::json!([]), "{what}, {which}");
    };
    // No violations of the Web Content Accessibility Guidelines 2, levels A and AA.
    nothing("barriers");
    nothing("messages");
    nothing("violations");
    let requests = view["requests"].as_array().unwrap();
    assert_eq!(requests.len(), 1, "{which}: {requests:#?}");
    assert!(view["overflow"].as_i64().unwrap() <= 0, "{which}: the page is too wide");
    assert_eq!(view["unnamed"], 0, "{which}: images without a text");
    assert!(view["bytes"].as_u64().unwrap() < LARGEST, "{which}");
    assert!(view["paint"].as_f64().unwrap() < LONGEST_PAINT, "{which}");
    // Keyboard access.
    nothing("closed");
    nothing("unlabelled");
    let stops = view["stops"].as_array().unwrap();
    let names: Vec<&Value> = stops.iter().map(|stop| &stop["name"]).collect();
    let order: Vec<&Value> = view["order"].as_array().unwrap().iter().collect();
    assert_eq!(names, order, "{which}");
    for stop in stops {
        assert!(stop["outline"].as_f64().unwrap() >= 2.0, "{which}: {stop}");
        assert_eq!(stop["isInView"], true, "{which}: {stop}");
    }
}
