//! A protocol that says nothing: it gives access to the connections, which litep2p lets only protocols close.

use futures::StreamExt;
use litep2p::{
	codec::ProtocolCodec,
	protocol::{TransportService, UserProtocol},
	PeerId, ProtocolName,
};
use tokio::sync::mpsc;

/// The protocol's name. Whoever opens a stream of it is not listened to.
const PROTOCOL: &str = "/opensand/closer/1";
/// Connections to be closed that wait.
const WAITING: usize = 64;

/// Closes connections.
pub(super) struct Closer(mpsc::Receiver<PeerId>);

impl Closer {
	/// The protocol, and the channel that takes the peers whose connections it closes.
	pub(super) fn new() -> (Self, mpsc::Sender<PeerId>) {
		let (sender, receiver) = mpsc::channel(WAITING);
		(Self(receiver), sender)
	}
}

#[async_trait::async_trait]
impl UserProtocol for Closer {
	fn protocol(&self) -> ProtocolName {
		PROTOCOL.into()
	}

	fn codec(&self) -> ProtocolCodec {
		ProtocolCodec::UnsignedVarint(Some(0))
	}

	async fn run(mut self: Box<Self>, mut service: TransportService) -> litep2p::Result<()> {
		loop {
			tokio::select! {
				// Streams that peers open are dropped with the event.
				event = service.next() => if event.is_none() { return Ok(()) },
				peer = self.0.recv() => match peer {
					// It fails where the connection has gone meanwhile, which is as good.
					Some(peer) => { let _ = service.force_close(peer); }
					None => return Ok(()),
				},
			}
		}
	}
}
