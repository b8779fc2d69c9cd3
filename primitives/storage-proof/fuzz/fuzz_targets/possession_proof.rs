#![no_main]

#[path = "../targets.rs"]
#[allow(dead_code, reason = "each target uses some of the items")]
mod targets;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::possession_proof(bytes));
