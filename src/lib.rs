//! Delivers every Cisco Duo log to Microsoft Sentinel, without gaps.
//!
//! ```text
//! Functions host ──timer──▶ functions    POST /CiscoDuoTimer
//!                               │
//!                           collector    one run of every log, concurrently
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
//! [`sync`] is the core: straight-line code over the [`sync::Ports`] trait, which [`collector`]
//! implements with the real services and the tests with simulated ones. Its order of steps is what
//! makes delivery reliable: a page is fetched, Azure Monitor accepts a batch, the ledger records
//! the batch's ids, and only then the checkpoint advances.
//!
//! docs/ARCHITECTURE.md describes the modules; `tests/program/layers.rs` enforces import order.

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
