//! `store put`.

use std::{fs, path::Path, sync::Arc, time::UNIX_EPOCH};

use opensand_primitives::storage::ErasureCode;
use opensand_slices::{Code, EncodeError, FileKey, Layout, Metadata};
use serde_json::json;

use super::{order_json, Context};
use crate::{
	access,
	amounts::{Amount, Size},
	cli::{check_regions, PutArguments},
	delivery::{Delivery, Stored, Wish},
	error::Error,
	pack::Pack,
	places,
	staging::{Source, Staging, State, Step},
	transfer::{blocking, encode_into, TransferError},
};

/// Stores a file.
pub async fn put(context: &Context, arguments: PutArguments) -> Result<(), Error> {
	check_regions(&arguments.order.regions)
		.map_err(|what| Error::usage(what, "see `opensand store put --help`"))?;
	let code =
		Code::new(arguments.order.code.data, arguments.order.code.total).map_err(TransferError::Code)?;
	let read = || Error::file("read", &arguments.file);
	let found = fs::metadata(&arguments.file).map_err(read())?;
	let source = Source::file(&arguments.file, &found).map_err(read())?;
	if !found.is_file() {
		return Err(Error::usage(
			format!("{} is no file", arguments.file.display()),
			"pack a directory into an archive, for example with tar, and store that",
		));
	}
	let layout = Layout::new(code, found.len()).map_err(TransferError::Code)?;
	let metadata = metadata(&arguments.file, &found, &arguments.media_type);
	metadata
		.check()
		.map_err(|error| TransferError::Encode(error.into()))?;

	let (chain, key) = context.chain_and_key().await?;
	let puts = places::puts(&context.cache()?);
	let mut staging = Staging::open(
		&puts,
		&chain.genesis(),
		&key.account(),
		&source,
		arguments.discard,
	)?;
	forget_if_changed(context, &mut staging, &source, arguments.order.code)?;

	let wish = Wish {
		code: arguments.order.code,
		windows: arguments.order.windows,
		price: arguments.order.price.map(|price| price.0),
		regions: arguments.order.regions,
		visibility: arguments.visibility.into(),
		training: arguments.training,
		supersedes: None,
	};
	let mut delivery = Delivery::new(context, &chain, &key, wish, staging);
	delivery.agree(layout.shard_bytes()).await?;
	let file_key = delivery.file_key(&source)?;
	if let Some(path) = &arguments.key_file {
		access::write_key_file(path, &file_key)?;
	}
	let staging = &mut delivery.staging;
	encode_file(context, staging, &arguments.file, &file_key, code, metadata).await?;
	let Stored {
		order,
		manifest,
		record,
	} = delivery.store(&file_key, &arguments.listen).await?;
	delivery.staging.finish()?;

	let terms = chain.best().await?.terms().await?;
	let mut fields = order_json(&chain, order, &record, &terms);
	fields["file_bytes"] = json!(manifest.file_bytes());
	context.output.result(fields, || {
		format!(
			"Order {order}: {} stored as {} shards of {}, any {} of which restore it; {} held for {} windows",
			Size(manifest.file_bytes()),
			record.terms.code.total,
			Size(record.terms.shard_bytes),
			record.terms.code.data,
			Amount(record.escrow),
			record.terms.windows,
		)
	})
}

/// Clears what an earlier run staged of other content, unless it has been ordered.
fn forget_if_changed(
	context: &Context,
	staging: &mut Staging,
	source: &Source,
	code: ErasureCode,
) -> Result<(), Error> {
	let Some(state) = staging.state() else {
		return Ok(());
	};
	let is_same = state.source == *source && state.code() == code;
	match state.step {
		_ if is_same => context.output.note("Going on with what an earlier run left"),
		Step::Encoding | Step::Encoded { .. } => {
			context.output.note("The file or the code has changed since an earlier run: starting over");
			staging.clear()?;
		}
		Step::Placing { .. } | Step::Placed { .. } => context.output.warn(
			"the file or the code has changed since its order was placed: going on with what was staged then. Run the \
			 command again afterwards to store the file as it is now",
		),
	}
	Ok(())
}

/// Encodes the file, unless that is done.
async fn encode_file(
	context: &Context,
	staging: &mut Staging,
	path: &Path,
	key: &FileKey,
	code: Code,
	metadata: Metadata,
) -> Result<(), Error> {
	let source = match staging.state() {
		Some(State {
			step: Step::Encoding,
			source,
			..
		}) => source.clone(),
		_ => return Ok(()),
	};
	let read = || Error::file("read", path);
	let file = fs::File::open(path).map_err(read())?;
	let bytes = file.metadata().map_err(read())?.len();
	let bar = context.output.bytes("encoding", bytes);
	let (blocks, key, progress) = (staging.blocks(), key.clone(), bar.clone());
	let encoded = blocking(move || {
		let store = Arc::new(Pack::open(blocks).map_err(TransferError::Store)?);
		encode_into(&store, file, bytes, &key, code, &metadata, &progress)
	})
	.await;
	bar.finish();
	// A key is for one content only.
	let now = fs::metadata(path).and_then(|found| Source::file(path, &found));
	let is_changed = now.ok() != Some(source);
	if is_changed
		|| matches!(
			encoded,
			Err(TransferError::Encode(EncodeError::LengthChanged { .. }))
		) {
		staging.clear()?;
	}
	let manifest = encoded?;
	if is_changed {
		return Err(Error::usage(
			format!("{} was changed while it was read", path.display()),
			"leave the file alone while it is stored, and run the same command again",
		));
	}
	staging.advance(Step::Encoded {
		manifest: manifest.digest(),
	})?;
	Ok(())
}

/// What is stored of the file besides its content.
fn metadata(path: &Path, found: &fs::Metadata, media_type: &str) -> Metadata {
	let since_epoch = found
		.modified()
		.ok()
		.and_then(|modified| modified.duration_since(UNIX_EPOCH).ok());
	Metadata {
		name: path
			.file_name()
			.map(|name| name.to_string_lossy().into_owned())
			.unwrap_or_default(),
		media_type: media_type.to_owned(),
		modified: since_epoch.map(|since| since.as_secs()),
	}
}
