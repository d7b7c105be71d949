//! How each log fares: what is stored of it after a run, and the rows that tell it to the workspace.
//!
//! Everything here is in words of this program: the texts of Duo and of Azure Monitor stay in the log stream, because a page
//! and a table are read by more people.

mod activity;
mod code;
mod last_check;
mod log_health;
mod outcome;
mod row;

pub use activity::Activity;
pub use code::Code;
pub use last_check::{Found, LastCheck};
pub use log_health::{LogHealth, RunSeen, Standing, Trouble};
pub use outcome::Outcome;
pub(crate) use row::{Fields, Sender, body};
pub use row::{HourRow, RunRow};
