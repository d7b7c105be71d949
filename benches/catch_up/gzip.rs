//! What each level of gzip costs and saves, on calls as the connector makes them.

use std::fs;
use std::io::Write as _;
use std::time::Instant;

use comfy_table::{Table, presets};
use flate2::Compression;
use flate2::write::GzEncoder;
use simulator::LogType;

use crate::Fault;
use crate::tenant::{Road, Tenant, state_folder};

/// Authentication events.
const EVENTS: u64 = 20_000;
/// Largest call, in bytes.
const CALL: usize = 1_000_000;
/// Turns of which the quickest counts.
const TURNS: usize = 5;
const LEVELS: [u32; 7] = [1, 2, 3, 4, 5, 6, 9];

/// Measures every level and prints them.
pub(crate) async fn measure() -> Result<(), Fault> {
    let rows = state_folder()?;
    let volumes = [(LogType::Authentication, EVENTS)];
    let tenant = Tenant::start_keeping_rows(&volumes, rows.path()).await?;
    tenant.catch_up_by(Road::Plain).await?;
    // Behind the last row.
    tenant.simulator.report().await;
    let rows = fs::read_to_string(rows.path().join("CiscoDuo_CL.ndjson"))?;
    let calls = calls(&rows);
    let bytes: usize = calls.iter().map(Vec::len).sum();
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["level", "ms for 1 MB", "one part in"]);
    for level in LEVELS {
        let mut quickest = f64::INFINITY;
        let mut packed = 0;
        for _ in 0..TURNS {
            let started = Instant::now();
            packed = 0;
            for call in &calls {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::new(level));
                encoder.write_all(call)?;
                packed += encoder.finish()?.len();
            }
            quickest = quickest.min(started.elapsed().as_secs_f64());
        }
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let (bytes, packed) = (bytes as f64, packed as f64);
        table.add_row([
            level.to_string(),
            format!("{:.1}", quickest * 1_000.0 / (bytes / 1_000_000.0)),
            format!("{:.1}", bytes / packed),
        ]);
    }
    println!();
    for line in table.lines() {
        println!("{}", line.trim());
    }
    Ok(())
}

/// Rows, one a line, as calls.
fn calls(rows: &str) -> Vec<Vec<u8>> {
    let mut calls = vec![Vec::new()];
    for row in rows.lines() {
        let last = calls.last_mut().expect("there is always one");
        if last.is_empty() {
            last.push(b'[');
        } else if last.len() + row.len() + 2 > CALL {
            last.push(b']');
            calls.push(vec![b'[']);
        } else {
            last.push(b',');
        }
        calls
            .last_mut()
            .expect("there is always one")
            .extend_from_slice(row.as_bytes());
    }
    calls
}
