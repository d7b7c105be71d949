//! Pages of the six logs, on their whole way: read, made into rows, and taken by the core.

use bytes::BytesMut;
use duo_sentinel::duo::parse_page;
use duo_sentinel::model::{IngestionApi, LogType, Millis};
use duo_sentinel::sync::{IngestKind, PageSeen};
use duo_sentinel::transform::{Call, Record, Records, RowForm, RowWriter};
use serde::de::IgnoredAny;

use crate::fuzz::core;
use crate::fuzz::damage::SECRET;
use crate::fuzz::drive::fuzz;
use crate::fuzz::rows::{assert_holds, assert_laid_out};

const HOST: &str = "api-x.duosecurity.com";

#[test]
fn authentication() {
    pages(
        LogType::Authentication,
        include_bytes!("pages/authentication.json"),
    );
}

#[test]
fn administrator() {
    pages(
        LogType::Administrator,
        include_bytes!("pages/administrator.json"),
    );
}

#[test]
fn telephony() {
    pages(LogType::Telephony, include_bytes!("pages/telephony.json"));
}

#[test]
fn offline_enrollment() {
    pages(
        LogType::OfflineEnrollment,
        include_bytes!("pages/offline_enrollment.json"),
    );
}

#[test]
fn trust_monitor() {
    pages(
        LogType::TrustMonitor,
        include_bytes!("pages/trust_monitor.json"),
    );
}

#[test]
fn activity() {
    pages(LogType::Activity, include_bytes!("pages/activity.json"));
}

fn pages(log_type: LogType, page: &[u8]) {
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
    assert_eq!(whole.records().len(), 2);
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
