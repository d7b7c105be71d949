//! The tables of a workspace, as queries find them.
//!
//! Each API fills separate tables, as in two workspaces, so that they can be compared.

mod canonical;
mod column;
mod declared;
mod flatten;
mod forms;
mod table;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

pub(crate) use canonical::canonical;
pub use column::{Column, ColumnType};
pub(crate) use declared::{readable, written};
pub use flatten::columns;
pub(crate) use flatten::{Leaf, clean, leaves, place, text_of};
pub(crate) use forms::guid;
pub(crate) use table::{FittedRow, TIME_GENERATED, fitted};
pub use table::{Table, TableRow};

use crate::json::Members;
use crate::{Config, IngestionApi, StreamDeclaration};

/// Maximum bytes of a value in the Data Collector API: 32 KB, read as the smaller unit. Longer
/// values are truncated silently.
/// <https://learn.microsoft.com/azure/azure-monitor/logs/data-collector-api#data-limits>
pub(crate) const LARGEST_COLLECTED: usize = 32_000;

/// Maximum columns of a table. Past them, further fields of the Data Collector API go to the dynamic
/// column `AdditionalFields`.
/// <https://learn.microsoft.com/azure/azure-monitor/service-limits#log-analytics-workspaces>
pub(crate) const MOST_COLUMNS: usize = 500;

/// The same for the Logs Ingestion API: 64 KB.
/// <https://learn.microsoft.com/azure/azure-monitor/service-limits#logs-ingestion-api>
pub(crate) const LARGEST_INGESTED: usize = 64_000;

/// The origin of rows.
#[derive(Clone, Debug)]
pub(crate) enum Origin {
    /// The Data Collector API, with the `time-generated-field`.
    DataCollector { time_field: Option<String> },
    /// The Logs Ingestion API, with the name of the stream.
    LogsIngestion { stream: String },
}

impl Origin {
    pub(crate) fn api(&self) -> IngestionApi {
        match self {
            Self::DataCollector { .. } => IngestionApi::DataCollector,
            Self::LogsIngestion { .. } => IngestionApi::LogsIngestion,
        }
    }
}

/// All tables with stored rows.
#[derive(Debug)]
pub(crate) struct Tables {
    kept: bool,
    streams: Vec<StreamDeclaration>,
    by_name: BTreeMap<(IngestionApi, String), Table>,
}

impl Tables {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            kept: config.keep_tables,
            streams: config.logs_ingestion.streams.clone(),
            by_name: BTreeMap::new(),
        }
    }

    pub(crate) fn is_enabled(&self) -> bool {
        self.kept
    }

    /// Stores an accepted row.
    pub(crate) fn store(
        &mut self,
        table: &str,
        origin: &Origin,
        row: &Members<'_>,
        received: DateTime<Utc>,
    ) {
        if !self.is_enabled() {
            return;
        }
        let api = origin.api();
        let streams = &self.streams;
        let table = self
            .by_name
            .entry((api, table.to_owned()))
            .or_insert_with(|| Table::new(table, api, streams));
        match origin {
            Origin::DataCollector { time_field } => {
                table.collect(row, time_field.as_deref(), received, LARGEST_COLLECTED);
            }
            Origin::LogsIngestion { stream } => {
                let declared = streams.iter().find(|it| it.name() == stream);
                if let Some(declared) = declared {
                    table.ingest(row, declared, received, LARGEST_INGESTED);
                }
            }
        }
    }

    /// A copy of a table in its current state.
    pub(crate) fn table(&self, api: IngestionApi, name: &str) -> Option<Table> {
        self.by_name.get(&(api, name.to_owned())).cloned()
    }
}
