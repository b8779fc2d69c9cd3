//! Committed weights: registered under one key of a family, proven about under the other.

use ark_bls12_381::Fr;
use ark_ff::PrimeField;
use opensand_nn::{
	Activation, Architecture, Embedding, Layer, LayerNormalization, LayerWeights, Linear, MatMul, Model,
	Operator, Shape, Softmax, Weights,
};
use opensand_zk_circuit::{
	CircuitError, DeclaredWidths, InferenceCircuit, LayerWidths, RegistrationCircuit, WeightsMode,
};
use opensand_zk_prover::{
	fixtures::{model, INPUT, SALT},
	groth16::{commit, prove, prove_with, Blinding, Lasting, ResidentKey},
	setup_dev, setup_family_dev, Bundle, BundleError, CommittedWeights, CpuBackend, FamilyFolder, KeyFamily,
	Mask, ProveError, Prover, ProverBackend, ProvingKey, Registrar, Rows, SetupError, FAMILY_FILE,
	INFERENCE_KEY_FILE, MANIFEST_FILE, OPENING_FILE,
};
use opensand_zk_verifier::{
	verify, Binding, Host, InputVisibility, Native, Proof, Statement, VerifyError, VerifyingKey,
	WeightsCommitment,
};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use std::{
	ops::ControlFlow,
	sync::{Arc, OnceLock},
};

fn seeded(seed: u64) -> ChaCha20Rng {
	ChaCha20Rng::seed_from_u64(seed)
}

fn widths() -> DeclaredWidths {
	DeclaredWidths::of(&model())
}

/// The keys of the small model's architecture.
fn family() -> &'static KeyFamily {
	static FAMILY: OnceLock<KeyFamily> = OnceLock::new();
	FAMILY.get_or_init(|| {
		setup_family_dev(
			Arc::new(model()),
			InputVisibility::Hashed,
			widths(),
			&mut seeded(1),
		)
		.unwrap()
	})
}

/// The small model after some training.
fn trained() -> Model {
	let mut layers = model().weights().layers().to_vec();
	layers[0].weights[3] -= 9;
	layers[1].biases[1] += 40;
	Model::new(model().architecture().clone(), Weights::new(layers).unwrap()).unwrap()
}

fn registrar(model: Model) -> Registrar {
	let mode = WeightsMode::Committed(widths());
	let circuit = InferenceCircuit::with_weights(Arc::new(model), InputVisibility::Hashed, mode).unwrap();
	let circuit = RegistrationCircuit::of(&circuit).unwrap();
	Registrar::new(circuit, family().registration.clone(), Arc::new(CpuBackend)).unwrap()
}

fn prover(model: Model, mask: Mask) -> Prover {
	let weights = CommittedWeights {
		widths: widths(),
		mask,
	};
	Prover::with_weights(
		Arc::new(model),
		InputVisibility::Hashed,
		Some(weights),
		family().inference.clone(),
		Arc::new(CpuBackend),
	)
	.unwrap()
}

fn binding(key: &VerifyingKey, request: u64) -> Binding {
	Binding {
		genesis: [1; 32],
		key: key.id(),
		model: [3; 32],
		request,
		worker: [5; 32],
	}
}

fn infer(prover: &Prover, request: u64) -> (Statement, Vec<u8>) {
	let binding = binding(prover.verifying_key(), request);
	let statement = prover.statement(binding.clone(), &INPUT, &SALT).unwrap();
	let proceed = &mut |_| ControlFlow::Continue(());
	let (output, proof) = prover.prove(binding, &INPUT, &SALT, proceed).unwrap();
	assert_eq!(output, prover.model().evaluate(&INPUT).unwrap());
	assert_eq!(output, statement.output);
	(statement, proof)
}

fn check(
	key: &VerifyingKey,
	statement: &Statement,
	weights: Option<&WeightsCommitment>,
	proof: &[u8],
) -> Result<(), VerifyError> {
	let proof = Proof::from_bytes(proof).unwrap();
	let native = verify::<Native>(key, statement, weights, &proof);
	assert_eq!(native, verify::<Host>(key, statement, weights, &proof));
	native
}

#[test]
fn a_registered_commitment_is_proven_about_and_training_needs_another() {
	let keys = [&family().registration, &family().inference].map(|key| key.verifying_key());
	let [registration_key, inference_key] = keys;
	assert!(registration_key.registers_for(inference_key));
	assert!(!inference_key.registers_for(registration_key));
	let [before, after] = [(model(), 7), (trained(), 8)].map(|(model, seed)| {
		let mask = Mask::random(&mut seeded(seed));
		let registration = registrar(model.clone())
			.register(binding(registration_key, 0), &mask)
			.unwrap();
		let prover = prover(model, mask);
		assert_eq!(prover.weights_commitment(), Some(&registration.commitment));
		let weights = Some(&registration.commitment);
		assert_eq!(
			check(
				registration_key,
				&registration.statement,
				weights,
				&registration.proof
			),
			Ok(())
		);
		let (statement, proof) = infer(&prover, 4);
		assert_eq!(check(inference_key, &statement, weights, &proof), Ok(()));
		(registration, statement, proof)
	});
	assert_ne!(before.0.commitment, after.0.commitment);
	let invalid = Err(VerifyError::InvalidProof);
	for (one, other) in [(&before, &after), (&after, &before)] {
		let (registration, statement, proof) = one;
		let weights = Some(&other.0.commitment);
		assert_eq!(check(inference_key, statement, weights, proof), invalid);
		assert_eq!(
			check(
				registration_key,
				&registration.statement,
				weights,
				&registration.proof
			),
			invalid
		);
		assert_eq!(
			check(inference_key, statement, Some(&registration.commitment), &other.2),
			invalid
		);
		// A registration for another owner or model, and one that is offered as an inference.
		let weights = Some(&registration.commitment);
		for change in [
			|s: &mut Statement| s.binding.worker[0] ^= 1,
			|s: &mut Statement| s.binding.model[0] ^= 1,
		] {
			let mut other = registration.statement.clone();
			change(&mut other);
			assert_eq!(
				check(registration_key, &other, weights, &registration.proof),
				invalid
			);
		}
		assert_eq!(
			check(registration_key, statement, weights, proof),
			Err(VerifyError::WrongKey)
		);
		assert!(check(inference_key, statement, None, proof).is_err());
	}
}

/// Rows of a table for three tokens, normalised, which attend to each other.
fn attention(table: [i8; 8]) -> Model {
	let matmul = |other, transposed, shift| {
		Operator::MatMul(MatMul {
			other,
			transposed,
			shift,
		})
	};
	let operators = [
		Operator::Embedding(Embedding {
			vocabulary: 4,
			width: 2,
		}),
		Operator::LayerNormalization(LayerNormalization {
			epsilon: 9,
			shift: 23,
		}),
		Operator::Reshape(Shape::new(1, 3, 2)),
		matmul(3, true, 7),
		Operator::Softmax(Softmax {
			exponentials: Box::new(std::array::from_fn(|distance| {
				1023u16.checked_shr(distance as u32).unwrap_or(0)
			})),
			bits: 20,
		}),
		matmul(3, false, 7),
	];
	let layers = (0u16..).zip(operators);
	let layers = layers
		.map(|(input, operator)| Layer { input, operator })
		.collect();
	let weights = vec![
		LayerWeights {
			weights: table.to_vec(),
			biases: vec![],
		},
		LayerWeights {
			weights: vec![100, -90],
			biases: vec![5 << 20, -77],
		},
	];
	let architecture = Architecture::new(Shape::vector(3), layers).unwrap();
	Model::new(architecture, Weights::new(weights).unwrap()).unwrap()
}

/// Keys for the first of two models of one architecture, under which both are registered and proven about; returns the domains of the
/// registration and of the inference. A proof about one is none about the other, and there is none for `impossible` inputs.
fn register_and_prove(models: [Model; 2], input: &[i8], impossible: Option<&[i8]>) -> [usize; 2] {
	let widths = DeclaredWidths::of(&models[0]);
	let mode = WeightsMode::Committed(widths.clone());
	let visibility = InputVisibility::Public;
	let family = setup_family_dev(
		Arc::new(models[0].clone()),
		visibility,
		widths.clone(),
		&mut seeded(11),
	)
	.unwrap();
	let keys = [&family.registration, &family.inference].map(|key| key.verifying_key().clone());
	assert!(keys[0].registers_for(&keys[1]));
	let points = [&family.registration, &family.inference].map(|key| key.points());
	assert_eq!(points[0].weights, points[1].weights);
	let versions = models.map(|model| {
		let model = Arc::new(model);
		let circuit = InferenceCircuit::with_weights(model.clone(), visibility, mode.clone()).unwrap();
		assert_eq!(circuit.size().domain, points[1].domain);
		let registrar = Registrar::new(
			RegistrationCircuit::of(&circuit).unwrap(),
			family.registration.clone(),
			Arc::new(CpuBackend),
		)
		.unwrap();
		assert_eq!(registrar.circuit_size().domain, points[0].domain);
		let mask = Mask::random(&mut seeded(12));
		let registration = registrar.register(binding(&keys[0], 0), &mask).unwrap();
		let weights = Some(&registration.commitment);
		let registered = check(&keys[0], &registration.statement, weights, &registration.proof);
		assert_eq!(registered, Ok(()));
		let weights = CommittedWeights {
			widths: widths.clone(),
			mask,
		};
		let key = family.inference.clone();
		let prover =
			Prover::with_weights(model, visibility, Some(weights), key, Arc::new(CpuBackend)).unwrap();
		assert_eq!(prover.weights_commitment(), Some(&registration.commitment));
		(prover, registration.commitment)
	});
	for (index, (prover, commitment)) in versions.iter().enumerate() {
		let binding = binding(&keys[1], 1);
		let statement = prover.statement(binding.clone(), input, &SALT).unwrap();
		let (output, proof) = prover
			.prove(binding.clone(), input, &SALT, &mut |_| ControlFlow::Continue(()))
			.unwrap();
		assert_eq!(output, prover.model().evaluate(input).unwrap());
		assert_eq!(check(&keys[1], &statement, Some(commitment), &proof), Ok(()));
		let (_, other) = &versions[1 - index];
		assert_ne!(check(&keys[1], &statement, Some(other), &proof), Ok(()));
		if let Some(input) = impossible {
			let beyond = prover.prove(binding, input, &SALT, &mut |_| ControlFlow::Continue(()));
			assert!(beyond.is_err());
		}
	}
	points.map(|points| points.domain)
}

/// Also a family whose inference has the larger domain.
#[test]
fn transformers_are_registered_and_proven_about() {
	// Another table is another commitment under the same keys.
	let models = [
		attention([1, -20, 33, 5, -128, 127, 90, 90]),
		attention([2, -20, 31, 5, -127, 120, 90, 91]),
	];
	// No row belongs to the fifth token.
	let [registration, inference] = register_and_prove(models, &[3, 0, 2], Some(&[3, 4, 2]));
	assert!(registration < inference, "{registration}, {inference}");
}

/// Every weight is looked up when it is registered, but many are multiplied at once: here the registration has the larger domain.
#[test]
fn dense_layers_are_registered_and_proven_about() {
	let model = |change: i8| {
		let operator = Operator::Linear(Linear {
			outputs: 48,
			shifts: vec![9; 48],
			activation: Activation::Relu,
		});
		let weights = LayerWeights {
			weights: (0..48 * 48)
				.map(|index: i32| (index * 37) as i8 / 2 + change)
				.collect(),
			biases: (0..48).map(|index| index * 100 - 2000).collect(),
		};
		let layers = vec![Layer { input: 0, operator }];
		let architecture = Architecture::new(Shape::vector(48), layers).unwrap();
		Model::new(architecture, Weights::new(vec![weights]).unwrap()).unwrap()
	};
	let input: Vec<i8> = (0..48).map(|index: i32| (index * 53) as i8).collect();
	let [registration, inference] = register_and_prove([model(0), model(-1)], &input, None);
	assert!(registration > inference, "{registration}, {inference}");
}

#[test]
fn two_commitments_to_the_same_weights_differ() {
	let commitments = [1, 2].map(|seed| {
		let prover = prover(model(), Mask::random(&mut seeded(seed)));
		*prover.weights_commitment().unwrap()
	});
	assert_ne!(commitments[0], commitments[1]);
}

/// What lasts from proof to proof is multiplied once; proofs are the same bytes.
#[test]
fn proofs_are_the_same_with_and_without_what_lasts() {
	let mode = WeightsMode::Committed(widths());
	let circuit = InferenceCircuit::with_weights(Arc::new(model()), InputVisibility::Hashed, mode).unwrap();
	let key = family().inference.points().clone();
	let rows = Rows::new(&circuit.matrices().unwrap());
	let rows = CpuBackend.load_rows(rows).unwrap();
	let key = ResidentKey::load(&CpuBackend, key).unwrap();
	let words = circuit.words(Fr::from(77u64));
	let lasting = Lasting::new(&CpuBackend, &key, circuit.lasting_columns(), &words).unwrap();
	for request in 0..3 {
		let binding = binding(family().inference.verifying_key(), request);
		let execution = circuit.execute(binding, &[request as i8; 4], SALT).unwrap();
		let blinding = Blinding::random(&mut seeded(request));
		let values = circuit.commit(&execution).unwrap();
		let committed = commit(&CpuBackend, &key, &values, &blinding).unwrap();
		let challenges = execution.statement.challenges(&committed, None);
		let z = circuit
			.assign_with_words(&execution, &words, &values, &challenges)
			.unwrap();
		let with = prove_with(&CpuBackend, &key, &rows, &z, &blinding, Some(&lasting)).unwrap();
		assert_eq!(with, prove(&CpuBackend, &key, &rows, &z, &blinding).unwrap());
	}
}

#[test]
fn keys_do_not_depend_on_the_weights_and_do_not_mix() {
	let again = setup_family_dev(
		Arc::new(trained()),
		InputVisibility::Hashed,
		widths(),
		&mut seeded(1),
	)
	.unwrap();
	assert_eq!(again, *family());
	let other = setup_family_dev(
		Arc::new(model()),
		InputVisibility::Hashed,
		widths(),
		&mut seeded(2),
	)
	.unwrap();
	let registers = |one: &KeyFamily, other: &KeyFamily| {
		let key = one.registration.verifying_key();
		key.registers_for(other.inference.verifying_key())
	};
	assert!(registers(&other, &other) && !registers(&other, family()));

	// A key in the place of another.
	let weights = CommittedWeights {
		widths: widths(),
		mask: Mask::random(&mut seeded(3)),
	};
	let with = |weights: Option<CommittedWeights>, key| {
		let model = Arc::new(model());
		Prover::with_weights(model, InputVisibility::Hashed, weights, key, Arc::new(CpuBackend)).map(|_| ())
	};
	let mismatch = |result| matches!(result, Err(ProveError::KeyMismatch));
	assert!(mismatch(with(
		Some(weights.clone()),
		family().registration.clone()
	)));
	assert!(mismatch(with(None, family().inference.clone())));
	let (constant, _) = setup_dev(Arc::new(model()), InputVisibility::Hashed, &mut seeded(1)).unwrap();
	assert!(mismatch(with(Some(weights), constant)));
	let mode = WeightsMode::Committed(widths());
	let circuit = InferenceCircuit::with_weights(Arc::new(model()), InputVisibility::Hashed, mode).unwrap();
	let circuit = RegistrationCircuit::of(&circuit).unwrap();
	let registrar = Registrar::new(circuit, family().inference.clone(), Arc::new(CpuBackend));
	assert!(mismatch(registrar.map(|_| ())));
	let wrong = binding(family().inference.verifying_key(), 0);
	let refused = self::registrar(model()).register(wrong, &Mask::random(&mut seeded(1)));
	assert!(matches!(refused, Err(ProveError::OtherKey { .. })));
}

#[test]
fn weights_beyond_the_declared_widths_are_refused() {
	let narrow = |accumulator_bits| {
		let layer = LayerWidths {
			accumulator_bits,
			bias_bytes: 2,
		};
		DeclaredWidths::new(model().architecture(), vec![layer; 2]).unwrap()
	};
	let refused = setup_family_dev(
		Arc::new(model()),
		InputVisibility::Public,
		narrow(8),
		&mut seeded(1),
	);
	assert!(matches!(
		refused,
		Err(SetupError::Circuit(CircuitError::BeyondWidths { layer: 0, .. }))
	));
	let mut layers = model().weights().layers().to_vec();
	layers[1].biases[0] = 1 << 20;
	let model = Model::new(model().architecture().clone(), Weights::new(layers).unwrap()).unwrap();
	let mode = WeightsMode::Committed(widths());
	let refused = InferenceCircuit::with_weights(Arc::new(model), InputVisibility::Hashed, mode);
	assert!(matches!(
		refused,
		Err(CircuitError::BeyondWidths { layer: 1, .. })
	));
}

#[test]
fn masks_have_one_encoding() {
	let mask = Mask::random(&mut seeded(1));
	assert_eq!(Mask::from_bytes(&mask.to_bytes()), Some(mask.clone()));
	assert_eq!(format!("{mask:?}"), "Mask(..)");
	let mut order = [0; 32];
	order.copy_from_slice(&ark_ff::BigInteger::to_bytes_le(&Fr::MODULUS));
	assert_eq!(Mask::from_bytes(&order), None);
	assert_eq!(Mask::from_bytes(&[0xff; 32]), None);
	order[0] -= 1;
	assert!(Mask::from_bytes(&order).is_some());
}

#[test]
fn bundles_and_families_round_trip() {
	let root = tempfile::tempdir().unwrap();
	let mask = Mask::random(&mut seeded(5));
	let bundle = Bundle {
		model: Arc::new(model()),
		visibility: InputVisibility::Hashed,
		weights: Some(CommittedWeights {
			widths: widths(),
			mask: mask.clone(),
		}),
		proving_key: family().inference.clone(),
	};
	let path = bundle.write(root.path()).unwrap();
	let read = Bundle::read(&path).unwrap();
	assert_eq!(read.weights, bundle.weights);
	let loaded = Prover::load(&path).unwrap();
	let expected = prover(model(), mask);
	assert_eq!(loaded.weights_commitment(), expected.weights_commitment());
	let (statement, proof) = infer(&loaded, 2);
	assert_eq!(
		check(
			loaded.verifying_key(),
			&statement,
			loaded.weights_commitment(),
			&proof
		),
		Ok(())
	);
	#[cfg(unix)]
	for secret in [OPENING_FILE, "weights.bin"] {
		use std::os::unix::fs::PermissionsExt;
		let mode = std::fs::metadata(path.join(secret)).unwrap().permissions().mode();
		assert_eq!(mode & 0o777, 0o600, "{secret}");
	}

	let folder = FamilyFolder {
		architecture: model().architecture().clone(),
		widths: widths(),
		visibility: InputVisibility::Hashed,
		keys: family().clone(),
	};
	let written = folder.write(root.path()).unwrap();
	let read = FamilyFolder::read(&written).unwrap();
	assert_eq!(read.keys, *family());
	assert_eq!(
		(read.architecture, read.widths),
		(folder.architecture.clone(), folder.widths.clone())
	);
	assert!(matches!(
		folder.write(root.path()),
		Err(BundleError::Exists { .. })
	));
}

#[test]
fn damaged_openings_and_families_are_refused() {
	let root = tempfile::tempdir().unwrap();
	let bundle = Bundle {
		model: Arc::new(model()),
		visibility: InputVisibility::Hashed,
		weights: Some(CommittedWeights {
			widths: widths(),
			mask: Mask::random(&mut seeded(5)),
		}),
		proving_key: family().inference.clone(),
	};
	let path = bundle.write(root.path()).unwrap();
	let opening = path.join(OPENING_FILE);
	let original = std::fs::read(&opening).unwrap();
	let mut flipped = original.clone();
	flipped[0] ^= 1;
	for damaged in [&flipped[..], &original[1..], &[]] {
		std::fs::write(&opening, damaged).unwrap();
		assert!(matches!(Bundle::read(&path), Err(BundleError::Checksum { .. })));
	}
	std::fs::write(&opening, &original).unwrap();
	let manifest = std::fs::read_to_string(path.join(MANIFEST_FILE)).unwrap();
	let with = |from: &str, to: &str| {
		assert!(manifest.contains(from), "{from}");
		std::fs::write(path.join(MANIFEST_FILE), manifest.replacen(from, to, 1)).unwrap();
		Bundle::read(&path)
	};
	assert!(matches!(
		with("opening.bin", "closing.bin"),
		Err(BundleError::Manifest { .. })
	));
	assert!(matches!(
		with("\"bias_bytes\": 2", "\"bias_bytes\": 9"),
		Err(BundleError::Widths(CircuitError::Widths))
	));

	let folder = FamilyFolder {
		architecture: model().architecture().clone(),
		widths: widths(),
		visibility: InputVisibility::Hashed,
		keys: family().clone(),
	};
	let path = folder.write(root.path()).unwrap();
	let manifest = std::fs::read_to_string(path.join(FAMILY_FILE)).unwrap();
	for (from, to) in [
		("\"version\": 1", "\"version\": 2"),
		("opensand-key-family", "other"),
	] {
		std::fs::write(path.join(FAMILY_FILE), manifest.replacen(from, to, 1)).unwrap();
		assert!(FamilyFolder::read(&path).is_err());
	}
	std::fs::write(path.join(FAMILY_FILE), &manifest).unwrap();
	assert!(FamilyFolder::read(&path).is_ok());
	// Keys that pass for a family by themselves, but do not have the same elements for weights.
	let mut registration = family().registration.points().clone();
	let other = setup_family_dev(
		Arc::new(model()),
		InputVisibility::Hashed,
		widths(),
		&mut seeded(2),
	)
	.unwrap();
	registration.weights = other.registration.points().weights.clone();
	let verifying = family().registration.verifying_key().clone();
	let mixed = FamilyFolder {
		keys: KeyFamily {
			registration: ProvingKey::new(verifying, registration).unwrap(),
			inference: family().inference.clone(),
		},
		..folder
	};
	let elsewhere = tempfile::tempdir().unwrap();
	assert!(matches!(
		FamilyFolder::read(&mixed.write(elsewhere.path()).unwrap()),
		Err(BundleError::KeysDisagree)
	));
	let key = path.join(INFERENCE_KEY_FILE);
	let mut bytes = std::fs::read(&key).unwrap();
	bytes[100] ^= 1;
	std::fs::write(&key, bytes).unwrap();
	assert!(matches!(
		FamilyFolder::read(&path),
		Err(BundleError::Checksum { .. })
	));
}
