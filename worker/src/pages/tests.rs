//! Tests of the pages that need no browser.

use super::words::{duration_words, wait_words};
use super::*;

const HOSTILE: &str = "\u{202e}\"'><script>alert(1)</script><img src=x onerror=alert(1)> style=";

fn frame(person: &str) -> Frame<'_> {
    Frame {
        platform: "Platform",
        account: "salon",
        themed: true,
        person: Some(person),
        csrf: Some(person),
        nav: Nav { develops: true, keys: true, staff: true },
    }
}

fn app<'a>(text: &'a str) -> App<'a> {
    App {
        name: text,
        logo: None,
        developer: text,
        website_host: Some(text),
        description: Some(text),
        in_development: true,
        unreviewed: true,
    }
}

fn faults(text: &str) -> Vec<Fault<'_>> {
    vec![Fault {
        code: "invalid_request",
        parameter: Some(text),
        received: Some(text),
        problem: text.into(),
        remedy: text.into(),
        rfc: Some(Rfc { number: 6749, section: "4.1.2.1" }),
    }]
}

fn consent<'a>(text: &'a str, scopes: &'a [Scope], accounts: &'a [AccountChoice<'a>]) -> ConsentPage<'a> {
    ConsentPage {
        frame: frame(text),
        app: app(text),
        client_id: text,
        scopes,
        items: scopes,
        lasts: text,
        accounts,
        returns_to: text,
        action: "/oauth/authorize/decision",
        consent: text,
        switch_href: text,
        error: Some(text),
    }
}

/// Every page, with `text` in each place that takes a foreign string.
fn all_pages(text: &str) -> Vec<String> {
    let f = frame(text);
    let scope = |name: &str, words: &str, sensitive| Scope { name: name.into(), words: words.into(), sensitive, ticked: sensitive };
    let scopes = [scope(text, text, true), scope("b", "See your bookings", false)];
    let account = |selected| AccountChoice { id: text, name: text, selected };
    let (one, two) = ([account(true)], [account(false), account(true)]);
    let connection = |status| Connection {
        app: App { logo: Some("/logo/abc"), ..app(text) },
        account: text,
        scopes: vec![text],
        connected_by: text,
        connected_at: Moment::from_unix(0),
        last_used: Some(Moment::from_unix(1)),
        ended_at: Some(Moment::from_unix(2)),
        status,
        suspended: true,
        disconnect_href: (status != ConnectionStatus::Unused).then_some(text),
    };
    let connections = [
        connection(ConnectionStatus::Connected),
        connection(ConnectionStatus::Unused),
        connection(ConnectionStatus::Expired),
        connection(ConnectionStatus::Ending),
        connection(ConnectionStatus::Ended),
    ];
    let apps =
        |connections| AppsPage { frame: f, done: Some(text), connections, who_may: text, first_href: Some(text), next_href: Some(text) };
    let providers = [ProviderButton { id: "acme", name: text }];
    let pages: Vec<Box<dyn Page + '_>> = vec![
        Box::new(LoginPage {
            frame: f,
            csrf: text,
            return_to: text,
            email: text,
            error: Some(text),
            app_name: Some(text),
            password: true,
            providers: &providers,
            hint: Some(text),
        }),
        Box::new(LoginPage {
            frame: f,
            csrf: text,
            return_to: text,
            email: "",
            error: None,
            app_name: None,
            password: false,
            providers: &providers,
            hint: None,
        }),
        Box::new(consent(text, &scopes, &one)),
        Box::new(consent(text, &scopes, &two)),
        Box::new(consent(text, &[], &[])),
        Box::new(apps(&connections)),
        Box::new(apps(&[])),
        Box::new(DisconnectPage { frame: f, app: app(text), account: text, csrf: text, install: text, error: Some(text) }),
        Box::new(NoticePage::broken_link(f, Some(app(text)), faults(text))),
        Box::new(NoticePage::broken_link(f, None, Vec::new())),
        Box::new(NoticePage::not_allowed(f, app(text), text, Some(text), text)),
        Box::new(NoticePage::not_approved(f, app(text))),
        Box::new(NoticePage::suspended(f, app(text))),
        Box::new(NoticePage::already_decided(f, text)),
        Box::new(NoticePage::decision_expired(f, text)),
        Box::new(NoticePage::form_refused(f, text)),
        Box::new(NoticePage::not_found(f)),
        Box::new(NoticePage::method_not_allowed(f, text)),
        Box::new(NoticePage::bad_request(f)),
        Box::new(NoticePage::wrong_host(f, text)),
        Box::new(NoticePage::too_many(f, 0, text)),
        Box::new(NoticePage::try_again(f, Some(text))),
        Box::new(NoticePage::set_up(f)),
        Box::new(NoticePage::no_passwords(f, text)),
        Box::new(NoticePage::provider_denied(f, text, text.to_owned())),
        Box::new(NoticePage::provider_failed(f, text, true, text.to_owned())),
        Box::new(NoticePage::provider_failed(f, text, false, text.to_owned())),
        Box::new(NoticePage::no_such_sign_in(f)),
        Box::new(NoticePage::too_long_to_keep(f)),
        Box::new(NoticePage::set_up_unfinished(f)),
    ];
    pages.iter().map(|page| page.render_page().unwrap()).collect()
}

/// The tags of a page, without its text. What is escaped contains no `<` and is no tag.
fn tags(html: &str) -> Vec<&str> {
    html.split('<').skip(1).map(|rest| rest.split('>').next().unwrap()).collect()
}

/// The values of an attribute in a tag. Our templates quote every attribute, and `"` is escaped.
fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let start = format!(" {name}=\"");
    tag.split_once(start.as_str()).map(|(_, rest)| rest.split('"').next().unwrap())
}

#[test]
fn foreign_strings_never_become_markup() {
    let plain: Vec<Vec<String>> = all_pages("plain").iter().map(|html| tags(html).iter().map(|tag| name_of(tag)).collect()).collect();
    for (html, expected) in all_pages(HOSTILE).iter().zip(plain) {
        let names: Vec<String> = tags(html).iter().map(|tag| name_of(tag)).collect();
        assert_eq!(names, expected, "the same tags whatever the strings hold: {html}");
        assert!(!html.contains("<script"), "{html}");
        for tag in tags(html) {
            let outside: String = tag.split('"').step_by(2).collect();
            assert!(!outside.contains(" style=") && !outside.contains(" on"), "{tag}");
        }
    }
}

fn name_of(tag: &str) -> String {
    tag.split_whitespace().next().unwrap().to_owned()
}

#[test]
fn every_page_has_its_frame() {
    for html in all_pages("plain") {
        assert!(html.starts_with("<!doctype html>\n<html lang=\"en\">"), "{html}");
        assert_eq!(html.matches("<h1").count(), 1, "{html}");
        assert_eq!(html.matches("<main").count(), 1, "{html}");
        let title = html.split_once("<title>").unwrap().1.split_once("</title>").unwrap().0;
        assert!(title.ends_with(" – Platform") && title.len() > 15, "{title}");
        assert!(!html.contains("<script") && !html.contains(" style="), "{html}");
    }
}

#[test]
fn pages_load_only_from_our_own_host() {
    for html in all_pages("plain") {
        for tag in tags(&html) {
            let source = attribute(tag, "src").or_else(|| tag.starts_with("link ").then(|| attribute(tag, "href")).flatten());
            if let Some(source) = source {
                assert!(["/style.css", "/platform.css", "/favicon.svg", "/logo/abc"].contains(&source), "{tag}");
            }
        }
    }
}

#[test]
fn every_input_has_a_label() {
    for html in all_pages("plain") {
        for tag in tags(&html).into_iter().filter(|tag| tag.starts_with("input ")) {
            let kind = attribute(tag, "type").unwrap();
            let labelled = match kind {
                "hidden" => true,
                "radio" | "checkbox" => html.contains(&format!("<label class=\"choice\"><{tag}>")),
                _ => html.contains(&format!("<label for=\"{}\">", attribute(tag, "id").unwrap())),
            };
            assert!(labelled, "{tag}");
        }
    }
}

#[test]
fn text_that_reorders_is_taken_out_or_spelled_out() {
    for html in all_pages(HOSTILE) {
        let text: String = html.split('<').filter_map(|rest| rest.split_once('>')).map(|(_, text)| text).collect();
        assert!(!text.contains('\u{202e}'), "{text}");
    }
    let html = NoticePage::broken_link(frame("p"), None, faults(HOSTILE)).render_page().unwrap();
    let details = html.split_once("<main").unwrap().1;
    assert!(!details.contains('\u{202e}'));
    assert!(details.contains("\\u{202e}"), "the developer sees what came");
    assert!(details.contains("rfc6749#section-4.1.2.1"));
}

#[test]
fn received_values_are_shortened() {
    let long = "é".repeat(500);
    let html = NoticePage::broken_link(frame("p"), None, faults(&long)).render_page().unwrap();
    assert!(html.contains(&format!("{}… (500 characters)", "é".repeat(200))));
    assert!(!html.contains(&"é".repeat(501)));
}

#[test]
fn one_account_is_text_and_several_are_a_choice() {
    let scopes = [Scope { name: "a".into(), words: "See a".into(), sensitive: false, ticked: false }];
    let account = |id| AccountChoice { id, name: id, selected: false };
    let one = [account("first")];
    let html = consent("App", &scopes, &one).render_page().unwrap();
    assert!(html.contains("<input type=\"hidden\" name=\"account\" value=\"first\">"));
    assert!(!html.contains("type=\"radio\"") && !html.contains("Sensitive"));
    let two = [account("first"), account("second")];
    let html = consent("App", &scopes, &two).render_page().unwrap();
    assert_eq!(html.matches("type=\"radio\" name=\"account\"").count(), 2);
    assert!(!html.contains(" checked"), "nobody is led to an account they did not pick");
    assert!(html.find("value=\"deny\"") < html.find("value=\"allow\""), "Enter does not allow");
}

#[test]
fn a_missing_logo_is_an_initial() {
    for (name, initial) in [("élan", "É"), ("\u{202e}<b>", "B"), ("ßeta", "SS"), ("\u{200b}", "?")] {
        assert_eq!(app(name).initial(), initial);
    }
}

#[test]
fn durations_in_words() {
    for (seconds, words) in [
        (0, "0 seconds"),
        (1, "1 second"),
        (59, "59 seconds"),
        (60, "1 minute"),
        (90, "1 minute 30 seconds"),
        (3_600, "1 hour"),
        (5_400, "1 hour 30 minutes"),
        (3_601, "1 hour"),
        (86_400, "1 day"),
        (90_000, "1 day 1 hour"),
        (180 * 86_400, "180 days"),
    ] {
        assert_eq!(duration_words(seconds), words);
    }
    assert!(duration_words(u64::MAX).contains("days"));
}

#[test]
fn waits_are_never_named_too_short() {
    for (seconds, words) in [(0, "1 second"), (59, "59 seconds"), (60, "1 minute"), (61, "2 minutes"), (893, "15 minutes")] {
        assert_eq!(wait_words(seconds), words);
    }
}

#[test]
fn roles_have_their_article() {
    let roles = |names: &[&str]| one_of(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
    assert_eq!(roles(&["owner"]), "an owner");
    assert_eq!(roles(&["manager", "owner"]), "a manager or owner");
}

#[test]
fn no_page_is_a_dead_end() {
    // But for the page of a deployment that is not configured: nothing works there.
    let pages = all_pages("plain");
    for html in pages.iter().take(pages.len() - 1) {
        let main = html.split_once("<main").unwrap().1;
        assert!(main.contains("<a ") || main.contains("<button "), "{main}");
    }
}

#[test]
fn only_a_page_with_the_session_s_token_has_the_account_navigation() {
    let page = |csrf| NoticePage::not_found(Frame { csrf, ..frame("plain") }).render_page().unwrap();
    assert!(page(Some("token")).contains("action=\"/logout\""));
    assert!(!page(None).contains("/logout"));
}

#[test]
fn how_long_access_lasts() {
    let renewed = |idle, absolute| Lasting { idle, absolute }.words();
    assert_eq!(
        renewed(Some(30 * 86_400), Some(180 * 86_400)),
        "Until you disconnect it, at most 180 days. It ends by itself after 30 days without use."
    );
    assert_eq!(renewed(None, None), "Until you disconnect it.");
}

#[test]
fn moments_are_dates_of_the_calendar() {
    for (seconds, datetime) in [
        (0, "1970-01-01T00:00:00Z"),
        (951_827_696, "2000-02-29T12:34:56Z"),
        (1_709_251_199, "2024-02-29T23:59:59Z"),
        (1_709_251_200, "2024-03-01T00:00:00Z"),
        (4_107_542_400, "2100-03-01T00:00:00Z"),
        (u64::MAX, "9999-12-31T23:59:59Z"),
    ] {
        assert_eq!(Moment::from_unix(seconds).datetime, datetime);
    }
    let moment = Moment::from_unix(1_795_355_561);
    assert_eq!(moment.text, "22 November 2026, 13:52 UTC");
    assert_eq!((moment.day(), moment.day_text()), ("2026-11-22", "22 November 2026"));
}
