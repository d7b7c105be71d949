//! The tables of a workspace, as queries find them.

mod column;
mod declared;
mod forms;

pub use column::{Column, ColumnType};
pub(crate) use declared::{fit, readable};
