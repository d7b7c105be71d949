//! Brings every Cisco Duo log into Microsoft Sentinel, without a gap.
//!
//! ```text
//! Functions host ──timer──▶ functions    POST /CiscoDuoTimer
//!                               │
//!                           collector    one run; each log on its own, side by side
//!                               │
//!                             sync       one run of one log: windows, deduplication, delivery,
//!                               │        reconciliation, checkpoint; no I/O of its own
//!              ┌────────────────┼──────────────────┐
//!              ▼                ▼                  ▼
//!             duo           ingestion           storage
//!        signed pages,   batches to Azure    checkpoint, ledger and results
//!        via transform   Monitor             of each log; dead letters
//! ```
//!
//! [`sync`] is the core: straight-line code over its [`sync::Ports`], which [`collector`] implements with the real services
//! and the tests with simulated ones. The order of its steps is the promise: a page is fetched, Azure Monitor accepts a batch,
//! the ledger records that batch's ids, and only then the checkpoint advances.
//!
//! docs/ARCHITECTURE.md says what every module holds. Imports point one way; `tests/program/layers.rs` holds them to it.

pub mod cli;
pub mod collector;
mod diagnostics;
pub mod duo;
pub mod functions;
pub mod http;
mod identity;
pub mod ingestion;
pub mod json;
pub mod logging;
pub mod model;
mod release;
pub mod schema;
pub mod settings;
pub mod status;
pub mod storage;
pub mod sync;
pub mod transform;
