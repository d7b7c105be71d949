//! Sends batches to Azure Monitor. A send returns only after the batch was accepted.
//!
//! Both ingestion APIs write to the same tables; the settings select one.

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

/// A client of the selected ingestion API.
#[derive(Debug)]
pub enum Sink {
    /// The HTTP Data Collector API.
    DataCollector(DataCollector),
    /// The Logs Ingestion API.
    LogsIngestion(LogsIngestion),
}

/// A destination table of the workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// `CiscoDuo_CL`: Duo's events.
    CiscoDuo,
    /// `CiscoDuoHealth_CL`: the health of the connector.
    CiscoDuoHealth,
}

/// One request. `Debug` does not show the rows.
#[derive(Clone, derive_more::Debug)]
#[debug("BatchRequest({} bytes)", body.len())]
pub struct BatchRequest {
    /// The destination table.
    pub table: Table,
    /// A JSON array of rows in the format of the API.
    pub body: Bytes,
    /// Whether `TimeGenerated` is the event time: a header of the Data Collector API.
    pub is_dated_by_event: bool,
    /// Date of the request.
    pub now: DateTime<Utc>,
    /// Timeout for the response.
    pub timeout: Duration,
}

impl Sink {
    /// Creates the client of the API in the settings without sending anything.
    ///
    /// # Errors
    ///
    /// The identity in the settings cannot be used.
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

    /// The ingestion API.
    pub const fn api(&self) -> IngestionApi {
        match self {
            Self::DataCollector(_) => IngestionApi::DataCollector,
            Self::LogsIngestion(_) => IngestionApi::LogsIngestion,
        }
    }

    /// Sends one request. Returns when Azure Monitor has accepted it.
    pub async fn send(&self, request: BatchRequest) -> Result<(), SendError> {
        match self {
            Self::DataCollector(sink) => sink.send(request).await,
            Self::LogsIngestion(sink) => sink.send(request).await,
        }
    }
}
