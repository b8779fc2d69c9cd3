// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../../include/opensand_prover.h"

#include <stdexcept>
#include <string>

namespace opensand {

// Why a call did not do what it was asked to do.
struct Failure : std::runtime_error {
	opensand_status status;

	Failure(opensand_status status, const std::string &message)
		: std::runtime_error(message), status(status) {}
};

} // namespace opensand
