//! Returned mail in every form, described in words.

use super::*;
use crate::address::Mailbox;
use proptest::prelude::*;

fn notice(text: &str) -> Told {
    let mailbox = |address: &str| vec![Mailbox { name: String::new(), address: address.to_owned() }];
    let from = mailbox("mailer-daemon@mx.shop.example");
    let to = mailbox("desk@help.example");
    Notice { text, wording: None, from: &from, to: &to, named: &[] }.read()
}

/// One recipient per line: address, final address, status, code, `hard` or `soft`.
fn check(name: &str, text: &str, outcome: Outcome, want: &[&str]) {
    let told = notice(text);
    let hardness = |one: &FailedRecipient| if one.is_hard { "hard" } else { "soft" };
    let line = |one: &FailedRecipient| {
        let code = one.smtp_code.map(|code| code.to_string()).unwrap_or_default();
        let last = one.final_address.as_deref().unwrap_or_default();
        format!("{} {last} {} {code} {}", one.address, one.status, hardness(one))
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    };
    let got: Vec<String> = told.report.recipients.iter().map(line).collect();
    assert_eq!(
        (told.outcome, got.iter().map(String::as_str).collect::<Vec<_>>().as_slice()),
        (outcome, want),
        "{name}"
    );
}

#[test]
fn families_of_notices_are_read() {
    use Outcome::{Delayed, Failed};
    check(
        "qmail",
        "Hi. This is the program at mx.shop.example.\nI could not deliver your message to these addresses.\n\n<ada@shop.example>:\nNo mailbox here by that name. (#5.1.1)\n\n<bob@shop.example>:\n192.0.2.7 does not like recipient.\nRemote host said: 452 4.2.2 over quota\n\n--- Below this line is a copy of the message.\n\nReturn-Path: <desk@help.example>\nTo: eve@shop.example\n",
        Failed,
        &["ada@shop.example 5.1.1 hard", "bob@shop.example 4.2.2 452 soft"],
    );
    check(
        "Exim",
        "This message was created automatically by mail delivery software.\n\nA message sent by\n\n  <desk@help.example>\n\ncould not be delivered to one or more of its recipients. The following\naddress(es) failed:\n\n  ada@shop.example\n    (generated from sales@shop.example)\n    host mx.shop.example [192.0.2.7]\n    SMTP error from remote mail server after RCPT TO:<ada@shop.example>:\n    550 5.1.1 no such user\n\n------ This is a copy of the message, including all the headers. ------\n",
        Failed,
        &["sales@shop.example 5.1.1 550 hard"],
    );
    check(
        "Postfix",
        "This is the mail system at host mx.help.example.\n\nYour message could not be delivered. For further assistance, please send mail to <postmaster>.\n\n<ada@shop.example> (expanded from <sales@help.example>): host\n    mx.shop.example[192.0.2.7] said: 552 5.3.4 message too large (in reply\n    to end of DATA command)\n",
        Failed,
        &["sales@help.example ada@shop.example 5.3.4 552 soft"],
    );
    check(
        "alias on the next line",
        "Your message could not be delivered to one or more recipients.\n\n<ada@shop.example> (expanded from\n    <sales@help.example>): mailbox is full\n\n<bob@shop.example>: unknown user\n",
        Failed,
        &["sales@help.example ada@shop.example soft", "bob@shop.example hard"],
    );
    check(
        "Sendmail, aliases",
        "   ----- The following addresses had permanent fatal errors -----\nada@shop.example\n    (reason: 550 5.1.1 no such user)\n    (expanded from: <sales@help.example>)\nbob@shop.example\n    (reason: 550 5.1.1 no such user)\n    (expanded from: <team@help.example>)\n",
        Failed,
        &[
            "sales@help.example ada@shop.example 5.1.1 550 hard",
            "team@help.example bob@shop.example 5.1.1 550 hard",
        ],
    );
    check(
        "asked for one address, refused for another",
        "Sorry, unable to deliver your message to sales@shop.example for the following reason:\n\n 552 Quota exceeded for ada@shop.example\n",
        Failed,
        &["sales@shop.example 552 soft", "ada@shop.example 552 soft"],
    );
    check(
        "Sendmail",
        "   ----- The following addresses had permanent fatal errors -----\n<ada@shop.example>\n<bob@shop.example>\n\n   ----- Transcript of session follows -----\n... while talking to mx.shop.example.:\n>>> RCPT To:<ada@shop.example>\n<<< 550 5.1.1 <ada@shop.example>... User unknown\n>>> RCPT To:<bob@shop.example>\n<<< 452 4.2.2 <bob@shop.example>... Mailbox full\n\n   ----- Original message follows -----\nTo: eve@shop.example\n",
        Failed,
        &["ada@shop.example 5.1.1 550 hard", "bob@shop.example 4.2.2 452 soft"],
    );
    check(
        "old Sendmail, the transcript alone",
        "   ----- Transcript of session follows -----\nWhile talking to mx.shop.example:\n>>> MAIL From:<desk@help.example>\n<<< 250 <desk@help.example>... Sender ok\n>>> RCPT To:<ada@shop.example>\n<<< 550 <ada@shop.example>... User unknown\n\n   ----- Unsent message follows -----\nTo: eve@shop.example\n",
        Failed,
        &["ada@shop.example 550 hard"],
    );
    check(
        "old Exchange, X.400",
        "Your message\n\n  To:      eve@shop.example\n  Subject: offer\n\ndid not reach the following recipient(s):\n\nc=US;a= ;p=SHOP;o=Site;dda:SMTP=ada@shop.example; on Mon, 1 Jun 2026\n12:00:00 +0200\n    The recipient name is not recognized\n",
        Failed,
        &["ada@shop.example hard"],
    );
    check(
        "Domino",
        "Your message\n\n  Subject: offer\n\nwas not delivered to:\n\n  ada@shop.example\n\nbecause:\n\n  User not listed in public Name & Address Book\n",
        Failed,
        &["ada@shop.example hard"],
    );
    check(
        "labels",
        "Undeliverable Address: ada@shop.example\n\nReason: over disk quota.\n\nSystem Contact: postmaster@shop.example\n",
        Failed,
        &["ada@shop.example soft"],
    );
    check(
        "sentence",
        "There was an error delivering your mail to <ada@shop.example>.\n\nmx.shop.example [192.0.2.7] did not like our RCPT TO:\n554 5.7.1 Message refused: spam\n\nMessage headers follow.\n\nTo: eve@shop.example\n",
        Failed,
        &["ada@shop.example 5.7.1 554 soft"],
    );
    check(
        "names without a domain",
        "Your mail to the following recipients could not be delivered because they are not accepting mail:\n\tada\n\tbob_2\n",
        Failed,
        &["ada@mx.shop.example soft", "bob_2@mx.shop.example soft"],
    );
    check(
        "names with reasons",
        "The message that you sent was undeliverable to the following:\n\tada (user not found)\n",
        Failed,
        &["ada@mx.shop.example hard"],
    );
    check(
        "Chinese, with what the mail was",
        "您的邮件被退回。\n\n原邮件信息：\n主题 offer\n收件人 ada@shop.example\n退信原因：\n邮箱地址不存在\n",
        Failed,
        &["ada@shop.example hard"],
    );
    check(
        "Polish",
        "Nie można dostarczyć wiadomości do następujących adresatów:\n\nada@shop.example\nNie można odnaleźć wprowadzonego adresu.\n",
        Failed,
        &["ada@shop.example hard"],
    );
    check(
        "Swedish",
        "Ditt meddelande kunde inte levereras till följande mottagare:\n\nada@shop.example\n(Brevlådan är full)\n",
        Failed,
        &["ada@shop.example soft"],
    );
    check(
        "only the returned header names the recipient",
        "Your message could not be delivered.\n\n--- Original message ---\nFrom: desk@help.example\nTo: ada@shop.example\n\nhello\n",
        Failed,
        &["ada@shop.example soft"],
    );
    check(
        "German",
        "Ihre Nachricht konnte nicht zugestellt werden an:\n\n  ada@shop.example\n\nGrund: Empfänger unbekannt\n\n--- Ursprüngliche Nachricht ---\nAn: eve@shop.example\n",
        Failed,
        &["ada@shop.example hard"],
    );
    check(
        "Japanese",
        "次の宛先に配信できませんでした。\n\n<ada@shop.example>: ユーザーが見つかりません\n",
        Failed,
        &["ada@shop.example hard"],
    );
    check(
        "Russian",
        "Письмо не может быть доставлено следующим получателям:\n\n  ada@shop.example: ящик переполнен\n\nИсходное сообщение:\nTo: eve@shop.example\n",
        Failed,
        &["ada@shop.example soft"],
    );
    check(
        "delay",
        "Your message has been delayed and will be retried for 2 more days.\n\n  ada@shop.example\n    connection timed out\n",
        Delayed,
        &["ada@shop.example soft"],
    );
    check(
        "JSON",
        r#"{"notificationType":"Bounce","bounce":{"bouncedRecipients":[{"emailAddress":"ada@shop.example","status":"5.1.1","diagnosticCode":"smtp; 550 5.1.1 user unknown"}]},"mail":{"messageId":"01@ses.example"}}"#,
        Failed,
        &["ada@shop.example 5.1.1 550 hard"],
    );
    check("nothing", "Hello, how are you?\n", Outcome::Nothing, &[]);
}

#[test]
fn returned_mail_names_the_mail_that_came_back() {
    let told = notice(
        "Unable to deliver to:\n<ada@shop.example>\n\n--- Original message ---\n>Message-ID:\n> <7.8@help.example>\n>X-Guichet-Mail: 12-abc\n>To: ada@shop.example\n",
    );
    assert_eq!(
        told.report.original_message_id.map(|id| id.as_str().to_owned()).as_deref(),
        Some("7.8@help.example")
    );
    assert_eq!(told.report.original_mark.as_deref(), Some("12-abc"));
    assert!(!told.report.is_standard);
}

#[test]
fn recipient_limit_holds_at_n_and_breaks_at_n_plus_one() {
    for (count, want) in [(MAX_RECIPIENTS, MAX_RECIPIENTS), (MAX_RECIPIENTS + 1, MAX_RECIPIENTS)] {
        let list: String = (0..count).map(|number| format!("<u{number}@shop.example>: 550 no\n")).collect();
        assert_eq!(notice(&format!("Could not be delivered:\n{list}")).report.recipients.len(), want);
    }
}

proptest! {
    #[test]
    fn any_text_is_read(text in "(?s).{0,400}") {
        notice(&text);
    }

    #[test]
    fn listed_addresses_are_found(locals in proptest::collection::btree_set("[a-z][a-z0-9._+-]{0,12}[a-z0-9]", 1..20), reason in "[a-z ]{0,30}") {
        let list: String = locals.iter().map(|local| format!("<{local}@shop.example>:\n550 5.1.1 {reason}\n\n")).collect();
        let told = notice(&format!("Unable to deliver your message to the following address(es).\n\n{list}"));
        let mut got: Vec<&str> = told.report.recipients.iter().filter_map(|one| one.address.split('@').next()).collect();
        got.sort_unstable();
        prop_assert_eq!(got, locals.iter().map(String::as_str).collect::<Vec<_>>());
    }
}
