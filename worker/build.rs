//! Reads the presets, validates them and hands them to the Worker as JSON: a typo in a preset is a
//! build error that names file, key and what is allowed. `EDGEGRANT_PRESETS` is another folder to read
//! them from, for a test.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs, process};

use edgegrant_core::policy::{Development, Policy};
use serde::de::DeserializeOwned;

const FOLDER: &str = "EDGEGRANT_PRESETS";

/// Policy and development data of a preset file, as JSON.
fn preset(path: &Path) -> Result<(String, String), String> {
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    let value: toml::Value = toml::from_str(&text).map_err(|error| error.to_string())?;
    let mut value = serde_json::to_value(&value).map_err(|error| error.to_string())?;
    let data = value.as_object_mut().and_then(|tables| tables.remove("development")).ok_or("development: this table is missing")?;
    let policy: Policy = typed(value, "")?;
    let data: Development = typed(data, "development.")?;
    policy.validate()?;
    policy.gateway.validate(&policy)?;
    data.validate(&policy)?;
    let json = |error: serde_json::Error| error.to_string();
    Ok((serde_json::to_string(&policy).map_err(json)?, serde_json::to_string(&data).map_err(json)?))
}

/// A value of its type, or the path of the key at fault with what is allowed there.
fn typed<T: DeserializeOwned>(value: serde_json::Value, start: &str) -> Result<T, String> {
    serde_path_to_error::deserialize(value).map_err(|error| match error.path().to_string().as_str() {
        "." => format!("{start}{}", error.inner()),
        path => format!("{start}{path}: {}", error.inner()),
    })
}

fn presets(folder: &str, development: bool) -> Result<String, String> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .map_err(|error| format!("{folder}: {error}"))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|end| end == "toml"))
        .collect();
    files.sort();
    let mut out = String::from("/// Every preset.\nconst PRESETS: &[BuiltIn] = &[\n");
    for path in files {
        let place = if path.is_absolute() { path.clone() } else { Path::new("worker").join(&path) };
        let (policy, data) = preset(&path).map_err(|error| format!("{}: {error}", place.display()))?;
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        let data = if development { format!(", development: {data:?}") } else { String::new() };
        writeln!(out, "    BuiltIn {{ name: {name:?}, policy: {policy:?}{data} }},").map_err(|error| error.to_string())?;
    }
    out.push_str("];\n");
    Ok(out)
}

fn main() {
    let folder = env::var(FOLDER).unwrap_or_else(|_| "presets".to_owned());
    println!("cargo:rerun-if-env-changed={FOLDER}");
    println!("cargo:rerun-if-changed={folder}");
    let out = Path::new(&env::var("OUT_DIR").unwrap_or_default()).join("presets.rs");
    let development = env::var_os("CARGO_FEATURE_DEVELOPMENT").is_some();
    let written = presets(&folder, development).and_then(|text| fs::write(out, text).map_err(|error| error.to_string()));
    if let Err(error) = written {
        eprintln!("error: {error}");
        process::exit(1);
    }
}
