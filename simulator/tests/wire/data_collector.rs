//! Refusals of the Data Collector API.

use crate::caller::Caller;
use crate::tenant::roomy;

#[tokio::test]
async fn the_data_collector_refuses_what_azure_refuses() {
    let caller = Caller::start(roomy(60)).await;
    let status = |request: reqwest::RequestBuilder| async move {
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    };
    let refused = [
        (caller.post("[1]"), 400, "InvalidDataFormat"),
        (caller.post("[{\"TimeGenerated\":1}]"), 400, "InvalidDataFormat"),
        (caller.post("[{}]").header("content-encoding", "gzip"), 400, "InvalidDataFormat"),
        (caller.post("[{}]").body("[{ }]"), 403, "InvalidAuthorization"),
    ];
    for (request, expected, code) in refused {
        let (found, body) = status(request).await;
        assert_eq!(found, expected);
        assert!(body.contains(code), "{body}");
    }
    assert_eq!(status(caller.post("[]")).await, (200, String::new()));
    let large = format!("[{{\"a\":\"{}\"}}]", "x".repeat(30_000_000));
    assert_eq!(status(caller.post(&large)).await.0, 404);
    let counts = caller.simulator.counts().log_analytics;
    assert_eq!(
        (counts.accepted, counts.refused["InvalidDataFormat"], counts.refused["NotFound"]),
        (1, 3, 1)
    );
}
