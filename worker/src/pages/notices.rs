//! The notices in use, as data.

use super::words::{wait_words, with_article};
use super::{App, Fault, Frame, Link, NoticePage};
use std::borrow::Cow;

impl<'a> NoticePage<'a> {
    /// A notice with a heading and sentences only.
    fn plain(frame: Frame<'a>, title: &'static str, paragraphs: &[&'static str]) -> Self {
        Self {
            frame,
            title: Cow::Borrowed(title),
            problem: true,
            app: None,
            paragraphs: paragraphs.iter().map(|text| Cow::Borrowed(*text)).collect(),
            links: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// Authorize: the request is wrong and must not be sent back (400). `app` only when its
    /// client id was right.
    pub(crate) fn broken_link(frame: Frame<'a>, app: Option<App<'a>>, faults: Vec<Fault<'a>>) -> Self {
        Self {
            app,
            faults,
            links: vec![Link::other("/", "Go to the start page")],
            ..Self::plain(
                frame,
                "This link does not work",
                &[
                    "The app that sent you here made a mistake in its link. Nothing was connected, and the app received nothing.",
                    "You cannot mend this yourself. Please tell the makers of the app: the details below are for them.",
                ],
            )
        }
    }

    /// Authorize: the person's role allows consent in none of their accounts (403). `who_may` is
    /// a phrase such as "an owner"; `back` is the redirect URI with `error=access_denied`.
    pub(crate) fn not_allowed(frame: Frame<'a>, app: App<'a>, who_may: &str, back: Option<&'a str>, switch_href: &'a str) -> Self {
        let mut page = Self::plain(frame, "You may not connect apps", &[]);
        page.paragraphs.extend(frame.person.map(|person| Cow::Owned(format!("You are signed in as {person}."))));
        page.paragraphs.extend([
            Cow::Owned(format!("Only {who_may} of {} may connect an app to it. Nothing was connected.", with_article(frame.account))),
            Cow::Borrowed("Ask that person to connect the app, or sign in with another address."),
        ]);
        page.app = Some(app);
        page.links.push(Link::main(switch_href, "Sign in as someone else"));
        page.links.extend(back.map(|href| Link::other(href, "Go back to the app")));
        page
    }

    /// Authorize: the app waits for its review (403).
    pub(crate) fn not_approved(frame: Frame<'a>, app: App<'a>) -> Self {
        let why = format!("{} has not reviewed this app, so it cannot be connected. Nothing was connected.", frame.platform);
        Self::stopped(frame, app, "This app is not approved yet", why, "If you know its makers, ask them when it will be ready.")
    }

    /// Authorize: the app was refused in review (403).
    pub(crate) fn rejected(frame: Frame<'a>, app: App<'a>) -> Self {
        let why =
            format!("{} has reviewed this app and not approved it, so it cannot be connected. Nothing was connected.", frame.platform);
        Self::stopped(frame, app, "This app was not approved", why, "Connections it had do not work.")
    }

    /// Authorize: the app is suspended (403).
    pub(crate) fn suspended(frame: Frame<'a>, app: App<'a>) -> Self {
        let why = format!("{} has suspended this app. It cannot be connected, and connections it had do not work for now.", frame.platform);
        let next = "You do not have to do anything. To end its access for good, disconnect it under Connected apps.";
        Self::stopped(frame, app, "This app is suspended", why, next)
    }

    /// The app may not be used now.
    fn stopped(frame: Frame<'a>, app: App<'a>, title: &'static str, why: String, next: &'static str) -> Self {
        let mut page = Self::plain(frame, title, &[]);
        page.paragraphs = vec![Cow::Owned(why), Cow::Borrowed(next)];
        page.app = Some(app);
        page.links.push(Link::other("/account/apps", "Connected apps"));
        page
    }

    /// The decision was made before, for instance after the back button (403).
    pub(crate) fn already_decided(frame: Frame<'a>, restart_href: &'a str) -> Self {
        let mut page = Self::plain(
            frame,
            "You have already answered",
            &[
                "This question was answered before, so this second answer changed nothing.",
                "What you have allowed is listed under Connected apps.",
            ],
        );
        page.links.push(Link::main("/account/apps", "Connected apps"));
        page.links.push(Link::other(restart_href, "Start again"));
        page
    }

    /// The decision came too late (403).
    pub(crate) fn decision_expired(frame: Frame<'a>, restart_href: &'a str) -> Self {
        let mut page = Self::plain(
            frame,
            "This page was open too long",
            &["For your safety the question is valid for a few minutes only. Nothing was connected."],
        );
        page.links.push(Link::main(restart_href, "Start again"));
        page
    }

    /// Something that cannot be done as things stand.
    pub(crate) fn not_done(frame: Frame<'a>, why: String, back_href: &'a str) -> Self {
        let mut page = Self::plain(frame, "This was not done", &[]);
        page.paragraphs = vec![Cow::Owned(format!("{}.", why.trim_end_matches('.'))), Cow::Borrowed("Nothing was changed.")];
        page.links.push(Link::main(back_href, "Go back"));
        page
    }

    /// Somebody is no longer here.
    pub(crate) fn person_deleted(frame: Frame<'a>) -> Self {
        let mut page = Self::plain(
            frame,
            "Your profile is deleted",
            &["Nothing of yours can be read here any more, and you are signed out everywhere. Thank you for having been here."],
        );
        page.problem = false;
        page.links.push(Link::other("/", "Go to the start page"));
        page
    }

    /// A form that did not come from our page in this browser, or from an old one (403).
    pub(crate) fn form_refused(frame: Frame<'a>, again_href: &'a str) -> Self {
        let mut page = Self::plain(
            frame,
            "This form is no longer valid",
            &[
                "It was open for too long, or you have signed in or out, or got another role, since. Nothing was changed.",
                "If this happens again, check that your browser accepts cookies from this site.",
            ],
        );
        page.links.push(Link::main(again_href, "Try again"));
        page
    }

    /// A password was sent where people sign in at a provider only (403).
    pub(crate) fn no_passwords(frame: Frame<'a>, again_href: &'a str) -> Self {
        let mut page = Self::plain(frame, "Passwords are not used here", &["Sign in with one of the buttons of the sign-in page instead."]);
        page.links.push(Link::main(again_href, "Back to sign-in"));
        page
    }

    /// A sign-in at a provider that the person, or the provider, has refused (403).
    pub(crate) fn provider_denied(frame: Frame<'a>, provider: &str, again_href: String) -> Self {
        let mut page = Self::plain(frame, "You are not signed in", &[]);
        page.paragraphs.push(Cow::Owned(format!("The sign-in at {provider} was cancelled or refused there. Nothing was changed.")));
        page.links.push(Link::main(again_href, "Back to sign-in"));
        page
    }

    /// A sign-in at a provider that did not work (502, 503). `passes` says that it is worth trying again.
    pub(crate) fn provider_failed(frame: Frame<'a>, provider: &str, passes: bool, again_href: String) -> Self {
        let mut page = Self::plain(frame, "The sign-in did not work", &[]);
        page.paragraphs.push(Cow::Owned(format!("Sign-in at {provider} did not work. It is not your fault, and nothing was changed.")));
        page.paragraphs.push(Cow::Borrowed(match passes {
            true => "It usually passes within a minute.",
            false => "If trying again does not help, tell the people who run this service: their log says why.",
        }));
        page.links.push(Link::main(again_href, "Try again"));
        page
    }

    /// An answer of a provider that no sign-in of this browser waits for (400).
    pub(crate) fn no_such_sign_in(frame: Frame<'a>) -> Self {
        let mut page = Self::plain(
            frame,
            "This sign-in is no longer valid",
            &[
                "It was finished before, took too long, or began in another browser. Nothing was changed.",
                "If this happens again, check that your browser accepts cookies from this site.",
            ],
        );
        page.links.push(Link::main("/login", "Sign in"));
        page
    }

    /// A link of an app that is too long to be kept while somebody signs in at a provider (400).
    pub(crate) fn too_long_to_keep(frame: Frame<'a>) -> Self {
        let text = "The link of the app that sent you here is too long to be kept while you sign in. Sign in first, then open it again.";
        let mut page = Self::plain(frame, "This link is too long", &[text]);
        page.links.push(Link::main("/login", "Sign in"));
        page
    }

    /// The first administrator is there (200).
    pub(crate) fn set_up(frame: Frame<'a>) -> Self {
        let mut page = Self::plain(
            frame,
            "The first administrator is set up",
            &["This page is closed from now on.", "Delete the secret SETUP_TOKEN now: wrangler secret delete SETUP_TOKEN."],
        );
        page.problem = false;
        page.links.push(Link::main("/login?return_to=/admin", "Go on"));
        page
    }

    /// No such page (404).
    pub(crate) fn not_found(frame: Frame<'a>) -> Self {
        let mut page = Self::plain(frame, "Page not found", &["There is nothing at this address. The link may be old or mistyped."]);
        page.links.push(Link::main("/", "Go to the start page"));
        page
    }

    /// Wrong method (405). `allowed` is the value of the `Allow` header.
    pub(crate) fn method_not_allowed(frame: Frame<'a>, allowed: &str) -> Self {
        let mut page = Self::plain(frame, "This does not work here", &[]);
        page.paragraphs.push(Cow::Borrowed("This address is not a page: other pages and apps use it. Nothing was changed."));
        page.paragraphs.push(Cow::Owned(format!("It takes requests of this kind only: {allowed}.")));
        page.links.push(Link::main("/", "Go to the start page"));
        page
    }

    /// A request this page cannot make sense of (400, 413, 415).
    pub(crate) fn bad_request(frame: Frame<'a>) -> Self {
        let text = "Something in it was missing, wrong or too long. Nothing was changed. Go back and try again.";
        let mut page = Self::plain(frame, "This request was not understood", &[text]);
        page.links.push(Link::other("/", "Go to the start page"));
        page
    }

    /// Asked under another host name than the issuer's (421). `issuer` is the right address.
    pub(crate) fn wrong_host(frame: Frame<'a>, issuer: &'a str) -> Self {
        let text = "This service does not answer under this host name. Check the address you were given.";
        let mut page = Self::plain(frame, "Wrong address", &[text]);
        page.links.push(Link::main(issuer, "Go to the right address"));
        page
    }

    /// Too many tries to sign in (429).
    pub(crate) fn too_many(frame: Frame<'a>, wait_seconds: u64, again_href: &'a str) -> Self {
        let mut page = Self::plain(frame, "Too many tries", &[]);
        page.paragraphs = vec![
            Cow::Owned(format!("Please wait {} before you try to sign in again.", wait_words(wait_seconds))),
            Cow::Borrowed("The limit keeps others from guessing your password."),
        ];
        page.links.push(Link::other(again_href, "Back to sign-in"));
        page
    }

    /// A storage fault (503).
    pub(crate) fn try_again(frame: Frame<'a>, again_href: Option<&'a str>) -> Self {
        let mut page = Self::plain(
            frame,
            "Please try again",
            &["Something on our side did not answer in time. It is not your fault, and it usually passes within a minute."],
        );
        page.links.push(match again_href {
            Some(href) => Link::main(href, "Try again"),
            None => Link::main("/", "Go to the start page"),
        });
        page
    }

    /// The deployment lacks settings or secrets (503); which ones is in the log only.
    pub(crate) fn set_up_unfinished(frame: Frame<'a>) -> Self {
        Self::plain(
            frame,
            "Set-up unfinished",
            &["This service is installed but not configured yet. Its operator can find in the log what is missing."],
        )
    }
}
