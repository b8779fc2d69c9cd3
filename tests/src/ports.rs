//! Ports for servers whose addresses have to be known before they start.

use std::{
	collections::hash_map::RandomState,
	hash::{BuildHasher, Hasher},
	net::{Ipv4Addr, TcpListener},
	ops::Range,
};

use anyhow::{Context, Result};

/// Where servers usually are, and where the system takes no port for a connection that somebody opens: such a port could
/// be gone before the server starts.
const PORTS: Range<u16> = 10_240..32_768;

/// A port that nothing listens on now. Each call begins to look somewhere else, so that tests side by side do not meet.
///
/// # Errors
/// When every port is taken.
pub fn free_port() -> Result<u16> {
	let count = PORTS.len() as u64;
	let start = RandomState::new().build_hasher().finish();
	(0..count)
		.map(|step| PORTS.start + ((start % count + step) % count) as u16)
		.find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
		.with_context(|| format!("no port of {PORTS:?} is free"))
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn ports_are_free_and_none_that_connections_get() {
		let mut taken = Vec::new();
		for _ in 0..50 {
			let port = free_port().unwrap();
			assert!(PORTS.contains(&port), "{port}");
			// The next call finds it taken.
			taken.push(TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap());
		}
	}
}
