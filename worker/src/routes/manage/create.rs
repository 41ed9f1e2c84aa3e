//! Creates, with their idempotency: a request that is sent again with its `Idempotency-Key` makes nothing
//! new and is told what the first one made. Secrets are shown by the first answer only.

use edgegrant_core::encoding::{hex, sha256};
use edgegrant_core::keys::lookup_name;
use serde_json::Value;

use super::{Caller, Stop, accounts, apps, body, keys, parsed, problem, resource_servers, tokens};
use crate::answer::Answer;
use crate::call::Call;
use crate::fault::OrFault as _;
use crate::operations::{self, apps::managed};
use crate::platform::now_s;
use crate::store::idempotency::{self, Lease};

/// Larger than any body that is right.
pub(super) const BODY_MAX: usize = 32_768;

/// What is made.
#[derive(Clone, Copy, Debug)]
pub(super) enum Create<'a> {
    App,
    /// Of this app.
    Secret(&'a str),
    Token,
    Account,
    /// Of this account.
    Member(&'a str),
    Person,
    /// Of this account.
    Key(&'a str),
    ResourceServer,
    /// Of this resource server.
    ServerSecret(&'a str),
}

impl Create<'_> {
    async fn run(self, call: &Call, caller: &Caller, sent: &[u8]) -> Result<Value, Stop> {
        let actor = &caller.actor;
        Ok(match self {
            Self::App => apps::create(call, caller, parsed(sent)?).await?,
            Self::Secret(client_id) => {
                let app = managed(call, actor, client_id).await?;
                let (text, record) = operations::apps::add_secret(call, actor, &app).await?;
                apps::with_secret(&text, &record)
            }
            Self::Token => tokens::create(call, caller, parsed(sent)?).await?,
            Self::Account => accounts::create(call, actor, parsed(sent)?).await?,
            Self::Member(account) => accounts::put_member(call, actor, account, parsed(sent)?).await?,
            Self::Person => accounts::create_person(call, caller, parsed(sent)?).await?,
            Self::Key(account) => keys::create(call, actor, account, parsed(sent)?).await?,
            Self::ResourceServer => resource_servers::create(call, actor, parsed(sent)?).await?,
            Self::ServerSecret(client_id) => resource_servers::add_secret(call, actor, client_id).await?,
        })
    }

    /// The member that is shown once.
    const fn secret(self) -> Option<&'static str> {
        match self {
            Self::Secret(_) | Self::ServerSecret(_) | Self::ResourceServer => Some("client_secret"),
            Self::Token => Some("token"),
            Self::Key(_) => Some("key"),
            _ => None,
        }
    }

    /// Where what was made can be read.
    fn location(self, made: &Value) -> Option<String> {
        let text = |member: &str| made.get(member).and_then(Value::as_str).map(str::to_owned);
        match self {
            Self::App => Some(format!("/manage/v1/apps/{}", text("client_id")?)),
            Self::Account => Some(format!("/manage/v1/accounts/{}", text("id")?)),
            Self::ResourceServer => Some(format!("/manage/v1/resource-servers/{}", text("client_id")?)),
            Self::Person => Some(format!("/manage/v1/people/{}", text("id")?)),
            _ => None,
        }
    }

    fn answer(self, status: u16, made: &Value) -> Answer {
        let answer = Answer::json(status, made);
        match self.location(made) {
            Some(location) => answer.with("location", &location),
            None => answer,
        }
    }
}

/// Makes something, or tells again what was made.
pub(super) async fn create(call: &mut Call, caller: &Caller, what: Create<'_>) -> Result<Answer, Stop> {
    let sent = body(call, BODY_MAX).await?;
    let lease = match begin(call, caller, what, &sent).await? {
        Ok(lease) => lease,
        Err(answer) => return Ok(answer),
    };
    let outcome = what.run(call, caller, &sent).await;
    let kept = match (&lease, &outcome) {
        (None, _) => Ok(()),
        (Some(lease), Ok(made)) => lease.done(&call.env, 201, &without_secret(made, what).to_string(), now_s()).await,
        (Some(lease), Err(_)) => lease.free(&call.env).await,
    };
    // What was made is made, and its secret must be shown now; the lease ends by itself.
    if let Err(fault) = kept {
        crate::log::fault("idempotency", &fault);
    }
    Ok(what.answer(201, &outcome?))
}

fn without_secret(made: &Value, what: Create<'_>) -> Value {
    let mut kept = made.clone();
    if let (Some(member), Some(object)) = (what.secret(), kept.as_object_mut()) {
        object.remove(member);
        object.insert("secret_shown_before".to_owned(), true.into());
    }
    kept
}

/// The lease of a request with a key; the answer to one that was here before.
async fn begin(call: &Call, caller: &Caller, what: Create<'_>, sent: &[u8]) -> Result<Result<Option<Lease>, Answer>, Stop> {
    let Some(key) = call.header("idempotency-key") else { return Ok(Ok(None)) };
    if !(1..=255).contains(&key.len()) || !key.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
        return Ok(Err(problem(400, "Idempotency-Key: 1 to 255 printable ASCII characters")));
    }
    let (_, hash) = call.config.keys.hash.newest().or_fault("hash key")?;
    // A key is the caller's own, and of this address: nobody else's request is answered with it.
    let name = lookup_name(hash, "idempotency", &format!("{}\n{}\n{key}", caller.actor.id, call.path));
    let request = hex(&sha256(sent));
    Ok(match idempotency::begin(&call.env, name, &request, now_s()).await? {
        Ok(lease) => Ok(Some(lease)),
        Err(known) if known.request != request => Err(problem(422, "This Idempotency-Key was used for another request")),
        Err(known) if known.status == 0 => {
            let wait = known.wait_s(now_s()).to_string();
            Err(problem(409, "The first request with this Idempotency-Key still runs").with("retry-after", &wait))
        }
        Err(known) => Err(what.answer(known.status, &edgegrant_core::json::parse(known.body.as_bytes()).or_fault("idempotency")?)),
    })
}
