//! The origins that referenda speak with, one for each track beside Root's.

use frame_support::traits::{EnsureOrigin, OriginTrait};
use opensand_primitives::{currency::SAND, Balance};

pub use pallet_custom_origins::Origin;

/// Declares the origins; it has no calls and no storage.
// The pallet macro writes `expect` into code that carries this file's spans.
#[allow(clippy::expect_used)]
#[frame_support::pallet]
pub mod pallet_custom_origins {
	use frame_support::pallet_prelude::*;

	#[pallet::config]
	pub trait Config: frame_system::Config {}

	#[pallet::pallet]
	pub struct Pallet<T>(_);

	/// What a referendum of the track of the same name may do.
	#[pallet::origin]
	#[derive(
		Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
	)]
	pub enum Origin {
		/// Dispatches, as Root, a call that Root whitelisted before.
		#[codec(index = 0)]
		WhitelistedCaller,
		/// Decides which data may train models, over any community's head.
		#[codec(index = 10)]
		TrainingData,
		/// Replaces the network that audits workers.
		#[codec(index = 11)]
		AuditModel,
		/// Accepts and retires verifying keys.
		#[codec(index = 12)]
		ProverKeys,
		/// Sets the parameters of the project's pallets and of the nomination pools.
		#[codec(index = 13)]
		NetworkParameters,
		/// Spends any amount from the treasury and oversees bounties.
		#[codec(index = 20)]
		Treasurer,
		/// Spends up to 1,000 SAND from the treasury.
		#[codec(index = 21)]
		SmallSpender,
		/// Spends up to 20,000 SAND from the treasury.
		#[codec(index = 22)]
		MediumSpender,
		/// Spends up to 200,000 SAND from the treasury.
		#[codec(index = 23)]
		BigSpender,
		/// Cancels a referendum and gives its deposits back.
		#[codec(index = 30)]
		ReferendumCanceller,
		/// Cancels a referendum and slashes its deposits.
		#[codec(index = 31)]
		ReferendumKiller,
	}
}

/// The project's origin in `origin`, if it is one.
fn custom<O>(origin: &O) -> Option<Origin>
where
	O: OriginTrait,
	for<'a> &'a O::PalletsOrigin: TryInto<&'a Origin>,
{
	origin.caller().try_into().ok().copied()
}

/// Declares a type that admits exactly one of the origins.
macro_rules! ensure_origin {
	($($(#[$doc:meta])* $name:ident,)+) => {
		$(
			$(#[$doc])*
			pub struct $name;

			impl<O> EnsureOrigin<O> for $name
			where
				O: OriginTrait + From<Origin>,
				for<'a> &'a O::PalletsOrigin: TryInto<&'a Origin>,
			{
				type Success = ();

				fn try_origin(origin: O) -> Result<(), O> {
					match custom(&origin) {
						Some(Origin::$name) => Ok(()),
						_ => Err(origin),
					}
				}

				#[cfg(feature = "runtime-benchmarks")]
				fn try_successful_origin() -> Result<O, ()> {
					Ok(O::from(Origin::$name))
				}
			}
		)+
	};
}

ensure_origin! {
	/// Admits [`Origin::WhitelistedCaller`].
	WhitelistedCaller,
	/// Admits [`Origin::TrainingData`].
	TrainingData,
	/// Admits [`Origin::AuditModel`].
	AuditModel,
	/// Admits [`Origin::ProverKeys`].
	ProverKeys,
	/// Admits [`Origin::NetworkParameters`].
	NetworkParameters,
	/// Admits [`Origin::Treasurer`].
	Treasurer,
	/// Admits [`Origin::ReferendumCanceller`].
	ReferendumCanceller,
	/// Admits [`Origin::ReferendumKiller`].
	ReferendumKiller,
}

/// Admits the origins that may spend from the treasury and tells how much each may at once.
pub struct Spender;

impl<O> EnsureOrigin<O> for Spender
where
	O: OriginTrait + From<Origin>,
	for<'a> &'a O::PalletsOrigin: TryInto<&'a Origin>,
{
	type Success = Balance;

	fn try_origin(origin: O) -> Result<Balance, O> {
		match custom(&origin) {
			Some(Origin::SmallSpender) => Ok(1_000 * SAND),
			Some(Origin::MediumSpender) => Ok(20_000 * SAND),
			Some(Origin::BigSpender) => Ok(200_000 * SAND),
			Some(Origin::Treasurer) => Ok(Balance::MAX),
			_ => Err(origin),
		}
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn try_successful_origin() -> Result<O, ()> {
		Ok(O::from(Origin::Treasurer))
	}
}
