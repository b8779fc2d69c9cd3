//! The handwritten-digits model: from ONNX to an artifact bundle by the commands that a user would type, and the held-out
//! images to ask it about.

use std::{
	fs,
	path::{Path, PathBuf},
	process::Command,
};

use anyhow::{ensure, Context, Result};
use opensand_zk_cli::{
	calibrate::quantise_all,
	dataset::Dataset,
	model_folder::{Manifest, ModelFolder},
	npy,
};

use crate::{inference::Bundle, node::binary};

/// The model with its held-out images.
pub struct Digits {
	folder: PathBuf,
	manifest: Manifest,
	images: Dataset,
}

/// Where the repository keeps the model.
fn source() -> PathBuf {
	Path::new(env!("CARGO_MANIFEST_DIR")).join("../zk/models/digits")
}

impl Digits {
	/// Imports and calibrates the model into `folder`, with the held-out images of the repository.
	///
	/// # Errors
	/// When `opensand-zk` is not built or does not take the model.
	pub fn import(folder: &Path) -> Result<Self> {
		Self::import_with(folder, &Self::held_out_images())
	}

	/// Where the repository keeps the held-out images.
	pub fn held_out_images() -> PathBuf {
		source().join("heldout.images.npy")
	}

	/// Imports and calibrates the model into `folder`, with the held-out images in `images`.
	///
	/// # Errors
	/// When `opensand-zk` is not built or does not take the model.
	pub fn import_with(folder: &Path, images: &Path) -> Result<Self> {
		let source = source();
		let file = |name: &str| source.join(name).display().to_string();
		run(&[
			"import",
			&file("digits.onnx"),
			"--calibration",
			&file("calibration.images.npy"),
			"--calibration-labels",
			&file("calibration.labels.npy"),
			"--held-out",
			&images.display().to_string(),
			"--held-out-labels",
			&file("heldout.labels.npy"),
			"--out",
			&folder.display().to_string(),
		])?;
		let ModelFolder { model, manifest } = ModelFolder::read(folder)?;
		let images = npy::read(&fs::read(images)?)?;
		let labels = npy::read(&fs::read(source.join("heldout.labels.npy"))?)?;
		let input_len = usize::try_from(model.architecture().input_len())?;
		let images = Dataset::new(&images, Some(&labels), input_len)?;
		Ok(Self {
			folder: folder.to_owned(),
			manifest,
			images,
		})
	}

	/// What is known of the model, its accuracy for one.
	pub fn manifest(&self) -> &Manifest {
		&self.manifest
	}

	/// Makes development keys and installs the bundle in `store`, where a node's prover looks for it.
	///
	/// # Errors
	/// When the set-up fails.
	pub fn set_up(&self, store: &Path) -> Result<Bundle> {
		self.set_up_for("public", store)
	}

	/// As [`set_up`](Self::set_up), for inputs of which the chain sees a hash only.
	///
	/// # Errors
	/// When the set-up fails.
	pub fn set_up_hidden(&self, store: &Path) -> Result<Bundle> {
		self.set_up_for("hashed", store)
	}

	fn set_up_for(&self, visibility: &str, store: &Path) -> Result<Bundle> {
		run(&[
			"setup",
			"--model",
			&self.folder.display().to_string(),
			"--input-visibility",
			visibility,
			"--bundles",
			&store.display().to_string(),
		])?;
		let bundle = fs::read_dir(store)?.next().context("setup writes a bundle")??;
		Bundle::read(&bundle.path())
	}

	/// Held-out image `index` as the model takes it.
	///
	/// # Errors
	/// When there is no such image.
	pub fn input(&self, index: usize) -> Result<Vec<i8>> {
		Ok(quantise_all(self.image(index)?, self.manifest.input_scale))
	}

	/// The pixels of held-out image `index`, row by row, 0 to 1.
	///
	/// # Errors
	/// When there is no such image.
	pub fn image(&self, index: usize) -> Result<&[f32]> {
		self.images
			.image(index)
			.with_context(|| format!("held-out image {index}"))
	}

	/// The digit that held-out image `index` shows.
	///
	/// # Errors
	/// When there is no such image.
	pub fn label(&self, index: usize) -> Result<u16> {
		self.images
			.labels()
			.and_then(|labels| labels.get(index))
			.copied()
			.with_context(|| format!("label of held-out image {index}"))
	}
}

/// Runs `opensand-zk`.
fn run(arguments: &[&str]) -> Result<()> {
	let output = Command::new(binary("opensand-zk")?)
		.args(arguments)
		.output()
		.with_context(|| format!("opensand-zk {}", arguments.join(" ")))?;
	ensure!(
		output.status.success(),
		"opensand-zk {}: {}",
		arguments.join(" "),
		String::from_utf8_lossy(&output.stderr)
	);
	Ok(())
}
