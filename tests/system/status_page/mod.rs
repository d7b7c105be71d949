//! The status page and its JSON through the Functions host, with stored results, and in a browser.

mod access;
mod accessibility;
mod command;
mod faults;
mod privacy;
mod quiet;
mod schema;

use crate::common::{app, history};
