//! `opensand-zk inspect`.

use super::verify::read_key;
use crate::{
	error::CliError,
	files,
	model_folder::{Hash, Manifest, ModelFolder},
	onnx,
	output::Output,
};
use clap::Args;
use opensand_nn::{Architecture, Shape, Weights};
use opensand_zk_prover::Bundle;
use opensand_zk_verifier::{InputVisibility, KeyOrigin, Native, Proof, PROOF_LEN};
use serde::Serialize;
use std::{
	fmt::{self, Display, Formatter},
	path::{Path, PathBuf},
};

/// Say what a file or folder is and what is in it.
#[derive(Debug, Args)]
pub struct Inspect {
	/// A model folder, a bundle, an architecture (.bin), weights (.bin), an ONNX file (.onnx), a verifying key (.key) or a proof.
	pub path: PathBuf,
}

impl Inspect {
	/// Runs the command.
	pub fn run(self, output: Output) -> Result<(), CliError> {
		let report = if self.path.is_dir() {
			inspect_folder(&self.path)?
		} else {
			inspect_file(&self.path)?
		};
		output.report(&report);
		Ok(())
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
		layers: Vec<LayerSummary>,
	},
	VerifyingKey {
		id: Hash,
		development: bool,
		public_inputs: usize,
	},
	Proof {
		hash: Hash,
	},
	Bundle {
		key: Hash,
		development: bool,
		hashed_input: bool,
		public_inputs: usize,
		layers: Vec<LayerSummary>,
	},
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

fn inspect_folder(path: &Path) -> Result<Contents, CliError> {
	if path.join(opensand_zk_prover::MANIFEST_FILE).is_file() {
		let bundle = Bundle::read(path)?;
		let key = bundle.proving_key.verifying_key();
		return Ok(Contents::Bundle {
			key: Hash(key.id()),
			development: key.origin() == KeyOrigin::Development,
			hashed_input: bundle.visibility == InputVisibility::Hashed,
			public_inputs: key.public_input_count(),
			layers: summaries(bundle.model.architecture()),
		});
	}
	let folder = ModelFolder::read(path)?;
	Ok(Contents::Model {
		layers: summaries(folder.model.architecture()),
		manifest: folder.manifest,
	})
}

fn inspect_file(path: &Path) -> Result<Contents, CliError> {
	let bytes = files::read(path, onnx::MAX_ONNX_BYTES)?;
	let model_error = |source| CliError::Model {
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
		_ if path.extension().is_some_and(|extension| extension == "onnx") => {
			let float = onnx::read(&bytes).map_err(|source| CliError::Onnx {
				path: path.into(),
				source,
			})?;
			let layers = float
				.layers
				.iter()
				.zip(float.shapes.iter().skip(1))
				.map(|(layer, shape)| {
					let operator = layer.operator.skeleton();
					let relu = if layer.relu { " + Relu" } else { "" };
					summary(
						format!("{}{relu} ({})", operator.name(), layer.name),
						layer.input,
						*shape,
					)
				});
			Ok(Contents::Onnx {
				hash: Hash::of(&bytes),
				layers: layers.collect(),
			})
		}
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
				public_inputs: key.public_input_count(),
			})
		}
		_ => Err(CliError::Unrecognised { path: path.into() }),
	}
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
				public_inputs,
			} => {
				writeln!(formatter, "verifying key {id}{}", origin(*development))?;
				writeln!(formatter, "{public_inputs} public inputs")
			}
			Contents::Proof { hash } => writeln!(formatter, "proof {hash}, well-formed"),
			Contents::Bundle {
				key,
				development,
				hashed_input,
				public_inputs,
				layers,
			} => {
				writeln!(formatter, "bundle of key {key}{}", origin(*development))?;
				let input = if *hashed_input { "hashed" } else { "public" };
				writeln!(formatter, "input {input}, {public_inputs} public inputs")?;
				write_layers(formatter, layers)
			}
			Contents::Onnx { hash, layers } => {
				writeln!(formatter, "ONNX model {hash}, importable")?;
				write_layers(formatter, layers)
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
