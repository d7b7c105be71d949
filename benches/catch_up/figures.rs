//! The figures, one function each.

use std::time::{Duration, Instant};

use simulator::{FunctionsHost, LogType};

use crate::bare;
use crate::child::Usage;
use crate::table::{self, Figure};
use crate::tenant::{IngestionApi, PROGRAM, Tenant, state_folder};
use crate::{Fault, day, idle};

/// Sizes of the measurements.
pub(crate) struct Sizes {
    /// Authentication events of the CPU figure.
    cpu_events: u64,
    /// Turns of the CPU figure, of which the median counts.
    cpu_runs: usize,
    /// Authentication events of the wall-time figure.
    wall_events: u64,
    /// Authentication events of the memory figure for one log.
    memory_events: [u64; 2],
    /// Thousandths of [`ALL_LOGS`] of the memory figure for all logs.
    all_logs_per_mille: u64,
    /// Ticks of the figure for an idle function app.
    idle_ticks: u32,
    /// Starts, of which the median counts.
    starts: usize,
}

impl Sizes {
    pub(crate) const FULL: Self = Self {
        cpu_events: 200_000,
        cpu_runs: 7,
        wall_events: 100_000,
        memory_events: [10_000, 1_000_000],
        all_logs_per_mille: 1_000,
        idle_ticks: 1_000,
        starts: 20,
    };
    pub(crate) const QUICK: Self = Self {
        cpu_events: 20_000,
        cpu_runs: 3,
        wall_events: 10_000,
        memory_events: [5_000, 50_000],
        all_logs_per_mille: 100,
        idle_ticks: 300,
        starts: 5,
    };
}

/// Events of the memory figure for all logs at once.
const ALL_LOGS: [(LogType, u64); 6] = [
    (LogType::Authentication, 150_000),
    (LogType::Activity, 100_000),
    (LogType::Telephony, 50_000),
    (LogType::Administrator, 30_000),
    (LogType::OfflineEnrollment, 10_000),
    (LogType::TrustMonitor, 10_000),
];
/// Latency of a response in the wall-time figure.
const PAGE_LATENCY: Duration = Duration::from_millis(100);
const POST_LATENCY: Duration = Duration::from_millis(50);
const MEBIBYTE: f64 = 1_048_576.0;

/// Measures and prints the selected figures, by default all but `day`.
pub(crate) async fn measure(sizes: &Sizes, selected: &[&str]) -> Result<(), Fault> {
    let is_selected = |name: &str| selected.is_empty() || selected.contains(&name);
    let mut figures = Vec::new();
    if is_selected("cpu") {
        figures.extend(cpu(sizes).await?);
    }
    if is_selected("wall") {
        figures.push(wall(sizes).await?);
    }
    if is_selected("memory") {
        figures.extend(memory(sizes).await?);
    }
    if is_selected("idle") {
        figures.push(idle::measure(sizes.idle_ticks).await?);
    }
    if is_selected("start") {
        figures.push(start(sizes).await?);
    }
    if is_selected("size") {
        figures.push(size()?);
    }
    // Only if selected: it takes minutes, and needs a program whose clock can be set.
    if selected.contains(&"day") {
        if !cfg!(feature = "demo") {
            return Err("\"day\" needs the feature demo".into());
        }
        figures.extend(day::measure().await?);
    }
    if !figures.is_empty() {
        table::print(&figures);
    }
    Ok(())
}

/// CPU times of the connector and the bare program in milliseconds, and their ratio per turn.
#[derive(Default)]
struct Turns {
    connector: Vec<f64>,
    bare: Vec<f64>,
    ratios: Vec<f64>,
}

impl Turns {
    fn add(&mut self, connector: Usage, bare: Usage) {
        let (connector, bare) = (milliseconds(connector), milliseconds(bare));
        self.connector.push(connector);
        self.bare.push(bare);
        self.ratios.push(connector / bare);
    }

    fn figure(mut self, name: String, bound: f64, more: &str) -> Figure {
        let turns = self.ratios.len();
        let (connector, bare) = (median(&mut self.connector), median(&mut self.bare));
        let detail = format!("{connector:.0} ms against {bare:.0} ms, {turns} turns{more}");
        Figure { name, value: median(&mut self.ratios), bound, unit: "x", detail }
    }
}

fn milliseconds(usage: Usage) -> f64 {
    usage.cpu.as_secs_f64() * 1_000.0
}

/// CPU time of the connector relative to the bare program, one run of each per turn: with the Data
/// Collector API, the Logs Ingestion API uncompressed, and the cost and effect of gzip.
///
/// Other load on the machine slows down a whole turn, so the ratio is taken within each turn.
async fn cpu(sizes: &Sizes) -> Result<[Figure; 2], Fault> {
    let tenant = authentication(sizes.cpu_events, Duration::ZERO, Duration::ZERO).await?;
    let (mut collector, mut ingestion, mut compressed) =
        (Turns::default(), Turns::default(), vec![]);
    let mut packed = 1.0;
    for _ in 0..sizes.cpu_runs {
        // With this API there is one request per page with rows.
        let by_collector = tenant.catch_up(IngestionApi::DataCollector).await?;
        let pages = by_collector.posts;
        collector.add(by_collector.usage, bare::repeat(&tenant, &by_collector, pages).await?);
        let plain = tenant.catch_up(IngestionApi::Plain).await?;
        let gzip = tenant.catch_up(IngestionApi::Compressed).await?;
        ingestion.add(plain.usage, bare::repeat(&tenant, &plain, pages).await?);
        compressed.push(milliseconds(gzip.usage) - milliseconds(plain.usage));
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let part = gzip.posted as f64 / gzip.sent as f64;
        packed = part;
    }
    let events = sizes.cpu_events;
    let more = median(&mut compressed);
    let more = format!("; gzip takes {more:.0} ms more and sends one part in {packed:.1}");
    Ok([
        collector.figure(format!("CPU, {events} authentication events"), 4.0, ""),
        ingestion.figure(format!("CPU, same by Logs Ingestion, {events} events"), 8.0, &more),
    ])
}

/// Wall time relative to the sum of the configured latencies.
async fn wall(sizes: &Sizes) -> Result<Figure, Fault> {
    let tenant = authentication(sizes.wall_events, PAGE_LATENCY, POST_LATENCY).await?;
    let caught_up = tenant.catch_up(IngestionApi::DataCollector).await?;
    let latencies = PAGE_LATENCY * u32::try_from(caught_up.requests)?
        + POST_LATENCY * u32::try_from(caught_up.posts)?;
    Ok(Figure {
        name: format!("wall time, {} authentication events", sizes.wall_events),
        value: caught_up.usage.wall.as_secs_f64() / latencies.as_secs_f64(),
        bound: 1.2,
        unit: "x",
        detail: format!(
            "{:.2} s against {:.2} s: {} pages of {} ms, {} posts of {} ms",
            caught_up.usage.wall.as_secs_f64(),
            latencies.as_secs_f64(),
            caught_up.requests,
            PAGE_LATENCY.as_millis(),
            caught_up.posts,
            POST_LATENCY.as_millis(),
        ),
    })
}

/// Peak memory: one log with a short and with a long backlog, and all logs at once.
async fn memory(sizes: &Sizes) -> Result<Vec<Figure>, Fault> {
    let mut figures = Vec::new();
    let [short, long] = sizes.memory_events;
    for (events, api, by) in [
        (short, IngestionApi::DataCollector, ""),
        (long, IngestionApi::DataCollector, ""),
        (long, IngestionApi::Compressed, ", through Logs Ingestion"),
    ] {
        let name = format!("peak memory, {events} authentication events{by}");
        let volumes = [(LogType::Authentication, events)];
        figures.push(peak_memory(name, &volumes, Duration::ZERO, api, 32.0).await?);
    }
    let volumes = ALL_LOGS.map(|(log, events)| (log, events * sizes.all_logs_per_mille / 1_000));
    let events: u64 = volumes.iter().map(|(_, events)| events).sum();
    let name = format!("peak memory, {events} events of six logs at once");
    // All logs keep a page and its rows in memory while they wait for Azure Monitor.
    for (api, by) in
        [(IngestionApi::DataCollector, ""), (IngestionApi::Compressed, ", through Logs Ingestion")]
    {
        let name = format!("{name}{by}");
        figures.push(peak_memory(name, &volumes, POST_LATENCY, api, 64.0).await?);
    }
    Ok(figures)
}

async fn peak_memory(
    name: String,
    volumes: &[(LogType, u64)],
    post_latency: Duration,
    api: IngestionApi,
    bound: f64,
) -> Result<Figure, Fault> {
    let tenant = Tenant::start(volumes, Duration::ZERO, post_latency).await?;
    let caught_up = tenant.catch_up(api).await?;
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let bytes = caught_up.usage.peak_memory as f64;
    Ok(Figure {
        name,
        value: bytes / MEBIBYTE,
        bound,
        unit: "MiB",
        detail: format!("{:.1} s of CPU", caught_up.usage.cpu.as_secs_f64()),
    })
}

/// Time from the start of the process to its first response.
async fn start(sizes: &Sizes) -> Result<Figure, Fault> {
    let tenant = authentication(1, Duration::ZERO, Duration::ZERO).await?;
    let state = state_folder()?;
    let settings = tenant.settings(state.path());
    let mut times = Vec::new();
    for _ in 0..sizes.starts {
        let settings = settings.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        let started = Instant::now();
        let mut host = FunctionsHost::start(PROGRAM, settings).await?;
        times.push(started.elapsed().as_secs_f64() * 1_000.0);
        host.kill().await?;
    }
    Ok(Figure {
        name: "start to first response".to_owned(),
        value: median(&mut times),
        bound: 50.0,
        unit: "ms",
        detail: format!(
            "median of {}; {:.0} to {:.0} ms",
            times.len(),
            times[0],
            times[times.len() - 1]
        ),
    })
}

fn size() -> Result<Figure, Fault> {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let bytes = std::fs::metadata(PROGRAM)?.len() as f64;
    let detail = if cfg!(feature = "demo") {
        "with the simulators; the deployed one is smaller (--no-default-features)"
    } else {
        "without the simulators, as deployed"
    };
    Ok(Figure {
        name: "size of the binary".to_owned(),
        value: bytes / 1_000_000.0,
        bound: 12.0,
        unit: "MB",
        detail: detail.to_owned(),
    })
}

async fn authentication(
    events: u64,
    page_latency: Duration,
    post_latency: Duration,
) -> Result<Tenant, Fault> {
    let volumes = [(LogType::Authentication, events)];
    Tenant::start(&volumes, page_latency, post_latency).await
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}
