//! `…/try`: the flow with the app's own client id, step by step, each request and answer as they are on
//! the wire. The requests of the later steps go through the very routes that apps use.
//!
//! What a trial remembers (verifier, state, secret, tokens) is sealed into the form and bound to the
//! session: nothing of it is kept here.

use edgegrant_core::app::App;
use edgegrant_core::encoding::{base64url, sha256};
use edgegrant_core::oauth::params::Params;
use edgegrant_core::oauth::redirect_uri::with_params;
use edgegrant_core::seal::{Purpose, open_value, seal_value};
use serde::{Deserialize, Serialize};
use worker::{Headers, Method};

use super::super::guest::Guest;
use super::{HERE, entered, of_app, sent};
use crate::answer::Answer;
use crate::call::Call;
use crate::fault::{Fault, OrFault as _};
use crate::operations::apps as operations;
use crate::pages::{Action, Choice, Control, Field, FormPage, Link, Section, SheetPage};
use crate::platform::random;
use crate::store::apps::Listed;

/// What a trial remembers from step to step.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Trial {
    redirect_uri: String,
    state: String,
    verifier: String,
    secret: String,
    access: String,
    refresh: String,
}

impl Trial {
    fn sealed(&self, call: &Call, guest: &Guest) -> Result<String, Fault> {
        seal_value(&call.config.keys.seal, Purpose::Trial, &guest.visitor.cookie.session, self, random()?).or_fault("seal")
    }

    fn opened(call: &Call, guest: &Guest, text: &str) -> Option<Self> {
        open_value(&call.config.keys.seal, Purpose::Trial, &guest.visitor.cookie.session, text)
    }
}

/// `GET …/try`: what to ask for.
pub(super) async fn start(call: &Call, client_id: &str) -> Result<Answer, Fault> {
    let (guest, app) = match entered(call, client_id).await? {
        Ok(entered) => entered,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let details = app.details()?;
    let mut page = FormPage::new(guest.frame(call), "Try the flow", of_app(client_id, "try"), "Build the request");
    page.lead.push("Walk through the flow as your app does, and see each request and answer. It makes a real connection.".into());
    let uris = details.redirect_uris.iter().enumerate().map(|(at, uri)| Choice::new(uri.clone(), uri.clone(), at == 0));
    let scopes = details.scopes.iter().map(|scope| Choice::new(scope.name.clone(), scope.name.clone(), true));
    page.fields = vec![
        Field::line("redirect_uri", "Redirect URI", "", "").with(Control::OneOf(uris.collect())),
        Field::line("scopes", "Scopes", "", "").with(Control::AnyOf(scopes.collect())),
    ];
    page.hidden.push(("step", "begin".into()));
    page.cancel = of_app(client_id, "").into();
    guest.page(call, 200, &page)
}

/// `POST …/try`: the steps.
pub(super) async fn step(call: &mut Call, client_id: &str) -> Result<Answer, Fault> {
    let back = of_app(client_id, "try");
    let (guest, app, params) = match sent(call, client_id, &back).await? {
        Ok(sent) => sent,
        Err(refused) => return Ok(refused),
    };
    let record = match operations::record(call, &app).await {
        Ok(record) => record,
        Err(failure) => return guest.failed(call, failure, HERE),
    };
    if params.field("step") == "begin" {
        let trial = Trial {
            redirect_uri: params.field("redirect_uri").to_owned(),
            state: base64url(&random::<16>()?),
            verifier: base64url(&random::<32>()?),
            ..Trial::default()
        };
        let scope = params.all("scopes").collect::<Vec<_>>().join(" ");
        return guest.page(call, 200, &request_page(call, &guest, &record, &trial, &scope, &[])?);
    }
    let Some(trial) = Trial::opened(call, &guest, params.field("trial")) else { return Ok(Answer::see_other(&back)) };
    match params.field("step") {
        "exchange" => exchange(call, &guest, &app, &record, trial, &params).await,
        "refresh" => {
            let fields = [("grant_type", "refresh_token"), ("refresh_token", trial.refresh.as_str())];
            let path = call.config.policy.routes.refresh.first().or(call.config.policy.routes.token.first()).cloned().unwrap_or_default();
            token_step(call, &guest, &app, &record, trial.clone(), &path, &fields).await
        }
        "revoke" => {
            let path = call.config.policy.routes.revoke.first().cloned().unwrap_or_default();
            let fields = [("token", trial.refresh.as_str())];
            token_step(call, &guest, &app, &record, trial.clone(), &path, &fields).await
        }
        _ => api_step(call, &guest, &app, trial).await,
    }
}

/// One parameter per line, so that it can be read.
fn spread(address: &str) -> String {
    address.replacen('?', "\n  ?", 1).replace('&', "\n  &")
}

fn request_page<'a>(
    call: &'a Call,
    guest: &'a Guest,
    app: &App,
    trial: &Trial,
    scope: &str,
    wrong: &'a [edgegrant_core::app::Problem],
) -> Result<FormPage<'a>, Fault> {
    let challenge = base64url(&sha256(trial.verifier.as_bytes()));
    let params = [
        ("response_type", "code"),
        ("client_id", app.client_id.as_str()),
        ("redirect_uri", trial.redirect_uri.as_str()),
        ("scope", scope),
        ("state", trial.state.as_str()),
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", "S256"),
    ];
    let address = with_params(&format!("{}{}", call.config.issuer, call.config.policy.routes.authorize()), &params);
    let mut page =
        FormPage::new(guest.frame(call), "1. Ask for the owner's consent", of_app(&app.client_id, "try"), "2. Exchange the code");
    page.lead.push("The app sends the browser to this address. Open it, answer, and copy the address that the browser ends up at, even if nothing is there.".into());
    page.blocks = vec![
        ("Authorization request", format!("GET {}", spread(&address))),
        ("Kept by the app until the answer", format!("state: {}\ncode_verifier: {}", trial.state, trial.verifier)),
    ];
    page.way = Some((address, "Open the authorization page"));
    page.fields.push(Field::line(
        "answer",
        "The address you came back to",
        "It begins with the redirect URI and holds code, state and iss.",
        "",
    ));
    if !app.is_public() {
        let hint = "For the token request. It is not kept.";
        page.fields.push(Field::line("secret", "Client secret", hint, "").with(Control::Line("password", "off")));
    }
    page.hidden = vec![("step", "exchange".into()), ("scope", scope.to_owned().into()), ("trial", trial.sealed(call, guest)?.into())];
    page.cancel = of_app(&app.client_id, "").into();
    Ok(page.with_problems(wrong))
}

/// What an app checks of the answer before it uses the code (RFC 6749 §10.12, RFC 9207 §2.4).
fn code_of(call: &Call, trial: &Trial, answer: &str) -> Result<String, String> {
    let answer = answer.trim();
    let query = answer.strip_prefix(trial.redirect_uri.as_str()).and_then(|rest| {
        let goes_on = trial.redirect_uri.ends_with(['?', '&']);
        rest.strip_prefix(['?', '&']).or(goes_on.then_some(rest))
    });
    let query = query.ok_or("this is not the redirect URI: paste the whole address")?;
    let params = Params::parse(query.as_bytes());
    if params.field("state") != trial.state {
        return Err("state is not the one that was sent: an app must stop here, for the answer may be forged".into());
    }
    if params.field("iss") != call.config.issuer {
        return Err("iss is not this server: an app must stop here (RFC 9207)".into());
    }
    match (params.field("error"), params.field("code")) {
        ("", "") => Err("there is no code in it".into()),
        ("", code) => Ok(code.to_owned()),
        (error, _) => Err(format!("the answer is the error {error}: {}", params.field("error_description"))),
    }
}

async fn exchange(call: &Call, guest: &Guest, listed: &Listed, app: &App, trial: Trial, params: &Params) -> Result<Answer, Fault> {
    let trial = Trial { secret: params.field("secret").trim().to_owned(), ..trial };
    let code = match code_of(call, &trial, params.field("answer")) {
        Ok(code) => code,
        Err(problem) => {
            let wrong = [("answer", problem)];
            return guest.page(call, 400, &request_page(call, guest, app, &trial, params.field("scope"), &wrong)?);
        }
    };
    let path = call.config.policy.routes.token.first().cloned().unwrap_or_default();
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", trial.redirect_uri.as_str()),
        ("code_verifier", trial.verifier.as_str()),
    ];
    token_step(call, guest, listed, app, trial.clone(), &path, &fields).await
}

/// A request to the token or revocation endpoint, authenticated as the policy has it.
async fn token_step(
    call: &Call,
    guest: &Guest,
    listed: &Listed,
    app: &App,
    mut trial: Trial,
    path: &str,
    fields: &[(&str, &str)],
) -> Result<Answer, Fault> {
    use edgegrant_core::policy::AuthMethod;
    let methods = call.config.policy.of(app).auth_methods().to_vec();
    let mut fields = fields.to_vec();
    let mut authorization = None;
    if app.is_public() || methods.contains(&AuthMethod::ClientSecretPost) {
        fields.push(("client_id", &app.client_id));
        if !app.is_public() {
            fields.push(("client_secret", &trial.secret));
        }
    } else {
        let pair = edgegrant_core::encoding::base64(format!("{}:{}", app.client_id, trial.secret).as_bytes());
        authorization = Some(format!("Basic {pair}"));
    }
    let body = Params::encoded(&fields);
    let hidden: Vec<_> = fields.iter().map(|(name, value)| (*name, if *name == "client_secret" { "..." } else { *value })).collect();
    let header = if authorization.is_some() { "Authorization: Basic …\n" } else { "" };
    let shown =
        format!("POST {path}\n{header}Content-Type: application/x-www-form-urlencoded\n\n{}", Params::encoded(&hidden).replace('&', "\n&"));
    let answer = ask(call, path, Method::Post, authorization, Some(body)).await?;
    let json = answer.json_body();
    let member = |name: &str, old: &str| json.get(name).and_then(|value| value.as_str()).unwrap_or(old).to_owned();
    (trial.access, trial.refresh) = (member("access_token", &trial.access), member("refresh_token", &trial.refresh));
    result(call, guest, listed, &trial, shown, &answer)
}

async fn api_step(call: &Call, guest: &Guest, listed: &Listed, trial: Trial) -> Result<Answer, Fault> {
    use edgegrant_core::policy::endpoints::MeMethod;
    let me = &call.config.policy.me;
    let path = me.paths.first().cloned().unwrap_or_default();
    let (method, word) = if me.methods.contains(&MeMethod::Get) { (Method::Get, "GET") } else { (Method::Post, "POST") };
    let answer = ask(call, &path, method, Some(format!("Bearer {}", trial.access)), None).await?;
    let shown = format!("{word} {path}\nAuthorization: Bearer {}", trial.access);
    result(call, guest, listed, &trial, shown, &answer)
}

/// A request of our own to one of our own routes.
async fn ask(call: &Call, path: &str, method: Method, authorization: Option<String>, body: Option<String>) -> Result<Answer, Fault> {
    let headers = Headers::new();
    if let Some(address) = call.header("cf-connecting-ip") {
        headers.set("cf-connecting-ip", &address).or_fault("trial")?;
    }
    if let Some(authorization) = authorization {
        headers.set("authorization", &authorization).or_fault("trial")?;
    }
    if body.is_some() {
        headers.set("content-type", "application/x-www-form-urlencoded").or_fault("trial")?;
    }
    let body = body.map(|body| body.as_str().into());
    let request =
        crate::platform::request(&format!("{}{path}", call.config.issuer), method.as_ref(), &headers, body.as_ref()).or_fault("trial")?;
    crate::protocol::ask(call, request, path).await
}

fn result(call: &Call, guest: &Guest, app: &Listed, trial: &Trial, shown: String, answer: &Answer) -> Result<Answer, Fault> {
    let back = of_app(&app.client_id, "try");
    let mut page = SheetPage::new(guest.frame(call), if answer.status < 400 { "It worked" } else { "It was refused" }, "");
    page.up = Some(Link::other(of_app(&app.client_id, ""), app.name.as_str()));
    page.sections.push(Section { heading: "Request".into(), code: Some(shown.into()), ..Section::default() });
    page.sections.push(Section { heading: "Answer".into(), code: Some(answer.shown().into()), ..Section::default() });
    let sealed = trial.sealed(call, guest)?;
    let post = |text: &'static str, step: &'static str| Action {
        post: Some(vec![("step", step.into()), ("trial", sealed.clone().into())]),
        ..Action::post(text, back.clone())
    };
    let mut next = Section { heading: "Next".into(), ..Section::default() };
    if !trial.access.is_empty() {
        next.actions = vec![post("Call the API", "call").main(), post("Refresh", "refresh"), post("Revoke", "revoke").danger()];
    }
    next.actions.push(Action::link("Start again", back.clone()));
    page.sections.push(next);
    guest.page(call, 200, &page)
}
