//! duo-sentinel
pub mod model;
pub mod plan;
