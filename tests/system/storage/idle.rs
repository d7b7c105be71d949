//! Storage requests of a log without events.

use simulator::Simulator;

use crate::common::{Azurite, FunctionsHost, Proxy, Settings, tenant};

#[tokio::test(flavor = "multi_thread")]
async fn a_tick_without_events_reads_six_checkpoints() {
    let simulator = Simulator::start(tenant(43, 20)).await.unwrap();
    let azurite = Azurite::shared();
    let proxy = Proxy::to(&azurite.endpoint()).await;
    let storage = proxy.instead_of(&azurite.connection_string());
    let settings = Settings::in_storage(&simulator, &storage, "idle");
    let mut host = FunctionsHost::start(&settings).await;
    host.catch_up(10).await;
    for _ in 0..3 {
        let before = proxy.requests();
        assert!(host.fire().await.is_caught_up());
        assert_eq!(proxy.requests() - before, 6);
    }
    host.stop().await;
}
