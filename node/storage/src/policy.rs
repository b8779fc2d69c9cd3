//! Decides on slots and repairs that the chain offers.

use opensand_primitives::{
	storage::{OpenSlot, OrderRecord, ProviderRecord, ProviderStatus},
	AccountId, Balance,
};

use crate::config::Policy;

/// Bytes of a MiB, the unit of prices.
const MIB: u64 = 1 << 20;
/// The most that the manifest of an order takes beside its shard.
const MANIFEST_BYTES: u64 = MIB;

/// What the provider could still take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
	/// Bytes on disk, less those of shards that are being fetched or were just bid for.
	pub disk: u64,
	/// Bytes of the quota that the chain knows, less those that are committed or were just bid for.
	pub quota: u64,
	/// Collateral that no shard has reserved, less that of slots that were just bid for.
	pub collateral: Balance,
}

impl Room {
	/// The room that `record` leaves, with `disk` bytes free.
	pub fn new(record: &ProviderRecord, disk: u64) -> Self {
		Self {
			disk,
			quota: record.terms.quota.saturating_sub(record.committed),
			collateral: record.collateral.saturating_sub(record.reserved),
		}
	}

	/// What is left when a slot is taken.
	pub fn without(self, slot: &OpenSlot) -> Self {
		Self {
			disk: self.disk.saturating_sub(disk_bytes(slot.bytes)),
			quota: self.quota.saturating_sub(slot.bytes),
			collateral: self.collateral.saturating_sub(slot.collateral),
		}
	}
}

/// Why a slot is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
	/// The provider takes nothing: told not to bid, draining or jailed.
	NotBidding,
	/// It pays less than the operator wants.
	Price,
	/// The repair's reward is less than the operator wants; it rises.
	Reward,
	/// It must be in other regions.
	Region,
	/// Too big for what is left of the quota or the disk.
	Space,
	/// Too little collateral is free.
	Collateral,
	/// The owner is the provider itself, or refused.
	Owner,
}

/// What a shard of `bytes` takes on disk, at most: the blocks of its DAG and proof cache, and the manifest.
pub fn disk_bytes(bytes: u64) -> u64 {
	// Inner nodes and the proof cache are under a thousandth of the shard each.
	bytes.saturating_add(bytes / 256).saturating_add(MANIFEST_BYTES)
}

/// Whether a slot is worth taking, as far as the slot itself tells. [`judge_order`] has the last word.
pub fn judge_slot(
	policy: &Policy,
	record: &ProviderRecord,
	room: &Room,
	slot: &OpenSlot,
) -> Result<(), Unfit> {
	if !policy.bid || record.status != ProviderStatus::Active {
		return Err(Unfit::NotBidding);
	}
	if slot.price < policy.price_floor {
		return Err(Unfit::Price);
	}
	let wanted = policy
		.repair_floor
		.saturating_mul(slot.bytes.div_ceil(MIB).into());
	if slot.repair && slot.reward < wanted {
		return Err(Unfit::Reward);
	}
	if !slot.regions.is_empty() {
		// Both must say so: the operator may have moved and not yet told the chain, or governance may have struck a region.
		let declared = |region| policy.regions.contains(region) && record.terms.regions.contains(region);
		if !slot.regions.iter().any(declared) {
			return Err(Unfit::Region);
		}
	}
	if slot.bytes > room.quota || disk_bytes(slot.bytes) > room.disk {
		return Err(Unfit::Space);
	}
	if slot.collateral > room.collateral {
		return Err(Unfit::Collateral);
	}
	Ok(())
}

/// Whether an order's owner is one to store for.
pub fn judge_order(
	policy: &Policy,
	provider: &AccountId,
	record: &ProviderRecord,
	order: &OrderRecord,
) -> Result<(), Unfit> {
	let owner = &order.owner;
	if owner == provider || *owner == record.terms.agent || policy.refused_owners.contains(owner) {
		return Err(Unfit::Owner);
	}
	Ok(())
}

#[cfg(test)]
mod tests {
	use super::*;
	use opensand_primitives::storage::{
		ErasureCode, OrderStatus, OrderTerms, ProviderTerms, Region, Visibility,
	};

	const GIB: u64 = 1 << 30;

	fn region(text: &str) -> Region {
		Region::new(text).unwrap()
	}

	fn record() -> ProviderRecord {
		ProviderRecord {
			terms: ProviderTerms {
				agent: AccountId::new([2; 32]),
				peer: [3; 32],
				addresses: Default::default(),
				regions: vec![region("eu-west"), region("eu-east")].try_into().unwrap(),
				quota: 10 * GIB,
			},
			collateral: 1000,
			reserved: 400,
			committed: 4 * GIB,
			status: ProviderStatus::Active,
			proven: 0,
			faults: 0,
		}
	}

	fn policy() -> Policy {
		Policy {
			price_floor: 10,
			repair_floor: 3,
			regions: vec![region("eu-west")],
			refused_owners: vec![AccountId::new([9; 32])],
			..Policy::default()
		}
	}

	fn slot() -> OpenSlot {
		OpenSlot {
			order: 1,
			shard: 2,
			bytes: GIB,
			price: 10,
			collateral: 600,
			reward: 0,
			repair: false,
			regions: Default::default(),
		}
	}

	fn judge(change: impl FnOnce(&mut Policy, &mut ProviderRecord, &mut OpenSlot)) -> Result<(), Unfit> {
		let (mut policy, mut record, mut slot) = (policy(), record(), slot());
		change(&mut policy, &mut record, &mut slot);
		judge_slot(&policy, &record, &Room::new(&record, 8 * GIB), &slot)
	}

	#[test]
	fn a_slot_that_fits_is_taken() {
		assert_eq!(judge(|_, _, _| {}), Ok(()));
	}

	#[test]
	fn each_reason_counts() {
		assert_eq!(judge(|policy, _, _| policy.bid = false), Err(Unfit::NotBidding));
		assert_eq!(
			judge(|_, record, _| record.status = ProviderStatus::Draining),
			Err(Unfit::NotBidding)
		);
		assert_eq!(
			judge(|_, record, _| record.status = ProviderStatus::Jailed { until: 5 }),
			Err(Unfit::NotBidding)
		);
		assert_eq!(judge(|_, _, slot| slot.price = 9), Err(Unfit::Price));
		assert_eq!(judge(|_, _, slot| slot.collateral = 601), Err(Unfit::Collateral));
		assert_eq!(judge(|_, _, slot| slot.bytes = 6 * GIB + 1), Err(Unfit::Space));
		assert_eq!(judge(|_, _, slot| slot.bytes = u64::MAX), Err(Unfit::Space));
		assert_eq!(
			judge(|_, record, _| record.committed = u64::MAX),
			Err(Unfit::Space)
		);
	}

	#[test]
	fn the_disk_counts_beside_the_quota() {
		let (policy, record, slot) = (policy(), record(), slot());
		let judge = |disk| judge_slot(&policy, &record, &Room::new(&record, disk), &slot);
		assert_eq!(judge(disk_bytes(GIB)), Ok(()));
		assert_eq!(judge(disk_bytes(GIB) - 1), Err(Unfit::Space));
		let room = Room::new(&record, 8 * GIB).without(&slot);
		assert_eq!(room.collateral, 0);
		assert_eq!(room.quota, 5 * GIB);
		assert_eq!(judge_slot(&policy, &record, &room, &slot), Err(Unfit::Collateral));
	}

	#[test]
	fn a_repair_needs_its_reward() {
		let repair = |reward| {
			judge(|_, _, slot| {
				slot.repair = true;
				slot.reward = reward;
			})
		};
		assert_eq!(repair(3 * 1024), Ok(()));
		assert_eq!(repair(3 * 1024 - 1), Err(Unfit::Reward));
	}

	#[test]
	fn regions_must_be_declared_twice() {
		let regions = |text| {
			judge(|_, _, slot| slot.regions = vec![region("us-east"), region(text)].try_into().unwrap())
		};
		assert_eq!(regions("eu-west"), Ok(()));
		assert_eq!(regions("eu-east"), Err(Unfit::Region), "on chain only");
		assert_eq!(regions("ap-south"), Err(Unfit::Region));
		let struck = judge(|_, record, slot| {
			record.terms.regions = Default::default();
			slot.regions = vec![region("eu-west")].try_into().unwrap();
		});
		assert_eq!(struck, Err(Unfit::Region), "struck by governance");
	}

	#[test]
	fn nobody_stores_for_itself() {
		let order = |owner: u8| OrderRecord {
			owner: AccountId::new([owner; 32]),
			terms: OrderTerms {
				manifest: [0; 32],
				code: ErasureCode::DEFAULT,
				shard_bytes: 256,
				price: 1,
				windows: 1,
				regions: Default::default(),
				visibility: Visibility::Private,
				training: false,
				key_commitment: [0; 32],
			},
			escrow: 0,
			status: OrderStatus::Placing { deadline: 1 },
			placed_at: 0,
			supersedes: None,
		};
		let provider = AccountId::new([1; 32]);
		let judge = |owner| judge_order(&policy(), &provider, &record(), &order(owner));
		assert_eq!(judge(1), Err(Unfit::Owner), "the provider");
		assert_eq!(judge(2), Err(Unfit::Owner), "its agent");
		assert_eq!(judge(9), Err(Unfit::Owner), "refused");
		assert_eq!(judge(5), Ok(()));
	}
}
