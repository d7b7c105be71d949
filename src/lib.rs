//! duo-sentinel
pub mod duo;
pub mod model;
pub mod plan;
pub mod record;
pub mod settings;
