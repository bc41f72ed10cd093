//! Simulator of tenure.
