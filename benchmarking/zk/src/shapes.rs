//! Networks of a given shape with random weights: what proving costs depends on shapes and ranges, not on what was learnt.

use anyhow::Result;
use opensand_nn::{
	Activation, Add, Architecture, AvgPool, Conv2d, Layer, LayerWeights, Linear, Model, Operator, Shape,
	TensorIndex, Weights, Window,
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;

/// Largest magnitude of a random weight.
const WEIGHT: i8 = 31;

/// Layers one behind the other, with residual additions.
struct Stack {
	layers: Vec<Layer>,
	/// What each layer sums over; `None` where it has no weights.
	fans: Vec<Option<u32>>,
}

impl Stack {
	fn new() -> Self {
		Self {
			layers: Vec::new(),
			fans: Vec::new(),
		}
	}

	/// The tensor that the last layer made.
	fn top(&self) -> TensorIndex {
		self.layers.len() as TensorIndex
	}

	fn push(&mut self, input: TensorIndex, operator: Operator, fan: Option<u32>) -> TensorIndex {
		self.layers.push(Layer { input, operator });
		self.fans.push(fan);
		self.top()
	}

	/// A square convolution with a padding that keeps the size of the plane, where `keep` says so.
	fn convolution(
		&mut self,
		input: TensorIndex,
		channels: [u32; 2],
		kernel: u16,
		stride: u16,
		keep: bool,
		activation: Activation,
	) -> TensorIndex {
		let [inputs, outputs] = channels;
		let fan = inputs * u32::from(kernel) * u32::from(kernel);
		let padding = if keep { (kernel - 1) / 2 } else { 0 };
		let operator = Operator::Conv2d(Conv2d {
			outputs,
			window: Window {
				kernel: [kernel; 2],
				stride: [stride; 2],
				padding: [padding; 4],
			},
			groups: 1,
			shifts: vec![shift(fan); outputs as usize],
			activation,
		});
		self.push(input, operator, Some(fan))
	}

	fn linear(&mut self, inputs: u32, outputs: u32, activation: Activation) -> TensorIndex {
		let operator = Operator::Linear(Linear {
			outputs,
			shifts: vec![shift(inputs); outputs as usize],
			activation,
		});
		self.push(self.top(), operator, Some(inputs))
	}

	/// A pooling window without overlap over the last tensor.
	fn max_pool(&mut self, side: u16) -> TensorIndex {
		let window = Window {
			kernel: [side; 2],
			stride: [side; 2],
			padding: [0; 4],
		};
		self.push(self.top(), Operator::MaxPool(window), None)
	}

	fn build(self, input: Shape, seed: u64) -> Result<Model> {
		let architecture = Architecture::new(input, self.layers)?;
		let mut rng = ChaCha20Rng::seed_from_u64(seed);
		let counts: Vec<Option<u64>> = architecture.weight_counts().collect();
		let layers = counts
			.iter()
			.zip(&self.fans)
			.filter_map(|(count, fan)| Some(((*count)?, (*fan)?)))
			.map(|(count, fan)| LayerWeights {
				weights: (0..count).map(|_| rng.gen_range(-WEIGHT..=WEIGHT)).collect(),
				biases: (0..count / u64::from(fan))
					.map(|_| rng.gen_range(-1000..=1000))
					.collect(),
			})
			.collect();
		Ok(Model::new(architecture, Weights::new(layers)?)?)
	}
}

/// The shift after which sums of `fan` products of random weights and usual activations are usual activations again.
fn shift(fan: u32) -> u8 {
	// The deviation of a sum is about 13·√fan times what is wanted.
	let deviation = 169 * u64::from(fan);
	u8::try_from((deviation.ilog2() + 1) / 2).unwrap_or(u8::MAX)
}

/// A LeNet-like network for 3×32×32 with 273,450 weights: two convolutions of 5×5 with max-pooling, three dense layers.
pub fn cnn() -> Result<Model> {
	let mut stack = Stack::new();
	stack.convolution(0, [3, 16], 5, 1, false, Activation::Relu);
	stack.max_pool(2);
	stack.convolution(stack.top(), [16, 32], 5, 1, false, Activation::Relu);
	stack.max_pool(2);
	stack.push(stack.top(), Operator::Reshape(Shape::vector(800)), None);
	stack.linear(800, 288, Activation::Relu);
	stack.linear(288, 96, Activation::Relu);
	stack.linear(96, 10, Activation::Identity);
	stack.build(Shape::new(3, 32, 32), 264)
}

/// ResNet-20's shape for 3×32×32 (He et al., 2015): three stages of three blocks with 16, 32 and 64 channels. Where the
/// plane is halved, the shortcut is a convolution of 1×1.
pub fn resnet20() -> Result<Model> {
	let mut stack = Stack::new();
	stack.convolution(0, [3, 16], 3, 1, true, Activation::Relu);
	let mut channels = 16;
	for stage in 0..3 {
		for block in 0..3 {
			let input = stack.top();
			let halves = stage > 0 && block == 0;
			let (outputs, stride) = if halves { (2 * channels, 2) } else { (channels, 1) };
			let first = stack.convolution(input, [channels, outputs], 3, stride, true, Activation::Relu);
			let second = stack.convolution(first, [outputs, outputs], 3, 1, true, Activation::Identity);
			let shortcut = if halves {
				stack.convolution(input, [channels, outputs], 1, stride, false, Activation::Identity)
			} else {
				input
			};
			let sum = Operator::Add(Add {
				other: shortcut,
				multipliers: [1, 1],
				shift: 0,
				activation: Activation::Relu,
			});
			stack.push(second, sum, None);
			channels = outputs;
		}
	}
	let plane = Window {
		kernel: [8; 2],
		stride: [8; 2],
		padding: [0; 4],
	};
	stack.push(
		stack.top(),
		Operator::AvgPool(AvgPool {
			window: plane,
			shift: 6,
		}),
		None,
	);
	stack.push(stack.top(), Operator::Reshape(Shape::vector(64)), None);
	stack.linear(64, 10, Activation::Identity);
	stack.build(Shape::new(3, 32, 32), 20)
}

/// Dense layers 1024-1568-1536-10 with 4,032,554 weights and biases.
pub fn dense() -> Result<Model> {
	let mut stack = Stack::new();
	stack.linear(1024, 1568, Activation::Relu);
	stack.linear(1568, 1536, Activation::Relu);
	stack.linear(1536, 10, Activation::Identity);
	stack.build(Shape::vector(1024), 4)
}
