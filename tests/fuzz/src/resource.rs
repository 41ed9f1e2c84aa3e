//! What an API is asked with.

use edgegrant_core::gateway::path::comparable;
use edgegrant_core::oauth::bearer::{Bearer, bearer, bearer_or_key};

use crate::text;

/// A token is what stands behind the scheme, and it holds nothing that could break out of a header.
pub fn bearer_header(data: &[u8]) {
    let sent = text(data);
    for elsewhere in [false, true] {
        let found = bearer(Some(&sent), elsewhere);
        assert!(!elsewhere || !matches!(found, Bearer::Token(_)));
        if let Bearer::Token(token) = found {
            assert!(sent.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer ")) && sent.trim_end().ends_with(token));
            assert!(!token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b',' | b'\\')));
        }
        assert_eq!(bearer_or_key(Some(&sent), elsewhere, None), (found, false));
    }
}

/// A path that is forwarded has one spelling, and no way up.
pub fn path(data: &[u8]) {
    let sent = text(data);
    if let Some(compared) = comparable(&sent) {
        assert_eq!(comparable(&compared).as_deref(), Some(compared.as_str()), "{sent}");
        assert!(compared.starts_with('/') && !compared.contains("//"));
        assert!(!compared.split('/').any(|part| matches!(part, "." | "..")), "{sent}");
        let url = url::Url::parse(&format!("https://api.example{sent}")).unwrap_or_else(|error| panic!("{sent}: {error}"));
        assert_eq!(comparable(url.path()).as_deref(), Some(compared.as_str()), "what is sent is what was compared: {sent}");
    }
}
