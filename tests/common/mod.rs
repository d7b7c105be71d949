//! Shared by the integration tests: a minimal Functions host, Azurite, settings and small tenants.

#![allow(dead_code, reason = "each test binary uses a part")]
#![allow(unused_imports, reason = "each test binary uses a part")]

pub(crate) mod app;
mod azurite;
mod child;
mod expected;
mod functions_host;
pub(crate) mod history;
mod number;
mod package;
mod proxy;
mod response;
mod schema;
mod script;
mod settings;
mod shared_access;
mod storage;
mod tenant;
mod terminal;
mod timer;
mod tools;
mod wire;

pub(crate) use azurite::{ACCOUNT, ACCOUNT_KEY, Azurite};
pub(crate) use expected::assert_expected;
pub(crate) use functions_host::{FunctionsHost, RESTART, free_port, running, running_with};
pub(crate) use number::{number, text};
pub(crate) use package::{binary, handler};
pub(crate) use proxy::{Failure, Proxied, Proxy, StorageFault};
pub(crate) use response::Invocation;
pub(crate) use schema::{against_schema, schema};
pub(crate) use script::run_script;
pub(crate) use settings::Settings;
pub(crate) use shared_access::account_signature;
pub(crate) use storage::{Container, checkpoint_name, client};
pub(crate) use tenant::{
    PAGE, assert_nothing_lost, events_in, in_one_hour, telephony_id, tenant, tenant_with_rule,
};
pub(crate) use terminal::{duo_sentinel, shown};
pub(crate) use timer::{Body, timer};
pub(crate) use tools::{accepted_rows, files, originals, temporary_folder, tool};
pub(crate) use wire::{Response, get, post, request};
