//! Which certificate do the doors show?

use super::Finding;
use crate::config::Loaded;

pub(super) fn check(loaded: &Loaded) -> Finding {
    if loaded.config.tls.certificate_file.is_some() {
        return Finding::ok("tls", "STARTTLS with your certificate");
    }
    Finding::ok(
        "tls",
        "STARTTLS with a self-signed certificate; other servers encrypt to it without checking its name",
    )
}
