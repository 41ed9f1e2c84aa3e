//! A request as the routes see it.

use std::cell::Cell;
use std::rc::Rc;

use edgegrant_core::credential::{GrantId, NO_APP, Payload};
use edgegrant_core::oauth::params::Params;
use edgegrant_core::policy::Encoding;
use futures_util::StreamExt as _;
use worker::{Context, Env, Headers, Method, Request, web_sys};

use crate::answer::Answer;
use crate::config::Config;
use crate::fault::{Fault, OrFault as _};

/// One request with what is needed to answer it.
pub(crate) struct Call {
    request: Request,
    /// The path, as sent.
    pub(crate) path: String,
    /// The query without `?`, as sent.
    pub(crate) query: String,
    /// The bindings.
    pub(crate) env: Env,
    /// For work after the answer.
    pub(crate) context: Rc<Context>,
    /// The configuration.
    pub(crate) config: Rc<Config>,
    /// The app that the request is of, once it is known: for its developer's log.
    pub(crate) app: Cell<Option<u32>>,
    /// The grant that the request is of, once it is known: for the log.
    pub(crate) grant: Cell<Option<GrantId>>,
    /// The number of the gateway's rule, once it is known: for logs.
    pub(crate) rule: Cell<Option<usize>>,
}

/// The largest form of our own pages. Signing in carries the whole authorization request, encoded
/// twice: a `state` of 4,096 bytes can grow to five times its length.
pub(crate) const PAGE_FORM_MAX: u32 = 65_536;

/// Why a body is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadBody {
    /// Another media type than those that are taken.
    MediaType,
    /// Larger than the policy allows.
    TooLarge,
    /// Not what its media type says.
    Malformed,
}

/// Splits an absolute address into authority, path and query.
pub(crate) fn split_address(address: &str) -> Option<(&str, &str, &str)> {
    let rest = address.split_once(':')?.1.strip_prefix("//")?;
    let rest = rest.split_once('#').map_or(rest, |(rest, _)| rest);
    let (before, query) = rest.split_once('?').unwrap_or((rest, ""));
    let at = before.find('/').unwrap_or(before.len());
    let (authority, path) = before.split_at_checked(at)?;
    Some((authority, if path.is_empty() { "/" } else { path }, query))
}

impl Call {
    /// A call whose host was found to be the issuer's.
    pub(crate) fn new(request: Request, path: &str, query: &str, env: Env, context: Rc<Context>, config: Rc<Config>) -> Self {
        Self {
            request,
            path: path.to_owned(),
            query: query.to_owned(),
            env,
            context,
            config,
            app: Cell::new(None),
            grant: Cell::new(None),
            rule: Cell::new(None),
        }
    }

    /// What a token of ours says: whose request this is. An API key is no app's.
    pub(crate) fn is_of(&self, payload: Option<&Payload>) {
        let Some(payload) = payload else { return };
        self.app.set(Some(payload.app).filter(|app| *app != NO_APP));
        self.grant.set(Some(payload.grant));
    }

    /// A call of our own within this one.
    pub(crate) fn inner(&self, request: Request, path: &str) -> Self {
        Self::new(request, path, "", self.env.clone(), self.context.clone(), self.config.clone())
    }

    /// The method.
    pub(crate) fn method(&self) -> Method {
        self.request.method()
    }

    /// Whether the method is one that [`Method`] lacks; such a one would pass for GET.
    pub(crate) fn has_foreign_method(&self) -> bool {
        self.request.inner().method() != self.method().as_ref()
    }

    /// The request itself, to be passed on.
    pub(crate) fn request(&self) -> &web_sys::Request {
        self.request.inner()
    }

    /// The path as logs may show it: of what goes through the gateway the rule's.
    pub(crate) fn shown_path(&self) -> &str {
        let rule = self.rule.get().and_then(|number| self.config.policy.gateway.rules.get(number));
        rule.map_or(&self.path, |rule| &rule.path)
    }

    /// The headers.
    pub(crate) fn headers(&self) -> &Headers {
        self.request.headers()
    }

    /// A header's value; several of one name arrive joined by commas.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        self.headers().get(name).ok().flatten()
    }

    /// The query's parameters.
    pub(crate) fn query_params(&self) -> Params {
        Params::parse(self.query.as_bytes())
    }

    /// The address of this page as a path of ours.
    pub(crate) fn path_and_query(&self) -> String {
        if self.query.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, self.query) }
    }

    /// The parameters of a form body of at most so many bytes.
    pub(crate) async fn form(&mut self, most: u32) -> Result<Result<Params, BadBody>, Fault> {
        self.body(most, &[Encoding::Form]).await
    }

    /// The parameters of a body of at most so many bytes in one of these encodings. Media types are
    /// compared without their parameters.
    pub(crate) async fn body(&mut self, most: u32, encodings: &[Encoding]) -> Result<Result<Params, BadBody>, Fault> {
        let media_type = self.header("content-type").unwrap_or_default();
        let media_type = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let Some(encoding) = encodings.iter().find(|encoding| encoding.media_type() == media_type) else {
            return Ok(Err(BadBody::MediaType));
        };
        let Some(body) = self.bytes(most as usize).await? else { return Ok(Err(BadBody::TooLarge)) };
        Ok(match encoding {
            Encoding::Form => Ok(Params::parse(&body)),
            Encoding::Json => Params::parse_json(&body).ok_or(BadBody::Malformed),
        })
    }

    /// The body; `None` when it is larger than `most`.
    ///
    /// What `Content-Length` says is not asked: a body a little too large is read to its end, or the
    /// connection would be reset before its sender has heard the answer.
    pub(crate) async fn bytes(&mut self, most: usize) -> Result<Option<Vec<u8>>, Fault> {
        let mut body = Vec::new();
        if self.request.inner().body().is_none() {
            return Ok(Some(body));
        }
        let mut stream = self.request.stream().or_fault("request body")?;
        while let Some(chunk) = stream.next().await {
            body.extend_from_slice(&chunk.or_fault("request body")?);
            if body.len() > most {
                return Ok(None);
            }
        }
        Ok(Some(body))
    }

    /// A cookie's value.
    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        let header = self.header("cookie")?;
        header.split(';').find_map(|pair| {
            let (known, value) = pair.trim().split_once('=')?;
            (known == name).then(|| value.to_owned())
        })
    }

    /// The cookies whose names begin with `prefix`: the rest of the name, and the value.
    pub(crate) fn cookies(&self, prefix: &str) -> Vec<(String, String)> {
        let header = self.header("cookie").unwrap_or_default();
        let pairs = header.split(';').filter_map(|pair| pair.trim().split_once('='));
        pairs.filter_map(|(name, value)| Some((name.strip_prefix(prefix)?.to_owned(), value.to_owned()))).collect()
    }

    /// Whether a form was sent by one of our own pages: `Origin` is ours when there is one, else the
    /// browser says same-origin. A caller that is no browser sends neither; the form's token decides.
    pub(crate) fn is_from_own_page(&self) -> bool {
        match (self.header("origin"), self.header("sec-fetch-site")) {
            (Some(origin), _) => origin == self.config.issuer,
            (None, Some(site)) => site == "same-origin",
            (None, None) => true,
        }
    }

    /// Lets a script of any origin read an answer.
    pub(crate) fn readable_anywhere(&self, answer: Answer) -> Answer {
        answer.readable_from("*", &self.config.exposed)
    }

    /// Whose failures are counted together.
    pub(crate) fn network(&self) -> String {
        crate::platform::network(self.headers())
    }

    /// Whose uses are counted together, where the policy counts them by address.
    pub(crate) fn counted_network(&self) -> Option<String> {
        self.config.policy.api.address_rate.map(|_| self.network())
    }
}

#[cfg(test)]
mod tests {
    use super::split_address;

    #[test]
    fn addresses_are_split_without_being_changed() {
        assert_eq!(split_address("https://a:1/x%2fy?q=1?2#f"), Some(("a:1", "/x%2fy", "q=1?2")));
        assert_eq!(split_address("https://a"), Some(("a", "/", "")));
        assert_eq!(split_address("https://a?x=/y"), Some(("a", "/", "x=/y")));
        assert_eq!(split_address("nothing"), None);
    }
}
