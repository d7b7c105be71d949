//! Every parser of external input, with damaged documents and with raw bytes; see CONTRIBUTING.md.
//! No input may cause a panic, a hang, unlimited memory, or an error that shows its content.

mod core;
mod damage;
mod drive;
mod duo_pages;
mod invocation;
mod rows;
mod settings;
mod stored;
mod stored_health;
