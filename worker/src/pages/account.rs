//! What a business owner sees of connected apps.

use super::words::{Moment, filters};
use super::{App, Frame};
use askama::Template;

/// How a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ConnectionStatus {
    /// The app has used its access.
    Connected,
    /// Allowed; the app has not fetched its access yet.
    Unused,
    /// Not used for so long that nothing of it works any more.
    Expired,
    /// A disconnect was begun and not finished.
    Ending,
    /// Nothing of it works any more.
    Ended,
}

impl ConnectionStatus {
    /// The status in words.
    fn words(self) -> &'static str {
        match self {
            Self::Connected => "Connected",
            Self::Unused => "Allowed, not used yet",
            Self::Expired => "Expired",
            Self::Ending => "Disconnect not finished",
            Self::Ended => "Ended",
        }
    }

    /// The class of the status mark.
    fn class(self) -> &'static str {
        match self {
            Self::Connected => "tag tag-good",
            Self::Unused => "tag",
            Self::Ending => "tag tag-warn",
            Self::Expired | Self::Ended => "tag tag-off",
        }
    }
}

/// One app connected to one business account.
#[derive(Clone, Debug)]
pub(crate) struct Connection<'a> {
    /// The app.
    pub(crate) app: App<'a>,
    /// Name of the business account.
    pub(crate) account: &'a str,
    /// What the app may do, in words.
    pub(crate) scopes: Vec<&'a str>,
    /// Who allowed it.
    pub(crate) connected_by: &'a str,
    /// When it was allowed.
    pub(crate) connected_at: Moment,
    /// When the app last used its access, when known.
    pub(crate) last_used: Option<Moment>,
    /// When it ended.
    pub(crate) ended_at: Option<Moment>,
    /// How it stands.
    pub(crate) status: ConnectionStatus,
    /// The platform has suspended the app.
    pub(crate) suspended: bool,
    /// Path of the disconnect page; none when it has ended or the person may not end it.
    pub(crate) disconnect_href: Option<&'a str>,
}

/// The list of connected apps.
#[derive(Clone, Debug, Template)]
#[template(path = "apps.html")]
pub(crate) struct AppsPage<'a> {
    /// The frame around the page.
    pub(crate) frame: Frame<'a>,
    /// What has just happened: "Salon Planner is disconnected."
    pub(crate) done: Option<&'a str>,
    /// The connections, newest first.
    pub(crate) connections: &'a [Connection<'a>],
    /// Who may disconnect, such as "an owner".
    pub(crate) who_may: &'a str,
    /// Path of the first page of the list, when this is another one.
    pub(crate) first_href: Option<&'a str>,
    /// Path of the next page of the list.
    pub(crate) next_href: Option<&'a str>,
}

/// "Really disconnect?" Posts `csrf` and `install` to `/account/apps/disconnect`.
#[derive(Clone, Debug, Template)]
#[template(path = "disconnect.html")]
pub(crate) struct DisconnectPage<'a> {
    /// The frame around the page.
    pub(crate) frame: Frame<'a>,
    /// The app that loses its access.
    pub(crate) app: App<'a>,
    /// Name of the business account.
    pub(crate) account: &'a str,
    /// Token of the session.
    pub(crate) csrf: &'a str,
    /// Id of the install.
    pub(crate) install: &'a str,
    /// Why the last try failed.
    pub(crate) error: Option<&'a str>,
}
