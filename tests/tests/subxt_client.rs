//! `subxt`, by names and values: a transfer, its events, and every block of the chain decoded.

use anyhow::{Context, Result};
use opensand_tests::{
	client::{address, event, field, free_balance, submit, Call, SAND},
	node::Node,
};
use subxt::dynamic::Value;
use subxt_signer::sr25519::dev;

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_moves_money_and_every_block_decodes() -> Result<()> {
	let node = Node::dev().await?;
	let client = node.client().await?;
	let (alice, bob) = (dev::alice(), dev::bob());
	let before = free_balance(&client.at_best().await?, &bob.public_key().0).await?;

	let call = Call::new(
		"Balances",
		"transfer_keep_alive",
		vec![address(&bob), Value::u128(7 * SAND)],
	);
	let events = submit(&client, call, &alice).await?;
	let transfer = event(&events, "Balances", "Transfer")?;
	assert_eq!(field(&transfer, "amount")?.as_u128(), Some(7 * SAND));
	event(&events, "TransactionPayment", "TransactionFeePaid")?;

	let after = free_balance(&client.at_best().await?, &bob.public_key().0).await?;
	assert_eq!(after - before, 7 * SAND);

	let refused = Call::new(
		"Balances",
		"transfer_keep_alive",
		vec![address(&bob), Value::u128(u128::MAX)],
	);
	let error = submit(&client, refused, &alice)
		.await
		.err()
		.context("nobody owns that much")?;
	assert!(format!("{error:?}").contains("Underflow"), "{error:?}");

	decode_every_block(&node, &client).await
}

/// Decodes every extrinsic and every event of every block.
async fn decode_every_block(node: &Node, client: &opensand_tests::client::Client) -> Result<()> {
	for number in 1..=node.best_number().await? {
		let at = client.at_block(number).await?;
		for extrinsic in at.extrinsics().fetch().await?.iter() {
			let extrinsic = extrinsic?;
			extrinsic.decode_call_data_as::<Value>().with_context(|| {
				format!(
					"block {number}: {}.{}",
					extrinsic.pallet_name(),
					extrinsic.call_name()
				)
			})?;
			for extension in extrinsic
				.transaction_extensions()
				.iter()
				.flat_map(|extensions| extensions.iter())
			{
				extension
					.decode_unchecked_as::<Value>()
					.with_context(|| format!("block {number}: {}", extension.name()))?;
			}
		}
		for event in at.events().fetch().await?.iter() {
			event?
				.decode_as::<Value>()
				.with_context(|| format!("an event of block {number}"))?;
		}
	}
	Ok(())
}
