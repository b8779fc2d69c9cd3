//! Whole ceremonies at small sizes, and every way to spoil one.

mod files;
mod forgeries;
mod generator;
mod import;
mod powers;
mod rounds;
mod scene;
