//! Which attachments of a message are shown on a ticket (docs/behaviour/attachments.md).
//!
//! What is skipped stays in the raw message; here it is only decided. The name and the media type are the
//! sender's claims.

use std::collections::BTreeSet;

/// The largest attachment, decoded, in octets.
pub const FILE_OCTETS: u64 = 50_000_000;

/// The most characters a list of kinds may have.
pub const KINDS_CHARACTERS: usize = 10_000;

/// The longest extension of a name that is one, in characters.
const EXTENSION_CHARACTERS: usize = 16;

/// Which kinds of files are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum AttachmentRule {
    /// All of them.
    Any,
    /// Those of [`RECOMMENDED`], and nothing that says it is a program.
    #[default]
    Recommended,
    /// Those the account lists.
    Custom(Kinds),
}

/// A list of kinds; never empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kinds {
    /// Extensions without the dot, lower-case.
    extensions: BTreeSet<String>,
    /// Media types, lower-case: `type/subtype`, or `type/` for all of a type.
    media_types: BTreeSet<String>,
}

/// Why a text is no rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AttachmentRuleError {
    /// Nothing is listed.
    #[error("no kind is named; write any, recommended, or extensions such as pdf png")]
    Empty,
    /// It is longer than [`KINDS_CHARACTERS`].
    #[error("the list has {0} characters, more than {KINDS_CHARACTERS}; leave out what nobody sends")]
    TooLong(usize),
    /// One entry is neither an extension nor a media type.
    #[error("{0:?} is neither an extension such as pdf nor a media type such as image/png or image/*")]
    Kind(String),
}

/// What becomes of an attachment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ruling {
    /// It is shown.
    Keep,
    /// It is left in the raw message.
    Skip {
        /// Why.
        why: Skip,
    },
}

/// Why an attachment is left out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Skip {
    /// Larger than [`FILE_OCTETS`]: the comment gets the flag for it.
    #[error("it has {size_octets} octets, more than {FILE_OCTETS}")]
    Size {
        /// Its decoded size.
        size_octets: u64,
    },
    /// Its extension is not allowed.
    #[error("files that end in .{extension} are not allowed")]
    Extension {
        /// The extension, lower-case, without the dot.
        extension: String,
    },
    /// It has no extension, and its media type is not allowed; or the media type is that of a program.
    #[error("files of the type {media_type} are not allowed")]
    MediaType {
        /// The type, lower-case; empty when none was given.
        media_type: String,
    },
}

/// Extensions of the recommended list, sorted: what people send each other to read, look at or listen to.
///
/// Left out is what runs when it is opened: programs, scripts, shortcuts, installers, disk images, documents
/// with macros, and pages and drawings that carry scripts (HTML, SVG). Archives are in, since what is in them
/// is not opened by a click.
pub const RECOMMENDED: &[&str] = &[
    "3gp", "7z", "aac", "ai", "aif", "aiff", "amr", "asc", "avi", "avif", "bmp", "bz2", "caf", "cer", "crt",
    "csv", "dat", "db", "dng", "doc", "docx", "dotx", "dwg", "dxf", "eml", "eps", "epub", "fig", "flac",
    "flv", "gif", "gpx", "gz", "har", "heic", "heif", "ics", "ifc", "indd", "ini", "jfif", "jp2", "jpe",
    "jpeg", "jpg", "json", "key", "kml", "kmz", "log", "m4a", "m4v", "mbox", "md", "mid", "midi", "mkv",
    "mobi", "mov", "mp3", "mp4", "mpeg", "mpg", "mpp", "msg", "numbers", "odg", "odp", "ods", "odt", "oga",
    "ogg", "ogv", "opus", "p7m", "p7s", "pages", "pcap", "pcapng", "pdf", "pem", "pgp", "pkpass", "png",
    "pot", "potx", "pps", "ppsx", "ppt", "pptx", "ps", "psd", "rar", "raw", "rtf", "sig", "sql", "srt",
    "step", "stl", "stp", "tar", "tgz", "tif", "tiff", "tsv", "txt", "vcf", "vsd", "vsdx", "vtt", "wav",
    "weba", "webm", "webp", "wma", "wmv", "wps", "xls", "xlsx", "xltx", "xml", "xps", "xz", "yaml", "yml",
    "zip", "zst",
];

/// Media types of the recommended list, for files without an extension; `type/` stands for all of a type.
const RECOMMENDED_TYPES: &[&str] = &[
    "application/gzip",
    "application/json",
    "application/msword",
    "application/pdf",
    "application/pgp-encrypted",
    "application/pgp-keys",
    "application/pgp-signature",
    "application/pkcs7-mime",
    "application/pkcs7-signature",
    "application/rtf",
    "application/vnd.ms-excel",
    "application/vnd.ms-powerpoint",
    "application/vnd.oasis.opendocument.presentation",
    "application/vnd.oasis.opendocument.spreadsheet",
    "application/vnd.oasis.opendocument.text",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/x-pkcs7-signature",
    "application/xml",
    "application/zip",
    "audio/",
    "image/",
    "message/",
    "text/calendar",
    "text/csv",
    "text/markdown",
    "text/plain",
    "text/rfc822-headers",
    "text/vcard",
    "text/x-vcard",
    "text/xml",
    "video/",
];

/// Media types that name a program or a page with scripts: under the recommended rule no name makes up for
/// them.
const PROGRAM_TYPES: &[&str] = &[
    "application/bat",
    "application/hta",
    "application/java-archive",
    "application/javascript",
    "application/vnd.android.package-archive",
    "application/vnd.microsoft.portable-executable",
    "application/x-apple-diskimage",
    "application/x-bat",
    "application/x-dosexec",
    "application/x-executable",
    "application/x-java-archive",
    "application/x-javascript",
    "application/x-mach-binary",
    "application/x-ms-installer",
    "application/x-ms-shortcut",
    "application/x-msdos-program",
    "application/x-msdownload",
    "application/x-msi",
    "application/x-powershell",
    "application/x-sh",
    "application/x-shellscript",
    "application/x-shockwave-flash",
    "application/xhtml+xml",
    "image/svg+xml",
    "text/html",
    "text/javascript",
    "text/vbscript",
    "text/x-sh",
];

impl AttachmentRule {
    /// Reads the setting: `any`, `recommended`, or extensions and media types separated by whitespace or
    /// commas, such as `pdf .docx image/*`.
    ///
    /// # Errors
    /// Says which entry is no kind, or that there is none, or that there are too many.
    pub fn parse(text: &str) -> Result<AttachmentRule, AttachmentRuleError> {
        let characters = text.chars().count();
        if characters > KINDS_CHARACTERS {
            return Err(AttachmentRuleError::TooLong(characters));
        }
        match text.trim().to_ascii_lowercase().as_str() {
            "" => return Err(AttachmentRuleError::Empty),
            "any" => return Ok(AttachmentRule::Any),
            "recommended" => return Ok(AttachmentRule::Recommended),
            _ => {}
        }
        let mut kinds = Kinds::default();
        for entry in text.split([' ', '\t', '\n', '\r', ',', ';']).filter(|entry| !entry.is_empty()) {
            kinds.add(entry).ok_or_else(|| AttachmentRuleError::Kind(entry.chars().take(100).collect()))?;
        }
        if kinds == Kinds::default() {
            Err(AttachmentRuleError::Empty)
        } else {
            Ok(AttachmentRule::Custom(kinds))
        }
    }

    /// Decides on one attachment by its name (may be empty), its media type (any case, parameters allowed,
    /// may be empty) and its decoded size.
    #[must_use]
    pub fn check(&self, name: &str, media_type: &str, size_octets: u64) -> Ruling {
        let skip = |why: Skip| Ruling::Skip { why };
        if size_octets > FILE_OCTETS {
            return skip(Skip::Size { size_octets });
        }
        let media_type = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let extension = extension(name);
        let is_allowed = match (self, &extension) {
            (AttachmentRule::Any, _) => true,
            (AttachmentRule::Recommended, _) if PROGRAM_TYPES.binary_search(&media_type.as_str()).is_ok() => {
                return skip(Skip::MediaType { media_type });
            }
            (AttachmentRule::Recommended, Some(extension)) => {
                RECOMMENDED.binary_search(&extension.as_str()).is_ok()
            }
            (AttachmentRule::Recommended, None) => {
                is_type_in(&media_type, |kind| RECOMMENDED_TYPES.binary_search(&kind).is_ok())
            }
            (AttachmentRule::Custom(kinds), Some(extension)) => {
                // Who lists `image/*` means files that are named so, and a name is easier to see through than
                // a type.
                kinds.extensions.contains(extension)
                    || type_of(extension)
                        .is_some_and(|named| is_type_in(named, |kind| kinds.media_types.contains(kind)))
            }
            (AttachmentRule::Custom(kinds), None) => {
                is_type_in(&media_type, |kind| kinds.media_types.contains(kind))
            }
        };
        match (is_allowed, extension) {
            (true, _) => Ruling::Keep,
            (false, Some(extension)) => skip(Skip::Extension { extension }),
            (false, None) => skip(Skip::MediaType { media_type }),
        }
    }
}

impl Kinds {
    fn add(&mut self, entry: &str) -> Option<()> {
        let entry = entry.to_lowercase();
        if let Some((kind, subtype)) = entry.split_once('/') {
            let is_token = |text: &str| {
                !text.is_empty()
                    && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-+._".contains(&byte))
            };
            let subtype = if subtype == "*" { "" } else { subtype };
            let fits = is_token(kind) && (subtype.is_empty() || is_token(subtype));
            fits.then(|| self.media_types.insert(format!("{kind}/{subtype}"))).map(|_| ())
        } else {
            let bare = entry.strip_prefix("*.").or_else(|| entry.strip_prefix('.')).unwrap_or(&entry);
            let own = extension(&format!("a.{bare}")).filter(|own| own == bare)?;
            self.extensions.insert(own);
            Some(())
        }
    }
}

/// Asks for the type and for all of its kind.
fn is_type_in(media_type: &str, has: impl Fn(&str) -> bool) -> bool {
    let Some(at) = media_type.find('/') else { return false };
    has(media_type) || media_type.get(..=at).is_some_and(has)
}

/// The media type that a name claims, for lists that name types; the usual ones only.
fn type_of(extension: &str) -> Option<&'static str> {
    Some(match extension {
        "avif" => "image/avif",
        "bmp" => "image/bmp",
        "gif" => "image/gif",
        "heic" | "heif" => "image/heic",
        "jpg" | "jpeg" | "jpe" | "jfif" => "image/jpeg",
        "png" => "image/png",
        "svg" => "image/svg+xml",
        "tif" | "tiff" => "image/tiff",
        "webp" => "image/webp",
        "aac" => "audio/aac",
        "flac" => "audio/flac",
        "m4a" => "audio/mp4",
        "mp3" => "audio/mpeg",
        "oga" | "ogg" | "opus" => "audio/ogg",
        "wav" => "audio/wav",
        "3gp" => "video/3gpp",
        "avi" => "video/x-msvideo",
        "mkv" => "video/x-matroska",
        "mov" => "video/quicktime",
        "mp4" | "m4v" => "video/mp4",
        "mpeg" | "mpg" => "video/mpeg",
        "webm" => "video/webm",
        "csv" => "text/csv",
        "htm" | "html" => "text/html",
        "ics" => "text/calendar",
        "log" | "txt" => "text/plain",
        "md" => "text/markdown",
        "vcf" => "text/vcard",
        "eml" => "message/rfc822",
        "doc" => "application/msword",
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "gz" => "application/gzip",
        "json" => "application/json",
        "pdf" => "application/pdf",
        "ppt" => "application/vnd.ms-powerpoint",
        "pptx" => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "rtf" => "application/rtf",
        "xls" => "application/vnd.ms-excel",
        "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "xml" => "application/xml",
        "zip" => "application/zip",
        _ => return None,
    })
}

/// The part of a name after the last dot, lower-case; none if that is not an extension.
///
/// Read as the machine that opens the file reads it: Windows drops dots and spaces at the end of a name and
/// takes what follows a colon for a stream; marks that turn the direction of writing are left out, as they
/// hide what is last.
#[must_use]
pub fn extension(name: &str) -> Option<String> {
    let file = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let is_hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{AD}' | '\u{61C}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
    };
    let shown: String = file.chars().filter(|c| !is_hidden(*c)).collect();
    let shown = shown.split(':').next().unwrap_or_default();
    let (stem, last) = shown.trim_end_matches(|c: char| c == '.' || c.is_whitespace()).rsplit_once('.')?;
    let last = last.trim().to_lowercase();
    // `.profile` has a name and no extension, and what follows the dot of `No. 5 of the list` is no extension
    // either.
    let fits = !stem.is_empty() && (1..=EXTENSION_CHARACTERS).contains(&last.chars().count());
    (fits && last.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '~' | '+' | '$')))
        .then_some(last)
}

#[cfg(test)]
mod tests;
