//! Dead letters in a separate container.

use serde_json::Value;
use simulator::{Config, LogType, Simulator};

use crate::common::{Azurite, FunctionsHost, Settings, duo_sentinel, temporary_folder, tenant};

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_have_a_separate_container_that_is_created_when_needed() {
    let config = Config {
        oversized_per_mille: 100,
        volumes: [(LogType::Authentication, 200), (LogType::Activity, 200)].into(),
        ..tenant(82, 0)
    };
    let simulator = Simulator::start(config).await.unwrap();
    let azurite = Azurite::shared();
    let letters = azurite.container("letters-apart");
    let settings = Settings::in_storage(&simulator, &azurite.connection_string(), "letters-state")
        .with("CISCO_DUO_DEAD_LETTER_CONTAINER", "letters-apart")
        .with("CISCO_DUO_LOG_TYPES", "authentication,activity");
    let folder = temporary_folder();
    let command = async |arguments: &[&str]| {
        let arguments = [&["dead-letters"], arguments].concat();
        let output = duo_sentinel(&settings, folder.path(), &arguments).await;
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        output.stdout
    };
    command(&["list"]).await;
    assert!(!letters.exists().await, "the container was created too early");
    FunctionsHost::start(&settings).await.catch_up(5).await;
    let kept = letters.list().await;
    assert!(kept.len() > 10 && kept.iter().all(|blob| blob.kind == "BlockBlob"));
    let state = azurite.container("letters-state").list().await;
    let is_letter = |name: &str| kept.iter().any(|letter| letter.name == name);
    assert!(!state.iter().any(|blob| is_letter(&blob.name)), "{state:?}");
    // The command lists the same dead letters.
    let listed: Vec<Value> = serde_json::from_slice(&command(&["list", "--json"]).await).unwrap();
    assert_eq!(listed.len(), kept.len());
    command(&["purge", "--all"]).await;
    assert!(letters.list().await.is_empty());
}
