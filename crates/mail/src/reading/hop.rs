//! The trace addresses: header fields in which relays name the recipients they saw.

use crate::address::{AddressKey, Mailbox};
use crate::defect::{Defect, Defects};
use crate::field::Field;
use crate::mailbox_list;

/// How many trace addresses are kept, from the top of the header.
pub const MAX_HOPS: usize = 100;

/// An address that a relay wrote into the header on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// Which field it was.
    pub header: HopHeader,
    /// The address.
    pub address: AddressKey,
    /// The position of the field among all header fields; 0 is the top.
    pub index: u32,
    /// How many Received fields are above it; 0 was written by the relay that handed the message to us.
    pub above_received: u32,
}

/// The header fields in which relays name recipients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HopHeader {
    /// `Delivered-To`
    DeliveredTo,
    /// `X-Forwarded-To`
    XForwardedTo,
    /// `X-Original-To`
    XOriginalTo,
    /// `X-Forwarded-For`
    XForwardedFor,
    /// `Resent-To`
    ResentTo,
}

/// The position of a field in its header.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Among all header fields; 0 is the top.
    pub(super) index: u32,
    /// How many Received fields are above it.
    pub(super) above_received: u32,
}

/// Adds the addresses of a trace field.
pub(super) fn read(
    header: HopHeader,
    field: &Field<'_>,
    place: Place,
    hops: &mut Vec<Hop>,
    defects: &mut Defects,
) {
    let text = field.text(defects);
    // X-Forwarded-For names both ends of the forward separated by a space, so whitespace separates addresses
    // like a comma.
    let (mailboxes, _) = match header {
        HopHeader::ResentTo => mailbox_list::read(&text, MAX_HOPS, defects),
        _ => mailbox_list::read(&text.split_whitespace().collect::<Vec<_>>().join(","), MAX_HOPS, defects),
    };
    for address in mailboxes.iter().filter_map(Mailbox::key) {
        if hops.len() >= MAX_HOPS {
            defects.note(Defect::TooManyHops);
            return;
        }
        let Place { index, above_received } = place;
        hops.push(Hop { header, address, index, above_received });
    }
}
