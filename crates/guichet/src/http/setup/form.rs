//! What is typed on the set-up page: read from the post, turned into a request, or answered with what is wrong.

use engine::admin::{AccountFlaw, AccountRequest, CreateAccountError, NameError};

/// The fields of the page, in its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Field {
    Company,
    Subdomain,
    Admin,
    NativeHost,
}

impl Field {
    /// The name in the form.
    pub(super) fn name(self) -> &'static str {
        match self {
            Field::Company => "company",
            Field::Subdomain => "subdomain",
            Field::Admin => "admin",
            Field::NativeHost => "native_host",
        }
    }
}

/// The text of each field as it was typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Typed {
    pub(super) company: String,
    pub(super) subdomain: String,
    pub(super) admin: String,
    /// With a dot in front: below the subdomain.
    pub(super) native_host: String,
}

impl Typed {
    /// The form before anything is typed.
    pub(super) fn blank(domain: &str) -> Typed {
        Typed { native_host: format!(".{domain}"), ..Typed::default() }
    }

    /// Reads `application/x-www-form-urlencoded`; a missing field is empty, and if one occurs twice the first counts.
    pub(super) fn read(body: &[u8]) -> Typed {
        let pairs = intake::http::pairs(body);
        let text = |field: Field| {
            let found = pairs.iter().find(|(name, _)| name == field.name());
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        Typed {
            company: text(Field::Company),
            subdomain: text(Field::Subdomain),
            admin: text(Field::Admin),
            native_host: text(Field::NativeHost),
        }
    }

    pub(super) fn text(&self, field: Field) -> &str {
        match field {
            Field::Company => &self.company,
            Field::Subdomain => &self.subdomain,
            Field::Admin => &self.admin,
            Field::NativeHost => &self.native_host,
        }
    }

    /// What the engine is asked for.
    pub(super) fn request(&self, domain: &str) -> AccountRequest {
        AccountRequest {
            subdomain: self.subdomain.clone(),
            name: self.company.clone(),
            admin_email: self.admin.clone(),
            native_host: self.host(domain),
        }
    }

    /// Everything that is wrong with what was typed. A bad subdomain is not reported again for the host that begins
    /// with it.
    pub(super) fn refusals(&self, flaws: &[AccountFlaw]) -> Vec<Refused> {
        let mut refused: Vec<Refused> = flaws.iter().map(Refused::flaw).collect();
        refused.sort_by_key(|refused| refused.field);
        let is_below = matches!(self.native_host.trim().chars().next(), None | Some('.'));
        if is_below && refused.iter().any(|refused| refused.field == Some(Field::Subdomain)) {
            refused.retain(|refused| refused.field != Some(Field::NativeHost));
        }
        refused
    }

    /// The native host: nothing and a dot in front mean below the subdomain, as the page says.
    fn host(&self, domain: &str) -> String {
        let subdomain = self.subdomain.trim().to_lowercase();
        match self.native_host.trim() {
            "" => format!("{subdomain}.{domain}"),
            below if below.starts_with('.') => format!("{subdomain}{below}"),
            whole => whole.to_owned(),
        }
    }
}

/// What is wrong with a form, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    /// None: it does not belong to a single field.
    pub(super) field: Option<Field>,
    /// Sentences.
    pub(super) text: String,
}

impl Refused {
    pub(super) fn of(error: &CreateAccountError) -> Refused {
        let text = match error {
            CreateAccountError::Flaw(flaw) => return Refused::flaw(flaw),
            // What a database says is for the log.
            CreateAccountError::Store(_) => {
                "the database failed and nothing was created; send the form again in a minute".to_owned()
            }
            other => other.to_string(),
        };
        Refused { field: None, text: sentences(&text) }
    }

    fn flaw(flaw: &AccountFlaw) -> Refused {
        let field = match flaw {
            AccountFlaw::Name(NameError::Name { .. }) => Field::Company,
            AccountFlaw::Name(NameError::Subdomain(_)) => Field::Subdomain,
            AccountFlaw::Name(NameError::Host(_)) => Field::NativeHost,
            AccountFlaw::Malformed(_) | AccountFlaw::IsSupportAddress(_) => Field::Admin,
        };
        Refused { field: Some(field), text: sentences(&flaw.to_string()) }
    }
}

/// `what happened; what to do` as sentences.
fn sentences(text: &str) -> String {
    let sentence = |part: &str| {
        let mut rest = part.chars();
        let first = rest.next().map(char::to_uppercase);
        format!("{}{}.", first.into_iter().flatten().collect::<String>(), rest.as_str())
    };
    text.split("; ").map(sentence).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_post_is_read_field_by_field() {
        let typed = |company: &str, subdomain: &str, admin: &str, native_host: &str| Typed {
            company: company.into(),
            subdomain: subdomain.into(),
            admin: admin.into(),
            native_host: native_host.into(),
        };
        for (body, want) in [
            (
                "company=A+%26+B&subdomain=ab&admin=a%40b.example&native_host=.d.example",
                typed("A & B", "ab", "a@b.example", ".d.example"),
            ),
            ("subdomain=one&subdomain=two&other=x", typed("", "one", "", "")),
            ("company=%C3%89t%C3%A9", typed("Été", "", "", "")),
            ("company=%FF%", typed("\u{fffd}%", "", "", "")),
            ("", Typed::default()),
        ] {
            assert_eq!(Typed::read(body.as_bytes()), want, "{body}");
        }
    }

    #[test]
    fn the_native_host_is_typed_whole_or_begins_with_the_subdomain() {
        for (native_host, want) in [
            (".desk.example", "acme.desk.example"),
            (" .other.example ", "acme.other.example"),
            ("", "acme.desk.example"),
            ("help.acme.example", "help.acme.example"),
            (".", "acme."),
        ] {
            let typed =
                Typed { subdomain: " Acme ".into(), native_host: native_host.into(), ..Typed::default() };
            assert_eq!(typed.request("desk.example").native_host, want, "{native_host:?}");
        }
        assert_eq!(Typed::blank("desk.example").native_host, ".desk.example");
    }

    #[test]
    fn a_refusal_stands_at_its_field_in_sentences() {
        let flaw = |name: NameError| CreateAccountError::Flaw(AccountFlaw::Name(name));
        for (error, field, text) in [
            (
                flaw(NameError::Subdomain("a b".into())),
                Some(Field::Subdomain),
                "\"a b\" cannot be a subdomain. Use 1 to 63 letters, digits and hyphens, such as acme.",
            ),
            (
                CreateAccountError::Flaw(AccountFlaw::Malformed("x".into())),
                Some(Field::Admin),
                "\"x\" is not an e-mail address. Write it as name@example.com.",
            ),
            (
                flaw(NameError::Host("x y".into())),
                Some(Field::NativeHost),
                "\"x y\" is not a host name. Write it as support.example.com.",
            ),
            (
                flaw(NameError::Name { characters: 300 }),
                Some(Field::Company),
                "The name has 300 characters or holds a line end. Use one line of at most 255 characters.",
            ),
            (
                CreateAccountError::Taken { subdomain: "acme".into(), host: "a.example".into() },
                None,
                "Acme (or its host a.example) is taken already. Choose another.",
            ),
            (
                CreateAccountError::Store(store::StoreError::Statement("secret".into())),
                None,
                "The database failed and nothing was created. Send the form again in a minute.",
            ),
        ] {
            assert_eq!(Refused::of(&error), Refused { field, text: text.into() });
        }
    }
}
