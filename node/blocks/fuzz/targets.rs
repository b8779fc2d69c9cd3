//! What the fuzz targets do with arbitrary bytes. `tests/corpus.rs` runs the same on the committed corpora.

use opensand_blocks::{
	check_cid, decode_cid, parse_cid,
	wire::{decode_request, encode_request, Response},
	CID_BYTES,
};

/// A CID has one binary encoding, which is also the request for its block, and comes back from its text.
pub fn cid(bytes: &[u8]) {
	let decoded = decode_cid(bytes);
	assert_eq!(decode_request(bytes), decoded);
	if let Ok(cid) = decoded {
		assert_eq!(bytes.len(), CID_BYTES);
		assert_eq!(encode_request(&cid), bytes);
		assert_eq!(parse_cid(&cid.to_string()), Ok(cid));
	}
	if let Ok(cid) = parse_cid(&String::from_utf8_lossy(bytes)) {
		assert!(check_cid(&cid).is_ok());
		assert_eq!(decode_cid(&cid.to_bytes()), Ok(cid));
	}
}

/// A response has one encoding.
pub fn response(bytes: &[u8]) {
	if let Ok(response) = Response::decode(bytes.to_vec()) {
		assert_eq!(response.encode(), bytes);
	}
}
