//! Which pallets can be benchmarked: those of the project, and System to compare the machine with the reference.
//! The other upstream pallets keep the weights that they ship with.

frame_benchmarking::define_benchmarks!(
	[frame_system, SystemBench::<Runtime>]
	[pallet_dsm, Dsm]
	[pallet_inference, Inference]
	[pallet_models, Models]
);

impl frame_system_benchmarking::Config for crate::Runtime {}
