//! Paging, totals, refusals and the rate limit of the simulated Duo.

use chrono::TimeDelta;
use serde_json::Value;
use simulator::LogType;

use crate::caller::Caller;
use crate::tenant::{config, window};

#[tokio::test]
async fn invalid_requests_get_the_error_codes_of_duo() {
    let caller = Caller::start(config(50)).await;
    let log = LogType::Activity;
    let good = window(&caller, "", "");
    let now = caller.simulator.clock().now();
    let code = |response: reqwest::Response| async move {
        let status = response.status().as_u16();
        let body: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        assert_eq!(body["stat"], "FAIL");
        (status, body["code"].as_u64().unwrap())
    };
    let url = format!("{}{}?{good}", caller.simulator.duo_url(), log.path());
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    assert_eq!(code(http.get(&url).send().await.unwrap()).await, (401, 40_101));
    let stranger = http.get(&url).basic_auth("DIX", Some("00")).send().await.unwrap();
    assert_eq!(code(stranger).await, (401, 40_102));
    let undated = http.get(&url).basic_auth("DIFAKEFAKEFAKEFAKE01", Some("00"));
    assert_eq!(code(undated.send().await.unwrap()).await, (401, 40_104));
    let old = caller.duo_dated(log, &good, now - TimeDelta::minutes(6)).send().await.unwrap();
    assert_eq!(code(old).await, (401, 40_105));
    // Signed in another order than the canonical one.
    let unsorted = caller.duo(log, &good.split('&').rev().collect::<Vec<_>>().join("&"));
    assert_eq!(code(unsorted.send().await.unwrap()).await, (401, 40_103));
    let elsewhere = format!("{}/admin/v3/logs/activity", caller.simulator.duo_url());
    assert_eq!(code(http.get(elsewhere).send().await.unwrap()).await, (404, 40_401));
    assert_eq!(code(http.post(&url).send().await.unwrap()).await, (405, 40_501));
    for after in ["&sort=ts", "&next_offset=17,x", "&next_offset=%5B%221%22%5D"] {
        let response = caller.duo(log, &window(&caller, "", after)).send().await.unwrap();
        assert_eq!(code(response).await.1, if after.contains(',') { 40_103 } else { 40_002 });
    }
    let counts = caller.simulator.counts();
    assert_eq!((counts.duo[&log].unauthorized, counts.duo[&log].refused), (6, 2));
}
