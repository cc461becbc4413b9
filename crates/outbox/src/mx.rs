//! Where mail for a domain goes: its mail exchangers, and their addresses.
//!
//! RFC 5321 §5.1 (order, address records in place of MX), RFC 7505 (a domain that takes no mail). A negative answer
//! bounces mail, so only one that carries the zone's SOA record is believed (RFC 2308 §2); everything doubtful is
//! "ask again later".

use std::net::{IpAddr, SocketAddr};

use hickory_resolver::{
    TokioResolver,
    config::{ConnectionConfig, NameServerConfig, ResolverConfig},
    net::{DnsError, NetError, runtime::TokioRuntimeProvider},
    proto::{op::ResponseCode, rr::RData},
};

use crate::attempt::Trouble;

/// The most addresses of one exchanger that are tried.
const ADDRESSES_LIMIT: usize = 4;

/// Asks the domain name system; cheap to share, answers are cached for their time to live.
#[derive(Debug)]
pub(crate) struct Exchangers {
    resolver: TokioResolver,
    own_name: String,
    allow_loopback: bool,
}

/// One host that takes mail for a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Exchanger {
    /// Lower values come first.
    pub(crate) preference: u16,
    /// Lower-cased, without a final dot; or an address literal in brackets.
    pub(crate) host: String,
}

impl Exchangers {
    /// Prepares to ask `dns_servers`, or the system's if there are none.
    pub(crate) fn new(
        dns_servers: &[SocketAddr],
        own_name: &str,
        allow_loopback: bool,
    ) -> Result<Self, NetError> {
        let builder = if dns_servers.is_empty() {
            TokioResolver::builder_tokio()?
        } else {
            let servers = dns_servers.iter().map(name_server).collect();
            let config = ResolverConfig::from_name_servers(servers);
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        };
        let own_name = own_name.to_ascii_lowercase();
        Ok(Self { resolver: builder.build()?, own_name, allow_loopback })
    }

    /// Returns the exchangers of `domain` (A-labels or an address literal), in any order; never an empty
    /// list.
    pub(crate) async fn of_domain(&self, domain: &str) -> Result<Vec<Exchanger>, Trouble> {
        let itself = Exchanger { preference: 0, host: domain.to_owned() };
        if domain.starts_with('[') {
            return Ok(vec![itself]);
        }
        let found = match self.resolver.mx_lookup(format!("{domain}.")).await {
            Ok(lookup) => lookup.answers().iter().filter_map(|record| exchanger(&record.data)).collect(),
            Err(error) => match negative(&error) {
                Some(Negative::NoSuchName) => {
                    return Err(never("5.1.2", format!("the domain {domain} does not exist")));
                }
                Some(Negative::NoSuchRecord) => Vec::new(),
                None => return Err(later(domain, "mail exchangers", &error)),
            },
        };
        if found.is_empty() {
            // RFC 5321 §5.1: without MX records the domain's own address counts as one with preference 0.
            return Ok(vec![itself]);
        }
        self.usable(domain, found)
    }

    /// Returns the addresses of an exchanger, at most four, in the order they are to be tried.
    pub(crate) async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, Trouble> {
        let mut addresses = match literal(host) {
            Some(address) => vec![address],
            None if host.starts_with('[') => {
                return Err(never("5.1.2", format!("{host} is no address")));
            }
            None => self.look_up(host).await?,
        };
        let found = addresses.len();
        addresses.retain(|address| self.allow_loopback || !is_this_machine(*address));
        if addresses.is_empty() && found > 0 {
            return Err(never("5.4.6", format!("the mail exchanger {host} points back to this machine")));
        }
        addresses.truncate(ADDRESSES_LIMIT);
        Ok(addresses)
    }

    async fn look_up(&self, host: &str) -> Result<Vec<IpAddr>, Trouble> {
        let nowhere = || never("5.4.4", format!("the mail exchanger {host} has no address"));
        match self.resolver.lookup_ip(format!("{host}.")).await {
            Ok(lookup) => {
                let addresses: Vec<IpAddr> = lookup.iter().collect();
                if addresses.is_empty() { Err(nowhere()) } else { Ok(addresses) }
            }
            Err(error) if negative(&error).is_some() => Err(nowhere()),
            Err(error) => Err(later(host, "address", &error)),
        }
    }

    /// Drops what mail must not be sent to: `.`, and ourselves with all that is no better than us.
    fn usable(&self, domain: &str, mut found: Vec<Exchanger>) -> Result<Vec<Exchanger>, Trouble> {
        found.retain(|exchanger| !exchanger.host.is_empty());
        if found.is_empty() {
            return Err(never("5.1.10", format!("the domain {domain} takes no mail (null MX)")));
        }
        // RFC 5321 §5.1: a host that finds itself in the list must not send to those of its own preference or
        // worse, or mail runs in circles.
        let ours = found.iter().filter(|exchanger| exchanger.host == self.own_name);
        if let Some(own) = ours.map(|exchanger| exchanger.preference).min().filter(|_| !self.allow_loopback) {
            found.retain(|exchanger| exchanger.preference < own);
        }
        if found.is_empty() {
            return Err(never("5.4.6", format!("this machine is itself the mail exchanger of {domain}")));
        }
        Ok(found)
    }
}

enum Negative {
    NoSuchName,
    NoSuchRecord,
}

/// Returns what a trustworthy "no" says; `None` for everything that may be different next time.
fn negative(error: &NetError) -> Option<Negative> {
    let NetError::Dns(DnsError::NoRecordsFound(no)) = error else {
        return None;
    };
    no.soa.as_ref()?;
    match no.response_code {
        ResponseCode::NXDomain => Some(Negative::NoSuchName),
        ResponseCode::NoError => Some(Negative::NoSuchRecord),
        _ => None,
    }
}

fn exchanger(data: &RData) -> Option<Exchanger> {
    let RData::MX(mx) = data else {
        return None;
    };
    let host = mx.exchange.to_ascii().trim_end_matches('.').to_ascii_lowercase();
    Some(Exchanger { preference: mx.preference, host })
}

fn name_server(address: &SocketAddr) -> NameServerConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()];
    let connections = connections.map(|mut connection| {
        connection.port = address.port();
        connection
    });
    NameServerConfig::new(address.ip(), true, connections.to_vec())
}

fn never(enhanced: &'static str, sentence: String) -> Trouble {
    Trouble::Unfit(enhanced, sentence)
}

fn later(name: &str, what: &str, error: &NetError) -> Trouble {
    Trouble::Dns(format!("the {what} of {name} could not be looked up: {error}"))
}

/// Reads an address literal (RFC 5321 §4.1.3), lower-cased.
fn literal(host: &str) -> Option<IpAddr> {
    let inner = host.strip_prefix('[')?.strip_suffix(']')?;
    match inner.strip_prefix("ipv6:") {
        Some(v6) => v6.parse().ok().map(IpAddr::V6),
        None => inner.parse().ok().map(IpAddr::V4),
    }
}

/// Returns whether mail sent to the address would arrive at this very machine.
fn is_this_machine(address: IpAddr) -> bool {
    // 0.0.0.0 and :: reach the local machine too; an IPv4 address may come mapped into IPv6.
    let address = address.to_canonical();
    address.is_loopback() || address.is_unspecified()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_this_machine_are_known_in_every_dress() {
        for (address, want) in [
            ("127.0.0.1", true),
            ("127.8.8.8", true),
            ("0.0.0.0", true),
            ("::1", true),
            ("::", true),
            ("::ffff:127.0.0.1", true),
            ("192.0.2.1", false),
            ("2001:db8::1", false),
            ("10.0.0.1", false),
        ] {
            assert_eq!(is_this_machine(address.parse().unwrap()), want, "{address}");
        }
    }

    #[test]
    fn address_literals_are_read() {
        assert_eq!(literal("[192.0.2.1]"), Some("192.0.2.1".parse().unwrap()));
        assert_eq!(literal("[ipv6:2001:db8::1]"), Some("2001:db8::1".parse().unwrap()));
        for host in ["192.0.2.1", "[2001:db8::1]", "[tag:x]", "[]", "mx.example"] {
            assert_eq!(literal(host), None, "{host}");
        }
    }
}
