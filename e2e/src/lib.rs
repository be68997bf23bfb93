//! Nothing to use: this crate exists for its tests, which run the whole product.
