//! Changes of an app: its details, its logo, the limit that it asks for.

use edgegrant_core::app::{Details, LOGO_MAX, Problem};

use super::super::guest::{Guest, problems};
use super::new::{details, fields};
use super::{entered, found, of_app, sent};
use crate::answer::Answer;
use crate::call::Call;
use crate::fault::Fault;
use crate::operations::apps::{Edited, ask_for_rate, edit};
use crate::operations::{Failure, logo as logos, register};
use crate::pages::{Control, Field, FormPage};
use crate::store::apps::Listed;

fn saved(app: &Listed, edited: Edited) -> Answer {
    let word = if edited == Edited::Review { "submitted" } else { "changed" };
    Answer::see_other(&format!("{}?done={word}", of_app(&app.client_id, "")))
}

fn page<'a>(call: &'a Call, guest: &'a Guest, app: &'a Listed, details: &Details, contact: &str, wrong: &'a [Problem]) -> FormPage<'a> {
    let mut page = FormPage::new(guest.frame(call), "Edit the app", of_app(&app.client_id, "edit"), "Save");
    if matches!(app.status.as_str(), "approved" | "suspended") {
        let text = "A new name, website, install address or redirect URI, and further scopes, wait for review; the approved version keeps working until then.";
        page.lead.push(text.into());
    }
    page.fields = fields(call, details, contact);
    page.cancel = of_app(&app.client_id, "").into();
    page.with_problems(wrong)
}

/// `GET …/edit`: what waits for review is edited further.
pub(super) async fn form(call: &Call, client_id: &str) -> Result<Answer, Fault> {
    let (guest, app) = match entered(call, client_id).await? {
        Ok(entered) => entered,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let current = app.revision()?.unwrap_or(app.details()?);
    guest.page(call, 200, &page(call, &guest, &app, &current, &register::contact(call, &app), &[]))
}

/// `POST …/edit`.
pub(super) async fn submit(call: &mut Call, client_id: &str) -> Result<Answer, Fault> {
    let back = of_app(client_id, "edit");
    let (guest, app, params) = match sent(call, client_id, &back).await? {
        Ok(sent) => sent,
        Err(refused) => return Ok(refused),
    };
    let logo = app.revision()?.unwrap_or(app.details()?).logo;
    let wanted = Details { logo, ..details(&params) };
    let contact = params.field("contact");
    match edit(call, &guest.actor(call), &app, wanted.clone(), Some(contact)).await {
        Ok(edited) => Ok(saved(&app, edited)),
        Err(failure) => match problems(failure) {
            Ok((status, wrong)) => guest.page(call, status, &page(call, &guest, &app, &wanted, contact, &wrong)),
            Err(failure) => guest.failed(call, failure, &back),
        },
    }
}

fn logo_page<'a>(call: &'a Call, guest: &'a Guest, app: &'a Listed, address: &str, wrong: &'a [Problem]) -> FormPage<'a> {
    let mut page = FormPage::new(guest.frame(call), "Logo", of_app(&app.client_id, "logo"), "Use this logo");
    page.lead
        .push("PNG, JPEG or WebP, 32 to 512 pixels on each side, at most 64 KB. A new logo of an approved app is reviewed first.".into());
    page.fields = vec![
        Field::line("logo", "Upload a file", "", "").with(Control::File("image/png,image/jpeg,image/webp")),
        Field::line("address", "Or fetch it once from an address", "https; we keep a copy and do not ask again.", address.to_owned())
            .with(Control::Line("url", "off")),
    ];
    page.cancel = of_app(&app.client_id, "").into();
    page.with_problems(wrong)
}

/// `GET …/logo`.
pub(super) async fn logo_form(call: &Call, client_id: &str) -> Result<Answer, Fault> {
    let (guest, app) = match entered(call, client_id).await? {
        Ok(entered) => entered,
        Err(elsewhere) => return Ok(elsewhere),
    };
    guest.page(call, 200, &logo_page(call, &guest, &app, "", &[]))
}

/// `POST …/logo`: a file or an address.
pub(super) async fn logo(call: &mut Call, client_id: &str) -> Result<Answer, Fault> {
    let back = of_app(client_id, "logo");
    let form = match call.multipart(LOGO_MAX + 16_384).await? {
        Ok(form) => form,
        Err(bad) => return Ok(super::super::not_readable(call, bad)),
    };
    let guest = match Guest::sent(call, &back, &form.field("csrf")).await? {
        Ok(guest) => guest,
        Err(refused) => return Ok(refused),
    };
    let (guest, app) = match found(call, guest, client_id).await? {
        Ok(found) => found,
        Err(refused) => return Ok(refused),
    };
    let address = form.field("address");
    let file = form.file("logo").await?;
    let image = match (file.is_empty(), address.trim()) {
        (false, _) => Ok(file),
        (true, "") => Err(crate::operations::invalid("logo", "choose a file, or name an address")),
        (true, address) => logos::fetch(address).await,
    };
    let done: Result<Edited, Failure> = match image {
        Ok(image) => logos::set(call, &guest.actor(call), &app, &image).await,
        Err(failure) => Err(failure),
    };
    match done {
        Ok(edited) => Ok(saved(&app, edited)),
        Err(failure) => match problems(failure) {
            Ok((status, wrong)) => guest.page(call, status, &logo_page(call, &guest, &app, &address, &wrong)),
            Err(failure) => guest.failed(call, failure, &back),
        },
    }
}

fn rate_page<'a>(call: &'a Call, guest: &'a Guest, app: &'a Listed, wish: &str, wrong: &'a [Problem]) -> FormPage<'a> {
    let mut page = FormPage::new(guest.frame(call), "Ask for another limit", of_app(&app.client_id, "rate"), "Ask");
    let hint = "How many calls in which time, and what for: 10 to 500 characters.";
    page.fields.push(Field::line("wish", "What does the app need?", hint, wish.to_owned()).with(Control::Lines));
    page.cancel = of_app(&app.client_id, "").into();
    page.with_problems(wrong)
}

/// `GET …/rate`.
pub(super) async fn rate_form(call: &Call, client_id: &str) -> Result<Answer, Fault> {
    let (guest, app) = match entered(call, client_id).await? {
        Ok(entered) => entered,
        Err(elsewhere) => return Ok(elsewhere),
    };
    guest.page(call, 200, &rate_page(call, &guest, &app, &app.rate_wish, &[]))
}

/// `POST …/rate`.
pub(super) async fn rate(call: &mut Call, client_id: &str) -> Result<Answer, Fault> {
    let back = of_app(client_id, "rate");
    let (guest, app, params) = match sent(call, client_id, &back).await? {
        Ok(sent) => sent,
        Err(refused) => return Ok(refused),
    };
    match ask_for_rate(call, &guest.actor(call), &app, params.field("wish")).await {
        Ok(()) => Ok(Answer::see_other(&format!("{}?done=asked", of_app(client_id, "")))),
        Err(failure) => {
            let (status, wrong) = match problems(failure) {
                Ok(wrong) => wrong,
                Err(failure) => return guest.failed(call, failure, &back),
            };
            guest.page(call, status, &rate_page(call, &guest, &app, params.field("wish"), &wrong))
        }
    }
}
