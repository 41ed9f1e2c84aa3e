//! Signatures of ID tokens, by WebCrypto: RSASSA-PKCS1-v1_5 and ECDSA are in the platform, and would be
//! a hundred kilobytes here.

use edgegrant_core::oidc::id_token::IdToken;
use edgegrant_core::oidc::jwks::{Algorithm, Jwk, Jwks};
use worker::js_sys::{JSON, Promise};
use worker::wasm_bindgen::prelude::*;
use worker::wasm_bindgen_futures::JsFuture;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = ["crypto", "subtle"], js_name = importKey, catch)]
    fn import_key(format: &str, key: &JsValue, algorithm: &JsValue, extractable: bool, usages: &JsValue) -> Result<Promise, JsValue>;

    #[wasm_bindgen(js_namespace = ["crypto", "subtle"], catch)]
    fn verify(algorithm: &JsValue, key: &JsValue, signature: &[u8], data: &[u8]) -> Result<Promise, JsValue>;
}

/// Whether one of the keys that the token's header may mean made its signature.
pub(super) async fn is_right(token: &IdToken<'_>, keys: &Jwks) -> bool {
    for key in keys.for_header(&token.header) {
        // A key that cannot be imported has signed nothing.
        if made_by(token, key).await.is_ok_and(|right| right.as_bool() == Some(true)) {
            return true;
        }
    }
    false
}

async fn made_by(token: &IdToken<'_>, key: &Jwk) -> Result<JsValue, JsValue> {
    let algorithm = JSON::parse(match token.header.algorithm {
        Algorithm::Rs256 => r#"{"name":"RSASSA-PKCS1-v1_5","hash":"SHA-256"}"#,
        Algorithm::Es256 => r#"{"name":"ECDSA","namedCurve":"P-256","hash":"SHA-256"}"#,
    })?;
    let key = import_key("jwk", &JSON::parse(&key.json)?, &algorithm, false, &JSON::parse(r#"["verify"]"#)?)?;
    let key = JsFuture::from(key).await?;
    JsFuture::from(verify(&algorithm, &key, &token.signature, token.signed.as_bytes())?).await
}
