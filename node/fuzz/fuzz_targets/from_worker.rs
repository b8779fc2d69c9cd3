#![no_main]

#[path = "../../src/prover/protocol.rs"]
#[allow(dead_code, reason = "the targets read and write frames only")]
mod protocol;
#[path = "../../src/prover/record.rs"]
#[allow(dead_code, reason = "the targets read and write records only")]
mod record;
#[path = "../targets.rs"]
#[allow(dead_code, reason = "each target uses one of the functions")]
mod targets;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::from_worker(bytes));
