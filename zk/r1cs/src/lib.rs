//! Rank-1 constraint systems over the scalar field of BLS12-381, as circuits are compiled into and provers take them:
//! compact matrices, and the segments that the columns are divided into.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod matrices;
mod segments;

pub use matrices::{Matrices, MatricesBuilder, SparseMatrix};
pub use segments::Segments;
