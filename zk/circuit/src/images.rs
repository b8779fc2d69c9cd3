//! Activations given as tables: y = table[x + 128].

use crate::{
	builder::{Builder, Result},
	plan::LayerPlan,
	tables::{image, PAIR},
	wire::Wire,
};
use opensand_nn::Interval;

impl Builder {
	/// The image of a wire: by two look-ups, of the image in a range and of the pair in the table ([`PAIR`]), or by bits.
	pub(crate) fn image(&mut self, images: &[i8; 256], x: &Wire, plan: LayerPlan) -> Result<Wire> {
		let range = x.interval.lower..=x.interval.upper;
		let values = || range.clone().map(|x| image(images, x));
		let least = values().min().unwrap_or(0);
		let greatest = values().max().unwrap_or(0);
		let interval = Interval::new(least as i32, greatest as i32);
		if least == greatest {
			return Ok(Wire::constant(interval.lower));
		}
		let LayerPlan::LookUps {
			range,
			pairs: Some(table),
		} = plan
		else {
			return self.image_by_bits(images, x, interval);
		};
		let (first, origin) = self.table(table).origin();
		let value = match i32::try_from(x.value) {
			Ok(index) if x.interval.contains(index) => image(images, index),
			// Without an execution the index is anything.
			_ => least,
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
