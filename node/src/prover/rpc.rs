//! The `prover_*` RPC methods: what this node's prover is doing. They change nothing.

use std::collections::BTreeMap;

use jsonrpsee::{core::RpcResult, proc_macros::rpc, types::ErrorObjectOwned};
use opensand_primitives::proving::{DeviceKind, DeviceReport, JobStatus};
use opensand_zk_bridge::Prover;
use serde::{Deserialize, Serialize};

use super::{
	metrics::{device_stage_label, failure_label, stage_label},
	queue::JobSummary,
	service::{ProverHandle, WorkerSummary},
};

/// JSON-RPC code of an answer that this node cannot give now.
const UNAVAILABLE: i32 = -32_010;

/// What can be asked of a node's prover.
#[rpc(server)]
pub trait ProverApi {
	/// The devices that prove.
	#[method(name = "prover_devices")]
	fn devices(&self) -> RpcResult<Vec<DeviceView>>;

	/// Every job that is remembered, the oldest first.
	#[method(name = "prover_jobs")]
	fn jobs(&self) -> RpcResult<Vec<JobView>>;

	/// The worker processes that are up.
	#[method(name = "prover_workers")]
	fn workers(&self) -> RpcResult<Vec<WorkerView>>;

	/// The X25519 key that private inputs are sealed to, `0x` and 64 hexadecimal digits.
	#[method(name = "prover_publicKey")]
	fn public_key(&self) -> RpcResult<String>;
}

/// The `prover_*` methods of one prover.
pub struct ProverRpc(ProverHandle);

impl ProverRpc {
	/// Methods that ask `prover`.
	pub fn new(prover: ProverHandle) -> Self {
		Self(prover)
	}
}

impl ProverApiServer for ProverRpc {
	fn devices(&self) -> RpcResult<Vec<DeviceView>> {
		let devices = self.0.devices().map_err(|_| {
			ErrorObjectOwned::owned(
				UNAVAILABLE,
				"the prover service has stopped; restart the node",
				None::<()>,
			)
		})?;
		Ok(devices.iter().map(DeviceView::from).collect())
	}

	fn jobs(&self) -> RpcResult<Vec<JobView>> {
		Ok(self.0.jobs().iter().map(JobView::from).collect())
	}

	fn workers(&self) -> RpcResult<Vec<WorkerView>> {
		Ok(self.0.workers().iter().map(WorkerView::from).collect())
	}

	fn public_key(&self) -> RpcResult<String> {
		Ok(prefixed(&self.0.public_key()))
	}
}

/// A device, as JSON shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceView {
	/// As the driver names it.
	pub name: String,
	/// `cpu` or `cuda`.
	pub kind: String,
	/// Bytes of memory that proofs may use.
	pub memory_bytes: u64,
	/// Jobs that it works on.
	pub running: u32,
	/// Jobs that wait for it or another device.
	pub waiting: u32,
	/// What is known of a device that is not the processor.
	#[serde(flatten, skip_serializing_if = "Option::is_none")]
	pub driven: Option<DrivenView>,
}

/// What is known of a device that a plug-in drives, as JSON shows it. Times are since its worker process started.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DrivenView {
	/// Version of the driver.
	pub driver: String,
	/// Name and version of the plug-in.
	pub plugin: String,
	/// Bytes of memory that keys and proofs take now.
	pub used_bytes: u64,
	/// The most bytes that they took so far.
	pub peak_bytes: u64,
	/// Seconds in which it computed.
	pub busy_seconds: f64,
	/// Seconds for each stage: `upload`, `rows`, `transform`, `multiply_g1`, `multiply_g2`, `queue`.
	pub stage_seconds: BTreeMap<String, f64>,
}

impl From<&DeviceReport> for DeviceView {
	fn from(report: &DeviceReport) -> Self {
		let kind = match report.device.kind {
			DeviceKind::Cpu => "cpu",
			DeviceKind::Cuda => "cuda",
		};
		let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
		let seconds = |nanoseconds: u64| nanoseconds as f64 / 1e9;
		let stage_seconds = report.stages.iter().map(|stage| {
			let name = device_stage_label(stage.stage);
			(name.to_string(), seconds(stage.nanoseconds))
		});
		Self {
			name: text(&report.device.name),
			kind: kind.into(),
			memory_bytes: report.device.memory_bytes,
			running: report.running,
			waiting: report.waiting,
			driven: (report.device.kind != DeviceKind::Cpu).then(|| DrivenView {
				driver: text(&report.driver),
				plugin: text(&report.plugin),
				used_bytes: report.used_bytes,
				peak_bytes: report.peak_bytes,
				busy_seconds: seconds(report.busy_nanoseconds),
				stage_seconds: stage_seconds.collect(),
			}),
		}
	}
}

/// A job, as JSON shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobView {
	/// The job, `0x` and 64 hexadecimal digits; so are model and key.
	pub id: String,
	/// The request that it answers.
	pub request: u64,
	/// The model that is asked.
	pub model: String,
	/// The verifying key.
	pub key: String,
	/// The last block in which the result is of use.
	pub deadline: u32,
	/// Attempts that ended without a verdict.
	pub attempts: u32,
	/// Where it stands.
	#[serde(flatten)]
	pub status: StatusView,
}

/// Where a job stands, as JSON shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "camelCase")]
pub enum StatusView {
	/// Waiting.
	Queued {
		/// Jobs ahead of this one.
		position: u32,
	},
	/// In a worker process.
	Running {
		/// `loading`, `witness`, `proving` or `verifying`.
		stage: String,
		/// 0 to 100.
		percent: u8,
	},
	/// It has a result.
	Done,
	/// Given up.
	Failed {
		/// Why: the name of the `JobFailure` in snake case.
		reason: String,
	},
}

impl From<&JobSummary> for JobView {
	fn from(job: &JobSummary) -> Self {
		let status = match job.status {
			JobStatus::Queued { position } => StatusView::Queued { position },
			JobStatus::Running { stage, percent } => StatusView::Running {
				stage: stage_label(stage).into(),
				percent,
			},
			JobStatus::Done => StatusView::Done,
			JobStatus::Failed(failure) => StatusView::Failed {
				reason: failure_label(failure).into(),
			},
		};
		Self {
			id: prefixed(&job.id),
			request: job.request,
			model: prefixed(&job.model.0),
			key: prefixed(&job.key.0),
			deadline: job.deadline,
			attempts: job.attempts,
			status,
		}
	}
}

/// A worker process, as JSON shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkerView {
	/// The operating system's id of the process.
	pub process: u32,
	/// What it proves on.
	pub devices: Vec<DeviceView>,
}

impl From<&WorkerSummary> for WorkerView {
	fn from(worker: &WorkerSummary) -> Self {
		Self {
			process: worker.process,
			devices: worker.devices.iter().map(DeviceView::from).collect(),
		}
	}
}

fn prefixed(bytes: &[u8; 32]) -> String {
	format!("0x{}", hex::encode(bytes))
}

#[cfg(test)]
mod tests {
	use super::*;
	use opensand_primitives::{
		proving::{DeviceStage, JobFailure, ProverDevice, ProvingStage, StageTime},
		KeyId, ModelId,
	};
	use serde_json::json;

	fn view(status: JobStatus) -> serde_json::Value {
		let job = JobSummary {
			id: [1; 32],
			request: 7,
			model: ModelId::repeat_byte(2),
			key: KeyId::repeat_byte(3),
			deadline: 50,
			attempts: 1,
			status,
		};
		serde_json::to_value(JobView::from(&job)).unwrap()
	}

	#[test]
	fn jobs_are_flat_objects() {
		assert_eq!(
			view(JobStatus::Running {
				stage: ProvingStage::Proving,
				percent: 40
			}),
			json!({
				"id": format!("0x{}", "01".repeat(32)),
				"request": 7,
				"model": format!("0x{}", "02".repeat(32)),
				"key": format!("0x{}", "03".repeat(32)),
				"deadline": 50,
				"attempts": 1,
				"status": "running",
				"stage": "proving",
				"percent": 40,
			})
		);
		assert_eq!(view(JobStatus::Queued { position: 2 })["position"], 2);
		assert_eq!(view(JobStatus::Done)["status"], "done");
		assert_eq!(
			view(JobStatus::Failed(JobFailure::MissingBundle))["reason"],
			"missing_bundle"
		);
	}

	#[test]
	fn devices_show_what_is_known_of_them() {
		let mut report = DeviceReport {
			device: ProverDevice {
				name: b"AVX2 CPU".to_vec(),
				kind: DeviceKind::Cpu,
				memory_bytes: 5,
			},
			driver: b"580.1".to_vec(),
			plugin: b"cuda 0.1.0".to_vec(),
			used_bytes: 3,
			peak_bytes: 4,
			busy_nanoseconds: 1_500_000_000,
			stages: vec![StageTime {
				stage: DeviceStage::Rows,
				nanoseconds: 250_000_000,
				calls: 2,
			}],
			running: 1,
			waiting: 2,
		};
		let view = |report: &DeviceReport| serde_json::to_value(DeviceView::from(report)).unwrap();
		assert_eq!(
			view(&report),
			json!({ "name": "AVX2 CPU", "kind": "cpu", "memoryBytes": 5, "running": 1, "waiting": 2 })
		);
		report.device.kind = DeviceKind::Cuda;
		assert_eq!(
			view(&report),
			json!({
				"name": "AVX2 CPU",
				"kind": "cuda",
				"memoryBytes": 5,
				"running": 1,
				"waiting": 2,
				"driver": "580.1",
				"plugin": "cuda 0.1.0",
				"usedBytes": 3,
				"peakBytes": 4,
				"busySeconds": 1.5,
				"stageSeconds": { "rows": 0.25 },
			})
		);
	}
}
