//! The durable queue of proving jobs.
//!
//! A RocksDB database holds, for each job, a small record, the job itself while it may still be tried, and the
//! result once it is done. Every change is one atomic batch that has reached the disk before the call returns,
//! so what was acknowledged survives a crash of the process or the machine. A job that was being worked on
//! when the node died is waiting again after the restart.
//!
//! Jobs are handed out by deadline, the nearest first; but a job that failed before comes after those that did not, so
//! that one that keeps crashing its process cannot starve the others.

use std::{
	collections::{BTreeSet, HashMap},
	path::Path,
};

use codec::{DecodeAll, Encode};
use opensand_primitives::{
	proving::{JobFailure, JobId, JobResult, JobStatus, ProvingJob, ProvingStage},
	BlockNumber, KeyId, ModelId, RequestId,
};
use rocksdb::{IteratorMode, Options, WriteBatch, WriteOptions, DB};
use thiserror::Error;

use super::record::{Phase, Record};

/// Blocks for which a job is remembered after its deadline, so that an operator can look back.
pub const RETENTION_BLOCKS: BlockNumber = 256;
/// How many jobs are remembered for each one that may be unfinished.
const REMEMBERED_PER_UNFINISHED: usize = 16;

const FORMAT: u32 = 1;
const FORMAT_KEY: &[u8] = b"format";
const RECORD: u8 = b'r';
const JOB: u8 = b'j';
const RESULT: u8 = b'o';

/// Why the queue refused.
#[derive(Debug, Error)]
pub enum QueueError {
	/// As many unfinished or remembered jobs as are allowed. Submit again later, or raise `--prover-queue`.
	#[error("the queue is full; submit again later, or raise --prover-queue")]
	Full,
	/// Never submitted here, or forgotten after its deadline.
	#[error("no such job")]
	UnknownJob,
	/// Only a job that failed before its deadline can be tried again.
	#[error("the job has not failed, or its deadline has passed: there is nothing to try again")]
	NotFailed,
	/// The database failed: free disk space, check the disk, or stop the process that has it open.
	#[error("the prover's queue database: {0}")]
	Database(#[from] rocksdb::Error),
	/// Bytes in the database do not decode: move the queue's directory away and start again.
	#[error("the prover's queue database has a damaged entry for job {}; move its directory away", hex::encode(.0))]
	Damaged(Vec<u8>),
	/// Written by a newer node: update this one, or move the queue's directory away.
	#[error("the prover's queue database has format {0}, and this node knows {FORMAT}; update the node")]
	UnknownFormat(u32),
}

/// A record and what a worker process reported since the node started.
struct Entry {
	record: Record,
	/// The stage and percentage, while a worker process has the job.
	running: Option<(ProvingStage, u8)>,
}

/// A waiting job's place: failed attempts, deadline, sequence, job.
type Place = (u32, BlockNumber, u64, JobId);

/// One job, for people and clients to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobSummary {
	/// The job.
	pub id: JobId,
	/// The request that it answers.
	pub request: RequestId,
	/// The model that is asked.
	pub model: ModelId,
	/// The key to prove with.
	pub key: KeyId,
	/// The last block in which the result is of use.
	pub deadline: BlockNumber,
	/// Attempts that ended without a verdict.
	pub attempts: u32,
	/// Where it stands.
	pub status: JobStatus,
}

/// Numbers of jobs by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
	/// Not yet handed out.
	pub waiting: usize,
	/// In a worker process.
	pub running: usize,
	/// With a result.
	pub done: usize,
	/// Given up.
	pub failed: usize,
}

/// What a failed attempt leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterAttempt {
	/// The job waits again.
	Retried,
	/// It was the last attempt: the job failed.
	Exhausted,
	/// The job had been cancelled or had expired meanwhile.
	Withdrawn,
}

/// See the module's description.
pub struct Queue {
	database: DB,
	/// Most unfinished jobs.
	capacity: usize,
	entries: HashMap<JobId, Entry>,
	/// Jobs to hand out, in that order.
	waiting: BTreeSet<Place>,
	next_sequence: u64,
}

impl Queue {
	/// Opens the queue in `directory`, creating it if needed. At most `capacity` jobs may be unfinished.
	pub fn open(directory: &Path, capacity: usize) -> Result<Self, QueueError> {
		let mut options = Options::default();
		options.create_if_missing(true);
		options.set_write_buffer_size(4 << 20);
		options.set_max_open_files(64);
		options.set_keep_log_file_num(2);
		let database = DB::open(&options, directory)?;

		match database.get(FORMAT_KEY)? {
			None => database.put_opt(FORMAT_KEY, FORMAT.encode(), &synced())?,
			Some(bytes) => check_format(&bytes)?,
		}
		Self::load(database, capacity)
	}

	/// Opens the queue in `directory` as it is at this moment, beside the node that writes it. Changes fail.
	pub fn open_read_only(directory: &Path) -> Result<Self, QueueError> {
		let database = DB::open_for_read_only(&Options::default(), directory, false)?;
		check_format(&database.get(FORMAT_KEY)?.unwrap_or_default())?;
		Self::load(database, usize::MAX)
	}

	fn load(database: DB, capacity: usize) -> Result<Self, QueueError> {
		let mut entries = HashMap::new();
		let mut waiting = BTreeSet::new();
		let mut next_sequence = 0;
		for item in database.iterator(IteratorMode::Start) {
			let (key, value) = item?;
			let Some((&RECORD, id)) = key.split_first() else {
				continue;
			};
			let damaged = || QueueError::Damaged(id.to_vec());
			let id = JobId::try_from(id).map_err(|_| damaged())?;
			let record = Record::read(&value).map_err(|_| damaged())?;
			next_sequence = next_sequence.max(record.sequence.saturating_add(1));
			if record.phase == Phase::Unfinished {
				waiting.insert(place(&record, &id));
			}
			entries.insert(
				id,
				Entry {
					record,
					running: None,
				},
			);
		}
		Ok(Self {
			database,
			capacity,
			entries,
			waiting,
			next_sequence,
		})
	}

	/// Takes `job` in. A known job stays as it is, unless it failed for a reason that may be gone: then it waits again.
	pub fn submit(&mut self, job: &ProvingJob) -> Result<JobId, QueueError> {
		let id = job.id();
		match self.entries.get(&id).map(|entry| entry.record.phase) {
			Some(Phase::Unfinished | Phase::Done) => return Ok(id),
			Some(Phase::Failed(failure)) => {
				if may_be_gone(failure) {
					self.check_capacity()?;
					self.revive(&id)?;
				}
				return Ok(id);
			}
			None if self.entries.len() >= self.capacity.saturating_mul(REMEMBERED_PER_UNFINISHED) => {
				return Err(QueueError::Full)
			}
			None => {}
		}
		self.check_capacity()?;
		let record = Record {
			sequence: self.next_sequence,
			attempts: 0,
			request: job.request,
			model: job.model,
			key: job.key,
			deadline: job.deadline,
			phase: Phase::Unfinished,
		};
		let mut batch = WriteBatch::default();
		batch.put(database_key(JOB, &id), job.encode());
		batch.put(database_key(RECORD, &id), record.encode());
		self.database.write_opt(batch, &synced())?;

		self.next_sequence = self.next_sequence.saturating_add(1);
		self.waiting.insert(place(&record, &id));
		self.entries.insert(
			id,
			Entry {
				record,
				running: None,
			},
		);
		Ok(id)
	}

	/// Hands out the first waiting job; it counts as running from now on. A job whose bytes are damaged is forgotten, so that
	/// it can be submitted again, and named in the error.
	pub fn take(&mut self) -> Result<Option<(JobId, ProvingJob)>, QueueError> {
		let Some(&(_, _, _, id)) = self.waiting.first() else {
			return Ok(None);
		};
		let bytes = self.database.get(database_key(JOB, &id))?.unwrap_or_default();
		let Ok(job) = ProvingJob::decode_all(&mut &bytes[..]) else {
			self.forget(&[id])?;
			return Err(QueueError::Damaged(id.to_vec()));
		};
		self.waiting.pop_first();
		if let Some(entry) = self.entries.get_mut(&id) {
			entry.running = Some((ProvingStage::Loading, 0));
		}
		Ok(Some((id, job)))
	}

	/// Whether a job is on the last of `max_attempts` attempts, and failed before.
	pub fn is_last_attempt(&self, id: &JobId, max_attempts: u32) -> bool {
		let max_attempts = max_attempts.max(1);
		let failed = self.entries.get(id).map_or(0, |entry| entry.record.attempts) % max_attempts;
		failed > 0 && failed + 1 == max_attempts
	}

	/// Notes what a worker process reports of a running job.
	pub fn progress(&mut self, id: &JobId, stage: ProvingStage, percent: u8) {
		if let Some(running) = self.entries.get_mut(id).and_then(|entry| entry.running.as_mut()) {
			*running = (stage, percent.min(100));
		}
	}

	/// Whether the job is still wanted from the process that works on it.
	pub fn is_running(&self, id: &JobId) -> bool {
		self.entries.get(id).is_some_and(|entry| entry.running.is_some())
	}

	/// Stores the result of a running job. Answers whether it was still wanted.
	pub fn finish(&mut self, id: &JobId, result: &JobResult) -> Result<bool, QueueError> {
		if !self.is_running(id) {
			return Ok(false);
		}
		let mut batch = WriteBatch::default();
		batch.put(database_key(RESULT, id), result.encode());
		self.end(id, Phase::Done, batch)?;
		Ok(true)
	}

	/// Gives a running job up. Answers whether it was still wanted.
	pub fn fail(&mut self, id: &JobId, failure: JobFailure) -> Result<bool, QueueError> {
		if !self.is_running(id) {
			return Ok(false);
		}
		self.end(id, Phase::Failed(failure), WriteBatch::default())?;
		Ok(true)
	}

	/// Counts an attempt at a running job that ended without a verdict; after every `max_attempts`, of which there is at
	/// least one, the job fails.
	pub fn retry(&mut self, id: &JobId, max_attempts: u32) -> Result<AfterAttempt, QueueError> {
		let Some(entry) = self.entries.get(id).filter(|entry| entry.running.is_some()) else {
			return Ok(AfterAttempt::Withdrawn);
		};
		let mut record = entry.record.clone();
		record.attempts = record.attempts.saturating_add(1);
		let exhausted = record.attempts % max_attempts.max(1) == 0;
		if exhausted {
			record.phase = Phase::Failed(JobFailure::Exhausted);
		}
		self.database
			.put_opt(database_key(RECORD, id), record.encode(), &synced())?;
		if !exhausted {
			self.waiting.insert(place(&record, id));
		}
		self.entries.insert(
			*id,
			Entry {
				record,
				running: None,
			},
		);
		Ok(if exhausted {
			AfterAttempt::Exhausted
		} else {
			AfterAttempt::Retried
		})
	}

	/// Puts a running job back without counting an attempt: the fault was not the job's.
	pub fn put_back(&mut self, id: &JobId) {
		if let Some(entry) = self.entries.get_mut(id).filter(|entry| entry.running.is_some()) {
			entry.running = None;
			self.waiting.insert(place(&entry.record, id));
		}
	}

	/// Cancels an unfinished job; a finished one stays as it is.
	pub fn cancel(&mut self, id: &JobId) -> Result<(), QueueError> {
		let entry = self.entries.get(id).ok_or(QueueError::UnknownJob)?;
		if entry.record.phase == Phase::Unfinished {
			self.end(id, Phase::Failed(JobFailure::Cancelled), WriteBatch::default())?;
		}
		Ok(())
	}

	/// Lets a failed job wait again, with as many further attempts as a new one.
	pub fn revive(&mut self, id: &JobId) -> Result<(), QueueError> {
		let entry = self.entries.get(id).ok_or(QueueError::UnknownJob)?;
		match entry.record.phase {
			Phase::Unfinished | Phase::Done | Phase::Failed(JobFailure::Expired) => {
				Err(QueueError::NotFailed)
			}
			Phase::Failed(_) => {
				let record = Record {
					phase: Phase::Unfinished,
					..entry.record.clone()
				};
				self.database
					.put_opt(database_key(RECORD, id), record.encode(), &synced())?;
				self.waiting.insert(place(&record, id));
				self.entries.insert(
					*id,
					Entry {
						record,
						running: None,
					},
				);
				Ok(())
			}
		}
	}

	/// Ends what can no longer be of use when the chain's best block is `best`, and forgets what ended
	/// [`RETENTION_BLOCKS`] ago. Answers how many jobs expired.
	pub fn collect(&mut self, best: BlockNumber) -> Result<usize, QueueError> {
		let (mut expired, mut forgotten) = (Vec::new(), Vec::new());
		for (id, Entry { record, .. }) in &self.entries {
			if record.deadline.saturating_add(RETENTION_BLOCKS) < best {
				forgotten.push(*id);
			} else if record.deadline < best && record.phase == Phase::Unfinished {
				expired.push(*id);
			}
		}
		for id in &expired {
			self.end(id, Phase::Failed(JobFailure::Expired), WriteBatch::default())?;
		}
		if !forgotten.is_empty() {
			self.forget(&forgotten)?;
		}
		Ok(expired.len())
	}

	/// Where a job stands.
	pub fn status(&self, id: &JobId) -> Result<JobStatus, QueueError> {
		self.entries
			.get(id)
			.map(|entry| self.status_of(id, entry))
			.ok_or(QueueError::UnknownJob)
	}

	/// The result of a job that is done, `None` for any other that is known.
	pub fn result(&self, id: &JobId) -> Result<Option<JobResult>, QueueError> {
		let entry = self.entries.get(id).ok_or(QueueError::UnknownJob)?;
		if entry.record.phase != Phase::Done {
			return Ok(None);
		}
		let bytes = self.database.get(database_key(RESULT, id))?.unwrap_or_default();
		JobResult::decode_all(&mut &bytes[..])
			.map(Some)
			.map_err(|_| QueueError::Damaged(id.to_vec()))
	}

	/// Every job that is remembered, in the order of their arrival.
	pub fn jobs(&self) -> Vec<JobSummary> {
		let mut entries: Vec<_> = self.entries.iter().collect();
		entries.sort_unstable_by_key(|(_, entry)| entry.record.sequence);
		let summary = |(id, entry): (&JobId, &Entry)| JobSummary {
			id: *id,
			request: entry.record.request,
			model: entry.record.model,
			key: entry.record.key,
			deadline: entry.record.deadline,
			attempts: entry.record.attempts,
			status: self.status_of(id, entry),
		};
		entries.into_iter().map(summary).collect()
	}

	/// How many jobs are in which state.
	pub fn counts(&self) -> Counts {
		let mut counts = Counts {
			waiting: self.waiting.len(),
			..Default::default()
		};
		for entry in self.entries.values() {
			match entry.record.phase {
				Phase::Unfinished => counts.running += usize::from(entry.running.is_some()),
				Phase::Done => counts.done += 1,
				Phase::Failed(_) => counts.failed += 1,
			}
		}
		counts
	}

	fn forget(&mut self, ids: &[JobId]) -> Result<(), QueueError> {
		let mut batch = WriteBatch::default();
		for (id, kind) in ids
			.iter()
			.flat_map(|id| [RECORD, JOB, RESULT].map(|kind| (id, kind)))
		{
			batch.delete(database_key(kind, id));
		}
		self.database.write_opt(batch, &synced())?;
		for id in ids {
			if let Some(Entry { record, .. }) = self.entries.remove(id) {
				self.waiting.remove(&place(&record, id));
			}
		}
		Ok(())
	}

	fn check_capacity(&self) -> Result<(), QueueError> {
		let counts = self.counts();
		if counts.waiting + counts.running < self.capacity {
			Ok(())
		} else {
			Err(QueueError::Full)
		}
	}

	fn status_of(&self, id: &JobId, entry: &Entry) -> JobStatus {
		match (entry.record.phase, entry.running) {
			(Phase::Done, _) => JobStatus::Done,
			(Phase::Failed(failure), _) => JobStatus::Failed(failure),
			(Phase::Unfinished, Some((stage, percent))) => JobStatus::Running { stage, percent },
			(Phase::Unfinished, None) => {
				let ahead = self.waiting.range(..place(&entry.record, id)).count();
				JobStatus::Queued {
					position: ahead as u32,
				}
			}
		}
	}

	/// Ends an unfinished job; `batch` is written along with that. The job itself is dropped if nothing can come of it.
	fn end(&mut self, id: &JobId, phase: Phase, mut batch: WriteBatch) -> Result<(), QueueError> {
		let Some(entry) = self.entries.get(id) else {
			return Ok(());
		};
		let record = Record {
			phase,
			..entry.record.clone()
		};
		batch.put(database_key(RECORD, id), record.encode());
		if matches!(phase, Phase::Done | Phase::Failed(JobFailure::Expired)) {
			batch.delete(database_key(JOB, id));
		}
		self.database.write_opt(batch, &synced())?;
		self.waiting.remove(&place(&record, id));
		self.entries.insert(
			*id,
			Entry {
				record,
				running: None,
			},
		);
		Ok(())
	}
}

/// Whether the reason of a failure may be gone when the job is submitted again.
fn may_be_gone(failure: JobFailure) -> bool {
	match failure {
		JobFailure::MissingBundle
		| JobFailure::BadBundle
		| JobFailure::BadEnvelope
		| JobFailure::Exhausted
		| JobFailure::Cancelled => true,
		JobFailure::BadInput | JobFailure::Expired => false,
	}
}

fn check_format(bytes: &[u8]) -> Result<(), QueueError> {
	match u32::decode_all(&mut &bytes[..]) {
		Ok(FORMAT) => Ok(()),
		Ok(other) => Err(QueueError::UnknownFormat(other)),
		Err(_) => Err(QueueError::Damaged(FORMAT_KEY.to_vec())),
	}
}

fn place(record: &Record, id: &JobId) -> Place {
	(record.attempts, record.deadline, record.sequence, *id)
}

fn database_key(kind: u8, id: &JobId) -> [u8; 33] {
	let mut key = [kind; 33];
	key[1..].copy_from_slice(id);
	key
}

/// Options of a write that has reached the disk when it returns.
fn synced() -> WriteOptions {
	let mut options = WriteOptions::default();
	options.set_sync(true);
	options
}

#[cfg(test)]
mod tests {
	use super::*;
	use opensand_primitives::{proving::JobInput, AccountId};
	use tempfile::TempDir;

	fn job(request: u64, deadline: u32) -> ProvingJob {
		ProvingJob {
			genesis: [1; 32],
			model: ModelId::repeat_byte(2),
			key: KeyId::repeat_byte(3),
			commitment: None,
			request,
			worker: AccountId::from([4; 32]),
			input: JobInput::Public(vec![5; 64]),
			deadline,
		}
	}

	fn result() -> JobResult {
		JobResult {
			output: vec![1; 10],
			proof: vec![2; 480],
			elapsed_ms: 3,
		}
	}

	fn queue() -> (TempDir, Queue) {
		let directory = tempfile::tempdir().unwrap();
		let queue = Queue::open(directory.path(), 4).unwrap();
		(directory, queue)
	}

	fn reopened((directory, queue): (TempDir, Queue)) -> (TempDir, Queue) {
		drop(queue);
		let queue = Queue::open(directory.path(), 4).unwrap();
		(directory, queue)
	}

	#[test]
	fn jobs_come_by_deadline_and_then_by_age() {
		let (_directory, mut queue) = queue();
		let jobs = [job(1, 30), job(2, 10), job(3, 20), job(4, 10)];
		for job in &jobs {
			queue.submit(job).unwrap();
		}
		assert_eq!(
			queue.status(&jobs[0].id()).unwrap(),
			JobStatus::Queued { position: 3 }
		);
		assert_eq!(
			queue.status(&jobs[3].id()).unwrap(),
			JobStatus::Queued { position: 1 }
		);
		let order: Vec<_> = std::iter::from_fn(|| queue.take().unwrap())
			.map(|(_, job)| job.request)
			.collect();
		assert_eq!(order, [2, 4, 3, 1]);
		let requests: Vec<_> = queue.jobs().iter().map(|job| job.request).collect();
		assert_eq!(requests, [1, 2, 3, 4], "listed in the order of arrival");
	}

	#[test]
	fn a_full_queue_refuses_new_jobs_and_knows_old_ones() {
		let (_directory, mut queue) = queue();
		for request in 0..4 {
			queue.submit(&job(request, 10)).unwrap();
		}
		queue.take().unwrap();
		assert!(
			matches!(queue.submit(&job(4, 10)), Err(QueueError::Full)),
			"running jobs count"
		);
		assert_eq!(queue.submit(&job(0, 10)).unwrap(), job(0, 10).id());
		queue.cancel(&job(3, 10).id()).unwrap();
		queue.submit(&job(4, 10)).unwrap();
		assert!(
			matches!(queue.submit(&job(3, 10)), Err(QueueError::Full)),
			"a revived job counts"
		);
	}

	#[test]
	fn remembered_jobs_are_bounded() {
		let (_directory, mut queue) = queue();
		for request in 0..4 * REMEMBERED_PER_UNFINISHED as u64 {
			let id = queue.submit(&job(request, 10)).unwrap();
			queue.cancel(&id).unwrap();
		}
		assert!(matches!(queue.submit(&job(u64::MAX, 10)), Err(QueueError::Full)));
		queue.collect(10 + RETENTION_BLOCKS + 1).unwrap();
		queue.submit(&job(u64::MAX, 1000)).unwrap();
	}

	#[test]
	fn everything_is_there_after_reopening() {
		let (directory, mut queue) = queue();
		let [waiting, running, done, failed] = [job(1, 40), job(2, 10), job(3, 20), job(4, 30)];
		for job in [&waiting, &running, &done, &failed] {
			queue.submit(job).unwrap();
		}
		for _ in 0..3 {
			queue.take().unwrap();
		}
		queue.finish(&done.id(), &result()).unwrap();
		queue.fail(&failed.id(), JobFailure::BadInput).unwrap();
		queue.retry(&running.id(), 3).unwrap();
		for _ in 0..2 {
			queue.take().unwrap();
		}
		assert_eq!(queue.counts().running, 2);

		let (_directory, mut queue) = reopened((directory, queue));
		assert_eq!(
			queue.counts(),
			Counts {
				waiting: 2,
				running: 0,
				done: 1,
				failed: 1
			}
		);
		assert_eq!(
			queue.take().unwrap().unwrap().1,
			waiting,
			"interrupted jobs wait again"
		);
		assert_eq!(queue.take().unwrap().unwrap().1, running);
		assert_eq!(queue.jobs()[1].attempts, 1);
		assert_eq!(queue.result(&done.id()).unwrap(), Some(result()));
		assert_eq!(
			queue.status(&failed.id()).unwrap(),
			JobStatus::Failed(JobFailure::BadInput)
		);
	}

	#[test]
	fn attempts_are_counted_until_they_are_exhausted() {
		let (_directory, mut queue) = queue();
		let id = queue.submit(&job(1, 10)).unwrap();
		for _ in 0..2 {
			queue.take().unwrap();
			assert!(!queue.is_last_attempt(&id, 3));
			assert_eq!(queue.retry(&id, 3).unwrap(), AfterAttempt::Retried);
		}
		queue.take().unwrap();
		assert!(queue.is_last_attempt(&id, 3));
		assert!(!queue.is_last_attempt(&id, 1), "a first attempt is no last one");
		assert_eq!(queue.retry(&id, 3).unwrap(), AfterAttempt::Exhausted);
		assert_eq!(
			queue.status(&id).unwrap(),
			JobStatus::Failed(JobFailure::Exhausted)
		);
		queue.submit(&job(1, 10)).unwrap();
		queue.submit(&job(2, 20)).unwrap();
		assert_eq!(
			queue.take().unwrap().unwrap().1,
			job(2, 20),
			"fresh jobs come first"
		);
		for after in [
			AfterAttempt::Retried,
			AfterAttempt::Retried,
			AfterAttempt::Exhausted,
		] {
			assert_eq!(queue.take().unwrap().unwrap().1, job(1, 10));
			let is_last = after == AfterAttempt::Exhausted;
			assert_eq!(queue.is_last_attempt(&id, 3), is_last, "counted anew");
			assert_eq!(queue.retry(&id, 3).unwrap(), after);
		}
	}

	#[test]
	fn failures_that_may_be_gone_are_tried_again_when_submitted_again() {
		let (_directory, mut queue) = queue();
		let id = queue.submit(&job(1, 10)).unwrap();
		for failure in [
			JobFailure::MissingBundle,
			JobFailure::BadBundle,
			JobFailure::BadEnvelope,
		] {
			queue.take().unwrap().unwrap();
			assert!(queue.fail(&id, failure).unwrap());
			queue.submit(&job(1, 10)).unwrap();
		}
		queue.take().unwrap().unwrap();
		queue.fail(&id, JobFailure::BadInput).unwrap();
		queue.submit(&job(1, 10)).unwrap();
		assert_eq!(
			queue.status(&id).unwrap(),
			JobStatus::Failed(JobFailure::BadInput)
		);
	}

	#[test]
	fn a_cancelled_job_is_no_longer_wanted() {
		let (_directory, mut queue) = queue();
		let id = queue.submit(&job(1, 10)).unwrap();
		queue.take().unwrap();
		assert!(queue.is_running(&id));
		queue.cancel(&id).unwrap();
		assert!(!queue.is_running(&id));
		assert!(!queue.finish(&id, &result()).unwrap());
		assert_eq!(queue.retry(&id, 3).unwrap(), AfterAttempt::Withdrawn);
		assert_eq!(
			queue.status(&id).unwrap(),
			JobStatus::Failed(JobFailure::Cancelled)
		);
		assert!(matches!(queue.cancel(&[0; 32]), Err(QueueError::UnknownJob)));
	}

	#[test]
	fn a_finished_job_cannot_be_cancelled() {
		let (_directory, mut queue) = queue();
		let id = queue.submit(&job(1, 10)).unwrap();
		assert_eq!(queue.result(&id).unwrap(), None);
		queue.take().unwrap();
		queue.finish(&id, &result()).unwrap();
		queue.cancel(&id).unwrap();
		assert_eq!(queue.status(&id).unwrap(), JobStatus::Done);
		assert!(matches!(queue.revive(&id), Err(QueueError::NotFailed)));
	}

	#[test]
	fn deadlines_end_jobs_and_results_stay_until_then() {
		let (directory, mut queue) = queue();
		let [done, running, waiting] =
			[job(1, 10), job(2, 10), job(3, 10)].map(|job| queue.submit(&job).unwrap());
		queue.take().unwrap();
		queue.finish(&done, &result()).unwrap();
		queue.take().unwrap();

		assert_eq!(queue.collect(10).unwrap(), 0, "the deadline itself is in time");
		assert_eq!(queue.collect(11).unwrap(), 2);
		for id in [&running, &waiting] {
			assert_eq!(queue.status(id).unwrap(), JobStatus::Failed(JobFailure::Expired));
		}
		assert_eq!(queue.result(&done).unwrap(), Some(result()));
		assert_eq!(queue.collect(10 + RETENTION_BLOCKS).unwrap(), 0);
		assert_eq!(queue.jobs().len(), 3);
		queue.collect(10 + RETENTION_BLOCKS + 1).unwrap();
		assert!(queue.jobs().is_empty());
		let (_directory, queue) = reopened((directory, queue));
		assert!(queue.jobs().is_empty());
		assert_eq!(
			queue.database.iterator(IteratorMode::Start).count(),
			1,
			"only the format is left"
		);
	}

	#[test]
	fn it_can_be_read_beside_its_writer() {
		let (directory, mut queue) = queue();
		queue.submit(&job(1, 10)).unwrap();
		let mut reader = Queue::open_read_only(directory.path()).unwrap();
		assert_eq!(reader.jobs(), queue.jobs());
		assert!(reader.submit(&job(2, 10)).is_err());
		assert!(
			matches!(Queue::open(directory.path(), 4), Err(QueueError::Database(_))),
			"one writer only"
		);
	}

	#[test]
	fn unknown_formats_and_damage_are_named_and_kept() {
		let (directory, mut queue) = queue();
		let id = queue.submit(&job(1, 10)).unwrap();
		queue.database.put(database_key(RECORD, &id), [0xff]).unwrap();
		drop(queue);
		assert!(matches!(Queue::open(directory.path(), 4), Err(QueueError::Damaged(of)) if of == id));

		let database = DB::open_default(directory.path()).unwrap();
		database.put(FORMAT_KEY, 2u32.encode()).unwrap();
		drop(database);
		assert!(matches!(
			Queue::open(directory.path(), 4),
			Err(QueueError::UnknownFormat(2))
		));
	}

	#[test]
	fn a_record_with_the_last_sequence_is_no_end() {
		let (directory, mut queue) = queue();
		let id = queue.submit(&job(1, 10)).unwrap();
		let record = Record {
			sequence: u64::MAX,
			..queue.entries[&id].record.clone()
		};
		queue
			.database
			.put(database_key(RECORD, &id), record.encode())
			.unwrap();
		let (_directory, mut queue) = reopened((directory, queue));
		for request in [2, 3] {
			queue.submit(&job(request, 10)).unwrap();
		}
		let taken = std::iter::from_fn(|| queue.take().unwrap()).count();
		assert_eq!(taken, 3);
	}

	#[test]
	fn a_damaged_job_is_named_once_and_can_be_submitted_again() {
		let (_directory, mut queue) = queue();
		let id = queue.submit(&job(1, 10)).unwrap();
		queue.database.put(database_key(JOB, &id), [0xff]).unwrap();
		assert!(matches!(queue.take(), Err(QueueError::Damaged(of)) if of == id));
		assert!(matches!(queue.status(&id), Err(QueueError::UnknownJob)));
		assert!(queue.take().unwrap().is_none());
		queue.submit(&job(1, 10)).unwrap();
		assert_eq!(queue.take().unwrap().unwrap().1, job(1, 10));
	}

	#[test]
	fn progress_is_shown_while_a_job_runs() {
		let (_directory, mut queue) = queue();
		let id = queue.submit(&job(1, 10)).unwrap();
		queue.progress(&id, ProvingStage::Proving, 50);
		assert_eq!(queue.status(&id).unwrap(), JobStatus::Queued { position: 0 });
		queue.take().unwrap();
		queue.progress(&id, ProvingStage::Proving, 250);
		let running = JobStatus::Running {
			stage: ProvingStage::Proving,
			percent: 100,
		};
		assert_eq!(queue.status(&id).unwrap(), running);
		queue.put_back(&id);
		assert_eq!(queue.status(&id).unwrap(), JobStatus::Queued { position: 0 });
	}
}
