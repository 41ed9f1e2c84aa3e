use super::*;
use crate::rate::Limit;

/// The default preset, from its file.
pub(crate) fn default_policy() -> Policy {
    Policy::from_value(&tables(include_str!("../../../presets/default.toml")).0).unwrap()
}

/// A preset file's policy and development data.
fn tables(text: &str) -> (Value, Value) {
    let mut value = serde_json::to_value(toml::from_str::<toml::Value>(text).unwrap()).unwrap();
    let data = value.as_object_mut().unwrap().remove("development").unwrap();
    (value, data)
}

impl Policy {
    /// This policy with some keys replaced.
    pub(crate) fn with_overrides(&self, overrides: &str) -> Result<Self, String> {
        Self::read(&serde_json::to_string(self).unwrap(), Some(overrides))
    }
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
    assert_eq!((policy.revoke.refresh_ends, policy.revoke.access_ends), (Reach::Family, Reach::Token));
    assert_eq!((policy.token.encodings.as_slice(), policy.apps.review), ([Encoding::Form].as_slice(), Review::Manual));
    assert!(policy.scopes.missing.is_empty() && !policy.token.refresh_header && policy.routes.refresh.is_empty());
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
        (r#"{"access":{"life_s":1}}"#, "access.life_s: allowed is 60 to 86400"),
        (r#"{"access":{"life":1}}"#, "access.life: unknown field `life`, expected `life_s`"),
        (r#"{"code":{"life_s":601}}"#, "code.life_s"),
        (r#"{"refresh":{"rotation":"never"}}"#, "refresh.rotation: unknown variant `never`, expected one of `rotate`"),
        (r#"{"refresh":{"idle_s":99999999}}"#, "refresh.idle_s"),
        (r#"{"scopes":{"catalogue":[]}}"#, "scopes.catalogue"),
        (r#"{"scopes":{"catalogue":[{"name":"a b","words":"x"}]}}"#, "scopes.catalogue[0]"),
        (r#"{"scopes":{"catalogue":[{"name":"a","words":"x","offered_with":"b"}]}}"#, "scopes.catalogue[0]"),
        (r#"{"scopes":{"separator":"comma","catalogue":[{"name":"a,b","words":"x"}]}}"#, "scopes.catalogue[0]"),
        (r#"{"scopes":{"always":["nothing"]}}"#, "scopes.always"),
        (r#"{"token":{"prefixes":{"access":"x_","refresh":"x_"}}}"#, "token.prefixes"),
        (r#"{"token":{"answer":["token_type"]}}"#, "token.answer"),
        (r#"{"token":{"refresh_answer":["token_type"]}}"#, "token.refresh_answer"),
        (r#"{"token":{"refresh_header":true}}"#, "token.refresh_header"),
        (r#"{"token":{"encodings":["xml"]}}"#, "token.encodings: unknown variant `xml`, expected `form` or `json`"),
        (r#"{"token":{"auth_methods":["none"]}}"#, "token.auth_methods"),
        (r#"{"token":{"errors":{"body":{"m":"$descripton"}}}}"#, "token.errors.body: there is no placeholder $descripton"),
        (r#"{"token":{"errors":{"says":{"cod_invalid":{}}}}}"#, "cod_invalid"),
        (r#"{"token":{"errors":{"says":{"code_invalid":{"status":200}}}}}"#, "token.errors.says"),
        (r#"{"api":{"errors":{"says":{"fault":{"description":"a \"b\""}}}}}"#, "api.errors.says"),
        (r#"{"api":{"burst":{"limit":10,"window_s":60}}}"#, "api.burst"),
        (r#"{"api":{"headers":{"limit":"X Limit"}}}"#, "api.headers"),
        (r#"{"api":{"key_rate":{"limit":0,"window_s":60}}}"#, "api.key_rate.limit"),
        (r#"{"api":{"app_rate":{"limit":0,"window_s":60}}}"#, "api.app_rate.limit"),
        (r#"{"api":{"app_rate":{"limit":199,"window_s":60}}}"#, "api.app_rate: allowed is at least 200 calls in 60 seconds"),
        (r#"{"api":{"account_rate":{"limit":1999,"window_s":600}}}"#, "api.account_rate: allowed is at least 2000"),
        (r#"{"api":{"address_rate":{"limit":20,"window_s":1}}}"#, "api.address_rate: allowed is at least 200"),
        (
            r#"{"api":{"key_rate":{"limit":500,"window_s":60},"account_rate":{"limit":200,"window_s":60}}}"#,
            "api.account_rate: allowed is at least 1000",
        ),
        (r#"{"api":{"key_scheme":"bearer"}}"#, "api.key_scheme"),
        (r#"{"api":{"key_scheme":"Api Key"}}"#, "api.key_scheme"),
        (r#"{"keys":{"max":0}}"#, "keys.max"),
        (r#"{"keys":{"life_max_s":60}}"#, "keys.life_max_s"),
        (r#"{"me":{"scope":"nothing"}}"#, "me.scope"),
        (r#"{"me":{"body":"$account"}}"#, "me.body: there is no placeholder $account"),
        (r#"{"routes":{"token":["/login"]}}"#, "routes.token"),
        (r#"{"routes":{"token":["/oauth/authorize"]}}"#, "routes.token: allowed is each path once"),
        (r#"{"routes":{"decision":"/oauth/token"}}"#, "routes.decision"),
        (r#"{"routes":{"revoke":["oauth/revoke"]}}"#, "routes.revoke"),
        (r#"{"revoke":{"access_ends":"family"}}"#, "revoke.access_ends"),
        (r#"{"authorize":{"deny_description":"say \"no\""}}"#, "authorize.deny_description"),
        (r##"{"platform":{"colour":"#ffee00"}}"##, "platform.colour"),
        (r#"{"mail":{"notices":["app_aproved"]}}"#, "mail.notices: there is no kind app_aproved; there are app_submitted, app_approved"),
        (r#"{"mail":{"words":{"nothing":{}}}}"#, "mail.words: there is no kind nothing"),
        (r#"{"mail":{"words":{"app_approved":{"closing":"x"}}}}"#, "mail.words.app_approved.closing: allowed is subject and opening"),
        (r#"{"mail":{"words":{"app_approved":"x"}}}"#, "mail.words.app_approved: allowed is subject and opening"),
        (r#"{"mail":{"words":{"app_approved":{"subject":["x"]}}}}"#, "mail.words.app_approved.subject: allowed is a text"),
        (r#"{"mail":{"words":{"app_approved":{"opening":" "}}}}"#, "mail.words.app_approved.opening: allowed is one line"),
        (
            r#"{"mail":{"words":{"app_approved":{"subject":"$ap is in"}}}}"#,
            "mail.words.app_approved.subject: there is no placeholder $ap; there are $platform, $app",
        ),
        (
            r#"{"mail":{"words":{"password_changed":{"opening":"$app"}}}}"#,
            "mail.words.password_changed.opening: there is no placeholder $app",
        ),
        (r#"{"mail":{"words":{"app_approved":{"subject":"a\nBcc: b"}}}}"#, "mail.words.app_approved.subject: allowed is one line"),
        (r#"{"apps":{"overridable":["refresh.idle_s"]}}"#, "apps.overridable: unknown variant"),
        ("[", "it is not JSON"),
    ] {
        let error = default_policy().with_overrides(overrides).unwrap_err();
        assert!(error.contains(key), "{overrides}: {error}");
    }
}

#[test]
fn limits_wider_than_a_grant_leave_room_for_two() {
    for right in [
        r#"{"app_rate":{"limit":200,"window_s":60},"account_rate":{"limit":2000,"window_s":600},"address_rate":{"limit":200,"window_s":1}}"#,
        r#"{"burst":{"limit":2,"window_s":1},"app_rate":{"limit":4,"window_s":1}}"#,
        // Keys are of no app.
        r#"{"key_rate":{"limit":500,"window_s":60},"app_rate":{"limit":200,"window_s":60}}"#,
    ] {
        default_policy().with_overrides(&format!(r#"{{"api":{right}}}"#)).unwrap();
    }
    let error = default_policy().with_overrides(r#"{"api":{"app_rate":{"limit":199,"window_s":60}}}"#).unwrap_err();
    assert!(error.starts_with("api.app_rate: allowed"), "the key stands there once: {error}");
}

#[test]
fn a_key_has_the_limits_of_apps_unless_the_policy_says_otherwise() {
    let policy = default_policy();
    assert_eq!(policy.api.key_rates(), policy.api.rates());
    let policy = policy.with_overrides(r#"{"api":{"burst":{"limit":1,"window_s":1},"key_rate":{"limit":5,"window_s":60}}}"#).unwrap();
    assert_eq!(policy.api.key_rates(), crate::rate::Rates { rate: Limit { limit: 5, window_s: 60 }, burst: None });
}

#[test]
fn a_resource_is_reached_by_what_it_serves_and_by_what_includes_it() {
    let mut scopes = default_policy().scopes;
    scopes.catalogue[2].implies = vec!["bookings:read".into()];
    let served = ["account:read".to_owned(), "bookings:read".to_owned()];
    assert_eq!(scopes.reaching(&served), ["account:read", "bookings:read", "bookings:write"]);
    assert_eq!(scopes.within("bookings:write customers:read", &served), "bookings:read");
    assert_eq!(scopes.within("bookings:read account:read", &served), "account:read bookings:read");
    assert_eq!(scopes.within("customers:read", &served), "");
    assert_eq!(scopes.reaching(&scopes.reaching(&served)), scopes.reaching(&served), "each once");
    let gone = ["no-longer-there".to_owned()];
    assert_eq!((scopes.reaching(&gone), scopes.within(&gone[0], &gone)), (gone.to_vec(), gone[0].clone()));
}

#[test]
fn who_may_make_keys_and_how_long_they_live() {
    let keys = ApiKeys { roles: vec!["owner".into()], max: 20, life_max_s: 0 };
    assert!(keys.on() && keys.allows("owner") && !keys.allows("staff"));
    assert!(keys.allows_life(0) && keys.allows_life(86_400) && !keys.allows_life(u64::MAX));
    let short = ApiKeys { roles: Vec::new(), life_max_s: 86_400, ..keys };
    assert!(!short.on() && !short.allows_life(0) && short.allows_life(86_400) && !short.allows_life(86_401));
}

#[test]
fn a_shape_is_replaced_whole() {
    let policy = default_policy().with_overrides(r#"{"me":{"body":{"name":"$account.name"}}}"#).unwrap();
    assert_eq!(policy.me.body.fill(&|_| "x".into()), serde_json::json!({ "name": "x" }));
}

/// Every file in `worker/presets/`.
#[test]
fn every_preset_is_valid() {
    let mut names = Vec::new();
    for file in std::fs::read_dir("../presets").unwrap() {
        let path = file.unwrap().path();
        let (policy, data) = tables(&std::fs::read_to_string(&path).unwrap());
        let policy = Policy::from_value(&policy).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        policy.gateway.validate(&policy).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        crate::json::from_value::<Development>(&data).unwrap().validate(&policy).unwrap();
        names.push(path.file_stem().unwrap().to_str().unwrap().to_owned());
    }
    names.sort();
    assert_eq!(names, ["cal-classic", "cal-v2", "default", "klaviyo", "klippa", "yappointment"]);
}

#[test]
fn development_data_must_suit_the_policy() {
    let (_, data) = tables(include_str!("../../../presets/default.toml"));
    let data: Development = crate::json::from_value(&data).unwrap();
    let wrong = |data: Development| data.validate(&default_policy()).unwrap_err();
    assert!(wrong(Development { owner_role: "boss".into(), ..data.clone() }).contains("development.owner_role"));
    assert!(wrong(Development { staff_role: "owner".into(), ..data }).contains("development.staff_role"));
}

mod floor {
    //! What no policy and no override takes from a public client, or gives to any.

    use super::*;
    use crate::app::tests::app;
    use crate::app::{App, ClientType};
    use crate::credential::Kind;

    fn loose() -> Policy {
        let overrides = r#"{
            "authorize": {"pkce": "required_for_public"},
            "refresh": {"rotation": "static", "retry_window_ms": 60000},
            "revoke": {"access_ends": "grant"},
            "routes": {"refresh": ["/refresh"]},
            "token": {"refresh_header": true, "answer": ["refresh_token"], "refresh_answer": [], "auth_methods": ["client_secret_post"]},
            "apps": {"overridable": ["authorize.pkce", "token.auth_methods", "refresh.rotation", "refresh.retry_window_ms", "api.rate"]}
        }"#;
        default_policy().with_overrides(overrides).unwrap()
    }

    #[test]
    fn a_public_client_keeps_its_protections_a21() {
        let (policy, app) = (loose(), app(ClientType::Public));
        let of = policy.of(&app);
        assert!(of.needs_pkce() && !of.refresh_header());
        assert_eq!(of.rotation(), Rotation::Rotate);
        assert_eq!(of.retry_window_ms(), 2000);
        assert_eq!(of.reach(Kind::Access), Reach::Token);
        assert_eq!(of.answer(true).len(), 4);
        assert_eq!(of.auth_methods(), [AuthMethod::None]);
    }

    #[test]
    fn a_confidential_client_gets_what_the_policy_says() {
        let (policy, app) = (loose(), app(ClientType::Confidential));
        let of = policy.of(&app);
        assert!(!of.needs_pkce() && of.refresh_header());
        assert_eq!(of.rotation(), Rotation::Static);
        assert_eq!(of.retry_window_ms(), 60_000);
        assert_eq!(of.reach(Kind::Access), Reach::Grant);
        assert_eq!((of.answer(false), of.answer(true)), ([Member::RefreshToken].as_slice(), [].as_slice()));
    }

    #[test]
    fn an_app_that_was_made_to_rotate_is_told_its_new_refresh_token() {
        let policy = loose();
        let overrides = Overrides { rotation: Some(Rotation::Rotate), ..Overrides::default() };
        let app = App { overrides, ..app(ClientType::Confidential) };
        assert!(policy.of(&app).answer(true).contains(&Member::RefreshToken));
    }

    #[test]
    fn staff_may_set_what_the_policy_marks_and_nothing_that_loosens_a_public_client() {
        let read = |text: &str| -> Overrides { crate::json::read(text.as_bytes()).unwrap() };
        let check = |text: &str, client_type, policy: &Policy| read(text).check(policy, &app(client_type));
        let (loose, strict) = (loose(), default_policy());
        let rate = r#"{"api.rate":{"limit":1000,"window_s":60}}"#;
        assert_eq!(check(rate, ClientType::Public, &strict), Ok(()));
        for (text, client_type, policy) in [
            (r#"{"refresh.rotation":"static"}"#, ClientType::Confidential, &strict),
            (r#"{"authorize.pkce":"required_for_public"}"#, ClientType::Confidential, &strict),
            (r#"{"refresh.rotation":"static"}"#, ClientType::Public, &loose),
            (r#"{"authorize.pkce":"required_for_public"}"#, ClientType::Public, &loose),
            (r#"{"token.auth_methods":["none"]}"#, ClientType::Confidential, &loose),
            (r#"{"refresh.retry_window_ms":60001}"#, ClientType::Confidential, &loose),
            (r#"{"api.rate":{"limit":0,"window_s":60}}"#, ClientType::Confidential, &loose),
        ] {
            assert!(check(text, client_type, policy).is_err(), "{text}");
        }
        assert!(crate::json::read::<Overrides>(br#"{"access.life_s":1}"#).is_err());
    }
}
