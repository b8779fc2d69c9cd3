//! Transposes between layers: how to see behind them, how they cancel, and what is left over then.

use super::{
	attention::{FIRST_LAST, LAST_FIRST},
	error::OnnxError,
	lower::{Builder, Tensor, Value},
	proto::NodeProto,
};
use crate::float::{FloatLayer, FloatOperator, Parameters};
use opensand_nn::TensorIndex;

impl<'a> Builder<'a> {
	/// As [`sole_producer`](Self::sole_producer), or the layer before it where that is a Transpose of its own: for what is done to each
	/// element alike.
	pub fn sole_maker(&mut self, node: &NodeProto, position: usize) -> Option<&mut FloatLayer> {
		let layer = self.sole_producer(node, position)?;
		let (moves, from) = (matches!(layer.operator, FloatOperator::Transpose(_)), layer.input);
		if !moves {
			return self.sole_producer(node, position);
		}
		let reads = |layer: &&FloatLayer| layer.input == from || layer.operator.others().contains(&from);
		let alone = self.layers.iter().filter(reads).count() == 1;
		let named = self.values.values().any(|value| match value {
			Value::Tensor(tensor) | Value::Quantised(tensor, _) => tensor.index == from,
			Value::Constant(_) | Value::Floats(_) => false,
		});
		if !alone || named || self.quantisations[usize::from(from)].is_some() {
			return None;
		}
		let maker = usize::from(from).checked_sub(1)?;
		self.layers.get_mut(maker).filter(|layer| !layer.relu)
	}

	/// Weights and biases of the Linear over the last axis that makes input `position` of `node`, which nothing else reads.
	pub fn last_axis_parameters(&mut self, node: &NodeProto, position: usize) -> Option<&mut Parameters> {
		let behind = match &self.sole_producer(node, position)?.operator {
			FloatOperator::Transpose(order) => *order == FIRST_LAST,
			_ => false,
		};
		let maker = self.sole_maker(node, position).filter(|_| behind)?;
		maker.operator.parameters_mut()
	}

	/// Takes the Linear over the last axis of [1, tokens, features] away that makes input `position` of `node`, if nothing else reads it
	/// and it has at most `limit` weights: these, its biases, and the tensor that it read.
	pub fn take_last_axis(
		&mut self,
		node: &NodeProto,
		position: usize,
		limit: usize,
	) -> Option<(Parameters, Tensor)> {
		let tensor = self.reads_alone(node, position)?;
		let parameters = self.last_axis_parameters(node, position)?.clone();
		let [.., turned, _] = self.layers.as_slice() else {
			return None;
		};
		let before = self.layers.get(usize::from(turned.input).checked_sub(1)?)?;
		let is_last = usize::from(tensor.index) == self.layers.len() && tensor.rank == 3;
		let turns = before.operator == FloatOperator::Transpose(LAST_FIRST);
		if !is_last || !turns || parameters.weights.len() > limit {
			return None;
		}
		let index = before.input;
		let shape = *self.shapes.get(usize::from(index))?;
		for _ in 0..2 {
			self.layers.pop();
			self.shapes.pop();
			self.quantisations.pop();
		}
		Some((
			parameters,
			Tensor {
				index,
				shape,
				rank: 3,
			},
		))
	}

	/// Adds a layer that gives `input` the axes in another order, as [`FloatOperator::Transpose`]; where it undoes a Transpose or is there
	/// already, names what is there.
	pub fn transpose(
		&mut self,
		node: &'a NodeProto,
		input: Tensor,
		order: [u8; 3],
		rank: u8,
	) -> Result<(), OnnxError> {
		let same = |layer: &FloatLayer| {
			layer.input == input.index && layer.operator == FloatOperator::Transpose(order)
		};
		let plain = |index: usize| self.quantisations[index].is_none();
		let there = self.layers.iter().position(same).map(|layer| layer + 1);
		let producer = usize::from(input.index)
			.checked_sub(1)
			.and_then(|layer| self.layers.get(layer));
		let undone = producer.and_then(|layer| match layer.operator {
			FloatOperator::Transpose(before) => {
				let undoes =
					order.map(|axis| before.get(usize::from(axis)).copied()) == [Some(0), Some(1), Some(2)];
				(undoes && plain(input.index.into())).then_some(usize::from(layer.input))
			}
			_ => None,
		});
		let found = there.filter(|tensor| plain(*tensor)).or(undone);
		if let Some(index) = found.and_then(|tensor| TensorIndex::try_from(tensor).ok()) {
			// What reads it under this name is not alone.
			self.shared.insert(index);
			let shape = self.shapes[usize::from(index)];
			self.set(node, Value::Tensor(Tensor { index, shape, rank }));
			return Ok(());
		}
		self.push(node, input, &[], FloatOperator::Transpose(order), rank)
	}

	/// Drops layers that nothing reads since Transposes cancelled.
	pub fn drop_unread(&mut self) {
		let mut read = vec![false; self.shapes.len()];
		read[0] = true;
		if let Some(last) = read.last_mut() {
			*last = true;
		}
		for index in (0..self.layers.len()).rev() {
			if read[index + 1] {
				let layer = &self.layers[index];
				let inputs = std::iter::once(&layer.input).chain(layer.operator.others());
				inputs.for_each(|input| read[usize::from(*input)] = true);
			}
		}
		let places = read.iter().scan(0, |next: &mut TensorIndex, read| {
			let place = *next;
			*next += TensorIndex::from(*read);
			Some(place)
		});
		let places: Vec<TensorIndex> = places.collect();
		let keep = |index: usize| read[index];
		let layers = std::mem::take(&mut self.layers).into_iter().enumerate();
		let layers = layers.filter(|(index, _)| keep(index + 1)).map(|(_, mut layer)| {
			let inputs = std::iter::once(&mut layer.input).chain(layer.operator.others_mut());
			inputs.for_each(|input| *input = places[usize::from(*input)]);
			layer
		});
		self.layers = layers.collect();
		let mut index = 0..;
		self.shapes.retain(|_| index.next().is_some_and(keep));
		let mut index = 0..;
		self.quantisations.retain(|_| index.next().is_some_and(keep));
	}
}
