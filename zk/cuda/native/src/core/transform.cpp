// SPDX-License-Identifier: Apache-2.0
#include "transform.h"

#include "../kernels/transform.h"

#include <algorithm>

namespace opensand {

void make_powers(Device &device, Fr *powers, unsigned log2) {
	MakePowers kernel;
	Fr square = root_of_unity(log2 + 1);
	for (Fr &power : kernel.squares) {
		power = square;
		square = square.squared();
	}
	kernel.count = uint32_t(1) << log2;
	kernel.out = powers;
	device.launch(kernel, (kernel.count + kernel.run - 1) / kernel.run);
}

namespace {

// The lowest bits have a pass of their own, whose tiles lie together; the others have passes of equal size,
// which have a few neighbours in each tile.
struct Passes {
	static constexpr unsigned MAX_BITS = 8;

	Device &device;
	Fr *values;
	const Fr *powers;
	unsigned log2;
	unsigned lowest = std::min(log2, TransformPass::tile_bits), rest = log2 - lowest;
	unsigned count = (rest + MAX_BITS - 1) / MAX_BITS;

	void run(unsigned low, unsigned bits, bool inverse, bool coset, bool forward) const {
		TransformPass pass{values, powers, log2, low, bits, inverse, coset, forward};
		device.launch_blocks(pass, pass.blocks(), pass.phase_count());
	}

	unsigned start(unsigned pass) const { return lowest + rest * pass / count; }

	void inverse_above() const {
		for (unsigned pass = count; pass-- > 0;)
			run(start(pass), start(pass + 1) - start(pass), true, false, false);
	}

	void forward_above() const {
		for (unsigned pass = 0; pass < count; pass++)
			run(start(pass), start(pass + 1) - start(pass), false, false, true);
	}
};

} // namespace

void extend(Device &device, Fr *values, const Fr *powers, unsigned log2) {
	Passes passes{device, values, powers, log2};
	passes.inverse_above();
	passes.run(0, passes.lowest, true, true, true);
	passes.forward_above();
}

void transform_inverse(Device &device, Fr *values, const Fr *powers, unsigned log2) {
	Passes passes{device, values, powers, log2};
	passes.inverse_above();
	passes.run(0, passes.lowest, true, false, false);
}

void transform_forward(Device &device, Fr *values, const Fr *powers, unsigned log2) {
	Passes passes{device, values, powers, log2};
	passes.run(0, passes.lowest, false, false, true);
	passes.forward_above();
}

} // namespace opensand
