//! The key of a purchase: made by its buyer for it alone, and what the seller sealed to it.
//!
//! The secret follows from the account's own and the salt that stands in the purchase, so that nothing has to be kept
//! but the account's key. It opens one delivery. Whoever discloses it gives away what that delivery holds: nothing if it
//! is wrong, and the dataset's key if it is right.

use opensand_primitives::{
	market::{Purchase, PurchaseKey, PurchaseStatus, RefundReason},
	BlockNumber, OrderId, PurchaseId,
};
use opensand_slices::{
	open_key, seal_key, AccessSecret, Context, FileKey, OpenKeyError, SealKeyError, SEALED_KEY_BYTES,
};
use rand::{rngs::OsRng, RngCore};
use thiserror::Error;

use crate::keys::AccountKey;

/// Why a purchase does not go on.
#[derive(Debug, Error)]
pub enum PurchaseError {
	/// The secret does not follow from this account's key.
	#[error("the key of purchase {0} was not made by this client from this account's key")]
	ForeignKey(PurchaseId),
	/// The seller did not deliver the dataset's key.
	#[error("the delivery of purchase {purchase} is wrong: {source}")]
	Wrong {
		/// The purchase.
		purchase: PurchaseId,
		/// The last block in which the chain takes a dispute.
		dispute_by: BlockNumber,
		/// What is wrong with it.
		source: WrongDelivery,
	},
	/// The delivery is the dataset's key.
	#[error(
		"the delivery of purchase {purchase} is right: it holds the key to which order {order} commits. Disclosing its \
		 secret would give that key to everybody, and the chain would refuse the dispute"
	)]
	Right {
		/// The purchase.
		purchase: PurchaseId,
		/// The dataset.
		order: OrderId,
	},
	/// The key is not there yet.
	#[error("purchase {purchase} is not delivered yet: the seller has until block {deliver_by}")]
	Undelivered {
		/// The purchase.
		purchase: PurchaseId,
		/// The last block in which a delivery is taken.
		deliver_by: BlockNumber,
	},
	/// Its time is not over.
	#[error("purchase {purchase} cannot be finished before block {after} has passed")]
	NotDue {
		/// The purchase.
		purchase: PurchaseId,
		/// The last block in which the other side may act.
		after: BlockNumber,
	},
	/// The seller is paid.
	#[error("purchase {0} is settled: the seller is paid, and the buyer has the licence")]
	Settled(PurchaseId),
	/// There is no licence yet.
	#[error("purchase {0} is not settled: there is no licence to give up")]
	Unlicensed(PurchaseId),
	/// The buyer has its money back.
	#[error("purchase {purchase} was refunded: {}", refund_text(reason))]
	Refunded {
		/// The purchase.
		purchase: PurchaseId,
		/// Why, as far as the dataset's record tells.
		reason: Option<RefundReason>,
	},
}

impl PurchaseError {
	/// The process's exit code for it.
	pub fn exit_code(&self) -> u8 {
		match self {
			Self::Right { .. } => 2,
			Self::Settled(_) | Self::Unlicensed(_) | Self::Refunded { .. } => 3,
			Self::Undelivered { .. } | Self::NotDue { .. } => 5,
			Self::ForeignKey(_) | Self::Wrong { .. } => 6,
		}
	}

	/// What to do about it.
	pub fn remedy(&self) -> Option<String> {
		let text = match self {
			Self::ForeignKey(_) => "use the key of the account, and the software, that made the purchase".to_owned(),
			Self::Wrong {
				purchase, dispute_by, ..
			} => format!(
				"`opensand market dispute {purchase}` proves it to the chain, up to block {dispute_by}: the price is returned, \
				 and the seller's bond is paid to you"
			),
			Self::Right { purchase, order } => format!(
				"`opensand market confirm {purchase}` pays the seller; `opensand store get {order}` reads the data then"
			),
			Self::Undelivered { purchase, .. } => {
				format!("wait, or `opensand market finish {purchase}` after that block: the price is returned")
			}
			Self::NotDue { .. } => "run the same command again after that block".to_owned(),
			Self::Settled(purchase) => {
				format!("`opensand store get` reads the data; `opensand market surrender {purchase}` gives the licence up")
			}
			Self::Unlicensed(purchase) => format!("`opensand market confirm {purchase}` settles it once it is delivered"),
			Self::Refunded { .. } => {
				"the price is in the account again; `opensand market browse` shows what else is offered".to_owned()
			}
		};
		Some(text)
	}
}

/// Why a buyer got its money back, for people.
fn refund_text(reason: &Option<RefundReason>) -> &'static str {
	match reason {
		Some(RefundReason::Undelivered) => "the seller delivered nothing in time",
		Some(RefundReason::WrongDelivery) => "what the seller delivered was proven wrong",
		Some(RefundReason::DataLost) => "the data were lost",
		None => "the chain does not record it any more",
	}
}

/// What is wrong with a delivery; each of these the chain finds as well when the secret is disclosed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum WrongDelivery {
	/// It is not sealed to the purchase's key for this dataset and buyer.
	#[error("it does not open: {0}")]
	Unopenable(#[from] OpenKeyError),
	/// It holds something else.
	#[error("it opens, and holds another key than the one to which the order commits")]
	OtherKey,
}

/// Makes the key of a new purchase.
pub fn new_key(genesis: &[u8; 32], buyer: &AccountKey) -> PurchaseKey {
	let mut salt = [0; 16];
	OsRng.fill_bytes(&mut salt);
	PurchaseKey {
		public: buyer.purchase_secret(genesis, &salt).public_key(),
		salt,
	}
}

/// The secret of a purchase's key.
///
/// # Errors
/// When the key does not follow from the buyer's own.
pub fn secret(
	genesis: &[u8; 32],
	buyer: &AccountKey,
	id: PurchaseId,
	purchase: &Purchase,
) -> Result<AccessSecret, PurchaseError> {
	let secret = buyer.purchase_secret(genesis, &purchase.key.salt);
	if secret.public_key() != purchase.key.public || buyer.account() != purchase.buyer {
		return Err(PurchaseError::ForeignKey(id));
	}
	Ok(secret)
}

/// Seals the dataset's key to a purchase's.
///
/// # Errors
/// When the buyer's key keeps no secret.
pub fn seal(
	genesis: [u8; 32],
	purchase: &Purchase,
	file_key: &FileKey,
) -> Result<[u8; SEALED_KEY_BYTES], SealKeyError> {
	seal_key(&context(genesis, purchase), file_key, &purchase.key.public)
}

/// The dataset's key from what the seller delivered, if it is the one to which the order commits.
///
/// # Errors
/// When the delivery is wrong.
pub fn open(
	genesis: [u8; 32],
	purchase: &Purchase,
	sealed_key: &[u8],
	secret: &AccessSecret,
) -> Result<FileKey, WrongDelivery> {
	let key = open_key(&context(genesis, purchase), sealed_key, secret)?;
	if key.commitment() != purchase.key_commitment {
		return Err(WrongDelivery::OtherKey);
	}
	Ok(key)
}

/// What the seller sealed, if it awaits the buyer's word.
///
/// # Errors
/// When it has not been delivered, or is settled.
pub fn delivery(id: PurchaseId, purchase: &Purchase) -> Result<(&[u8], BlockNumber), PurchaseError> {
	match &purchase.status {
		PurchaseStatus::Paid { deliver_by } => Err(PurchaseError::Undelivered {
			purchase: id,
			deliver_by: *deliver_by,
		}),
		PurchaseStatus::Delivered {
			sealed_key,
			dispute_by,
		} => Ok((&sealed_key[..], *dispute_by)),
		PurchaseStatus::Licensed => Err(PurchaseError::Settled(id)),
	}
}

/// The last block before a purchase can be finished by anybody.
///
/// # Errors
/// When it is settled.
pub fn finishable_after(id: PurchaseId, purchase: &Purchase) -> Result<BlockNumber, PurchaseError> {
	match &purchase.status {
		PurchaseStatus::Paid { deliver_by } => Ok(*deliver_by),
		PurchaseStatus::Delivered { dispute_by, .. } => Ok(*dispute_by),
		PurchaseStatus::Licensed => Err(PurchaseError::Settled(id)),
	}
}

/// A purchase's status in one word.
pub fn status_name(status: &PurchaseStatus) -> &'static str {
	match status {
		PurchaseStatus::Paid { .. } => "paid",
		PurchaseStatus::Delivered { .. } => "delivered",
		PurchaseStatus::Licensed => "licensed",
	}
}

/// A reason for a refund in one word.
pub fn reason_name(reason: RefundReason) -> &'static str {
	match reason {
		RefundReason::Undelivered => "undelivered",
		RefundReason::WrongDelivery => "wrong_delivery",
		RefundReason::DataLost => "data_lost",
	}
}

fn context(genesis: [u8; 32], purchase: &Purchase) -> Context {
	Context {
		genesis,
		manifest: purchase.manifest,
		grantee: *purchase.buyer.as_ref(),
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::keys::KeySource;

	const GENESIS: [u8; 32] = [1; 32];

	fn account(uri: &str) -> AccountKey {
		KeySource::parse(uri).unwrap().load(None).unwrap()
	}

	fn purchase(buyer: &AccountKey, file_key: &FileKey) -> Purchase {
		Purchase {
			listing: 1,
			order: 2,
			seller: account("//Alice").account(),
			buyer: buyer.account(),
			price: 3,
			training: false,
			terms: [4; 32],
			manifest: [5; 32],
			key_commitment: file_key.commitment(),
			key: new_key(&GENESIS, buyer),
			status: PurchaseStatus::Paid { deliver_by: 9 },
			bought_at: 6,
		}
	}

	#[test]
	fn what_is_sealed_to_a_purchase_opens_for_its_buyer_again_and_again() {
		let (bob, key) = (account("//Bob"), FileKey::generate());
		let purchase = purchase(&bob, &key);
		let sealed = seal(GENESIS, &purchase, &key).unwrap();
		for _ in 0..2 {
			let secret = secret(&GENESIS, &bob, 7, &purchase).unwrap();
			let opened = open(GENESIS, &purchase, &sealed, &secret).unwrap();
			assert_eq!(opened.to_bytes(), key.to_bytes());
		}
	}

	#[test]
	fn purchases_of_one_account_have_different_keys() {
		let bob = account("//Bob");
		assert_ne!(new_key(&GENESIS, &bob), new_key(&GENESIS, &bob));
		let key = new_key(&GENESIS, &bob);
		assert_ne!(key.public, bob.access_secret().public_key());
		let elsewhere = bob.purchase_secret(&[2; 32], &key.salt);
		assert_ne!(elsewhere.public_key(), key.public);
	}

	#[test]
	fn another_account_is_told_that_the_key_is_not_its_own() {
		let (bob, key) = (account("//Bob"), FileKey::generate());
		let mut purchase = purchase(&bob, &key);
		for error in [
			secret(&GENESIS, &account("//Charlie"), 7, &purchase).unwrap_err(),
			secret(&[2; 32], &bob, 7, &purchase).unwrap_err(),
			{
				purchase.key.salt[0] ^= 1;
				secret(&GENESIS, &bob, 7, &purchase).unwrap_err()
			},
		] {
			assert!(matches!(error, PurchaseError::ForeignKey(7)));
			assert_eq!(error.exit_code(), 6);
		}
	}

	#[test]
	fn every_wrong_delivery_is_found() {
		let (bob, key) = (account("//Bob"), FileKey::generate());
		let purchase = purchase(&bob, &key);
		let secret = secret(&GENESIS, &bob, 7, &purchase).unwrap();
		let other = seal(GENESIS, &purchase, &FileKey::generate()).unwrap();
		assert_eq!(
			open(GENESIS, &purchase, &other, &secret).unwrap_err(),
			WrongDelivery::OtherKey
		);
		let mut changed = seal(GENESIS, &purchase, &key).unwrap();
		changed[40] ^= 1;
		let elsewhere = seal([2; 32], &purchase, &key).unwrap();
		let another = Purchase {
			manifest: [6; 32],
			..purchase.clone()
		};
		let another = seal(GENESIS, &another, &key).unwrap();
		for sealed in [changed, elsewhere, another] {
			assert_eq!(
				open(GENESIS, &purchase, &sealed, &secret).unwrap_err(),
				WrongDelivery::Unopenable(OpenKeyError::Unauthentic)
			);
		}
	}

	#[test]
	fn a_purchase_goes_on_from_where_it_stands() {
		let (bob, key) = (account("//Bob"), FileKey::generate());
		let mut purchase = purchase(&bob, &key);
		assert!(matches!(
			delivery(7, &purchase),
			Err(PurchaseError::Undelivered { deliver_by: 9, .. })
		));
		assert_eq!(finishable_after(7, &purchase).unwrap(), 9);
		purchase.status = PurchaseStatus::Delivered {
			sealed_key: vec![1, 2].try_into().unwrap(),
			dispute_by: 12,
		};
		assert_eq!(delivery(7, &purchase).unwrap(), (&[1, 2][..], 12));
		assert_eq!(finishable_after(7, &purchase).unwrap(), 12);
		purchase.status = PurchaseStatus::Licensed;
		assert!(matches!(delivery(7, &purchase), Err(PurchaseError::Settled(7))));
		assert!(finishable_after(7, &purchase).is_err());
	}

	#[test]
	fn a_wrong_delivery_names_the_command_that_proves_it() {
		let error = PurchaseError::Wrong {
			purchase: 7,
			dispute_by: 30,
			source: WrongDelivery::OtherKey,
		};
		assert!(error.remedy().unwrap().contains("market dispute 7"));
		let error = PurchaseError::Right {
			purchase: 7,
			order: 2,
		};
		assert!(error.remedy().unwrap().contains("market confirm 7"));
		assert_eq!(error.exit_code(), 2);
	}
}
