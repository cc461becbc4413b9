//! The words that sample mails are made of: English and French, all invented for this purpose.

/// Given names of the people who write.
pub(crate) const GIVEN: &[&str] = &[
    "Amélie", "Bastien", "Carla", "Dimitri", "Esther", "Fabrice", "Gisèle", "Henrik", "Irène", "Joris",
    "Katya", "Loïc", "Mireille", "Nils", "Ottavia", "Priya", "Régis", "Solène", "Tariq", "Ursula", "Viktor",
    "Wanda", "Yann", "Zoé",
];

/// Family names of the people who write.
pub(crate) const FAMILY: &[&str] = &[
    "Abadie",
    "Bellanger",
    "Castex",
    "Delmas",
    "Eriksen",
    "Fournel",
    "Grünwald",
    "Hoarau",
    "Iversen",
    "Joubert",
    "Kessler",
    "Lacombe",
    "Mercadal",
    "Novotny",
    "Oller",
    "Pruvost",
    "Quesnel",
    "Ribeiro",
    "Schäfer",
    "Tanguy",
];

/// Hosts that people write from (reserved names, RFC 2606).
pub(crate) const HOSTS: &[&str] = &[
    "post.example.org",
    "letters.example.net",
    "works.example.com",
    "campus.example.org",
    "home.example.net",
];

/// What `User-Agent` says.
pub(crate) const CLIENTS: &[&str] =
    &["PaperPlane 4.2", "Courrier 11.0 (desktop)", "Pigeon Web 2.9", "InkMail for phones 7"];

/// Words of subjects and texts; about a third French, so that accents and UTF-8 are as common as in real mail.
pub(crate) const WORDS: &[&str] = &[
    "parcel",
    "receipt",
    "keyboard",
    "scanner",
    "shipment",
    "profile",
    "refund",
    "monitor",
    "router",
    "transfer",
    "upgrade",
    "sign-in",
    "warning",
    "message",
    "menu",
    "reference",
    "quantity",
    "this",
    "morning",
    "twice",
    "kindly",
    "would",
    "anybody",
    "verify",
    "which",
    "into",
    "where",
    "since",
    "before",
    "never",
    "cannot",
    "start",
    "deliver",
    "reach",
    "enclosed",
    "letter",
    "agreement",
    "desk",
    "tablet",
    "handset",
    "link",
    "late",
    "cracked",
    "lost",
    "incorrect",
    "colis",
    "reçu",
    "clavier",
    "expédition",
    "identifiant",
    "écran",
    "réseau",
    "souci",
    "salut",
    "s'il vous plaît",
    "encore",
    "depuis",
    "ce matin",
    "dossier",
    "virement",
    "numériseur",
    "annexe",
    "pressé",
    "déjà",
    "à",
    "où",
    "même",
    "prêt",
];

/// Declared type and file name of attachments.
pub(crate) const ATTACHMENTS: &[(&str, &str)] = &[
    ("application/pdf", "receipt.pdf"),
    ("image/png", "screen.png"),
    ("image/jpeg", "parcel.jpg"),
    ("application/zip", "traces.zip"),
    ("application/vnd.oasis.opendocument.text", "agreement.odt"),
];
