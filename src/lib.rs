//! Brings every Cisco Duo log into Microsoft Sentinel, without a gap.
//!
//! ```text
//! Functions host ──timer──▶ host      POST /CiscoDuoTimer
//!                             │
//!                          collect    one run; each log on its own, side by side
//!                             │
//!            ┌────────────────┼───────────────┐
//!            ▼                ▼               ▼
//!           plan            duo             state
//!      what to ask,     one signed      the place of each log and the
//!      what is new,     page of raw     ids delivered, in Blob Storage
//!      what to commit   records         or a folder
//!      (no I/O)           │
//!                       record          record → row: identity, time, kind
//!                         │
//!                       sink            one call to Azure Monitor; returns when accepted
//! ```
//!
//! [`sync`] is the heart: a state machine without I/O that decides everything. [`collector`] is the shell that does
//! what it says. The order of its steps is the promise: a page is fetched, the sink accepts a call, the ledger
//! records that call's ids, and only then the checkpoint moves.
//!
//! [`schema`] has every column of `CiscoDuo_CL`: from it come the rows of the Logs Ingestion API, the template of its rule, the
//! schema that queries are checked against, and docs/columns.md.
//!
//! [`settings`] reads the environment, [`http`] builds the HTTP clients, [`cli`] is the command line,
//! [`diagnostics`] looks at everything before it is needed, [`logging`] speaks to the host's log stream, [`release`] says which
//! program this is, and [`model`] holds the words they all share. Imports point one way; `tests/program/layers.rs` holds them to it.

pub mod cli;
pub mod collector;
pub mod diagnostics;
pub mod duo;
pub mod functions;
pub mod http;
mod identity;
pub mod ingestion;
pub mod logging;
pub mod model;
pub mod release;
pub mod schema;
pub mod settings;
pub mod status;
pub mod storage;
pub mod sync;
pub mod transform;
