//! The status page and its JSON as people and programs meet them: through the Functions host, on stored results, in a browser.

mod access;
mod command;
mod faults;
mod looks;
mod privacy;
mod quiet;
mod schema;

use crate::common::{app, history};
