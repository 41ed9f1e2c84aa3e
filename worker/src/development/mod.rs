//! Development only: seeds, routes that shift the clock, published keys, messages that are not sent. A deployment is built
//! without the feature `development`, and a test searches its module for these strings.

pub(crate) mod clock;
pub(crate) mod keys;
pub(crate) mod mail;
pub(crate) mod seed;

use serde_json::json;
use worker::Method;

use crate::answer::Answer;
use crate::call::Call;
use crate::fault::Fault;

/// Answers `/__dev/…`.
pub(crate) async fn answer(call: &mut Call, method: Method) -> Result<Answer, Fault> {
    match (call.path.as_str(), method) {
        ("/__dev/seed", Method::Post) => seed::seed(&call.env, &call.config).await?,
        ("/__dev/sweep", Method::Post) => crate::daily(&call.env, &call.config).await,
        ("/__dev/clock", Method::Post) => {
            let params = call.form(crate::call::PAGE_FORM_MAX).await?.unwrap_or_default();
            clock::shift(params.field("offset_ms").parse().unwrap_or(0));
        }
        (path, Method::Get) if path.starts_with("/__dev/mail") => {
            let rest = path.strip_prefix("/__dev/mail").unwrap_or_default().to_owned();
            return Ok(mail::answer(call, &rest).await?.unwrap_or_else(missing));
        }
        ("/__dev/platform", Method::Get) => return Ok(Answer::json(200, &platform(call))),
        _ => return Ok(missing()),
    }
    Ok(Answer::json(200, &json!({})))
}

fn missing() -> Answer {
    Answer::json(404, &json!({ "error": "there is no such development route" }))
}

/// What the demo page and the welcome of `npm run dev` tell of the preset.
fn platform(call: &Call) -> serde_json::Value {
    let (policy, data) = (&call.config.policy, &call.config.development);
    let app = |name: &str, app: &edgegrant_core::policy::development::DevelopmentApp| json!({ "client_id": name, "name": app.name });
    let mut apps = vec![app("demo-spa", &data.spa), app("demo-server", &data.server)];
    apps.extend(data.pending.as_ref().map(|pending| app("demo-pending", pending)));
    let routes = &policy.routes;
    json!({
        "name": policy.platform.name,
        "accounts": data.accounts,
        "roles": { "owner": data.owner_role, "staff": data.staff_role },
        "apps": apps,
        "authorize": routes.authorize.first(),
        "token": routes.token.first(),
        "refresh": routes.refresh.first(),
        "revoke": routes.revoke.first(),
        "gateway": { "on": call.config.upstream.is_some(), "rules": policy.gateway.rules },
        "introspect": routes.introspect.first(),
        "me": { "path": policy.me.paths.first(), "methods": policy.me.methods },
    })
}
