// SPDX-License-Identifier: Apache-2.0
// Transforms over the n-th roots of unity, n = 2^log2, in place and on the device.
#pragma once

#include "../arithmetic/bls12_381.h"
#include "../device/device.h"

namespace opensand {

// ξⁱ for i < n, where ξ is a primitive 2n-th root of unity: what the transforms below need.
void make_powers(Device &device, Fr *powers, unsigned log2);

// Values on the roots become n times the coefficients, in the order of their reversed bits.
void transform_inverse(Device &device, Fr *values, const Fr *powers, unsigned log2);

// Coefficients in the order of their reversed bits become values on the roots.
void transform_forward(Device &device, Fr *values, const Fr *powers, unsigned log2);

// Values on the roots become n times the values on the odd coset ξωⁱ.
void extend(Device &device, Fr *values, const Fr *powers, unsigned log2);

} // namespace opensand
