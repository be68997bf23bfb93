//! The control API of the sandbox under `/_control`.
