//! Images with or without labels, one row an image.

use crate::npy::{Array, NpyError};
use thiserror::Error;

/// Why arrays are not a data set for a model.
#[derive(Debug, Error)]
pub enum DatasetError {
	/// There is no image.
	#[error("the array of images is empty; give at least one image")]
	Empty,
	/// An image has another number of elements than the model's input.
	#[error("an image has {found} elements (array of shape {shape:?}), the model takes {expected}; give one image a row")]
	WrongImageSize {
		/// Elements of an image.
		found: usize,
		/// Elements of the model's input.
		expected: usize,
		/// Shape of the array.
		shape: Vec<usize>,
	},
	/// There is not one label an image.
	#[error("{labels} labels for {images} images; give one label an image, in the same order")]
	WrongLabelCount {
		/// Labels.
		labels: usize,
		/// Images.
		images: usize,
	},
	/// A label cannot be used.
	#[error(transparent)]
	Label(#[from] NpyError),
}

/// Images of one size, and their classes if they are known.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
	image_len: usize,
	images: Vec<f32>,
	labels: Option<Vec<u16>>,
}

impl Dataset {
	/// Takes an array whose first dimension counts images of `image_len` elements, and one label an image.
	pub fn new(images: &Array, labels: Option<&Array>, image_len: usize) -> Result<Self, DatasetError> {
		let count = images.shape.first().copied().unwrap_or(0);
		if count == 0 || images.values.is_empty() {
			return Err(DatasetError::Empty);
		}
		let found = images.values.len() / count;
		if found != image_len {
			return Err(DatasetError::WrongImageSize {
				found,
				expected: image_len,
				shape: images.shape.clone(),
			});
		}
		let labels = labels.map(Array::labels).transpose()?;
		if let Some(labels) = labels.as_ref().filter(|labels| labels.len() != count) {
			return Err(DatasetError::WrongLabelCount {
				labels: labels.len(),
				images: count,
			});
		}
		let images = images.values.iter().map(|value| *value as f32).collect();
		Ok(Self {
			image_len,
			images,
			labels,
		})
	}

	/// How many images there are.
	pub fn len(&self) -> usize {
		self.images.len() / self.image_len
	}

	/// Whether there is no image; never true of a constructed data set.
	pub fn is_empty(&self) -> bool {
		self.images.is_empty()
	}

	/// Image `index`, if there is one.
	pub fn image(&self, index: usize) -> Option<&[f32]> {
		self.images.chunks_exact(self.image_len).nth(index)
	}

	/// All images.
	pub fn images(&self) -> Vec<&[f32]> {
		self.images.chunks_exact(self.image_len).collect()
	}

	/// The class of every image.
	pub fn labels(&self) -> Option<&[u16]> {
		self.labels.as_deref()
	}
}
