//! Notices by e-mail, after the answer: `crate::routes` and operations say what happened, the core puts
//! it into words, the `send_email` binding `EMAIL` sends it.
//!
//! Nothing waits for a message and nothing fails with one: it is sent in `waitUntil`, and what goes
//! wrong is one line of the log, without address and text (invariant 8). One message per person, so
//! that nobody sees another's address. Without a sender (`MAIL_FROM`) nothing is read or sent; a
//! development build keeps every message where the developer sees it, and sends only with a sender.

use std::rc::Rc;

use edgegrant_core::foreign::one_line;
use edgegrant_core::notice::{Letter, Notice, Recipients};
use worker::wasm_bindgen::JsValue;
use worker::{EmailAddress, Env, SendEmail, SendEmailBuilder, js_sys};

use crate::call::Call;
use crate::config::Config;
use crate::fault::{Fault, OrFault as _};
use crate::log;
use crate::store::people;

const BINDING: &str = "EMAIL";

/// Tells some people of something, after the answer, when the policy and the deployment send such
/// notices.
pub(crate) fn send(call: &Call, to: Recipients, notice: Notice) {
    let (env, config) = (call.env.clone(), Rc::clone(&call.config));
    let sends = config.mail_from.is_some() || cfg!(feature = "development");
    if !sends || !config.policy.mail.sends(notice.kind()) {
        return;
    }
    call.context.wait_until(async move {
        if let Err(fault) = deliver(&env, &config, &to, &notice).await {
            log::fault("mail", &fault);
        }
    });
}

/// One D1 read, and a message to each of those it finds.
async fn deliver(env: &Env, config: &Config, to: &Recipients, notice: &Notice) -> Result<(), Fault> {
    let outbox = Outbox::of(env, config)?;
    let letter = Letter::of(notice, &config.policy.mail, &config.policy.platform, &config.issuer).or_fault("mail template")?;
    for address in people::addresses(env, &config.keys, to).await? {
        #[cfg(feature = "development")]
        crate::development::mail::keep(env, config, &address, &letter).await?;
        if let Some(outbox) = &outbox {
            // One that is refused says nothing about the next.
            if let Err(fault) = outbox.send(&letter, &address).await {
                log::fault("mail", &fault);
            }
        }
    }
    Ok(())
}

/// The binding with the sender.
struct Outbox {
    binding: SendEmail,
    sender: EmailAddress,
}

impl Outbox {
    /// `None` without a sender, which is so in development only.
    fn of(env: &Env, config: &Config) -> Result<Option<Self>, Fault> {
        let Some(from) = &config.mail_from else { return Ok(None) };
        let binding = env.send_email(BINDING).map_err(|_| Fault::at("no binding EMAIL"))?;
        let sender = EmailAddress::new(&one_line(&config.policy.platform.name, 100), from);
        Ok(Some(Self { binding, sender }))
    }

    /// The structured form of the Email Service: it makes the MIME parts and encodes the headers.
    async fn send(&self, letter: &Letter, address: &str) -> Result<(), Fault> {
        let message = SendEmailBuilder::new_with_email_address_and_str(&self.sender, address, &letter.subject);
        message.set_text(&letter.text);
        message.set_html(&letter.html);
        match self.binding.send_with_builder(&message).await {
            Ok(_) => Ok(()),
            Err(error) => Err(Fault { place: "EMAIL send", detail: code(&error) }),
        }
    }
}

/// The code of a refusal, such as `E_SENDER_NOT_VERIFIED`. Its words may hold the address.
fn code(error: &js_sys::Error) -> String {
    let code = js_sys::Reflect::get(error, &JsValue::from_str("code")).ok().and_then(|code| code.as_string()).unwrap_or_default();
    let plain = code.len() <= 64 && code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    if plain { code } else { String::new() }
}
