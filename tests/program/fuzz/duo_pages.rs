//! Pages of the six logs, on their whole way: read, made into rows, and taken by the core.

use bytes::BytesMut;
use duo_sentinel::duo::parse_page;
use duo_sentinel::model::{IngestionApi, LogType, Millis};
use duo_sentinel::sync::{IngestKind, PageSeen};
use duo_sentinel::transform::{Call, Record, Records, RowForm, RowWriter};
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
        let log = of_simulator.next().expect("both know all logs");
        let config = Config {
            volumes: [(log, 3)].into(),
            ..Config::default()
        };
        pages_of(log_type, simulator::page(config, log).as_bytes());
    }
}

fn pages_of(log_type: LogType, page: &[u8]) {
    let read = |body: &[u8], api: IngestionApi, largest_value| {
        let form = RowForm {
            largest_value,
            ..RowForm::from(api)
        };
        let mut reader = Records::new(log_type, HOST, form);
        parse_page(&log_type.spec(), body.to_vec(), &mut reader)
    };
    let writer = |api| {
        let call = Call {
            log_type,
            host: HOST,
            kind: IngestKind::Live,
            batch: "00000000000000000001",
            sent_at: Millis(1_795_348_800_000),
            is_dated_by_event: false,
        };
        RowWriter::new(api, &call)
    };
    let answer = |body: &[u8]| read(body, IngestionApi::DataCollector, usize::MAX);
    let (whole, _) = answer(page).expect("a page as Duo sends it is read");
    assert_eq!(whole.records().len(), 3);
    let name = format!("page of {log_type}");
    fuzz(&name, &[page], |body| match answer(body) {
        Err(fault) => assert!(!fault.contains(SECRET), "{fault}"),
        Ok((page, records)) => {
            assert_eq!(page.records().len(), records.len());
            let row = |api, text: &str, record: &Record| {
                let mut row = BytesMut::new();
                writer(api).write(&mut row, text, record);
                assert!(row.len() <= record.longest_row(text, HOST), "{row:?}");
                row
            };
            for (text, record) in page.records().zip(&records) {
                let row = row(IngestionApi::DataCollector, text, record);
                assert_holds(&row, text, log_type, record);
            }
            let flat = read(body, IngestionApi::LogsIngestion, 64_000).expect("it was read before");
            for ((text, record), other) in page.records().zip(&flat.1).zip(&records) {
                let row = row(IngestionApi::LogsIngestion, text, record);
                assert_laid_out(&row, text, record);
                assert_eq!(record.id, other.id);
            }
            // Once more as if the service kept next to nothing of a value: cut, but rows all the same.
            for api in [IngestionApi::DataCollector, IngestionApi::LogsIngestion] {
                let (_, cut) = read(body, api, 16).expect("it was read before");
                for (text, record) in page.records().zip(&cut) {
                    let row = row(api, text, record);
                    let row: Result<IgnoredAny, _> = serde_json::from_slice(&row);
                    assert!(row.is_ok(), "{row:?}");
                }
            }
            let texts = page.records().zip(&records);
            let seen = PageSeen {
                records: texts
                    .map(|(text, record)| record.seen(text, HOST))
                    .collect(),
                cursor: page.cursor.clone(),
                total: page.total,
            };
            core::take(log_type, seen);
        }
    });
}
