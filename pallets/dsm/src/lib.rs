//! # Storage market
//!
//! Owners pay providers for storing the erasure-coded shards of their files, window by window, and only for windows in
//! which the provider proved that it holds what it was drawn to show; and they sell licences for what they have stored.
//! See the crate's `README.md` for the surface, the
//! money model, the invariants and the parameters.

#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(
	not(test),
	deny(
		clippy::unwrap_used,
		clippy::expect_used,
		clippy::indexing_slicing,
		clippy::arithmetic_side_effects
	)
)]
#![warn(missing_docs)]

extern crate alloc;

mod access;
#[cfg(any(test, feature = "runtime-benchmarks"))]
mod benchmarking;
mod faults;
mod history;
mod listings;
#[cfg(test)]
mod mock;
mod money;
mod orders;
mod parameters;
mod possession;
mod pricing;
mod providers;
mod purchases;
mod questions;
mod repair;
mod settlement;
#[cfg(test)]
mod tests;
mod tree;
#[cfg(any(feature = "try-runtime", test))]
mod try_state;
mod types;
pub mod weights;

pub use pallet::*;
pub use parameters::MarketParameters;
pub use types::{
	Fault, GrantEntry, HistoryEntry, HostHasher, IdKey, LapseReason, ListingEntry, Order, OrderKey,
	ProofBytes, Provider, PurchaseEntry, QueueRange, SealedKey, Shard, ShardKey, Supply, TreeChange,
	TreeEntry, TreeState, WindowSeed, FAN_OUT, HISTORY_LENGTH, HISTORY_WINDOWS, MAX_PROOF_BYTES,
	MAX_TREE_SHARDS, MAX_WAITING,
};
pub use weights::WeightInfo;

#[frame_support::pallet]
#[allow(clippy::expect_used)] // the macro expands to it
pub mod pallet {
	use alloc::vec::Vec;
	use frame_support::{
		pallet_prelude::*,
		traits::{
			fungible::{Balanced, BalancedHold, Credit, Inspect, InspectHold, Mutate, MutateHold},
			OnUnbalanced, Randomness,
		},
		PalletId,
	};
	use frame_system::pallet_prelude::*;
	use opensand_primitives::{
		market::{Listing, Purchase, PurchaseKey},
		storage::{
			Challenge, DatasetEvent, DatasetOperation, Grant, OpenSlot, OrderRecord, OrderTerms,
			ProviderRecord, ProviderTerms, Region, ShardCommitment, ShardIndex, ShardView, StorageTerms,
			Visibility, WindowIndex, MAX_SAMPLES, MAX_SHARDS,
		},
		AccountId, Balance, BlockNumber, Hash, ListingId, OrderId, PurchaseId,
	};
	use opensand_storage_proof::PossessionScheme;

	use crate::{
		Fault, GrantEntry, HistoryEntry, IdKey, LapseReason, ListingEntry, MarketParameters, Order, OrderKey,
		ProofBytes, Provider, PurchaseEntry, SealedKey, Shard, ShardKey, Supply, TreeChange, TreeEntry,
		WeightInfo, WindowSeed, FAN_OUT, MAX_PROOF_BYTES, MAX_WAITING,
	};

	const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	/// An amount that has left an account and not yet reached another.
	pub type CreditOf<T> = Credit<AccountId, <T as Config>::Currency>;

	/// The storage market's pallet.
	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	/// What the runtime decides.
	#[pallet::config]
	pub trait Config:
		frame_system::Config<AccountId = AccountId, Hash = Hash, RuntimeEvent: From<Event<Self>>>
	{
		/// The runtime's hold reasons.
		type RuntimeHoldReason: From<HoldReason>;

		/// The token in which storage is paid and collateral is held.
		type Currency: Inspect<AccountId, Balance = Balance>
			+ Mutate<AccountId>
			+ Balanced<AccountId>
			+ InspectHold<AccountId>
			+ MutateHold<AccountId, Reason = Self::RuntimeHoldReason>
			+ BalancedHold<AccountId, Reason = Self::RuntimeHoldReason>;

		/// How shards are committed to and their possession is proven.
		type Possession: PossessionScheme;

		/// Randomness that nobody knew before the parent block.
		type Randomness: Randomness<Option<Hash>, BlockNumberFor<Self>>;

		/// Takes what faults cost providers, and what its payee cannot receive.
		type Treasury: OnUnbalanced<CreditOf<Self>>;

		/// Who sets the market's parameters.
		type ParameterOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// Who strikes false regions.
		type StrikeOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// The parameters until others are set.
		type InitialParameters: Get<MarketParameters>;

		/// The account that keeps what repairs will cost.
		#[pallet::constant]
		type PalletId: Get<PalletId>;

		/// Blocks of a window.
		#[pallet::constant]
		type WindowBlocks: Get<BlockNumber>;

		/// Providers that are judged in each block. There can be as many providers as are judged in a window.
		#[pallet::constant]
		type JudgedPerBlock: Get<u32>;

		/// Held from an order's owner for each shard, for each grant and for each listing, and from a buyer for each
		/// purchase.
		#[pallet::constant]
		type DepositPerItem: Get<Balance>;

		/// Held from an order's owner for each byte of commitments.
		#[pallet::constant]
		type DepositPerByte: Get<Balance>;

		/// Blocks that a seller has for delivering what was bought.
		#[pallet::constant]
		type DeliveryBlocks: Get<BlockNumber>;

		/// Blocks that a buyer has for disputing what was delivered.
		#[pallet::constant]
		type ConfirmationBlocks: Get<BlockNumber>;

		/// Held from a seller for each delivery, and the buyer's if it was wrong.
		#[pallet::constant]
		type DeliveryBond: Get<Balance>;

		/// The calls' weights.
		type WeightInfo: WeightInfo;
	}

	/// Why this pallet holds funds.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// What an owner's orders will cost, and tips.
		Escrow,
		/// What a provider stands to lose.
		Collateral,
		/// For the room that orders, grants, listings and purchases take in the state.
		Deposit,
		/// What a buyer pays for licences that it does not have yet.
		Purchase,
		/// What a seller loses if what it delivered is wrong.
		DeliveryBond,
	}

	/// The market's parameters.
	#[pallet::storage]
	pub type Parameters<T: Config> =
		StorageValue<_, MarketParameters, ValueQuery, <T as Config>::InitialParameters>;

	/// The price floor; without one it is the lowest that there can be.
	#[pallet::storage]
	pub type PriceFloor<T> = StorageValue<_, Balance>;

	/// Bytes offered and taken.
	#[pallet::storage]
	pub type TotalSupply<T> = StorageValue<_, Supply, ValueQuery>;

	/// The seed of the current window.
	#[pallet::storage]
	pub type CurrentSeed<T> = StorageValue<_, WindowSeed>;

	/// Providers by account.
	#[pallet::storage]
	pub type Providers<T> = StorageMap<_, Blake2_128Concat, AccountId, Provider>;

	/// Which provider's agent an account is.
	#[pallet::storage]
	pub type ProviderOfAgent<T> = StorageMap<_, Blake2_128Concat, AccountId, AccountId>;

	/// The number of providers.
	#[pallet::storage]
	pub type ProviderCount<T> = StorageValue<_, u32, ValueQuery>;

	/// The providers in the order in which they are judged.
	#[pallet::storage]
	pub type ProviderAt<T> = StorageMap<_, Twox64Concat, u32, AccountId>;

	/// Regions that a provider may not declare any more.
	#[pallet::storage]
	pub type StruckRegions<T> =
		StorageDoubleMap<_, Blake2_128Concat, AccountId, Twox64Concat, Region, (), OptionQuery>;

	/// The shard that a provider has accepted, repairs or holds of each order.
	#[pallet::storage]
	pub type ShardsOf<T> =
		StorageDoubleMap<_, Blake2_128Concat, AccountId, Identity, OrderKey, ShardIndex, OptionQuery>;

	/// Windows that a provider has proven.
	#[pallet::storage]
	pub type History<T> =
		StorageDoubleMap<_, Blake2_128Concat, AccountId, Twox64Concat, u32, HistoryEntry, OptionQuery>;

	/// The lowest level of a provider's tree: its shards, in nodes of [`FAN_OUT`].
	#[pallet::storage]
	pub type TreeEntries<T> = StorageDoubleMap<
		_,
		Blake2_128Concat,
		AccountId,
		Twox64Concat,
		u32,
		BoundedVec<TreeEntry, ConstU32<FAN_OUT>>,
		ValueQuery,
	>;

	/// The levels above: at `(level, index)` the leaves below each of the nodes that it is made of.
	#[pallet::storage]
	pub type TreeSums<T> = StorageDoubleMap<
		_,
		Blake2_128Concat,
		AccountId,
		Twox64Concat,
		(u8, u32),
		BoundedVec<u64, ConstU32<FAN_OUT>>,
		ValueQuery,
	>;

	/// Where in a provider's tree its shard of an order is.
	#[pallet::storage]
	pub type TreePositions<T> =
		StorageDoubleMap<_, Blake2_128Concat, AccountId, Twox64Concat, OrderId, u32, OptionQuery>;

	/// Changes of a provider's tree that wait for its answer.
	#[pallet::storage]
	pub type WaitingChanges<T> =
		StorageDoubleMap<_, Blake2_128Concat, AccountId, Twox64Concat, u64, TreeChange, OptionQuery>;

	/// The id of the next order.
	#[pallet::storage]
	pub type NextOrderId<T> = StorageValue<_, OrderId, ValueQuery>;

	/// Orders by id.
	#[pallet::storage]
	pub type Orders<T> = StorageMap<_, Twox64Concat, OrderId, Order>;

	/// The orders of each owner.
	#[pallet::storage]
	pub type OrdersOf<T> =
		StorageDoubleMap<_, Blake2_128Concat, AccountId, Identity, OrderKey, (), OptionQuery>;

	/// The shards of each order.
	#[pallet::storage]
	pub type Shards<T> =
		StorageDoubleMap<_, Twox64Concat, OrderId, Twox64Concat, ShardIndex, Shard, OptionQuery>;

	/// What each shard's possession is proven against.
	#[pallet::storage]
	pub type Commitments<T> =
		StorageDoubleMap<_, Twox64Concat, OrderId, Twox64Concat, ShardIndex, ShardCommitment, OptionQuery>;

	/// The shards that are not active: those to take, and those that were taken and not yet proven.
	#[pallet::storage]
	pub type InactiveShards<T> = StorageMap<_, Identity, ShardKey, ()>;

	/// The keys to which accounts want file keys sealed.
	#[pallet::storage]
	pub type AccessKeys<T> = StorageMap<_, Blake2_128Concat, AccountId, [u8; 32]>;

	/// Who has access to each dataset.
	#[pallet::storage]
	pub type Grants<T> =
		StorageDoubleMap<_, Twox64Concat, OrderId, Blake2_128Concat, AccountId, GrantEntry, OptionQuery>;

	/// The record of each dataset. It stays when the order closes.
	#[pallet::storage]
	pub type DatasetEvents<T> =
		StorageDoubleMap<_, Twox64Concat, OrderId, Twox64Concat, u32, DatasetEvent, OptionQuery>;

	/// The number of entries in each dataset's record.
	#[pallet::storage]
	pub type DatasetEventCount<T> = StorageMap<_, Twox64Concat, OrderId, u32, ValueQuery>;

	/// The id of the next listing.
	#[pallet::storage]
	pub type NextListingId<T> = StorageValue<_, ListingId, ValueQuery>;

	/// Listings by id, in the order of their ids.
	#[pallet::storage]
	pub type Listings<T> = StorageMap<_, Identity, IdKey, ListingEntry>;

	/// The listings of each seller.
	#[pallet::storage]
	pub type ListingsOf<T> =
		StorageDoubleMap<_, Blake2_128Concat, AccountId, Identity, IdKey, (), OptionQuery>;

	/// The id of the next purchase.
	#[pallet::storage]
	pub type NextPurchaseId<T> = StorageValue<_, PurchaseId, ValueQuery>;

	/// Purchases by id, until they are refunded or surrendered.
	#[pallet::storage]
	pub type Purchases<T> = StorageMap<_, Twox64Concat, PurchaseId, PurchaseEntry>;

	/// The purchases of each buyer.
	#[pallet::storage]
	pub type PurchasesOf<T> =
		StorageDoubleMap<_, Blake2_128Concat, AccountId, Identity, IdKey, (), OptionQuery>;

	/// The purchases that await each seller's delivery.
	#[pallet::storage]
	pub type DeliveriesDue<T> =
		StorageDoubleMap<_, Blake2_128Concat, AccountId, Identity, IdKey, (), OptionQuery>;

	/// The purchase by which an account has, or will have, a licence for a dataset.
	#[pallet::storage]
	pub type LicenceOf<T> =
		StorageDoubleMap<_, Twox64Concat, OrderId, Blake2_128Concat, AccountId, PurchaseId, OptionQuery>;

	/// The purchases of each dataset that are paid or delivered, and not yet settled.
	#[pallet::storage]
	pub type PendingSales<T> = StorageMap<_, Twox64Concat, OrderId, u32, ValueQuery>;

	/// What the chain begins with.
	#[pallet::genesis_config]
	#[derive(frame_support::DefaultNoBound)]
	pub struct GenesisConfig<T: Config> {
		/// The market's parameters, if they are not the runtime's initial ones.
		pub parameters: Option<MarketParameters>,
		/// Names the runtime.
		#[serde(skip)]
		pub _config: core::marker::PhantomData<T>,
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		/// Sets the parameters, and gives the pallet's account the existential deposit, so that the smallest pot can be
		/// kept there.
		fn build(&self) {
			if let Some(parameters) = &self.parameters {
				assert!(
					Pallet::<T>::check_parameters(parameters),
					"the storage market's parameters are out of bounds"
				);
				Parameters::<T>::put(parameters);
			}
			let (account, minimum) = (Pallet::<T>::account_id(), T::Currency::minimum_balance());
			let lacking = minimum.saturating_sub(T::Currency::balance(&account));
			if lacking > 0 {
				T::Currency::mint_into(&account, lacking)
					// may panic: that refuses a specification before there is a chain.
					.expect("an account can be given the existential deposit");
			}
		}
	}

	/// What happened.
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// `register_provider` took a provider's collateral.
		ProviderRegistered {
			/// The provider.
			provider: AccountId,
			/// Its agent.
			agent: AccountId,
			/// Bytes that it offers.
			quota: u64,
			/// Its collateral.
			collateral: Balance,
		},
		/// `update_provider` changed what a provider says of itself.
		ProviderUpdated {
			/// The provider.
			provider: AccountId,
		},
		/// `add_collateral` raised a provider's collateral.
		CollateralAdded {
			/// The provider.
			provider: AccountId,
			/// By how much.
			amount: Balance,
		},
		/// `withdraw_collateral` gave a provider back what it had not reserved.
		CollateralWithdrawn {
			/// The provider.
			provider: AccountId,
			/// How much.
			amount: Balance,
		},
		/// `drain`: the provider takes nothing new.
		ProviderDraining {
			/// The provider.
			provider: AccountId,
			/// First block in which it can leave, if it holds nothing then.
			exit_from: BlockNumber,
		},
		/// `exit` gave a provider its collateral back and removed it.
		ProviderExited {
			/// The provider.
			provider: AccountId,
			/// What it got back.
			collateral: Balance,
		},
		/// A provider missed a window or answered it wrongly.
		ProviderFaulted {
			/// The provider.
			provider: AccountId,
			/// The window.
			window: WindowIndex,
			/// What it failed to do.
			fault: Fault,
			/// What it lost; the treasury has it.
			slashed: Balance,
			/// Faults in a row.
			faults: u32,
		},
		/// A provider failed too often. What it held can be opened for repair.
		ProviderJailed {
			/// The provider.
			provider: AccountId,
			/// First block in which it may come back.
			until: BlockNumber,
		},
		/// `unjail`: the provider takes shards again.
		ProviderUnjailed {
			/// The provider.
			provider: AccountId,
		},
		/// `strike_region` took a false region off a provider.
		RegionStruck {
			/// The provider.
			provider: AccountId,
			/// The region.
			region: Region,
		},
		/// `place_order` opened an order and held its escrow.
		OrderPlaced {
			/// The order.
			order: OrderId,
			/// Who pays.
			owner: AccountId,
			/// What is held.
			escrow: Balance,
			/// The last block in which its shards can become active.
			deadline: BlockNumber,
		},
		/// All shards of an order were active at once: it is paid from window `start` up to, but without, `end`.
		OrderActivated {
			/// The order.
			order: OrderId,
			/// First paid window.
			start: WindowIndex,
			/// First window that is not paid any more.
			end: WindowIndex,
		},
		/// `renew` made an order last longer.
		OrderRenewed {
			/// The order.
			order: OrderId,
			/// First window that is not paid any more.
			end: WindowIndex,
			/// What is held in addition.
			escrow: Balance,
		},
		/// `top_up` added a tip.
		OrderTipped {
			/// The order.
			order: OrderId,
			/// The tip.
			tip: Balance,
		},
		/// `cancel` ended an active order with the current window. It can be closed from window `end` on.
		OrderCancelled {
			/// The order.
			order: OrderId,
			/// First window that is not paid any more.
			end: WindowIndex,
			/// What was given back at once.
			refunded: Balance,
		},
		/// An order was closed: it had expired, was not filled in time, was cancelled before it was filled, or was lost.
		OrderClosed {
			/// The order.
			order: OrderId,
			/// What the owner got back of escrow, tips and pots.
			refunded: Balance,
		},
		/// More shards of an order are lost than its code bears.
		OrderLost {
			/// The order.
			order: OrderId,
			/// What the owner got back of escrow and tips.
			refunded: Balance,
			/// What the owner got of collateral.
			compensation: Balance,
		},
		/// Providers were paid for the windows that they had proven.
		OrderSettled {
			/// The order.
			order: OrderId,
			/// What they got for windows.
			paid: Balance,
			/// What they got of tips.
			tips: Balance,
		},
		/// `accept`: a provider fetches a shard and owes the first proof.
		ShardAccepted {
			/// The order.
			order: OrderId,
			/// The shard.
			shard: ShardIndex,
			/// The provider.
			provider: AccountId,
			/// The last block for its first proof.
			deadline: BlockNumber,
		},
		/// A first proof was good: the provider is paid for the shard from window `since` on, once the order is active.
		ShardActivated {
			/// The order.
			order: OrderId,
			/// The shard.
			shard: ShardIndex,
			/// The provider.
			provider: AccountId,
			/// The window.
			since: WindowIndex,
			/// What it got for rebuilding the shard.
			reward: Balance,
		},
		/// No good first proof came: the slot is open again.
		ShardLapsed {
			/// The order.
			order: OrderId,
			/// The shard.
			shard: ShardIndex,
			/// The provider.
			provider: AccountId,
			/// Why.
			reason: LapseReason,
			/// What it lost of its collateral; the treasury has it.
			forfeited: Balance,
		},
		/// A provider proved that it holds what a window asked for.
		PossessionProven {
			/// The provider.
			provider: AccountId,
			/// The window.
			window: WindowIndex,
		},
		/// A shard left its provider and is to be repaired, or to be placed again where its order was not yet active.
		ShardOpened {
			/// The order.
			order: OrderId,
			/// The shard.
			shard: ShardIndex,
			/// Who held it.
			provider: AccountId,
			/// What that cost it: the pot of the repair, or the owner's if the order was not yet active.
			forfeited: Balance,
		},
		/// `take_repair`: a provider rebuilds a shard and owes the first proof.
		RepairTaken {
			/// The order.
			order: OrderId,
			/// The shard.
			shard: ShardIndex,
			/// The repairer.
			provider: AccountId,
			/// What it will be paid.
			reward: Balance,
			/// The last block for its first proof.
			deadline: BlockNumber,
		},
		/// `set_access_key` told to which key an account wants file keys sealed.
		AccessKeySet {
			/// The account.
			account: AccountId,
			/// The X25519 key.
			key: [u8; 32],
		},
		/// Something was done with a dataset, or with a listing or a purchase of it. The same stands in its record.
		DatasetRecorded {
			/// The dataset.
			order: OrderId,
			/// Its place in the record.
			entry: u32,
			/// Who.
			by: AccountId,
			/// What.
			operation: DatasetOperation,
		},
		/// The price floor moved with utilisation.
		PriceFloorChanged {
			/// The new floor, per MiB and window.
			floor: Balance,
		},
		/// Governance set parameters.
		ParametersSet {
			/// All of them.
			parameters: MarketParameters,
		},
	}

	/// Why a call was refused.
	#[pallet::error]
	pub enum Error<T> {
		/// This account is a provider already. Use `update_provider` and `add_collateral`.
		AlreadyRegistered,
		/// Neither a provider nor a provider's agent. Register first, or sign with the account that is.
		UnknownProvider,
		/// There are as many providers as can be judged in a window. Wait until one leaves.
		TooManyProviders,
		/// That account is a provider, or the agent of one. Generate an agent key for this provider alone.
		AgentInUse,
		/// The collateral is less than the existential deposit, or than one MiB reserves. Give more.
		CollateralTooSmall,
		/// The quota is zero, or less than the provider has committed. Offer more, or drain.
		QuotaTooSmall,
		/// A region is no valid tag, or is named twice. Use each of the tags that `Region::new` makes once.
		InvalidRegion,
		/// Governance found that the provider is not in that region. Do not declare it.
		RegionStruck,
		/// A region cannot be given up while shards are held, for some may have to stay in it. Add regions only, or drain.
		RegionInUse,
		/// More than what shards have not reserved. Withdraw less, or when shards have left.
		CollateralReserved,
		/// The provider drains already. Hand its shards over or wait until they expire, then exit.
		AlreadyDraining,
		/// The provider does not drain. Call `drain` first.
		NotDraining,
		/// The delay after `drain` is not over. Try again from the block that `ProviderDraining` named.
		ExitTooEarly,
		/// The provider still has shards. Hand them over, close their orders when they expire, or, in jail, open their
		/// repairs.
		ShardsHeld,
		/// The provider is in jail. Wait until it may come back, open the repairs of what it held, then `unjail`.
		Jailed,
		/// The provider is not in jail. There is nothing to do.
		NotJailed,
		/// It may not come back yet. Try again from the block that `ProviderJailed` named.
		JailedStill,
		/// The provider drains and takes nothing new. Register another one.
		Draining,
		/// Not enough of the provider's collateral is free for this shard. Add collateral.
		CollateralLacking,
		/// The shard does not fit into what is left of the provider's quota. Raise it.
		QuotaExceeded,
		/// Too many changes wait for the provider's answer. Answer the window that asks next, then try again.
		ChangesWaiting,
		/// The provider holds as many shards as it can. Register another one.
		TooManyShards,
		/// The order may not be stored in any of the provider's regions. Take another.
		WrongRegion,
		/// The order's owner cannot store it itself. Take another order.
		OwnOrder,
		/// A provider has at most one shard of an order. Take another order.
		ShardOfOrderHeld,
		/// The provider lost this shard itself, so another has to repair it.
		OwnLoss,
		/// There is no such order: it never was, or it was closed. See the dataset's record.
		UnknownOrder,
		/// The order has no such shard. Count from 0 to the code's total, excluded.
		UnknownShard,
		/// The code is not valid. Choose 1 ≤ data < total ≤ 80.
		InvalidCode,
		/// Not as many commitments as the code has shards. Give one for each.
		WrongShardCount,
		/// A shard's size is zero, above 1 GiB, or not a multiple of 256. Pad it, or choose a code with more data shards.
		InvalidShardSize,
		/// A commitment has not one root for each segment of 8 MiB. Commit to whole shards.
		WrongSegmentCount,
		/// Two shards are the same. Encode with a code that makes all shards differ.
		DuplicateShard,
		/// The price is below the floor. Offer at least what `storage_terms` says.
		PriceTooLow,
		/// The order would be paid for no window, or for more than `max_windows` to come. Choose another duration.
		InvalidDuration,
		/// The order would cost more than `max_escrow`. Allow more, or offer less.
		EscrowTooHigh,
		/// Price, size and duration multiply to more than a balance can be. Offer less.
		Overflow,
		/// Only the order's owner can do this.
		NotOwner,
		/// All shards have been placed, or the order is lost. Take open repairs instead.
		NotPlacing,
		/// The time for placing shards is over. Take another order; this one can be closed.
		PlacingOver,
		/// The order is not active. Wait until all shards are, or place a new one.
		NotActive,
		/// The order's last window has come or gone. Close it, and place a new one if it is needed.
		OrderEnded,
		/// The order still runs. Cancel it first, or wait until its end.
		OrderRunning,
		/// The order is lost. Close it, and place a new one.
		OrderLost,
		/// Another provider has this slot. Take another.
		SlotTaken,
		/// The shard is not accepted, repaired or held by this provider. Check it with `shards_of`.
		NotYourShard,
		/// The hash that draws the leaves is not known yet. Try again in the next block.
		NotDrawnYet,
		/// The window is not the current one. Answer the one that `challenge` names.
		WrongWindow,
		/// The window asks nothing of this provider: it holds nothing that was there before, or has answered. See
		/// `challenge`.
		NothingOwed,
		/// The proof is not for what the window asks now: a shard has left the provider since. Ask for the challenge and
		/// answer it again.
		QuestionChanged,
		/// The shard's provider is not jailed, and its first proof is not overdue. There is nothing to repair.
		ShardHeld,
		/// The shard needs no repairer: it is held, or another one repairs it.
		NoRepair,
		/// The repair is open. Take it with `take_repair`; the order can be lost only when its time is over.
		RepairOpen,
		/// Prove the current window before handing a shard over, so that nobody takes it for lost.
		ProofFirst,
		/// The tip is less than one unit for each shard. Give more.
		TipTooSmall,
		/// The key is zero, to which nothing can be sealed. Derive one from the account's seed, for a purchase with a salt.
		InvalidAccessKey,
		/// The grantee has no access key. It has to call `set_access_key` first.
		NoAccessKey,
		/// The sealed key is empty. Seal the file key to the grantee's access key.
		EmptySealedKey,
		/// The dataset may not be used for training. Allow it with `set_access`, or grant, list or buy without it.
		TrainingNotAllowed,
		/// That account has no access. See `grantees`.
		NoGrant,
		/// The owner's own access cannot be withdrawn. It ends with the order.
		OwnGrant,
		/// The provider does not declare that region. See `storage_provider`.
		RegionNotDeclared,
		/// A parameter is out of its bounds, which `MarketParameters::are_within_bounds` lists.
		ParametersOutOfBounds,
		/// Purchases of the dataset, or this account's, are not settled. Withdraw its listings, `finish` what is overdue and
		/// wait for the rest.
		SalesPending,
		/// The grant was sold, so its owner can neither withdraw nor replace it. It lasts until the buyer surrenders it.
		GrantWasSold,
		/// The dataset's visibility is not `Licensed`, so it is not for sale. Its owner can change that with `set_access`.
		NotForSale,
		/// A licence costs at least the existential deposit, so that any seller can be paid. Ask for more.
		LicenceTooCheap,
		/// There is no such listing: it never was, or was withdrawn. See `listings`.
		UnknownListing,
		/// The listing was withdrawn and takes no purchases. See `listings` for another of the dataset.
		ListingWithdrawn,
		/// The seller cannot buy from itself. As the dataset's owner it has access already.
		OwnListing,
		/// The listing's price is above `max_price`. Allow more, or buy elsewhere.
		PriceAboveLimit,
		/// The account has access to the dataset already. See `grant_of`.
		AccessHeld,
		/// The account has bought a licence for the dataset already. See `licence`; surrender it to buy another.
		AlreadyBought,
		/// The dataset's paid time ends before a purchase would be settled. Its owner has to renew the order first.
		OrderEndsTooSoon,
		/// There is no such purchase: it never was, was refunded or was surrendered. See the dataset's record.
		UnknownPurchase,
		/// Only the listing's seller can do this.
		NotSeller,
		/// Only the purchase's buyer can do this.
		NotBuyer,
		/// The sealed key is no 113 bytes of format version 1. Seal it with a client that knows this format.
		MalformedSealedKey,
		/// The key was delivered already. Wait for the buyer, or for the time to dispute to be over.
		AlreadyDelivered,
		/// The time to deliver is over. `finish` gives the buyer its money back.
		DeliveryTooLate,
		/// The seller has not delivered yet. Wait for it, or for the time to deliver to be over, then `finish`.
		NotDelivered,
		/// The purchase is settled: the buyer has its licence. There is nothing to do.
		AlreadyLicensed,
		/// The time to deliver, or to dispute, is not over. Try again after the block that the purchase names.
		PurchaseRunning,
		/// The time to dispute is over, so the delivery stands. `finish` pays the seller.
		DisputeTooLate,
		/// The secret does not belong to the purchase's key. Derive it from the account's secret and the purchase's salt.
		WrongSecret,
		/// The delivery opens to the key that the dataset is committed to. Use it; the purchase stands.
		DeliveryWasRight,
		/// The purchase has not led to a licence yet. Wait until it is settled.
		NotLicensed,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		/// Begins a window, and judges the next providers on the window before. What it does depends on the number of
		/// providers that are judged in a block, and not on the number of orders.
		fn on_initialize(_: BlockNumberFor<T>) -> Weight {
			let begun = Self::begin_window();
			let judged = Self::judge_next();
			let judging = T::WeightInfo::judge_providers(judged);
			if begun {
				judging.saturating_add(T::WeightInfo::begin_window())
			} else {
				judging
			}
		}

		fn integrity_test() {
			assert!(T::WindowBlocks::get() >= 2, "a window needs a block to answer in");
			assert!(T::JudgedPerBlock::get() > 0, "providers must be judged");
			assert!(
				T::DeliveryBlocks::get() > 0 && T::ConfirmationBlocks::get() > 0,
				"sellers and buyers need a block to act in"
			);
			assert!(
				Self::check_parameters(&T::InitialParameters::get()),
				"the initial parameters must be within their bounds"
			);
			let limits = T::BlockWeights::get();
			let hook = T::WeightInfo::begin_window()
				.saturating_add(T::WeightInfo::judge_providers(T::JudgedPerBlock::get()));
			assert!(
				hook.all_lte(limits.max_block.saturating_div(4)),
				"judging providers may take a quarter of a block at most"
			);
			let normal = limits.get(frame_support::dispatch::DispatchClass::Normal);
			let largest = [
				T::WeightInfo::place_order(MAX_SHARDS, opensand_primitives::storage::MAX_SEGMENTS),
				T::WeightInfo::close(MAX_SHARDS),
				T::WeightInfo::lose_order(MAX_SHARDS),
				T::WeightInfo::submit_possession(MAX_SAMPLES, MAX_WAITING as u32),
				T::WeightInfo::dispute(),
			];
			for weight in largest {
				assert!(
					normal.max_extrinsic.is_none_or(|max| weight.all_lte(max)),
					"the largest calls must fit into a block"
				);
			}
			assert!(
				*T::BlockLength::get()
					.max
					.get(frame_support::dispatch::DispatchClass::Normal)
					> MAX_PROOF_BYTES,
				"a proof must fit into a block"
			);
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call(weight = T::WeightInfo)]
	impl<T: Config> Pallet<T> {
		/// Makes the caller a provider and holds its collateral, of which every shard reserves a part.
		#[pallet::call_index(0)]
		pub fn register_provider(
			origin: OriginFor<T>,
			terms: ProviderTerms,
			collateral: Balance,
		) -> DispatchResult {
			Self::add_provider(ensure_signed(origin)?, terms, collateral)
		}

		/// Changes what the provider says of itself. While it has shards its quota cannot go below what is committed, and
		/// no region can be given up.
		#[pallet::call_index(1)]
		pub fn update_provider(origin: OriginFor<T>, terms: ProviderTerms) -> DispatchResult {
			Self::change_provider(ensure_signed(origin)?, terms)
		}

		/// Adds to the provider's collateral.
		#[pallet::call_index(2)]
		pub fn add_collateral(origin: OriginFor<T>, amount: Balance) -> DispatchResult {
			Self::raise_collateral(ensure_signed(origin)?, amount)
		}

		/// Takes back collateral that no shard has reserved. Only an exit takes it all.
		#[pallet::call_index(3)]
		pub fn withdraw_collateral(origin: OriginFor<T>, amount: Balance) -> DispatchResult {
			Self::lower_collateral(ensure_signed(origin)?, amount)
		}

		/// Begins to leave: the provider takes nothing new, and goes on proving what it has. There is no way back but to
		/// exit and to register again.
		#[pallet::call_index(4)]
		pub fn drain(origin: OriginFor<T>) -> DispatchResult {
			Self::begin_exit(ensure_signed(origin)?)
		}

		/// Leaves with all collateral, once the delay after `drain` is over and the provider has no shards.
		#[pallet::call_index(5)]
		pub fn exit(origin: OriginFor<T>) -> DispatchResult {
			Self::remove_provider(ensure_signed(origin)?)
		}

		/// Comes back from jail, when its time is over and everything that the provider held was opened for repair.
		#[pallet::call_index(6)]
		pub fn unjail(origin: OriginFor<T>) -> DispatchResult {
			Self::release_provider(ensure_signed(origin)?)
		}

		/// Places an order and holds what it costs: price times MiB of a shard times shards times windows, and a deposit
		/// for the room in the state.
		///
		/// - `shards`: the commitments, one for each shard of the code.
		/// - `sealed_key`: the file key, sealed to the owner itself; the plain one if the data are public.
		/// - `supersedes`: an order of the owner's whose data this one has under a new key.
		/// - `max_escrow`: the most that may be held for storage; the deposit is apart.
		#[pallet::call_index(7)]
		#[pallet::weight(T::WeightInfo::place_order(
			shards.len() as u32,
			shards.iter().map(|shard| shard.segments.len() as u32).max().unwrap_or(0),
		))]
		pub fn place_order(
			origin: OriginFor<T>,
			terms: OrderTerms,
			shards: BoundedVec<ShardCommitment, ConstU32<MAX_SHARDS>>,
			sealed_key: SealedKey,
			supersedes: Option<OrderId>,
			max_escrow: Balance,
		) -> DispatchResult {
			Self::open_order(
				ensure_signed(origin)?,
				terms,
				shards,
				sealed_key,
				supersedes,
				max_escrow,
			)
		}

		/// Pays an active order for more windows, at its price, which may not be below the floor now.
		#[pallet::call_index(8)]
		pub fn renew(origin: OriginFor<T>, order: OrderId, windows: WindowIndex) -> DispatchResult {
			Self::extend_order(ensure_signed(origin)?, order, windows)
		}

		/// Adds a tip, which the providers of an order get in equal parts at the next settlement. Anyone can.
		#[pallet::call_index(9)]
		pub fn top_up(origin: OriginFor<T>, order: OrderId, tip: Balance) -> DispatchResult {
			Self::add_tip(ensure_signed(origin)?, order, tip)
		}

		/// Ends an order. One that is not yet active closes at once. An active one is paid up to the end of the current
		/// window, so that nothing that was proven goes unpaid, and can be closed then; the rest of the escrow is given
		/// back at once.
		#[pallet::call_index(10)]
		#[pallet::weight(T::WeightInfo::cancel(MAX_SHARDS).max(T::WeightInfo::close(MAX_SHARDS)))]
		pub fn cancel(origin: OriginFor<T>, order: OrderId) -> DispatchResultWithPostInfo {
			let shards = Self::end_order(ensure_signed(origin)?, order)?;
			let weight = T::WeightInfo::cancel(shards).max(T::WeightInfo::close(shards));
			Ok(Some(weight).into())
		}

		/// Closes an order whose last window has passed or whose shards were not placed in time: pays what is due, gives
		/// the rest to the owner and the collateral back to the providers. Anyone can. A lost order is closed by its owner.
		#[pallet::call_index(11)]
		#[pallet::weight(T::WeightInfo::close(MAX_SHARDS))]
		pub fn close(origin: OriginFor<T>, order: OrderId) -> DispatchResultWithPostInfo {
			let shards = Self::close_order(ensure_signed(origin)?, order)?;
			Ok(Some(T::WeightInfo::close(shards)).into())
		}

		/// Takes an open slot, and reserves collateral for it. The provider, or its agent, then fetches the shard and owes
		/// the first proof.
		#[pallet::call_index(12)]
		pub fn accept(origin: OriginFor<T>, order: OrderId, shard: ShardIndex) -> DispatchResult {
			Self::fill_slot(ensure_signed(origin)?, order, shard)
		}

		/// Shows the leaves of an accepted or rebuilt shard that the hash of block `drawn_at` draws. A good proof makes the
		/// shard active, and pays a repairer. A wrong or late one costs a part of the shard's collateral and opens the slot
		/// again; the call succeeds then too, for what it did has to last.
		#[pallet::call_index(13)]
		#[pallet::weight(T::WeightInfo::first_proof(MAX_SAMPLES))]
		pub fn first_proof(
			origin: OriginFor<T>,
			order: OrderId,
			shard: ShardIndex,
			proof: ProofBytes,
		) -> DispatchResultWithPostInfo {
			let samples = Self::prove_first(ensure_signed(origin)?, order, shard, &proof)?;
			Ok(Some(T::WeightInfo::first_proof(samples)).into())
		}

		/// Answers the current window with a proof over everything that the provider holds. A good answer is free of fee
		/// and makes the window count; a wrong one is a fault at once, and the window is not asked again.
		#[pallet::call_index(14)]
		#[pallet::weight(T::WeightInfo::submit_possession(MAX_SAMPLES, MAX_WAITING as u32))]
		pub fn submit_possession(
			origin: OriginFor<T>,
			window: WindowIndex,
			proof: ProofBytes,
		) -> DispatchResultWithPostInfo {
			let answer = Self::answer_window(ensure_signed(origin)?, window, &proof)?;
			let weight = T::WeightInfo::submit_possession(answer.samples, answer.changes);
			let pays = if answer.good { Pays::No } else { Pays::Yes };
			Ok((Some(weight), pays).into())
		}

		/// Pays the providers of an order for the windows that they have proven up to now, and tips; opens slots whose
		/// first proofs are overdue. Anyone can.
		#[pallet::call_index(15)]
		#[pallet::weight(T::WeightInfo::settle(MAX_SHARDS))]
		pub fn settle(origin: OriginFor<T>, order: OrderId) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			let shards = Self::settle_order(order)?;
			Ok(Some(T::WeightInfo::settle(shards)).into())
		}

		/// Gives up one shard that the provider has lost. It costs the shard's collateral, which pays its repair, and
		/// nothing else.
		#[pallet::call_index(16)]
		pub fn declare_lost(origin: OriginFor<T>, order: OrderId, shard: ShardIndex) -> DispatchResult {
			Self::give_up(ensure_signed(origin)?, order, shard)
		}

		/// Lets a draining provider that has proven the current window hand a shard over: it pays the repair with a part
		/// of the shard's collateral and has the rest back.
		#[pallet::call_index(17)]
		pub fn hand_over(origin: OriginFor<T>, order: OrderId, shard: ShardIndex) -> DispatchResult {
			Self::leave_shard(ensure_signed(origin)?, order, shard)
		}

		/// Opens the repair of a shard whose provider is in jail, or opens a slot again whose first proof is overdue. If
		/// its repair's time is over and too few shards are left to restore the data, the order is lost, and its owner is
		/// compensated. Anyone can.
		#[pallet::call_index(18)]
		#[pallet::weight(T::WeightInfo::open_repair().max(T::WeightInfo::lose_order(MAX_SHARDS)))]
		pub fn open_repair(
			origin: OriginFor<T>,
			order: OrderId,
			shard: ShardIndex,
		) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			let lost = Self::open_shard(order, shard)?;
			let weight = lost.map_or_else(T::WeightInfo::open_repair, T::WeightInfo::lose_order);
			Ok(Some(weight).into())
		}

		/// Takes a repair at the reward that it stands at now. The provider, or its agent, then rebuilds the shard and owes
		/// the first proof.
		#[pallet::call_index(19)]
		pub fn take_repair(origin: OriginFor<T>, order: OrderId, shard: ShardIndex) -> DispatchResult {
			Self::take_auction(ensure_signed(origin)?, order, shard)
		}

		/// Tells to which X25519 key the caller wants file keys sealed.
		#[pallet::call_index(20)]
		pub fn set_access_key(origin: OriginFor<T>, key: [u8; 32]) -> DispatchResult {
			Self::put_access_key(ensure_signed(origin)?, key)
		}

		/// Gives an account access to a dataset, or replaces what it was given: its file key, sealed to the account's
		/// access key.
		#[pallet::call_index(21)]
		pub fn grant(
			origin: OriginFor<T>,
			order: OrderId,
			grantee: AccountId,
			sealed_key: SealedKey,
			training: bool,
		) -> DispatchResult {
			Self::put_grant(ensure_signed(origin)?, order, grantee, sealed_key, training)
		}

		/// Withdraws an account's access and gives the deposit back, also when the order has closed. What the account has
		/// read it keeps: store the data under a new key (`supersedes`) to protect what comes.
		#[pallet::call_index(22)]
		pub fn revoke(origin: OriginFor<T>, order: OrderId, grantee: AccountId) -> DispatchResult {
			Self::remove_grant(ensure_signed(origin)?, order, grantee)
		}

		/// Changes who may be given the dataset's key and whether it may be used for training.
		#[pallet::call_index(23)]
		pub fn set_access(
			origin: OriginFor<T>,
			order: OrderId,
			visibility: Visibility,
			training: bool,
		) -> DispatchResult {
			Self::change_access(ensure_signed(origin)?, order, visibility, training)
		}

		/// Takes a region off a provider that is not there, for good. What it holds stays with it; owners see the event.
		#[pallet::call_index(24)]
		pub fn strike_region(origin: OriginFor<T>, provider: AccountId, region: Region) -> DispatchResult {
			T::StrikeOrigin::ensure_origin(origin)?;
			Self::strike(provider, region)
		}

		/// Sets the market's parameters. Terms that orders, shards and windows have already stay as they are.
		#[pallet::call_index(25)]
		pub fn set_parameters(origin: OriginFor<T>, parameters: MarketParameters) -> DispatchResult {
			T::ParameterOrigin::ensure_origin(origin)?;
			Self::change_parameters(parameters)
		}

		/// Offers licences for the caller's dataset, and holds a deposit for the listing's room. A listing never changes:
		/// withdraw it and list anew instead.
		///
		/// - `price`: what a licence costs, at least the existential deposit.
		/// - `training`: whether licensees may train models on the data, which the dataset has to allow.
		/// - `terms`: a hash of the licence's text, opaque to the chain.
		#[pallet::call_index(26)]
		pub fn list_dataset(
			origin: OriginFor<T>,
			order: OrderId,
			price: Balance,
			training: bool,
			terms: [u8; 32],
		) -> DispatchResult {
			Self::open_listing(ensure_signed(origin)?, order, price, training, terms)
		}

		/// Takes no more purchases of a listing. Those that are pending go on; the deposit comes back when none is.
		#[pallet::call_index(27)]
		pub fn withdraw_listing(origin: OriginFor<T>, listing: ListingId) -> DispatchResult {
			Self::close_listing(ensure_signed(origin)?, listing)
		}

		/// Buys a licence: holds its price until the seller has delivered, and a deposit for its room.
		///
		/// - `max_price`: the most that the licence may cost.
		/// - `key`: the X25519 key to which the seller shall seal the file key. Make it for this purchase alone, for a
		///   dispute discloses its secret.
		#[pallet::call_index(28)]
		pub fn buy(
			origin: OriginFor<T>,
			listing: ListingId,
			max_price: Balance,
			key: PurchaseKey,
		) -> DispatchResult {
			Self::open_purchase(ensure_signed(origin)?, listing, max_price, key)
		}

		/// Delivers what was bought: the file key, sealed to the purchase's key. Holds a bond, which is the buyer's if it
		/// proves that the delivery is wrong.
		#[pallet::call_index(29)]
		pub fn deliver(origin: OriginFor<T>, purchase: PurchaseId, sealed_key: SealedKey) -> DispatchResult {
			Self::take_delivery(ensure_signed(origin)?, purchase, sealed_key)
		}

		/// Confirms that the delivery is right: pays the seller, frees its bond and gives the buyer its licence.
		#[pallet::call_index(30)]
		pub fn confirm(origin: OriginFor<T>, purchase: PurchaseId) -> DispatchResult {
			Self::accept_delivery(ensure_signed(origin)?, purchase)
		}

		/// Settles a purchase whose time is over: gives the buyer its money back if nothing was delivered, or if the data
		/// were lost, and else does what `confirm` does. Anyone can.
		#[pallet::call_index(31)]
		pub fn finish(origin: OriginFor<T>, purchase: PurchaseId) -> DispatchResult {
			Self::settle_purchase(ensure_signed(origin)?, purchase)
		}

		/// Proves that a delivery is wrong, by disclosing the secret of the purchase's key: the chain opens the delivery and
		/// compares it with the key's commitment. If it is wrong the buyer has its money back and the seller's bond.
		///
		/// Open the delivery before: whoever discloses the secret of a right one is refused (`DeliveryWasRight`), and gives
		/// the dataset's key away.
		#[pallet::call_index(32)]
		pub fn dispute(origin: OriginFor<T>, purchase: PurchaseId, secret: [u8; 32]) -> DispatchResult {
			Self::judge_delivery(ensure_signed(origin)?, purchase, secret)
		}

		/// Gives a licence up: removes it and gives the buyer its deposit back.
		#[pallet::call_index(33)]
		pub fn surrender(origin: OriginFor<T>, purchase: PurchaseId) -> DispatchResult {
			Self::remove_licence(ensure_signed(origin)?, purchase)
		}
	}

	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// The market's parameters now.
		pub fn storage_terms() -> StorageTerms {
			Self::terms_now()
		}

		/// What is recorded of a provider.
		pub fn storage_provider(provider: AccountId) -> Option<ProviderRecord> {
			Providers::<T>::get(provider).map(|provider| provider.record)
		}

		/// The provider whose agent an account is.
		pub fn provider_of_agent(agent: AccountId) -> Option<AccountId> {
			ProviderOfAgent::<T>::get(agent)
		}

		/// An order.
		pub fn order(order: OrderId) -> Option<OrderRecord> {
			Orders::<T>::get(order).map(|order| order.record)
		}

		/// The shards of an order, by index.
		pub fn shards(order: OrderId) -> Vec<ShardView> {
			Self::shards_by_index(order)
		}

		/// The segment roots of a shard.
		pub fn segment_roots(order: OrderId, shard: ShardIndex) -> Vec<[u8; 32]> {
			Commitments::<T>::get(order, shard).map_or_else(Vec::new, |shard| shard.segments.into_inner())
		}

		/// The orders of an owner from `from` on, in the order of their ids, at most `limit` of them.
		pub fn orders_of(owner: AccountId, from: OrderId, limit: u32) -> Vec<OrderId> {
			Self::orders_from(&owner, from, limit)
		}

		/// Slots that `provider` could take now, of orders from `from` on, at most `limit` of them.
		pub fn open_slots(provider: AccountId, from: OrderId, limit: u32) -> Vec<OpenSlot> {
			Self::slots_from(&provider, from, limit)
		}

		/// The shards that a provider has accepted, repairs or holds, from `from` on, at most `limit` of them.
		pub fn shards_of(provider: AccountId, from: (OrderId, ShardIndex), limit: u32) -> Vec<ShardView> {
			Self::shards_from(&provider, from, limit)
		}

		/// What a provider has to prove in the current window; `None` if nothing, or nothing any more.
		pub fn challenge(provider: AccountId) -> Option<Challenge> {
			Self::window_challenge(&provider)
		}

		/// What the first proof of an accepted or repaired shard has to show; `None` until its leaves are drawn.
		pub fn first_challenge(order: OrderId, shard: ShardIndex) -> Option<Challenge> {
			Self::shard_challenge(order, shard)
		}

		/// The X25519 key to which an account wants file keys sealed.
		pub fn access_key(account: AccountId) -> Option<[u8; 32]> {
			AccessKeys::<T>::get(account)
		}

		/// The access that an account has to a dataset. That of everyone, if it is public.
		pub fn grant_of(order: OrderId, grantee: AccountId) -> Option<Grant> {
			Self::access_of(order, &grantee)
		}

		/// Who was given access to a dataset, without its owner.
		pub fn grantees(order: OrderId, limit: u32) -> Vec<AccountId> {
			Self::grantees_of(order, limit)
		}

		/// A dataset's record from entry `from` on, at most `limit` entries.
		pub fn dataset_events(order: OrderId, from: u32, limit: u32) -> Vec<DatasetEvent> {
			Self::events_from(order, from, limit)
		}

		/// A listing; `None` if it never was, or was withdrawn and nothing is pending.
		pub fn listing(listing: ListingId) -> Option<Listing> {
			Listings::<T>::get(IdKey::new(listing)).map(|entry| entry.listing)
		}

		/// The open listings of all sellers from `from` on, in the order of their ids, at most `limit` of them.
		pub fn listings(from: ListingId, limit: u32) -> Vec<(ListingId, Listing)> {
			Self::listings_from(from, limit)
		}

		/// The listings of a seller from `from` on, in the order of their ids, at most `limit` of them.
		pub fn listings_of(seller: AccountId, from: ListingId, limit: u32) -> Vec<(ListingId, Listing)> {
			Self::listings_by(&seller, from, limit)
		}

		/// A purchase; `None` if it never was, or was refunded or surrendered.
		pub fn purchase(purchase: PurchaseId) -> Option<Purchase> {
			Purchases::<T>::get(purchase).map(|entry| entry.purchase)
		}

		/// The purchases of a buyer from `from` on, in the order of their ids, at most `limit` of them.
		pub fn purchases_of(buyer: AccountId, from: PurchaseId, limit: u32) -> Vec<(PurchaseId, Purchase)> {
			Self::purchases_by(&buyer, from, limit)
		}

		/// The purchases that await a seller's delivery from `from` on, in the order of their ids, at most `limit` of them.
		pub fn deliveries_due(
			seller: AccountId,
			from: PurchaseId,
			limit: u32,
		) -> Vec<(PurchaseId, Purchase)> {
			Self::deliveries_from(&seller, from, limit)
		}

		/// A buyer's purchase of a licence for a dataset, pending or licensed.
		pub fn licence(order: OrderId, buyer: AccountId) -> Option<PurchaseId> {
			LicenceOf::<T>::get(order, buyer)
		}

		/// All parameters that governance can set.
		pub fn parameters() -> MarketParameters {
			Parameters::<T>::get()
		}
	}
}
