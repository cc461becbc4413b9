//! The process's counters and histograms: one recorder, every name described, names that stay present from the first scrape.

use std::sync::OnceLock;

use desk::ledger::Outcome;
use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

/// Quantiles of the histograms, over the last minute.
const QUANTILES: [f64; 4] = [0.5, 0.9, 0.99, 1.0];

/// Installs the recorder once and returns its handle.
pub(super) fn install() -> PrometheusHandle {
    static INSTALLED: OnceLock<PrometheusHandle> = OnceLock::new();
    INSTALLED.get_or_init(make).clone()
}

fn make() -> PrometheusHandle {
    let builder = PrometheusBuilder::new();
    // Refused only when the list is empty; the exporter's own quantiles hold ours.
    let builder = builder.set_quantiles(&QUANTILES).unwrap_or_else(|_| PrometheusBuilder::new());
    let recorder = builder.build_recorder();
    let handle = recorder.handle();
    // Fails only when another recorder is there, which nothing in this program installs.
    if metrics::set_global_recorder(recorder).is_err() {
        tracing::warn!("Metrics stay empty: another recorder was installed first");
    }
    describe();
    begin();
    handle
}

fn describe() {
    describe_counter!("guichet_mails_accepted_total", "Mails answered with 250 after they were durable");
    describe_counter!("guichet_mails_decided_total", "Mails decided, by outcome; counted after the commit");
    describe_counter!("guichet_mails_delivered_total", "Delivery attempts to recipients, by result");
    describe_histogram!(
        "guichet_mail_decide_seconds",
        Unit::Seconds,
        "From the last byte of a mail to the commit of its outcome"
    );
    describe_gauge!("guichet_spool_mails", "Mails accepted and not decided yet");
    describe_gauge!("guichet_outbox_recipients", "Recipients of outgoing mail that are not done, by state");
    describe_gauge!("guichet_database_bytes", Unit::Bytes, "Size of the database");
    describe_gauge!("process_resident_memory_bytes", Unit::Bytes, "Resident memory of this process");
}

/// Starts the counters at 0: one that appears only with its first event hides that event from `rate()`.
fn begin() {
    counter!("guichet_mails_accepted_total").increment(0);
    for outcome in Outcome::ALL {
        counter!("guichet_mails_decided_total", "outcome" => outcome.as_str()).increment(0);
    }
}
