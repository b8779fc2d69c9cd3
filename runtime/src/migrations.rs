//! Migrations of stored state, newest first, each removed one release after it ran everywhere.

/// Those that run whole in the block of the upgrade. The chain has had no upgrade yet.
pub type SingleBlockMigrations = ();
/// Those that run in steps over many blocks. The chain has had no upgrade yet.
pub type MultiBlockMigrations = ();
