//! `/account/apps`: what is connected, and Disconnect.
//!
//! Order of a disconnect (attack A18): the row takes the next consent number and says `ending`, the
//! object ends everything up to it, the row says `ended`. When the object does not answer the row
//! stays listed as not finished, and pressing again finishes it. Another account's install is 404.

use edgegrant_core::credential::GrantId;
use edgegrant_core::encoding::array_from_hex;
use edgegrant_core::grant::{Answer as GrantAnswer, Command};
use edgegrant_core::person::{form_token, form_token_ok};

use super::sign_in::{self, to_login};
use super::{frame, page_form};
use crate::answer::Answer;
use crate::call::Call;
use crate::fault::{Fault, OrFault as _};
use crate::objects::grant::ask;
use crate::pages::{App, AppsPage, Connection, ConnectionStatus, DisconnectPage, Frame, Moment, NoticePage, one_of};
use crate::platform::now_s;
use crate::store::installs::{self, Install};
use crate::store::people::Visitor;

/// Installs on one page of the list.
const PAGE: u32 = 20;
const HERE: &str = "/account/apps";

fn person<'a>(call: &'a Call, visitor: &'a Visitor, csrf: &'a str) -> Frame<'a> {
    Frame { person: Some(&visitor.email), csrf: Some(csrf), ..frame(call) }
}

fn csrf(call: &Call, visitor: &Visitor) -> Result<String, Fault> {
    form_token(&call.config.keys.seal, &visitor.cookie.session).or_fault("seal key")
}

fn not_found(call: &Call, visitor: &Visitor) -> Result<Answer, Fault> {
    Ok(Answer::page(404, &NoticePage::not_found(person(call, visitor, &csrf(call, visitor)?))))
}

fn may_end(call: &Call, install: &Install) -> bool {
    call.config.policy.authorize.consent_roles.contains(&install.role)
}

/// `GET /account/apps`.
pub(crate) async fn list(call: &Call) -> Result<Answer, Fault> {
    let Some(visitor) = sign_in::visitor(call, None).await? else { return Ok(to_login(&call.path_and_query())) };
    let query = call.query_params();
    let skip: u32 = query.field("skip").parse().unwrap_or(0);
    let mut found = installs::of_user(&call.env, &visitor.cookie.user, skip, PAGE + 1).await?;
    let more = found.len() > PAGE as usize;
    found.truncate(PAGE as usize);
    let rows: Vec<Row<'_>> = found.iter().map(|install| Row::of(call, install)).collect();
    let connections: Vec<Connection<'_>> = rows.iter().map(Row::shown).collect();
    let next = format!("{HERE}?skip={}", skip.saturating_add(PAGE));
    let csrf = csrf(call, &visitor)?;
    let page = AppsPage {
        frame: person(call, &visitor, &csrf),
        done: (query.field("done") == "disconnected").then_some("The app is disconnected. Nothing of its access works any more."),
        connections: &connections,
        who_may: &one_of(&call.config.policy.authorize.consent_roles),
        first_href: (skip > 0).then_some(HERE),
        next_href: more.then_some(next.as_str()),
    };
    sign_in::renewed(call, &visitor, Answer::page(200, &page))
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

fn confirmation(call: &Call, visitor: &Visitor, install: &Install, status: u16, error: Option<&str>) -> Result<Answer, Fault> {
    let row = Row::of(call, install);
    let csrf = csrf(call, visitor)?;
    let page = DisconnectPage {
        frame: person(call, visitor, &csrf),
        app: row.app(),
        account: &install.account_name,
        csrf: &csrf,
        install: &install.id(),
        error,
    };
    Ok(Answer::page(status, &page))
}

/// An install that the visitor may end.
async fn mine(call: &Call, visitor: &Visitor, id: &str) -> Result<Option<Install>, Fault> {
    let found = installs::find(&call.env, &visitor.cookie.user, id).await?;
    Ok(found.filter(|install| may_end(call, install)))
}

/// `GET /account/apps/disconnect`: asks whether it is meant.
pub(crate) async fn confirm(call: &Call) -> Result<Answer, Fault> {
    let Some(visitor) = sign_in::visitor(call, None).await? else { return Ok(to_login(&call.path_and_query())) };
    match mine(call, &visitor, call.query_params().field("install")).await? {
        Some(install) if install.status == "ended" => Ok(Answer::see_other(HERE)),
        Some(install) => confirmation(call, &visitor, &install, 200, None),
        None => not_found(call, &visitor),
    }
}

/// `POST /account/apps/disconnect`: ends everything of the install, codes in flight included.
pub(crate) async fn disconnect(call: &mut Call) -> Result<Answer, Fault> {
    let params = match page_form(call).await? {
        Ok(params) => params,
        Err(refused) => return Ok(refused),
    };
    let Some(visitor) = sign_in::visitor(call, None).await? else { return Ok(to_login(HERE)) };
    if !call.is_from_own_page() || !form_token_ok(&call.config.keys.seal, &visitor.cookie.session, params.field("csrf")) {
        return Ok(Answer::page(403, &NoticePage::form_refused(frame(call), HERE)).because("form refused"));
    }
    let Some(install) = mine(call, &visitor, params.field("install")).await? else {
        return not_found(call, &visitor);
    };
    let now = now_s();
    let seq = installs::begin_end(&call.env, &install, &visitor.cookie.user, now).await?;
    let grant = GrantId(array_from_hex(&install.grant_id).or_fault("grant id")?);
    match ask(&call.env, &grant, &Command::End { seq }).await {
        Ok(GrantAnswer::Ended) => {}
        Ok(_) => return Err(Fault::at("end answer")),
        Err(fault) => {
            crate::log::fault("disconnect", &fault);
            let error = "The disconnect is not finished: a part of our system did not answer. Press Disconnect again.";
            return Ok(confirmation(call, &visitor, &install, 503, Some(error))?.with("retry-after", "1").because("fault"));
        }
    }
    installs::ended(&call.env, &install.grant_id, seq, "disconnected", now).await?;
    Ok(Answer::see_other("/account/apps?done=disconnected"))
}
