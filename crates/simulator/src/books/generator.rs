//! Books of imagined companies, made up deterministically from a seed.
