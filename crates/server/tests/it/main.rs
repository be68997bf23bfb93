//! The program from outside: its commands, its refusals, its exit codes.
