//! MAIL: a message begins (RFC 5321 §4.1.1.2), with SIZE (RFC 1870), BODY (RFC 6152) and SMTPUTF8 (RFC 6531).

use mail::address::AddressKey;

use crate::chunk::Chunks;
use crate::config::Config;
use crate::envelope::Envelope;
use crate::path::Path;
use crate::reply::{self, Reply};
use crate::session::{Flow, Session};

impl Session {
    pub(crate) fn mail(&mut self, argument: &str) -> Flow {
        if self.helo.is_none() {
            return self.fail(&reply::GREET_FIRST);
        }
        if self.envelope.is_some() {
            return self.fail(&reply::MAIL_OPEN);
        }
        match read(argument, &self.config) {
            Ok(envelope) => self.begin(envelope),
            Err(reply) => self.fail(&reply),
        }
    }
}

/// Which parameters followed the path; each is allowed once.
#[derive(Default)]
struct Parameters {
    size: Option<u64>,
    body_8bit: Option<bool>,
    smtputf8: bool,
}

fn read(argument: &str, config: &Config) -> Result<Envelope, Reply> {
    let path = Path::read(argument, "FROM:").ok_or(reply::MAIL_SYNTAX)?;
    let mut parameters = Parameters::default();
    for (keyword, value) in path.parameters() {
        parameters.take(keyword, value)?;
    }
    if parameters.size.is_some_and(|size| size > config.max_mail_bytes) {
        return Err(reply::TOO_LARGE);
    }
    if !path.address.is_ascii() && !parameters.smtputf8 {
        return Err(reply::NEEDS_SMTPUTF8);
    }
    let mail_from = match path.address {
        "" => None,
        address => Some(AddressKey::parse(address).map_err(|_| reply::SENDER_INVALID)?),
    };
    Ok(Envelope {
        mail_from,
        as_written: path.address.to_owned(),
        smtputf8: parameters.smtputf8,
        body_8bit: parameters.body_8bit.unwrap_or(false),
        recipients: Vec::new(),
        chunks: Chunks::None,
    })
}

impl Parameters {
    fn take(&mut self, keyword: &str, value: Option<&str>) -> Result<(), Reply> {
        let is_second = match keyword.to_ascii_uppercase().as_str() {
            "SIZE" => self.size.replace(size(value)?).is_some(),
            "BODY" => self.body_8bit.replace(is_8bit(value)?).is_some(),
            "SMTPUTF8" if value.is_none() => std::mem::replace(&mut self.smtputf8, true),
            "SMTPUTF8" => return Err(reply::PARAMETER_INVALID),
            _ => return Err(reply::PARAMETER_UNKNOWN),
        };
        if is_second { Err(reply::PARAMETER_INVALID) } else { Ok(()) }
    }
}

/// RFC 1870 §4: one to twenty digits. Anything that does not fit into 64 bits exceeds any limit.
fn size(value: Option<&str>) -> Result<u64, Reply> {
    let digits = value.unwrap_or_default();
    if !(1..=20).contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(reply::PARAMETER_INVALID);
    }
    Ok(digits.parse().unwrap_or(u64::MAX))
}

/// RFC 6152 §2; BINARYMIME is not offered.
fn is_8bit(value: Option<&str>) -> Result<bool, Reply> {
    match value.unwrap_or_default().to_ascii_uppercase().as_str() {
        "7BIT" => Ok(false),
        "8BITMIME" => Ok(true),
        _ => Err(reply::PARAMETER_INVALID),
    }
}
