//! Reads the presets, validates them and hands them to the Worker as JSON: a typo in a preset is a
//! build error that names file, key and what is allowed.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs, process};

use edgegrant_core::policy::Policy;

fn preset(path: &Path) -> Result<String, String> {
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    let value: toml::Value = toml::from_str(&text).map_err(|error| error.to_string())?;
    let json = serde_json::to_string(&value).map_err(|error| error.to_string())?;
    Policy::from_json(&json)?;
    Ok(json)
}

fn presets() -> Result<String, String> {
    let mut files: Vec<_> = fs::read_dir("presets")
        .map_err(|error| format!("worker/presets: {error}"))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|end| end == "toml"))
        .collect();
    files.sort();
    let mut out = String::from("/// Name and policy (JSON) of every preset.\npub(crate) const PRESETS: &[(&str, &str)] = &[\n");
    for path in files {
        let json = preset(&path).map_err(|error| format!("worker/{}: {error}", path.display()))?;
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        writeln!(out, "    ({name:?}, {json:?}),").map_err(|error| error.to_string())?;
    }
    out.push_str("];\n");
    Ok(out)
}

fn main() {
    println!("cargo:rerun-if-changed=presets");
    let out = Path::new(&env::var("OUT_DIR").unwrap_or_default()).join("presets.rs");
    let written = presets().and_then(|text| fs::write(out, text).map_err(|error| error.to_string()));
    if let Err(error) = written {
        eprintln!("error: {error}");
        process::exit(1);
    }
}
