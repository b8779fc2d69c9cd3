//! The models that are measured, and what is wanted of them.

use std::{
	fs,
	path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use opensand_nn::{Architecture, Model, Weights};

use crate::shapes;

/// Where a model comes from.
enum Source {
	/// A folder of `zk/models`.
	Folder,
	/// A shape with random weights.
	Shape(fn() -> Result<Model>),
}

/// A model and its goals.
pub struct Case {
	/// Its name on the command line, and its folder's.
	pub name: &'static str,
	/// What it is.
	pub title: &'static str,
	/// Seconds that a proof may take, self-verification included; none where no goal is set.
	pub prove_seconds: Option<f64>,
	/// As [`prove_seconds`](Self::prove_seconds), with committed weights; none where that is not measured.
	pub committed_seconds: Option<f64>,
	/// How many times EZKL's time for the same ONNX file a proof takes less; none where EZKL is not run.
	pub times_ezkl: Option<f64>,
	source: Source,
}

/// All models, small ones first.
pub const CASES: [Case; 7] = [
	Case {
		name: "digits",
		title: "digits MLP 64-64-10",
		prove_seconds: Some(0.02),
		committed_seconds: None,
		times_ezkl: Some(1.0),
		source: Source::Folder,
	},
	Case {
		name: "lenet5",
		title: "LeNet-5, 28×28, 61,706 parameters",
		prove_seconds: Some(0.25),
		committed_seconds: Some(0.8),
		times_ezkl: Some(400.0),
		source: Source::Folder,
	},
	Case {
		name: "residual",
		title: "residual network, 3×32×32, 78,042 parameters",
		prove_seconds: None,
		committed_seconds: None,
		times_ezkl: None,
		source: Source::Folder,
	},
	Case {
		name: "transformer",
		title: "transformer encoder, 2 layers, width 64, 16 tokens",
		prove_seconds: Some(1.2),
		committed_seconds: None,
		times_ezkl: None,
		source: Source::Folder,
	},
	Case {
		name: "cnn",
		title: "LeNet-like CNN, 3×32×32, 273,450 weights (random)",
		prove_seconds: Some(0.7),
		committed_seconds: None,
		times_ezkl: None,
		source: Source::Shape(shapes::cnn),
	},
	Case {
		name: "dense",
		title: "dense 1024-1568-1536-10, 4.03 M parameters (random)",
		prove_seconds: Some(0.5),
		committed_seconds: Some(4.0),
		times_ezkl: None,
		source: Source::Shape(shapes::dense),
	},
	Case {
		name: "resnet20",
		title: "ResNet-20's shape, 3×32×32 (random weights)",
		prove_seconds: Some(6.5),
		committed_seconds: None,
		times_ezkl: None,
		source: Source::Shape(shapes::resnet20),
	},
];

impl Case {
	/// The case of this name.
	pub fn named(name: &str) -> Result<&'static Case> {
		let mut cases = CASES.iter();
		cases
			.find(|case| case.name == name)
			.with_context(|| format!("no model is named {name}"))
	}

	/// The folder of the model, where it has one.
	pub fn folder(&self) -> PathBuf {
		Path::new("zk/models").join(self.name)
	}

	/// The model.
	pub fn model(&self) -> Result<Model> {
		let read = |file: &str| {
			let path = self.folder().join(file);
			fs::read(&path).with_context(|| path.display().to_string())
		};
		match self.source {
			Source::Folder => Ok(Model::new(
				Architecture::from_bytes(&read("architecture.bin")?)?,
				Weights::from_bytes(&read("weights.bin")?)?,
			)?),
			Source::Shape(build) => build(),
		}
	}

	/// An input: every pixel between 0 and 126, without a pattern.
	pub fn input(model: &Model) -> Vec<i8> {
		(0..model.architecture().input_len())
			.map(|index| (index.wrapping_mul(2_654_435_761) >> 25) as i8)
			.map(|value| value.max(0))
			.collect()
	}
}
