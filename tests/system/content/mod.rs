//! The content for Microsoft Sentinel: every query has a meaning on every table there can be, in the eyes of
//! Microsoft's own Kusto language service; every rule fires on what it is for and on nothing else; the files have the
//! form that Sentinel takes.

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
mod tools;
mod workbook;

use self::schema::Schema;
use self::sources::Content;

#[test]
fn every_query_has_a_meaning_on_every_table() {
    let (content, schema) = (Content::read(), Schema::read());
    let tables = schema.tables();
    let queries = content.queries();
    let answers = tools::check(tables.iter().map(|(_, columns)| (columns, &content, &queries)));
    let mut faults = Vec::new();
    for ((table, _), of_table) in tables.iter().zip(&answers) {
        for answer in of_table {
            for problem in &answer.problems {
                faults.push(format!("{} on {table}: {problem}", answer.name));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_file_has_the_form_that_sentinel_takes() {
    let (content, schema) = (Content::read(), Schema::read());
    let (_, columns) = &schema.tables()[0];
    let queries = content.queries();
    let answers = tools::check([(columns, &content, &queries)]).remove(0);
    let mut faults = form::faults(&content, &answers);
    faults.extend(workbook::faults(&content, &answers));
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_rule_fires_on_what_it_is_for_and_on_nothing_else() {
    cases::play(&Content::read().rules);
}

#[test]
fn every_alert_fires_on_what_it_is_for_and_on_nothing_else() {
    cases::play_health(&Content::read().alerts);
}

#[test]
fn every_hunting_query_finds_what_it_is_for_and_nothing_else() {
    cases::play(&Content::read().hunting);
}
