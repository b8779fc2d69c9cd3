//! Images from files, as commands take them.

use crate::{
	calibrate::quantise_all,
	dataset::Dataset,
	error::CliError,
	files,
	model_folder::Manifest,
	npy::{self, Array, MAX_NPY_BYTES},
};
use clap::Args;
use std::path::{Path, PathBuf};

/// One image of a file of images.
#[derive(Debug, Args)]
pub struct Image {
	/// Images as a float array of NumPy (.npy), one a row, scaled as the model was trained.
	#[arg(long, value_name = "NPY")]
	pub images: PathBuf,
	/// Which image, counted from 0.
	#[arg(long, default_value_t = 0)]
	pub index: usize,
}

impl Image {
	/// The image, quantised with the input scale of `manifest` for a model that takes `input_len` elements.
	pub fn read(&self, manifest: &Manifest, input_len: usize) -> Result<Vec<i8>, CliError> {
		let data = dataset(&self.images, None, input_len)?;
		let image = data.image(self.index).ok_or_else(|| CliError::NoSuchImage {
			path: self.images.clone(),
			images: data.len(),
			last: data.len().saturating_sub(1),
			index: self.index,
		})?;
		Ok(quantise_all(image, manifest.input_scale))
	}
}

/// Images of `input_len` elements and, if `labels` is given, their labels.
pub fn dataset(images: &Path, labels: Option<&Path>, input_len: usize) -> Result<Dataset, CliError> {
	let labels = labels.map(array).transpose()?;
	Dataset::new(&array(images)?, labels.as_ref(), input_len).map_err(|source| CliError::Dataset {
		path: images.into(),
		source,
	})
}

fn array(path: &Path) -> Result<Array, CliError> {
	let bytes = files::read(path, MAX_NPY_BYTES)?;
	npy::read(&bytes).map_err(|source| CliError::Npy {
		path: path.into(),
		source,
	})
}
