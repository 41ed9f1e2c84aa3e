//! libFuzzer for one target, which the variable `FUZZ_TARGET` names. See run.mjs.
#![no_main]
#![allow(clippy::expect_used, reason = "a fuzzer without a target is of no use")]

use std::sync::LazyLock;

use edgegrant_fuzz::{TARGETS, Target};

static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let name = std::env::var("FUZZ_TARGET").expect("FUZZ_TARGET names the target");
    TARGETS.into_iter().find(|(known, _)| *known == name).expect("FUZZ_TARGET is one of lib.rs").1
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| TARGET(data));
