//! Azure Monitor: a send returns only when the batch was accepted.
//!
//! Two APIs write to the same tables; the settings name one of them.

mod data_collector;
mod error;
mod gzip;
mod logs_ingestion;
mod token;

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};

use crate::http::Transport;
use crate::model::{IngestionApi, SendError};
use crate::settings::IngestionSettings;

pub use data_collector::DataCollector;
pub use error::hint;
pub use logs_ingestion::LogsIngestion;
pub use token::IdentityError;

/// The API that rows go to.
#[derive(Debug)]
pub enum Sink {
    /// The HTTP Data Collector API.
    DataCollector(DataCollector),
    /// The Logs Ingestion API.
    LogsIngestion(LogsIngestion),
}

/// A table of the workspace that rows go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// `CiscoDuo_CL`: Duo's events.
    CiscoDuo,
    /// `CiscoDuoHealth_CL`: the health of the connector.
    CiscoDuoHealth,
}

/// One request. `Debug` does not show the rows.
#[derive(Clone, derive_more::Debug)]
#[debug("SinkCall({} bytes)", body.len())]
pub struct SinkCall {
    /// Where the rows go.
    pub table: Table,
    /// A JSON array of rows in the form that the API takes.
    pub body: Bytes,
    /// Whether the events' own times become `TimeGenerated`. The Data Collector needs a header for that; rows for the
    /// other API carry the column.
    pub is_dated_by_event: bool,
    /// Dates the request.
    pub now: DateTime<Utc>,
    /// Longest wait for the response.
    pub timeout: Duration,
}

impl Sink {
    /// The sink that the settings name; nothing is sent yet.
    ///
    /// # Errors
    ///
    /// When the identity that the settings name cannot be used at all.
    pub fn new(settings: &IngestionSettings, transport: &Transport) -> Result<Self, IdentityError> {
        Ok(match settings {
            IngestionSettings::DataCollector(settings) => {
                let http = transport.client_for(&settings.origin);
                Self::DataCollector(DataCollector::new(http, settings.clone()))
            }
            IngestionSettings::LogsIngestion(settings) => {
                Self::LogsIngestion(LogsIngestion::new(transport, settings.clone())?)
            }
        })
    }

    /// The API behind it.
    pub const fn api(&self) -> IngestionApi {
        match self {
            Self::DataCollector(_) => IngestionApi::DataCollector,
            Self::LogsIngestion(_) => IngestionApi::LogsIngestion,
        }
    }

    /// Sends one request and returns when the service accepted it.
    pub async fn send(&self, call: SinkCall) -> Result<(), SendError> {
        match self {
            Self::DataCollector(sink) => sink.send(call).await,
            Self::LogsIngestion(sink) => sink.send(call).await,
        }
    }
}
