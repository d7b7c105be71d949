use std::error::Error;
use std::sync::Arc;

use async_trait::async_trait;
use azure_core::error::ErrorKind;
use azure_core::http::{
    ClientOptions, Etag, ExponentialRetryOptions, RequestContent, RetryOptions, StatusCode,
    Transport as AzureTransport,
};
use azure_core::time::Duration;
use azure_storage_blob::models::{
    AppendBlobClientCreateOptions, BlobClientDownloadOptions, BlobClientUploadOptions,
    BlobContainerClientListBlobsOptions,
};
use azure_storage_blob::{BlobContainerClient, BlobContainerClientOptions};
use futures::TryStreamExt as _;

use super::account_key::AccountKeyPolicy;
use super::{BlobStore, StorageError, Version, WriteError};
use crate::http::{Transport, causes};
use crate::identity;
use crate::model::is_loopback;
use crate::settings::{BlobAccess, BlobSettings};

/// Version of the storage service's protocol: new enough for every request here, old enough for every cloud.
const SERVICE_VERSION: &str = "2023-11-03";
const RETRIES: u32 = 4;
const RETRY_SECONDS: i64 = 20;

// Not the client: its URL may carry a signature.
#[derive(Clone, derive_more::Debug)]
#[debug("ContainerStore({place})")]
pub(super) struct ContainerStore {
    container: Arc<BlobContainerClient>,
    name: String,
    place: String,
    is_on_this_machine: bool,
}

impl ContainerStore {
    pub(super) fn new(
        settings: &BlobSettings,
        transport: &Transport,
    ) -> Result<Self, StorageError> {
        let retry = ExponentialRetryOptions {
            max_retries: RETRIES,
            max_total_elapsed: Duration::seconds(RETRY_SECONDS),
            ..ExponentialRetryOptions::default()
        };
        let mut client_options = ClientOptions {
            retry: RetryOptions::exponential(retry),
            transport: Some(AzureTransport::new(Arc::new(
                transport.client_for(&settings.service_url.origin().ascii_serialization()),
            ))),
            ..ClientOptions::default()
        };
        let mut url = settings.service_url.clone();
        let path = format!("{}/{}", url.path().trim_end_matches('/'), settings.container);
        url.set_path(&path);
        let place = format!("container {} of {}", settings.container, settings.service_url);
        let unusable = |fault: azure_core::Error| StorageError {
            action: "open",
            name: place.clone(),
            reason: reason(&fault),
            hint: Some("check AzureWebJobsStorage and its identity settings".to_owned()),
        };
        let mut token = None;
        match &settings.access {
            BlobAccess::AccountKey(account, key) => {
                let policy = AccountKeyPolicy::new(account.clone(), key.clone());
                client_options.per_try_policies.push(Arc::new(policy));
            }
            BlobAccess::SharedAccessSignature(signature) => url.set_query(Some(signature.expose())),
            BlobAccess::Identity(identity, cloud) => {
                token = Some(identity::credential(identity, *cloud, transport).map_err(unusable)?);
            }
        }
        let options =
            BlobContainerClientOptions { client_options, version: SERVICE_VERSION.to_owned() };
        let client = BlobContainerClient::new(url, token, Some(options)).map_err(unusable)?;
        Ok(Self {
            container: Arc::new(client),
            name: settings.container.clone(),
            place,
            is_on_this_machine: is_loopback(&settings.service_url),
        })
    }

    fn blob(&self, name: &str) -> azure_storage_blob::BlobClient {
        self.container.blob_client(name)
    }

    async fn create_container(&self) -> Result<(), StorageError> {
        match self.container.create(None).await {
            Err(fault) if !is_code(&fault, "ContainerAlreadyExists") => {
                Err(self.explained("create", &self.name, &fault))
            }
            _ => Ok(()),
        }
    }

    fn version(
        &self,
        action: &'static str,
        name: &str,
        etag: Option<Etag>,
    ) -> Result<Version, StorageError> {
        let missing = || self.error(action, name, &"the answer has no ETag", None);
        Ok(Version(etag.ok_or_else(missing)?.to_string()))
    }

    fn explained(
        &self,
        action: &'static str,
        name: &str,
        fault: &azure_core::Error,
    ) -> StorageError {
        self.error(action, name, &reason(fault), hint(fault, self.is_on_this_machine))
    }
}

#[async_trait]
impl BlobStore for ContainerStore {
    fn place(&self) -> String {
        self.place.clone()
    }

    async fn read(&self, name: &str) -> Result<Option<(Vec<u8>, Version)>, StorageError> {
        let download = async {
            let result = self.blob(name).download(None::<BlobClientDownloadOptions<'_>>).await?;
            let etag = result.properties.etag.clone();
            Ok::<_, azure_core::Error>((result.body.collect().await?, etag))
        };
        match download.await {
            Ok((content, etag)) => Ok(Some((content.to_vec(), self.version("read", name, etag)?))),
            Err(fault) if fault.http_status() == Some(StatusCode::NotFound) => Ok(None),
            Err(fault) => Err(self.explained("read", name, &fault)),
        }
    }

    async fn write(
        &self,
        name: &str,
        content: Vec<u8>,
        expected: Option<&Version>,
    ) -> Result<Version, WriteError> {
        let upload = || async {
            let options = match expected {
                None => BlobClientUploadOptions::default().if_not_exists(),
                Some(Version(etag)) => BlobClientUploadOptions {
                    if_match: Some(Etag::from(etag.as_str())),
                    ..BlobClientUploadOptions::default()
                },
            };
            self.blob(name).upload(RequestContent::from(content.clone()), Some(options)).await
        };
        let mut result = upload().await;
        // Only for a new blob: where something was read before, a missing container is an error to report.
        if let Err(fault) = &result
            && expected.is_none()
            && is_code(fault, "ContainerNotFound")
        {
            self.create_container().await?;
            result = upload().await;
        }
        match result {
            Ok(uploaded) => Ok(self.version("write", name, uploaded.etag)?),
            // The codes of the comparison and no other: a leased or immutable blob answers 409 or 412 too.
            Err(fault)
                if is_code(&fault, "BlobAlreadyExists") || is_code(&fault, "ConditionNotMet") =>
            {
                Err(WriteError::Conflict)
            }
            Err(fault) => Err(self.explained("write", name, &fault).into()),
        }
    }

    async fn append(&self, name: &str, content: Vec<u8>, _unit: usize) -> Result<(), WriteError> {
        let blob = self.blob(name).append_blob_client();
        let append = || async {
            let length = content.len() as u64;
            blob.append_block(RequestContent::from(content.clone()), length, None).await.map(drop)
        };
        let mut result = append().await;
        if let Err(fault) = &result
            && fault.http_status() == Some(StatusCode::NotFound)
        {
            if is_code(fault, "ContainerNotFound") {
                self.create_container().await?;
            }
            let new = AppendBlobClientCreateOptions::default().if_not_exists();
            match blob.create(Some(new)).await {
                // Another writer made it first: that is as good.
                Err(fault) if fault.http_status() != Some(StatusCode::Conflict) => {
                    return Err(self.explained("append to", name, &fault).into());
                }
                _ => {}
            }
            result = append().await;
        }
        match result {
            // There is a blob of another kind.
            Err(fault) if is_code(&fault, "InvalidBlobType") => Err(WriteError::Conflict),
            result => Ok(result.map_err(|fault| self.explained("append to", name, &fault))?),
        }
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, StorageError> {
        let options = BlobContainerClientListBlobsOptions {
            prefix: Some(prefix.to_owned()),
            ..BlobContainerClientListBlobsOptions::default()
        };
        let listed = async {
            let mut blobs = self.container.list_blobs(Some(options))?;
            let mut names = Vec::new();
            while let Some(blob) = blobs.try_next().await? {
                names.extend(blob.name);
            }
            Ok(names)
        };
        match listed.await {
            // Nothing was ever stored.
            Err(fault) if is_code(&fault, "ContainerNotFound") => Ok(Vec::new()),
            listed => listed.map_err(|fault| self.explained("list", prefix, &fault)),
        }
    }

    async fn remove(&self, name: &str) -> Result<(), StorageError> {
        match self.blob(name).delete(None).await {
            Err(fault) if fault.http_status() != Some(StatusCode::NotFound) => {
                Err(self.explained("remove", name, &fault))
            }
            _ => Ok(()),
        }
    }
}

fn hint(fault: &azure_core::Error, is_on_this_machine: bool) -> Option<&'static str> {
    match fault.http_status() {
        _ if matches!(fault.kind(), ErrorKind::Credential) => Some(
            "check the identity: AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_CLIENT_SECRET outside Azure, \
                 AzureWebJobsStorage__clientId for a user-assigned identity",
        ),
        Some(StatusCode::Forbidden | StatusCode::Unauthorized) => Some(
            "check AzureWebJobsStorage: the key or signature must be valid, and an identity needs the role \
                 Storage Blob Data Owner on the account (a new role takes up to 30 minutes)",
        ),
        _ if is_code(fault, "ContainerBeingDeleted") => Some(
            "the container is being deleted, and Azure makes no new one of that name for a while: the runs after \
                 that begin CISCO_DUO_LOOKBACK_HOURS ago; set CISCO_DUO_START_TIME to where the logs stood, or \
                 CISCO_DUO_CONTAINER to another name",
        ),
        _ if is_code(fault, "ContainerNotFound") => Some(
            "the container is gone: the next run creates it and begins CISCO_DUO_LOOKBACK_HOURS ago; set \
                 CISCO_DUO_START_TIME to where the logs stood",
        ),
        Some(StatusCode::Conflict | StatusCode::PreconditionFailed) => Some(
            "something protects it: look for a lease, a legal hold or an immutability policy on the container",
        ),
        Some(
            StatusCode::TooManyRequests
            | StatusCode::InternalServerError
            | StatusCode::ServiceUnavailable,
        ) => Some(
            "the storage account is busy or out of order: the next run tries again; if it stays, look at the \
                 account's metrics for throttling, or give the connector a storage account of its own",
        ),
        None if is_on_this_machine => {
            Some("check AzureWebJobsStorage, and that Azurite runs: npx --yes azurite")
        }
        None => Some("check AzureWebJobsStorage, DNS and the storage account's firewall"),
        _ => None,
    }
}

fn is_code(fault: &azure_core::Error, code: &str) -> bool {
    matches!(fault.kind(), ErrorKind::HttpResponse { error_code: Some(found), .. } if found == code)
}

/// The cause in one line. The texts down to that of the HTTP client may contain a URL with a shared access signature: only
/// the service's code and the causes below the client are reported.
fn reason(fault: &azure_core::Error) -> String {
    match fault.kind() {
        ErrorKind::HttpResponse { status, error_code, .. } => {
            let code = error_code.as_deref().unwrap_or("no code");
            format!("HTTP {} {code}", u16::from(*status))
        }
        ErrorKind::Credential => {
            let of_azure = |cause: &'_ (dyn Error + 'static)| {
                let error = cause.downcast_ref::<azure_core::Error>();
                error.and_then(azure_core::Error::http_status)
            };
            match causes(fault).find_map(of_azure) {
                Some(status) => format!("the identity got no token (HTTP {})", u16::from(status)),
                None => "the identity got no token".to_owned(),
            }
        }
        _ => {
            let mut causes = causes(fault);
            match causes.find_map(|cause| cause.downcast_ref::<reqwest::Error>()) {
                Some(client) if client.is_timeout() => "no response in time".to_owned(),
                _ => causes
                    .last()
                    .map_or_else(|| "no usable response".to_owned(), ToString::to_string),
            }
        }
    }
}
