//! The settings in the code, docs/settings.md, the example file and the host's files agree, and
//! generated files are up to date.

mod generated;
mod names;
mod operate;
mod rule;
mod settings;

use std::fs;

use serde_json::Value;

fn json(file: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

/// Compares a file with its expected content, or rewrites it when `UPDATE_EXPECTED` is set.
fn must_be(file: &str, expected: &str) {
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        fs::write(file, expected).unwrap();
    }
    let text = fs::read_to_string(file).unwrap_or_default();
    let advice = "UPDATE_EXPECTED=1 cargo test --test program agreement";
    assert!(text == expected, "{file} is not up to date: {advice}");
}

/// Like [`must_be`], for the part of a file between two comments.
fn part_must_be(file: &str, name: &str, expected: &str) {
    let text = fs::read_to_string(file).unwrap();
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->"));
    let (before, rest) = text.split_once(&begin).unwrap();
    let (_, after) = rest.split_once(&end).unwrap();
    must_be(file, &format!("{before}{begin}{expected}{end}{after}"));
}

#[test]
fn the_host_files_match_the_routes_of_the_handler() {
    let function = json("CiscoDuoTimer/function.json");
    let binding = &function["bindings"][0];
    assert_eq!(binding["name"], "myTimer");
    assert_eq!(binding["type"], "timerTrigger");
    assert_eq!(binding["schedule"], "0 * * * * *");
    // The page needs the function key; the host forwards requests to it unchanged.
    let page = json("CiscoDuoStatus/function.json");
    let expected = serde_json::json!([
        {"name": page["bindings"][0]["name"], "type": "httpTrigger", "direction": "in", "authLevel": "function", "methods": ["get", "head"]},
        {"name": "$return", "type": "http", "direction": "out"},
    ]);
    assert_eq!(page["bindings"], expected);
    let host = json("host.json");
    assert_eq!(host["customHandler"]["enableForwardingHttpRequest"], true);
    assert!(host["extensions"]["http"].is_null(), "the route prefix must be the default");
    let handler = &host["customHandler"]["description"];
    // Exactly this name: deployment tools mark only this file as executable.
    assert_eq!(handler["defaultExecutablePath"], "handler");
    assert!(
        host["customHandler"].get("http").is_none(),
        "routes together with function.json stop the host"
    );
}
