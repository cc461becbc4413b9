//! The log: lines on standard error, for people or for programs.

use std::any::Any;
use std::io::IsTerminal as _;

use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::{Log, LogFormat};

/// Starts the log of this process.
pub(super) fn start(log: &Log) {
    // The configuration has checked it; `info` is the default there too.
    let filter: Targets =
        log.level.parse().unwrap_or_else(|_| Targets::new().with_default(tracing::Level::INFO));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = match log.format {
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
        LogFormat::Text => lines.with_target(false).with_ansi(std::io::stderr().is_terminal()).boxed(),
    };
    // Only one log per process: a second start keeps the first.
    let _ = tracing_subscriber::registry().with(lines.with_filter(filter)).try_init();
    std::panic::set_hook(Box::new(|panic| {
        let text = text_of(panic.payload());
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "A task panicked: {text}");
    }));
}

/// What a panic says, where it is certain to quote no mail: a text that stands in the source as it is.
fn text_of(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&'static str>()
        .copied()
        .unwrap_or("its text is left out, since it may quote a mail")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_that_may_quote_a_mail_is_not_logged_word_for_word() {
        let word = "Grüße";
        let quoted = std::panic::catch_unwind(|| word.split_at(3)).unwrap_err();
        assert_eq!(text_of(&*quoted), "its text is left out, since it may quote a mail");
        let plain = std::panic::catch_unwind(|| panic!("plain push and take")).unwrap_err();
        assert_eq!(text_of(&*plain), "plain push and take");
    }
}
