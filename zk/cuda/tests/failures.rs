//! Every failure is an error that says what to do, and none is a panic.

mod device;

use ark_bls12_381::{Fr, G1Affine, G2Affine};
use ark_ec::AffineRepr;
use device::Device;
use opensand_zk_cuda::{check, mock, CudaBackend, Plugin, PluginError};
use opensand_zk_prover::{
	fixtures::{model, INPUT},
	setup_dev, BackendError, ProveError, Prover, ProverBackend, ProvingKey, Query,
};
use opensand_zk_verifier::{Binding, InputVisibility};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use std::{
	fs,
	ops::ControlFlow,
	path::Path,
	sync::{Arc, OnceLock},
};
use tempfile::TempDir;

fn load(path: &Path) -> Result<(), PluginError> {
	Plugin::load(path).map(|_| ())
}

#[test]
fn files_that_are_no_plugin_are_refused() {
	let directory = TempDir::new().unwrap();
	let missing = directory.path().join("missing.so");
	assert_eq!(load(&missing), Err(PluginError::Missing(missing.clone())));
	let text = directory.path().join("text.so");
	fs::write(&text, "no library").unwrap();
	for path in [text.as_path(), directory.path()] {
		assert!(
			matches!(load(path), Err(PluginError::Unloadable { .. })),
			"{path:?}"
		);
	}
	assert!(matches!(
		load(mock::no_plugin()),
		Err(PluginError::NoPlugin { symbol, .. }) if symbol == "opensand_prover_abi"
	));
	assert!(matches!(
		load(mock::other_version()),
		Err(PluginError::OtherVersion { found: 2, .. })
	));
	let error = BackendError::from(load(&missing).unwrap_err());
	assert!(matches!(&error, BackendError::PluginMismatch(text) if text.contains("missing.so")));
}

#[test]
fn a_named_plugin_must_be_there_and_an_unnamed_one_need_not() {
	assert!(matches!(
		Plugin::find(Some(Path::new("/no/such/plug-in.so"))).map(|_| ()),
		Err(PluginError::Missing(_))
	));
	assert!(Plugin::find(None).unwrap().is_none());
	let found = Plugin::find(Some(mock::no_device())).unwrap().unwrap();
	assert_eq!((found.path(), found.version()), (mock::no_device(), "fake 0.0.0"));
}

#[test]
fn machines_without_a_usable_device_say_why() {
	let open = |plugin: &Plugin| CudaBackend::open(plugin, 0, None).map(|_| ());
	let plugin = Plugin::load(mock::no_device()).unwrap();
	let refused = Err(BackendError::NoDevice("this machine has no device".into()));
	assert_eq!(
		(plugin.devices().map(|_| ()), open(&plugin)),
		(refused.clone(), refused)
	);
	let plugin = Plugin::load(mock::old_driver()).unwrap();
	let refused = Err(BackendError::UnsupportedDriver("the driver is too old".into()));
	assert_eq!(
		(plugin.devices().map(|_| ()), open(&plugin)),
		(refused.clone(), refused)
	);

	for (plan, is_expected) in [
		(
			"no-device",
			(|error| matches!(error, BackendError::NoDevice(_))) as fn(&BackendError) -> bool,
		),
		("old-driver", |error| {
			matches!(error, BackendError::UnsupportedDriver(_))
		}),
	] {
		let error = Device::failing(plan).try_open().map(|_| ()).unwrap_err();
		assert!(is_expected(&error), "{error}");
	}
	let device = Device::failing("devices=2");
	assert_eq!(device.plugin.devices().unwrap().len(), 2);
	assert!(CudaBackend::open(&device.plugin, 1, None).is_ok());
	assert!(matches!(
		CudaBackend::open(&device.plugin, 2, None).map(|_| ()),
		Err(BackendError::NoDevice(text)) if text.contains("number 2")
	));
}

#[test]
fn impossible_results_are_noticed() {
	let backend = CudaBackend::open(&Plugin::load(mock::off_curve()).unwrap(), 0, None).unwrap();
	assert_eq!(backend.device().unwrap().name, "x".repeat(96));
	let scalars = backend.load_scalars(&[Fr::from(1u64)]).unwrap();
	let is_refused = |error| matches!(error, BackendError::Device(text) if text.contains("not on the curve"));
	let bases = backend
		.load_g1(Query::dense(vec![G1Affine::generator()]))
		.unwrap();
	assert!(is_refused(backend.multiply_g1(&[&bases], &scalars).unwrap_err()));
	let bases = backend
		.load_g2(Query::dense(vec![G2Affine::generator()]))
		.unwrap();
	assert!(is_refused(backend.multiply_g2(&[&bases], &scalars).unwrap_err()));
	assert!(matches!(
		backend.read_scalars(&scalars).unwrap_err(),
		BackendError::Device(text) if text.contains("no field elements")
	));
	assert!(check(&backend).is_err());
}

#[test]
fn the_health_check_tells_devices_apart() {
	let device = Device::new();
	assert_eq!(check(&*device.open()), Ok(()));
	device.plan("wrong=1");
	assert!(matches!(
		check(&*device.open()),
		Err(BackendError::Device(text)) if text.contains("health check")
	));
	device.plan("lost=3");
	assert!(matches!(check(&*device.open()), Err(BackendError::DeviceLost(_))));
}

fn prover(backend: Arc<CudaBackend>) -> Result<Prover, ProveError> {
	static KEY: OnceLock<ProvingKey> = OnceLock::new();
	let (visibility, model) = (InputVisibility::Public, Arc::new(model()));
	let key = KEY.get_or_init(|| {
		let rng = &mut ChaCha20Rng::seed_from_u64(1);
		setup_dev(model.clone(), visibility, rng).unwrap().0
	});
	Prover::new(model, visibility, key.clone(), backend)
}

fn prove(prover: &Prover) -> Result<Vec<u8>, ProveError> {
	let binding = Binding {
		genesis: [1; 32],
		key: prover.key_id(),
		model: [3; 32],
		request: 4,
		worker: [5; 32],
	};
	let proceed = &mut |_| ControlFlow::Continue(());
	prover
		.prove(binding, &INPUT, &[0; 32], proceed)
		.map(|(_, proof)| proof)
}

#[test]
fn a_device_without_room_refuses_and_stays_usable() {
	let device = Device::new();
	let mut refused = 0;
	// Whichever allocation fails: it is an error that says so, while loading or proving, or room is made; and later it works.
	for allocation in 1..=12 {
		let backend = device.open();
		device.plan(&format!("out-of-memory={allocation}"));
		match prover(backend.clone()).and_then(|prover| prove(&prover)) {
			Ok(_) => {}
			Err(ProveError::Backend(error)) => {
				assert!(error.is_about_size(), "{error}");
				refused += 1;
				assert_eq!(check(&*backend), Ok(()));
			}
			Err(error) => panic!("{error}"),
		}
		device.plan("");
	}
	assert!(refused > 2, "{refused} allocations");
}

#[test]
fn a_limit_on_memory_is_kept() {
	let device = Device::new();
	let limited = CudaBackend::open(&device.plugin, 0, Some(64 << 20)).unwrap();
	assert_eq!(limited.statistics().unwrap().unwrap().limit_bytes, 64 << 20);
	let many = Query::dense(vec![G1Affine::generator(); 1 << 20]);
	let refused = limited.load_g1(many).map(|_| ()).unwrap_err();
	assert!(refused.is_about_size(), "{refused}");
	assert_eq!(check(&limited), Ok(()));
}

#[test]
fn a_device_lost_in_the_middle_of_a_proof_is_lost_for_good() {
	let device = Device::new();
	let backend = device.open();
	let prover = prover(backend.clone()).unwrap();
	prove(&prover).unwrap();
	for call in 1..6 {
		let backend = device.open();
		let prover = self::prover(backend.clone()).unwrap();
		device.plan(&format!("lost={call}"));
		for _ in 0..2 {
			match prove(&prover) {
				Err(ProveError::Backend(error)) => assert!(error.is_final(), "{error}"),
				other => panic!("call {call}: {:?}", other.map(|_| ())),
			}
		}
		assert!(backend.load_scalars(&[Fr::from(1u64)]).is_err());
		// Handles are freed whatever the device's state.
		drop((prover, backend));
		device.plan("");
	}
}

#[test]
fn wrong_proofs_never_leave() {
	let device = Device::new();
	let prover = prover(device.open()).unwrap();
	device.plan("wrong=1");
	assert!(matches!(prove(&prover), Err(ProveError::SelfCheck)));
}
