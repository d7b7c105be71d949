//! Storage: reading, writing, appending, and conditional writes.

use super::Finding;
use crate::collector::Collector;
use crate::status::Code;
use crate::storage::{Store, WriteError};

pub(super) const DEAD_LETTERS: &str = "dead letters";

/// The state and the dead letters, whose containers may have different permissions.
pub(super) async fn check(collector: &Collector) -> [Finding; 2] {
    let dead_letters = collector.dead_letters.store();
    futures::join!(
        check_store(collector, "storage", &collector.store),
        check_store(collector, DEAD_LETTERS, dead_letters)
    )
    .into()
}

async fn check_store(collector: &Collector, subject: &str, store: &Store) -> Finding {
    let name = format!("{}/self/check/{:016x}", collector.settings.duo.host, fastrand::u64(..));
    let ledger = format!("{name}.ids");
    let tried = async {
        let version = store.write(&name, b"first".to_vec(), None).await?;
        let second = store.write(&name, b"second".to_vec(), Some(&version)).await?;
        let refused = store.write(&name, b"third".to_vec(), Some(&version)).await;
        let read = store.read(&name).await?;
        store.append(&ledger, b"1".to_vec(), 1).await?;
        store.append(&ledger, b"2".to_vec(), 1).await?;
        let appended = store.read(&ledger).await?;
        let compares = matches!(refused, Err(WriteError::Conflict));
        let reads =
            read.is_some_and(|(content, version)| content == b"second" && version == second);
        let appends = appended.is_some_and(|(content, _)| content == b"12");
        Ok::<_, WriteError>((compares, reads && appends))
    };
    let tried = tried.await;
    // Also after an error. The first error is reported.
    let removed = store.remove(&name).await.and(store.remove(&ledger).await);
    let tried = tried.and_then(|found| Ok(removed.map(|()| found)?));
    let location = store.location();
    let unconditional = |message: &str| {
        let message = format!("{location}: {message}");
        Finding::error(subject, Code::StorageUnconditional, message)
    };
    match tried {
        Ok((true, true)) => Finding::ok(subject, format!("{location}: read, write, append and conditional write succeeded")),
        Ok(_) => unconditional("a conditional write was not compared").with_hint(Some(
            "reconfigure the proxy that drops the header If-Match on the way to the storage account",
        )),
        Err(WriteError::Conflict) => unconditional("a conditional create found an existing blob"),
        Err(WriteError::Failed(error)) => Finding::of(subject, error),
    }
}
