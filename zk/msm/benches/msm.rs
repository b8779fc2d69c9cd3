//! Time of this crate's multiplications and of `ark-ec`'s, on the same points and scalars in the same run.
//!
//! `cargo bench -p opensand-zk-msm` prints one JSON object. Wall-clock times are medians over alternating runs;
//! processor times are those of all threads, and hold on a machine that does other work besides. The largest length is
//! 2^18, or 2^n with `-- --log2 n`.

use ark_bls12_381::{g1, g2, Fr};
use ark_ec::{
	short_weierstrass::{Affine, Projective},
	AffineRepr, VariableBaseMSM,
};
use ark_ff::UniformRand;
use opensand_zk_msm::{multiply, Bases, Curve, FixedBase, Scalars};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use rustix::time::{clock_gettime, ClockId};
use serde_json::{json, Map, Value};
use std::time::Instant;

const KINDS: [&str; 4] = ["bit", "byte", "16 bits", "full width"];

fn main() {
	let arguments: Vec<String> = std::env::args().collect();
	let log2 = arguments
		.iter()
		.position(|argument| argument == "--log2")
		.and_then(|position| arguments.get(position + 1)?.parse().ok())
		.unwrap_or(18);
	let mut report = Map::new();
	report.insert("threads".into(), rayon::current_num_threads().into());
	report.insert("g1".into(), group::<g1::Config>(log2));
	report.insert("g2".into(), group::<g2::Config>(log2));
	println!(
		"{}",
		serde_json::to_string_pretty(&report).expect("a map of numbers is JSON")
	);
}

fn group<P: Curve>(largest: usize) -> Value
where
	Projective<P>: VariableBaseMSM<MulBase = Affine<P>, ScalarField = Fr>,
{
	let mut rng = ChaCha20Rng::seed_from_u64(1);
	let multiples: Vec<Fr> = (0..1 << largest).map(|_| Fr::rand(&mut rng)).collect();
	let start = Instant::now();
	let points = FixedBase::new(Affine::<P>::generator(), multiples.len()).multiply(&multiples);
	let mut report = Map::new();
	report.insert(
		format!("2^{largest} multiples of one point, ms"),
		(start.elapsed().as_secs_f64() * 1e3).into(),
	);
	for kind in KINDS {
		for log2 in (10..=largest).step_by(2) {
			let points = &points[..1 << log2];
			let bases = Bases::new(points.to_vec()).expect("these are not too many");
			let scalars: Vec<Fr> = points.iter().map(|_| scalar(kind, &mut rng)).collect();
			let mut runs = Vec::new();
			for _ in 0..if log2 < 16 { 11 } else { 5 } {
				let (expected, arkworks) = measure(|| Projective::<P>::msm(points, &scalars).ok());
				let (sum, ours) = measure(|| multiply(&bases, &Scalars::new(&scalars)));
				assert_eq!(Some(sum), expected);
				runs.push([arkworks.0, ours.0, arkworks.1, ours.1]);
			}
			let [arkworks, ours, arkworks_cpu, ours_cpu] =
				[0, 1, 2, 3].map(|figure| median(runs.iter().map(|run| run[figure]).collect()));
			report.insert(
				format!("{kind}, 2^{log2}"),
				json!({
					"ark_ms": arkworks,
					"ms": ours,
					"times_faster": arkworks / ours,
					"ark_cpu_ms": arkworks_cpu,
					"cpu_ms": ours_cpu,
					"times_less_cpu": arkworks_cpu / ours_cpu,
				}),
			);
		}
	}
	Value::Object(report)
}

fn scalar(kind: &str, rng: &mut ChaCha20Rng) -> Fr {
	match kind {
		"bit" => Fr::from(rng.gen::<bool>()),
		"byte" => Fr::from(rng.gen::<i8>()),
		"16 bits" => Fr::from(rng.gen::<i16>()),
		_ => Fr::rand(rng),
	}
}

/// The result, with wall-clock and processor time in milliseconds.
fn measure<T>(work: impl FnOnce() -> T) -> (T, (f64, f64)) {
	let processor = || {
		let time = clock_gettime(ClockId::ProcessCPUTime);
		time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
	};
	let (wall_start, processor_start) = (Instant::now(), processor());
	let result = work();
	let processor = processor() - processor_start;
	(result, (wall_start.elapsed().as_secs_f64() * 1e3, processor))
}

fn median(mut values: Vec<f64>) -> f64 {
	values.sort_by(f64::total_cmp);
	values[values.len() / 2]
}
