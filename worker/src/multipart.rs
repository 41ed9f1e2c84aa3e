//! Forms with files, read by the platform's own parser, and only after they were found small enough.

use worker::{FormData, FormEntry, Headers};

use crate::call::{BadBody, Call};
use crate::fault::{Fault, OrFault as _};

/// A form with files.
pub(crate) struct Multipart(FormData);

impl Multipart {
    /// A field's text; empty when there is none.
    pub(crate) fn field(&self, name: &str) -> String {
        self.0.get_field(name).unwrap_or_default()
    }

    /// A file's bytes; empty when none was chosen.
    pub(crate) async fn file(&self, name: &str) -> Result<Vec<u8>, Fault> {
        match self.0.get(name) {
            Some(FormEntry::File(file)) => file.bytes().await.or_fault("file of a form"),
            _ => Ok(Vec::new()),
        }
    }
}

impl Call {
    /// A form with files of at most so many bytes.
    pub(crate) async fn multipart(&mut self, most: usize) -> Result<Result<Multipart, BadBody>, Fault> {
        let media_type = self.header("content-type").unwrap_or_default();
        if !media_type.to_ascii_lowercase().starts_with("multipart/form-data") {
            return Ok(Err(BadBody::MediaType));
        }
        let Some(bytes) = self.bytes(most).await? else { return Ok(Err(BadBody::TooLarge)) };
        let headers = Headers::new();
        headers.set("content-type", &media_type).or_fault("form")?;
        let body = worker::js_sys::Uint8Array::from(bytes.as_slice());
        let mut copy = crate::platform::request("https://form/", "POST", &headers, Some(&body)).or_fault("form")?;
        // What the parser does not understand is the sender's mistake.
        Ok(copy.form_data().await.map(Multipart).map_err(|_| BadBody::Malformed))
    }
}
