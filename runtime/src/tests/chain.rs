//! Makes blocks as Alice's node does.

use codec::Encode;
use sp_consensus_babe::{
	digests::{PreDigest, PrimaryPreDigest},
	make_vrf_transcript, BABE_ENGINE_ID,
};
use sp_core::crypto::VrfSecret;
use sp_keyring::Sr25519Keyring;
use sp_runtime::{
	generic::{Digest, DigestItem},
	traits::Header as _,
};

use crate::{constants::time, Babe, BlockNumber, Executive, Hash, Header, System, UncheckedExtrinsic};

/// Any slot will do for the first block: the chain counts from it.
const FIRST_SLOT: u64 = 900_000_000;

/// The head of a chain whose state is that of the surrounding externalities.
pub struct Chain {
	parent: Hash,
	number: BlockNumber,
	slot: u64,
}

impl Chain {
	/// A chain of which only genesis exists.
	pub fn start() -> Self {
		System::set_block_number(0);
		Self {
			parent: System::block_hash(0),
			number: 0,
			slot: FIRST_SLOT - 1,
		}
	}

	/// Opens a block in the next slot, with a claim of that slot and the time; transactions can be applied then.
	pub fn open(&mut self) {
		self.open_after(1);
	}

	/// Opens a block `slots` slots after the last one.
	pub fn open_after(&mut self, slots: u64) {
		self.number += 1;
		self.slot += slots;
		let epoch = pallet_babe::EpochIndex::<crate::Runtime>::get();
		let transcript = make_vrf_transcript(&Babe::randomness(), self.slot.into(), epoch);
		let claim = PreDigest::Primary(PrimaryPreDigest {
			authority_index: 0,
			slot: self.slot.into(),
			vrf_signature: Sr25519Keyring::Alice.pair().vrf_sign(&transcript.into()),
		});
		let digest = Digest {
			logs: vec![DigestItem::PreRuntime(BABE_ENGINE_ID, claim.encode())],
		};
		Executive::initialize_block(&Header::new(
			self.number,
			Default::default(),
			Default::default(),
			self.parent,
			digest,
		));
		let now = pallet_timestamp::Call::set {
			now: self.slot * time::SLOT_DURATION_MS,
		};
		Executive::apply_extrinsic(UncheckedExtrinsic::new_bare(now.into()))
			.expect("the inherent is valid")
			.expect("the inherent applies");
	}

	/// Closes the open block.
	pub fn close(&mut self) -> Header {
		let header = Executive::finalize_block();
		self.parent = header.hash();
		header
	}
}
