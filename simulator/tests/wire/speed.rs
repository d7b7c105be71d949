//! How fast the simulators are; run by hand: `cargo test --release -- --ignored --nocapture`.

use std::time::Instant;

use simulator::{Config, LogType};

use crate::caller::{Caller, row};
use crate::tenant::window;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement, not a test"]
async fn a_page_of_a_thousand_events() {
    let volumes = [(LogType::Authentication, 1_000_000)].into();
    let started = Instant::now();
    let caller = Caller::start(Config {
        volumes,
        ..Config::default()
    })
    .await;
    println!("a million events made in {:?}", started.elapsed());
    let query = window(&caller, "limit=1000&", "");
    let records = caller.records(LogType::Authentication, &query).await;
    let started = Instant::now();
    for _ in 0..100 {
        caller
            .duo(LogType::Authentication, &query)
            .send()
            .await
            .unwrap()
            .bytes()
            .await
            .unwrap();
    }
    println!("a page in {:?}", started.elapsed() / 100);
    let rows: Vec<_> = records
        .iter()
        .map(|it| row(LogType::Authentication, it, 0))
        .collect();
    let started = Instant::now();
    for _ in 0..100 {
        caller.deliver(&rows).await;
    }
    println!("a post in {:?}", started.elapsed() / 100);
    let report = caller.simulator.report().await;
    println!("posts and their judgement {:?}", started.elapsed() / 100);
    assert_eq!(report.first_problems, [""; 0]);
    assert_eq!(report.duplicates(), 99_000);
}
