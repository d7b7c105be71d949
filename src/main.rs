//! duo-sentinel
fn main() {}
