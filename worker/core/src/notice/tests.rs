use super::*;
use crate::policy::tests::default_policy;
use crate::policy::{Mail, Platform};

const ISSUER: &str = "https://auth.example";

fn app(name: &str) -> AboutApp {
    AboutApp { client_id: "AAAAAbcdefghijklmnopqrst".into(), name: name.into(), confidential: true }
}

/// One notice of each kind, about an app and an account of these names.
fn each(name: &str, account: &str) -> Vec<Notice> {
    let reason = format!("Because of {name}");
    vec![
        Notice::AppSubmitted(app(name)),
        Notice::AppApproved(app(name)),
        Notice::AppRejected { app: app(name), reason: reason.clone() },
        Notice::ChangeApproved(app(name)),
        Notice::ChangeRejected { app: app(name), reason: reason.clone() },
        Notice::AppSuspended { app: app(name), reason },
        Notice::AppRestored { app: app(name), in_review: false },
        Notice::SecretAdded(app(name)),
        Notice::AppConnected { app: name.into(), account: account.into(), may: vec!["See your bookings".into()] },
        Notice::KeyIssued { name: name.into(), account: account.into() },
        Notice::PasswordChanged,
    ]
}

fn platform() -> Platform {
    Platform { name: "Klippa".into(), account: "salon".into(), colour: "#7c2d6b".into() }
}

fn letter(notice: &Notice) -> Letter {
    Letter::of(notice, &Mail::default(), &platform(), ISSUER).unwrap()
}

#[test]
fn every_kind_has_its_words_its_link_and_both_parts() {
    let notices = each("Ledger Link", "Demo Salon");
    assert_eq!(notices.iter().map(Notice::kind).collect::<Vec<_>>(), Kind::ALL);
    for notice in &notices {
        let letter = letter(notice);
        assert!(!letter.subject.is_empty() && !letter.subject.contains('$'), "{letter:?}");
        let (text, html) = (&letter.text, &letter.html);
        assert!(text.contains("Klippa") && html.contains("Klippa") && html.contains("#7c2d6b"), "{text}{html}");
        assert!(text.contains("https://auth.example/") && html.contains(r#"href="https://auth.example/"#), "{text}{html}");
        assert!(!text.contains('$') && !text.contains("\n\n\n") && !html.contains("<script"), "{text}");
        let placeholders = notice.kind().placeholders();
        let words = format!("{}{text}", letter.subject);
        assert_eq!(placeholders.contains(&"account"), words.contains("Demo Salon"), "{words}");
        assert_eq!(placeholders.contains(&"app"), letter.subject.contains("Ledger Link"), "{words}");
    }
}

#[test]
fn only_a_decision_that_changed_something_is_told() {
    use crate::app::tests::app;
    use crate::app::{App, ClientType, Status};
    let of = |before: Status, status| {
        let after = App { status, ..app(ClientType::Confidential) };
        Notice::of_status(before.as_str(), &after, "why").map(|notice| notice.kind())
    };
    for (before, after, kind) in [
        (Status::Pending, Status::Approved, Some(Kind::AppApproved)),
        (Status::Rejected, Status::Approved, Some(Kind::AppApproved)),
        (Status::Approved, Status::Approved, None),
        (Status::Approved, Status::Rejected, Some(Kind::AppRejected)),
        (Status::Pending, Status::Suspended, Some(Kind::AppSuspended)),
        (Status::Suspended, Status::Suspended, None),
        (Status::Suspended, Status::Approved, Some(Kind::AppRestored)),
        (Status::Suspended, Status::Pending, Some(Kind::AppRestored)),
        (Status::Approved, Status::Pending, None),
        (Status::Approved, Status::Deleted, None),
    ] {
        assert_eq!(of(before, after), kind, "{before:?} to {after:?}");
    }
}

#[test]
fn a_kind_is_found_by_its_name() {
    for kind in Kind::ALL {
        assert_eq!(Kind::named(kind.as_str()), Some(kind));
    }
    assert_eq!(Kind::named("app"), None);
}

#[test]
fn the_platform_calls_an_account_what_it_calls_it_on_pages() {
    let notice = &each("Ledger Link", "Demo Salon")[8];
    assert!(
        letter(notice)
            .text
            .starts_with("Ledger Link was connected to your salon Demo Salon on Klippa.\n\nIt may:\n- See your bookings\n\n")
    );
}

#[test]
fn developers_are_led_to_their_app_and_owners_to_their_connections() {
    let links: Vec<String> = each("A", "B").iter().map(|notice| letter(notice).text).collect();
    for text in links.iter().take(8) {
        assert!(text.contains("\nhttps://auth.example/developers/apps/AAAAAbcdefghijklmnopqrst\n"), "{text}");
    }
    assert!(links[8].contains("\nhttps://auth.example/account/apps\n"));
    let odd = AboutApp { client_id: "../a b\"?x#\n".into(), ..app("A") };
    assert!(letter(&Notice::AppApproved(odd)).text.contains("\nhttps://auth.example/developers/apps/..%2Fa%20b%22%3Fx%23%0A\n"));
}

#[test]
fn a_name_with_html_is_text_in_the_html_part() {
    let name = r#"</strong><img src="https://x.example/" onerror='a&b'><a href="javascript:x">"#;
    for notice in each(name, name) {
        let letter = letter(&notice);
        for active in ["<img", "<a href=\"j", "onerror='"] {
            assert!(!letter.html.contains(active), "{}", letter.html);
        }
    }
}

#[test]
fn a_name_begins_no_line_and_no_header() {
    let name = "Ledger\r\nBcc: all@x.example\r\n\r\n<b>\u{2028}Reason: none\u{85}\u{0}";
    for notice in each(name, name) {
        let letter = letter(&notice);
        assert!(!letter.subject.chars().any(char::is_control), "{:?}", letter.subject);
        for begun in ["Bcc", "<b>", "Reason: none"] {
            assert!(!letter.text.lines().any(|line| line.trim_start().starts_with(begun)), "{}", letter.text);
        }
        assert!(!letter.text.contains(['\r', '\u{2028}', '\u{85}', '\0']));
    }
}

#[test]
fn a_name_turns_no_words_round_and_hides_none() {
    let name = "evil\u{202e}gnp\u{2066}\u{200b}\u{feff}\u{e0041}";
    for notice in each(name, name) {
        let letter = letter(&notice);
        let all = format!("{}{}{}", letter.subject, letter.text, letter.html);
        assert!(!all.contains(['\u{202e}', '\u{2066}', '\u{200b}', '\u{feff}', '\u{e0041}']), "{all:?}");
    }
    assert!(letter(&each("שלום", "x")[8]).html.contains("<bdi>שלום</bdi>"), "a name of its direction keeps it to itself");
}

#[test]
fn a_long_name_is_cut_so_that_the_rest_is_read() {
    let name = "ä".repeat(5_000);
    for notice in each(&name, &name) {
        let letter = letter(&notice);
        assert!(letter.subject.chars().count() <= 151 && letter.text.chars().count() < 2_500, "{}", letter.text);
    }
    assert!(letter(&Notice::AppApproved(app("\u{200b} "))).subject.starts_with("(no name)"));
}

#[test]
fn a_placeholder_in_a_name_is_not_filled() {
    let letter = letter(&Notice::AppConnected { app: "$account".into(), account: "$platform $app".into(), may: vec![] });
    assert_eq!(letter.subject, "$account was connected to $platform $app");
}

#[test]
fn without_a_reason_none_is_told() {
    let told = |reason: &str| letter(&Notice::AppRejected { app: app("A"), reason: reason.into() }).text;
    assert!(told("No imprint").contains("\nReason: No imprint\n") && !told(" \n ").contains("Reason"));
}

#[test]
fn a_policy_says_it_in_its_own_words_and_keeps_what_it_does_not_change() {
    let policy = default_policy()
        .with_overrides(r#"{"mail":{"words":{"app_approved":{"subject":"$app: in for $5 on $platform","opening":"Hello <b>$app</b>!"}}}}"#)
        .unwrap();
    let letter = Letter::of(&Notice::AppApproved(app("A&B")), &policy.mail, &platform(), ISSUER).unwrap();
    assert_eq!(letter.subject, "A&B: in for $5 on Klippa");
    assert!(
        letter.text.starts_with("Hello <b>A&B</b>!\n\nclient_id: AAAAAbcdefghijklmnopqrst\n\nThe client_secret is not in this message")
    );
    assert!(letter.html.contains("Hello &#60;b&#62;<strong><bdi>A&#38;B</bdi></strong>&#60;/b&#62;!"), "{}", letter.html);
    let other = Letter::of(&Notice::AppSubmitted(app("A")), &policy.mail, &platform(), ISSUER).unwrap();
    assert_eq!(other.subject, "A waits for review");
}

#[test]
fn a_policy_can_leave_kinds_out() {
    let policy = default_policy().with_overrides(r#"{"mail":{"notices":["app_approved"]}}"#).unwrap();
    assert!(policy.mail.sends(Kind::AppApproved) && !policy.mail.sends(Kind::AppConnected));
    assert!(Kind::ALL.into_iter().all(|kind| Mail::default().sends(kind)));
}

#[test]
fn an_address_is_one_address() {
    for good in ["notices@example.com", "a+b.c@x.example"] {
        assert!(is_address(good), "{good}");
    }
    for bad in ["", "example.com", "@example.com", "a@", "a@b", "a@.b", "a@b@c", "A <a@b.c>", "a@b.c,d@e.f", "a@b.c\nBcc: d@e.f", "a b@c.d"]
    {
        assert!(!is_address(bad), "{bad}");
    }
}
