mod error;
mod origin;

use std::sync::Arc;

use async_trait::async_trait;
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
use crate::http::Transport;
use crate::identity;
use crate::model::is_loopback;
use crate::settings::{BlobAccess, BlobSettings};
use error::{hint, is_code, reason};
use origin::OriginPolicy;

/// API version: new enough for every request here, old enough for every cloud.
const SERVICE_VERSION: &str = "2023-11-03";
const RETRIES: u32 = 4;
const RETRY_SECONDS: i64 = 20;

// Without the client, whose URL may contain a signature.
#[derive(Clone, derive_more::Debug)]
#[debug("ContainerStore({location})")]
pub(super) struct ContainerStore {
    container: Arc<BlobContainerClient>,
    name: String,
    location: String,
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
            per_call_policies: vec![Arc::new(OriginPolicy)],
            transport: Some(AzureTransport::new(Arc::new(
                transport.client_for(&settings.service_url.origin().ascii_serialization()),
            ))),
            ..ClientOptions::default()
        };
        let mut url = settings.service_url.clone();
        let path = format!("{}/{}", url.path().trim_end_matches('/'), settings.container);
        url.set_path(&path);
        let location = format!("container {} of {}", settings.container, settings.service_url);
        let unusable = |error: azure_core::Error| StorageError {
            action: "open",
            name: location.clone(),
            reason: reason(&error),
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
            location,
            is_on_this_machine: is_loopback(&settings.service_url),
        })
    }

    fn blob(&self, name: &str) -> azure_storage_blob::BlobClient {
        self.container.blob_client(name)
    }

    async fn create_container(&self) -> Result<(), StorageError> {
        match self.container.create(None).await {
            Err(error) if !is_code(&error, "ContainerAlreadyExists") => {
                Err(self.explained("create", &self.name, &error))
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
        let missing = || self.error(action, name, &"the response has no ETag", None);
        Ok(Version(etag.ok_or_else(missing)?.to_string()))
    }

    fn explained(
        &self,
        action: &'static str,
        name: &str,
        error: &azure_core::Error,
    ) -> StorageError {
        self.error(action, name, &reason(error), hint(error, self.is_on_this_machine))
    }
}

#[async_trait]
impl BlobStore for ContainerStore {
    fn location(&self) -> String {
        self.location.clone()
    }

    async fn read(&self, name: &str) -> Result<Option<(Vec<u8>, Version)>, StorageError> {
        let download = async {
            let result = self.blob(name).download(None::<BlobClientDownloadOptions<'_>>).await?;
            let etag = result.properties.etag.clone();
            Ok::<_, azure_core::Error>((result.body.collect().await?, etag))
        };
        match download.await {
            Ok((content, etag)) => Ok(Some((content.to_vec(), self.version("read", name, etag)?))),
            Err(error) if error.http_status() == Some(StatusCode::NotFound) => Ok(None),
            Err(error) => Err(self.explained("read", name, &error)),
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
        // Only for a new blob: if a blob was read before, a missing container is an error.
        if let Err(error) = &result
            && expected.is_none()
            && is_code(error, "ContainerNotFound")
        {
            self.create_container().await?;
            result = upload().await;
        }
        match result {
            Ok(uploaded) => Ok(self.version("write", name, uploaded.etag)?),
            // Only codes of failed conditions: a leased or immutable blob also returns 409 or 412.
            Err(error)
                if is_code(&error, "BlobAlreadyExists") || is_code(&error, "ConditionNotMet") =>
            {
                Err(WriteError::Conflict)
            }
            Err(error) => Err(self.explained("write", name, &error).into()),
        }
    }

    async fn append(&self, name: &str, content: Vec<u8>, _unit: usize) -> Result<(), WriteError> {
        let blob = self.blob(name).append_blob_client();
        let append = || async {
            let length = content.len() as u64;
            blob.append_block(RequestContent::from(content.clone()), length, None).await.map(drop)
        };
        let mut result = append().await;
        if let Err(error) = &result
            && error.http_status() == Some(StatusCode::NotFound)
        {
            if is_code(error, "ContainerNotFound") {
                self.create_container().await?;
            }
            let new = AppendBlobClientCreateOptions::default().if_not_exists();
            match blob.create(Some(new)).await {
                // Another writer may have created it first.
                Err(error) if error.http_status() != Some(StatusCode::Conflict) => {
                    return Err(self.explained("append to", name, &error).into());
                }
                _ => {}
            }
            result = append().await;
        }
        match result {
            // The blob has another type.
            Err(error) if is_code(&error, "InvalidBlobType") => Err(WriteError::Conflict),
            result => Ok(result.map_err(|error| self.explained("append to", name, &error))?),
        }
    }

    async fn list(&self, prefix: &str) -> Result<Vec<(String, u64)>, StorageError> {
        let options = BlobContainerClientListBlobsOptions {
            prefix: Some(prefix.to_owned()),
            ..BlobContainerClientListBlobsOptions::default()
        };
        let listed = async {
            let mut blobs = self.container.list_blobs(Some(options))?;
            let mut found = Vec::new();
            while let Some(blob) = blobs.try_next().await? {
                let bytes = blob.properties.and_then(|properties| properties.content_length);
                found.extend(blob.name.map(|name| (name, bytes.unwrap_or_default())));
            }
            Ok(found)
        };
        match listed.await {
            // Nothing has been stored yet.
            Err(error) if is_code(&error, "ContainerNotFound") => Ok(Vec::new()),
            listed => listed.map_err(|error| self.explained("list", prefix, &error)),
        }
    }

    async fn remove(&self, name: &str) -> Result<(), StorageError> {
        match self.blob(name).delete(None).await {
            Err(error) if error.http_status() != Some(StatusCode::NotFound) => {
                Err(self.explained("remove", name, &error))
            }
            _ => Ok(()),
        }
    }
}
