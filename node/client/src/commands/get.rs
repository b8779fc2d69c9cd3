//! `store get`.

use std::{
	fs,
	io::{self, Write},
	path::{Path, PathBuf},
	sync::Arc,
	time::{Duration, SystemTime, UNIX_EPOCH},
};

use opensand_durable_file::{Draft, Mode};
use opensand_primitives::{storage::OrderRecord, OrderId};
use opensand_slices::{FileKey, Metadata};
use serde_json::json;

use super::{order, Context};
use crate::{
	access,
	amounts::Size,
	chain::Chain,
	cli::GetArguments,
	error::Error,
	fetch::fetch_order,
	network::{Network, Nothing},
	output::Bar,
	pack::Pack,
	places,
	transfer::{blocking, Restorable, TransferError},
};

/// Fetches a file.
pub async fn get(context: &Context, arguments: GetArguments) -> Result<(), Error> {
	let to_stdout = arguments.output == Path::new("-");
	if to_stdout && context.output.is_json() {
		return Err(Error::usage(
			"standard output cannot take both the file and JSON",
			"name a file, or leave --json away",
		));
	}
	if !to_stdout && !arguments.output.is_dir() {
		check_free(&arguments.output, arguments.force)?;
	}
	let (chain, key) = context.chain_and_optional_key().await?;
	let view = chain.best().await?;
	let record = order(&view, arguments.order).await?;
	let file_key = access::file_key(
		&chain,
		&view,
		arguments.order,
		&record,
		key.as_ref(),
		arguments.key_file.as_deref(),
	)
	.await?;

	let cache = Cache::open(context, &chain, arguments.order)?;
	let (file, metadata) = cache
		.fetch(
			context,
			&chain,
			arguments.order,
			&record,
			file_key,
			arguments.patience,
		)
		.await?;
	let bytes = file.manifest.file_bytes();
	let bar = context.output.bytes("restoring", bytes);
	let progress = bar.clone();
	let written = if to_stdout {
		blocking(move || file.restore(io::stdout().lock(), &progress)).await?;
		None
	} else {
		let path = match arguments.output.is_dir() {
			true => arguments.output.join(file_name(&metadata, arguments.order)),
			false => arguments.output.clone(),
		};
		let target = path.clone();
		let force = arguments.force;
		blocking(move || write_file(&file, &target, force, &metadata, &progress)).await?;
		Some(path)
	};
	bar.finish();
	cache.remove()?;

	let Some(path) = written else { return Ok(()) };
	context.output.result(
		json!({ "order": arguments.order, "path": path.to_string_lossy(), "file_bytes": bytes }),
		|| format!("{}: {} of order {}", path.display(), Size(bytes), arguments.order),
	)
}

/// The blocks of a get that is not complete.
pub struct Cache {
	directory: PathBuf,
	store: Arc<Pack>,
}

impl Cache {
	/// The blocks of an order that were fetched before, if any.
	///
	/// # Errors
	/// When another process fetches the same order.
	pub fn open(context: &Context, chain: &Chain, order: OrderId) -> Result<Self, Error> {
		let directory = places::get(&context.cache()?, &chain.genesis(), order);
		let store = Pack::open(&directory).map_err(TransferError::Store)?;
		Ok(Self {
			directory,
			store: Arc::new(store),
		})
	}

	/// Fetches what is missing to restore the file, and makes sure that the key opens it.
	///
	/// # Errors
	/// When too few shards can be had, or the key does not open them.
	pub async fn fetch(
		&self,
		context: &Context,
		chain: &Chain,
		order: OrderId,
		record: &OrderRecord,
		key: FileKey,
		patience: Duration,
	) -> Result<(Restorable, Metadata), Error> {
		let network = Network::start(Arc::new(Nothing), &[])?;
		let fetched = fetch_order(
			chain,
			&network,
			&self.store,
			order,
			record,
			patience,
			&context.output,
		)
		.await;
		network.end().await;
		let (manifest, shards) = fetched?;
		let metadata = manifest
			.open_metadata(&key)
			.map_err(|error| TransferError::Decode(error.into()))?;
		Ok((
			Restorable {
				store: self.store.clone(),
				manifest,
				key,
				shards,
			},
			metadata,
		))
	}

	/// Deletes the blocks.
	///
	/// # Errors
	/// When they cannot be deleted.
	pub fn remove(self) -> Result<(), Error> {
		fs::remove_dir_all(&self.directory).map_err(Error::file("delete", &self.directory))
	}
}

/// The stored name, which is a plain one, or the order's.
fn file_name(metadata: &Metadata, order: OrderId) -> String {
	match metadata.name.as_str() {
		"" => format!("order-{order}"),
		name => name.to_owned(),
	}
}

fn check_free(path: &Path, force: bool) -> Result<(), Error> {
	if !force && path.symlink_metadata().is_ok() {
		return Err(Error::file("write", path)(io::ErrorKind::AlreadyExists.into()));
	}
	Ok(())
}

/// Restores a file beside its place, and gives it its name when it is complete and on the disk.
fn write_file(
	file: &Restorable,
	path: &Path,
	force: bool,
	metadata: &Metadata,
	bar: &Bar,
) -> Result<(), Error> {
	check_free(path, force)?;
	let failed = || Error::file("write", path);
	let mut draft = Draft::in_any_directory(path, Mode::Ordinary).map_err(failed())?;
	{
		let mut buffered = io::BufWriter::with_capacity(1 << 20, &mut draft);
		file.restore(&mut buffered, bar)?;
		buffered.flush().map_err(failed())?;
	}
	if let Some(modified) = metadata.modified.and_then(time) {
		draft.file().set_modified(modified).map_err(failed())?;
	}
	match force {
		true => draft.replace(),
		false => draft.create(),
	}
	.map_err(failed())
}

/// A time that the file system can hold.
fn time(seconds: u64) -> Option<SystemTime> {
	// The owner may have written any number; the end of the year 9999 is as far as file systems agree.
	(seconds < 253_402_300_800).then(|| UNIX_EPOCH + Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
	use opensand_slices::Code;

	use super::*;
	use crate::{output::Output, transfer::encode_into};

	struct Fixture {
		directory: tempfile::TempDir,
		file: Restorable,
		content: Vec<u8>,
		bar: Bar,
	}

	impl Fixture {
		fn new() -> Self {
			let directory = tempfile::tempdir().unwrap();
			let store = Arc::new(Pack::open(directory.path().join("store")).unwrap());
			let content: Vec<u8> = (0..300_000u32).map(|index| (index >> 3) as u8).collect();
			let key = FileKey::generate();
			let bar = Output::new(false, true).bytes("test", 0);
			let code = Code::new(2, 3).unwrap();
			let bytes = content.len() as u64;
			let manifest = encode_into(&store, &content[..], bytes, &key, code, &metadata(), &bar).unwrap();
			let file = Restorable {
				store,
				manifest,
				key,
				shards: vec![0, 2],
			};
			Self {
				directory,
				file,
				content,
				bar,
			}
		}

		fn path(&self, name: &str) -> PathBuf {
			self.directory.path().join(name)
		}

		fn left_over(&self) -> usize {
			let entries = fs::read_dir(self.directory.path()).unwrap();
			entries
				.filter(|entry| {
					entry
						.as_ref()
						.unwrap()
						.file_name()
						.to_string_lossy()
						.starts_with(".opensand")
				})
				.count()
		}
	}

	fn metadata() -> Metadata {
		Metadata {
			name: "data.bin".into(),
			media_type: String::new(),
			modified: Some(1_700_000_000),
		}
	}

	#[test]
	fn a_file_appears_when_it_is_complete() {
		let fixture = Fixture::new();
		let path = fixture.path("output");
		write_file(&fixture.file, &path, false, &metadata(), &fixture.bar).unwrap();
		assert!(fs::read(&path).unwrap() == fixture.content);
		let modified = fs::metadata(&path).unwrap().modified().unwrap();
		assert_eq!(modified, UNIX_EPOCH + Duration::from_secs(1_700_000_000));
		assert_eq!(fixture.left_over(), 0);
	}

	#[test]
	fn nothing_is_overwritten_unless_that_is_wanted() {
		let fixture = Fixture::new();
		let path = fixture.path("output");
		fs::write(&path, b"mine").unwrap();
		let error = write_file(&fixture.file, &path, false, &metadata(), &fixture.bar).unwrap_err();
		assert!(error.remedy().unwrap().contains("--force"), "{error}");
		assert_eq!(fs::read(&path).unwrap(), b"mine");
		write_file(&fixture.file, &path, true, &metadata(), &fixture.bar).unwrap();
		assert!(fs::read(&path).unwrap() == fixture.content);
	}

	#[test]
	fn a_file_that_cannot_be_restored_leaves_the_old_one() {
		let mut fixture = Fixture::new();
		fixture.file.key = FileKey::generate();
		let path = fixture.path("output");
		fs::write(&path, b"mine").unwrap();
		let error = write_file(&fixture.file, &path, true, &metadata(), &fixture.bar).unwrap_err();
		assert_eq!(error.exit_code(), 4);
		assert_eq!(fs::read(&path).unwrap(), b"mine");
		assert_eq!(fixture.left_over(), 0);
	}

	#[test]
	fn a_nameless_file_is_named_after_its_order() {
		assert_eq!(file_name(&metadata(), 7), "data.bin");
		assert_eq!(file_name(&Metadata::default(), 7), "order-7");
	}

	#[test]
	fn impossible_times_are_left_out() {
		assert!(time(0).is_some());
		assert!(time(u64::MAX).is_none());
	}
}
