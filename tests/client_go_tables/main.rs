//! client-go's own tests as tables, and cases that it lacks: what our doors must show for each.
//!
//! | upstream | here |
//! | --- | --- |
//! | `leaderelection_test.go`: `Run`, and what it lacks | [`rows`] |
//! | `healthzadaptor_test.go` | [`health`] |
//! | `resourcelock/leaselock_test.go`, the conversion of Leases | [`locks`] |
//! | `NewLeaderElector`, component-base's `validation_test.go` | [`configs`] |
//!
//! What has no counterpart: Kubernetes events ("became leader"), metrics, nil pointers.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod configs;
mod health;
mod locks;
mod play;
mod rows;
