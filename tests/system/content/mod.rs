//! The content for Microsoft Sentinel: every query compiles on every possible table in Microsoft's
//! Kusto language service, every rule fires only when it should, and the files are valid.

mod alerts;
mod apis;
mod bridge;
mod cases;
mod coverage;
mod entities;
mod events;
mod flatten;
mod form;
mod function;
mod health;
mod schema;
mod sources;
mod states;
mod tools;
mod workbook;

use self::schema::Schema;
use self::sources::Content;

#[test]
fn every_query_compiles_on_every_table() {
    let (content, schema) = (Content::read(), Schema::read());
    let tables = schema.tables();
    let queries = content.queries();
    let results = tools::check(tables.iter().map(|(_, columns)| (columns, &content, &queries)));
    let mut errors = Vec::new();
    for ((table, _), of_table) in tables.iter().zip(&results) {
        for result in of_table {
            for problem in &result.problems {
                errors.push(format!("{} on {table}: {problem}", result.name));
            }
        }
    }
    assert!(errors.is_empty(), "{}", errors.join("\n"));
}

#[test]
fn every_file_is_valid_in_sentinel() {
    let (content, schema) = (Content::read(), Schema::read());
    let (_, columns) = &schema.tables()[0];
    let queries = content.queries();
    let results = tools::check([(columns, &content, &queries)]).remove(0);
    let mut errors = form::errors(&content, &results);
    errors.extend(workbook::errors(&content, &results));
    assert!(errors.is_empty(), "{}", errors.join("\n"));
}

#[test]
fn every_rule_fires_only_when_it_should() {
    cases::play(&Content::read().rules);
}

#[test]
fn every_alert_fires_only_when_it_should() {
    cases::play_health(&Content::read().alerts);
}

#[test]
fn every_hunting_query_finds_only_what_it_should() {
    cases::play(&Content::read().hunting);
}
