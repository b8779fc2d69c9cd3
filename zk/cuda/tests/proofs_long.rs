//! As `proofs`, of circuits that take the mock device minutes.

mod device;
mod proving;
#[path = "../../prover/tests/relations/mod.rs"]
mod relations;

use proving::{circuits, models};

#[test]
fn large_random_circuits() {
	circuits(13..=15);
}

#[test]
fn all_other_models() {
	models(&["lenet5", "residual", "transformer"]);
}
