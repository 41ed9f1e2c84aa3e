//! The keys of development: published, so worthless. A build without the feature `development`
//! refuses them by hash (`published_hashes.in`).

/// The published value of a secret.
pub(crate) fn published(name: &str) -> Option<String> {
    let value = match name {
        "EDGE_KEYS" => "1:P9f41g8ItStpjvY-NY3MW5b5Yso_W_3FLi3p8OvCluw",
        "HASH_KEYS" => "1:ISGboqdTCJXu0M4fg6G6LvSKsRC1Lr3TvupqUkEm3Ew",
        "SEAL_KEYS" => "1:3ZH9eqjN6P6GRxC0qM4O1Q8HdlNqx9TLtiTua7t-XyI",
        "DATA_KEYS" => "1:als2pzd8NHwUQc_TRQfoNvsnE25U3ghSALacHIjEyM8",
        "GATEWAY_KEYS" => "1:kX52ztNc4TXJHqAszuYI3iUJGhfJb10GcBO8Q2mgCLE",
        "GRANT_ID_KEY" => "YroEgiQt7HXhSBTFu-TFbm4vLOqHTNSDbtIDrmDDEOM",
        _ => return None,
    };
    Some(value.to_owned())
}

#[cfg(test)]
mod tests {
    use edgegrant_core::encoding::{hex, sha256};

    #[test]
    fn every_published_value_is_on_the_list_that_a_deployment_refuses() {
        let refused: [&str; 6] = include!("published_hashes.in");
        for name in ["EDGE_KEYS", "HASH_KEYS", "SEAL_KEYS", "DATA_KEYS", "GATEWAY_KEYS", "GRANT_ID_KEY"] {
            let hash = hex(&sha256(super::published(name).unwrap().as_bytes()));
            assert!(refused.contains(&hash.as_str()), "{name}: {hash}");
        }
    }
}
