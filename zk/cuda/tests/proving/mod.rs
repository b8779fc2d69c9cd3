//! Proofs on a mock device, compared with the CPU's.
#![allow(dead_code)] // each test uses its own part

use super::{device::Device, relations};
use ark_bls12_381::G1Affine;
use opensand_nn::{Architecture, Model, Weights};
use opensand_zk_prover::{
	generate,
	groth16::{commit, prove, ProofPoints, ResidentKey},
	setup_dev, setup_family_dev, Blinding, CommittedWeights, CpuBackend, Mask, Prover, ProverBackend, Rows,
	Trapdoors,
};
use opensand_zk_r1cs::{Matrices, Segments};
use opensand_zk_verifier::{Binding, InputVisibility};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use std::{fs, ops::ControlFlow, path::Path, sync::Arc};

pub fn seeded(seed: u64) -> ChaCha20Rng {
	ChaCha20Rng::seed_from_u64(seed)
}

fn proof(
	backend: &dyn ProverBackend,
	matrices: &Matrices,
	z: &[ark_bls12_381::Fr],
) -> (G1Affine, ProofPoints) {
	let (key, _) = generate(matrices, &Trapdoors::random(&mut seeded(1))).unwrap();
	let key = ResidentKey::load(backend, key).unwrap();
	let rows = backend.load_rows(Rows::new(matrices)).unwrap();
	let blinding = Blinding::random(&mut seeded(2));
	let committed = &z[matrices.segments().committed_columns()];
	(
		commit(backend, &key, committed, &blinding).unwrap(),
		prove(backend, &key, &rows, z, &blinding).unwrap(),
	)
}

/// Random circuits with so many rows, as powers of two.
pub fn circuits(sizes: impl IntoIterator<Item = u32>) {
	let device = Device::new();
	let backend = device.open();
	for log2 in sizes {
		let constraints = (1 << log2) - 10;
		let segments = Segments {
			public: 4,
			committed: constraints / 5,
			weights: constraints / 7,
			rest: constraints / 2,
		};
		let (matrices, z) = relations::random(segments, constraints, log2.into());
		assert_eq!(
			proof(&*backend, &matrices, &z),
			proof(&CpuBackend, &matrices, &z),
			"2^{log2}"
		);
	}
}

fn model(name: &str) -> Arc<Model> {
	let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models").join(name);
	let read = |file: &str| fs::read(folder.join(file)).unwrap();
	let architecture = Architecture::from_bytes(&read("architecture.bin")).unwrap();
	let weights = Weights::from_bytes(&read("weights.bin")).unwrap();
	Arc::new(Model::new(architecture, weights).unwrap())
}

/// Proves on a backend; the key and the randomness are the same each time.
pub fn prove_model(
	model: &Arc<Model>,
	weights: Option<&Mask>,
	backend: Arc<dyn ProverBackend>,
	seed: u64,
) -> (Vec<i8>, Vec<u8>) {
	let visibility = InputVisibility::Hashed;
	let (key, weights) = match weights {
		None => (
			setup_dev(model.clone(), visibility, &mut seeded(3)).unwrap().0,
			None,
		),
		Some(mask) => {
			let widths = opensand_zk_circuit::DeclaredWidths::of(model);
			let family = setup_family_dev(model.clone(), visibility, widths.clone(), &mut seeded(3)).unwrap();
			let mask = mask.clone();
			(family.inference, Some(CommittedWeights { widths, mask }))
		}
	};
	let prover = Prover::with_weights(model.clone(), visibility, weights, key, backend).unwrap();
	let binding = Binding {
		genesis: [1; 32],
		key: prover.key_id(),
		model: [3; 32],
		request: 4,
		worker: [5; 32],
	};
	let inputs = model.architecture().input_len();
	let input: Vec<i8> = (0..inputs).map(|index| (index * 37 % 100) as i8).collect();
	let proceed = &mut |_| ControlFlow::Continue(());
	prover
		.prove_with_rng(binding, &input, &[7; 32], proceed, &mut seeded(seed))
		.unwrap()
}

/// Models in the repository.
pub fn models(names: &[&str]) {
	let device = Device::new();
	for name in names {
		let model = model(name);
		let on_cpu = prove_model(&model, None, Arc::new(CpuBackend), 5);
		assert_eq!(prove_model(&model, None, device.open(), 5), on_cpu, "{name}");
	}
}
