use super::*;

/// The default preset, from its file.
pub(crate) fn default_policy() -> Policy {
    let value: toml::Value = toml::from_str(include_str!("../../../presets/default.toml")).unwrap();
    Policy::from_json(&serde_json::to_string(&value).unwrap()).unwrap()
}

#[test]
fn the_default_preset_says_what_the_design_says() {
    let policy = default_policy();
    assert_eq!(policy.code.life_s, 60);
    assert_eq!(policy.access.life_s, 3600);
    assert_eq!((policy.refresh.idle_s, policy.refresh.absolute_s), (30 * 86_400, 180 * 86_400));
    assert_eq!(policy.refresh.retry_window_ms, 2000);
    assert_eq!(policy.refresh.rate, Limit { limit: 10, window_s: 60 });
    assert_eq!(policy.api.rate, Limit { limit: 100, window_s: 60 });
    assert_eq!(policy.authorize.pkce, PkceRule::Required);
    assert_eq!(policy.refresh.rotation, Rotation::Rotate);
    assert_eq!(policy.revoke, Revoke { refresh_ends: Reach::Family, access_ends: Reach::Token });
}

#[test]
fn overrides_replace_only_what_they_name() {
    let policy = default_policy().with_overrides(r#"{"access":{"life_s":600}}"#).unwrap();
    assert_eq!(policy.access.life_s, 600);
    assert_eq!(Policy { access: Access { life_s: 3600 }, ..policy }, default_policy());
}

#[test]
fn a_bad_override_names_its_key() {
    for (overrides, key) in [
        (r#"{"acces":{}}"#, "acces"),
        (r#"{"access":{"life_s":1}}"#, "access.life_s"),
        (r#"{"access":{"life":1}}"#, "life"),
        (r#"{"code":{"life_s":601}}"#, "code.life_s"),
        (r#"{"refresh":{"rotation":"never"}}"#, "never"),
        (r#"{"refresh":{"idle_s":99999999}}"#, "refresh.idle_s"),
        (r#"{"scopes":{"catalogue":[]}}"#, "scopes.catalogue"),
        (r#"{"scopes":{"catalogue":[{"name":"a b","words":"x","sensitive":false}]}}"#, "scopes.catalogue[0]"),
        (r#"{"token":{"prefixes":{"access":"x_","refresh":"x_"}}}"#, "token.prefixes"),
        (r#"{"revoke":{"access_ends":"family"}}"#, "revoke.access_ends"),
        (r#"{"authorize":{"deny_description":"say \"no\""}}"#, "authorize.deny_description"),
        ("[", "POLICY"),
    ] {
        let error = default_policy().with_overrides(overrides).unwrap_err();
        assert!(error.contains(key), "{overrides}: {error}");
    }
}
