//! The HTML of the set-up page: no script, no request other than for the page itself, all foreign text escaped.

use std::net::SocketAddr;

use engine::admin::CreatedAccount;
use mail::html::escaped;

use super::form::{Field, Refused, Typed};

const STYLE: &str = include_str!("style.css");

/// Nothing is loaded, run, framed or posted elsewhere; the one style sheet is known by its hash.
pub(super) const SECURITY_POLICY: &str = "default-src 'none'; style-src 'sha256-vLKZboI09dApOpwr4DY+fo1gyoabTaggaPk6RtjhjWo='; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// A page: its title and what follows its heading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Page {
    /// The window's title: the heading, or the heading after `Error: `.
    title: String,
    heading: &'static str,
    /// HTML.
    body: String,
}

impl Page {
    fn new(heading: &'static str, body: String) -> Page {
        Page { title: heading.to_owned(), heading, body }
    }

    pub(super) fn html(&self) -> String {
        let Page { title, heading, body } = self;
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title} – Guichet</title>\n\
             <style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{heading}</h1>\n{body}</main>\n</body>\n</html>\n"
        )
    }
}

/// A sentence or two, with nothing to do on the page; words in backticks are shown as code.
pub(super) fn note(heading: &'static str, text: &str) -> Page {
    Page::new(heading, format!("<p>{}</p>\n", with_code(text)))
}

/// An input with its label, hint and error.
struct Input {
    field: Field,
    label: &'static str,
    /// Plain text.
    hint: String,
    /// Further attributes.
    attributes: &'static str,
}

/// The form, with what was typed and what is wrong with it.
pub(super) fn form(typed: &Typed, domain: &str, refused: &[Refused]) -> Page {
    const HEADING: &str = "Set up this desk";
    let fields: String = inputs(domain).iter().map(|input| labelled(input, typed, refused)).collect();
    let alert = alert(refused);
    let body = format!(
        "<p>Four answers make the first account of this help desk, its first support address and its first admin.</p>\n\
         {alert}<form method=\"post\">\n{fields}<button type=\"submit\">Create the account</button>\n</form>\n"
    );
    let title = if !refused.is_empty() { format!("Error: {HEADING}") } else { HEADING.to_owned() };
    Page { title, ..Page::new(HEADING, body) }
}

fn inputs(domain: &str) -> [Input; 4] {
    [
        Input {
            field: Field::Company,
            label: "Company name",
            hint: "Customers see it as the sender of answers. Left empty, it is the subdomain.".to_owned(),
            attributes: "autocomplete=\"organization\" maxlength=\"255\"",
        },
        Input {
            field: Field::Subdomain,
            label: "Subdomain",
            hint: "Names the account in commands and begins its host: letters, digits and hyphens, such as acme.".to_owned(),
            attributes: "required maxlength=\"63\" autocomplete=\"off\" autocapitalize=\"none\" spellcheck=\"false\"",
        },
        Input {
            field: Field::Admin,
            label: "E-mail address of the admin",
            hint: "A person's own address, such as ann@example.com; not one that customers write to.".to_owned(),
            // Not type="email": browsers refuse addresses that RFC 6531 allows.
            attributes: "required inputmode=\"email\" autocomplete=\"email\" autocapitalize=\"none\" spellcheck=\"false\"",
        },
        Input {
            field: Field::NativeHost,
            label: "Native host",
            hint: format!(
                "The host of the support address; its mail must reach this desk. With a dot in front the subdomain is put \
                 before it: acme.{domain}. A whole name, such as help.example.com, is taken as it is."
            ),
            attributes: "autocomplete=\"off\" autocapitalize=\"none\" spellcheck=\"false\"",
        },
    ]
}

fn labelled(input: &Input, typed: &Typed, refused: &[Refused]) -> String {
    let Input { field, label, hint, attributes } = input;
    let name = field.name();
    let hint = escaped(hint);
    let value = escaped(typed.text(*field));
    let refused = refused.iter().find(|refused| refused.field == Some(*field));
    let (described, wrong) = match refused {
        None => (format!("aria-describedby=\"{name}-hint\""), String::new()),
        Some(refused) => (
            format!("aria-invalid=\"true\" aria-describedby=\"{name}-wrong {name}-hint\""),
            format!("<p class=\"wrong\" id=\"{name}-wrong\">{}</p>\n", with_code(&refused.text)),
        ),
    };
    format!(
        "<label for=\"{name}\">{label}</label>\n<p class=\"hint\" id=\"{name}-hint\">{hint}</p>\n{wrong}\
         <input id=\"{name}\" name=\"{name}\" value=\"{value}\" {described} {attributes}>\n"
    )
}

/// Everything that is wrong, at the top of the page; what concerns a field links to it.
fn alert(refused: &[Refused]) -> String {
    if refused.is_empty() {
        return String::new();
    }
    let line = |refused: &Refused| {
        let text = with_code(&refused.text);
        match refused.field {
            None => format!("<p>{text}</p>\n"),
            Some(field) => format!("<p><a href=\"#{}\">{text}</a></p>\n", field.name()),
        }
    };
    format!("<div role=\"alert\">\n{}</div>\n", refused.iter().map(line).collect::<String>())
}

/// The account that was created, its token, and what comes next.
pub(super) fn done(made: &CreatedAccount, smtp: Option<SocketAddr>, can_deliver: bool) -> Page {
    let (host, admin, token) =
        (escaped(&made.native_host), escaped(&made.admin_email), escaped(&made.api_token));
    let door = smtp.map_or_else(
        || "this desk's doors".to_owned(),
        |smtp| format!("this desk's SMTP door, <code>{smtp}</code>"),
    );
    let relay = if can_deliver {
        ""
    } else {
        "<li>To let answers leave, set <code>delivery.relay</code> and restart the desk. Until then they wait in the outbox.</li>\n"
    };
    let body = format!(
        "<p>The account <strong>{subdomain}</strong> has been created, and the link that led here no longer works.</p>\n\
         <dl>\n<dt>Native host</dt>\n<dd>{host}</dd>\n<dt>Support address</dt>\n<dd>support@{host}</dd>\n\
         <dt>Admin</dt>\n<dd>{admin}</dd>\n<dt>API token</dt>\n<dd><code class=\"secret\">{token}</code></dd>\n</dl>\n\
         <p><strong>The token is shown only this once.</strong> Keep it where you keep passwords. Programs log in with it as the \
         admin: what posts mail to <code>/hooks/mail</code> sends it in <code>Authorization: Bearer</code>. If it is lost, \
         <code>guichet token create {admin}</code> creates another.</p>\n\
         <h2>What comes next</h2>\n<p>Give these commands the <code>--config</code> and <code>--data</code> of \
         <code>guichet serve</code>.</p>\n<ol>\n\
         <li>Let mail for {host} reach {door}: route it there in your mail server, or by an MX record.</li>\n{relay}\
         <li>Add the people who answer: <code>guichet user add bob@example.com --role agent --name \"Bob Miller\"</code></li>\n\
         <li>Add addresses of your own domain: <code>guichet address add help@example.com</code></li>\n\
         <li>Write to support@{host}, and read the ticket: <code>guichet ticket list</code></li>\n</ol>\n",
        subdomain = escaped(&made.subdomain),
    );
    Page::new("The desk is set up", body)
}

/// Escapes text and shows text between backticks as code.
fn with_code(text: &str) -> String {
    let parts = text.split('`').map(escaped).enumerate();
    parts.map(|(place, part)| if place % 2 == 1 { format!("<code>{part}</code>") } else { part }).collect()
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use sha2::Digest as _;

    use super::*;

    use desk::id::AccountId;

    #[test]
    fn the_policy_knows_the_style_sheet() {
        let hash = base64::prelude::BASE64_STANDARD.encode(sha2::Sha256::digest(STYLE.as_bytes()));
        assert!(SECURITY_POLICY.contains(&format!("style-src 'sha256-{hash}'")), "its hash is {hash}");
        assert!(!STYLE.contains('<') && !STYLE.contains("url("));
    }

    #[test]
    fn what_was_typed_is_kept_and_escaped() {
        let typed = Typed {
            company: "<b>\"A\" & 'B'".into(),
            subdomain: "a\"b".into(),
            admin: "x".into(),
            native_host: ".d.example".into(),
        };
        let refused = Refused {
            field: Some(Field::Admin),
            text: "\"<i>\" is not an address. See `guichet help`.".into(),
        };
        let html = form(&typed, "d.example", &[refused]).html();
        for wanted in [
            "value=\"&lt;b&gt;&quot;A&quot; &amp; &#39;B&#39;\"",
            "value=\"a&quot;b\"",
            "value=\".d.example\"",
            "<div role=\"alert\">\n<p><a href=\"#admin\">&quot;&lt;i&gt;&quot; is not",
            "<p class=\"wrong\" id=\"admin-wrong\">",
            "value=\"x\" aria-invalid=\"true\" aria-describedby=\"admin-wrong admin-hint\"",
            "<code>guichet help</code>",
            "<title>Error: Set up this desk",
        ] {
            assert!(html.contains(wanted), "{wanted} is not in {html}");
        }
        assert!(!html.contains("<b>") && !html.contains("<i>"), "{html}");
        assert_eq!(html.matches("aria-invalid=").count(), 1 + STYLE.matches("aria-invalid=").count());
    }

    #[test]
    fn every_input_has_its_label_and_its_hint() {
        let html = form(&Typed::blank("d.example"), "d.example", &[]).html();
        for field in [Field::Company, Field::Subdomain, Field::Admin, Field::NativeHost] {
            let name = field.name();
            for wanted in [
                format!("<label for=\"{name}\">"),
                format!("id=\"{name}\""),
                format!("<p class=\"hint\" id=\"{name}-hint\">"),
            ] {
                assert!(html.contains(&wanted), "{wanted}");
            }
        }
        assert!(html.contains("value=\".d.example\"") && html.contains("acme.d.example"), "{html}");
        assert!(!html.contains("role=\"alert\"") && !html.contains("<script"), "{html}");
    }

    #[test]
    fn a_refusal_of_no_field_leads_nowhere() {
        let refused = Refused { field: None, text: "It failed.".into() };
        assert!(
            form(&Typed::default(), "d", &[refused])
                .html()
                .contains("<div role=\"alert\">\n<p>It failed.</p>")
        );
    }

    #[test]
    fn a_made_account_says_what_comes_next() {
        let made = CreatedAccount {
            id: AccountId(1),
            subdomain: "acme".into(),
            native_host: "acme.d.example".into(),
            admin_email: "a&b@x.example".into(),
            api_token: "abc".into(),
        };
        let without_relay = done(&made, Some("127.0.0.1:2525".parse().unwrap()), false).html();
        for wanted in [
            "support@acme.d.example",
            "a&amp;b@x.example",
            ">abc</code>",
            "127.0.0.1:2525",
            "delivery.relay",
            "Bearer",
        ] {
            assert!(without_relay.contains(wanted), "{wanted}");
        }
        let with_relay = done(&made, None, true).html();
        assert!(
            !with_relay.contains("delivery.relay") && with_relay.contains("this desk's doors"),
            "{with_relay}"
        );
    }
}
