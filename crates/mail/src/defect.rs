//! What was wrong with a mail: data on the letter, never an error.

/// One thing in a mail that is not as the standards have it, or that was cut at a limit. Noted once a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Defect {
    /// There is no header field at all.
    NoHeader,
    /// A line that is no header field ends the header, without the empty line of RFC 5322 §2.1.
    HeaderNotEnded,
    /// Lines that are no header fields stand between them; passed over.
    HeaderJunk,
    /// More header fields than [`crate::field::MAX_FIELDS`]; the rest was not read.
    TooManyFields,
    /// No address can be read from the From field, or there is none.
    MissingFrom,
    /// More than one From field; the first counts.
    RepeatedFrom,
    /// There is no Date field.
    MissingDate,
    /// The Date field holds no date.
    BadDate,
    /// More than one Date field; the first counts.
    RepeatedDate,
    /// There is no Message-ID field.
    MissingMessageId,
    /// The Message-ID field holds no message-id.
    BadMessageId,
    /// More than one Message-ID field; the first counts.
    RepeatedMessageId,
    /// More than one Subject field; the first counts.
    RepeatedSubject,
    /// More addresses in From, To, Cc or Reply-To than [`crate::letter::MAX_ADDRESSES`]; the rest was not read.
    TooManyAddresses,
    /// More message-ids in References than [`crate::letter::MAX_REFERENCES`]; the first and the last were kept.
    TooManyReferences,
    /// More trace fields than [`crate::letter::MAX_HOPS`]; the upper ones were kept.
    TooManyHops,
    /// The header holds octets over 127 that are not UTF-8 (RFC 6532 §3), or escapes; read as what they most likely are.
    EightBitHeader,
    /// The text is in another charset than it says; read as what it must be.
    WrongCharset,
    /// The text names a charset that nobody knows; read as what it most likely is.
    UnknownCharset,
    /// A part is not encoded as its Content-Transfer-Encoding says.
    BadTransferEncoding,
    /// A multipart has no boundary, or its boundary never comes; its content was read as text.
    MissingBoundary,
    /// A multipart does not end with its closing boundary (RFC 2046 §5.1.1).
    UnclosedMultipart,
    /// Multiparts are nested deeper than [`crate::letter::MAX_DEPTH`]; the inner ones were not taken apart.
    TooDeep,
    /// More parts than [`crate::letter::MAX_PARTS`]; the rest was not read.
    TooManyParts,
    /// NUL octets were taken out of the text.
    Nul,
    /// The lines of the mail end with CR alone.
    BareCarriageReturns,
    /// A part is encrypted and stays an attachment, or an encrypted text is shown as it is.
    Encrypted,
}

impl Defect {
    /// The name that is stored and shown to programs, `snake_case`; stays the same over releases.
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
