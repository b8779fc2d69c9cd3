//! Keys to data: opening those that the chain or a file holds, and sealing them for others.

use std::{
	fs::{self, File},
	io::{self, Read, Write},
	os::unix::fs::PermissionsExt,
	path::{Path, PathBuf},
};

use opensand_durable_file::{Draft, Mode};
use opensand_primitives::{
	storage::{OrderRecord, Visibility},
	AccountId, OrderId, PurchaseId,
};
use opensand_slices::{open_key, seal_key, Context, FileKey, OpenKeyError, SealKeyError, FILE_KEY_BYTES};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::{
	chain::{Chain, View},
	error::Error,
	keys::AccountKey,
	purchase,
};

/// Why there is no key to some data, or none for somebody.
#[derive(Debug, Error)]
pub enum AccessError {
	/// The data are not public, and no key is given.
	#[error("order {0} is not public: reading it needs the key of an account with access")]
	Account(OrderId),
	/// No grant.
	#[error("{account} has no access to order {order}")]
	NoGrant {
		/// The order.
		order: OrderId,
		/// The account's address.
		account: String,
		/// The owner's address.
		owner: String,
	},
	/// A purchase that is not settled.
	#[error("purchase {purchase} of order {order} is not settled yet")]
	Unsettled {
		/// The order.
		order: OrderId,
		/// The purchase.
		purchase: PurchaseId,
	},
	/// The grant does not open.
	#[error("the key to order {order} that stands on chain does not open: {source}")]
	Unopenable {
		/// The order.
		order: OrderId,
		/// Why.
		source: OpenKeyError,
	},
	/// A key that is not the file's.
	#[error("the key is not the one to which the owner of order {0} committed on chain")]
	WrongKey(OrderId),
	/// The grantee has published no access key.
	#[error("{0} has published no access key, to which a file key could be sealed")]
	Unregistered(String),
	/// The grantee's access key is of no use.
	#[error("a file key cannot be sealed to {account}: {source}")]
	Unsealable {
		/// The account's address.
		account: String,
		/// Why.
		source: SealKeyError,
	},
	/// Another access key than this account's stands on chain.
	#[error("the access key of {0} on chain does not follow from its key, so that this client could not open what is sealed to it")]
	Foreign(String),
	/// The key file cannot be used.
	#[error("cannot {action} the key file {}: {source}", path.display())]
	KeyFile {
		/// What was tried.
		action: &'static str,
		/// The file.
		path: PathBuf,
		/// Why not.
		source: io::Error,
	},
	/// The key file's content is no key.
	#[error("{} does not hold a file key: {} hexadecimal digits", .0.display(), 2 * FILE_KEY_BYTES)]
	NoKey(PathBuf),
	/// Others can read the key file.
	#[error("the key file {} can be read by others (mode {mode:03o})", path.display())]
	Permissions {
		/// The file.
		path: PathBuf,
		/// Its permission bits.
		mode: u32,
	},
}

impl AccessError {
	/// What to do about it.
	pub fn remedy(&self) -> Option<String> {
		let text = match self {
			Self::Account(_) => "give --key, or --key-file with the file's own key".to_owned(),
			Self::NoGrant { order, account, owner } => {
				format!(
					"ask the owner, {owner}, for `opensand access grant {order} {account}`, or buy a licence if one is offered: \
					 `opensand market browse`"
				)
			}
			Self::Unsettled { purchase, .. } => format!(
				"`opensand market confirm {purchase}` opens the delivery, compares it and settles the purchase"
			),
			Self::Unopenable { .. } => "ask the owner to grant access again; if the account's access key was published by \
			                           other software, run `opensand access register` first"
				.to_owned(),
			Self::WrongKey(_) => "ask the owner for the right key; the commitment on chain proves that this one is not".to_owned(),
			Self::Unregistered(account) => {
				format!("ask the holder of {account} to run `opensand access register` once")
			}
			Self::Unsealable { .. } | Self::Foreign(_) => {
				"run `opensand access register` with the account's key, to publish the access key that follows from it".to_owned()
			}
			Self::KeyFile { source, .. } if source.kind() == io::ErrorKind::AlreadyExists => {
				"choose another name: a key that may be in use is not overwritten".to_owned()
			}
			Self::Permissions { path, .. } => format!("chmod 600 {}", path.display()),
			Self::KeyFile { .. } | Self::NoKey(_) => return None,
		};
		Some(text)
	}
}

/// What a file key that is kept in the staging directory is sealed under: no manifest has this digest.
const STAGED: [u8; 32] = [0; 32];

/// Seals a file key to its owner, for the staging directory.
///
/// # Errors
/// Never for an access key that follows from an account.
pub fn seal_staged(genesis: [u8; 32], owner: &AccountKey, key: &FileKey) -> Result<Vec<u8>, AccessError> {
	seal_to_self(genesis, owner, STAGED, key)
}

/// Opens what [`seal_staged`] sealed.
///
/// # Errors
/// When it was sealed by another account, or changed.
pub fn open_staged(genesis: [u8; 32], owner: &AccountKey, sealed: &[u8]) -> Result<FileKey, OpenKeyError> {
	open_key(
		&context(genesis, STAGED, &owner.account()),
		sealed,
		&owner.access_secret(),
	)
}

/// The key as the order of the manifest carries it: sealed to the owner, or, for public data, as it is.
///
/// # Errors
/// Never for an access key that follows from an account.
pub fn owners_entry(
	genesis: [u8; 32],
	owner: &AccountKey,
	manifest: [u8; 32],
	visibility: Visibility,
	key: &FileKey,
) -> Result<Vec<u8>, AccessError> {
	match visibility {
		Visibility::Public => Ok(key.to_bytes().to_vec()),
		Visibility::Private | Visibility::Licensed => seal_to_self(genesis, owner, manifest, key),
	}
}

/// Seals a file key to the access key that an account has published.
///
/// # Errors
/// When it has published none, or one that keeps no secret.
pub async fn seal_for(
	chain: &Chain,
	view: &View<'_>,
	manifest: [u8; 32],
	grantee: &AccountId,
	key: &FileKey,
) -> Result<Vec<u8>, Error> {
	let account = chain.address(grantee);
	let access_key = view
		.access_key(grantee)
		.await?
		.ok_or_else(|| AccessError::Unregistered(account.clone()))?;
	let sealed = seal_key(&context(chain.genesis(), manifest, grantee), key, &access_key)
		.map_err(|source| AccessError::Unsealable { account, source })?;
	Ok(sealed.to_vec())
}

/// The key to an order's data, for `reader`, or from a key file.
///
/// # Errors
/// When there is no access, or what was given is not the key that the order commits to.
pub async fn file_key(
	chain: &Chain,
	view: &View<'_>,
	order: OrderId,
	record: &OrderRecord,
	reader: Option<&AccountKey>,
	key_file: Option<&Path>,
) -> Result<FileKey, Error> {
	let key = match key_file {
		Some(path) => read_key_file(path)?,
		None => granted_key(chain, view, order, record, reader).await?,
	};
	if key.commitment() != record.terms.key_commitment {
		return Err(AccessError::WrongKey(order).into());
	}
	Ok(key)
}

async fn granted_key(
	chain: &Chain,
	view: &View<'_>,
	order: OrderId,
	record: &OrderRecord,
	reader: Option<&AccountKey>,
) -> Result<FileKey, Error> {
	if record.terms.visibility == Visibility::Public {
		if let Some(key) = view
			.grant(order, &record.owner)
			.await?
			.and_then(|grant| plain_key(&grant.sealed_key))
		{
			return Ok(key);
		}
	}
	let reader = reader.ok_or(AccessError::Account(order))?;
	let account = reader.account();
	let Some(grant) = view.grant(order, &account).await? else {
		return Err(match view.licence(order, &account).await? {
			Some(purchase) => AccessError::Unsettled { order, purchase },
			None => AccessError::NoGrant {
				order,
				account: chain.address(&account),
				owner: chain.address(&record.owner),
			},
		}
		.into());
	};
	if let Some(key) = plain_key(&grant.sealed_key) {
		return Ok(key);
	}
	let secret = match grant.sold {
		Some(id) => {
			let purchase = view.purchase(id).await?.ok_or(Error::NoPurchase(id))?;
			purchase::secret(&chain.genesis(), reader, id, &purchase)?
		}
		None => reader.access_secret(),
	};
	let context = context(chain.genesis(), record.terms.manifest, &account);
	open_key(&context, &grant.sealed_key, &secret)
		.map_err(|source| AccessError::Unopenable { order, source }.into())
}

/// Whether an owner's entry on chain shows the key to everybody.
pub fn is_published(entry: &[u8]) -> bool {
	plain_key(entry).is_some()
}

/// A key that stands on chain as it is; a sealed one is longer.
fn plain_key(entry: &[u8]) -> Option<FileKey> {
	entry.try_into().ok().map(FileKey::from_bytes)
}

fn seal_to_self(
	genesis: [u8; 32],
	owner: &AccountKey,
	manifest: [u8; 32],
	key: &FileKey,
) -> Result<Vec<u8>, AccessError> {
	let account = owner.account();
	seal_key(
		&context(genesis, manifest, &account),
		key,
		&owner.access_secret().public_key(),
	)
	.map(|sealed| sealed.to_vec())
	.map_err(|source| AccessError::Unsealable {
		account: account.to_string(),
		source,
	})
}

fn context(genesis: [u8; 32], manifest: [u8; 32], grantee: &AccountId) -> Context {
	Context {
		genesis,
		manifest,
		grantee: *grantee.as_ref(),
	}
}

/// Writes a file key into a new file that only the user can read. The same key may stand there already.
///
/// # Errors
/// When the file exists and holds something else, or cannot be written.
pub fn write_key_file(path: &Path, key: &FileKey) -> Result<(), AccessError> {
	let failed = |source| AccessError::KeyFile {
		action: "write",
		path: path.to_owned(),
		source,
	};
	if path.exists() && read_key_file(path).is_ok_and(|found| *found.to_bytes() == *key.to_bytes()) {
		return Ok(());
	}
	let text = Zeroizing::new(format!("{}\n", hex::encode(&key.to_bytes()[..])));
	let mut draft = Draft::in_any_directory(path, Mode::Private).map_err(failed)?;
	draft
		.write_all(text.as_bytes())
		.and_then(|()| draft.create())
		.map_err(failed)
}

/// Reads what [`write_key_file`] wrote.
///
/// # Errors
/// When the file cannot be read, is no key, or can be read by others.
pub fn read_key_file(path: &Path) -> Result<FileKey, AccessError> {
	let failed = |source| AccessError::KeyFile {
		action: "read",
		path: path.to_owned(),
		source,
	};
	let mode = fs::metadata(path).map_err(failed)?.permissions().mode() & 0o777;
	if mode & 0o077 != 0 {
		return Err(AccessError::Permissions {
			path: path.to_owned(),
			mode,
		});
	}
	// One byte more than a key has with its line's end, so that a longer file is told from a key.
	let mut text = Zeroizing::new(Vec::with_capacity(2 * FILE_KEY_BYTES + 2));
	File::open(path)
		.and_then(|file| file.take(2 * FILE_KEY_BYTES as u64 + 2).read_to_end(&mut text))
		.map_err(failed)?;
	key_in(&text).ok_or_else(|| AccessError::NoKey(path.to_owned()))
}

/// The file key that a key file's content is: hexadecimal digits, and white space behind them.
pub fn key_in(text: &[u8]) -> Option<FileKey> {
	let mut bytes = Zeroizing::new([0; FILE_KEY_BYTES]);
	hex::decode_to_slice(text.trim_ascii_end(), &mut bytes[..]).ok()?;
	Some(FileKey::from_bytes(&bytes))
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::keys::KeySource;

	fn account(uri: &str) -> AccountKey {
		KeySource::parse(uri).unwrap().load(None).unwrap()
	}

	#[test]
	fn a_staged_key_opens_for_its_owner_on_its_chain_only() {
		let (alice, bob) = (account("//Alice"), account("//Bob"));
		let key = FileKey::generate();
		let sealed = seal_staged([1; 32], &alice, &key).unwrap();
		assert_eq!(
			open_staged([1; 32], &alice, &sealed).unwrap().to_bytes(),
			key.to_bytes()
		);
		assert!(open_staged([2; 32], &alice, &sealed).is_err());
		assert!(open_staged([1; 32], &bob, &sealed).is_err());
		assert!(open_staged([1; 32], &alice, &sealed[1..]).is_err());
	}

	#[test]
	fn only_public_data_have_their_key_on_chain_as_it_is() {
		let alice = account("//Alice");
		let key = FileKey::generate();
		let entry = |visibility| owners_entry([1; 32], &alice, [2; 32], visibility, &key).unwrap();
		assert_eq!(entry(Visibility::Public), key.to_bytes().to_vec());
		assert!(is_published(&entry(Visibility::Public)));
		for visibility in [Visibility::Private, Visibility::Licensed] {
			let sealed = entry(visibility);
			assert!(!is_published(&sealed));
			assert!(sealed.len() <= opensand_primitives::storage::MAX_SEALED_KEY_BYTES as usize);
			let context = context([1; 32], [2; 32], &alice.account());
			let opened = open_key(&context, &sealed, &alice.access_secret()).unwrap();
			assert_eq!(opened.to_bytes(), key.to_bytes());
		}
	}

	#[test]
	fn a_key_file_is_written_once_and_for_the_user_alone() {
		let directory = tempfile::tempdir().unwrap();
		let path = directory.path().join("file.key");
		let key = FileKey::generate();
		write_key_file(&path, &key).unwrap();
		assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
		assert_eq!(read_key_file(&path).unwrap().to_bytes(), key.to_bytes());
		// A put that goes on after a crash writes it again.
		write_key_file(&path, &key).unwrap();
		let error = write_key_file(&path, &FileKey::generate()).unwrap_err();
		assert!(error.remedy().unwrap().contains("not overwritten"), "{error}");
		assert_eq!(read_key_file(&path).unwrap().to_bytes(), key.to_bytes());
	}

	#[test]
	fn what_is_no_key_file_is_refused() {
		let directory = tempfile::tempdir().unwrap();
		let path = directory.path().join("file.key");
		let digits = "ab".repeat(FILE_KEY_BYTES);
		for (text, is_key) in [
			(digits.clone(), true),
			(format!("{digits}\n"), true),
			(format!("{digits}00"), false),
			(digits[2..].to_owned(), false),
			("zz".repeat(FILE_KEY_BYTES), false),
			(String::new(), false),
		] {
			fs::write(&path, &text).unwrap();
			fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
			assert_eq!(read_key_file(&path).is_ok(), is_key, "{text:?}");
		}
		fs::write(&path, &digits).unwrap();
		fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
		assert!(matches!(
			read_key_file(&path),
			Err(AccessError::Permissions { mode: 0o644, .. })
		));
	}

	#[test]
	fn a_plain_key_is_told_from_a_sealed_one() {
		let key = FileKey::generate();
		assert_eq!(plain_key(&key.to_bytes()[..]).unwrap().to_bytes(), key.to_bytes());
		for length in [0, 63, 65, opensand_slices::SEALED_KEY_BYTES] {
			assert!(plain_key(&vec![0; length]).is_none(), "{length}");
		}
	}
}
