//! Proofs: of shards that were taken, and of the window's leaves.

use codec::Encode;
use log::{debug, error, info, warn};
use opensand_primitives::{
	storage::{Challenge, ShardStatus},
	BlockNumber,
};
use opensand_storage_proof::PossessionProof;

use super::{lot, Agent, Due, View};
use crate::{
	chain::{ChainError, ShardId, StorageCall},
	commitments::{answer, AnswerError, Provable, Question},
	in_flight::{Purpose, PATIENCE_BLOCKS},
	record::Phase,
	TARGET,
};

impl Agent {
	/// Answers the window's challenge, at this provider's place in the first half of the window.
	pub(super) async fn prove_window(&mut self, view: &View) -> Result<(), ChainError> {
		let now = view.best.number;
		let challenge = self
			.context
			.chain
			.challenge(view.best.hash, &view.provider)
			.await?;
		self.note_window(view, challenge.as_ref());
		let Some(challenge) = challenge else {
			self.proof = None;
			return Ok(());
		};
		if self
			.proof
			.as_ref()
			.is_some_and(|(made_for, _)| *made_for != challenge)
		{
			// A shard was given up, or a fork drew other leaves: what was sent answers another question.
			self.calls.forget(&Purpose::Possession(challenge.window));
			self.proof = None;
		}
		let begin = (challenge.deadline + 1).saturating_sub(view.terms.window_blocks);
		let spread = (view.terms.window_blocks / 2).max(1);
		let offset = lot(&view.provider, challenge.window.into()) % u64::from(spread);
		let is_time = u64::from(now.saturating_sub(begin)) >= offset;
		if !is_time || !self.calls.may_send(&Purpose::Possession(challenge.window), now) {
			return Ok(());
		}
		let Some(proof) = self.answer(view, &challenge).await? else {
			return Ok(());
		};
		// In the last blocks a lost call must be noticed quickly.
		let patience = (view.terms.window_blocks / 16).clamp(2, PATIENCE_BLOCKS);
		let call = StorageCall::SubmitPossession {
			window: challenge.window,
			proof,
		};
		if self.send(view, call, 0, patience).await {
			self.context.metrics.proof_sent();
			if let Some(due) = &mut self.due {
				due.sent = true;
			}
			debug!(target: TARGET, "window {}: sent the proof of {} leaves", challenge.window, challenge.samples.len());
		}
		Ok(())
	}

	/// Keeps account of windows that were proven and missed.
	fn note_window(&mut self, view: &View, challenge: Option<&Challenge>) {
		if let Some(due) = self.due {
			let is_asked = challenge.is_some_and(|challenge| challenge.window == due.window);
			if view.record.proven >= due.window {
				self.context.metrics.window_proven();
				self.calls.forget(&Purpose::Possession(due.window));
				self.due = None;
			} else if !is_asked && view.best.number <= due.deadline {
				// It does not owe anything any more: it is jailed, or has nothing left.
				self.due = None;
			} else if !is_asked {
				self.context.metrics.window_missed();
				let sent = if due.sent {
					"its proof was sent and not taken"
				} else {
					"no proof was sent"
				};
				error!(target: TARGET, "window {} is missed: {sent}; collateral is slashed", due.window);
				self.due = None;
			}
		}
		if let Some(challenge) = challenge {
			if self.due.is_none() {
				self.due = Some(Due {
					window: challenge.window,
					deadline: challenge.deadline,
					sent: false,
				});
			}
		}
	}

	/// The encoded proof for a window's challenge. None while a shard that it asks for is damaged: that shard is given up
	/// when the window is about to end, because a miss costs collateral for all.
	async fn answer(&mut self, view: &View, challenge: &Challenge) -> Result<Option<Vec<u8>>, ChainError> {
		if let Some((made_for, proof)) = &self.proof {
			if made_for == challenge {
				return Ok(Some(proof.clone()));
			}
		}
		match self.make_proof(view, challenge).await? {
			Ok(proof) => {
				self.proof = Some((challenge.clone(), proof.clone()));
				Ok(Some(proof))
			}
			Err(AnswerError::Damaged { id, .. }) => {
				let left = challenge.deadline.saturating_sub(view.best.number);
				if left <= (view.terms.window_blocks / 4).max(3) {
					self.give_up(
						view,
						id,
						"a proof of it is due and it could not be healed in time",
					)
					.await;
				}
				Ok(None)
			}
			Err(error) => {
				error!(target: TARGET, "window {}: {error}", challenge.window);
				Ok(None)
			}
		}
	}

	/// Reads the leaves that a challenge asks for. Damage that it meets is noted, so that it is healed.
	async fn make_proof(
		&self,
		view: &View,
		challenge: &Challenge,
	) -> Result<Result<Vec<u8>, AnswerError>, ChainError> {
		if challenge.samples.is_empty() {
			// All that was drawn has ended or was given up. That must be said, too.
			return Ok(Ok(PossessionProof::default().encode()));
		}
		let mut ids: Vec<ShardId> = Vec::new();
		let mut questions = Vec::with_capacity(challenge.samples.len());
		for sample in &challenge.samples {
			let id = ShardId {
				order: sample.order,
				shard: sample.shard,
			};
			let shard = ids.iter().position(|known| *known == id).unwrap_or_else(|| {
				ids.push(id);
				ids.len() - 1
			});
			questions.push(Question {
				id,
				shard,
				segment: sample.segment,
				leaf: sample.leaf,
			});
		}
		let mut shards = Vec::with_capacity(ids.len());
		for id in &ids {
			let record = self.context.records.get(*id).filter(|record| {
				matches!(
					record.phase,
					Phase::Stored | Phase::Damaged { .. } | Phase::Released { .. }
				)
			});
			let Some(record) = record else {
				return Ok(Err(AnswerError::Damaged {
					id: *id,
					reason: "it is not stored".into(),
				}));
			};
			shards.push(Provable {
				root: record.root,
				bytes: record.bytes,
				roots: self.context.chain.segment_roots(view.best.hash, *id).await?,
				levels: self.context.records.levels_path(*id),
			});
		}
		let result = self
			.context
			.blocking(move |context| {
				let result = answer(&context.store, &shards, &questions);
				if let Err(AnswerError::Damaged { id, reason }) = &result {
					context.note_damage(*id, reason);
				}
				result
			})
			.await;
		Ok(result)
	}

	/// Gives a shard up: it costs its collateral, and another provider rebuilds it.
	pub(super) async fn give_up(&mut self, view: &View, id: ShardId, reason: &str) {
		if self.send(view, StorageCall::DeclareLost(id), 0, 2).await {
			self.context.metrics.shard_lost();
			error!(target: TARGET, "shard {id} is declared lost: {reason}");
		}
	}

	/// Proves the shards that were accepted or rebuilt and are complete.
	pub(super) async fn first_proofs(&mut self, view: &View) -> Result<(), ChainError> {
		let owed: Vec<(ShardId, BlockNumber, BlockNumber)> = self
			.shards
			.iter()
			.filter_map(|(id, status)| match status {
				ShardStatus::Accepted {
					drawn_at, deadline, ..
				}
				| ShardStatus::Repairing {
					drawn_at, deadline, ..
				} => Some((*id, *drawn_at, *deadline)),
				_ => None,
			})
			.collect();
		for (id, drawn_at, deadline) in owed {
			let is_stored = self
				.context
				.records
				.get(id)
				.is_some_and(|record| record.phase == Phase::Stored);
			let purpose = Purpose::FirstProof(id, drawn_at);
			if !is_stored || deadline < view.best.number || !self.calls.may_send(&purpose, view.best.number) {
				continue;
			}
			let Some(challenge) = self.context.chain.first_challenge(view.best.hash, id).await? else {
				continue;
			};
			match self.make_proof(view, &challenge).await? {
				Ok(proof) => {
					let call = StorageCall::FirstProof { shard: id, proof };
					if self.send(view, call, drawn_at, PATIENCE_BLOCKS).await {
						self.context.metrics.proof_sent();
						info!(target: TARGET, "shard {id}: sent its first proof");
					}
				}
				Err(error) => warn!(target: TARGET, "shard {id}: no first proof: {error}"),
			}
		}
		Ok(())
	}
}
