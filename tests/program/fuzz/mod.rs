//! Every parser that meets the outside, with documents that were whole and with bytes that never were; see
//! CONTRIBUTING.md. Nothing may panic, hang, or take memory without a bound, and no error may show what was inside.

mod core;
mod damage;
mod drive;
mod duo_pages;
mod invocation;
mod rows;
mod settings;
mod stored;
mod stored_health;
