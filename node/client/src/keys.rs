//! The account's key: from a keystore file, a file with a recovery phrase, or a development URI.
//!
//! Secrets never stand on the command line, where every process of the machine can read them.

use std::{
	fs,
	io::{self, IsTerminal, Read},
	os::unix::fs::PermissionsExt,
	path::{Path, PathBuf},
};

use opensand_primitives::AccountId;
use opensand_slices::{AccessSecret, ShortSecret};
use sp_core::{crypto::SecretStringError, sr25519, Pair};
use subxt::{
	tx::Signer,
	utils::{AccountId32, MultiSignature},
	PolkadotConfig,
};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::keystore::{self, KeystoreError};

/// No key file is larger; an exported key has about 700 bytes.
const MAX_KEY_FILE_BYTES: u64 = 64 * 1024;

/// Why there is no key.
#[derive(Debug, Error)]
pub enum KeyError {
	/// No `--key`.
	#[error("this needs an account's key")]
	Missing,
	/// A secret stands where a path is expected. The text is not repeated.
	#[error("--key is given a secret, which every process of this machine can read")]
	SecretArgument,
	/// A development URI on a chain with value.
	#[error("{0} is an account whose secret everybody knows, and this chain is live")]
	Development(String),
	/// No development URI.
	#[error("{0} is no key URI: {1:?}")]
	Uri(String, SecretStringError),
	/// The file cannot be read.
	#[error("cannot read the key file {}: {source}", path.display())]
	File {
		/// The file.
		path: PathBuf,
		/// The operating system's reason.
		source: io::Error,
	},
	/// Others can read the secret.
	#[error("the key file {} can be read by others (mode {mode:03o})", path.display())]
	Permissions {
		/// The file.
		path: PathBuf,
		/// Its permission bits.
		mode: u32,
	},
	/// Neither JSON nor a phrase.
	#[error("the key file {} holds neither an exported key nor a recovery phrase", .0.display())]
	Content(PathBuf),
	/// The keystore cannot be opened.
	#[error("the key file {} cannot be opened: {source}", path.display())]
	Keystore {
		/// The file.
		path: PathBuf,
		/// Why.
		source: KeystoreError,
	},
	/// Nobody to ask for the password.
	#[error("the key file {} is encrypted, and nobody is there to type its password", .0.display())]
	NoPassword(PathBuf),
	/// The password could not be read.
	#[error("cannot read the password: {0}")]
	Password(io::Error),
}

impl KeyError {
	/// The process's exit code for it: usage, unless a file failed.
	pub fn exit_code(&self) -> u8 {
		match self {
			Self::File { .. } | Self::Password(_) => 1,
			_ => 2,
		}
	}

	/// What to do about it.
	pub fn remedy(&self) -> Option<String> {
		let text = match self {
			Self::Missing => {
				"name a key file with --key or OPENSAND_KEY: JSON exported from polkadot.js, or a file with the recovery \
				 phrase; on a development chain also //Alice"
					.to_owned()
			}
			Self::SecretArgument => {
				"write the phrase to a file, make it yours alone with `chmod 600`, and give --key the file's name; treat the \
				 secret that stood here as known to others"
					.to_owned()
			}
			Self::Development(_) => "use a key of your own".to_owned(),
			Self::Uri(..) => "development accounts are written //Alice, //Bob, //Alice//stash".to_owned(),
			Self::Permissions { path, .. } => format!("chmod 600 {}", path.display()),
			Self::Content(_) => "the file holds either the JSON that polkadot.js exports, or one line with the recovery \
			                     phrase, optionally followed by a derivation path"
				.to_owned(),
			Self::NoPassword(_) => "write the password to a file of mode 600 and name it with --password-file".to_owned(),
			Self::Keystore { source: KeystoreError::Unsupported(_), .. } => {
				"export an sr25519 account with a password, or use a file with its recovery phrase".to_owned()
			}
			Self::File { .. } | Self::Keystore { .. } | Self::Password(_) => return None,
		};
		Some(text)
	}
}

/// Where a key comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
	/// An account whose secret everybody knows.
	Development(String),
	/// A file.
	File(PathBuf),
}

impl KeySource {
	/// What `--key` names.
	///
	/// # Errors
	/// When it is a secret.
	pub fn parse(text: &str) -> Result<Self, KeyError> {
		if text.starts_with("//") {
			return Ok(Self::Development(text.to_owned()));
		}
		let is_seed = text.strip_prefix("0x").is_some_and(|seed| {
			seed.len() >= 64 && seed.bytes().take(64).all(|byte| byte.is_ascii_hexdigit())
		});
		// A phrase has at least twelve words; paths seldom have a blank, and hardly eleven.
		if is_seed || text.split_whitespace().count() >= 12 {
			return Err(KeyError::SecretArgument);
		}
		Ok(Self::File(text.into()))
	}

	/// The key; asks for a password where the file needs one and `password_file` is not given.
	///
	/// # Errors
	/// When the file cannot be read or opened, or others can read a secret in it.
	pub fn load(&self, password_file: Option<&Path>) -> Result<AccountKey, KeyError> {
		let path = match self {
			Self::Development(uri) => {
				let pair = sr25519::Pair::from_string(uri, None)
					.map_err(|error| KeyError::Uri(uri.clone(), error))?;
				return Ok(AccountKey(pair));
			}
			Self::File(path) => path,
		};
		let (text, mode) = read_secret(path)?;
		let text = text.trim();
		if text.starts_with('{') {
			let password = password(path, password_file)?;
			return keystore::decrypt(text, &password)
				.map(AccountKey)
				.map_err(|source| KeyError::Keystore {
					path: path.clone(),
					source,
				});
		}
		if mode & 0o077 != 0 {
			return Err(KeyError::Permissions {
				path: path.clone(),
				mode,
			});
		}
		phrase(text).ok_or_else(|| KeyError::Content(path.clone()))
	}
}

/// The key that a recovery phrase, or a seed in hexadecimal digits, and the path behind it stand for.
pub fn phrase(text: &str) -> Option<AccountKey> {
	// A line of nothing would be the development phrase.
	if text.is_empty() || text.starts_with('/') {
		return None;
	}
	sr25519::Pair::from_string(text, None).map(AccountKey).ok()
}

/// A secret file's text and permission bits.
fn read_secret(path: &Path) -> Result<(Zeroizing<String>, u32), KeyError> {
	let failed = |source| KeyError::File {
		path: path.to_owned(),
		source,
	};
	let file = fs::File::open(path).map_err(failed)?;
	let mode = file.metadata().map_err(failed)?.permissions().mode() & 0o777;
	let mut text = Zeroizing::new(String::new());
	file.take(MAX_KEY_FILE_BYTES)
		.read_to_string(&mut text)
		.map_err(failed)?;
	Ok((text, mode))
}

/// The password of the key in `path`.
fn password(path: &Path, file: Option<&Path>) -> Result<Zeroizing<String>, KeyError> {
	if let Some(file) = file {
		let (text, mode) = read_secret(file)?;
		if mode & 0o077 != 0 {
			return Err(KeyError::Permissions {
				path: file.to_owned(),
				mode,
			});
		}
		return Ok(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()));
	}
	if !io::stdin().is_terminal() {
		return Err(KeyError::NoPassword(path.to_owned()));
	}
	rpassword::prompt_password(format!("Password of {}: ", path.display()))
		.map(Zeroizing::new)
		.map_err(KeyError::Password)
}

/// An account's key: signs its calls, and derives the secret to which others seal file keys.
pub struct AccountKey(sr25519::Pair);

impl AccountKey {
	/// The account.
	pub fn account(&self) -> AccountId {
		self.0.public().0.into()
	}

	/// The secret of the account's access key.
	pub fn access_secret(&self) -> AccessSecret {
		self.derived(AccessSecret::derive)
	}

	/// The secret of the key that the account makes for one purchase on one chain.
	pub fn purchase_secret(&self, genesis: &[u8; 32], salt: &[u8; 16]) -> AccessSecret {
		self.derived(|secret| AccessSecret::for_purchase(secret, genesis, salt))
	}

	/// What follows from the secret scalar, which every form of the key has: a phrase, a path below it, an exported file.
	///
	/// The other half of an sr25519 secret does not follow from the account: soft derivation draws it anew.
	fn derived(&self, derive: impl FnOnce(&[u8]) -> Result<AccessSecret, ShortSecret>) -> AccessSecret {
		let raw = Zeroizing::new(self.0.to_raw_vec());
		let (scalar, _) = raw.split_at(raw.len() / 2);
		derive(scalar).expect("an sr25519 secret has 64 bytes, so that half of it has 32; qed")
	}
}

impl Signer<PolkadotConfig> for AccountKey {
	fn account_id(&self) -> AccountId32 {
		AccountId32(self.0.public().0)
	}

	fn sign(&self, payload: &[u8]) -> MultiSignature {
		MultiSignature::Sr25519(self.0.sign(payload).0)
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	const PHRASE: &str = "bottom drive obey lake curtain smoke basket hold race lonely fit walk";

	fn file(text: &str, mode: u32) -> tempfile::NamedTempFile {
		let file = tempfile::NamedTempFile::new().unwrap();
		fs::write(file.path(), text).unwrap();
		fs::set_permissions(file.path(), fs::Permissions::from_mode(mode)).unwrap();
		file
	}

	fn load(file: &tempfile::NamedTempFile) -> Result<AccountKey, KeyError> {
		KeySource::File(file.path().to_owned()).load(None)
	}

	#[test]
	fn secrets_on_the_command_line_are_refused_and_not_repeated() {
		for secret in [
			PHRASE.to_owned(),
			format!("0x{}", "5e".repeat(32)),
			format!("0x{}//Alice", "5e".repeat(32)),
		] {
			let error = KeySource::parse(&secret).unwrap_err();
			assert!(matches!(error, KeyError::SecretArgument));
			assert!(!format!("{error} {:?}", error.remedy()).contains(&secret));
			assert_eq!(error.exit_code(), 2);
		}
		assert_eq!(
			KeySource::parse("//Alice").unwrap(),
			KeySource::Development("//Alice".into())
		);
		assert_eq!(
			KeySource::parse("keys/a b.json").unwrap(),
			KeySource::File("keys/a b.json".into())
		);
	}

	#[test]
	fn one_account_in_every_form_has_one_access_key() {
		let development = KeySource::parse("//Alice").unwrap().load(None).unwrap();
		let phrase = load(&file(&format!("{PHRASE}//Alice\n"), 0o600)).unwrap();
		assert_eq!(development.account(), phrase.account());
		assert_eq!(
			development.access_secret().public_key(),
			phrase.access_secret().public_key()
		);

		let soft = || load(&file(&format!("{PHRASE}//Alice/files"), 0o600)).unwrap();
		assert_eq!(
			soft().access_secret().public_key(),
			soft().access_secret().public_key()
		);
		assert_ne!(
			soft().access_secret().public_key(),
			phrase.access_secret().public_key()
		);
	}

	#[test]
	fn an_exported_key_asks_for_its_password_file() {
		let exported = file(keystore_text(), 0o644);
		let source = KeySource::File(exported.path().to_owned());
		let key = source.load(Some(file("whoisalice\n", 0o600).path())).unwrap();
		let alice = KeySource::parse("//Alice").unwrap().load(None).unwrap();
		assert_eq!(key.account(), alice.account());
		assert_eq!(
			key.access_secret().public_key(),
			alice.access_secret().public_key()
		);

		let error = source.load(Some(file("whoisbob", 0o600).path()));
		assert!(matches!(
			error,
			Err(KeyError::Keystore {
				source: KeystoreError::Password,
				..
			})
		));
		let error = source.load(Some(file("whoisalice", 0o640).path()));
		assert!(matches!(error, Err(KeyError::Permissions { mode: 0o640, .. })));
	}

	fn keystore_text() -> &'static str {
		r#"{
			"encoded": "DumgApKCTqoCty1OZW/8WS+sgo6RdpHhCwAkA2IoDBMAgAAAAQAAAAgAAAB6IG/q24EeVf0JqWqcBd5m2tKq5BlyY84IQ8oamLn9DZe9Ouhgunr7i36J1XxUnTI801axqL/ym1gil0U8440Qvj0lFVKwGuxq38zuifgoj0B3Yru0CI6QKEvQPU5xxj4MpyxdSxP+2PnTzYao0HDH0fulaGvlAYXfqtU89xrx2/z9z7IjSwS3oDFPXRQ9kAdDebtyCVreZ9Otw9v3",
			"encoding": { "content": ["pkcs8", "sr25519"], "type": ["scrypt", "xsalsa20-poly1305"], "version": "3" },
			"address": "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
		}"#
	}

	#[test]
	fn a_phrase_that_others_can_read_is_refused() {
		for mode in [0o640, 0o604, 0o660, 0o777] {
			let error = load(&file(PHRASE, mode));
			assert!(matches!(error, Err(KeyError::Permissions { .. })), "{mode:o}");
		}
	}

	#[test]
	fn files_without_a_key_are_refused() {
		for text in ["", "  \n", "//Alice", "not a phrase", "bottom drive obey"] {
			assert!(
				matches!(load(&file(text, 0o600)), Err(KeyError::Content(_))),
				"{text:?}"
			);
		}
		let error = KeySource::File("no such file".into()).load(None);
		assert!(matches!(error, Err(KeyError::File { .. })));
		let error = KeySource::Development("//".into()).load(None);
		assert!(matches!(error, Err(KeyError::Uri(..))));
	}
}
