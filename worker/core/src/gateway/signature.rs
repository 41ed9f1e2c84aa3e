//! HTTP Message Signatures (RFC 9421) with `hmac-sha256` (§3.3.3).
//!
//! Covered are method, host, path and query (§2.2) and every header that says whose request it is: what
//! the signature was made for can be used for nothing else, and for a minute only. Values are covered
//! as they are sent, so they must hold no line break; what is signed here has none.

use crate::encoding::base64;
use crate::keys::Keyring;

/// The name of the signature within its headers.
const LABEL: &str = "edgegrant";
/// How long it holds, in seconds.
const LIFE_S: u64 = 60;

/// Both headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// `Signature-Input`.
    pub input: String,
    /// `Signature`.
    pub signature: String,
}

/// The signature base (§2.5): a line for each component, then the parameters.
#[must_use]
pub fn base(components: &[(&str, &str)], params: &str) -> String {
    let mut out = String::new();
    for (name, value) in components {
        out.push_str(&format!("\"{name}\": {value}\n"));
    }
    out.push_str(&format!("\"@signature-params\": {params}"));
    out
}

/// Signs these components in their order, under the newest key.
#[must_use]
pub fn sign(components: &[(&str, &str)], created_s: u64, keys: &Keyring) -> Option<Signed> {
    let (id, key) = keys.newest()?;
    let names: Vec<String> = components.iter().map(|(name, _)| format!("\"{name}\"")).collect();
    let expires_s = created_s.saturating_add(LIFE_S);
    let params = format!("({});created={created_s};expires={expires_s};keyid=\"{id}\";alg=\"hmac-sha256\"", names.join(" "));
    let tag = base64(&key.sign(base(components, &params).as_bytes()));
    Some(Signed { input: format!("{LABEL}={params}"), signature: format!("{LABEL}=:{tag}:") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::from_base64;
    use crate::keys::hmac_sha256;

    #[test]
    fn rfc_9421_b_2_5() {
        let components = [("date", "Tue, 20 Apr 2021 02:07:55 GMT"), ("@authority", "example.com"), ("content-type", "application/json")];
        let params = "(\"date\" \"@authority\" \"content-type\");created=1618884473;keyid=\"test-shared-secret\"";
        let expected = "\"date\": Tue, 20 Apr 2021 02:07:55 GMT\n\"@authority\": example.com\n\"content-type\": application/json\n\
            \"@signature-params\": (\"date\" \"@authority\" \"content-type\");created=1618884473;keyid=\"test-shared-secret\"";
        assert_eq!(base(&components, params), expected);
        let secret = from_base64("uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==").unwrap();
        assert_eq!(base64(&hmac_sha256(&secret, expected.as_bytes())), "pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=");
    }

    #[test]
    fn the_newest_key_signs_and_says_which_it_is() {
        let keys = Keyring::parse("7:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE,1:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI").unwrap();
        let components = [("@method", "GET"), ("edgegrant-account", "a1")];
        let signed = sign(&components, 1000, &keys).unwrap();
        let params = "(\"@method\" \"edgegrant-account\");created=1000;expires=1060;keyid=\"7\";alg=\"hmac-sha256\"";
        assert_eq!(signed.input, format!("edgegrant={params}"));
        let tag = base64(&hmac_sha256(&[1; 32], base(&components, params).as_bytes()));
        assert_eq!(signed.signature, format!("edgegrant=:{tag}:"));
        assert_ne!(sign(&[("@method", "PUT"), ("edgegrant-account", "a1")], 1000, &keys).unwrap().signature, signed.signature);
    }
}
