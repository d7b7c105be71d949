//! The function app under test, laid out as in Azure: the unpacked `released-package.zip` of
//! `tests/run`, or the sources and the program that Cargo built.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::tools;

/// The program under test: the one that Cargo built with the tests, or the one that
/// `DUO_SENTINEL_BINARY` names, so that debug builds of the tests can test the release build.
pub(crate) fn binary() -> PathBuf {
    let built = || PathBuf::from(env!("CARGO_BIN_EXE_duo-sentinel"));
    std::env::var_os("DUO_SENTINEL_BINARY").map_or_else(built, PathBuf::from)
}

/// The program that the Functions host runs: the handler of the package, or else [`binary`].
pub(crate) fn handler() -> PathBuf {
    let package = std::env::var_os("DUO_SENTINEL_PACKAGE").map(PathBuf::from);
    package.map_or_else(binary, |package| package.join("handler"))
}

/// Lays the function app out in a new folder, with `arguments` in host.json if there are any. If
/// the clock is set, which the deployed program does not support, uses [`binary`].
pub(super) fn stage(arguments: &[&str], is_clock_set: bool) -> TempDir {
    let app = tools::temporary_folder();
    let package = std::env::var_os("DUO_SENTINEL_PACKAGE").filter(|_| !is_clock_set);
    if let Some(package) = package {
        link(Path::new(&package), app.path());
    } else {
        let source = Path::new(env!("CARGO_MANIFEST_DIR"));
        fs::hard_link(source.join("host.json"), app.path().join("host.json"))
            .expect("host.json exists");
        for (name, _) in functions(source) {
            link(&source.join(&name), &app.path().join(&name));
        }
        // Hard links: a copy could still be open for writing in a child that is starting.
        fs::hard_link(binary(), app.path().join("handler"))
            .expect("the binary is on the same disk");
    }
    if !arguments.is_empty() {
        let mut host = host(app.path());
        host["customHandler"]["description"]["arguments"] = json!(arguments);
        let file = app.path().join("host.json");
        fs::remove_file(&file).expect("the link can be removed");
        fs::write(file, host.to_string()).expect("a new file");
    }
    app
}

/// host.json of a function app.
pub(super) fn host(app: &Path) -> Value {
    let text = fs::read_to_string(app.join("host.json")).expect("host.json exists");
    serde_json::from_str(&text).expect("host.json is JSON")
}

/// The folder of the timer function, which is the path of its invocations, and its binding's name.
pub(super) fn timer_function(app: &Path) -> (String, String) {
    let timer = |(name, function): (String, Value)| {
        let binding = &function["bindings"][0];
        let named = binding["name"].as_str().expect("a binding has a name");
        (binding["type"] == "timerTrigger").then(|| (name, named.to_owned()))
    };
    let found = functions(app).into_iter().find_map(timer);
    found.expect("the package has a timer function")
}

/// The folders that contain a function, with their function.json.
pub(super) fn functions(app: &Path) -> Vec<(String, Value)> {
    let entries = fs::read_dir(app).expect("the app exists");
    let function = |folder: PathBuf| {
        let text = fs::read_to_string(folder.join("function.json")).ok()?;
        let name = folder.file_name()?.to_string_lossy().into_owned();
        Some((name, serde_json::from_str(&text).expect("function.json is JSON")))
    };
    entries.filter_map(|entry| function(entry.expect("the app exists").path())).collect()
}

/// Links every file of a folder into another one.
fn link(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a new folder");
    for entry in fs::read_dir(from).expect("the folder exists") {
        let file = entry.expect("the folder exists").path();
        let target = to.join(file.file_name().expect("a file has a name"));
        if file.is_dir() {
            link(&file, &target);
        } else {
            fs::hard_link(&file, &target).expect("the package is on the same disk");
        }
    }
}
