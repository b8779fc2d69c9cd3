//! `opensand-zk inspect`.

use super::{
	calibration::read_onnx,
	ceremony::report::{write_transcript, PowersReport},
	circuit::{Visibility, WeightsOption},
	input::dataset,
	verify::read_key,
};
use crate::{
	calibrate::{calibrate, Method},
	circuit_report::CircuitReport,
	dataset::{Dataset, DatasetError},
	error::CliError,
	files,
	model_folder::{Hash, Manifest, ModelFolder},
	npy::Array,
	onnx,
	output::Output,
};
use clap::Args;
use opensand_nn::{Architecture, Shape, Weights};
use opensand_zk_ceremony::{Ceremony, Powers};
use opensand_zk_prover::{Bundle, FamilyFolder};
use opensand_zk_verifier::{InputVisibility, KeyOrigin, Native, Proof, VerifyingKey, PROOF_LEN};
use serde::Serialize;
use std::{
	collections::BTreeMap,
	fmt::{self, Display, Formatter},
	path::{Path, PathBuf},
	sync::Arc,
};

/// Say what a file or folder is and what is in it.
///
/// For an ONNX file: its operators, parameters and multiply-additions, and how large circuit and key will be and what proving
/// will take. Those depend on the scales; without --calibration they are estimated on random images.
#[derive(Debug, Args)]
pub struct Inspect {
	/// A model folder, a bundle, a key family, an architecture (.bin), weights (.bin), an ONNX file (.onnx), a verifying key (.key), a
	/// proof, or powers of tau or a ceremony.
	pub path: PathBuf,
	/// Images to choose the scales of an ONNX file on.
	#[arg(long, value_name = "NPY")]
	pub calibration: Option<PathBuf>,
	/// Whether the statement shows the input of an ONNX file or its salted hash.
	#[arg(long, value_enum, default_value = "public")]
	pub input_visibility: Visibility,
	/// Whether the weights of an ONNX file are to be constants of the circuit or committed to.
	#[arg(long, value_enum, default_value = "constant")]
	pub weights: WeightsOption,
}

impl Inspect {
	/// Runs the command.
	pub fn run(self, output: Output) -> Result<(), CliError> {
		let report = if self.path.is_dir() {
			inspect_folder(&self.path)?
		} else {
			self.inspect_file(output)?
		};
		output.report(&report);
		Ok(())
	}

	fn inspect_file(&self, output: Output) -> Result<Contents, CliError> {
		let path = self.path.as_path();
		let bytes = files::read(path, onnx::MAX_ONNX_BYTES)?;
		let model_error = |source| CliError::Model {
			path: path.into(),
			source,
		};
		let ceremony_error = |source| CliError::CeremonyFile {
			path: path.into(),
			source,
		};
		match bytes.first_chunk() {
			Some(b"OSNA") => {
				let architecture = Architecture::from_bytes(&bytes).map_err(model_error)?;
				Ok(Contents::Architecture {
					id: Hash(architecture.id()),
					layers: summaries(&architecture),
					multiply_adds: architecture.multiply_adds(),
					weight_bytes: architecture.weight_bytes(),
				})
			}
			Some(b"OSNW") => {
				let weights = Weights::from_bytes(&bytes).map_err(model_error)?;
				let summary = |layer: &opensand_nn::LayerWeights| WeightsSummary {
					weights: layer.weights.len(),
					biases: layer.biases.len(),
				};
				Ok(Contents::Weights {
					hash: Hash(weights.hash()),
					layers: weights.layers().iter().map(summary).collect(),
				})
			}
			Some(b"OSPT") => {
				let (powers, digest) = Powers::from_bytes(&bytes).map_err(ceremony_error)?;
				Ok(Contents::Powers(PowersReport::new(path.into(), &powers, digest)))
			}
			Some(b"OSCE") => {
				let ceremony = Ceremony::from_bytes(&bytes).map_err(ceremony_error)?;
				Ok(Contents::Ceremony {
					powers: Hash(ceremony.powers()),
					circuits: ceremony.circuits().map(Hash).collect(),
					closed: ceremony.is_closed(),
					transcript: ceremony.transcript().into_iter().map(Hash).collect(),
				})
			}
			_ if path.extension().is_some_and(|extension| extension == "onnx") => self.inspect_onnx(output),
			_ if bytes.len() == PROOF_LEN => {
				let decoded = Proof::from_bytes_with::<Native>(&bytes);
				decoded.map_err(|problem| CliError::Proof {
					path: path.into(),
					problem,
				})?;
				Ok(Contents::Proof {
					hash: Hash::of(&bytes),
				})
			}
			_ if path.extension().is_some_and(|extension| extension == "key") => {
				let key = read_key(path)?;
				Ok(Contents::VerifyingKey {
					id: Hash(key.id()),
					development: key.origin() == KeyOrigin::Development,
					words: key.shape().words(),
					weights: KeyWeights::of(&key),
				})
			}
			_ => Err(CliError::Unrecognised { path: path.into() }),
		}
	}

	fn inspect_onnx(&self, output: Output) -> Result<Contents, CliError> {
		let (hash, float) = read_onnx(&self.path)?;
		let len = float.input().elements() as usize;
		let images = match &self.calibration {
			Some(path) => dataset(path, None, len)?,
			None => random_images(len).map_err(|source| CliError::Dataset {
				path: self.path.clone(),
				source,
			})?,
		};
		let method = Method::default();
		let bar = output.bar("calibrating", method.passes() * images.len() as u64);
		let model = calibrate(&float, &images, method, &|| bar.inc(1))?.model;
		bar.finish_and_clear();
		let spinner = output.spinner("compiling");
		let weights = self.weights.mode(&model);
		let circuit = CircuitReport::of(Arc::new(model), self.input_visibility.into(), weights);
		spinner.finish_and_clear();
		let (circuit, circuit_problem) = match circuit {
			Ok(circuit) => (Some(circuit), None),
			Err(error) => (None, Some(error.to_string())),
		};
		let mut operators = BTreeMap::new();
		let layers = float.layers.iter().zip(float.shapes.iter().skip(1));
		let layers = layers.map(|(layer, shape)| {
			let operator = layer.operator.skeleton().name();
			*operators.entry(operator).or_default() += 1;
			let relu = if layer.relu { " + Relu" } else { "" };
			summary(format!("{operator}{relu} ({})", layer.name), layer.input, *shape)
		});
		Ok(Contents::Onnx {
			hash,
			layers: layers.collect(),
			operators,
			parameters: float.parameters(),
			multiply_adds: float.multiply_adds,
			estimated: self.calibration.is_none(),
			circuit,
			circuit_problem,
		})
	}
}

/// What something is.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum Contents {
	Model {
		manifest: Manifest,
		layers: Vec<LayerSummary>,
	},
	Architecture {
		id: Hash,
		layers: Vec<LayerSummary>,
		multiply_adds: u64,
		weight_bytes: u64,
	},
	Weights {
		hash: Hash,
		layers: Vec<WeightsSummary>,
	},
	Onnx {
		hash: Hash,
		/// How often each operator occurs.
		operators: BTreeMap<&'static str, usize>,
		/// Weights and biases.
		parameters: usize,
		multiply_adds: u64,
		layers: Vec<LayerSummary>,
		/// Whether the scales that the circuit rests on were chosen on random images.
		estimated: bool,
		circuit: Option<CircuitReport>,
		/// Why there is no circuit: the model can be run, not proven.
		circuit_problem: Option<String>,
	},
	VerifyingKey {
		id: Hash,
		development: bool,
		words: usize,
		weights: KeyWeights,
	},
	KeyFamily {
		registration_key: Hash,
		inference_key: Hash,
		development: bool,
		hashed_input: bool,
		/// Words that weights are packed into, with the mask.
		weight_words: usize,
		/// Length of the FFTs of an inference.
		domain: usize,
		/// Length of the FFTs of a registration.
		registration_domain: usize,
		layers: Vec<LayerSummary>,
	},
	Proof {
		hash: Hash,
	},
	Powers(PowersReport),
	Ceremony {
		/// Digest of the powers that it began with.
		powers: Hash,
		/// Digests of the circuits.
		circuits: Vec<Hash>,
		closed: bool,
		transcript: Vec<Hash>,
	},
	Bundle {
		key: Hash,
		development: bool,
		hashed_input: bool,
		words: usize,
		weights: KeyWeights,
		layers: Vec<LayerSummary>,
	},
}

/// What a key has to do with weights.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
enum KeyWeights {
	/// They are constants of its circuit.
	Constant,
	/// Its proofs are about committed ones.
	Committed,
	/// Its proofs register commitments to them.
	Registration,
}

impl KeyWeights {
	fn of(key: &VerifyingKey) -> Self {
		match (key.is_registration(), key.has_weights()) {
			(true, _) => Self::Registration,
			(false, true) => Self::Committed,
			(false, false) => Self::Constant,
		}
	}
}

impl Display for KeyWeights {
	fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
		formatter.write_str(match self {
			Self::Constant => "weights are constants",
			Self::Committed => "weights are committed to",
			Self::Registration => "registers commitments to weights",
		})
	}
}

/// One layer.
#[derive(Serialize)]
struct LayerSummary {
	operator: String,
	input: u16,
	output_shape: [u32; 3],
}

/// The weights of one layer.
#[derive(Serialize)]
struct WeightsSummary {
	weights: usize,
	biases: usize,
}

/// Images that are the same on every run, with values from 0 to 1.
fn random_images(len: usize) -> Result<Dataset, DatasetError> {
	const IMAGES: usize = 4;
	// Multiplication by an odd number of 64 bits spreads the bits of a counter into the upper ones.
	let values = (1..=IMAGES * len).map(|index| {
		let spread = (index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
		(spread >> 40) as f64 / f64::from(1 << 24)
	});
	let images = Array {
		shape: vec![IMAGES, len],
		values: values.collect(),
	};
	Dataset::new(&images, None, len)
}

fn inspect_folder(path: &Path) -> Result<Contents, CliError> {
	if path.join(opensand_zk_prover::MANIFEST_FILE).is_file() {
		let bundle = Bundle::read(path)?;
		let key = bundle.proving_key.verifying_key();
		return Ok(Contents::Bundle {
			key: Hash(key.id()),
			development: key.origin() == KeyOrigin::Development,
			hashed_input: bundle.visibility == InputVisibility::Hashed,
			words: key.shape().words(),
			weights: KeyWeights::of(key),
			layers: summaries(bundle.model.architecture()),
		});
	}
	if path.join(opensand_zk_prover::FAMILY_FILE).is_file() {
		let family = FamilyFolder::read(path)?;
		let [registration, inference] = [&family.keys.registration, &family.keys.inference];
		return Ok(Contents::KeyFamily {
			registration_key: Hash(registration.verifying_key().id()),
			inference_key: Hash(inference.verifying_key().id()),
			development: inference.verifying_key().origin() == KeyOrigin::Development,
			hashed_input: family.visibility == InputVisibility::Hashed,
			weight_words: inference.points().segments.weights,
			domain: inference.points().domain,
			registration_domain: registration.points().domain,
			layers: summaries(&family.architecture),
		});
	}
	let folder = ModelFolder::read(path)?;
	Ok(Contents::Model {
		layers: summaries(folder.model.architecture()),
		manifest: folder.manifest,
	})
}

fn summaries(architecture: &Architecture) -> Vec<LayerSummary> {
	let layers = architecture
		.layers()
		.iter()
		.zip(architecture.shapes().iter().skip(1));
	layers
		.map(|(layer, shape)| summary(layer.operator.name().into(), layer.input, *shape))
		.collect()
}

fn summary(operator: String, input: u16, shape: Shape) -> LayerSummary {
	LayerSummary {
		operator,
		input,
		output_shape: [shape.channels, shape.height, shape.width],
	}
}

impl Display for Contents {
	fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
		match self {
			Contents::Model { manifest, layers } => {
				writeln!(formatter, "model")?;
				writeln!(formatter, "architecture  {}", manifest.architecture)?;
				writeln!(formatter, "weights       {}", manifest.weights)?;
				writeln!(formatter, "from ONNX     {}", manifest.onnx)?;
				writeln!(formatter, "input scale   {}", manifest.input_scale)?;
				writeln!(formatter, "output scale  {}", manifest.output_scale)?;
				writeln!(formatter, "calibration   {}", manifest.calibration)?;
				if let Some(accuracy) = &manifest.held_out {
					writeln!(formatter, "held out      {accuracy}")?;
				}
				write_layers(formatter, layers)
			}
			Contents::Architecture {
				id,
				layers,
				multiply_adds,
				weight_bytes,
			} => {
				writeln!(formatter, "architecture {id}")?;
				writeln!(
					formatter,
					"{multiply_adds} multiply-additions, {weight_bytes} bytes of weights"
				)?;
				write_layers(formatter, layers)
			}
			Contents::Weights { hash, layers } => {
				writeln!(formatter, "weights {hash}")?;
				for (index, layer) in layers.iter().enumerate() {
					writeln!(
						formatter,
						"{index:>4}  {} weights, {} biases",
						layer.weights, layer.biases
					)?;
				}
				Ok(())
			}
			Contents::VerifyingKey {
				id,
				development,
				words,
				weights,
			} => {
				writeln!(formatter, "verifying key {id}{}", origin(*development))?;
				writeln!(formatter, "statements of {words} words, {weights}")
			}
			Contents::KeyFamily {
				registration_key,
				inference_key,
				development,
				hashed_input,
				weight_words,
				domain,
				registration_domain,
				layers,
			} => {
				writeln!(formatter, "key family{}", origin(*development))?;
				writeln!(formatter, "registration key {registration_key}")?;
				writeln!(formatter, "inference key    {inference_key}")?;
				let input = if *hashed_input { "hashed" } else { "public" };
				writeln!(
					formatter,
					"input {input}, weights in {weight_words} words, domains 2^{} to prove and 2^{} to register",
					domain.ilog2(),
					registration_domain.ilog2()
				)?;
				write_layers(formatter, layers)
			}
			Contents::Proof { hash } => writeln!(formatter, "proof {hash}, well-formed"),
			Contents::Powers(powers) => {
				write!(
					formatter,
					"powers of tau, well-formed; verify-powers checks the rest\n{powers}"
				)
			}
			Contents::Ceremony {
				powers,
				circuits,
				closed,
				transcript,
			} => {
				let state = if *closed { "closed by a beacon" } else { "open" };
				writeln!(
					formatter,
					"ceremony, {state}, well-formed; ceremony verify checks the rest"
				)?;
				writeln!(formatter, "powers      {powers}")?;
				for circuit in circuits {
					writeln!(formatter, "circuit     {circuit}")?;
				}
				write_transcript(formatter, transcript)
			}
			Contents::Bundle {
				key,
				development,
				hashed_input,
				words,
				weights,
				layers,
			} => {
				writeln!(formatter, "bundle of key {key}{}", origin(*development))?;
				let input = if *hashed_input { "hashed" } else { "public" };
				writeln!(formatter, "input {input}, statements of {words} words, {weights}")?;
				write_layers(formatter, layers)
			}
			Contents::Onnx {
				hash,
				operators,
				parameters,
				multiply_adds,
				layers,
				estimated,
				circuit,
				circuit_problem,
			} => {
				writeln!(formatter, "ONNX model {hash}, importable")?;
				let counts = operators.iter().map(|(name, count)| format!("{count} {name}"));
				writeln!(
					formatter,
					"operators          {}",
					counts.collect::<Vec<_>>().join(", ")
				)?;
				writeln!(formatter, "parameters         {parameters}")?;
				writeln!(formatter, "multiply-adds      {multiply_adds}")?;
				write_layers(formatter, layers)?;
				if *estimated {
					writeln!(
						formatter,
						"Scales chosen on random images; give --calibration for the exact circuit."
					)?;
				}
				match (circuit, circuit_problem) {
					(Some(circuit), _) => write!(formatter, "{circuit}"),
					(None, problem) => writeln!(
						formatter,
						"cannot be proven   {}",
						problem.as_deref().unwrap_or_default()
					),
				}
			}
		}
	}
}

/// A warning after a key's id.
const fn origin(development: bool) -> &'static str {
	if development {
		" (DEVELOPMENT: only development chains accept it)"
	} else {
		""
	}
}

fn write_layers(formatter: &mut Formatter<'_>, layers: &[LayerSummary]) -> fmt::Result {
	for (
		index,
		LayerSummary {
			operator,
			input,
			output_shape: [channels, height, width],
		},
	) in layers.iter().enumerate()
	{
		let source = match input.checked_sub(1) {
			None => "the input".to_string(),
			Some(layer) => format!("layer {layer}"),
		};
		writeln!(
			formatter,
			"{index:>4}  {operator} of {source} -> {channels} x {height} x {width}"
		)?;
	}
	Ok(())
}
