//! Azurite, Microsoft's emulator of Blob Storage.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::shared_access::account_signature;
use super::storage::Container;
use super::tools::tool;

/// The account that Azurite has; its key is published.
/// <https://learn.microsoft.com/azure/storage/common/storage-use-azurite>
pub(crate) const ACCOUNT: &str = "devstoreaccount1";
pub(crate) const ACCOUNT_KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// What the blob service says when it is ready, followed by its address.
const READY: &str = "successfully listens on ";

/// How long one is given to tests that begin.
const SHARED_FOR: Duration = Duration::from_secs(300);

/// The running blob service; everything is kept in memory. It ends when dropped, and with this process.
#[derive(Debug)]
pub(crate) struct Azurite {
    process: Child,
    address: String,
}

impl Azurite {
    /// One that tests share, each with a container of its own. After ten minutes Azurite begins to collect its garbage and
    /// does not respond until it has finished: tests that begin after five minutes get a new one.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: Mutex<Option<(Instant, &'static Azurite)>> = Mutex::new(None);
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        match *shared {
            Some((began, azurite)) if began.elapsed() < SHARED_FOR => azurite,
            // The old one ends with this process, for tests that still use it.
            _ => {
                let azurite: &'static Self = Box::leak(Box::new(Self::start(&[])));
                *shared = Some((Instant::now(), azurite));
                azurite
            }
        }
    }

    /// One for a part of a test that takes longer than the shared one lasts.
    pub(crate) fn of_its_own() -> Self {
        Self::start(&[])
    }

    /// One that takes tokens, over TLS with this certificate and key.
    pub(crate) fn with_tokens(certificate: &Path, key: &Path) -> Self {
        let (certificate, key) = (certificate.display().to_string(), key.display().to_string());
        Self::start(&["--oauth", "basic", "--cert", &certificate, "--key", &key])
    }

    fn start(arguments: &[&str]) -> Self {
        let preload = Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/end-with-parent.cjs");
        // Node itself: a killed npx would leave it running.
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
            .expect("node is installed; tools/setup says how to install it");
        let stdout = process.stdout.take().expect("it is piped");
        let address = BufReader::new(stdout)
            .lines()
            .map_while(Result::ok)
            .find_map(|line| Some(line.split_once(READY)?.1.trim().to_owned()))
            .expect("Azurite tells its address when it is ready");
        Self { process, address }
    }

    /// Where the account is: `http://127.0.0.1:PORT/devstoreaccount1`.
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

    /// A connection string with a shared access signature for everything that the connector does.
    pub(crate) fn shared_access_connection_string(&self) -> String {
        format!(
            "BlobEndpoint={}/;SharedAccessSignature={}",
            self.endpoint(),
            account_signature(ACCOUNT, ACCOUNT_KEY, "rwdlac")
        )
    }

    /// A container as the test sees it, past the program under test. It is not made.
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
