//! `/account/apps`: what is connected, and Disconnect.
//!
//! Another account's install is 404.

use super::guest::Guest;
use crate::answer::Answer;
use crate::call::Call;
use crate::fault::Fault;
use crate::operations::Failure;
use crate::operations::installs::disconnect as end;
use crate::pages::{App, AppsPage, Connection, ConnectionStatus, DisconnectPage, Moment, one_of};
use crate::platform::now_s;
use crate::store::installs::{self, Install};

/// Installs on one page of the list.
const PAGE: u32 = 20;
const HERE: &str = "/account/apps";

fn may_end(call: &Call, install: &Install) -> bool {
    call.config.policy.authorize.consent_roles.contains(&install.role)
}

/// `GET /account/apps`.
pub(crate) async fn list(call: &Call) -> Result<Answer, Fault> {
    let guest = match Guest::enter(call).await? {
        Ok(guest) => guest,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let query = call.query_params();
    let skip: u32 = query.field("skip").parse().unwrap_or(0);
    let mut found = installs::of_user(&call.env, &guest.visitor.cookie.user, skip, PAGE + 1).await?;
    let more = found.len() > PAGE as usize;
    found.truncate(PAGE as usize);
    let rows: Vec<Row<'_>> = found.iter().map(|install| Row::of(call, install)).collect();
    let connections: Vec<Connection<'_>> = rows.iter().map(Row::shown).collect();
    let next = format!("{HERE}?skip={}", skip.saturating_add(PAGE));
    let page = AppsPage {
        frame: guest.frame(call),
        done: (query.field("done") == "disconnected").then_some("The app is disconnected. Nothing of its access works any more."),
        connections: &connections,
        who_may: &one_of(&call.config.policy.authorize.consent_roles),
        first_href: (skip > 0).then_some(HERE),
        next_href: more.then_some(next.as_str()),
    };
    guest.page(call, 200, &page)
}

/// An install with the strings that its row on the page borrows.
struct Row<'a> {
    install: &'a Install,
    logo: Option<String>,
    scopes: Vec<&'a str>,
    allowed_by: String,
    disconnect: Option<String>,
    expired: bool,
}

/// A day, in seconds: the row hears of the first use of a day only.
const DAY_S: u64 = 86_400;

/// Whether disuse or age has ended every family of an install, as far as its row can tell.
fn expired(call: &Call, install: &Install) -> bool {
    let lives = &call.config.policy.refresh;
    let over = |since_s: u64, life_s: u64| life_s != 0 && since_s.saturating_add(life_s) <= now_s();
    over(install.used_at.unwrap_or(install.allowed_at) + DAY_S, lives.idle_s) || over(install.allowed_at + DAY_S, lives.absolute_s)
}

impl<'a> Row<'a> {
    fn of(call: &'a Call, install: &'a Install) -> Self {
        let catalogue = &call.config.policy.scopes;
        let scopes = install.scope.split(' ').map(|scope| catalogue.find(scope).map_or(scope, |entry| entry.words.as_str())).collect();
        let open = install.status != "ended" && may_end(call, install);
        Self {
            install,
            logo: install.logo.as_ref().map(|sha256| format!("/logo/{sha256}")),
            scopes,
            allowed_by: install.allowed_by(&call.config.keys),
            expired: expired(call, install),
            disconnect: open.then(|| format!("{HERE}/disconnect?install={}", install.id())),
        }
    }

    fn app(&self) -> App<'_> {
        let install = self.install;
        App {
            name: &install.app_name,
            logo: self.logo.as_deref(),
            developer: &install.developer,
            website_host: None,
            description: None,
            in_development: install.development == 1,
            unreviewed: install.app_status == "pending",
        }
    }

    fn shown(&self) -> Connection<'_> {
        let install = self.install;
        Connection {
            app: self.app(),
            account: &install.account_name,
            scopes: self.scopes.clone(),
            connected_by: &self.allowed_by,
            connected_at: Moment::from_unix(install.allowed_at),
            last_used: install.used_at.map(Moment::from_unix),
            ended_at: install.ended_at.map(Moment::from_unix),
            status: match install.status.as_str() {
                "connected" if self.expired => ConnectionStatus::Expired,
                "connected" => ConnectionStatus::Connected,
                "allowed" => ConnectionStatus::Unused,
                "ending" => ConnectionStatus::Ending,
                _ => ConnectionStatus::Ended,
            },
            suspended: matches!(install.app_status.as_str(), "suspended" | "rejected") && install.status != "ended",
            disconnect_href: self.disconnect.as_deref(),
        }
    }
}

fn confirmation(call: &Call, guest: &Guest, install: &Install, status: u16, error: Option<&str>) -> Answer {
    let row = Row::of(call, install);
    let frame = guest.frame(call);
    let page = DisconnectPage {
        frame,
        app: row.app(),
        account: &install.account_name,
        csrf: frame.csrf.unwrap_or_default(),
        install: &install.id(),
        error,
    };
    Answer::page(status, &page)
}

/// An install that the visitor may end.
async fn mine(call: &Call, guest: &Guest, id: &str) -> Result<Option<Install>, Fault> {
    let found = installs::find(&call.env, &guest.visitor.cookie.user, id).await?;
    Ok(found.filter(|install| may_end(call, install)))
}

/// `GET /account/apps/disconnect`: asks whether it is meant.
pub(crate) async fn confirm(call: &Call) -> Result<Answer, Fault> {
    let guest = match Guest::enter(call).await? {
        Ok(guest) => guest,
        Err(elsewhere) => return Ok(elsewhere),
    };
    Ok(match mine(call, &guest, call.query_params().field("install")).await? {
        Some(install) if install.status == "ended" => Answer::see_other(HERE),
        Some(install) => confirmation(call, &guest, &install, 200, None),
        None => guest.not_found(call),
    })
}

/// `POST /account/apps/disconnect`.
pub(crate) async fn disconnect(call: &mut Call) -> Result<Answer, Fault> {
    let (guest, params) = match Guest::posted(call, HERE).await? {
        Ok(sent) => sent,
        Err(refused) => return Ok(refused),
    };
    let Some(install) = mine(call, &guest, params.field("install")).await? else { return Ok(guest.not_found(call)) };
    match end(call, &guest.actor(call), &install).await {
        Ok(()) => Ok(Answer::see_other("/account/apps?done=disconnected")),
        Err(Failure::Refused(_)) => Ok(guest.not_found(call)),
        Err(Failure::Fault(fault)) => {
            crate::log::fault("disconnect", &fault);
            let error = "The disconnect is not finished: a part of our system did not answer. Press Disconnect again.";
            Ok(confirmation(call, &guest, &install, 503, Some(error)).with("retry-after", "1").because("fault"))
        }
    }
}
