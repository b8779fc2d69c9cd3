//! What the `opensand-zk` command does, as a library: reading ONNX, calibration, model files, keys and proofs.

pub mod accuracy;
pub mod calibrate;
pub mod circuit_report;
pub mod commands;
pub mod dataset;
pub mod error;
pub mod files;
pub mod float;
pub mod model_folder;
pub mod npy;
pub mod onnx;
pub mod output;
pub mod statement;
