//! Azurite, Microsoft's emulator of Blob Storage.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::shared_access::account_signature;
use super::storage::Container;
use super::tools::tool;

/// The account of Azurite, whose key is published.
/// <https://learn.microsoft.com/azure/storage/common/storage-use-azurite>
pub(crate) const ACCOUNT: &str = "devstoreaccount1";
pub(crate) const ACCOUNT_KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// The line on stdout that announces readiness, followed by the address.
const READY: &str = "successfully listens on ";

/// How long tests that start may share one instance.
const SHARED_FOR: Duration = Duration::from_secs(300);

/// A running blob service with its data in memory. It ends when dropped, and with this process.
#[derive(Debug)]
pub(crate) struct Azurite {
    process: Child,
    address: String,
}

impl Azurite {
    /// An instance that tests share, each with its container. After ten minutes Azurite collects
    /// garbage and does not respond meanwhile: tests that start after five minutes get a new one.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: Mutex<Option<(Instant, &'static Azurite)>> = Mutex::new(None);
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        match *shared {
            Some((began, azurite)) if began.elapsed() < SHARED_FOR => azurite,
            // The old instance ends with this process, because tests may still use it.
            _ => {
                let azurite: &'static Self = Box::leak(Box::new(Self::start(&[])));
                *shared = Some((Instant::now(), azurite));
                azurite
            }
        }
    }

    /// A separate instance, for a test that takes longer than the shared one lasts.
    pub(crate) fn of_its_own() -> Self {
        Self::start(&[])
    }

    /// An instance that accepts tokens, over TLS with this certificate and key.
    pub(crate) fn with_tokens(certificate: &Path, key: &Path) -> Self {
        let (certificate, key) = (certificate.display().to_string(), key.display().to_string());
        Self::start(&["--oauth", "basic", "--cert", &certificate, "--key", &key])
    }

    fn start(arguments: &[&str]) -> Self {
        let preload = Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/end-with-parent.cjs");
        // Starts Node directly: a killed npx would leave it running.
        let mut process = Command::new("node")
            .arg("--require")
            .arg(preload)
            .arg(tool("node/node_modules/azurite/dist/src/blob/main.js"))
            .args(["--blobPort", "0", "--inMemoryPersistence", "--disableTelemetry"])
            .arg("--silent")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node is installed; run tools/setup");
        let stdout = process.stdout.take().expect("stdout is piped");
        let address = BufReader::new(stdout)
            .lines()
            .map_while(Result::ok)
            .find_map(|line| Some(line.split_once(READY)?.1.trim().to_owned()))
            .expect("Azurite prints its address when it is ready");
        Self { process, address }
    }

    /// URL of the account: `http://127.0.0.1:PORT/devstoreaccount1`.
    pub(crate) fn endpoint(&self) -> String {
        format!("{}/{ACCOUNT}", self.address)
    }

    /// A connection string with the account's key.
    pub(crate) fn connection_string(&self) -> String {
        let (scheme, _) = self.address.split_once(':').expect("an address has a scheme");
        format!(
            "DefaultEndpointsProtocol={scheme};AccountName={ACCOUNT};AccountKey={ACCOUNT_KEY};BlobEndpoint={};",
            self.endpoint()
        )
    }

    /// A connection string with a shared access signature for every operation of the connector.
    pub(crate) fn shared_access_connection_string(&self) -> String {
        format!(
            "BlobEndpoint={}/;SharedAccessSignature={}",
            self.endpoint(),
            account_signature(ACCOUNT, ACCOUNT_KEY, "rwdlac")
        )
    }

    /// Direct access to a container, without the program under test. Does not create it.
    pub(crate) fn container(&self, name: &str) -> Container {
        Container::new(&self.endpoint(), name)
    }
}

impl Drop for Azurite {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}
