//! The two calls of a run: a question to Duo, and rows to Azure Monitor.

use std::time::Duration;

use tracing::debug;

use super::Worker;
use crate::collector::report::Trouble;
use crate::duo::Question;
use crate::model::Millis;
use crate::status::Code;
use crate::sync::{Event, FetchFault, PageRequest, PageSeen, SendFault, Shipment};
use crate::transform::Records;

/// Longest wait for one answer.
const LONGEST_CALL: Duration = Duration::from_secs(30);
/// What a question asked at the end of a run may still take.
const SHORTEST_CALL: Duration = Duration::from_secs(5);

impl Worker<'_> {
    /// Asks Duo for a page.
    pub(super) async fn fetch(&mut self, request: &PageRequest) -> Event {
        self.records.clear();
        let now = self.clock.now();
        let duo = &self.collector.duo;
        let host = &self.collector.settings.duo.host;
        let mut reader = Records::new(self.log_type, host, self.collector.sink.api());
        let question = Question {
            log_type: self.log_type,
            request,
            now: now.date_time(),
            timeout: self.timeout(now),
            // The page before is not needed any more: its memory is used again.
            buffer: std::mem::take(&mut self.page).into_buffer(),
        };
        let asked = duo.page(question, &mut reader);
        // A question changes nothing: a process that is asked to end need not wait for the answer.
        let answer = tokio::select! {
            answer = asked => answer,
            () = self.interrupt.cancelled() => return Event::FetchFailed(FetchFault::Unreachable),
        };
        match answer {
            Ok(answer) => {
                self.trouble = None;
                self.page = answer.page;
                self.records = answer.records;
                debug!(events = self.records.len(), mintime = %request.mintime, "page");
                let seen = self.records.iter().zip(self.page.records());
                Event::Fetched {
                    page: PageSeen {
                        records: seen.map(|(record, text)| record.seen(text, host)).collect(),
                        cursor: self.page.cursor.clone(),
                        total: self.page.total,
                    },
                    server_time: answer.server_time,
                }
            }
            Err(fault) => {
                debug!(error = %fault, "no page");
                let trouble = Trouble {
                    code: Code::of_fetch(fault.fault),
                    http_status: fault.status,
                    message: fault.to_string(),
                    hint: fault.hint(),
                };
                if request.is_check {
                    self.check_trouble = Some(trouble.clone());
                }
                self.trouble = Some(trouble);
                Event::FetchFailed(fault.fault)
            }
        }
    }

    /// Sends rows in one call.
    pub(super) async fn send(&mut self, shipment: &Shipment) -> Event {
        let buffer = std::mem::take(&mut self.sent);
        let rows = shipment.records.iter().map(|&index| self.record(index));
        let now = self.clock.now();
        let call = self
            .collector
            .call(self.log_type, shipment.kind, rows, now, buffer);
        self.sent = call.body.clone();
        let bytes = call.body.len();
        // Never cut short by the run's end: rows whose answer comes too late would be sent again.
        let sent = self.collector.sink.send(call).await;
        match sent {
            Ok(()) => {
                self.trouble = None;
                debug!(events = shipment.records.len(), bytes, "accepted");
                for &index in &shipment.records {
                    for name in self.records[index].without_column() {
                        self.fields.count(name);
                    }
                }
                Event::Accepted
            }
            Err(fault) => {
                debug!(error = %fault, events = shipment.records.len(), bytes, "not accepted");
                if let [alone] = shipment.records[..]
                    && matches!(fault.fault, SendFault::BadRecord | SendFault::TooLarge)
                {
                    let text = self.page.record(alone);
                    let record = &self.records[alone];
                    self.asides.refused(record, text, &fault);
                }
                let hint = fault.hint().map(str::to_owned);
                self.trouble = Some(Trouble {
                    code: if fault.lacks_token {
                        Code::AzureNoToken
                    } else {
                        Code::of_send(fault.fault)
                    },
                    http_status: fault.status,
                    message: fault.to_string(),
                    hint,
                });
                Event::SendFailed(fault.fault)
            }
        }
    }

    /// How long a call begun now may take.
    fn timeout(&self, now: Millis) -> Duration {
        let left = Duration::from_millis(u64::try_from(self.deadline - now).unwrap_or(0));
        left.clamp(SHORTEST_CALL, LONGEST_CALL)
    }
}
