"""Computes the known answers in vectors.rs with Python's own BLAKE2b. Run it and compare."""

from hashlib import blake2b


def digest(data):
    return blake2b(data, digest_size=32).digest()


def data(leaves):
    return b"".join(n.to_bytes(4, "little") for n in range(leaves * 64))


def root(leaves):
    content = data(leaves)
    level = [digest(content[at : at + 256]) for at in range(0, len(content), 256)]
    while len(level) > 1:
        pairs = [digest(level[at] + level[at + 1]) for at in range(0, len(level) - 1, 2)]
        level = pairs + (level[-1:] if len(level) % 2 else [])
    return digest(b"opensand/segment" + leaves.to_bytes(4, "little") + level[0])


def draw(seed, provider, index, total):
    uniform = digest(b"opensand/draw" + seed + provider + index.to_bytes(4, "little"))[:16]
    return int.from_bytes(uniform, "little") % total


for leaves in [1, 2, 3, 5, 64, 65, 1000, 32767, 32768]:
    print(leaves, root(leaves).hex())
for index, total in [(0, 1), (0, 1000), (1, 1000), (31, 2**42), (2**32 - 1, 2**64 - 1)]:
    print(index, total, draw(b"\x01" * 32, b"\x02" * 32, index, total))

# The proof for leaves 4, 0 and 4 of five: leaf 4 stands beside the other four, leaf 0 needs leaf 1 and the pair after it.
content = data(5)
hashes = [digest(content[at : at + 256]) for at in range(0, len(content), 256)]
proof = bytes([2 << 2]) + content[4 * 256 :] + content[:256] + bytes([2 << 2]) + hashes[1] + digest(hashes[2] + hashes[3])
print(digest(proof).hex())
