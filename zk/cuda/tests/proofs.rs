//! Proofs of the mock device are the CPU's, byte by byte, for the same randomness. Larger ones are in `proofs_long`.

mod device;
mod proving;
#[path = "../../prover/tests/relations/mod.rs"]
mod relations;

use device::Device;
use opensand_zk_prover::{CpuBackend, Mask};
use proving::{circuits, models, prove_model, seeded};
use std::{sync::Arc, thread};

#[test]
fn random_circuits() {
	circuits(10..=12);
}

#[test]
fn the_digits_model() {
	models(&["digits"]);
}

#[test]
fn committed_weights() {
	let device = Device::new();
	let model = Arc::new(opensand_zk_prover::fixtures::model());
	let mask = Mask::random(&mut seeded(4));
	let on_cpu = prove_model(&model, Some(&mask), Arc::new(CpuBackend), 6);
	assert_eq!(prove_model(&model, Some(&mask), device.open(), 6), on_cpu);
}

#[test]
fn proofs_in_flight_at_the_same_time() {
	let device = Device::new();
	let backend = device.open();
	let model = Arc::new(opensand_zk_prover::fixtures::model());
	thread::scope(|scope| {
		for seed in 0..4 {
			let (model, backend) = (model.clone(), backend.clone());
			scope.spawn(move || {
				let on_cpu = prove_model(&model, None, Arc::new(CpuBackend), seed);
				assert_eq!(prove_model(&model, None, backend, seed), on_cpu);
			});
		}
	});
}
