//! What a model may be at most. Every decoder and constructor of this crate holds to these limits, so that memory and
//! time stay bounded on arbitrary bytes. Raising one is a new encoding version.

/// Operators in an architecture.
pub const MAX_OPERATORS: usize = 256;

/// Elements of one tensor.
pub const MAX_TENSOR_ELEMENTS: u32 = 1 << 20;

/// Elements of all tensors of a model together, the input included.
pub const MAX_TOTAL_ELEMENTS: u64 = 1 << 22;

/// Multiply-additions of one evaluation; a pooling window's reads count as one each.
pub const MAX_MULTIPLY_ADDS: u64 = 1 << 32;

/// Weights and biases of a model, in bytes (one a weight, four a bias).
pub const MAX_WEIGHT_BYTES: u64 = 16 * 1024 * 1024;

/// Bytes of an encoded architecture: one shift an output channel (fewer than all elements together), and at most 512 bytes
/// a table, or two an operand, with some fixed fields for the other operators.
pub const MAX_ARCHITECTURE_BYTES: usize = 4 * 1024 * 1024 + 128 * 1024;

/// Bytes of encoded weights: the weights themselves, and the header and the two length prefixes of every layer.
pub const MAX_ENCODED_WEIGHT_BYTES: usize = 16 * 1024 * 1024 + 4096;

/// Side length of a kernel, stride or one side of a padding.
pub const MAX_WINDOW: u16 = 1024;

/// Tensors that one `Concat` reads, its layer's input included.
pub const MAX_CONCAT: usize = 64;

/// Rows of the table of an `Embedding`: as many as int8 has values from zero on.
pub const MAX_VOCABULARY: u32 = 128;

/// Elements that a `LayerNormalization` normalises together: of more, its reciprocal root would have too few digits.
pub const MAX_NORMALISED: u32 = 256;

/// Bits of the reciprocal of a `Softmax`.
pub const MAX_SOFTMAX_BITS: u8 = 26;

/// The largest requantisation shift.
pub const MAX_SHIFT: u8 = 31;

/// The largest multiplier of an operand of `Add`.
pub const MAX_MULTIPLIER: u16 = 1 << 15;
