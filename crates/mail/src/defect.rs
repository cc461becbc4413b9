//! What is wrong with a message: data on the letter, never an error.

/// Something in a message that violates a standard or was cut at a limit. Noted once per letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Defect {
    /// There are no header fields at all.
    NoHeader,
    /// The header ends at a line that is not a header field, without the empty line of RFC 5322 §2.1.
    HeaderNotEnded,
    /// Lines between the header fields are not fields themselves; they were skipped.
    HeaderJunk,
    /// More header fields than [`crate::field::MAX_FIELDS`]; the rest was not read.
    TooManyFields,
    /// From is missing or contains no readable address.
    MissingFrom,
    /// More than one From field; the first counts.
    RepeatedFrom,
    /// There is no Date field.
    MissingDate,
    /// The Date field contains no readable date.
    BadDate,
    /// More than one Date field; the first counts.
    RepeatedDate,
    /// There is no Message-ID field.
    MissingMessageId,
    /// The Message-ID field contains no message-id.
    BadMessageId,
    /// More than one Message-ID field; the first counts.
    RepeatedMessageId,
    /// More than one Subject field; the first counts.
    RepeatedSubject,
    /// More addresses in From, To, Cc or Reply-To than [`crate::letter::MAX_ADDRESSES`]; the rest was not
    /// read.
    TooManyAddresses,
    /// More message-ids in References than [`crate::letter::MAX_REFERENCES`]; the first and the last were
    /// kept.
    TooManyReferences,
    /// More trace fields than [`crate::letter::MAX_HOPS`]; the upper ones were kept.
    TooManyHops,
    /// The header contains non-ASCII octets that are not UTF-8 (RFC 6532 §3), or escape sequences; decoded as
    /// the most likely charset.
    EightBitHeader,
    /// The text is not in the charset it declares; decoded as what it must be.
    WrongCharset,
    /// The text declares an unknown charset; decoded as the most likely one.
    UnknownCharset,
    /// A part is not encoded as its Content-Transfer-Encoding says.
    BadTransferEncoding,
    /// A multipart has no boundary, or the boundary never occurs; the content was read as text.
    MissingBoundary,
    /// A multipart does not end with its closing boundary (RFC 2046 §5.1.1).
    UnclosedMultipart,
    /// Multiparts are nested deeper than [`crate::letter::MAX_DEPTH`]; the inner ones were not taken apart.
    TooDeep,
    /// More parts than [`crate::letter::MAX_PARTS`]; the rest was not read.
    TooManyParts,
    /// NUL octets were removed from the text.
    Nul,
    /// The lines of the message end with CR alone.
    BareCarriageReturns,
    /// A part is encrypted and stays an attachment, or an encrypted text is shown as is.
    Encrypted,
}

impl Defect {
    /// The name that is stored and shown to programs, `snake_case`; stable across releases.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoHeader => "no_header",
            Self::HeaderNotEnded => "header_not_ended",
            Self::HeaderJunk => "header_junk",
            Self::TooManyFields => "too_many_fields",
            Self::MissingFrom => "missing_from",
            Self::RepeatedFrom => "repeated_from",
            Self::MissingDate => "missing_date",
            Self::BadDate => "bad_date",
            Self::RepeatedDate => "repeated_date",
            Self::MissingMessageId => "missing_message_id",
            Self::BadMessageId => "bad_message_id",
            Self::RepeatedMessageId => "repeated_message_id",
            Self::RepeatedSubject => "repeated_subject",
            Self::TooManyAddresses => "too_many_addresses",
            Self::TooManyReferences => "too_many_references",
            Self::TooManyHops => "too_many_hops",
            Self::EightBitHeader => "eight_bit_header",
            Self::WrongCharset => "wrong_charset",
            Self::UnknownCharset => "unknown_charset",
            Self::BadTransferEncoding => "bad_transfer_encoding",
            Self::MissingBoundary => "missing_boundary",
            Self::UnclosedMultipart => "unclosed_multipart",
            Self::TooDeep => "too_deep",
            Self::TooManyParts => "too_many_parts",
            Self::Nul => "nul",
            Self::BareCarriageReturns => "bare_carriage_returns",
            Self::Encrypted => "encrypted",
        }
    }
}

/// The defects found so far, each once.
#[derive(Debug, Default)]
pub(crate) struct Defects(Vec<Defect>);

impl Defects {
    pub(crate) fn note(&mut self, defect: Defect) {
        if !self.0.contains(&defect) {
            self.0.push(defect);
        }
    }

    /// All of them, in the order of the enum.
    pub(crate) fn into_sorted(mut self) -> Vec<Defect> {
        self.0.sort_unstable();
        self.0
    }
}
