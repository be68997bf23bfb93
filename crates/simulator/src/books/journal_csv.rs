//! Books read from a general-journal file.
