//! The policy of a deployment: whoever configures it errs, and is told where.

use std::sync::LazyLock;

use edgegrant_core::policy::Policy;
use serde_json::Value;

use crate::text;

static PRESET: LazyLock<String> = LazyLock::new(|| {
    let parsed: toml::Value =
        toml::from_str(include_str!("../../../worker/presets/default.toml")).unwrap_or_else(|error| panic!("{error}"));
    let mut value = serde_json::to_value(parsed).unwrap_or_else(|error| panic!("{error}"));
    if let Value::Object(tables) = &mut value {
        tables.remove("development");
    }
    value.to_string()
});

/// The default preset.
pub fn default_policy() -> Policy {
    Policy::read(&PRESET, None).unwrap_or_else(|error| panic!("{error}"))
}

/// Overrides give a policy that means the same when it is read again, or an error with words.
pub fn policy(data: &[u8]) {
    match Policy::read(&PRESET, Some(&text(data))) {
        Err(error) => assert!(!error.is_empty()),
        Ok(policy) => {
            let written = serde_json::to_string(&policy).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(Policy::read(&written, None).map(|again| serde_json::to_string(&again).ok()), Ok(Some(written)));
        }
    }
}
