//! A proxy that answers requests to storage with a page of its own.

use crate::common::{Failure, FunctionsHost, PAGE, Proxied, StorageFault};

/// Events per log.
const EVENTS: u64 = 120;

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_a_proxy_is_never_read_as_state_nor_taken_for_a_write() {
    let cases = [
        ("checkpoint-read", "GET", "checkpoint.json", 200),
        ("checkpoint-missing", "GET", "checkpoint.json", 404),
        ("checkpoint-written", "PUT", "checkpoint.json", 201),
        ("ids-read", "GET", ".ids", 200),
        ("ids-missing", "GET", ".ids", 404),
        ("ids-written", "PUT", ".ids", 201),
        ("results-read", "GET", "ledger%2F", 200),
        ("results-written", "PUT", "ledger%2F", 201),
        ("everything", "", "", 200),
        ("everything-forbidden", "", "", 403),
    ];
    for (name, method, path, status) in cases {
        let scene = Proxied::new(88, EVENTS, &format!("proxy-{name}")).await;
        // The first run reads and writes everything, and stores something before the fault.
        let after = if path.contains("checkpoint") || path.is_empty() { 0 } else { 3 };
        let page = StorageFault::every(Failure::Intercepted(status)).of(method, path).after(after);
        scene.proxy.begin(page);
        let mut host = FunctionsHost::start(&scene.settings).await;
        host.fire().await.assert_failed();
        assert!(scene.proxy.failed_count() > 0, "{name}: no request was intercepted");
        scene.proxy.end();
        host.finish(&scene.simulator, 6 * PAGE).await;
        let stderr = host.stderr().join("\n");
        for text in [&format!("HTTP {status} is not from Blob Storage"), "check HTTPS_PROXY"] {
            assert!(stderr.contains(text), "{name}: no \"{text}\" in {stderr}");
        }
        assert!(!stderr.contains("ledger_damaged"), "{name}: {stderr}");
        let blobs = scene.container.list().await;
        assert!(blobs.iter().all(|blob| !blob.name.contains("damaged")), "{name}: {blobs:#?}");
    }
}
