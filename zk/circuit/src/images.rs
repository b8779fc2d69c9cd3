//! Activations given as tables: y = table[x + 128].

use crate::{
	builder::{Builder, Result},
	plan::LayerPlan,
	tables::{image, PAIR},
	wire::Wire,
};
use opensand_nn::Interval;
use std::collections::HashMap;

impl Builder {
	/// The images of wires under one table.
	pub(crate) fn images(
		&mut self,
		images: &[i8; 256],
		inputs: &[Wire],
		plan: LayerPlan,
	) -> Result<Vec<Wire>> {
		// Wires of one channel have one interval.
		let mut bounds: HashMap<[i32; 2], Interval> = HashMap::new();
		let mut outputs = Vec::with_capacity(inputs.len());
		for x in inputs {
			let Interval { lower, upper } = x.interval;
			let interval = *bounds.entry([lower, upper]).or_insert_with(|| {
				let values = || (lower..=upper).map(|x| image(images, x) as i32);
				Interval::new(values().min().unwrap_or(0), values().max().unwrap_or(0))
			});
			outputs.push(self.image(images, x, interval, plan)?);
		}
		Ok(outputs)
	}

	/// The image of a wire, which lies in `interval`: by two look-ups, of the image in a range and of the pair in the table
	/// ([`PAIR`]), or by bits.
	fn image(&mut self, images: &[i8; 256], x: &Wire, interval: Interval, plan: LayerPlan) -> Result<Wire> {
		if interval.lower == interval.upper {
			return Ok(Wire::constant(interval.lower));
		}
		let LayerPlan::LookUps {
			range,
			pairs: Some(table),
		} = plan
		else {
			let images: Vec<i64> = (x.interval.lower..=x.interval.upper)
				.map(|x| image(images, x))
				.collect();
			let first = i64::from(x.interval.lower);
			return self.image_by_bits(&images, || x.lc().plus(-first, []), x.value - first, interval);
		};
		let (first, origin) = self.table(table).origin();
		let value = match i32::try_from(x.value) {
			Ok(index) if x.interval.contains(index) => image(images, index),
			// Without an execution the index is anything.
			_ => interval.lower.into(),
		};
		let y = self.commit(value - origin);
		self.range(range, || y.into(), value - origin, 8)?;
		self.look_up(table, x.value - first, || x.lc().plus(-first, [(PAIR, y)]))?;
		Ok(Wire {
			variable: Some(y),
			offset: origin,
			interval,
			value,
		})
	}
}
