//! The limit of one app alone, where the policy lets staff set it.

use edgegrant_core::app::{App, Problem};
use edgegrant_core::policy::{Knob, Overrides};
use edgegrant_core::rate::Limit;

use super::super::guest::{Guest, problems};
use super::app::{entered, found};
use super::of_app;
use crate::answer::Answer;
use crate::call::Call;
use crate::fault::Fault;
use crate::operations::apps::{record, set_policy};
use crate::pages::{Field, FormPage};
use crate::store::apps::Listed;

fn page<'a>(call: &'a Call, guest: &'a Guest, app: &'a Listed, filled: (String, String), wrong: &'a [Problem]) -> FormPage<'a> {
    let mut page = FormPage::new(guest.frame(call), format!("Limit of {}", app.name), of_app(&app.client_id, "limits"), "Set it");
    let of_all = call.config.policy.api.rate;
    page.lead.push(
        format!(
            "For all apps: {} calls in {} seconds for each connected account. Leave both empty for that.",
            of_all.limit, of_all.window_s
        )
        .into(),
    );
    if !app.rate_wish.is_empty() {
        page.lead.push(format!("The developer asks for: {}", app.rate_wish).into());
    }
    page.fields = vec![
        Field::line("limit", "Calls", "A number of 1 or more.", filled.0),
        Field::line("window_s", "In how many seconds", "Such as 60.", filled.1),
    ];
    page.cancel = of_app(&app.client_id, "").into();
    page.with_problems(wrong)
}

async fn current(call: &Call, app: &Listed) -> Result<App, crate::operations::Failure> {
    record(call, app).await
}

/// `GET …/limits`.
pub(super) async fn form(call: &Call, client_id: &str) -> Result<Answer, Fault> {
    let (guest, app) = match entered(call, client_id).await? {
        Ok(entered) => entered,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let record = match current(call, &app).await {
        Ok(record) => record,
        Err(failure) => return guest.failed(call, failure, super::HERE),
    };
    let own = record.overrides.rate.map(|rate| (rate.limit.to_string(), rate.window_s.to_string())).unwrap_or_default();
    guest.page(call, 200, &page(call, &guest, &app, own, &[]))
}

/// `POST …/limits`.
pub(super) async fn submit(call: &mut Call, client_id: &str) -> Result<Answer, Fault> {
    let back = of_app(client_id, "limits");
    let (guest, params) = match Guest::posted(call, &back).await? {
        Ok(sent) => sent,
        Err(refused) => return Ok(refused),
    };
    let (guest, app) = match found(call, guest, client_id).await? {
        Ok(found) => found,
        Err(refused) => return Ok(refused),
    };
    let record = match current(call, &app).await {
        Ok(record) => record,
        Err(failure) => return guest.failed(call, failure, &back),
    };
    let filled = (params.field("limit").trim().to_owned(), params.field("window_s").trim().to_owned());
    let rate = match (filled.0.as_str(), filled.1.as_str()) {
        ("", "") => Ok(None),
        (limit, window) => match (limit.parse(), window.parse()) {
            (Ok(limit), Ok(window_s)) => Ok(Some(Limit { limit, window_s })),
            (Err(_), _) => Err("limit"),
            (_, Err(_)) => Err("window_s"),
        },
    };
    let rate = match rate {
        Ok(rate) => rate,
        Err(field) => {
            let wrong = [(field, "write a whole number, or leave both empty".to_owned())];
            return guest.page(call, 400, &page(call, &guest, &app, filled, &wrong));
        }
    };
    if !call.config.policy.apps.overridable.contains(&Knob::Rate) {
        let wrong = [("", "This platform's policy does not let it be set for a single app".to_owned())];
        return guest.page(call, 409, &page(call, &guest, &app, filled, &wrong));
    }
    match set_policy(call, &guest.actor(call), &app, Overrides { rate, ..record.overrides }).await {
        Ok(_) => Ok(Answer::see_other(&of_app(client_id, ""))),
        Err(failure) => match problems(failure) {
            Ok((status, wrong)) => guest.page(call, status, &page(call, &guest, &app, filled, &wrong)),
            Err(failure) => guest.failed(call, failure, &back),
        },
    }
}
