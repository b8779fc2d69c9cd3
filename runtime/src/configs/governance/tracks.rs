//! The tracks: how long and by how much a referendum must win, by what its origin may do.

use alloc::borrow::Cow;

use opensand_primitives::{currency::SAND, Balance, BlockNumber};
use pallet_referenda::{Curve, Track, TrackInfo};
use sp_runtime::{str_array, FixedI64};

use super::origins::Origin;
use crate::{
	constants::time::{live_or_fast, DAYS, HOURS, MINUTES},
	OriginCaller, RuntimeOrigin,
};

/// Identifies a track; the numbers are part of the interface and never reused.
pub type TrackId = u16;

/// How a track's periods differ from one another, in expected blocks.
struct Periods {
	prepare: BlockNumber,
	decide: BlockNumber,
	confirm: BlockNumber,
	enact: BlockNumber,
}

/// What a referendum needs to pass, as curves over its decision period.
struct Hurdle {
	approval: Curve,
	support: Curve,
}

const fn percent(parts: u128) -> FixedI64 {
	FixedI64::from_rational(parts, 100)
}

const fn permille(parts: u128) -> FixedI64 {
	FixedI64::from_rational(parts, 1_000)
}

/// For what can change everything: approval falls from 100 % to 80 % in a seventh of the period and towards
/// 50 % after, support from half of the supply to nothing.
const SUPREME: Hurdle = Hurdle {
	approval: Curve::make_reciprocal(4, 28, percent(80), percent(50), percent(100)),
	support: Curve::make_linear(28, 28, percent(0), percent(50)),
};

/// For what binds the network's AI: as above, but support falls quickly to 20 % and then to 2 %.
const WEIGHTY: Hurdle = Hurdle {
	approval: Curve::make_reciprocal(4, 28, percent(80), percent(50), percent(100)),
	support: Curve::make_reciprocal(7, 28, percent(10), percent(2), percent(50)),
};

/// For what is spent or set routinely: a falling majority with modest support.
const ROUTINE: Hurdle = Hurdle {
	approval: Curve::make_linear(28, 28, percent(50), percent(100)),
	support: Curve::make_reciprocal(7, 28, percent(5), permille(5), percent(50)),
};

/// For measures approved before or that only stop something: quick, but broad at first.
const SWIFT: Hurdle = Hurdle {
	approval: Curve::make_reciprocal(16, 336, percent(96), percent(50), percent(100)),
	support: Curve::make_reciprocal(1, 28, percent(20), percent(1), percent(50)),
};

const fn track(
	id: TrackId,
	name: &str,
	max_deciding: u32,
	decision_deposit: Balance,
	live: Periods,
	hurdle: Hurdle,
) -> Track<TrackId, Balance, BlockNumber> {
	Track {
		id,
		info: TrackInfo {
			name: str_array(name),
			max_deciding,
			decision_deposit,
			prepare_period: live_or_fast(live.prepare, 1),
			decision_period: live_or_fast(live.decide, 4),
			confirm_period: live_or_fast(live.confirm, 1),
			min_enactment_period: live_or_fast(live.enact, 1),
			min_approval: hurdle.approval,
			min_support: hurdle.support,
		},
	}
}

/// Every track, sorted by id.
pub static TRACKS: [Track<TrackId, Balance, BlockNumber>; 12] = [
	track(
		0,
		"root",
		1,
		10_000 * SAND,
		Periods {
			prepare: 2 * HOURS,
			decide: 28 * DAYS,
			confirm: DAYS,
			enact: DAYS,
		},
		SUPREME,
	),
	track(
		1,
		"whitelisted_caller",
		10,
		1_000 * SAND,
		Periods {
			prepare: 30 * MINUTES,
			decide: 14 * DAYS,
			confirm: 10 * MINUTES,
			enact: 10 * MINUTES,
		},
		SWIFT,
	),
	track(
		10,
		"training_data",
		10,
		500 * SAND,
		Periods {
			prepare: 2 * HOURS,
			decide: 14 * DAYS,
			confirm: 12 * HOURS,
			enact: 10 * MINUTES,
		},
		WEIGHTY,
	),
	track(
		11,
		"audit_model",
		1,
		1_000 * SAND,
		Periods {
			prepare: 2 * HOURS,
			decide: 28 * DAYS,
			confirm: DAYS,
			enact: DAYS,
		},
		SUPREME,
	),
	track(
		12,
		"prover_keys",
		25,
		100 * SAND,
		Periods {
			prepare: HOURS,
			decide: 7 * DAYS,
			confirm: 6 * HOURS,
			enact: 10 * MINUTES,
		},
		WEIGHTY,
	),
	track(
		13,
		"network_parameters",
		5,
		1_000 * SAND,
		Periods {
			prepare: 2 * HOURS,
			decide: 14 * DAYS,
			confirm: 12 * HOURS,
			enact: HOURS,
		},
		WEIGHTY,
	),
	track(
		20,
		"treasurer",
		10,
		1_000 * SAND,
		Periods {
			prepare: 2 * HOURS,
			decide: 28 * DAYS,
			confirm: 3 * HOURS,
			enact: DAYS,
		},
		SUPREME,
	),
	track(
		21,
		"small_spender",
		50,
		50 * SAND,
		Periods {
			prepare: HOURS,
			decide: 14 * DAYS,
			confirm: 12 * HOURS,
			enact: DAYS,
		},
		ROUTINE,
	),
	track(
		22,
		"medium_spender",
		50,
		200 * SAND,
		Periods {
			prepare: 2 * HOURS,
			decide: 28 * DAYS,
			confirm: DAYS,
			enact: DAYS,
		},
		ROUTINE,
	),
	track(
		23,
		"big_spender",
		50,
		400 * SAND,
		Periods {
			prepare: 4 * HOURS,
			decide: 28 * DAYS,
			confirm: 2 * DAYS,
			enact: DAYS,
		},
		WEIGHTY,
	),
	track(
		30,
		"referendum_canceller",
		100,
		500 * SAND,
		Periods {
			prepare: HOURS,
			decide: 7 * DAYS,
			confirm: 3 * HOURS,
			enact: 10 * MINUTES,
		},
		SWIFT,
	),
	track(
		31,
		"referendum_killer",
		100,
		1_000 * SAND,
		Periods {
			prepare: HOURS,
			decide: 14 * DAYS,
			confirm: 3 * HOURS,
			enact: 10 * MINUTES,
		},
		SWIFT,
	),
];

/// Tells the referenda pallet which tracks exist and which origin goes with which.
pub struct TracksInfo;

impl pallet_referenda::TracksInfo<Balance, BlockNumber> for TracksInfo {
	type Id = TrackId;
	type RuntimeOrigin = <RuntimeOrigin as frame_support::traits::OriginTrait>::PalletsOrigin;

	fn tracks() -> impl Iterator<Item = Cow<'static, Track<TrackId, Balance, BlockNumber>>> {
		TRACKS.iter().map(Cow::Borrowed)
	}

	fn track_for(origin: &OriginCaller) -> Result<TrackId, ()> {
		match origin {
			OriginCaller::system(frame_system::RawOrigin::Root) => Ok(0),
			OriginCaller::Origins(origin) => Ok(match origin {
				Origin::WhitelistedCaller => 1,
				Origin::TrainingData => 10,
				Origin::AuditModel => 11,
				Origin::ProverKeys => 12,
				Origin::NetworkParameters => 13,
				Origin::Treasurer => 20,
				Origin::SmallSpender => 21,
				Origin::MediumSpender => 22,
				Origin::BigSpender => 23,
				Origin::ReferendumCanceller => 30,
				Origin::ReferendumKiller => 31,
			}),
			_ => Err(()),
		}
	}
}
