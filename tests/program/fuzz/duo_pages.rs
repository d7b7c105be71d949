//! Pages of the six logs: parsed, written as rows, and run through the core.

use bytes::BytesMut;
use duo_sentinel::duo::parse_page;
use duo_sentinel::model::{IngestKind, IngestionApi, LogType, Millis, Record};
use duo_sentinel::transform::{BatchFields, Records, RowLimits, RowWriter};
use serde::de::IgnoredAny;
use simulator::Config;

use crate::fuzz::core;
use crate::fuzz::damage::SECRET;
use crate::fuzz::drive::fuzz;
use crate::fuzz::rows::{assert_holds, assert_laid_out};

const HOST: &str = "api-x.duosecurity.com";

#[test]
fn pages() {
    for log_type in LogType::ALL {
        let of_simulator = simulator::LogType::ALL.into_iter();
        let mut of_simulator = of_simulator.filter(|log| log.name() == log_type.as_str());
        let log = of_simulator.next().expect("the simulator has every log");
        let config = Config { volumes: [(log, 3)].into(), ..Config::default() };
        pages_of(*log_type, simulator::page(config, log).as_bytes());
    }
}

fn pages_of(log_type: LogType, page: &[u8]) {
    let read = |body: &[u8], api: IngestionApi, largest_value| {
        let limits = RowLimits { largest_value, ..RowLimits::from(api) };
        let mut reader = Records::new(log_type, HOST, limits);
        parse_page(&log_type.spec(), body.to_vec(), |page, scanner| {
            reader.read(page, scanner).map(Some)
        })
    };
    let writer = |api| {
        let fields = BatchFields {
            log_type,
            host: HOST,
            kind: IngestKind::Live,
            batch: "00000000000000000001",
            sent_at: Millis(1_795_348_800_000),
            is_dated_by_event: false,
        };
        RowWriter::new(api, &fields)
    };
    let parse = |body: &[u8]| read(body, IngestionApi::DataCollector, usize::MAX);
    let whole = parse(page).expect("a valid page is parsed");
    assert_eq!(whole.records.len(), 3);
    let name = format!("page of {log_type}");
    fuzz(&name, &[page], |body| match parse(body) {
        Err(error) => assert!(!error.contains(SECRET), "{error}"),
        Ok(page) => {
            let row = |api, record: &Record| {
                let mut row = BytesMut::new();
                writer(api).write(&mut row, record);
                assert!(row.len() <= record.row_bytes, "{row:?}");
                row
            };
            for record in &page.records {
                let row = row(IngestionApi::DataCollector, record);
                assert_holds(&row, record.text(), log_type, record);
            }
            let flat = read(body, IngestionApi::LogsIngestion, 64_000)
                .expect("the page was parsed before");
            for (record, other) in flat.records.iter().zip(&page.records) {
                let row = row(IngestionApi::LogsIngestion, record);
                assert_laid_out(&row, record.text(), record);
                assert_eq!(record.key, other.key);
            }
            // With a tiny limit for values, they are truncated, but every row is valid JSON.
            for api in [IngestionApi::DataCollector, IngestionApi::LogsIngestion] {
                let truncated = read(body, api, 16).expect("the page was parsed before");
                for record in &truncated.records {
                    let row = row(api, record);
                    let row: Result<IgnoredAny, _> = serde_json::from_slice(&row);
                    assert!(row.is_ok(), "{row:?}");
                }
            }
            core::take(log_type, page);
        }
    });
}
