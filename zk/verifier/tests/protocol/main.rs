//! The protocol of `PROTOCOL.md`: what is accepted, what is refused, and that a second verifier, written from the
//! page alone, is of the same mind.

mod acceptance;
mod agreement;
mod batches;
mod keys;
mod malleability;
mod proofs;
mod registrations;
mod replays;
mod scene;
mod seeds;
mod segments;
mod slow;
mod zero_knowledge;
