//! Configuration of a deployment: issuer, policy, keys. Read once per isolate.
//!
//! Without its settings a deployment serves nothing but a "set-up unfinished" answer; the log names
//! what is missing, never a value.

use std::cell::OnceCell;
use std::rc::Rc;

use edgegrant_core::encoding::array_from_base64url;
use edgegrant_core::keys::{Key, Keyring, Keys};
use edgegrant_core::notice::is_address;
use edgegrant_core::oidc::provider::Provider;
use edgegrant_core::policy::{Policy, RateHeaders};
use worker::{Env, console_error};

use crate::upstream::Upstream;

include!(concat!(env!("OUT_DIR"), "/presets.rs"));

/// Everything that stays the same for the life of an isolate.
pub(crate) struct Config {
    /// The origin: `iss`, and the start of every address (RFC 8414 §2, RFC 9207 §2).
    pub(crate) issuer: String,
    /// Host and port of the issuer; others get 421.
    pub(crate) host: String,
    /// Whether the issuer is https: cookies are `Secure` and `__Host-` then.
    pub(crate) secure: bool,
    /// The name of the preset.
    pub(crate) preset: String,
    /// What the deployment decides.
    pub(crate) policy: Policy,
    /// Its keys.
    pub(crate) keys: Keys,
    /// Where people may sign in besides.
    pub(crate) providers: Vec<Provider>,
    /// What makes the first administrator; to be deleted afterwards.
    pub(crate) setup_token: Option<[u8; 32]>,
    /// The policy's colour as a style sheet.
    pub(crate) style_sheet: Option<String>,
    /// Headers that scripts of other origins may read, besides the usual ones.
    pub(crate) exposed: String,
    /// The platform's own API. Without one the gateway is off.
    pub(crate) upstream: Option<Upstream>,
    /// The sender of notices. Without one no e-mail is sent.
    pub(crate) mail_from: Option<String>,
    /// The data to seed.
    #[cfg(feature = "development")]
    pub(crate) development: edgegrant_core::policy::Development,
}

impl Config {
    /// The provider with this id.
    pub(crate) fn provider(&self, id: &str) -> Option<&Provider> {
        self.providers.iter().find(|provider| provider.id == id)
    }
}

thread_local! {
    static CONFIG: OnceCell<Option<Rc<Config>>> = const { OnceCell::new() };
}

/// The configuration, or `None` when set-up is unfinished.
pub(crate) fn config(env: &Env) -> Option<Rc<Config>> {
    CONFIG.with(|cell| {
        cell.get_or_init(|| match read(env) {
            Ok(config) => Some(Rc::new(config)),
            Err(problems) => {
                for problem in problems {
                    console_error!("set-up unfinished: {problem}");
                }
                None
            }
        })
        .clone()
    })
}

/// A variable or secret; both arrive the same way.
fn setting(env: &Env, name: &str) -> Option<String> {
    env.var(name).ok().map(|value| value.to_string()).filter(|value| !value.trim().is_empty())
}

fn key_setting(env: &Env, name: &'static str) -> Option<String> {
    let value = setting(env, name);
    #[cfg(feature = "development")]
    let value = value.or_else(|| crate::development::keys::published(name));
    value
}

fn read(env: &Env) -> Result<Config, Vec<String>> {
    let mut problems = Vec::new();
    let issuer = note(issuer(env), &mut problems);
    let policy = note(policy(env), &mut problems);
    let edge = note(keyring(env, "EDGE_KEYS"), &mut problems);
    let hash = note(keyring(env, "HASH_KEYS"), &mut problems);
    let seal = note(keyring(env, "SEAL_KEYS"), &mut problems);
    let data = note(keyring(env, "DATA_KEYS"), &mut problems);
    let gateway = note(keyring(env, "GATEWAY_KEYS"), &mut problems);
    let grant_id = note(grant_id_key(env), &mut problems);
    let providers = note(providers(env, policy.as_ref()), &mut problems).unwrap_or_default();
    let setup_token = note(setup_token(env), &mut problems).flatten();
    let mail_from = note(mail_from(env), &mut problems).flatten();
    let upstream = note(upstream(env), &mut problems).flatten();
    if let (Some(_), Some(policy)) = (&upstream, &policy) {
        note(policy.gateway.validate(policy).map_err(|problem| format!("POLICY: {problem}")), &mut problems);
    }
    match (issuer, policy, edge, hash, seal, data, gateway, grant_id) {
        (Some((issuer, host, secure)), Some(policy), Some(edge), Some(hash), Some(seal), Some(data), Some(gateway), Some(grant_id))
            if problems.is_empty() =>
        {
            Ok(Config {
                providers,
                setup_token,
                preset: preset(env)?.name.to_owned(),
                issuer,
                host,
                secure,
                style_sheet: policy.platform.style_sheet(),
                exposed: exposed(&policy.api.headers),
                #[cfg(feature = "development")]
                development: edgegrant_core::json::read(preset(env)?.development.as_bytes()).map_err(|error| vec![error.to_string()])?,
                policy,
                upstream,
                mail_from,
                keys: Keys { edge, grant_id, hash, seal, data, gateway },
            })
        }
        _ => Err(problems),
    }
}

fn note<T>(value: Result<T, String>, problems: &mut Vec<String>) -> Option<T> {
    value.map_err(|problem| problems.push(problem)).ok()
}

/// The issuer: an origin with its host, and whether it is https.
fn issuer(env: &Env) -> Result<(String, String, bool), String> {
    let text = setting(env, "ISSUER").ok_or("ISSUER is not set: the origin of this deployment, such as https://auth.example.com")?;
    let (host, secure) = origin("ISSUER", &text)?;
    Ok((text, host, secure))
}

/// The platform's own API: a service binding, else an origin.
fn upstream(env: &Env) -> Result<Option<Upstream>, String> {
    if Upstream::is_bound(env) {
        return Ok(Some(Upstream::Binding));
    }
    let Some(text) = setting(env, "UPSTREAM") else { return Ok(None) };
    if setting(env, "ISSUER").as_ref() == Some(&text) {
        return Err("UPSTREAM must be another origin than ISSUER: requests would come back here".to_owned());
    }
    let (host, _) = origin("UPSTREAM", &text)?;
    Ok(Some(Upstream::Origin { origin: text, host }))
}

/// The host of an origin, and whether it is https: http is for this computer.
fn origin(name: &str, text: &str) -> Result<(String, bool), String> {
    let bad =
        || format!("{name} must be an origin: https://host without path, query, default port or trailing slash (http only on localhost)");
    let (scheme, host) = text.split_once("://").ok_or_else(bad)?;
    let before_port = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let loopback = matches!(before_port, "localhost" | "127.0.0.1" | "[::1]");
    let plain = !host.is_empty()
        && host.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b':' | b'[' | b']'));
    // Addresses leave the default port out, so a host with it would match no request.
    let default_port = if scheme == "https" { ":443" } else { ":80" };
    let plain = plain && !host.ends_with(default_port);
    match scheme {
        "https" if plain => Ok((host.to_owned(), true)),
        "http" if plain && loopback => Ok((host.to_owned(), false)),
        _ => Err(bad()),
    }
}

/// The sender of notices: an address, or nothing for a deployment that sends none.
fn mail_from(env: &Env) -> Result<Option<String>, String> {
    match setting(env, "MAIL_FROM").map(|text| text.trim().to_owned()) {
        Some(text) if !is_address(&text) => Err("MAIL_FROM must be an address such as notices@example.com, without a name".to_owned()),
        sender => Ok(sender),
    }
}

/// `Retry-After` and the policy's rate headers are worth nothing to a script that cannot read them.
fn exposed(headers: &RateHeaders) -> String {
    let names = ["Retry-After", &headers.limit, &headers.remaining, &headers.reset, "WWW-Authenticate", "X-Request-Id"];
    names.into_iter().filter(|name| !name.is_empty()).collect::<Vec<_>>().join(", ")
}

/// A preset as it was built in.
struct BuiltIn {
    name: &'static str,
    /// JSON.
    policy: &'static str,
    /// JSON.
    #[cfg(feature = "development")]
    development: &'static str,
}

/// The preset that `PRESET` names.
fn preset(env: &Env) -> Result<&'static BuiltIn, Vec<String>> {
    let name = setting(env, "PRESET").unwrap_or_else(|| "default".to_owned());
    PRESETS.iter().find(|known| known.name == name).ok_or_else(|| {
        let names: Vec<&str> = PRESETS.iter().map(|known| known.name).collect();
        vec![format!("PRESET is {name:?}, and must be one of {}", names.join(", "))]
    })
}

fn policy(env: &Env) -> Result<Policy, String> {
    let preset = preset(env).map_err(|problems| problems.join("; "))?;
    Policy::read(preset.policy, setting(env, "POLICY").as_deref()).map_err(|problem| format!("POLICY: {problem}"))
}

/// The identity providers; without passwords there must be one.
fn providers(env: &Env, policy: Option<&Policy>) -> Result<Vec<Provider>, String> {
    let list = setting(env, "OIDC_PROVIDERS").unwrap_or_else(|| "[]".to_owned());
    let providers = Provider::list(&list, crate::oidc::PLAIN_LOOPBACK).map_err(|problem| format!("OIDC_PROVIDERS{problem}"))?;
    if providers.is_empty() && policy.is_some_and(|policy| !policy.login.password) {
        return Err("OIDC_PROVIDERS names no provider, and with login.password = false nobody could sign in".to_owned());
    }
    Ok(providers)
}

fn setup_token(env: &Env) -> Result<Option<[u8; 32]>, String> {
    let Some(text) = setting(env, "SETUP_TOKEN") else { return Ok(None) };
    array_from_base64url(text.trim()).map(Some).ok_or_else(|| "the secret SETUP_TOKEN is not base64url of 32 bytes".to_owned())
}

/// The published development keys are refused by hash where the feature is off (attack A31).
#[cfg(not(feature = "development"))]
fn refuse_published(name: &str, text: &str) -> Result<(), String> {
    const PUBLISHED: [&str; 6] = include!("development/published_hashes.in");
    let hash = edgegrant_core::encoding::hex(&edgegrant_core::encoding::sha256(text.trim().as_bytes()));
    if PUBLISHED.contains(&hash.as_str()) {
        return Err(format!("{name} is a published development value: make your own with `npm run secrets`"));
    }
    Ok(())
}

#[cfg(feature = "development")]
fn refuse_published(_: &str, _: &str) -> Result<(), String> {
    Ok(())
}

fn required(env: &Env, name: &'static str) -> Result<String, String> {
    let text = key_setting(env, name).ok_or_else(|| format!("the secret {name} is not set"))?;
    refuse_published(name, &text)?;
    Ok(text)
}

fn keyring(env: &Env, name: &'static str) -> Result<Keyring, String> {
    Keyring::parse(&required(env, name)?).map_err(|problem| format!("the secret {name} {problem}"))
}

fn grant_id_key(env: &Env) -> Result<Key, String> {
    Key::parse(&required(env, "GRANT_ID_KEY")?).ok_or_else(|| "the secret GRANT_ID_KEY is not base64url of 32 bytes".to_owned())
}
